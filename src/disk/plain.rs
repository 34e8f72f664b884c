//! Regular files, read whole or by blocks, and what of them is no hole.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A regular file that is open for reading; its length is taken then.
#[derive(Debug)]
pub struct PlainFile {
    file: File,
    path: PathBuf,
    len: u64,
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read {}: {error}", path.display())]
pub struct ReadError {
    /// The file, as it was named.
    pub path: PathBuf,
    /// What the system said, or what the file is.
    pub error: io::Error,
}

impl PlainFile {
    /// Opens a regular file; whatever else there may be at its place (a folder, a FIFO, a device) is refused and not waited for.
    ///
    /// # Errors
    /// It cannot be opened, or is no regular file.
    pub fn open(path: &Path) -> Result<PlainFile, ReadError> {
        let fail = |error| ReadError { path: path.to_owned(), error };
        // Opened so, a FIFO that nobody writes to is no reason to wait.
        let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let file = File::options().read(true).custom_flags(flags).open(path).map_err(fail)?;
        let about = file.metadata().map_err(fail)?;
        match about.file_type() {
            kind if kind.is_dir() => Err(fail(io::Error::other("is a directory"))),
            kind if !kind.is_file() => Err(fail(io::Error::other("is no regular file"))),
            _ => Ok(PlainFile { file, path: path.to_owned(), len: about.len() }),
        }
    }

    /// Its length when it was opened.
    #[allow(clippy::len_without_is_empty, reason = "an empty file is as good as any")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All of its bytes, as many as it had when it was opened.
    ///
    /// # Errors
    /// It cannot be read, has become shorter, or memory for it cannot be had.
    pub fn read_whole(&self) -> Result<Vec<u8>, ReadError> {
        let len = usize::try_from(self.len).map_err(|_| self.error(io::ErrorKind::OutOfMemory.into()))?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| self.error(io::ErrorKind::OutOfMemory.into()))?;
        (&self.file).take(self.len).read_to_end(&mut bytes).map_err(|error| self.error(error))?;
        if bytes.len() < len {
            Err(self.error(io::Error::other("it became shorter while it was read")))
        } else {
            Ok(bytes)
        }
    }

    /// Fills a block with the bytes at a place.
    ///
    /// # Errors
    /// They cannot be read, or the file ends before.
    pub fn read_at(&self, block: &mut [u8], at: u64) -> Result<(), ReadError> {
        self.file.read_exact_at(block, at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.error(io::Error::other("it became shorter while it was read")),
            _ => self.error(error),
        })
    }

    /// The ranges of the file that hold data, in their order; what lies between are holes, which read as zeros. Where the file system
    /// does not tell, the whole file.
    pub fn extents(&self) -> Vec<Range<u64>> {
        extents(&self.file, self.len)
    }

    fn error(&self, error: io::Error) -> ReadError {
        ReadError { path: self.path.clone(), error }
    }
}

/// The ranges of a file's first bytes that hold data.
pub(super) fn extents(file: &File, len: u64) -> Vec<Range<u64>> {
    let mut extents = Vec::new();
    let mut at = 0;
    while at < len {
        let Ok(data) = rustix::fs::seek(file, rustix::fs::SeekFrom::Data(at)) else {
            // Nothing but a hole to the end, or a file system that does not know.
            let knows = rustix::fs::seek(file, rustix::fs::SeekFrom::Hole(0)).is_ok();
            let whole = 0..len;
            return if knows { extents } else { vec![whole] };
        };
        let hole = rustix::fs::seek(file, rustix::fs::SeekFrom::Hole(data)).unwrap_or(len).min(len);
        if data >= len || hole <= data {
            break;
        }
        extents.push(data..hole);
        at = hole;
    }
    extents
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn only_regular_files_are_opened_and_nothing_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("plain"), b"bytes").unwrap();
        let plain = PlainFile::open(&path("plain")).unwrap();
        let mut block = [0; 3];
        plain.read_at(&mut block, 2).unwrap();
        assert_eq!((plain.len(), plain.read_whole().unwrap().as_slice(), &block), (5, &b"bytes"[..], b"tes"));
        assert!(plain.read_at(&mut block, 3).is_err());
        rustix::fs::mknodat(rustix::fs::CWD, path("fifo"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .unwrap();
        let _listener = UnixListener::bind(path("socket")).unwrap();
        for (name, why) in
            [("fifo", "is no regular file"), ("", "is a directory"), ("none", "No such file"), ("socket", "")]
        {
            let error = PlainFile::open(&path(name)).unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
    }

    #[test]
    fn a_file_that_became_shorter_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, vec![1; 100]).unwrap();
        let plain = PlainFile::open(&path).unwrap();
        std::fs::write(&path, vec![1; 50]).unwrap();
        assert!(plain.read_whole().unwrap_err().to_string().contains("became shorter"));
    }

    #[test]
    fn holes_are_no_data() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        let file = File::create(&path).unwrap();
        file.set_len(64 << 20).unwrap();
        file.write_all_at(&[7; 4096], 32 << 20).unwrap();
        let extents = PlainFile::open(&path).unwrap().extents();
        let data = 32 << 20;
        assert!(extents.iter().any(|extent| extent.contains(&data)), "{extents:?}");
        // Where the file system knows holes, there is one on either side.
        assert!(
            extents.len() == 1 && extents[0] == (0..64 << 20)
                || extents.iter().map(|extent| extent.end - extent.start).sum::<u64>() < 8 << 20
        );
        std::fs::write(&path, b"").unwrap();
        assert_eq!(PlainFile::open(&path).unwrap().extents(), []);
    }
}
