//! What people use without forkpoint, each asked the way it is used.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::super::program::watched;
use super::super::record::says;
use super::super::{Hindered, Run};
use super::place::Said;

/// A pair as it is put before a tool.
pub struct Task<'a> {
    pub reference: &'a Path,
    pub candidate: &'a Path,
    /// The threads' true partners: 6=1,7=2.
    pub map: &'a str,
    pub scratch: &'a Path,
}

pub struct Tool {
    pub name: &'static str,
    /// What it was told that forkpoint was not.
    pub told: &'static str,
    how: How,
}

enum How {
    Cmp,
    Diff,
    /// A process that answers a line for a line.
    Script(Box<Script>),
}

struct Script {
    child: Child,
    /// None once it is over.
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// The tools that are there, and why others are not.
pub struct Toolbox {
    pub tools: Vec<Tool>,
    pub skipped: Vec<(&'static str, String)>,
}

/// Where the scripts lie and what runs them.
pub struct Scripts<'a> {
    pub folder: &'a Path,
    pub python: &'a str,
}

const RULES: &str = "noisy fields";
const ALL: &str = "noisy fields, threads' partners";

impl Toolbox {
    pub fn open(scripts: &Scripts<'_>) -> Toolbox {
        let mut box_ = Toolbox { tools: Vec::new(), skipped: Vec::new() };
        for (name, how) in [("cmp", How::Cmp), ("diff", How::Diff)] {
            match found(name, &["--version"]) {
                Ok(_) => box_.tools.push(Tool { name, told: "", how }),
                Err(why) => box_.skipped.push((name, why)),
            }
        }
        let python = scripts.python;
        let asked: [(_, _, _, &[&str], _, _); 3] = [
            ("positional", RULES, python, &["--version"], python, "positional.py"),
            ("jq + diff", ALL, "jq", &["--version"], "bash", "jq_diff.sh"),
            (
                "DuckDB",
                ALL,
                python,
                &["-c", "import duckdb, numpy; print(duckdb.__version__)"],
                python,
                "duckdb_first.py",
            ),
        ];
        for (name, told, tool, probe, runs, file) in asked {
            let script = found(tool, probe).and_then(|_| Script::start(runs, &scripts.folder.join(file)));
            match script {
                Ok(script) => box_.tools.push(Tool { name, told, how: How::Script(Box::new(script)) }),
                Err(why) => box_.skipped.push((name, why)),
            }
        }
        box_
    }
}

/// A tool's version, or that it is not there.
pub fn found(tool: &str, probe: &[&str]) -> Result<String, String> {
    let version = says(tool, probe);
    if version.is_empty() || version.ends_with("is missing") { Err("not installed".to_owned()) } else { Ok(version) }
}

impl Tool {
    /// Whether it knows the fields of schema-v1 and of nothing else.
    pub fn is_of_schema_v1(&self) -> bool {
        matches!(self.how, How::Script(_))
    }

    /// What it says of a pair.
    pub fn ask(&mut self, task: &Task<'_>) -> Result<Said, Hindered> {
        Ok(match &mut self.how {
            How::Cmp => cmp(&plain("cmp", task)?, task),
            How::Diff => diff(&plain("diff", task)?),
            How::Script(script) => script.ask(task),
        })
    }
}

fn plain(tool: &str, task: &Task<'_>) -> Result<Run, Hindered> {
    watched(Command::new(tool).args([task.reference, task.candidate]).env("LC_ALL", "C"))
}

/// The line of the first byte that differs, or of the first byte that only one log has.
fn cmp(run: &Run, task: &Task<'_>) -> Said {
    let number = |text: &str, before: &str| -> Option<u64> { text.trim_end().rsplit_once(before)?.1.parse().ok() };
    let stdout = String::from_utf8_lossy(&run.stdout);
    let parts = |lines| Said::Parts { lines, kind: None };
    if run.code == Some(0) {
        return Said::Same;
    }
    if let Some(line) = number(&stdout, " line ") {
        return parts([Some(line), None]);
    }
    // "EOF on FILE after byte N, line M" where a whole line is the last, "in line M" where a piece is.
    let Some(line) = number(&run.stderr, " line ") else { return Said::Nothing(run.stderr.clone()) };
    let next = line + u64::from(!run.stderr.contains("in line "));
    let is_reference_short = run.stderr.contains(&format!("EOF on {} ", task.reference.display()));
    parts(if is_reference_short { [None, Some(next)] } else { [Some(next), None] })
}

/// The first hunk.
fn diff(run: &Run) -> Said {
    if run.code == Some(0) {
        return Said::Same;
    }
    let stdout = String::from_utf8_lossy(&run.stdout);
    let hunk = stdout.lines().next().unwrap_or_default();
    let line = |range: &str| range.split(',').next().and_then(|line| line.parse::<u64>().ok());
    let Some(at) = hunk.find(['a', 'c', 'd']) else { return Said::Nothing(hunk.to_owned()) };
    let (lines, kind) = match &hunk[at..=at] {
        "a" => ([None, line(&hunk[at + 1..])], "extra"),
        "d" => ([line(&hunk[..at]), None], "missing"),
        _ => ([line(&hunk[..at]), line(&hunk[at + 1..])], "value"),
    };
    Said::Parts { lines, kind: Some(kind.to_owned()) }
}

impl Script {
    fn start(runs: &str, file: &PathBuf) -> Result<Script, String> {
        if !file.is_file() {
            return Err(format!("{} is missing", file.display()));
        }
        let mut command = Command::new(runs);
        command.arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let (asks, answers) = (child.stdin.take(), child.stdout.take().expect("piped"));
        Ok(Script { child, asks, answers: BufReader::new(answers) })
    }

    /// A script that has ended answers nothing more.
    fn ask(&mut self, task: &Task<'_>) -> Said {
        let Task { reference, candidate, map, scratch } = task;
        let line = format!("{}\t{}\t{map}\t{}\n", reference.display(), candidate.display(), scratch.display());
        let mut answer = String::new();
        let asked = self.asks.as_mut().map(|asks| asks.write_all(line.as_bytes()).and_then(|()| asks.flush()));
        match asked.map(|asked| asked.and_then(|()| self.answers.read_line(&mut answer))) {
            Some(Ok(1..)) => Said::of_script(answer.trim_end()),
            _ => Said::Nothing("it has ended".to_owned()),
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // Without input it ends by itself; one that does not is no reason to wait for ever.
        drop(self.asks.take());
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
