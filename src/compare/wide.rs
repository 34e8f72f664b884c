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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::layout::{Duty, Layout, Leaf, Shape};
    use crate::compare::trie::Trie;

    #[test]
    fn both_ways_find_the_same_commas() {
        for seed in 0..200usize {
            let block = std::array::from_fn(|at| if at * seed % 7 == 3 { b',' } else { (at * 31 + seed) as u8 });
            let wanted = (0..BLOCK).fold(0, |bits, at| bits | u64::from(block[at] == b',') << at);
            assert_eq!(Plain::of(&block), wanted);
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                assert_eq!(By32::of(&block), wanted);
            }
        }
    }

    #[test]
    fn both_ways_judge_alike() {
        for width in [1, 20, 50, 60, 110, 200] {
            let leaf = |duty| Leaf { duty, says: 0 };
            let layout = Layout {
                literals: [&br#"{"a":"#[..], br#","b":"#, br#","c":"#, b"}"].map(Box::from).to_vec(),
                leaves: vec![leaf(Duty::Plain), leaf(Duty::Ignore(7)), leaf(Duty::Mask(9, 0x30))],
                payload: Shape::Array(Vec::new()),
            };
            let mut trie = Trie::new();
            assert!(trie.insert(layout));
            let text = |b: &str, c: u8| format!(r#"{{"a":"{}","b":{b},"c":"0x{c:02x}"}}"#, "x".repeat(width));
            let [x, y] = [text("12", 0x15), text("34", 0x25)];
            let moulds = Moulds::default();
            let pair = Pair::new(3, x.as_bytes(), y.as_bytes()).expect("they are equally long");
            moulds.learn(&trie, pair);
            let found = judge(&moulds, pair).expect("it was learned");
            assert_eq!(found.list().as_slice(), [7, 9]);
            for at in 0..y.len() {
                for byte in [b'0', b'5', b'"', b'\\', b'a', b',', 0, 0x80, 0xFF] {
                    let mut other = y.clone().into_bytes();
                    other[at] = byte;
                    let pair = Pair::new(3, x.as_bytes(), &other).expect("they are equally long");
                    let found = judge(&moulds, pair);
                    assert_eq!(found, moulds.judge_with::<Plain>(pair));
                    let is_kept = other == y.as_bytes() || (byte == b'5' && at == width + 13);
                    assert!(found.is_some() || !is_kept, "byte {at} of {width}");
                }
            }
        }
    }
}
