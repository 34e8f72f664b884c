//! Room `snapshot`: the state of a machine and its memory, saved as two files, whole or not at all.
//!
//! In reading order: [`machine`] is what a virtual machine's state is made of; [`bitmap`] and [`adaptive`] know which pages were written, [`pages`] is
//! where memory is read from. [`id`] and [`position`] say which snapshot it is, and of which moment. `header` is the beginning of a state file, [`body`] the rest, of `plain`
//! bytes, `processors`, [`sums`] of memory and the pages that are [`dirty`]. [`writer`] writes one file aside, `memory` all or some pages, `pair` makes two files count together; [`mod@save`] does
//! all that. [`mod@load`] finds a pair again, [`mod@verify`] looks at every byte of it, [`chain`] reads diffs and what they follow as one memory, [`mod@rebase`] makes one snapshot of them, [`extract`] takes a memory out, [`mod@describe`] says what a file is,
//! be it damaged or another tool's (`foreign`). [`error`] is what can go wrong.

pub mod adaptive;
pub mod bitmap;
pub mod body;
pub mod chain;
pub mod describe;
pub mod dirty;
pub mod error;
pub mod extract;
mod foreign;
pub mod header;
pub mod id;
pub mod load;
pub mod machine;
mod memory;
pub mod pages;
mod pair;
mod plain;
pub mod position;
mod processors;
pub mod rebase;
pub mod save;
pub mod sums;
pub mod verify;
pub mod writer;

pub use adaptive::AdaptiveBitmap;
pub use bitmap::DirtyBitmap;
pub use body::Contents;
pub use chain::Chain;
pub use describe::{Description, describe};
pub use error::SnapshotError;
pub use extract::extract_memory;
pub use header::{Header, SnapshotKind};
pub use id::SnapshotId;
pub use load::{LoadedSnapshot, load};
pub use machine::{
    CoreRegs, DeviceState, DeviceStates, FpRegs, GicState, MicrovmState, MmdsState, PsciVcpuState, VcpuState, VmInfo,
};
pub use pages::{FilePageReader, PageReader, VecPageReader};
pub use position::Position;
pub use rebase::{RebaseRequest, rebase};
pub use save::{SaveOptions, SaveReport, SaveRequest, save, save_on, save_with};
pub use verify::{Verified, verify};
pub use writer::{AtomicWriter, check_same_filesystem, derive_temp_path};
