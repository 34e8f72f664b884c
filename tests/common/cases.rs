//! The cases of `corpus/diff`: two logs, and what a comparison of them must find.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// The verdicts, which are the names of the folders too, and their exit codes.
pub const VERDICTS: [(&str, i32); 4] = [("identical", 0), ("diverged", 1), ("trouble", 2), ("inconclusive", 3)];

/// `corpus/README.md` tells what each key means.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    #[serde(skip)]
    pub folder: PathBuf,
    #[serde(skip)]
    pub verdict: String,
    pub story: String,
    pub flags: Vec<String>,
    pub exit: i32,
    pub first: Option<usize>,
    pub lead: Option<usize>,
    pub cut: Option<Vec<String>>,
    pub notes: Option<Vec<String>>,
    pub validated: Option<String>,
    pub overlooked: Option<BTreeMap<String, u64>>,
    pub unverified: Option<u64>,
    pub skipped_nondeterministic: Option<u64>,
    pub lines_skipped: Option<[u64; 2]>,
    pub header_differences: Option<Vec<String>>,
    pub differences_total: Option<u64>,
    /// Left out: not looked at.
    pub pairing: Option<Vec<Expected>>,
    #[serde(default)]
    pub fault: Vec<Fault>,
}

/// One pairing; what is left out is not looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub lanes: [String; 2],
    pub status: Option<String>,
    pub compared: Option<u64>,
    pub matched_by: Option<String>,
    pub ambiguous: Option<bool>,
    pub pool: Option<Vec<u64>>,
    pub kind: Option<String>,
    pub at: Option<u64>,
    pub rank: Option<u64>,
    pub after_fault: Option<bool>,
    pub lines: Option<[u64; 2]>,
    pub differences: Option<Vec<String>>,
    pub resync: Option<Vec<u64>>,
    pub equal_run: Option<u64>,
    pub ordinal_shift: Option<i64>,
    pub order: Option<Vec<u64>>,
    pub healed_after: Option<Vec<u64>>,
    pub late_start: Option<[String; 2]>,
    pub further: Option<Vec<String>>,
    pub follows: Option<String>,
}

/// A malformed line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub side: String,
    pub line: u64,
    pub offset: u64,
    pub reason: String,
}

/// The corpus folder.
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The entries of a folder, sorted.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// All cases of `corpus/diff`.
pub fn all() -> Vec<Case> {
    let of = |(verdict, _): &(&str, i32)| {
        let verdict = (*verdict).to_owned();
        entries(&corpus().join("diff").join(&verdict)).into_iter().map(move |folder| load(folder, &verdict))
    };
    VERDICTS.iter().flat_map(of).collect()
}

fn load(folder: PathBuf, verdict: &str) -> Case {
    let path = folder.join("case.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Case { folder, verdict: verdict.to_owned(), ..case }
}

impl Case {
    /// Verdict and name, as in `diverged/kind`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.verdict, self.folder.file_name().unwrap().to_string_lossy())
    }
}

/// Stands before a number that no double holds, where a report was read for a test.
pub const HUGE: &str = "huge number ";

/// A report as serde_json can hold it: lone surrogates and numbers beyond a double, which RFC 8259 allows, become
/// something harmless.
pub fn read_report(text: &str) -> Result<Value, String> {
    let text = text.replace("\\ud", "\\u0d");
    let mut tame = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if quoted || !(c.is_ascii_digit() || c == '-') {
            quoted = if quoted { c != '"' || escaped } else { c == '"' };
            escaped = quoted && c == '\\' && !escaped;
            tame.push(c);
            continue;
        }
        let mut number = c.to_string();
        while let Some(more) = rest.next_if(|c| c.is_ascii_alphanumeric() || "+-.".contains(*c)) {
            number.push(more);
        }
        match number.contains(['e', 'E']) || number.len() > 15 {
            true => tame.push_str(&format!("\"{HUGE}{number}\"")),
            false => tame.push_str(&number),
        }
    }
    serde_json::from_str(&tame).map_err(|error| format!("the report is no JSON: {error}: {text}"))
}
