//! Two files that change together: the state, and the memory that belongs to it.
//!
//! The state's rename is the moment at which the new pair counts. Before it, the old memory has a second name that says whose it is, so that
//! the old state finds it although the new memory already bears the common name:
//!
//! 1. both temporaries are synced, before anybody else is kept waiting;
//! 2. the old memory is linked as `MEMORY.prev-ID`, by the old state's id, and the folder synced: from here on the old state finds it by that name;
//! 3. the new memory is renamed, and the folder synced;
//! 4. the new state is renamed, and its folder synced;
//! 5. `MEMORY.prev-*` are removed.
//!
//! Without the sync in step 2 a crash might keep the rename of step 3 and lose the link.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::SnapshotError;
use super::header::{Header, SnapshotKind};
use super::id::SnapshotId;
use super::writer::{Aside, folder, name};
use crate::disk::Volume;

/// Stands between a memory file's name and the id of the state that it belongs to.
const PREVIOUS: &str = ".prev-";

/// What stands at a state file's place before a save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Old {
    /// Nothing.
    Nothing,
    /// A snapshot.
    Snapshot(SnapshotId, SnapshotKind),
    /// Something that is none, or no longer.
    Other,
}

impl Old {
    /// Looks at a state file's header, and at no more.
    pub fn look(volume: &dyn Volume, state: &Path) -> Result<Old, SnapshotError> {
        let file = match volume.open(state) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Old::Nothing),
            Err(error) => return Err(error.into()),
        };
        Ok(Header::of_file(&*file)?.map_or(Old::Other, |header| Old::Snapshot(header.id, header.kind)))
    }

    /// The name that the old memory keeps while the new one takes its place.
    fn previous(self, memory: &Path) -> PathBuf {
        match self {
            Old::Snapshot(id, _) => previous(memory, id),
            // Whoever's it is, it comes back if the save fails.
            Old::Nothing | Old::Other => with_suffix(memory, "unknown"),
        }
    }
}

/// The name under which the memory of a state is found while, or after, another state's took its place.
pub(super) fn previous(memory: &Path, id: SnapshotId) -> PathBuf {
    with_suffix(memory, &id.to_string())
}

fn with_suffix(memory: &Path, suffix: &str) -> PathBuf {
    let mut path = memory.as_os_str().to_owned();
    path.push(PREVIOUS);
    path.push(suffix);
    path.into()
}

/// Makes the new pair count. Both files are synced, the folders are held by the caller, and `old` was looked at since.
///
/// # Errors
/// The old pair stands; but where the last step failed, the new one does, and may not survive a crash.
pub(super) fn commit(volume: &dyn Volume, state: Aside, memory: Aside, old: Old) -> Result<(), SnapshotError> {
    let (state_folder, memory_folder) = (folder(&state.dest).to_owned(), folder(&memory.dest).to_owned());
    let memory_dest = memory.dest.clone();
    let mut kept = Kept::keep(volume, &memory_dest, old)?;
    memory.put()?;
    kept.is_replaced = true;
    volume.sync_folder(&memory_folder)?;
    state.put()?;
    kept.done();
    volume.sync_folder(&state_folder)?;
    // That they are gone need not be synced: should a crash bring one back, no state bears its id.
    remove_previous(volume, &memory_dest)
}

/// How the old memory came by its second name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    /// It has both names.
    Linked,
    /// The second name is the only one, since there are no links here.
    Moved,
    /// A save that died gave it: what bears the common name is that save's, and belongs to nobody.
    Before,
}

/// The old memory under its second name; dropped before all is done, it takes its place again.
struct Kept<'v> {
    volume: &'v dyn Volume,
    memory: PathBuf,
    /// The second name, and how the old memory came by it.
    previous: Option<(PathBuf, Came)>,
    /// The new memory bears the common name.
    is_replaced: bool,
    is_done: bool,
}

impl<'v> Kept<'v> {
    fn keep(volume: &'v dyn Volume, memory: &Path, old: Old) -> Result<Kept<'v>, SnapshotError> {
        let memory = memory.to_owned();
        let mut kept = Kept { volume, memory, previous: None, is_replaced: false, is_done: false };
        let previous = old.previous(&kept.memory);
        let names = volume.names(folder(&kept.memory))?;
        let is_there = |path: &Path| names.iter().any(|one| Some(one.as_os_str()) == path.file_name());
        let came = if is_there(&previous) {
            Came::Before
        } else if !is_there(&kept.memory) {
            return Ok(kept);
        } else if volume.link(&kept.memory, &previous).is_ok() {
            Came::Linked
        } else {
            volume.rename(&kept.memory, &previous)?;
            Came::Moved
        };
        kept.previous = Some((previous, came));
        volume.sync_folder(folder(&kept.memory))?;
        Ok(kept)
    }

    fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        // Whatever fails here leaves what a crash would: the old state finds its memory by the second name.
        let _ = match &self.previous {
            Some((previous, came)) if self.is_replaced || *came == Came::Moved => {
                self.volume.rename(previous, &self.memory)
            }
            Some((previous, Came::Linked)) => self.volume.remove(previous),
            // It is the only name that its state knows it by.
            Some(_) => Ok(()),
            None if self.is_replaced => self.volume.remove(&self.memory),
            None => Ok(()),
        };
    }
}

/// Removes what earlier saves kept, now that no state needs it.
fn remove_previous(volume: &dyn Volume, memory: &Path) -> Result<(), SnapshotError> {
    let within = folder(memory);
    let mut prefix = OsString::from(name(memory)?);
    prefix.push(PREVIOUS);
    for name in volume.names(within)? {
        if is_previous(&name, &prefix) {
            volume.remove(&within.join(&name))?;
        }
    }
    Ok(())
}

fn is_previous(name: &OsStr, prefix: &OsStr) -> bool {
    name.as_bytes()
        .strip_prefix(prefix.as_bytes())
        .is_some_and(|rest| rest == b"unknown" || (rest.len() == 32 && rest.iter().all(u8::is_ascii_hexdigit)))
}
