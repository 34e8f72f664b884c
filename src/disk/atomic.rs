//! Whole or not at all: write aside, sync, rename, sync the folder.
//!
//! A crash before the rename leaves the old file (and perhaps a hidden temporary beside it), one
//! after it the new file. Hard links to the old file keep the old content.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

/// As many links as Linux follows.
const LINKS: usize = 40;

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write {}: {}", path.display(), plain(error))]
pub struct DiskError {
    /// The file, as it was named.
    pub path: PathBuf,
    /// What the system said.
    pub error: io::Error,
}

/// Writes a file whole or not at all.
///
/// An existing regular file keeps its permissions (and, where the system lets us, its owner); a
/// symlink is followed; what exists and is no regular file (a device, a FIFO) is written in place.
///
/// # Errors
/// The target is a directory, may not be written, or writing failed; the old file then stands as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    write(path, bytes).map_err(|error| DiskError { path: path.to_owned(), error })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Asked of the path itself: links below /proc lead to pipes that have no name to follow.
    let existing = match fs::metadata(path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match &existing {
        Some(found) if found.is_dir() => Err(io::Error::other("is a directory")),
        Some(found) if !found.is_file() => OpenOptions::new().write(true).open(path)?.write_all(bytes),
        _ => replace(&target(path)?, existing.as_ref(), bytes),
    }
}

fn replace(target: &Path, existing: Option<&Metadata>, bytes: &[u8]) -> io::Result<()> {
    if existing.is_some() {
        // A file that may not be written is not replaced behind its owner's back.
        rustix::fs::access(target, rustix::fs::Access::WRITE_OK)?;
    }
    let folder = folder(target);
    let mut aside = Aside::new(folder)?;
    aside.file.write_all(bytes)?;
    let file = aside.file.as_file();
    if let Some(found) = existing {
        let ours = file.metadata()?;
        if (ours.uid(), ours.gid()) != (found.uid(), found.gid()) {
            // Only root may give a file away; for others it becomes theirs, as with any editor.
            let _ = fchown(file, Some(found.uid()), Some(found.gid()));
        }
        file.set_permissions(found.permissions())?;
    }
    file.sync_all()?;
    aside.persist(target)?;
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // A folder that may be written but not read, or a file system that syncs no folders.
        Err(error) if !matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput) => {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// The files that are being written aside, by name.
static ASIDE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn names_aside() -> MutexGuard<'static, Vec<PathBuf>> {
    ASIDE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes back what is half written: for a process that is about to end. No file is written from then on; whoever
/// tries waits for ever.
pub fn abandon() {
    let names = names_aside();
    for name in &*names {
        // Renamed already, or gone.
        let _ = fs::remove_file(name);
    }
    std::mem::forget(names);
}

/// A file being written aside, removed unless it is persisted.
struct Aside {
    file: NamedTempFile,
    listed: Listed,
}

/// The name of a file aside, on the list as long as this lives.
#[derive(Debug)]
pub(super) struct Listed(PathBuf);

impl Listed {
    /// Makes a file and puts its name on the list, so that a process that ends meanwhile knows of it or has not made it.
    pub(super) fn make<T>(path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Listed)> {
        let mut names = names_aside();
        let made = make()?;
        names.push(path.to_owned());
        Ok((made, Listed(path.to_owned())))
    }
}

impl Aside {
    fn new(folder: &Path) -> io::Result<Aside> {
        let mut builder = tempfile::Builder::new();
        // Without this a temporary is for its owner only; the umask still counts.
        builder.prefix(".forkpoint-").permissions(Permissions::from_mode(0o666));
        let mut names = names_aside();
        let file = builder.tempfile_in(folder)?;
        names.push(file.path().to_owned());
        let listed = Listed(file.path().to_owned());
        Ok(Aside { file, listed })
    }

    /// Gives the file its true name.
    fn persist(self, target: &Path) -> io::Result<()> {
        let Aside { file, listed } = self;
        let names = names_aside();
        let done = file.persist(target).map(drop).map_err(|failed| failed.error);
        drop(names);
        drop(listed);
        done
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        names_aside().retain(|name| *name != self.0);
    }
}

/// Whether writing (or reading) `a` and `b` would be the same file, be it there yet or not.
pub fn same_target(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        (Err(_), Err(_)) => match (full_target(a), full_target(b)) {
            (Ok(a), Ok(b)) => a == b,
            _ => a == b,
        },
        _ => false,
    }
}

/// The path behind the last symlink, which need not exist.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = folder(&path).join(next),
            // Not a link, or not there.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::from_raw_os_error(libc::ELOOP))
}

/// The same, with its folder's full path.
fn full_target(path: &Path) -> io::Result<PathBuf> {
    let path = target(path)?;
    let name = path.file_name().unwrap_or(OsStr::new(".."));
    Ok(folder(&path).canonicalize()?.join(name))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The system's words without its "(os error 2)" and what tempfile adds behind, beginning in lower case.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_has_ordinary_permissions_and_an_old_one_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.md");
        write_whole(&path, b"one").unwrap();
        fs::write(folder.path().join("plain"), b"").unwrap();
        let plain = fs::metadata(folder.path().join("plain")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode(), plain.mode());
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(names(folder.path()), ["plain", "report.md"]);
    }

    #[test]
    fn symlinks_are_followed_even_to_what_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("deep")).unwrap();
        symlink("two", at("one")).unwrap();
        symlink("deep/file", at("two")).unwrap();
        for content in [b"first", b"again"] {
            write_whole(&at("one"), content).unwrap();
            assert_eq!(fs::read(at("deep/file")).unwrap(), content);
            assert!(fs::symlink_metadata(at("one")).unwrap().is_symlink());
        }
        symlink("round", at("round")).unwrap();
        assert!(write_whole(&at("round"), b"").is_err());
    }

    #[test]
    fn a_fifo_is_written_in_place_and_a_directory_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        let reader = std::thread::spawn({
            let fifo = fifo.clone();
            move || {
                let mut text = String::new();
                File::open(fifo).unwrap().read_to_string(&mut text).unwrap();
                text
            }
        });
        write_whole(&fifo, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), "through");
        write_whole(Path::new("/dev/null"), b"gone").unwrap();
        let error = write_whole(folder.path(), b"").unwrap_err().to_string();
        assert_eq!(error, format!("failed to write {}: is a directory", folder.path().display()));
        assert_eq!(names(folder.path()), ["fifo"]);
    }

    #[test]
    fn a_failure_names_the_path_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/report.json");
        let error = write_whole(&path, b"x").unwrap_err().to_string();
        assert_eq!(error, format!("failed to write {}: no such file or directory", path.display()));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn two_names_of_one_file_are_the_same_target() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("deep")).unwrap();
        fs::write(at("a"), b"").unwrap();
        fs::hard_link(at("a"), at("hard")).unwrap();
        symlink("a", at("soft")).unwrap();
        symlink("new", at("dangling")).unwrap();
        assert!(same_target(&at("a"), &at("hard")));
        assert!(same_target(&at("a"), &at("soft")));
        assert!(same_target(&at("a"), &at("deep/../a")));
        assert!(same_target(&at("new"), &at("deep/../new")));
        assert!(same_target(&at("new"), &at("dangling")));
        assert!(!same_target(&at("new"), &at("other")));
        assert!(!same_target(&at("a"), &at("new")));
        assert!(same_target(Path::new("none-here"), Path::new("./none-here")));
    }
}
