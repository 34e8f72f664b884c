//! `record` and `episode`: an episode of each mode with every collector at once, each file held against somebody else's readings of the
//! same thing; how punctual the collector of `/proc` is and what it costs; runs with and without a planted slowdown.
//!
//! [`actor`] is what is recorded; [`machine`] is a QEMU, [`readings`] what others say, [`whole`] the episodes, [`ticks`] the collector of
//! `/proc`, [`runs`] the slowdown.

mod actor;
mod machine;
mod readings;
mod runs;
mod ticks;
mod whole;

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::Value;

pub use actor::{Act, act};

use super::{Hindered, Program, Room, Shown};

#[derive(clap::Args)]
pub struct Asked {
    /// How long the collector of /proc is watched, at each interval
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
    /// Runs of each side
    #[arg(long, default_value_t = 3)]
    pub runs: usize,
    /// Be what is recorded
    #[arg(long, hide = true)]
    pub act: Option<Act>,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    let mut wrong = whole::show(program, room)?;
    wrong.extend(ticks::show(program, room, asked.seconds)?);
    wrong.extend(runs::show(program, room, asked.runs)?);
    Ok(wrong)
}

/// This program again, as something to record.
fn actor(words: &[&str]) -> Result<Vec<String>, Hindered> {
    let own = std::env::current_exe()?;
    let own = own.to_str().ok_or("this example lies where no text names it")?;
    Ok([own, "episode", "--act"].iter().chain(words).map(|word| (*word).to_owned()).collect())
}

/// Where a program lies, or that it is skipped.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: {name}");
    }
    found
}

fn rows(path: &Path) -> Result<Vec<Value>, Hindered> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn number(value: &Value) -> Result<u64, Hindered> {
    value.as_u64().ok_or_else(|| format!("{value} is no count").into())
}

/// A process that is ended when nobody needs it.
struct Guarded(Child);

impl Guarded {
    fn start(command: &mut Command) -> Result<Guarded, Hindered> {
        Ok(Guarded(command.spawn().map_err(|error| format!("{command:?}: {error}"))?))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
