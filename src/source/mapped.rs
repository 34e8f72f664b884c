//! Mapped parts of a regular file, each under the fault guard.
//!
//! The risk in plain words: the file belongs to others, who may cut it short or write into it while
//! we read. Cut short, the guard turns what is gone into zeros and the log says so; written into, the
//! bytes change under us. So nobody may draw a conclusion about memory from mapped bytes (no
//! unchecked UTF-8, no unchecked index), and the log compares the file's times at the end. Plain
//! reads (`OpenOptions::mapped` off) avoid all of it.
#![allow(unsafe_code)]

use std::fs::File;
use std::ops::{Deref, Range};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use memmap2::{Mmap, MmapOptions};

use super::guard::{self, Guarded};

/// A mapped part of a file.
pub(super) struct Mapping {
    /// Dropped first: a range must leave the guard's table before it is unmapped.
    _guarded: Guarded,
    map: Mmap,
}

impl Mapping {
    /// Maps a part of a file; `flag` is raised if a page of it turns out to be gone.
    /// `None` where it cannot be mapped or guarded: read it plainly then.
    pub(super) fn new(file: &File, offset: u64, len: usize, flag: &Arc<AtomicBool>) -> Option<Mapping> {
        let mut options = MmapOptions::new();
        options.offset(offset).len(len);
        // SAFETY: the map is read-only and private to this value; that its bytes may change is the
        // contract of `Bytes`, and a touch beyond the file's end is caught by the guard below, before
        // anybody sees the map.
        let map = unsafe { options.map(file) }.ok()?;
        let page = guard::page_bytes();
        let start = map.as_ptr() as usize & !(page - 1);
        let end = (map.as_ptr() as usize + map.len()).next_multiple_of(page);
        let guarded = guard::watch(start, end, flag)?;
        Some(Mapping { _guarded: guarded, map })
    }

    /// Brings the pages of a range in at once instead of one by one, where the system can.
    pub(super) fn populate(&self, range: Range<usize>) {
        #[cfg(target_os = "linux")]
        {
            // A kernel that cannot, or a file cut short, shows when the bytes are touched.
            let _ = self.map.advise_range(memmap2::Advice::PopulateRead, range.start, range.len());
        }
        #[cfg(not(target_os = "linux"))]
        let _ = range;
    }
}

impl Deref for Mapping {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.map
    }
}
