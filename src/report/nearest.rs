//! The snapshots from which one can get back to just before the first divergence: found outside, told here.

use std::path::PathBuf;

use super::doc::Doc;
use super::quote;
use super::visible::visible;

/// A snapshot of each run, taken at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearestSnapshots {
    /// The moment, in words.
    pub told: String,
    /// The state files, the reference's first.
    pub paths: [PathBuf; 2],
}

impl NearestSnapshots {
    /// The command that compares them.
    pub fn command(&self) -> String {
        let [reference, candidate] = self.paths.each_ref().map(|path| quote::path(path));
        format!("forkpoint snapshot diff {reference} {candidate}")
    }

    pub(crate) fn hint(&self) -> String {
        format!("to compare the nearest snapshots before it ({}): {}", self.told, self.command())
    }

    pub(crate) fn doc(&self) -> Doc {
        let [reference, candidate] = self.paths.each_ref().map(|path| Doc::text(&visible(&path.to_string_lossy())));
        Doc::object([
            ("taken", Doc::text(&self.told)),
            ("reference", reference),
            ("candidate", candidate),
            ("command", Doc::text(&self.command())),
        ])
    }
}
