//! A temporary folder that is removed at the end.

use std::path::{Path, PathBuf};

use super::Hindered;

pub struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    pub fn new(within: Option<&Path>) -> Result<Room, Hindered> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("forkpoint-show-");
        let folder = match within {
            Some(within) => builder.tempdir_in(within)?,
            None => builder.tempdir()?,
        };
        Ok(Room { folder })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder in it, made if need be.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Hindered> {
        let path = self.path(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Hindered> {
        let path = self.path(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    }

    /// Refuses to fill a disk: so much must be free, and a gigabyte besides.
    pub fn demand(&self, bytes: u64) -> Result<(), Hindered> {
        let stat = rustix::fs::statvfs(self.folder.path())?;
        let free = stat.f_bavail * stat.f_frsize;
        let needed = bytes + 1_000_000_000;
        if free < needed {
            let folder = self.folder.path().display();
            return Err(format!("{folder}: {free} bytes free, {needed} needed; choose another --scratch").into());
        }
        Ok(())
    }

    /// A named pipe.
    pub fn fifo(&self, name: &str) -> Result<PathBuf, Hindered> {
        let path = self.path(name);
        if path.exists() {
            std::fs::remove_file(&path)?;
        }
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::from(0o600), 0)?;
        Ok(path)
    }
}
