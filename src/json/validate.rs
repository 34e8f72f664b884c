//! Whether a text is strict JSON, for callers that look at nothing in it.
//!
//! simd-json is asked first about long texts: it accepts nothing that the cursor refuses, and is
//! 1.5 to 2.5 times as fast where strings are long (`benches/json.rs`). What it refuses the cursor
//! decides, since it also refuses integers beyond 64 bits, lone surrogates, `1e400` and `NaN`,
//! which are valid here.

use super::cursor::check_by_cursor;
use super::grammar::Fault;

/// Shorter texts go to the cursor at once: there the two are equally fast.
pub const SIMD_BYTES_MIN: usize = 1 << 10;

/// Checks texts; its buffers are reused from text to text.
pub struct Validator {
    copy: Vec<u8>,
    buffers: simd_json::Buffers,
    /// Texts that simd-json answered for.
    pub by_simd: u64,
}

impl Default for Validator {
    fn default() -> Validator {
        Validator { copy: Vec::new(), buffers: simd_json::Buffers::new(0), by_simd: 0 }
    }
}

impl std::fmt::Debug for Validator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Validator").field("by_simd", &self.by_simd).finish_non_exhaustive()
    }
}

impl Validator {
    /// Whether `text` is one strict JSON value, UTF-8 included.
    ///
    /// # Errors
    /// The first offence.
    pub fn check(&mut self, text: &[u8]) -> Result<(), Fault> {
        if text.len() >= SIMD_BYTES_MIN && self.simd_accepts(text) {
            self.by_simd += 1;
            return Ok(());
        }
        check_by_cursor(text, 0)
    }

    fn simd_accepts(&mut self, text: &[u8]) -> bool {
        // simd-json unescapes strings in place, so it works on a copy.
        self.copy.clear();
        self.copy.extend_from_slice(text);
        simd_json::to_tape_with_buffers(&mut self.copy, &mut self.buffers).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn padded(middle: &str) -> String {
        format!("{{\"pad\":\"{}\",\"x\":{middle}}}", "y".repeat(SIMD_BYTES_MIN))
    }

    #[test]
    fn long_texts_are_answered_by_simd_json() {
        let mut validator = Validator::default();
        assert!(validator.check(padded("[1,{\"a\":null}]").as_bytes()).is_ok());
        assert_eq!(validator.by_simd, 1);
        assert!(validator.check(b"{}").is_ok());
        assert_eq!(validator.by_simd, 1);
        assert_eq!(format!("{validator:?}"), "Validator { by_simd: 1, .. }");
    }

    #[test]
    fn what_simd_json_refuses_the_cursor_decides() {
        let mut validator = Validator::default();
        for good in
            ["1e400", "NaN", "-Infinity", "\"\\ud800\"", "123456789012345678901234567890", "-0", "{\"a\":1,\"a\":2}"]
        {
            assert!(validator.check(padded(good).as_bytes()).is_ok(), "{good}");
        }
        for bad in ["01", "tru", "\"\\x\"", "[1,]", "\"\u{1}\"", "1 2", "{\"a\"}", "+1", ".5", "1."] {
            assert!(validator.check(padded(bad).as_bytes()).is_err(), "{bad}");
        }
        let mut bad_utf8 = padded("1").into_bytes();
        bad_utf8[20] = 0xFF;
        assert!(validator.check(&bad_utf8).is_err());
        for depth in [1022, 1023, 1024, 1025, 1100, 5000] {
            let text = padded(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
            assert_eq!(
                validator.check(text.as_bytes()).is_ok(),
                check_by_cursor(text.as_bytes(), 0).is_ok(),
                "{depth}"
            );
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_cursor_on_damaged_texts(
            middle in "[\\[\\]{},:\"a0-2eE.tu\\\\ \n-]{0,24}",
            flip in proptest::option::of((0usize..1100, any::<u8>())),
        ) {
            let mut text = padded(&middle).into_bytes();
            if let Some((at, byte)) = flip {
                let at = at % text.len();
                text[at] = byte;
            }
            prop_assert_eq!(Validator::default().check(&text).is_ok(), check_by_cursor(&text, 0).is_ok());
        }
    }
}
