//! Damages a sound log by a seed, and tells what `forkpoint check` must say of it.
//!
//! `cargo run --release --example mangle -- LOG SEED -o bad.jsonl --expect must.txt`, then
//! `forkpoint check --limit all bad.jsonl | diff must.txt -` says nothing. For whoever tests `check`, a logger, or a reader
//! of logs of their own: most kinds of damage are malformed lines, some are merely odd and must be taken.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use forkpoint::cli::decide;
use forkpoint::cli::terminal::Surroundings;

// Not everything that the tests look at is used here.
#[allow(dead_code)]
#[path = "mangle/mod.rs"]
mod mangle;

use mangle::arguments::{Arguments, kinds};
use mangle::{Roles, SoundLog};

fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.kinds {
        return put(None, kinds().as_bytes());
    }
    let rules = decide::rules(&arguments.rules, &arguments.thread.thread, &Surroundings::look());
    let roles = Roles::of(&rules.map_err(|error| format!("{error:#}"))?.layered.profile);
    let log = arguments.log.as_deref().expect("clap demands it");
    let bytes = std::fs::read(log).map_err(|error| format!("{}: {error}", log.display()))?;
    let asked = arguments.asked();
    let sound = SoundLog::read(&bytes, &roles).map_err(|unsound| format!("{}:{unsound}", log.display()))?;
    let mangled = mangle::mangle(&sound, &roles, &asked);
    if mangled.planted.len() < asked.faults && mangled.no_log_of.is_none() {
        eprintln!("mangle: note: {} of {} damages found a place", mangled.planted.len(), asked.faults);
    }
    put(arguments.output.as_deref(), &mangled.bytes)?;
    if let Some(expect) = &arguments.expect {
        let name = arguments.output.as_deref().unwrap_or(Path::new("-")).to_string_lossy();
        put(Some(expect), mangled.report(&name).as_bytes())?;
    }
    match &arguments.list {
        Some(list) => put(Some(list), mangled.list().as_bytes()),
        None => io::stderr().write_all(mangled.list().as_bytes()).map_err(|error| error.to_string()),
    }
}

/// Writes to a file or, without one, to standard output.
fn put(path: Option<&Path>, bytes: &[u8]) -> Result<(), String> {
    match path {
        Some(path) => std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display())),
        None => match io::stdout().write_all(bytes) {
            // Whoever read it has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| error.to_string()),
        },
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mangle: {error}");
            ExitCode::from(2)
        }
    }
}
