//! A folder of state, and the files in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::document::{BYTES_MAX, Document};
use super::rules::name_fits;
use super::rules_file::is_below;
use crate::disk::{PlainFile, ReadError};

/// A folder that one engine wrote.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Where it really lies: what its files' links lead to must lie there too.
    real: PathBuf,
    /// Files that stand here although they lie elsewhere.
    lent: BTreeMap<String, PathBuf>,
    /// The files that were opened.
    opened: Mutex<BTreeSet<PathBuf>>,
}

/// Why a file, or a folder, is not read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{}: {error}", path.display())]
    NoFolder {
        /// As it was named.
        path: PathBuf,
        /// What the system said, or what it is.
        error: io::Error,
    },
    #[error("{}: its name leads out of {}", path.display(), folder.display())]
    Outside { path: PathBuf, folder: PathBuf },
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    #[error("{}: {bytes} bytes are over the limit of {} MiB for a document", path.display(), BYTES_MAX >> 20)]
    TooLong { path: PathBuf, bytes: u64 },
    #[error("{}: {fault}", path.display())]
    NoDocument { path: PathBuf, fault: super::document::DocumentFault },
}

impl Folder {
    /// # Errors
    /// It is no folder that can be read.
    pub fn open(path: &Path) -> Result<Folder, FolderError> {
        let fail = |error| FolderError::NoFolder { path: path.to_owned(), error };
        let about = fs::metadata(path).map_err(fail)?;
        if !about.is_dir() {
            return Err(fail(io::Error::other("is no folder")));
        }
        let real = fs::canonicalize(path).map_err(fail)?;
        Ok(Folder { path: path.to_owned(), real, lent: BTreeMap::new(), opened: Mutex::default() })
    }

    /// Lets a file stand here that lies elsewhere.
    pub fn lend(&mut self, name: &str, path: &Path) {
        self.lent.insert(name.to_owned(), path.to_owned());
    }

    /// As it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files that were opened so far.
    pub fn opened(&self) -> Vec<PathBuf> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The names of files here that fit one with stars, sorted.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn names(&self, pattern: &str) -> Result<Vec<String>, FolderError> {
        let fail = |error| FolderError::NoFolder { path: self.path.clone(), error };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.real).map_err(fail)? {
            // Names that are no Unicode fit nothing that a profile can say.
            let name = entry.map_err(fail)?.file_name().into_string();
            names.extend(name.ok().filter(|name| name_fits(pattern, name)));
        }
        names.sort();
        Ok(names)
    }

    /// Opens a file; none where there is none.
    ///
    /// # Errors
    /// What is there is no regular file of this folder, or cannot be read.
    pub fn file(&self, name: &str) -> Result<Option<PlainFile>, FolderError> {
        if let Some(path) = self.lent.get(name) {
            let file = PlainFile::open(path)?;
            self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
            return Ok(Some(file));
        }
        let path = self.path.join(name);
        let outside = || FolderError::Outside { path: path.clone(), folder: self.path.clone() };
        if !is_below(name) {
            return Err(outside());
        }
        match fs::canonicalize(self.real.join(name)) {
            Ok(real) if !real.starts_with(&self.real) => Err(outside()),
            Ok(_) => {
                let file = PlainFile::open(&path)?;
                self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
                Ok(Some(file))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                match fs::symlink_metadata(&path) {
                    // A link to nothing is something.
                    Ok(_) => Err(ReadError { path, error }.into()),
                    Err(_) => Ok(None),
                }
            }
            Err(error) => Err(ReadError { path, error }.into()),
        }
    }

    /// The bytes of a document.
    ///
    /// # Errors
    /// It is too long, or cannot be read.
    pub fn text(&self, file: &PlainFile) -> Result<Vec<u8>, FolderError> {
        if file.len() > BYTES_MAX {
            return Err(FolderError::TooLong { path: file.path().to_owned(), bytes: file.len() });
        }
        Ok(file.read_whole()?)
    }

    /// The document that a text is.
    ///
    /// # Errors
    /// It is none.
    pub fn document(&self, file: &PlainFile, text: Vec<u8>) -> Result<Document, FolderError> {
        Document::parse(text).map_err(|fault| FolderError::NoDocument { path: file.path().to_owned(), fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_in_the_folder_or_are_refused() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("state");
        fs::create_dir(&path).unwrap();
        fs::create_dir(path.join("sub")).unwrap();
        fs::write(outer.path().join("secret"), "{}").unwrap();
        fs::write(path.join("sub/a.json"), "{}").unwrap();
        std::os::unix::fs::symlink("../secret", path.join("out")).unwrap();
        std::os::unix::fs::symlink("sub/a.json", path.join("in")).unwrap();
        std::os::unix::fs::symlink("nowhere", path.join("dangling")).unwrap();
        let folder = Folder::open(&path).unwrap();
        assert!(folder.file("sub/a.json").unwrap().is_some() && folder.file("in").unwrap().is_some());
        assert!(folder.file("none").unwrap().is_none() && folder.file("in/none").unwrap().is_none());
        for (name, why) in [
            ("out", "leads out"),
            ("../secret", "leads out"),
            ("/etc/passwd", "leads out"),
            ("dangling", "No such file"),
            ("sub", "is a directory"),
        ] {
            let error = folder.file(name).unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
        assert_eq!(folder.opened(), [path.join("in"), path.join("sub/a.json")]);
        assert_eq!(folder.names("*n").unwrap(), ["in"]);
        assert!(Folder::open(&outer.path().join("secret")).unwrap_err().to_string().contains("is no folder"));
        assert!(Folder::open(&outer.path().join("nothing")).is_err());
    }
}
