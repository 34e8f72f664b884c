//! What is run on the stage, and what it gives undisturbed.

use serde_json::Value;

use super::super::{Hindered, Program};
use super::fault::Fault;
use super::play::{Played, play};
use super::shim::{Call, Shim};
use super::stage::Stage;

/// A command line of forkpoint.
pub struct Job {
    pub name: &'static str,
    pub words: Vec<String>,
    /// The log on standard input.
    pub stdin: Option<&'static str>,
    /// The logs come through the FIFOs.
    pub fed: bool,
    /// The exit code it must have undisturbed.
    code: i32,
}

impl Job {
    /// Regular logs that it names.
    pub fn logs(&self) -> impl Iterator<Item = &str> {
        let named = self.words.iter().map(String::as_str).filter(|word| super::stage::LOGS.contains(word));
        named.chain(self.stdin)
    }

    pub fn is_json(&self) -> bool {
        self.words.iter().any(|word| word == "json")
    }

    /// Files that it writes reports to.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str).filter(|word| word.starts_with("out/"))
    }

    /// Whether the pair's truth is what it finds.
    fn finds_truth(&self) -> bool {
        self.is_json() && self.code == 1 && !self.words.iter().any(|word| word == "--first")
    }
}

/// A job, what it gives undisturbed, and the system calls it makes then.
pub struct Rehearsed {
    pub job: Job,
    pub calm: Played,
    pub calls: Vec<Call>,
}

/// Plays every job undisturbed, and again under the shim, which lists its calls and must change nothing.
pub fn rehearse(program: &Program, stage: &Stage, shim: &Shim) -> Result<(Vec<Rehearsed>, Vec<String>), Hindered> {
    let mut wrong = Vec::new();
    let mut rehearsed = Vec::new();
    let mut tids = [Value::Null, Value::Null];
    for (name, code, words, stdin) in JOBS {
        let words = words.replace("REFTID", &tids[0].to_string()).replace("CANDTID", &tids[1].to_string());
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let fed = words.iter().any(|word| word.ends_with(".fifo"));
        let job = Job { name, words, stdin, fed, code };
        let calm = play(program, stage, &job, &Fault::none())?;
        if calm.code != Some(code) {
            wrong.push(format!("{name}, undisturbed: exit {:?}, must be {code}; {}", calm.code, calm.stderr.trim()));
        }
        if job.finds_truth() {
            let report: Value = serde_json::from_slice(&calm.stdout)?;
            wrong.extend(stage.made.truth.hold(&report).into_iter().map(|why| format!("{name}, undisturbed: {why}")));
            let first = &report["pairings"][0];
            tids = ["reference", "candidate"].map(|side| first[side]["tid"].clone());
        }
        let listed = play(program, stage, &job, &Fault::listing(shim))?;
        if (listed.code, &listed.stdout, &listed.left) != (calm.code, &calm.stdout, &calm.left) {
            wrong.push(format!("{name}: the shim alone changes what is found; {}", listed.stderr.trim()));
        }
        rehearsed.push(Rehearsed { job, calm, calls: listed.struck });
    }
    Ok((rehearsed, wrong))
}

/// Name, exit code, words, and the log on standard input.
type Line = (&'static str, i32, &'static str, Option<&'static str>);

const JOBS: [Line; 16] = [
    ("diff, mapped", 1, "diff --format json in/reference.jsonl in/candidate.jsonl", None),
    ("diff, read", 1, "diff --format json --no-mmap in/reference.jsonl in/candidate.jsonl", None),
    (
        "diff, small windows",
        1,
        "diff --format json --no-mmap --window 16K -j 4 in/reference.jsonl in/candidate.jsonl",
        None,
    ),
    ("diff, terminal", 1, "diff --window 64K in/reference.jsonl in/candidate.jsonl", None),
    ("diff, Markdown", 1, "diff --format markdown -j 1 --no-mmap in/reference.jsonl in/candidate.jsonl", None),
    (
        "diff, report files",
        1,
        "diff --format json --details all -o out/report.md -o out/report.json -o out/report.txt \
         in/reference.jsonl in/candidate.jsonl",
        None,
    ),
    ("diff, archives", 1, "diff --format json in/reference.jsonl.gz in/candidate.jsonl.zst", None),
    ("diff, FIFOs", 1, "diff --format json in/reference.fifo in/candidate.fifo", None),
    ("diff, standard input", 1, "diff --format json - in/candidate.jsonl", Some("in/reference.jsonl")),
    ("diff, first", 1, "diff --first --format json in/reference.jsonl in/candidate.jsonl", None),
    ("diff, the same", 0, "diff --format json -o out/report.json in/reference.jsonl in/same.jsonl", None),
    ("diff, lines skipped", 3, "diff --format json --malformed skip in/reference.jsonl in/holes.jsonl", None),
    ("check", 0, "check in/reference.jsonl in/same.jsonl", None),
    ("check, archive", 0, "check in/candidate.jsonl.zst", None),
    ("show, sought", 0, "show in/reference.jsonl --line 20000 -C 9", None),
    (
        "show, both",
        0,
        "show in/reference.jsonl in/candidate.jsonl --thread REFTID --candidate-thread CANDTID --at 2000",
        None,
    ),
];
