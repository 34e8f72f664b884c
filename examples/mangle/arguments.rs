//! The command line.

use std::path::PathBuf;

use clap::Parser;
use forkpoint::cli::args::{RuleArgs, ThreadRoleArg};
use forkpoint::cli::size::parse_size;

use super::kinds::{KINDS, Named};
use super::plant::Asked;
use super::whole::WHOLE;

/// Damages a sound log by a seed, and tells what `forkpoint check` must say of it.
///
/// The damaged log goes to standard output, the list of what must be named to standard error, one JSON object a line:
/// physical line, byte of the log, reason, and the damage it follows from. A reason of null marks damage that is
/// allowed: nothing may be said of it. Equal arguments make equal bytes.
#[derive(Parser)]
#[command(name = "mangle", max_term_width = 100, after_help = EXAMPLES)]
pub struct Arguments {
    /// A sound log: one that `forkpoint check` calls valid under the same rules
    #[arg(value_name = "LOG", required_unless_present = "kinds")]
    pub log: Option<PathBuf>,
    /// Another number damages it in another way
    #[arg(value_name = "SEED", required_unless_present = "kinds")]
    pub seed: Option<u64>,
    /// Damages planted, if the log has room for them
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub faults: usize,
    /// Plant only these kinds of damage (repeatable, or with commas)
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = parse_kind)]
    pub only: Vec<String>,
    /// Write the damaged log there
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the list there
    #[arg(long, value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// Write there what `forkpoint check --limit all` must print of the damaged log, byte for byte
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// Longer lines are malformed, as for check; kinds `long` and `overlong` need 1 MiB or less
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "64MiB")]
    pub max_line: u64,
    /// List the kinds of damage and what check must say of them
    #[arg(long)]
    pub kinds: bool,
    #[command(flatten)]
    pub thread: ThreadRoleArg,
    #[command(flatten)]
    pub rules: RuleArgs,
}

const EXAMPLES: &str = "\
Examples:
  mangle run.jsonl 1 | forkpoint check -
  mangle run.jsonl 1 -o bad.jsonl --expect must.txt
  forkpoint check --limit all bad.jsonl | diff must.txt -
  mangle trace.jsonl 7 --profile generic --thread tid --ordinal seq --faults 100 > bad.jsonl";

impl Arguments {
    /// What is asked for.
    pub fn asked(&self) -> Asked {
        let seed = self.seed.unwrap_or_default();
        Asked { seed, faults: self.faults, max_line: self.max_line, only: self.only.clone() }
    }
}

fn parse_kind(text: &str) -> Result<String, String> {
    let known = KINDS.iter().map(|kind| kind.name).chain(WHOLE.iter().map(|(name, _)| *name));
    match known.into_iter().any(|name| name == text) {
        true => Ok(text.to_owned()),
        false => Err("no such kind of damage; --kinds lists them".to_owned()),
    }
}

/// Every kind of damage, one a line.
pub fn kinds() -> String {
    let says = |named| match named {
        Named::Always => "named",
        Named::Never => "allowed",
        Named::ByOrder => "named where a thread's ordinals then do not grow",
        Named::AsNote => "a note",
    };
    let of_lines = KINDS.iter().map(|kind| (kind.name, says(kind.named)));
    let of_logs = WHOLE.iter().map(|(name, _)| (*name, "of the whole log: named, and nothing else is planted"));
    of_lines.chain(of_logs).map(|(name, says)| format!("{name:22}{says}\n")).collect()
}
