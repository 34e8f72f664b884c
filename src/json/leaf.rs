//! The ends of regular scalars, found sixteen bytes at a time.
//!
//! These are shortcuts in front of [`super::grammar`]: what they accept is strictly valid and
//! ends where the grammar says. What is irregular (an escape, a byte beyond ASCII, a number in
//! another spelling than digits with a fraction) they leave to it, by `None`.

use super::grammar::DEPTH_MAX;
use super::simd::{self, BLOCK, STEP, Task, Vectors, Width};

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

/// What `marks` says of the sixteen bytes from `at` on; those past the text's end are marked.
#[inline(always)]
fn marked(text: &[u8], at: usize, marks: impl Fn(&[u8; STEP]) -> u32) -> u32 {
    if let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk) {
        return marks(chunk);
    }
    // Near the end the last sixteen bytes are looked at, of which the first do not count here.
    match text.last_chunk() {
        Some(chunk) => {
            let before = (at + STEP - text.len()).min(STEP);
            (marks(chunk) | 0xFFFF << STEP) >> before & 0xFFFF
        }
        None => marks(&padded(text, at)),
    }
}

/// The end (past the closing quote) of the string whose opening quote is at `at`, if nothing
/// stands in it but printable ASCII without a backslash.
#[inline(always)]
pub fn plain_string_end(text: &[u8], at: usize) -> Option<usize> {
    let mut pos = at + 1;
    loop {
        let stops = marked(text, pos, simd::string_stops);
        if stops != 0 {
            pos += stops.trailing_zeros() as usize;
            return (text.get(pos) == Some(&b'"')).then_some(pos + 1);
        }
        pos += STEP;
    }
}

/// The first characters of the string whose opening quote would stand at `at`, as a number: at most
/// fifteen, and what they say is lost; equal beginnings give equal numbers.
#[inline(always)]
pub fn beginning(text: &[u8], at: usize) -> u64 {
    let of = |chunk: &[u8; STEP]| {
        let len = (simd::quotes(chunk) | 1 << (STEP - 1)).trailing_zeros();
        let bytes = u128::from_le_bytes(*chunk) & FIRST[len as usize % STEP];
        bytes as u64 ^ ((bytes >> 64) as u64).rotate_left(29)
    };
    match text.get(at + 1..).and_then(<[u8]>::first_chunk) {
        Some(chunk) => of(chunk),
        None => of(&padded(text, at + 1)),
    }
}

/// All bits of so many bytes.
const FIRST: [u128; STEP] = {
    let mut first = [0; STEP];
    let mut len = 1;
    while len < STEP {
        first[len] = first[len - 1] << 8 | 0xFF;
        len += 1;
    }
    first
};

/// The end of the run of digits that begins at `at`; `at` where there is none.
#[inline(always)]
pub fn digits_end(text: &[u8], at: usize) -> usize {
    let mut pos = at;
    loop {
        let others = marked(text, pos, simd::non_digits);
        if others != 0 {
            return pos + others.trailing_zeros() as usize;
        }
        pos += STEP;
    }
}

/// The integer at `at` and its end, if it is written as one to sixteen plain digits.
#[inline(always)]
pub fn small_integer(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let chunk = step(text, at);
    let len = (simd::non_digits(&chunk) | 1 << STEP).trailing_zeros() as usize;
    let follows = text.get(at + len).is_some_and(|byte| goes_on(*byte));
    if len == 0 || follows || (chunk[0] == b'0' && len > 1) {
        return None;
    }
    let (low, high) = chunk.split_at(8);
    let [low, high] = [low, high].map(|half| half.first_chunk().expect("half of sixteen"));
    let value = if len <= 8 {
        eight_digits(low, len)
    } else {
        eight_digits(low, 8) * 10u64.pow(len as u32 - 8) + eight_digits(high, len - 8)
    };
    Some((value, at + len))
}

