//! Commands run in turn over several rounds; the median of each is what counts.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::Hindered;
use super::table::median;

/// One run from its start to its end, nobody looking on meanwhile.
pub struct Timed {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub wall: f64,
    /// User and system time; the kernel tells it in hundredths of a second.
    pub cpu: f64,
}

/// Runs a command to its end. One at a time: CPU time is that of all children reaped meanwhile.
pub fn timed(command: &mut Command) -> Result<Timed, Hindered> {
    let before = reaped()?;
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    let wall = start.elapsed().as_secs_f64();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Timed { code: output.status.code(), stdout: output.stdout, stderr, wall, cpu: reaped()? - before })
}

/// CPU seconds of all children that have ended.
pub fn reaped() -> Result<f64, Hindered> {
    // The name in brackets may hold anything; behind it stand numbers. Linux counts in hundredths (USER_HZ) everywhere
    // that this runs.
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let (_, behind) = text.rsplit_once(')').ok_or("/proc/self/stat: no name")?;
    let ticks = |at: usize| behind.split_whitespace().nth(at).and_then(|word| word.parse::<f64>().ok());
    let (user, system) = ticks(13).zip(ticks(14)).ok_or("/proc/self/stat: too short")?;
    Ok((user + system) / 100.0)
}

/// One of those that run in turn.
pub struct Entrant<'a> {
    pub name: String,
    pub command: Box<dyn Fn() -> Command + 'a>,
    /// The exit code that a right answer has.
    pub code: i32,
}

impl<'a> Entrant<'a> {
    pub fn new(name: &str, code: i32, command: impl Fn() -> Command + 'a) -> Self {
        Self { name: name.to_owned(), command: Box::new(command), code }
    }

    /// GNU `cmp` of two files that are the same.
    pub fn cmp(one: &'a Path, other: &'a Path) -> Self {
        Self::new("cmp", 0, move || {
            let mut command = Command::new("cmp");
            command.args([one, other]);
            command
        })
    }
}

/// What an entrant did.
pub struct Figures {
    pub walls: Vec<f64>,
    pub cpus: Vec<f64>,
    /// The run before the first round, which warmed the page cache.
    pub first: Timed,
    /// Answers that are not the first one's, or exit codes that are wrong.
    pub wrong: Vec<String>,
}

impl Figures {
    pub fn wall(&self) -> f64 {
        median(&self.walls)
    }

    pub fn cpu(&self) -> f64 {
        median(&self.cpus)
    }
}

/// Runs all of them once to warm up, then all in turn, so many rounds.
pub fn race(entrants: &[Entrant<'_>], rounds: usize) -> Result<Vec<Figures>, Hindered> {
    let mut all = Vec::new();
    for entrant in entrants {
        let first = timed(&mut (entrant.command)())?;
        let mut figures = Figures { walls: Vec::new(), cpus: Vec::new(), first, wrong: Vec::new() };
        if figures.first.code != Some(entrant.code) {
            let Timed { code, stderr, .. } = &figures.first;
            figures.wrong.push(format!("{}: exit {code:?}, must be {}; {}", entrant.name, entrant.code, stderr.trim()));
        }
        all.push(figures);
    }
    for _ in 0..rounds.max(1) {
        for (entrant, figures) in entrants.iter().zip(&mut all) {
            let run = timed(&mut (entrant.command)())?;
            if run.stdout != figures.first.stdout || run.code != figures.first.code {
                figures.wrong.push(format!("{}: two runs on one pair answer differently", entrant.name));
            }
            figures.walls.push(run.wall);
            figures.cpus.push(run.cpu);
        }
    }
    Ok(all)
}
