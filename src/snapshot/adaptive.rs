//! A bitmap that begins with large pages, and goes over to small ones where faults are many.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::bitmap::DirtyBitmap;
use super::error::SnapshotError;

/// Bytes of a page at first.
pub const COARSE: u64 = 2 << 20;
/// Bytes of a page afterwards.
pub const FINE: u64 = 16 << 10;
/// Faults are counted for so long.
pub const WINDOW: Duration = Duration::from_millis(100);
/// More faults than this in one coarse page in one window are too many.
pub const FAULTS_MAX: u32 = 32;

/// Begins with pages of [`COARSE`] bytes and goes over to [`FINE`] ones, once and for ever, when the faults in one coarse page show that it is written all the time: small
/// pages cost more faults, and much smaller diffs.
///
/// Both bitmaps stand from the beginning, and whoever takes the bits takes those of both. So no bit is lost if a page is noted in the
/// coarse one while the switch is made.
#[derive(Debug)]
pub struct AdaptiveBitmap {
    coarse: DirtyBitmap,
    fine: DirtyBitmap,
    is_fine: AtomicBool,
    faults: Box<[AtomicU32]>,
    since: Mutex<Instant>,
}

impl AdaptiveBitmap {
    /// All pages clean; faults are counted from `now`.
    ///
    /// # Errors
    /// As [`DirtyBitmap::new`].
    pub fn new(ram_start: u64, ram_size: u64, now: Instant) -> Result<AdaptiveBitmap, SnapshotError> {
        let coarse = DirtyBitmap::new(ram_start, ram_size, COARSE)?;
        let fine = DirtyBitmap::new(ram_start, ram_size, FINE)?;
        let faults = (0..coarse.pages()).map(|_| AtomicU32::default()).collect();
        Ok(AdaptiveBitmap { coarse, fine, is_fine: AtomicBool::new(false), faults, since: Mutex::new(now) })
    }

    /// Bytes of the pages that are noted now.
    pub fn page_size(&self) -> u64 {
        if self.is_fine.load(Ordering::Acquire) { FINE } else { COARSE }
    }

    /// Notes that the page of an address was written, and the fault that told: whether it was clean before. An address outside of memory is passed over.
    pub fn mark_dirty(&self, address: u64) -> bool {
        if self.is_fine.load(Ordering::Acquire) {
            return self.fine.set_dirty(address);
        }
        let block = address.checked_sub(self.coarse.ram_start()).map(|offset| (offset / COARSE) as usize);
        if let Some(faults) = block.and_then(|block| self.faults.get(block)) {
            faults.fetch_add(1, Ordering::Relaxed);
        }
        self.coarse.set_dirty(address)
    }

    /// To be called every [`WINDOW`] or so: whether it went over to small pages now. A tick that comes late allows for as many more faults.
    pub fn tick(&self, now: Instant) -> bool {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let past = now.saturating_duration_since(*since);
        if past < WINDOW {
            return false;
        }
        *since = now;
        let most = self.faults.iter().map(|faults| faults.swap(0, Ordering::Relaxed)).max().unwrap_or(0);
        let allowed = u128::from(FAULTS_MAX) * past.as_nanos() / WINDOW.as_nanos();
        u128::from(most) > allowed && !self.is_fine.swap(true, Ordering::AcqRel)
    }

    /// The bitmap to save by: fine, with all that was noted in either.
    pub fn collect(&self) -> &DirtyBitmap {
        // A bit that comes into the coarse one behind this stays there for the next time.
        for page in self.coarse.drain() {
            let parts = COARSE / FINE;
            (page * parts..(page + 1) * parts).for_each(|part| {
                self.fine.set_dirty_by_index(part);
            });
        }
        &self.fine
    }
}
