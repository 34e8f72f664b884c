//! Saves a pair, whole or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::bitmap::{DirtyBitmap, Taken};
use super::body::{Body, Contents};
use super::dirty::DirtyPages;
use super::error::SnapshotError;
use super::header::{Header, SnapshotKind, VERSION};
use super::id::SnapshotId;
use super::machine::MicrovmState;
use super::memory;
use super::pages::PageReader;
use super::pair::{self, Old};
use super::position::Position;
use super::writer::{Aside, folder, name, remove_stale};
use crate::disk::{Native, Volume, same_target};

/// What is saved, and where to.
#[derive(Clone, Copy)]
pub struct SaveRequest<'a, S = MicrovmState> {
    /// The state file; what stands there is replaced.
    pub state_path: &'a Path,
    /// The memory file; what stands there is replaced.
    pub memory_path: &'a Path,
    /// All of memory, or what `dirty` says.
    pub kind: SnapshotKind,
    /// The state: of a machine, or any document ([`Contents`]).
    pub state: S,
    /// Where memory is read from.
    pub memory: &'a dyn PageReader,
    /// Bytes of memory.
    pub ram_size: u64,
    /// Bytes of a page.
    pub memory_page_size: u64,
    /// Which pages were written. Its bits are taken, and put back if the save fails.
    pub dirty: Option<&'a DirtyBitmap>,
}

/// What may be said beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaveOptions {
    /// The snapshot that a diff goes onto.
    pub parent: Option<SnapshotId>,
    /// Where in the run this is.
    pub position: Option<Position>,
    /// Whatever its maker wants to be kept.
    pub metadata: BTreeMap<String, String>,
    /// The address of memory's first byte [default: the bitmap's, else 0].
    pub ram_start: Option<u64>,
}

/// What was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveReport {
    /// Which snapshot it is.
    pub id: SnapshotId,
    /// Pages that the memory file holds: of a full one, those that are not all zeros; of a diff, the dirty ones.
    pub pages_written: u64,
    /// Bytes of the state file.
    pub state_bytes: u64,
}

/// Saves a pair: a crash at any moment leaves the old one or the new one.
///
/// # Errors
/// Any [`SnapshotError`] of writing; the old pair stands as it was, and `dirty` has its bits again.
pub fn save<S: Into<Contents>>(request: SaveRequest<'_, S>) -> Result<SaveReport, SnapshotError> {
    save_with(request, SaveOptions::default())
}

/// The same, with what may be said beside it.
///
/// # Errors
/// As [`save`].
pub fn save_with<S: Into<Contents>>(
    request: SaveRequest<'_, S>,
    options: SaveOptions,
) -> Result<SaveReport, SnapshotError> {
    save_on(&Native, request, options)
}

/// The same, on any file system.
///
/// # Errors
/// As [`save`].
pub fn save_on<S: Into<Contents>>(
    volume: &dyn Volume,
    request: SaveRequest<'_, S>,
    options: SaveOptions,
) -> Result<SaveReport, SnapshotError> {
    let SaveRequest { state_path, memory_path, kind, state, memory, ram_size, memory_page_size, dirty } = request;
    let contents = state.into();
    check(&SaveRequest { state_path, memory_path, kind, state: (), memory, ram_size, memory_page_size, dirty })?;
    if let Contents::Machine(state) = &contents {
        if kind == SnapshotKind::Diff && !state.vm_info.track_dirty_pages {
            return Err(SnapshotError::InvalidPath("a diff of a machine whose pages are not tracked".to_owned()));
        }
        state.check()?;
    }
    let old = Old::look(volume, state_path)?;
    refuse_full(volume, old, kind, state_path, memory_path)?;
    let taken = dirty.map(DirtyBitmap::take);
    let pages = match (&taken, kind) {
        (Some(taken), SnapshotKind::Diff) => Some(dirty_pages(taken, ram_size, memory_page_size)),
        _ => None,
    };
    let [state_aside, memory_aside] = {
        let _held = hold(volume, [state_path, memory_path])?;
        remove_stale(volume, state_path)?;
        remove_stale(volume, memory_path)?;
        [Aside::new(volume, state_path)?, Aside::new(volume, memory_path)?]
    };
    let written = memory::write(&*memory_aside.file, memory, ram_size, memory_page_size, pages.as_ref())?;
    let body = Body {
        contents,
        ram_start: options.ram_start.or(dirty.map(DirtyBitmap::ram_start)).unwrap_or(0),
        memory_name: memory_name(volume, state_path, memory_path)?,
        position: options.position,
        metadata: options.metadata,
        sums: written.sums,
        dirty: pages,
    };
    let (bytes, bitcode_length) = body.write()?;
    let header = Header {
        version: VERSION,
        checksum: 0,
        body_length: bytes.len() as u64,
        bitcode_length,
        kind,
        id: SnapshotId::new()?,
        parent: options.parent,
        memory_length: ram_size,
        page_size: memory_page_size,
    };
    let head = header.write(&bytes);
    state_aside.file.write_at(&head, 0)?;
    state_aside.file.write_at(&bytes, head.len() as u64)?;
    state_aside.file.sync()?;
    memory_aside.file.sync().map_err(SnapshotError::MemoryIo)?;
    // Somebody else may have saved here meanwhile.
    let _held = hold(volume, [state_path, memory_path])?;
    let old = Old::look(volume, state_path)?;
    refuse_full(volume, old, kind, state_path, memory_path)?;
    pair::commit(volume, state_aside, memory_aside, old)?;
    if let Some(taken) = taken {
        taken.kept();
    }
    Ok(SaveReport { id: header.id, pages_written: written.pages, state_bytes: (head.len() + bytes.len()) as u64 })
}

