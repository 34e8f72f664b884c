//! Runs a real program whose threads wait for each other, and logs what `forkpoint audit` wants to know.
//!
//! `cargo run --release --example eventshim -- LOG [--seed N] [--without N]`
//! where LOG is the file to write, N of `--seed` decides how much there is to do, and N of `--without` which call that
//! signals an object is forgotten, as a bug would have it. The program notices that no thread can go on, and ends its log there.
//! What truly happened is printed on one line: who waits for what, and which call, on which line of the source, was left out.

use std::process::ExitCode;

#[path = "eventshim/mod.rs"]
mod eventshim;

use eventshim::job::{Plan, run};

const USAGE: &str = "usage: eventshim LOG [--seed N] [--without N]";

struct Arguments {
    log: String,
    seed: u64,
    without: Option<u64>,
}

/// Plain code instead of clap, so that the example builds without the command line's crates.
fn arguments() -> Result<Arguments, String> {
    let (mut log, mut seed, mut without) = (None, 1, None);
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        let mut number = || -> Result<u64, String> {
            let number = given.next().ok_or(USAGE)?;
            number.parse().map_err(|_| format!("{number}: not a number"))
        };
        match &*argument {
            "--seed" => seed = number()?,
            "--without" => without = Some(number()?),
            _ => log = Some(argument),
        }
    }
    Ok(Arguments { log: log.ok_or(USAGE)?, seed, without })
}

fn main() -> ExitCode {
    let Arguments { log, seed, without } = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let plan = Plan::of(seed);
    let forgotten = without.map(|number| plan.forgotten(number));
    let outcome = run(plan, forgotten);
    if let Err(error) = std::fs::write(&log, &outcome.log) {
        eprintln!("{log}: {error}");
        return ExitCode::from(2);
    }
    println!("{}", outcome.json());
    ExitCode::SUCCESS
}