/// The value of `len` digits (1 to 16) at a place where digits are known to stand; `None` within
/// sixteen bytes of the text's end.
#[inline(always)]
pub fn digits_value(text: &[u8], at: usize, len: usize) -> Option<u64> {
    let chunk: &[u8; STEP] = text.get(at..)?.first_chunk()?;
    let (low, high) = chunk.split_at(8);
    let [low, high] = [low, high].map(|half| half.first_chunk().expect("half of sixteen"));
    Some(match len {
        0 => 0,
        1..=8 => eight_digits(low, len),
        _ => eight_digits(low, 8) * 10u64.pow(len as u32 - 8) + eight_digits(high, len - 8),
    })
}

/// The value of the first `len` (1 to 8) bytes, all digits: pairs, then fours, then all together.
#[inline(always)]
fn eight_digits(bytes: &[u8; 8], len: usize) -> u64 {
    let digits = (u64::from_le_bytes(*bytes) ^ 0x3030_3030_3030_3030) << (64 - 8 * len);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF
}

/// The end of the number at `at` if it is an integer or has a fraction, without an exponent.
#[inline(always)]
pub fn number_end(text: &[u8], at: usize) -> Option<usize> {
    let others = marked(text, at, simd::non_digits);
    let end = at + others.trailing_zeros() as usize;
    match text.get(end) {
        // The usual case: one to fifteen digits and then a comma or bracket.
        Some(byte) if others & 1 == 0 && others != 0 && !GOES_ON[*byte as usize] => {
            (text[at] != b'0' || end == at + 1).then_some(end)
        }
        _ => long_number_end(text, at),
    }
}

/// Numbers with a sign, a fraction, many digits, or nothing behind them.
#[inline(never)]
fn long_number_end(text: &[u8], at: usize) -> Option<usize> {
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

fn fraction_end(text: &[u8], point: usize) -> Option<usize> {
    let end = digits_end(text, point + 1);
    let broken = end == point + 1 || text.get(end).is_some_and(|byte| goes_on(*byte));
    (!broken).then_some(end)
}

/// Bytes that no number may be followed by.
#[inline(always)]
const fn goes_on(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-')
}

/// [`goes_on`] for each byte.
static GOES_ON: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = goes_on(byte as u8);
        byte += 1;
    }
    table
};

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

/// The end of the object or array that opens at `at`, by brackets outside strings alone, as
/// [`super::grammar::container_end_loose`] finds it; `None` where a backslash stands in it, where
/// it nests too deep or does not end. `depth` is how many containers enclose it.
#[inline(always)]
pub fn container_end(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    simd::run(ContainerEnd { text, at, depth }, Width::Best)
}

struct ContainerEnd<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
}

impl Task for ContainerEnd<'_> {
    type Answer = Option<usize>;

    #[inline(always)]
    fn run(self, vectors: impl Vectors) -> Option<usize> {
        container_end_by(vectors, self.text, self.at, self.depth)
    }
}

/// The same with one width of vectors, to be inlined into work that has chosen its own.
#[inline(always)]
pub(crate) fn container_end_by(vectors: impl Vectors, text: &[u8], at: usize, depth: usize) -> Option<usize> {
    if !matches!(text.get(at)?, b'{' | b'[') {
        return None;
    }
    let (mut base, mut open, mut in_string) = (at, 0usize, 0u64);
    loop {
        let rest = text.get(base..).filter(|rest| !rest.is_empty())?;
        let end_of_text;
        let block = match rest.first_chunk::<BLOCK>() {
            Some(block) => block,
            None => {
                end_of_text = padded_block(rest);
                &end_of_text
            }
        };
        let strings = prefix_xor(vectors.find::<b'"'>(block)) ^ in_string;
        in_string = 0u64.wrapping_sub(strings >> 63);
        let opens = vectors.find_folded::<b'{'>(block) & !strings;
        let closes = vectors.find_folded::<b'}'>(block) & !strings;
        let backslashes = vectors.find::<b'\\'>(block);
        let (opened, closed) = (opens.count_ones() as usize, closes.count_ones() as usize);
        if depth + open + opened > DEPTH_MAX {
            return None;
        }
        // With more open than this block closes, the end is not in it.
        if open <= closed
            && let Some(end) = end_in(opens, closes, open)
        {
            // What stands behind the end is nobody's business here.
            let within = u64::MAX >> (63 - end);
            return (backslashes & within == 0).then_some(base + end + 1);
        }
        if backslashes != 0 {
            return None;
        }
        open = open + opened - closed;
        base += BLOCK;
    }
}

