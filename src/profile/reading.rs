//! Reading a line strictly: the second of the two depths of validity (BEHAVIOUR 9).

use super::rules::{Profile, Roles};
use crate::json::{self, Pointer, Tape};

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

/// Reads lines strictly under one profile's roles.
#[derive(Clone, Debug)]
pub struct StrictReader {
    /// The first keys of all role paths, each once.
    role_keys: Vec<String>,
}

impl StrictReader {
    /// A reader that knows the profile's role keys.
    pub fn new(profile: &Profile) -> StrictReader {
        let mut role_keys: Vec<String> =
            profile.roles.paths().filter_map(|path| path.tokens().first().cloned()).collect();
        role_keys.sort();
        role_keys.dedup();
        StrictReader { role_keys }
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
        let mut seen = 0u64;
        for (key, _) in tape.members(Tape::ROOT) {
            let token = tape.bytes(line, key);
            let Some(role) = self.role_keys.iter().position(|role| json::tape::key_is(token, role.as_bytes())) else {
                continue;
            };
            if role < 64 && seen >> role & 1 == 1 {
                let reason = ReadReason::RoleTwice(self.role_keys[role].clone());
                return Err(ReadFault { at: tape.start(key), reason });
            }
            seen |= 1u64.checked_shl(role as u32).unwrap_or(0);
        }
        Ok(())
    }
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
