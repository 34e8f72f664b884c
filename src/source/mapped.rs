//! A mapped regular file under the fault guard, and the parts of it that are looked at.
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

/// Pages are given back in whole pieces of this size, which Linux can map as one.
const GIVEN_BACK: usize = 2 << 20;

/// A mapped file, from its first byte on: address space alone, until it is looked at.
pub(super) struct Mapping {
    /// Dropped first: a range must leave the guard's table before it is unmapped.
    _guarded: Guarded,
    map: Mmap,
}

impl Mapping {
    /// Maps the first `len` bytes of a file; `flag` is raised if a page of it turns out to be gone.
    /// `None` where it cannot be mapped or guarded: read it plainly then.
    pub(super) fn new(file: &File, len: u64, flag: &Arc<AtomicBool>) -> Option<Arc<Mapping>> {
        let len = usize::try_from(len).ok()?;
        // SAFETY: the map is read-only and private to this value; that its bytes may change is the
        // contract of `Bytes`, and a touch beyond the file's end is caught by the guard below, before
        // anybody sees the map.
        let map = unsafe { MmapOptions::new().len(len).map(file) }.ok()?;
        let page = guard::page_bytes();
        let start = map.as_ptr() as usize & !(page - 1);
        let end = (map.as_ptr() as usize + map.len()).next_multiple_of(page);
        let guarded = guard::watch(start, end, flag)?;
        Some(Arc::new(Mapping { _guarded: guarded, map }))
    }
}

/// A part of a mapped file. When it is dropped its pages are given back, so that what is resident
/// follows what is held.
pub(super) struct Stretch {
    mapping: Arc<Mapping>,
    range: Range<usize>,
}

impl Stretch {
    /// A part of the mapping.
    pub(super) fn new(mapping: &Arc<Mapping>, range: Range<usize>) -> Stretch {
        Stretch { mapping: Arc::clone(mapping), range }
    }
}

impl Drop for Stretch {
    fn drop(&mut self) {
        // The last piece is the next stretch's too, and given back with that.
        let whole = |at: usize| at / GIVEN_BACK * GIVEN_BACK;
        let (start, end) = (whole(self.range.start), whole(self.range.end));
        if start < end {
            let advice = memmap2::UncheckedAdvice::DontNeed;
            // SAFETY: the map is a file's, shared and only read: a page given back that somebody still
            // looks at comes in again with the file's bytes.
            let _ = unsafe { self.mapping.map.unchecked_advise_range(advice, start, end - start) };
        }
    }
}

impl Deref for Stretch {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.mapping.map[self.range.clone()]
    }
}
