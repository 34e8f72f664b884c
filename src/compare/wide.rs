//! The judging of pairs by moulds, compiled for two widths of vectors.
//!
//! `Moulds::judge_with` is one piece of code, inlined whole into each of the functions here; only
//! the vectors differ, and the instruction that finds commas. The processor decides at run time
//! which is taken, and the tests hold one against the other.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256,
    _mm256_movemask_epi8, _mm256_set1_epi8,
};

use super::mould::{BLOCK, Moulds, Pair, Rules};

/// How commas are found.
pub(super) trait Commas {
    /// Bits of the bytes that are commas.
    fn of(block: &[u8; BLOCK]) -> u64;
}

/// For every processor.
pub(super) struct Plain;

impl Commas for Plain {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn of(block: &[u8; BLOCK]) -> u64 {
        let mut commas = 0;
        for (at, part) in block.as_chunks::<16>().0.iter().enumerate() {
            // SAFETY: SSE2 is part of x86-64; each part is 16 bytes long.
            let found = unsafe {
                let bytes = _mm_loadu_si128(part.as_ptr().cast());
                _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b',' as i8)))
            };
            commas |= u64::from(found as u32) << (at * 16);
        }
        commas
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn of(block: &[u8; BLOCK]) -> u64 {
        block.iter().enumerate().fold(0, |commas, (at, byte)| commas | u64::from(*byte == b',') << at)
    }
}

/// With vectors of 32 bytes.
#[cfg(target_arch = "x86_64")]
struct By32;

#[cfg(target_arch = "x86_64")]
impl Commas for By32 {
    #[inline(always)]
    fn of(block: &[u8; BLOCK]) -> u64 {
        let (low, high) = block.split_at(BLOCK / 2);
        // SAFETY: only `judge_by_32` names this type, and it runs where AVX2 is; each half is 32 bytes long.
        unsafe {
            let commas = |half: &[u8]| {
                let bytes = _mm256_loadu_si256(half.as_ptr().cast());
                let found = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b',' as i8));
                u64::from(_mm256_movemask_epi8(found) as u32)
            };
            commas(low) | commas(high) << 32
        }
    }
}

/// Judges a pair by the moulds that are known.
#[inline]
pub(super) fn judge(moulds: &Moulds, pair: Pair<'_>) -> Option<Rules> {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx2") && has!("bmi1") && has!("bmi2") {
            // SAFETY: the processor has all that the function is compiled for.
            return unsafe { judge_by_32(moulds, pair) };
        }
    }
    moulds.judge_with::<Plain>(pair)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn judge_by_32(moulds: &Moulds, pair: Pair<'_>) -> Option<Rules> {
    moulds.judge_with::<By32>(pair)
}