/// Whether the request makes sense at all.
fn check(request: &SaveRequest<'_, ()>) -> Result<(), SnapshotError> {
    let wrong = |what: String| Err(SnapshotError::InvalidPath(what));
    let SaveRequest { state_path, memory_path, kind, ram_size, memory_page_size, dirty, .. } = *request;
    name(state_path)?;
    name(memory_path)?;
    if same_target(state_path, memory_path) {
        return wrong(format!("state and memory would both be {}", state_path.display()));
    }
    if ram_size == 0 {
        return wrong("there is no memory to save".to_owned());
    }
    if memory_page_size == 0 || memory_page_size > ram_size {
        return wrong(format!("a page of {memory_page_size} bytes in a memory of {ram_size}"));
    }
    match dirty {
        Some(dirty) if dirty.ram_size() != ram_size => {
            wrong(format!("the bitmap is of {} bytes of memory, and {ram_size} are saved", dirty.ram_size()))
        }
        None if kind == SnapshotKind::Diff => wrong("a diff without a bitmap of what was written".to_owned()),
        _ => Ok(()),
    }
}

/// A diff alone is no memory: it never takes the place of a full one.
fn refuse_full(
    volume: &dyn Volume,
    old: Old,
    kind: SnapshotKind,
    state: &Path,
    memory: &Path,
) -> Result<(), SnapshotError> {
    let wrong = |what: String| Err(SnapshotError::InvalidPath(what));
    match old {
        _ if kind == SnapshotKind::Full => Ok(()),
        Old::Snapshot(_, SnapshotKind::Diff) => Ok(()),
        Old::Snapshot(..) => wrong(format!("{} is a full snapshot, which a diff does not replace", state.display())),
        Old::Nothing | Old::Other if volume.device(memory).is_ok() => wrong(format!(
            "{} is there, and no diff at {} says that it is one: a diff does not replace what may be a full memory",
            memory.display(),
            state.display()
        )),
        _ => Ok(()),
    }
}

/// Holds the folders of two files, always in one order, so that no two savers wait for each other.
fn hold(volume: &dyn Volume, paths: [&Path; 2]) -> Result<Vec<Box<dyn Send>>, SnapshotError> {
    let [one, other] = paths.map(|path| volume.full_path(folder(path)));
    let (one, other) = (one?, other?);
    let (one, other) = if one <= other { (one, other) } else { (other, one) };
    let mut held = vec![volume.hold_folder(&one)?];
    if one != other {
        held.push(volume.hold_folder(&other)?);
    }
    Ok(held)
}

/// Which pages of a file a bitmap's bits are about, be its pages larger or smaller.
fn dirty_pages(taken: &Taken, ram: u64, page: u64) -> DirtyPages {
    let count = ram.div_ceil(page);
    let mut pages = DirtyPages::none(count);
    (0..count)
        .filter(|at| taken.any(at * page..(at * page).saturating_add(page).min(ram)))
        .for_each(|at| pages.add(at));
    pages
}

/// The memory file as seen from the state file's folder; nothing if its name is no text.
fn memory_name(volume: &dyn Volume, state: &Path, memory: &Path) -> Result<String, SnapshotError> {
    let [one, other] = [state, memory].map(|path| volume.full_path(folder(path)));
    let (one, other) = (one?, other?);
    let own = name(memory)?;
    let path = if one == other { PathBuf::from(own) } else { other.join(own) };
    Ok(path.to_str().unwrap_or_default().to_owned())
}
