//! What can go wrong with a log, in words a report can print.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::Format;

/// Why a log cannot be read, or cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The log cannot be opened; a directory is refused here too.
    #[error("failed to open {}: {}", path.display(), plain(error))]
    Open {
        /// The log, as it was named.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Reading broke off.
    #[error("failed to read {}{}: {}", path.display(), place(at), plain(error))]
    Read {
        /// The log, as it was named.
        path: PathBuf,
        /// Bytes of the log before it, where that is known.
        at: Option<u64>,
        /// What the system said.
        error: io::Error,
    },
    /// So much more memory cannot be had as the next windows may need.
    #[error(
        "failed to read {} on from byte {at}: {bytes} bytes of memory are needed and cannot be had \
         (is there a limit, as by ulimit -v?)", path.display()
    )]
    Memory {
        /// The log, as it was named.
        path: PathBuf,
        /// Bytes of the log read before.
        at: u64,
        /// What was asked for.
        bytes: usize,
    },
    /// It is an archive, and this build has no decoders.
    #[error("{} is a {format} archive, which this build of forkpoint cannot unpack (feature `compressed`)", path.display())]
    Packed {
        /// The log, as it was named.
        path: PathBuf,
        /// How it is packed.
        format: Format,
    },
    /// The file is not what it was at open: nothing that was read from it can be trusted.
    #[error("{} {change}", path.display())]
    Changed {
        /// The log, as it was named.
        path: PathBuf,
        /// What happened to it.
        change: Change,
    },
    /// Bytes of a stream cannot be kept in, or fetched from, its spool.
    #[error("failed to spool {} in {}: {}", path.display(), folder.display(), plain(error))]
    Spool {
        /// The log, as it was named.
        path: PathBuf,
        /// Where the spool lies.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The spool of a stream would hold more than it may.
    #[error(
        "failed to spool {}: more than the limit of {limit} bytes would have to be kept in {}; \
         raise it with --spool-limit SIZE (TMPDIR moves the spool)", path.display(), folder.display()
    )]
    SpoolFull {
        /// The log, as it was named.
        path: PathBuf,
        /// Where the spool lies.
        folder: PathBuf,
        /// The limit, [`OpenOptions::spool_limit`](super::OpenOptions::spool_limit).
        limit: u64,
    },
    /// Event texts cannot be kept in, or fetched from, their temporary file.
    #[error("failed to keep event texts in {}: {}", folder.display(), plain(error))]
    Keep {
        /// Where the file lies.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// What happened to a regular file while it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is shorter than at open.
    Shrank {
        /// Its length at open.
        from: u64,
        /// Its length now.
        to: u64,
    },
    /// Its length is what it was or more, its content is not.
    Rewritten,
    /// It ended before its own length, or a mapped page of it could not be had.
    Unreadable {
        /// Its length at open.
        len: u64,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Shrank { from, to } => write!(f, "shrank from {from} to {to} bytes while it was read"),
            Change::Rewritten => f.write_str("was rewritten while it was read"),
            Change::Unreadable { len } => {
                write!(f, "could not be read up to its {len} bytes (it was cut short for a while, or its disk failed)")
            }
        }
    }
}

/// Where reading broke off, if that is known.
fn place(at: &Option<u64>) -> String {
    at.map_or_else(String::new, |at| format!(" at byte {at}"))
}

/// The system's words without its "(os error 2)", beginning in lower case.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_begin_in_lower_case_and_carry_no_error_number() {
        let error = SourceError::Open { path: "ref.jsonl".into(), error: io::Error::from_raw_os_error(libc::EACCES) };
        assert_eq!(error.to_string(), "failed to open ref.jsonl: permission denied");
        let of = |at| SourceError::Read { path: "a".into(), at, error: io::Error::from_raw_os_error(libc::EIO) };
        assert_eq!(of(Some(7)).to_string(), "failed to read a at byte 7: input/output error");
        assert_eq!(of(None).to_string(), "failed to read a: input/output error");
        let change = Change::Shrank { from: 20, to: 7 };
        let error = SourceError::Changed { path: "a b".into(), change };
        assert_eq!(error.to_string(), "a b shrank from 20 to 7 bytes while it was read");
    }
}