#[cold]
fn padded_block(rest: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// The closing bracket behind which nothing is open, `open` being so before the block.
#[inline(always)]
fn end_in(opens: u64, mut closes: u64, mut open: usize) -> Option<usize> {
    while closes != 0 {
        let bit = closes & closes.wrapping_neg();
        // The brackets opened before it, and those closed with it.
        if open.wrapping_add((opens & (bit - 1)).count_ones() as usize) == 1 {
            return Some(bit.trailing_zeros() as usize);
        }
        open = open.wrapping_sub(1);
        closes &= closes - 1;
    }
    None
}

/// Each bit: whether an odd number of bits is set up to and with it.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
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

    #[test]
    fn beginnings_tell_strings_apart_and_see_nothing_behind() {
        let of = |text: &str| beginning(text.as_bytes(), 1);
        assert_eq!(of(r#"["kernel.call","a":1}"#), of(r#"["kernel.call",2222222222222222"#));
        assert_ne!(of(r#"["kernel.call","#), of(r#"["kernel.return","#));
        assert_eq!(of(r#"["""#), of(r#"["","#));
        assert_eq!(of(r#"["fifteen letters: a""#), of(r#"["fifteen letters: b""#));
        // Exactly as many, the quote at the last place that is looked at.
        assert_ne!(of(r#"["fifteen letter1""#), of(r#"["fifteen letter2""#));
    }

    proptest! {
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

        #[test]
        fn small_integers_have_their_value(value in 0u64..10_000_000_000_000_000, cut in 0u32..16, behind in ".{0,20}") {
            let value = value / 10u64.pow(cut);
            let text = format!("[{value},{behind}");
            let len = value.to_string().len();
            prop_assert_eq!(small_integer(text.as_bytes(), 1), Some((value, 1 + len)));
            let near_the_end = text.len() < 1 + STEP;
            prop_assert_eq!(digits_value(text.as_bytes(), 1, len), (!near_the_end).then_some(value));
            for odd in ["0", "1.0", "1e3", "-1", "", "x"] {
                let text = format!("{odd}{value}{odd}");
                let found = small_integer(text.as_bytes(), 0);
                let digits = text.bytes().take_while(u8::is_ascii_digit).count();
                let regular = text.len() == digits && !(digits > 1 && text.starts_with('0')) && digits <= 16;
                prop_assert_eq!(found.is_some(), regular, "{}", text);
            }
        }

        #[test]
        fn containers_end_where_the_grammar_says(
            parts in prop::collection::vec(r#"[{}\[\]]{1,3}|"[a-z{}\[\]]{0,70}"|\\{0,1}[0-9,:]{1,30}"#, 0..12),
            depth in 1020usize..1025,
        ) {
            let text = format!("{{{}", parts.concat());
            let exact = grammar::container_end_loose(text.as_bytes(), 0, depth);
            let found = container_end(text.as_bytes(), 0, depth);
            prop_assert_eq!(found, container_end_by(simd::Plain::new(), text.as_bytes(), 0, depth));
            prop_assert!(found.is_none() || found == exact.ok(), "{} {:?} {:?}", text, found, exact);
            let shallow = container_end(text.as_bytes(), 0, 1);
            let plain = !text.contains('\\');
            prop_assert!(!plain || shallow == grammar::container_end_loose(text.as_bytes(), 0, 1).ok(), "{}", text);
        }
    }
}
