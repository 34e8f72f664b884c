//! Which pages of memory were written since somebody asked.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::SnapshotError;

/// One bit a page, set by whoever writes and taken by whoever saves, both at any time and from any thread.
///
/// # Ordering
/// A page's bytes are written before its bit is set (release), and read after it was taken (acquire): what a save reads of a page whose bit
/// it took is at least as new as what the bit told of, and whatever is written later sets the bit anew.
#[derive(Debug)]
pub struct DirtyBitmap {
    ram_start: u64,
    ram_size: u64,
    page: u64,
    words: Box<[AtomicU64]>,
}

impl DirtyBitmap {
    /// A bitmap of clean pages of `page` bytes, of memory of `ram_size` bytes from the address `ram_start`; the last page may be short.
    ///
    /// # Errors
    /// [`SnapshotError::InvalidPath`]: the page's size is no power of two, there is no memory, or it does not end below 2^64.
    pub fn new(ram_start: u64, ram_size: u64, page: u64) -> Result<DirtyBitmap, SnapshotError> {
        let wrong = |what: String| Err(SnapshotError::InvalidPath(what));
        if !page.is_power_of_two() {
            return wrong(format!("a page of {page} bytes: its size is a power of two"));
        }
        if ram_size == 0 {
            return wrong("there are no pages of no memory".to_owned());
        }
        if ram_start.checked_add(ram_size).is_none() {
            return wrong(format!("{ram_size} bytes of memory from {ram_start:#x} do not end below 2^64"));
        }
        let words = usize::try_from(ram_size.div_ceil(page).div_ceil(64)).unwrap_or(usize::MAX);
        let mut bits = Vec::new();
        if bits.try_reserve_exact(words).is_err() {
            return wrong(format!("no memory for a bit of each of {} pages", ram_size.div_ceil(page)));
        }
        bits.resize_with(words, AtomicU64::default);
        Ok(DirtyBitmap { ram_start, ram_size, page, words: bits.into() })
    }

    /// The address of memory's first byte.
    pub fn ram_start(&self) -> u64 {
        self.ram_start
    }

    /// Bytes of memory.
    pub fn ram_size(&self) -> u64 {
        self.ram_size
    }

    /// Bytes of a page.
    pub fn page_size(&self) -> u64 {
        self.page
    }

    /// How many pages there are.
    pub fn pages(&self) -> u64 {
        self.ram_size.div_ceil(self.page)
    }

    /// Notes that the page of an address was written: whether it was clean before. An address outside of memory is passed over.
    pub fn set_dirty(&self, address: u64) -> bool {
        address
            .checked_sub(self.ram_start)
            .filter(|offset| *offset < self.ram_size)
            .is_some_and(|offset| self.set_dirty_by_index(offset / self.page))
    }

    /// Notes that a page was written: whether it was clean before. One that is not there is passed over.
    pub fn set_dirty_by_index(&self, index: u64) -> bool {
        let bit = 1 << (index % 64);
        self.word(index).is_some_and(|word| word.fetch_or(bit, Ordering::Release) & bit == 0)
    }

    /// Whether the page of an address was written.
    pub fn is_dirty(&self, address: u64) -> bool {
        address
            .checked_sub(self.ram_start)
            .filter(|offset| *offset < self.ram_size)
            .is_some_and(|offset| self.is_dirty_by_index(offset / self.page))
    }

    /// Whether a page was written.
    pub fn is_dirty_by_index(&self, index: u64) -> bool {
        self.word(index).is_some_and(|word| word.load(Ordering::Acquire) >> (index % 64) & 1 == 1)
    }

    /// How many pages were written.
    pub fn count_dirty(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.load(Ordering::Acquire).count_ones())).sum()
    }

    /// Takes all bits: the pages that were written, in ascending order. Each is clean from then on.
    pub fn drain(&self) -> Vec<u64> {
        let mut pages = Vec::new();
        self.drain_into(&mut pages);
        pages
    }

    /// The same, behind what a list already holds.
    pub fn drain_into(&self, pages: &mut Vec<u64>) {
        for (at, word) in self.words.iter().enumerate() {
            pages.extend(ones(word.swap(0, Ordering::Acquire)).map(|bit| at as u64 * 64 + bit));
        }
    }

    /// Notes all pages of `self` in a bitmap of the same memory with smaller pages; `self` stays as it is.
    ///
    /// # Errors
    /// [`SnapshotError::InvalidPath`]: of another memory, or its pages are not smaller.
    pub fn fold_into_finer(&self, finer: &DirtyBitmap) -> Result<(), SnapshotError> {
        if (self.ram_start, self.ram_size) != (finer.ram_start, finer.ram_size) {
            return Err(SnapshotError::InvalidPath("two bitmaps are of different memory".to_owned()));
        }
        if finer.page >= self.page {
            return Err(SnapshotError::InvalidPath(format!(
                "pages of {} bytes are not finer than those of {}",
                finer.page, self.page
            )));
        }
        let parts = self.page / finer.page;
        for (at, word) in self.words.iter().enumerate() {
            for page in ones(word.load(Ordering::Acquire)) {
                let page = at as u64 * 64 + page;
                finer.set_range(page * parts..((page + 1) * parts).min(finer.pages()));
            }
        }
        Ok(())
    }

    /// Takes all bits, as they lie.
    pub(super) fn take(&self) -> Taken<'_> {
        Taken { of: self, words: self.words.iter().map(|word| word.swap(0, Ordering::Acquire)).collect() }
    }

    fn set_range(&self, pages: Range<u64>) {
        let mut page = pages.start;
        while page < pages.end {
            let many = (64 - page % 64).min(pages.end - page);
            let bits = if many == 64 { u64::MAX } else { ((1 << many) - 1) << (page % 64) };
            if let Some(word) = self.word(page) {
                word.fetch_or(bits, Ordering::Release);
            }
            page += many;
        }
    }

    /// The word of a page's bit, if there is such a page.
    fn word(&self, index: u64) -> Option<&AtomicU64> {
        if index < self.pages() { self.words.get((index / 64) as usize) } else { None }
    }
}

/// The bits of a bitmap, taken for a save: they go back unless the save says that it has kept them.
#[derive(Debug)]
pub(super) struct Taken<'b> {
    of: &'b DirtyBitmap,
    words: Vec<u64>,
}

impl Taken<'_> {
    /// Whether any page that overlaps some bytes of memory, counted from its first, was written.
    pub fn any(&self, bytes: Range<u64>) -> bool {
        let mut page = bytes.start / self.of.page;
        let end = bytes.end.min(self.of.ram_size).div_ceil(self.of.page);
        while page < end {
            let many = (64 - page % 64).min(end - page);
            let bits = if many == 64 { u64::MAX } else { ((1 << many) - 1) << (page % 64) };
            if self.words[(page / 64) as usize] & bits != 0 {
                return true;
            }
            page += many;
        }
        false
    }

    /// What the bits told of is saved: they do not go back.
    pub fn kept(mut self) {
        self.words.clear();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        for (word, bits) in self.of.words.iter().zip(&self.words) {
            word.fetch_or(*bits, Ordering::Release);
        }
    }
}

/// The places of the ones in a word, in ascending order.
fn ones(mut word: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let place = (word != 0).then(|| u64::from(word.trailing_zeros()));
        word &= word.wrapping_sub(1);
        place
    })
}
