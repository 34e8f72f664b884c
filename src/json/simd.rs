//! Sixteen bytes looked at together, by instructions that every x86-64 processor has.
//!
//! The one place outside `source` with `unsafe`: the compiler wants it for instructions of a named
//! feature, even of one that the target always has. Finding the ends of scalars this way takes a
//! third of the time it takes byte by byte, and it is half of scanning. `plain` is the safe twin:
//! the whole of it on other processors, and held against the vectors by the tests.
#![allow(unsafe_code)]

/// Bytes looked at together.
pub(super) const STEP: usize = 16;

/// Bytes of which [`Marks`] tell.
pub(super) const BLOCK: usize = 64;

/// A bit for each byte of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub quotes: u64,
    pub backslashes: u64,
    /// `{` and `[`.
    pub opens: u64,
    /// `}` and `]`.
    pub closes: u64,
}

/// Finds where quotes, backslashes and brackets stand.
pub(super) trait Mark {
    /// In one block.
    fn marks(bytes: &[u8; BLOCK]) -> Marks;
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8, _mm_sub_epi8,
    };

    use super::{BLOCK, Mark, Marks, STEP};

    /// Bits of the bytes that end a plain string or may not stand in one.
    #[inline(always)]
    pub(in crate::json) fn string_stops(bytes: &[u8; STEP]) -> u32 {
        // SAFETY: SSE2 is part of x86-64, and sixteen bytes are read from a reference to sixteen bytes.
        unsafe {
            let bytes = _mm_loadu_si128(bytes.as_ptr().cast::<__m128i>());
            let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
            let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
            // Signed: bytes beyond ASCII are negative and thus below the space too.
            let odd = _mm_cmplt_epi8(bytes, _mm_set1_epi8(b' ' as i8));
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), odd)) as u32
        }
    }

    /// Bits of the bytes that are no digits.
    #[inline(always)]
    pub(in crate::json) fn non_digits(bytes: &[u8; STEP]) -> u32 {
        // SAFETY: as above.
        unsafe {
            let bytes = _mm_loadu_si128(bytes.as_ptr().cast::<__m128i>());
            let value = _mm_sub_epi8(bytes, _mm_set1_epi8(b'0' as i8));
            let is_digit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
            _mm_movemask_epi8(is_digit) as u32 ^ 0xFFFF
        }
    }

    /// With vectors of 16 bytes.
    pub(in crate::json) struct By16;

    impl Mark for By16 {
        #[inline(always)]
        fn marks(bytes: &[u8; BLOCK]) -> Marks {
            let mut marks = Marks::default();
            for (at, part) in bytes.as_chunks::<STEP>().0.iter().enumerate() {
                // SAFETY: as above.
                unsafe {
                    let bits = |found: __m128i| u64::from(_mm_movemask_epi8(found) as u32) << (at * STEP);
                    let bytes = _mm_loadu_si128(part.as_ptr().cast::<__m128i>());
                    // Square and curly brackets differ in this bit only.
                    let folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
                    marks.quotes |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8)));
                    marks.backslashes |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8)));
                    marks.opens |= bits(_mm_cmpeq_epi8(folded, _mm_set1_epi8(b'{' as i8)));
                    marks.closes |= bits(_mm_cmpeq_epi8(folded, _mm_set1_epi8(b'}' as i8)));
                }
            }
            marks
        }
    }
}

