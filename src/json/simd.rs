//! Bytes looked at together: the one place of processor instructions, and of `unsafe` outside `source`.
//!
//! The compiler wants `unsafe` for instructions of a named feature, even of one that the target
//! always has. Sixteen bytes are looked at by what every x86-64 processor has ([`string_stops`],
//! [`quotes`], [`non_digits`]). Whole pieces of work ([`Task`]) are compiled for two widths of [`Vectors`]: they
//! are inlined into [`run`], which takes the widest that the processor has. A value of a width is a
//! witness that its instructions are there. With vectors of 32 bytes a window of 260-byte lines is
//! scanned in a quarter less time than with those of 16; those of 64 gave nothing more. `plain` is
//! the safe twin: the whole of it on other processors, and held against the vectors by the tests.
#![allow(unsafe_code)]

/// Bytes looked at together in single steps.
pub(super) const STEP: usize = 16;

/// Bytes looked at together by [`Vectors`].
pub(crate) const BLOCK: usize = 64;

/// Which instructions are used; all say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// The widest the processor has.
    #[default]
    Best,
    /// What every processor of its kind has.
    Plain,
}

/// Instructions that the processor is known to have.
pub(crate) trait Vectors: Copy {
    /// A bit for each byte that is `byte` once the bits of `fold` are set in it.
    fn bits(self, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64;

    /// A bit for each byte that is `BYTE`.
    #[inline(always)]
    fn find<const BYTE: u8>(self, block: &[u8; BLOCK]) -> u64 {
        self.bits(block, 0, BYTE)
    }

    /// The same with bit `0x20` of every byte set first, in which square and curly brackets differ.
    #[inline(always)]
    fn find_folded<const BYTE: u8>(self, block: &[u8; BLOCK]) -> u64 {
        self.bits(block, 0x20, BYTE)
    }
}

/// A piece of work that is compiled for every width.
pub(crate) trait Task {
    /// What comes of it.
    type Answer;

    /// Does it; to be inlined, as all of its loops.
    fn run(self, vectors: impl Vectors) -> Self::Answer;
}

/// Does a piece of work with instructions of this width.
#[inline(always)]
pub(crate) fn run<T: Task>(task: T, width: Width) -> T::Answer {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        let by_32 = has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt");
        if width == Width::Best && by_32 {
            // SAFETY: the processor has all that the function is compiled for.
            return unsafe { x86::run_by_32(task) };
        }
    }
    let _ = width;
    task.run(Plain::new())
}

