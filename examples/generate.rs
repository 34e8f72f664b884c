//! Makes a pair of event logs of any size, and the truth about them.
//!
//! `cargo run --release --example generate -- --out DIR --bytes 1G --diverge 2:1000:value`
//! writes `DIR/reference.jsonl`, `DIR/candidate.jsonl` and `DIR/truth.json`. The same options
//! always make the same bytes. The two logs tell the same story with other tids, clocks,
//! cycle counts, raw handles, heap addresses, waiting times and another interleaving of the
//! threads; where threads part, `truth.json` says where and how. `--shape flat` makes
//! instruction traces instead; the flags that `forkpoint diff` needs for them are printed.

use std::io;
use std::process::ExitCode;

use clap::Parser;

// Not everything the generator offers is used here.
#[allow(dead_code, unused_imports)]
#[path = "generate/mod.rs"]
mod generate;

use generate::arguments::Arguments;
use generate::lane::Side;
use generate::{Options, Pair};

fn run(arguments: &Arguments) -> Result<(), String> {
    let options = arguments.options()?;
    tell(&options);
    let sides = [Side::Reference, Side::Candidate];
    let targets = [arguments.target(sides[0])?, arguments.target(sides[1])?];
    let pair = Pair::new(options)?;
    if let Some(folder) = &arguments.out {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    if let (Some(side), None) = (arguments.only, &arguments.out) {
        let target = if side == Side::Reference { &targets[0] } else { &targets[1] };
        let written = match pair.write_one(side, target) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        return arguments.written.as_ref().map_or(Ok(()), |path| put(path, &Pair::written_to_json(&written)));
    }
    let write = if arguments.in_turn { Pair::write_in_turn } else { Pair::write };
    let (reference, candidate) = match write(&pair, &targets[0], &targets[1]) {
        Ok(written) => written,
        // Whoever read the stream has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    match &arguments.out {
        Some(folder) => put(&folder.join("truth.json"), &pair.truth(&reference, &candidate)),
        None => Ok(()),
    }
}

fn put(path: &std::path::Path, value: &serde_json::Value) -> Result<(), String> {
    std::fs::write(path, format!("{value:#}\n")).map_err(|error| format!("{}: {error}", path.display()))
}

/// Logs that are not in schema-v1 need flags; whoever made them should know which.
fn tell(options: &Options) {
    let flags = options.flags();
    if !flags.is_empty() {
        eprintln!("generate: compare with: forkpoint diff {} REFERENCE CANDIDATE", flags.join(" "));
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate: {error}");
            ExitCode::from(2)
        }
    }
}
