//! A file that is written aside and takes its name whole, or never.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::SnapshotError;
use crate::disk::{Native, Volume, VolumeFile};

/// Stands between a destination's name and what makes a temporary's name its own.
const MARK: &str = ".forkpoint-";
/// Hex digits behind it.
const DIGITS: usize = 16;

/// The destination with `.tmp` behind it: a name that scripts may look for, and that no writer uses. [`AtomicWriter::temp_path`] is the one that is used.
pub fn derive_temp_path(dest: &Path) -> PathBuf {
    let mut path = dest.as_os_str().to_owned();
    path.push(".tmp");
    path.into()
}

/// Whether two files, there or not yet, would lie in folders of one file system.
///
/// # Errors
/// [`SnapshotError::AtomicCommitCrossFs`] if they would not; a folder that is not there.
pub fn check_same_filesystem(dest: &Path, temp: &Path) -> Result<(), SnapshotError> {
    // With a dot behind it, a link to a folder is that folder.
    let [one, other] = [dest, temp].map(|path| folder(path).join("."));
    if Native.device(&one)? == Native.device(&other)? {
        Ok(())
    } else {
        Err(SnapshotError::AtomicCommitCrossFs { dest: dest.to_owned(), temp_dir: folder(temp).to_owned() })
    }
}

/// Writes a file beside its destination, for its owner only and under a name that nobody can foresee; [`AtomicWriter::commit`] gives it its name. Dropped before, it
/// leaves nothing.
#[derive(Debug)]
pub struct AtomicWriter {
    aside: Aside<'static>,
    at: u64,
}

impl AtomicWriter {
    /// Begins to write. What writers that died have left for this destination is removed.
    ///
    /// # Errors
    /// The folder is not there or may not be written.
    pub fn open(dest: &Path) -> Result<AtomicWriter, SnapshotError> {
        let _held = Native.hold_folder(folder(dest))?;
        remove_stale(&Native, dest)?;
        Ok(AtomicWriter { aside: Aside::new(&Native, dest)?, at: 0 })
    }

    /// Where it is written.
    pub fn temp_path(&self) -> &Path {
        &self.aside.temp
    }

    /// Gives the file its name, in place of what bears it; both survive a crash from then on.
    ///
    /// # Errors
    /// [`SnapshotError::AtomicCommitFailed`], and what bore the name stands; or the folder could not be synced.
    pub fn commit(self) -> Result<(), SnapshotError> {
        self.aside.file.sync()?;
        let folder = folder(&self.aside.dest).to_owned();
        self.aside.put()?;
        Ok(Native.sync_folder(&folder)?)
    }
}

impl Write for AtomicWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.aside.file.write_at(bytes, self.at)?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is being written aside; dropped, it leaves nothing.
#[derive(Debug)]
pub(super) struct Aside<'v> {
    volume: &'v dyn Volume,
    /// The file, held as long as its writer lives.
    pub file: Box<dyn VolumeFile>,
    /// Where it is.
    pub temp: PathBuf,
    /// Where it shall stand.
    pub dest: PathBuf,
    is_named: bool,
}

impl<'v> Aside<'v> {
    /// Makes the file; the folder is held by the caller, so that nobody takes it for one whose writer died.
    pub fn new(volume: &'v dyn Volume, dest: &Path) -> Result<Aside<'v>, SnapshotError> {
        let temp = temp_name(dest)?;
        let file = volume.create_new(&temp)?;
        file.hold();
        let aside = Aside { volume, file, temp, dest: dest.to_owned(), is_named: false };
        // A destination that is mounted from elsewhere: no rename to it could be atomic.
        match volume.device(dest) {
            Ok(device) if device != aside.file.identity()?.0 => {
                Err(SnapshotError::AtomicCommitCrossFs { dest: dest.to_owned(), temp_dir: folder(dest).to_owned() })
            }
            _ => Ok(aside),
        }
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// What bears the name stands, and the temporary file is removed.
    pub fn put(mut self) -> Result<(), SnapshotError> {
        match self.volume.rename(&self.temp, &self.dest) {
            Ok(()) => {
                self.is_named = true;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let (dest, temp_dir) = (self.dest.clone(), folder(&self.dest).to_owned());
                Err(SnapshotError::AtomicCommitCrossFs { dest, temp_dir })
            }
            Err(error) => Err(SnapshotError::AtomicCommitFailed(error)),
        }
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        if !self.is_named {
            // It may be gone, with its folder.
            let _ = self.volume.remove(&self.temp);
        }
    }
}

/// Removes what writers that died have left for a destination; the folder is held by the caller.
pub(super) fn remove_stale(volume: &dyn Volume, dest: &Path) -> Result<(), SnapshotError> {
    let folder = folder(dest);
    let prefix = temp_prefix(dest)?;
    for name in volume.names(folder)? {
        let is_ours = name
            .as_bytes()
            .strip_prefix(prefix.as_bytes())
            .is_some_and(|rest| rest.len() == DIGITS && rest.iter().all(u8::is_ascii_hexdigit));
        let path = folder.join(&name);
        // Nobody but a writer holds it, and a writer's end lets go.
        if is_ours && volume.open(&path).is_ok_and(|file| file.hold()) {
            volume.remove(&path)?;
        }
    }
    Ok(())
}

/// A name beside a destination that nobody can foresee.
fn temp_name(dest: &Path) -> Result<PathBuf, SnapshotError> {
    let mut digits = [0; DIGITS / 2];
    getrandom::fill(&mut digits).map_err(io::Error::from)?;
    let mut text = String::new();
    digits.iter().for_each(|byte| {
        let _ = write!(text, "{byte:02x}");
    });
    let mut name = temp_prefix(dest)?;
    name.push(text);
    Ok(folder(dest).join(name))
}

fn temp_prefix(dest: &Path) -> Result<OsString, SnapshotError> {
    let name = name(dest)?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(MARK);
    Ok(prefix)
}

/// The last part of a path, which must be a name.
pub(super) fn name(path: &Path) -> Result<&OsStr, SnapshotError> {
    let wrong = || SnapshotError::InvalidPath(format!("{} names no file", path.display()));
    let is_folder = path.as_os_str().as_bytes().ends_with(b"/");
    path.file_name().filter(|_| !is_folder).ok_or_else(wrong)
}

/// The folder that a file is in; of a bare name, the current one.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
