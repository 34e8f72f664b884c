//! Reading a line strictly: the second of the two depths of validity (BEHAVIOUR 9).

use smallvec::SmallVec;

use super::rules::{Profile, Roles};
use crate::json::{self, Pointer, Tape, grammar, regular};

/// Why a line is malformed when read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFault {
    /// Byte offset inside the line.
    pub at: usize,
    pub reason: ReadReason,
}

/// What is wrong with a line that was opened without complaint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadReason {
    #[error("{0}")]
    Json(json::Reason),
    /// One of the line's own role keys stands twice, so that readers would differ about it.
    #[error("the key {0:?} is given twice")]
    RoleTwice(String),
}

impl From<json::Fault> for ReadFault {
    fn from(fault: json::Fault) -> ReadFault {
        ReadFault { at: fault.at, reason: ReadReason::Json(fault.reason) }
    }
}

/// Buffers for reading lines, reused from line to line.
#[derive(Debug, Default)]
pub struct Reading {
    tape: Tape,
    validator: json::Validator,
}

/// Reads lines strictly under one profile's roles.
#[derive(Clone, Debug)]
pub struct StrictReader {
    /// The first keys of all role paths, each once.
    role_keys: Vec<String>,
    /// A bit for the length of each of them: most other keys are told from them by that alone.
    role_lengths: u64,
}

/// The bit of a key's length; all long keys share one.
fn length_bit(len: usize) -> u64 {
    1 << len.min(63)
}

impl StrictReader {
    /// A reader that knows the profile's role keys.
    pub fn new(profile: &Profile) -> StrictReader {
        let mut role_keys: Vec<String> =
            profile.roles.paths().filter_map(|path| path.tokens().first().cloned()).collect();
        role_keys.sort();
        role_keys.dedup();
        let role_lengths = role_keys.iter().fold(0, |bits, key| bits | length_bit(key.len()));
        StrictReader { role_keys, role_lengths }
    }

    /// Takes a trimmed line apart into `tape`, strictly.
    ///
    /// # Errors
    /// Text that is no strict JSON, or a role key given twice.
    pub fn read(&self, line: &[u8], tape: &mut Tape) -> Result<(), ReadFault> {
        tape.parse(line, 0)?;
        if tape.kind(Tape::ROOT) != json::Kind::ObjectStart {
            return Ok(());
        }
        self.roles_once(
            tape.members(Tape::ROOT).map(|(key, _)| (tape.start(key), tape.bytes(line, key), tape.is_escaped(key))),
        )
    }

    /// Like [`StrictReader::read`], for callers that look at nothing in the line.
    ///
    /// # Errors
    /// As [`StrictReader::read`].
    pub fn check(&self, line: &[u8], reading: &mut Reading) -> Result<(), ReadFault> {
        if self.is_surely_sound(line) {
            return Ok(());
        }
        if line.len() < json::validate::SIMD_BYTES_MIN || line.first() != Some(&b'{') {
            return self.read(line, &mut reading.tape);
        }
        reading.validator.check(line)?;
        self.roles_once(top_keys(line).map(|(at, key)| (at, key, json::text::has_escape(key))))
    }

    /// Whether a line is strictly valid and gives no role key twice; `false` too where it is only odd.
    pub fn is_surely_sound(&self, line: &[u8]) -> bool {
        let (mut seen, mut is_sound) = (0u64, self.role_keys.len() <= u64::BITS as usize);
        let end = regular::value_end(line, 0, 0, |key, is_plain| {
            // Another key may spell a role's with escapes.
            is_sound &= is_plain;
            let inner = &line[key.start + 1..key.end - 1];
            if self.role_lengths & length_bit(inner.len()) == 0 {
                return;
            }
            if let Some(role) = self.role_keys.iter().position(|role| role.as_bytes() == inner) {
                is_sound &= seen >> role & 1 == 0;
                seen |= 1 << role;
            }
        });
        is_sound && end == Some(line.len())
    }

    /// Refuses a role key that stands among the line's own keys twice; of each key it is told
    /// where it begins, its token and whether that has an escape.
    fn roles_once<'l>(&self, keys: impl Iterator<Item = (usize, &'l [u8], bool)>) -> Result<(), ReadFault> {
        let mut seen: SmallVec<[bool; 8]> = SmallVec::from_elem(false, self.role_keys.len());
        for (at, token, escaped) in keys {
            let inner = &token[1..token.len() - 1];
            let spells = |role: &String| match escaped {
                true => json::tape::key_is(token, role.as_bytes()),
                false => inner == role.as_bytes(),
            };
            let Some(role) = self.role_keys.iter().position(spells) else { continue };
            if std::mem::replace(&mut seen[role], true) {
                return Err(ReadFault { at, reason: ReadReason::RoleTwice(self.role_keys[role].clone()) });
            }
        }
        Ok(())
    }
}

/// The keys of a valid object's own members, with where they begin.
fn top_keys(line: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 1;
    std::iter::from_fn(move || {
        let start = grammar::skip_space(line, at);
        if line.get(start) != Some(&b'"') {
            return None;
        }
        let end = grammar::string_end_loose(line, start).ok()?;
        let value = grammar::skip_space(line, grammar::skip_space(line, end) + 1);
        let value_end = match line.get(value)? {
            b'"' => grammar::string_end_loose(line, value),
            // The line's own brackets were balanced by whoever called it valid.
            b'{' | b'[' => grammar::container_end_loose(line, value, 1),
            _ => grammar::scalar_end(line, value),
        };
        at = grammar::skip_space(line, value_end.ok()?) + 1;
        Some((start, &line[start..end]))
    })
}

impl Roles {
    /// The paths of all roles that an event line carries (label and pairing only look).
    pub fn paths(&self) -> impl Iterator<Item = &Pointer> {
        self.thread
            .iter()
            .chain(&self.ordinal)
            .chain(&self.kind)
            .chain(self.payload_path())
            .chain(self.nondeterministic.iter().map(|role| &role.path))
    }

    /// Where the payload stands; `None` where it is the whole line.
    pub fn payload_path(&self) -> Option<&Pointer> {
        match &self.payload {
            super::PayloadRole::At(path) => Some(path),
            super::PayloadRole::Whole => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_lines_are_read_alike() {
        let profile = crate::profile::builtin("schema-v1").expect("it is built in");
        let reader = StrictReader::new(&profile);
        let pad = "p".repeat(json::validate::SIMD_BYTES_MIN);
        for middle in [
            "1",
            "{\"tid\":2}",
            "1,\"tid\":2",
            "1,\"\\u0074id\":2",
            "1,\"x\":3",
            "tru",
            "[1",
            "NaN,\"kind\":\"a\",\"kind\":1",
        ] {
            for pad in ["", &pad] {
                let line = format!("{{\"tid\":1,\"pad\":\"{pad}\",\"x\":{middle}}}");
                let (mut tape, mut reading) = (Tape::default(), Reading::default());
                let read = reader.read(line.as_bytes(), &mut tape);
                assert_eq!(reader.check(line.as_bytes(), &mut reading), read, "{middle}");
                let twice = middle.contains("tid\":2") && !middle.starts_with('{')
                    || middle.contains("u0074")
                    || middle.contains("NaN");
                assert_eq!(read.is_ok(), !twice && middle != "tru" && middle != "[1", "{middle}");
            }
        }
    }
}
