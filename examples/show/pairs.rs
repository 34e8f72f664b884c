//! Pairs of logs made by our own generator.

use std::path::{Path, PathBuf};

use super::{Hindered, Room, Truth};
use crate::generate::pair::Target;
use crate::generate::{Diverge, EditKind, Options, Pair, Size, Tids};

/// A pair on disk and what a diff of it must find.
pub struct Made {
    pub reference: PathBuf,
    pub candidate: PathBuf,
    pub truth: Truth,
    /// What `forkpoint diff` must be told to compare it.
    pub flags: Vec<&'static str>,
}

impl Made {
    /// The exit code and the report of a run against the truth.
    pub fn judge(&self, code: Option<i32>, stdout: &[u8], stderr: &str) -> Vec<String> {
        let mut wrong = match serde_json::from_slice(stdout) {
            Ok(report) => self.truth.hold(&report),
            Err(error) => vec![format!("no JSON report: {error}")],
        };
        let must = i32::from(self.truth.parts());
        if code != Some(must) {
            wrong.push(format!("exit {code:?}, must be {must}; {}", stderr.trim()));
        }
        wrong
    }

    /// Takes the logs away again.
    pub fn remove(self) -> Result<(), Hindered> {
        for log in [self.reference, self.candidate] {
            std::fs::remove_file(log)?;
        }
        Ok(())
    }
}

/// Eight threads, renumbered at random, three of which part late and in different ways.
pub fn parting(bytes: u64) -> Options {
    // A line has some 235 bytes and the shortest lane nine tenths of an eighth of the lines.
    let late = bytes / 2300;
    let edits = [(1, EditKind::Value), (4, EditKind::Missing), (6, EditKind::Kind)];
    let diverge = edits.map(|(thread, kind)| diverge(thread, late.saturating_sub(64 * thread as u64), kind)).to_vec();
    Options { seed: 7, size: Size::Bytes(bytes), tids: Tids::Shuffle, diverge, ..Options::default() }
}

/// One divergence of a plan.
pub fn diverge(thread: usize, position: u64, kind: EditKind) -> Diverge {
    Diverge { thread, position, kind }
}

/// Writes a pair into a folder of the room.
pub fn make(room: &Room, name: &str, options: Options) -> Result<Made, Hindered> {
    let folder = room.folder(name)?;
    let [reference, candidate] = ["reference.jsonl", "candidate.jsonl"].map(|file| folder.join(file));
    let flags = options.flags();
    let pair = Pair::new(options)?;
    let written = pair.write(&Target::File(reference.clone()), &Target::File(candidate.clone()))?;
    let truth = Truth::generated(&pair.truth(&written.0, &written.1))?;
    Ok(Made { reference, candidate, truth, flags })
}

/// A pair that lies in a folder already: ours, or one of the original generator.
pub fn given(folder: &Path) -> Result<Made, Hindered> {
    let path = folder.join("truth.json");
    let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let truth = serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let ours = folder.join("reference.jsonl").exists();
    let [reference, candidate] =
        if ours { ["reference.jsonl", "candidate.jsonl"] } else { ["canary.jsonl", "ours.jsonl"] };
    let truth = if ours { Truth::generated(&truth)? } else { Truth::original(&truth)? };
    Ok(Made { reference: folder.join(reference), candidate: folder.join(candidate), truth, flags: Vec::new() })
}
