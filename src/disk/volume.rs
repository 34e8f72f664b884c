//! What an atomic pair of files needs of a file system: the system's own, or a model of one that crashes.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::atomic::Listed;

/// A file system. What was done is only certain to survive a crash once it was synced: bytes and lengths of a file by
/// [`VolumeFile::sync`], names by [`Volume::sync_folder`] of their folder.
pub trait Volume: fmt::Debug + Send + Sync {
    /// Makes a file that is not there yet, readable and writable by its owner only; a link at its place is not followed.
    ///
    /// # Errors
    /// Something is there, or the system refuses.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn VolumeFile>>;

    /// Opens a regular file for reading; what is none is refused and not waited for.
    ///
    /// # Errors
    /// It is not there, is no regular file, or may not be read.
    fn open(&self, path: &Path) -> io::Result<Box<dyn VolumeFile>>;

    /// Gives a file a second name.
    ///
    /// # Errors
    /// The second name is taken, or the system refuses: not every file system has links.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file another name, in place of whatever bears that name.
    ///
    /// # Errors
    /// The system refuses.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes a name away.
    ///
    /// # Errors
    /// It is not there, or the system refuses.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names in a folder, in no order.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// The path of a folder from the root, without links in it: two paths of one folder have the same.
    ///
    /// # Errors
    /// It is not there.
    fn full_path(&self, folder: &Path) -> io::Result<PathBuf>;

    /// Makes certain that the names in a folder survive a crash.
    ///
    /// # Errors
    /// The system could not.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Waits until nobody else holds the folder, and holds it until the value is dropped or the process ends. Where the file system
    /// knows no locks of folders, nobody is waited for.
    ///
    /// # Errors
    /// The folder cannot be opened.
    fn hold_folder(&self, folder: &Path) -> io::Result<Box<dyn Send>>;

    /// Which file system a path lies on; of a link, the link itself.
    ///
    /// # Errors
    /// There is nothing at the path.
    fn device(&self, path: &Path) -> io::Result<u64>;
}

/// A file that is open.
pub trait VolumeFile: fmt::Debug + Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// The system does not tell.
    fn length(&self) -> io::Result<u64>;

    /// Makes it longer, by a hole that reads as zeros, or shorter.
    ///
    /// # Errors
    /// The system refuses.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Fills a block with the bytes at a place.
    ///
    /// # Errors
    /// The file ends before, or cannot be read.
    fn read_at(&self, block: &mut [u8], at: u64) -> io::Result<()>;

    /// Writes all of a block to a place.
    ///
    /// # Errors
    /// No space, or the system refuses.
    fn write_at(&self, block: &[u8], at: u64) -> io::Result<()>;

    /// Makes certain that bytes and length survive a crash.
    ///
    /// # Errors
    /// The system could not; what was written since the last time may be lost.
    fn sync(&self) -> io::Result<()>;

    /// Which file this is: file system and number in it.
    ///
    /// # Errors
    /// The system does not tell.
    fn identity(&self) -> io::Result<(u64, u64)>;

    /// Holds the file until it is closed, which the end of a process does too: whether nobody else does. Where the file system knows no
    /// locks, nobody is taken to.
    fn hold(&self) -> bool;

    /// The ranges that hold data, in their order; what lies between are holes, which read as zeros.
    ///
    /// # Errors
    /// The length is not told.
    fn extents(&self) -> io::Result<Vec<Range<u64>>>;
}

/// The system's own file systems.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

impl Volume for Native {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn VolumeFile>> {
        // Made exclusively, no link is followed.
        let mut options = File::options();
        options.read(true).write(true).create_new(true).mode(0o600);
        let (file, listed) = Listed::make(path, || options.open(path))?;
        Ok(Box::new(NativeFile { file, _listed: Some(listed) }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn VolumeFile>> {
        // Opened so, a FIFO that nobody writes to is no reason to wait.
        let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let file = File::options().read(true).custom_flags(flags).open(path)?;
        match file.metadata()?.file_type() {
            kind if kind.is_dir() => Err(io::Error::other("is a directory")),
            kind if !kind.is_file() => Err(io::Error::other("is no regular file")),
            _ => Ok(Box::new(NativeFile { file, _listed: None })),
        }
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn full_path(&self, folder: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        match File::open(folder)?.sync_all() {
            // A file system that syncs no folders.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            done => done,
        }
    }

    fn hold_folder(&self, folder: &Path) -> io::Result<Box<dyn Send>> {
        let folder = File::open(folder)?;
        let _ = folder.lock();
        Ok(Box::new(folder))
    }

    fn device(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::symlink_metadata(path)?.dev())
    }
}

/// A file of the system's; one that was made here is removed if the process is asked to end while it is open.
#[derive(Debug)]
struct NativeFile {
    file: File,
    _listed: Option<Listed>,
}

impl VolumeFile for NativeFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn read_at(&self, block: &mut [u8], at: u64) -> io::Result<()> {
        self.file.read_exact_at(block, at)
    }

    fn write_at(&self, block: &[u8], at: u64) -> io::Result<()> {
        self.file.write_all_at(block, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        let about = self.file.metadata()?;
        Ok((about.dev(), about.ino()))
    }

    fn hold(&self) -> bool {
        !matches!(self.file.try_lock(), Err(TryLockError::WouldBlock))
    }

    fn extents(&self) -> io::Result<Vec<Range<u64>>> {
        Ok(super::plain::extents(&self.file, self.length()?))
    }
}
