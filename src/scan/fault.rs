//! Why a line cannot be opened.

use crate::json;
use crate::profile::ReadReason;

/// A malformed line: what is wrong, and at which of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFault {
    /// Byte offset inside the trimmed line.
    pub at: usize,
    pub reason: OpenReason,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenReason {
    #[error("no JSON object begins here")]
    NoObject,
    #[error("the line's object does not end")]
    NoEnd,
    #[error("UTF-16 text (mend it with: iconv -f UTF-16 -t UTF-8)")]
    Utf16,
    #[error("a byte order mark in the middle of the log (mend it with: sed 's/^\\xEF\\xBB\\xBF//')")]
    ByteOrderMark,
    #[error("an array, not an object: a log holds one object a line (mend it with: jq -c '.[]')")]
    ArrayStyle,
    #[error("a comma after the object: a log holds one object a line (mend it with: jq -c '.[]')")]
    TrailingComma,
    #[error("{0}")]
    Json(json::Reason),
    #[error("{0}")]
    Strict(ReadReason),
    #[error("the thread key {0} is missing")]
    MissingThread(String),
    #[error("the thread key {0} is neither integer nor string")]
    BadThread(String),
    #[error("the ordinal {0} is missing")]
    MissingOrdinal(String),
    #[error("the ordinal {0} is no integer from 0 to 2^64-1")]
    BadOrdinal(String),
    #[error("the kind is an object or array")]
    BadKind,
    #[error("a second run starts here")]
    SecondHeader,
    #[error("a line of {0} bytes is over the limit (--max-line)")]
    TooLong(u64),
    #[error("the ordinal {found} does not grow: the event before has {before}")]
    OrdinalNotGrowing { before: u64, found: u64 },
}

impl OpenReason {
    /// This reason at a byte of the line.
    pub fn at(self, at: usize) -> OpenFault {
        OpenFault { at, reason: self }
    }
}

impl From<json::Fault> for OpenFault {
    fn from(fault: json::Fault) -> OpenFault {
        OpenReason::Json(fault.reason).at(fault.at)
    }
}

impl OpenFault {
    /// What a line is by name, if no object begins it: UTF-16, an array, a misplaced mark.
    pub fn named(line: &[u8]) -> Option<OpenFault> {
        let fault = match line.first() {
            Some(b'{') if line.get(1) == Some(&0) => OpenReason::Utf16.at(0),
            Some(b'{') | None => return None,
            Some(_) => OpenFault::of_start(line),
        };
        Some(fault).filter(|fault| fault.reason != OpenReason::NoObject)
    }

    /// Names what stands where the line's object should begin.
    pub(super) fn of_start(line: &[u8]) -> OpenFault {
        let reason = match line {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, b'{', ..] | [_, 0, ..] => OpenReason::Utf16,
            [0xEF, 0xBB, 0xBF, ..] => OpenReason::ByteOrderMark,
            [b'[', ..] | [b']'] | [b']', b',', ..] => OpenReason::ArrayStyle,
            _ => OpenReason::NoObject,
        };
        reason.at(0)
    }

    /// Names what stands where the line's object should end.
    pub(super) fn of_end(line: &[u8]) -> OpenFault {
        let last = line.len() - 1;
        match line {
            // All of it is, not only its end.
            [b'{', 0, ..] => OpenReason::Utf16.at(0),
            [.., b'}', b','] => OpenReason::TrailingComma.at(last),
            _ => OpenReason::NoEnd.at(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_no_object_is_named() {
        for (line, reason) in [
            (&b"{\0\"\0"[..], Some(OpenReason::Utf16)),
            (b"\0{", Some(OpenReason::Utf16)),
            (b"\xEF\xBB\xBF{}", Some(OpenReason::ByteOrderMark)),
            (b"[1,", Some(OpenReason::ArrayStyle)),
            (b"{\"a", None),
            (b"garbage", None),
            (b"", None),
        ] {
            assert_eq!(OpenFault::named(line).map(|fault| fault.reason), reason, "{line:?}");
        }
    }
}