/// Vectors of 32 bytes, where the processor has them.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    };

    use super::{BLOCK, Mark, Marks};

    /// With vectors of 32 bytes.
    struct By32;

    impl Mark for By32 {
        #[inline(always)]
        fn marks(bytes: &[u8; BLOCK]) -> Marks {
            let mut marks = Marks::default();
            for (at, part) in bytes.as_chunks::<32>().0.iter().enumerate() {
                // SAFETY: only `container_end` names this type, and it runs where AVX2 is; each part is 32 bytes long.
                unsafe {
                    let bits = |found: __m256i| u64::from(_mm256_movemask_epi8(found) as u32) << (at * 32);
                    let bytes = _mm256_loadu_si256(part.as_ptr().cast::<__m256i>());
                    let folded = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
                    marks.quotes |= bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'"' as i8)));
                    marks.backslashes |= bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\\' as i8)));
                    marks.opens |= bits(_mm256_cmpeq_epi8(folded, _mm256_set1_epi8(b'{' as i8)));
                    marks.closes |= bits(_mm256_cmpeq_epi8(folded, _mm256_set1_epi8(b'}' as i8)));
                }
            }
            marks
        }
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn container_end(text: &[u8], at: usize, depth: usize) -> Option<usize> {
        super::super::leaf::container_end_by::<By32>(text, at, depth)
    }
}

/// [`super::leaf::container_end`] with the widest vectors the processor has.
#[inline]
pub(super) fn container_end(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx2") && has!("bmi1") && has!("popcnt") {
            // SAFETY: the processor has all that the function is compiled for.
            return unsafe { avx2::container_end(text, at, depth) };
        }
    }
    super::leaf::container_end_by::<By16>(text, at, depth)
}

#[cfg(target_arch = "x86_64")]
pub(super) use sse2::{By16, non_digits, string_stops};

#[cfg(not(target_arch = "x86_64"))]
pub(super) use plain::{Plain as By16, non_digits, string_stops};

#[cfg(any(test, not(target_arch = "x86_64")))]
mod plain {
    use super::{BLOCK, Mark, Marks, STEP};

    fn bits(bytes: &[u8; STEP], is_set: impl Fn(u8) -> bool) -> u32 {
        bytes.iter().enumerate().fold(0, |bits, (at, byte)| bits | u32::from(is_set(*byte)) << at)
    }

    pub(in crate::json) fn string_stops(bytes: &[u8; STEP]) -> u32 {
        bits(bytes, |byte| byte == b'"' || byte == b'\\' || !(0x20..0x80).contains(&byte))
    }

    pub(in crate::json) fn non_digits(bytes: &[u8; STEP]) -> u32 {
        bits(bytes, |byte| !byte.is_ascii_digit())
    }

    /// Byte by byte.
    pub(in crate::json) struct Plain;

    impl Mark for Plain {
        fn marks(bytes: &[u8; BLOCK]) -> Marks {
            let bits = |found: &[u8]| {
                let bit = |(at, byte)| u64::from(found.contains(byte)) << at;
                bytes.iter().enumerate().map(bit).fold(0, |bits, bit| bits | bit)
            };
            Marks { quotes: bits(b"\""), backslashes: bits(b"\\"), opens: bits(b"{["), closes: bits(b"}]") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn vectors_see_what_single_bytes_show(block: [u8; BLOCK], text in "[{}\\[\\]\"\\\\a1]{64}") {
            prop_assert_eq!(By16::marks(&block), plain::Plain::marks(&block));
            let text: &[u8; BLOCK] = text.as_bytes().first_chunk().expect("sixty-four characters");
            prop_assert_eq!(By16::marks(text), plain::Plain::marks(text));
            let bytes: &[u8; STEP] = block.first_chunk().expect("a block is longer");
            prop_assert_eq!(string_stops(bytes), plain::string_stops(bytes));
            prop_assert_eq!(non_digits(bytes), plain::non_digits(bytes));
        }
    }

    #[test]
    fn every_byte_value_is_judged_alike() {
        for byte in 0..=255 {
            let bytes = [byte; STEP];
            assert_eq!(string_stops(&bytes), plain::string_stops(&bytes), "{byte}");
            assert_eq!(non_digits(&bytes), plain::non_digits(&bytes), "{byte}");
            assert_eq!(By16::marks(&[byte; BLOCK]), plain::Plain::marks(&[byte; BLOCK]), "{byte}");
        }
    }
}
