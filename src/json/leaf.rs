//! The ends of regular scalars, found sixteen bytes at a time.
//!
//! These are shortcuts in front of [`super::grammar`]: what they accept is strictly valid and
//! ends where the grammar says. What is irregular (an escape, a byte beyond ASCII, a number in
//! another spelling than digits with a fraction) they leave to it, by `None`.

/// Bytes looked at together.
const STEP: usize = 16;

/// The sixteen bytes from `at` on; past the text's end they are zero, which is no digit, no
/// quote and no character that may stand in a string.
#[inline(always)]
fn step(text: &[u8], at: usize) -> [u8; STEP] {
    match text.get(at..).and_then(<[u8]>::first_chunk) {
        Some(chunk) => *chunk,
        None => padded(text, at),
    }
}

#[cold]
fn padded(text: &[u8], at: usize) -> [u8; STEP] {
    let mut chunk = [0; STEP];
    let rest = text.get(at..).unwrap_or_default();
    chunk[..rest.len()].copy_from_slice(rest);
    chunk
}

/// The end (past the closing quote) of the string whose opening quote is at `at`, if nothing
/// stands in it but printable ASCII without a backslash.
#[inline(always)]
pub fn plain_string_end(text: &[u8], at: usize) -> Option<usize> {
    let mut pos = at + 1;
    loop {
        let stops = simd::string_stops(step(text, pos));
        if stops != 0 {
            pos += stops.trailing_zeros() as usize;
            return (text.get(pos) == Some(&b'"')).then_some(pos + 1);
        }
        pos += STEP;
    }
}

/// The end of the run of digits that begins at `at`; `at` where there is none.
#[inline(always)]
pub fn digits_end(text: &[u8], at: usize) -> usize {
    let mut pos = at;
    loop {
        let others = simd::non_digits(step(text, pos));
        if others != 0 {
            return pos + others.trailing_zeros() as usize;
        }
        pos += STEP;
    }
}

/// The end of the number at `at` if it is an integer or has a fraction, without an exponent.
#[inline(always)]
pub fn number_end(text: &[u8], at: usize) -> Option<usize> {
    let start = at + usize::from(text.get(at) == Some(&b'-'));
    let end = digits_end(text, start);
    // No digit at all, or a zero in front of others.
    if end == start || (end > start + 1 && text[start] == b'0') {
        return None;
    }
    match text.get(end) {
        Some(b'.') => fraction_end(text, end),
        Some(byte) if goes_on(*byte) => None,
        _ => Some(end),
    }
}

#[inline(never)]
fn fraction_end(text: &[u8], point: usize) -> Option<usize> {
    let end = digits_end(text, point + 1);
    let broken = end == point + 1 || text.get(end).is_some_and(|byte| goes_on(*byte));
    (!broken).then_some(end)
}

/// Bytes that no number may be followed by.
#[inline(always)]
fn goes_on(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-')
}

/// The end of the scalar at `at`, if it is regular.
#[inline(always)]
pub fn scalar_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => plain_string_end(text, at),
        b'0'..=b'9' | b'-' => number_end(text, at),
        b't' => word_end(text, at, b"true"),
        b'f' => word_end(text, at, b"false"),
        b'n' => word_end(text, at, b"null"),
        _ => None,
    }
}

#[inline(always)]
fn word_end(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    let end = at + word.len();
    let follows = text.get(end).is_some_and(u8::is_ascii_alphanumeric);
    (text.get(at..end) == Some(word) && !follows).then_some(end)
}

/// Sixteen bytes at once by instructions that every x86-64 processor has.
#[cfg(target_arch = "x86_64")]
mod simd {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8, _mm_sub_epi8,
    };

    #[inline(always)]
    fn vector(bytes: [u8; 16]) -> __m128i {
        let whole = u128::from_le_bytes(bytes);
        _mm_set_epi64x((whole >> 64) as i64, whole as i64)
    }

    /// Bits of the bytes that end a plain string or may not stand in one.
    #[inline(always)]
    pub(super) fn string_stops(bytes: [u8; 16]) -> u32 {
        let bytes = vector(bytes);
        let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
        let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
        // Signed: bytes beyond ASCII are negative and thus below the space too.
        let odd = _mm_cmplt_epi8(bytes, _mm_set1_epi8(b' ' as i8));
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), odd)) as u32
    }

    /// Bits of the bytes that are no digits.
    #[inline(always)]
    pub(super) fn non_digits(bytes: [u8; 16]) -> u32 {
        let value = _mm_sub_epi8(vector(bytes), _mm_set1_epi8(b'0' as i8));
        let is_digit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
        _mm_movemask_epi8(is_digit) as u32 ^ 0xFFFF
    }
}

/// The same byte by byte, for other processors.
#[cfg(not(target_arch = "x86_64"))]
use plain as simd;

#[cfg(any(test, not(target_arch = "x86_64")))]
mod plain {
    fn bits(bytes: [u8; 16], is_set: impl Fn(u8) -> bool) -> u32 {
        bytes.iter().enumerate().fold(0, |bits, (at, byte)| bits | u32::from(is_set(*byte)) << at)
    }

    pub(super) fn string_stops(bytes: [u8; 16]) -> u32 {
        bits(bytes, |byte| byte == b'"' || byte == b'\\' || !(0x20..0x80).contains(&byte))
    }

    pub(super) fn non_digits(bytes: [u8; 16]) -> u32 {
        bits(bytes, |byte| !byte.is_ascii_digit())
    }
}

#[cfg(test)]
mod tests {
    use super::super::grammar;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn regular_scalars_end_where_the_grammar_says() {
        for (text, irregular) in [
            ("0", false),
            ("-0", false),
            ("1234567890123456789012345678901234567890,", false),
            ("12.5}", false),
            ("1e5", true),
            ("1.5E2", true),
            ("\"\"", false),
            ("\"sixteen bytes ..\",", false),
            ("\"more than sixteen bytes stand here\" ", false),
            ("\"a\\nb\"", true),
            ("\"é\"", true),
            ("true,", false),
            ("false", false),
            ("null]", false),
            ("NaN", true),
        ] {
            let end = grammar::scalar_end(text.as_bytes(), 0).or_else(|_| grammar::string_end(text.as_bytes(), 0));
            let found = scalar_end(text.as_bytes(), 0);
            assert_eq!(found.is_none(), irregular, "{text}");
            assert!(found.is_none() || found == end.ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_vectors_see_what_single_bytes_show(bytes: [u8; 16]) {
            prop_assert_eq!(simd::string_stops(bytes), plain::string_stops(bytes));
            prop_assert_eq!(simd::non_digits(bytes), plain::non_digits(bytes));
        }

        #[test]
        fn nothing_is_accepted_that_the_grammar_refuses(
            text in r#"["\-0-9truefalsnl.eE+ ,}\\é]{0,8}("[a-z \\é]{0,40}"|[0-9]{0,40})?[,}x0-9"]?"#,
        ) {
            let bytes = text.as_bytes();
            let exact = match bytes.first() {
                Some(b'"') => grammar::string_end(bytes, 0),
                _ => grammar::scalar_end(bytes, 0),
            };
            if let Some(end) = scalar_end(bytes, 0) {
                prop_assert_eq!(exact, Ok(end));
            }
        }
    }
}
