//! The scan of a window's lines, compiled for two widths of vectors.
//!
//! `Scan::lines` is one piece of code, inlined whole into each of the functions here; only the
//! vectors differ, and the instruction that finds line feeds. The processor decides at run time
//! which is taken, and the tests hold one against the other. With vectors of 32 bytes a line of 260
//! takes a quarter less time than with those of 16; those of 64 gave nothing more.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256,
    _mm256_movemask_epi8, _mm256_set1_epi8,
};

use super::window::Scan;

/// Bytes looked at together for line feeds.
pub(super) const BLOCK: usize = 64;

/// Asks for the cache line of a byte, and the one behind it, ahead of their use.
#[inline(always)]
pub(super) fn prefetch(bytes: &[u8], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if at + 64 < bytes.len() {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: both places are inside the bytes, and a prefetch reads nothing that the program sees.
        unsafe {
            let place = bytes.as_ptr().add(at).cast();
            _mm_prefetch::<_MM_HINT_T0>(place);
            _mm_prefetch::<_MM_HINT_T0>(place.add(64));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (bytes, at);
}

/// How line feeds are found.
pub(super) trait Feeds {
    /// Bits of the bytes that are line feeds.
    fn of(block: &[u8; BLOCK]) -> u64;
}

/// For every processor.
pub(super) struct Plain;

impl Feeds for Plain {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn of(block: &[u8; BLOCK]) -> u64 {
        let mut feeds = 0;
        for (at, part) in block.as_chunks::<16>().0.iter().enumerate() {
            // SAFETY: SSE2 is part of x86-64; each part is 16 bytes long.
            let found = unsafe {
                let bytes = _mm_loadu_si128(part.as_ptr().cast());
                _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\n' as i8)))
            };
            feeds |= u64::from(found as u32) << (at * 16);
        }
        feeds
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn of(block: &[u8; BLOCK]) -> u64 {
        block.iter().enumerate().fold(0, |feeds, (at, byte)| feeds | u64::from(*byte == b'\n') << at)
    }
}

/// With vectors of 32 bytes.
#[cfg(target_arch = "x86_64")]
struct By32;

#[cfg(target_arch = "x86_64")]
impl Feeds for By32 {
    #[inline(always)]
    fn of(block: &[u8; BLOCK]) -> u64 {
        let (low, high) = block.split_at(BLOCK / 2);
        // SAFETY: only `lines_by_32` names this type, and it runs where AVX2 is; each half is 32 bytes long.
        unsafe {
            let feeds = |half: &[u8]| {
                let bytes = _mm256_loadu_si256(half.as_ptr().cast());
                let found = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\n' as i8));
                u64::from(_mm256_movemask_epi8(found) as u32)
            };
            feeds(low) | feeds(high) << 32
        }
    }
}

/// Which code a scan runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// The widest the processor has.
    #[default]
    Best,
    /// What every processor has.
    Plain,
}

/// Opens the lines of a window from byte `from` on.
pub(super) fn lines(scan: &mut Scan<'_>, width: Width, from: usize, first_of_log: bool) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        let by_32 = has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt");
        if width == Width::Best && by_32 {
            // SAFETY: the processor has all that the function is compiled for.
            return unsafe { lines_by_32(scan, from, first_of_log) };
        }
    }
    let _ = width;
    scan.lines::<Plain>(from, first_of_log);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn lines_by_32(scan: &mut Scan<'_>, from: usize, first_of_log: bool) {
    scan.lines::<By32>(from, first_of_log);
}
