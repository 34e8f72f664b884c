//! Finds a state and the memory that belongs to it.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::body::{Body, Contents};
use super::error::SnapshotError;
use super::foreign;
use super::header::{BODY_MAX, Header, LENGTH, SnapshotKind};
use super::machine::MicrovmState;
use super::pages::PageReader;
use super::pair::previous;
use crate::disk::{Native, Volume, VolumeFile};

/// As often a pair is looked at again that somebody saves anew meanwhile.
const TRIES: usize = 100;

/// The state of a machine, and the memory that belongs to it.
#[derive(Debug)]
pub struct LoadedSnapshot {
    /// The state.
    pub state: MicrovmState,
    /// The version of the file.
    pub version: String,
    /// What the file says of itself.
    pub header: Header,
    /// The memory file, open: it stays what it is whatever is saved at its place.
    pub memory: MemoryFile,
}

/// A state file that was read, and the memory that belongs to it.
#[derive(Debug)]
pub struct Opened {
    /// What the file says of itself.
    pub header: Header,
    /// What it holds.
    pub body: Body,
    /// The memory file, open.
    pub memory: MemoryFile,
}

/// A memory file that is open.
#[derive(Debug)]
pub struct MemoryFile {
    /// Where it was found.
    pub path: PathBuf,
    /// The file.
    pub file: Box<dyn VolumeFile>,
}

/// Loads the state of a machine and finds its memory. That of a diff holds only some pages: see [`Header::kind`] and [`Header::parent`].
///
/// # Errors
/// The file is none of ours, is damaged, of another version or too large; the state is none of a machine, or cannot be restored; its memory is not there or has another length.
pub fn load(path: &Path) -> Result<LoadedSnapshot, SnapshotError> {
    let Opened { header, body, memory } = open(&Native, path, None)?;
    let state = match body.contents {
        Contents::Machine(state) => *state,
        Contents::Document(text) => serde_json::from_str(&text).map_err(|_| SnapshotError::NotAMachine)?,
    };
    state.check()?;
    Ok(LoadedSnapshot { state, version: header.version.to_string(), header, memory })
}

/// Reads a state file and finds its memory: where `memory` says, else where the state says, else beside the state as `NAME.mem`.
///
/// # Errors
/// As [`load`], but for what the state is.
pub fn open(volume: &dyn Volume, path: &Path, memory: Option<&Path>) -> Result<Opened, SnapshotError> {
    for _ in 0..TRIES {
        let bytes = read_state(volume, path)?;
        let header = read_header(&bytes)?;
        let body = Body::read(&bytes[LENGTH..], &header)?;
        drop(bytes);
        let place = memory.map_or_else(|| memory_place(volume, path, &body.memory_name), Path::to_owned);
        let found = find_memory(volume, &place, &header);
        // Whoever saved in between has taken the old memory away, or put a new one in its place.
        if Header::of_file(&*volume.open(path)?)?.map(|now| now.id) == Some(header.id) {
            return Ok(Opened { memory: found?, header, body });
        }
    }
    Err(SnapshotError::Io(io::Error::other(format!("{} is saved anew again and again", path.display()))))
}

/// Reads a state file whole, if it is not too large to be one.
pub(super) fn read_state(volume: &dyn Volume, path: &Path) -> Result<Vec<u8>, SnapshotError> {
    let file = volume.open(path)?;
    let length = file.length()?;
    if length > BODY_MAX + LENGTH as u64 {
        return Err(SnapshotError::SizeLimitExceeded(BODY_MAX));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length as usize).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    bytes.resize(length as usize, 0);
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// The header of a file that is sound.
pub(super) fn read_header(bytes: &[u8]) -> Result<Header, SnapshotError> {
    let header = Header::read(bytes).map_err(|error| foreign::magic(bytes).map_or(error, foreign::mismatch))?;
    header.check(bytes)?;
    Ok(header)
}

/// Where the memory of a state should be.
pub(super) fn memory_place(volume: &dyn Volume, state: &Path, name: &str) -> PathBuf {
    let said = state.with_file_name(name);
    let is_there = |path: &Path| volume.device(path).is_ok();
    match guessed_memory(state) {
        // The pair was given another name, or was put elsewhere.
        Some(guess) if name.is_empty() || (!is_there(&said) && is_there(&guess)) => guess,
        _ => said,
    }
}

/// Where the memory of a state would be if it told nothing: its name with `mem` for its extension, if it has one.
pub(super) fn guessed_memory(state: &Path) -> Option<PathBuf> {
    state.extension().filter(|extension| *extension != OsStr::new("mem")).map(|_| state.with_extension("mem"))
}

/// Opens the memory that belongs to a state.
fn find_memory(volume: &dyn Volume, place: &Path, header: &Header) -> Result<MemoryFile, SnapshotError> {
    let own = previous(place, header.id);
    let common = volume.open(place);
    // Asked for after the common name was opened: if that was another state's by then, this name is still there, or a new state stands in the old one's place.
    let (path, file) = match volume.open(&own) {
        Ok(file) => (own, Ok(file)),
        Err(_) => (place.to_owned(), common),
    };
    let wrong = |why: String| SnapshotError::Memory { path: path.clone(), why };
    let file = file.map_err(|error| wrong(error.to_string()))?;
    let length = file.length().map_err(SnapshotError::MemoryIo)?;
    if length == header.memory_length {
        Ok(MemoryFile { path, file })
    } else {
        Err(wrong(format!("{length} bytes; the memory of this state has {}", header.memory_length)))
    }
}

impl PageReader for MemoryFile {
    fn read_at(&self, offset: u64, block: &mut [u8]) -> io::Result<()> {
        self.file.read_at(block, offset)
    }
}

impl Opened {
    /// Whether the memory file alone is the memory.
    ///
    /// # Errors
    /// [`SnapshotError::NeedsBase`]: it is a diff.
    pub fn is_whole(&self) -> Result<(), SnapshotError> {
        match self.header.kind {
            SnapshotKind::Full => Ok(()),
            SnapshotKind::Diff => Err(SnapshotError::NeedsBase { parent: self.header.parent }),
        }
    }
}
