//! The beginning of a log that is read alone: its header, or what may help where there is none.

use std::path::Path;

use super::decide;
use crate::align::header::{self, HeaderFault};
use crate::profile::Profile;
use crate::report;
use crate::scan::Start;
use crate::source::{Bytes, Damage, Log, OpenOptions, SourceError};

/// A first line that is not the header the profile demands.
pub struct NoHeader {
    /// Physical line, from 1.
    pub line: u64,
    /// Of the offending byte.
    pub offset: u64,
    /// What is wrong.
    pub reason: String,
    /// The beginning of the log.
    pub seen: Bytes,
}

/// Reads as far as the header, if the profile demands one.
///
/// # Errors
/// The log cannot be read.
pub fn begin(log: &mut Log, profile: &Profile) -> Result<Result<Start, NoHeader>, SourceError> {
    match header::start(log, profile) {
        Ok(start) => Ok(Ok(start)),
        Err(HeaderFault::Source(error)) => Err(error),
        Err(HeaderFault::Unfit { line, offset, reason, seen }) => Ok(Err(NoHeader { line, offset, reason, seen })),
    }
}

/// The damage of an archive in which not even a first whole line was `seen`: it says more than what became of the line.
pub fn explains<'l>(log: &'l Log, seen: &[u8]) -> Option<&'l Damage> {
    log.damage().filter(|_| !seen.contains(&b'\n'))
}

/// A command with rules that may fit a log, from its first lines; of a stream only what was `seen` is left.
pub fn hint(path: &Path, seen: &[u8], command: impl FnOnce(&str, String) -> String) -> Option<String> {
    let flags = match decide::file_size(path) {
        Some(_) => decide::suggested_flags(path),
        None => decide::suggested_from(seen),
    }?;
    Some(format!("hint: other rules may fit: {}", command(&flags, report::quote::path(path))))
}

/// Whether a regular file begins with the header that the profile demands.
pub fn has_header(path: &Path, profile: &Profile) -> bool {
    decide::file_size(path).is_some()
        && Log::open(path, &OpenOptions::default()).is_ok_and(|mut log| matches!(begin(&mut log, profile), Ok(Ok(_))))
}