/// Asks for the cache line in which an item begins, if there is such an item, ahead of its use.
#[inline(always)]
pub(crate) fn prefetch<T>(items: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(item) = items.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86-64, and a prefetch reads nothing that the program sees.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, at);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{BLOCK, STEP, Task, Vectors};

    /// Bits of the bytes that end a plain string or may not stand in one.
    #[inline(always)]
    pub(in crate::json) fn string_stops(bytes: &[u8; STEP]) -> u32 {
        // SAFETY: SSE2 is part of x86-64, and sixteen bytes are read from a reference to sixteen bytes.
        unsafe {
            let bytes = _mm_loadu_si128(bytes.as_ptr().cast());
            let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
            let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
            // Signed: bytes beyond ASCII are negative and thus below the space too.
            let odd = _mm_cmplt_epi8(bytes, _mm_set1_epi8(b' ' as i8));
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), odd)) as u32
        }
    }

    /// Bits of the bytes that are quotes.
    #[inline(always)]
    pub(in crate::json) fn quotes(bytes: &[u8; STEP]) -> u32 {
        // SAFETY: as above.
        unsafe {
            let bytes = _mm_loadu_si128(bytes.as_ptr().cast());
            _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8))) as u32
        }
    }

    /// Bits of the bytes that are no digits.
    #[inline(always)]
    pub(in crate::json) fn non_digits(bytes: &[u8; STEP]) -> u32 {
        // SAFETY: as above.
        unsafe {
            let bytes = _mm_loadu_si128(bytes.as_ptr().cast());
            let value = _mm_sub_epi8(bytes, _mm_set1_epi8(b'0' as i8));
            let is_digit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
            _mm_movemask_epi8(is_digit) as u32 ^ 0xFFFF
        }
    }

    /// Vectors of 16 bytes, which every x86-64 processor has.
    #[derive(Clone, Copy)]
    pub(crate) struct By16(());

    impl By16 {
        #[inline(always)]
        pub(crate) fn new() -> By16 {
            By16(())
        }
    }

    impl Vectors for By16 {
        #[inline(always)]
        fn bits(self, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64 {
            let mut bits = 0;
            for (at, part) in block.as_chunks::<16>().0.iter().enumerate() {
                // SAFETY: SSE2 is part of x86-64, and each part is 16 bytes long.
                let found = unsafe {
                    let bytes = _mm_or_si128(_mm_loadu_si128(part.as_ptr().cast()), _mm_set1_epi8(fold as i8));
                    _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8)))
                };
                bits |= u64::from(found as u32) << (at * 16);
            }
            bits
        }
    }

    /// Vectors of 32 bytes: only [`run_by_32`] makes one.
    #[derive(Clone, Copy)]
    pub(super) struct By32(());

    impl Vectors for By32 {
        #[inline(always)]
        fn bits(self, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64 {
            let mut bits = 0;
            for (at, part) in block.as_chunks::<32>().0.iter().enumerate() {
                // SAFETY: a value of this type is witness that the processor has AVX2, and each part is 32 bytes long.
                let found = unsafe {
                    let bytes = _mm256_or_si256(_mm256_loadu_si256(part.as_ptr().cast()), _mm256_set1_epi8(fold as i8));
                    _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8)))
                };
                bits |= u64::from(found as u32) << (at * 32);
            }
            bits
        }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn run_by_32<T: Task>(task: T) -> T::Answer {
        task.run(By32(()))
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::By16 as Plain;
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{non_digits, quotes, string_stops};

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use plain::OneByOne as Plain;
#[cfg(not(target_arch = "x86_64"))]
pub(super) use plain::{non_digits, quotes, string_stops};

#[cfg(any(test, not(target_arch = "x86_64")))]
mod plain {
    use super::{BLOCK, STEP, Vectors};

    fn bits(bytes: &[u8], is_set: impl Fn(u8) -> bool) -> u64 {
        bytes.iter().enumerate().fold(0, |bits, (at, byte)| bits | u64::from(is_set(*byte)) << at)
    }

    pub(in crate::json) fn string_stops(bytes: &[u8; STEP]) -> u32 {
        bits(bytes, |byte| byte == b'"' || byte == b'\\' || !(0x20..0x80).contains(&byte)) as u32
    }

    pub(in crate::json) fn quotes(bytes: &[u8; STEP]) -> u32 {
        bits(bytes, |byte| byte == b'"') as u32
    }

    pub(in crate::json) fn non_digits(bytes: &[u8; STEP]) -> u32 {
        bits(bytes, |byte| !byte.is_ascii_digit()) as u32
    }

    /// Byte by byte.
    #[derive(Clone, Copy)]
    pub(crate) struct OneByOne(());

    impl OneByOne {
        pub(crate) fn new() -> OneByOne {
            OneByOne(())
        }
    }

    impl Vectors for OneByOne {
        fn bits(self, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64 {
            bits(block, |other| other | fold == byte)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the bytes of a block are asked for anywhere.
    #[derive(Clone, Copy)]
    struct Marks<'b>(&'b [u8; BLOCK]);

    impl Task for Marks<'_> {
        type Answer = [u64; 6];

        #[inline(always)]
        fn run(self, vectors: impl Vectors) -> [u64; 6] {
            [
                vectors.find::<b'\n'>(self.0),
                vectors.find::<b','>(self.0),
                vectors.find::<b'"'>(self.0),
                vectors.find::<b'\\'>(self.0),
                vectors.find_folded::<b'{'>(self.0),
                vectors.find_folded::<b'}'>(self.0),
            ]
        }
    }

    fn held_against_the_twin(block: &[u8; BLOCK]) {
        let twin = Marks(block).run(plain::OneByOne::new());
        assert_eq!(run(Marks(block), Width::Best), twin, "{block:?}");
        assert_eq!(run(Marks(block), Width::Plain), twin, "{block:?}");
        let bytes: &[u8; STEP] = block.first_chunk().expect("a block is longer");
        assert_eq!(string_stops(bytes), plain::string_stops(bytes), "{bytes:?}");
        assert_eq!(quotes(bytes), plain::quotes(bytes), "{bytes:?}");
        assert_eq!(non_digits(bytes), plain::non_digits(bytes), "{bytes:?}");
    }

    proptest! {
        #[test]
        fn vectors_see_what_single_bytes_show(block: [u8; BLOCK], text in "[{}\\[\\]\"\\\\a1,\n]{64}") {
            held_against_the_twin(&block);
            held_against_the_twin(text.as_bytes().first_chunk().expect("sixty-four characters"));
        }
    }

    #[test]
    fn every_byte_value_is_judged_alike() {
        (0..=255).for_each(|byte| held_against_the_twin(&[byte; BLOCK]));
    }

    #[test]
    fn this_machine_runs_what_its_processor_has() {
        struct IsPlain;
        impl Task for IsPlain {
            type Answer = bool;
            fn run(self, vectors: impl Vectors) -> bool {
                std::any::type_name_of_val(&vectors) == std::any::type_name::<Plain>()
            }
        }
        assert!(run(IsPlain, Width::Plain));
        #[cfg(target_arch = "x86_64")]
        assert_eq!(run(IsPlain, Width::Best), !std::arch::is_x86_feature_detected!("avx2"));
    }
}
