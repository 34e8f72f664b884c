//! Which pages a diff holds.

use std::ops::Range;

use super::error::SnapshotError;

/// Which pages of a memory file a diff holds: one bit a page, the lowest of the first byte for the first page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirtyPages {
    bits: Vec<u8>,
    pages: u64,
}

impl DirtyPages {
    /// None of so many.
    pub fn none(pages: u64) -> DirtyPages {
        DirtyPages { bits: vec![0; pages.div_ceil(8) as usize], pages }
    }

    /// Those of a memory file.
    ///
    /// # Errors
    /// More or fewer bits than it has pages.
    pub fn read(bytes: &[u8], memory: u64, page: u64) -> Result<DirtyPages, SnapshotError> {
        let wrong = || SnapshotError::Bitcode(format!("{} bytes tell which pages are dirty", bytes.len()));
        let pages =
            memory.checked_add(page.wrapping_sub(1)).and_then(|bytes| bytes.checked_div(page)).ok_or_else(wrong)?;
        let over = (pages % 8) as u32;
        let clean_behind = over == 0 || bytes.last().is_some_and(|last| u32::from(*last) >> over == 0);
        if bytes.len() as u64 != pages.div_ceil(8) || !clean_behind {
            return Err(wrong());
        }
        Ok(DirtyPages { bits: bytes.to_owned(), pages })
    }

    /// As they are stored.
    pub fn bytes(&self) -> &[u8] {
        &self.bits
    }

    /// How many pages there are in all.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Puts a page in; one that is not there is passed over.
    pub fn add(&mut self, page: u64) {
        if page < self.pages {
            self.bits[(page / 8) as usize] |= 1 << (page % 8);
        }
    }

    /// Whether a page is in it.
    pub fn has(&self, page: u64) -> bool {
        page < self.pages && self.bits[(page / 8) as usize] >> (page % 8) & 1 == 1
    }

    /// How many are in it.
    pub fn count(&self) -> u64 {
        self.bits.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    /// Whether any of some pages is in it.
    pub fn any(&self, pages: Range<u64>) -> bool {
        let end = pages.end.min(self.pages);
        let mut page = pages.start;
        while page < end {
            if page.is_multiple_of(8) && self.bits[(page / 8) as usize] == 0 {
                page += 8;
            } else if self.has(page) {
                return true;
            } else {
                page += 1;
            }
        }
        false
    }
}
