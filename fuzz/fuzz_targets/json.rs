//! Texts are valid where the twin says so, by every reader; equality is the twin's, and an equivalence; what is
//! spelled in another way is equal and has the same digest.
#![no_main]

use forkpoint::json::{Tape, Validator, check_by_cursor, grammar, regular, tape};
use forkpoint_fuzz::twin::json::parse;
use forkpoint_fuzz::{apart, respelled};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let texts: Vec<&[u8]> = apart(data).0.into_iter().take(3).collect();
    let mut read = Vec::new();
    for text in texts {
        let mut tape = Tape::default();
        let value = parse(text).ok();
        assert_eq!(tape.parse(text, 0).is_ok(), value.is_some(), "the tape");
        assert_eq!(check_by_cursor(text, 0).is_ok(), value.is_some(), "the cursor");
        assert_eq!(Validator::default().check(text).is_ok(), value.is_some(), "the validator");
        let start = grammar::skip_space(text, 0);
        let end = regular::value_end(text, start, 0, |_, _| {}).map(|end| grammar::skip_space(text, end));
        assert!(end != Some(text.len()) || value.is_some(), "the walk of regular texts");
        read.extend(value.map(|value| (text, tape, value)));
    }
    for (text, tape, value) in &read {
        let Some(other) = respelled(value) else { continue };
        let (mut again, other) = (Tape::default(), other.as_bytes());
        again.parse(other, 0).expect("another spelling is valid");
        assert!(tape::equal((tape, text, Tape::ROOT), (&again, other, Tape::ROOT)), "another spelling");
        let digests = [tape::digest(tape, text, Tape::ROOT), tape::digest(&again, other, Tape::ROOT)];
        assert_eq!(digests[0], digests[1], "the digest of another spelling");
    }
    let equal = |x: usize, y: usize| {
        let ((text, tape, value), (other_text, other_tape, other)) = (&read[x], &read[y]);
        let equal = tape::equal((tape, text, Tape::ROOT), (other_tape, other_text, Tape::ROOT));
        assert_eq!(equal, value == other, "equality");
        equal
    };
    let all: Vec<Vec<bool>> = (0..read.len()).map(|x| (0..read.len()).map(|y| equal(x, y)).collect()).collect();
    for (x, row) in all.iter().enumerate() {
        assert!(row[x], "reflexive");
        for (y, equal) in row.iter().enumerate() {
            assert_eq!(*equal, all[y][x], "symmetric");
            assert!(!equal || (0..read.len()).all(|z| !all[y][z] || row[z]), "transitive");
        }
    }
});
