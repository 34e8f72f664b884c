//! The folder of an episode: made for it alone, and complete when its marker is there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};
use ulid::Ulid;

use super::error::EpisodeError;
use crate::disk::{Native, Volume};

/// What the episode is, and what came of it.
pub const META: &str = "meta.json";
/// What happened.
pub const EVENTS: &str = "events.jsonl";
/// When which phase began.
pub const LABELS: &str = "labels.jsonl";
/// What the target wrote to its standard output.
pub const STDOUT: &str = "stdout.log";
/// What the target wrote to its standard error.
pub const STDERR: &str = "stderr.log";
/// What went over a network interface.
pub const PCAP: &str = "network.pcap";
/// There as soon as nothing more is to come.
pub const DONE: &str = "done.marker";
/// Where events from outside are taken, as long as it is recorded.
pub const SOCKET: &str = "emit.sock";
/// Room on the disk for what is written last, as long as it is recorded.
const RESERVE: &str = ".reserve";
/// So much of it, in bytes.
const RESERVE_BYTES: u64 = 32 << 10;

/// A folder that was made for one episode.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    id: String,
}

impl Folder {
    /// Makes `OUT/episodes/ID`, where ID is a new ULID. `OUT/episodes` may be there; the folder itself may not.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(out: &Path) -> Result<Folder, EpisodeError> {
        let id = Ulid::generate().to_string();
        let above = out.join("episodes");
        fs::create_dir_all(&above).map_err(EpisodeError::file(&above))?;
        // The target may change its folder.
        let above = above.canonicalize().map_err(EpisodeError::file(&above))?;
        let path = above.join(&id);
        fs::create_dir(&path).map_err(EpisodeError::file(&path))?;
        let folder = Folder { path, id };
        folder.reserve();
        Ok(folder)
    }

    /// Keeps room for the result and the marker. A file system that reserves nothing is no reason to record nothing.
    fn reserve(&self) {
        let path = self.file(RESERVE);
        if let Ok(file) = File::create_new(&path)
            && fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES).is_err()
        {
            let _ = fs::remove_file(path);
        }
    }

    /// Gives up the room that was kept: from now on only what is last is written.
    pub fn release(&self) {
        let _ = fs::remove_file(self.file(RESERVE));
    }

    /// The episode's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it is, in full.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Says that nothing more is to come, last of all.
    ///
    /// # Errors
    /// The marker cannot be brought to the disk.
    pub fn finish(&self) -> Result<(), EpisodeError> {
        let marker = self.file(DONE);
        let make = || -> io::Result<()> {
            // What the marker says of other files must be on the disk before it.
            Native.sync_folder(&self.path)?;
            OpenOptions::new().write(true).create_new(true).open(&marker)?.sync_all()?;
            Native.sync_folder(&self.path)?;
            Native.sync_folder(self.path.parent().unwrap_or(&self.path))
        };
        make().map_err(EpisodeError::file(&marker))
    }

    /// Removes it and what is in it: nothing was recorded.
    pub fn discard(self) {
        // What cannot be removed is an unfinished episode, and says so.
        let _ = fs::remove_dir_all(&self.path);
    }
}
