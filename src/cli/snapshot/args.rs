//! What was typed behind `forkpoint snapshot`.
// Doc comments of arguments are help texts: their brackets are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use clap::ValueEnum;

use super::super::args::{ColorArg, ReportArgs, parse_jobs};
use super::super::pair::parse_pair;
use super::super::size::{Limit, parse_limit, parse_size};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint snapshot save --state state.json --memory ram.bin before.snap
  forkpoint snapshot save --state later.json --memory later.bin --dirty-from before.snap after.snap
  forkpoint snapshot describe after.snap
  forkpoint snapshot rebase before.snap after.snap -o whole.snap
  forkpoint snapshot diff before.snap whole.snap";

/// Keeps a machine's state and its memory as two files, whole or not at all: NAME.snap and NAME.mem.
#[derive(Clone, Debug, clap::Args)]
pub struct SnapshotArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SnapshotCommand,
}

/// What can be done with snapshots.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum SnapshotCommand {
    /// Save a state and a memory, or what of the memory changed, as a pair
    ///
    /// A crash at any moment leaves the pair that stood there, or the new one.
    Save(Box<SaveArgs>),
    /// Write the state and the memory of a pair into files
    Load(Box<LoadArgs>),
    /// Say what a state file is, also a damaged one, one of a newer version, or another tool's
    Describe {
        /// The state file
        file: PathBuf,
        /// What it is told as: terminal or json
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t, hide_possible_values = true)]
        format: DescribeFormat,
    },
    /// Look at every byte of a pair
    ///
    /// Exit codes: 0 sound, 1 damaged, 2 it cannot be read, or is none of ours.
    Verify {
        /// The state file
        file: PathBuf,
        /// Its memory file [default: what the state file says, else FILE with the extension mem]
        #[arg(long, value_name = "FILE")]
        memory: Option<PathBuf>,
        /// Worker threads [default: one for each processor]
        #[arg(long, short = 'j', value_name = "N", value_parser = parse_jobs)]
        jobs: Option<usize>,
    },
    /// Compare two pairs: the state as `forkpoint state` does, the memory to the byte
    #[command(override_usage = "forkpoint snapshot diff [OPTIONS] REFERENCE CANDIDATE")]
    Diff(Box<DiffArgs>),
    /// Make one full snapshot of a full one and the diffs that follow it
    Rebase {
        /// The full snapshot
        base: PathBuf,
        /// The diffs, each of which follows the one before
        #[arg(required = true, value_name = "DIFF")]
        diffs: Vec<PathBuf>,
        /// The new state file; its memory is beside it, with the extension mem
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// Worker threads [default: one for each processor]
        #[arg(long, short = 'j', value_name = "N", value_parser = parse_jobs)]
        jobs: Option<usize>,
    },
}

/// What is saved.
#[derive(Clone, Debug, clap::Args)]
pub struct SaveArgs {
    /// The state file to write; its memory is beside it, with the extension mem
    #[arg(value_name = "NAME.snap")]
    pub file: PathBuf,
    /// The state, any JSON document; - is standard input
    #[arg(long, value_name = "JSON")]
    pub state: PathBuf,
    /// The memory, byte for byte
    #[arg(long, value_name = "FILE")]
    pub memory: PathBuf,
    /// Where the memory goes, be it another disk [default: beside NAME.snap, with the extension mem]
    #[arg(long, value_name = "FILE")]
    pub memory_out: Option<PathBuf>,
    /// Save only what differs from a full snapshot, or from one and the diffs that follow it (repeatable, in their order)
    #[arg(long, value_name = "PREVIOUS")]
    pub dirty_from: Vec<PathBuf>,
    /// Bytes of a page: a power of two where --dirty-from is given [default: 4096]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub page_size: Option<u64>,
    /// The address of the memory's first byte
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    pub ram_start: Option<u64>,
    /// Taken right before the event of a thread that bears this number, as in 6:1234
    #[arg(long, value_name = "THREAD:ORDINAL", conflicts_with = "events")]
    pub at: Option<String>,
    /// Taken after so many events of the log
    #[arg(long, value_name = "N")]
    pub events: Option<u64>,
    /// Something to be kept beside it (repeatable)
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub meta: Vec<(String, String)>,
    /// Worker threads [default: one for each processor]
    #[arg(long, short = 'j', value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
}

/// What is loaded.
#[derive(Clone, Debug, clap::Args)]
pub struct LoadArgs {
    /// The state file
    pub file: PathBuf,
    /// Where the state goes, as JSON; - is standard output
    #[arg(long, value_name = "OUT")]
    pub state: Option<PathBuf>,
    /// Where the memory goes
    #[arg(long, value_name = "OUT")]
    pub memory: Option<PathBuf>,
    /// Worker threads [default: one for each processor]
    #[arg(long, short = 'j', value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
}

/// What is compared.
#[derive(Clone, Debug, clap::Args)]
pub struct DiffArgs {
    /// The state files of two full snapshots
    #[arg(value_names = ["REFERENCE", "CANDIDATE"], num_args = 2, required = true)]
    pub files: Vec<PathBuf>,
    /// Rules: a name or a TOML file, for the files snapshot.json, state.json and memory [default: snapshot-v1]
    #[arg(long, value_name = "NAME|FILE", default_value = "snapshot-v1", hide_default_value = true)]
    pub profile: String,
    /// Differences of the host's allocator and clock count too
    #[arg(long)]
    pub strict_classes: bool,
    /// Where reports go.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Tell so many differences of each class, or all
    #[arg(long, value_name = "N|all", default_value = "200", value_parser = parse_limit, help_heading = "Report")]
    pub details: Limit,
    /// Worker threads [default: one for each processor]
    #[arg(long, short = 'j', value_name = "N", value_parser = parse_jobs, help_heading = "Reading")]
    pub jobs: Option<usize>,
    /// In which colours.
    #[command(flatten)]
    pub color: ColorArg,
}

/// As what a state file is described.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DescribeFormat {
    /// For people.
    #[default]
    Terminal,
    /// For programs.
    Json,
}

fn parse_address(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = digits.map_or_else(|| text.parse(), |digits| u64::from_str_radix(digits, 16));
    number.map_err(|_| "write an address as 0x80000000".to_owned())
}
