//! An episode's folder, and how far its recording came.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::meta::Meta;
use crate::disk::PlainFile;
use crate::episode::{DONE, EVENTS, META};

/// How far a recording came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is all there.
    Complete,
    /// It came to its end, and something that was asked for is not there.
    Degraded,
    /// It never came to its end: its recorder was killed, or failed.
    Unfinished,
    /// Its recorder lives.
    Running,
}

impl Standing {
    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Complete => "complete",
            Standing::Degraded => "degraded",
            Standing::Unfinished => "unfinished",
            Standing::Running => "running",
        }
    }
}

/// A folder that holds no episode.
#[derive(Debug, thiserror::Error)]
pub enum NoEpisode {
    /// There is none.
    #[error("{}: there is no such folder", .0.display())]
    Nothing(PathBuf),
    /// There is something else.
    #[error("{}: is no folder", .0.display())]
    NoFolder(PathBuf),
    /// It holds neither of the files that every episode has.
    #[error("{}: is no episode: it has neither {META} nor {EVENTS}", .0.display())]
    Other(PathBuf),
}

/// An episode's folder that was found and looked at.
#[derive(Clone, Debug)]
pub struct Kept {
    path: PathBuf,
    /// How far its recording came.
    pub standing: Standing,
    /// What it says of itself.
    pub meta: Meta,
    /// What is wrong with the folder.
    pub faults: Vec<String>,
}

impl Kept {
    /// Looks at a folder. Whatever it holds, it is an episode if it has one of the files with which all of them begin.
    ///
    /// # Errors
    /// It is none.
    pub fn open(path: &Path) -> Result<Kept, NoEpisode> {
        match std::fs::metadata(path) {
            Ok(about) if about.is_dir() => {}
            Ok(_) => return Err(NoEpisode::NoFolder(path.to_owned())),
            Err(_) => return Err(NoEpisode::Nothing(path.to_owned())),
        }
        if !path.join(META).exists() && !path.join(EVENTS).exists() {
            return Err(NoEpisode::Other(path.to_owned()));
        }
        let mut faults = Vec::new();
        // In this order an episode that ends meanwhile is running or over, and never unfinished.
        let is_recorded = is_locked(&path.join(EVENTS));
        let is_done = path.join(DONE).exists();
        let meta = Meta::read(path).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        let meta = meta.unwrap_or_default();
        let standing = match (is_done, meta.has_result()) {
            (true, true) if meta.is_degraded() => Standing::Degraded,
            (true, true) => Standing::Complete,
            (false, _) if is_recorded => Standing::Running,
            _ => Standing::Unfinished,
        };
        if is_done && !meta.has_result() {
            faults.push(format!("{}: is there, and {META} tells no result", path.join(DONE).display()));
        }
        Ok(Kept { path: path.to_owned(), standing, meta, faults })
    }

    /// Where it is, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is called: the id that it tells, else its folder's name.
    pub fn id(&self) -> String {
        let name = || self.path.canonicalize().ok()?.file_name().map(|name| name.to_string_lossy().into_owned());
        self.meta.text("/episode_id").map(str::to_owned).or_else(name).unwrap_or_else(|| "?".to_owned())
    }

    /// The length of one of its files; none where there is none.
    pub fn length(&self, file: &str) -> Option<u64> {
        PlainFile::open(&self.path.join(file)).ok().map(|file| file.len())
    }

    /// Its files, as they may be read; a report must not be written over one.
    pub fn inputs(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
    }
}

/// Whether a recorder holds the file. The lock that is tried for is given back at once, and nobody else is kept from trying.
fn is_locked(path: &Path) -> bool {
    // Whatever else stands at the place of the file has no recorder.
    let file = PlainFile::open(path).ok().and_then(|_| File::open(path).ok());
    file.is_some_and(|file| flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
}
