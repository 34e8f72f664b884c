//! What was typed. Nothing is decided here: each command's own file says what its arguments mean,
//! [`super::decide`] what a whole `diff` command line means.
// Doc comments of arguments are help texts: their brackets are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use super::audit::AuditArgs;
use super::check::CheckArgs;
use super::diff::DiffArgs;
use super::episode::EpisodeArgs;
use super::generate::GenerateArgs;
use super::output::{Format, Output, parse_output};
use super::profiles::ProfileArgs;
use super::record::RecordArgs;
use super::show::ShowArgs;
use super::snapshot::SnapshotArgs;
use super::state::StateArgs;
use super::{Exit, exit, size};

/// Finds the event where two runs part.
///
/// Reads the event logs of two runs (JSONL, one event a line), aligns them thread by thread, overlooks what may
/// differ from run to run, and tells for every thread the first event that differs.
#[derive(Debug, Parser)]
#[command(name = "forkpoint", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = EXAMPLES, after_long_help = long_after(EXAMPLES))]
pub struct Args {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// First divergence of every thread of two event logs
    #[command(override_usage = "forkpoint diff [OPTIONS] REFERENCE CANDIDATE")]
    #[command(after_help = super::diff::EXAMPLES, after_long_help = long_after(super::diff::EXAMPLES))]
    Diff(Box<DiffArgs>),
    /// Events of one thread around a place in a log
    #[command(after_help = super::show::EXAMPLES, after_long_help = long_after(super::show::EXAMPLES))]
    Show(Box<ShowArgs>),
    /// Validate every line of logs strictly
    #[command(after_help = super::check::EXAMPLES, after_long_help = long_after(super::check::EXAMPLES))]
    Check(Box<CheckArgs>),
    /// Who made, signalled, waited for and woke by each handle, and who still waits
    #[command(after_help = super::audit::EXAMPLES, after_long_help = long_after(super::audit::EXAMPLES))]
    Audit(Box<AuditArgs>),
    /// Two folders of state, each written by one engine at the same moment
    #[command(override_usage = "forkpoint state [OPTIONS] REFERENCE_DIR CANDIDATE_DIR")]
    #[command(after_help = super::state::EXAMPLES, after_long_help = long_after(super::state::EXAMPLES))]
    State(Box<StateArgs>),
    /// Save a machine's state and memory as a pair; describe, verify, compare pairs
    #[command(after_help = super::snapshot::EXAMPLES, after_long_help = long_after(super::snapshot::EXAMPLES))]
    Snapshot(Box<SnapshotArgs>),
    /// Run a command, or watch a process, and keep what was observed as an episode
    #[command(override_usage = "forkpoint record [OPTIONS] -- COMMAND...\n       forkpoint record [OPTIONS] --pid PID")]
    #[command(after_help = super::record::EXAMPLES, after_long_help = long_after(super::record::EXAMPLES))]
    Record(Box<RecordArgs>),
    /// Recorded runs: list and show them, and say what changed between them
    #[command(after_help = super::episode::EXAMPLES, after_long_help = long_after(super::episode::EXAMPLES))]
    Episode(Box<EpisodeArgs>),
    /// List, show and check profiles: the rules for one kind of log
    #[command(after_help = super::profiles::EXAMPLES, after_long_help = long_after(super::profiles::EXAMPLES))]
    Profile(Box<ProfileArgs>),
    /// Print shell completions, the man page, or the JSON Schema of a format
    #[command(after_help = super::generate::EXAMPLES, after_long_help = long_after(super::generate::EXAMPLES))]
    Generate(GenerateArgs),
}

/// Three commands that show what the tool does.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint diff reference.jsonl candidate.jsonl
  forkpoint diff --profile generic --thread tid --ordinal seq --kind op a.jsonl b.jsonl
  forkpoint check run.jsonl";

fn long_after(examples: &str) -> String {
    format!("{examples}\n\n{}\n\n{}", exit::EXIT_CODES, exit::ENVIRONMENT)
}

impl Args {
    /// Reads the command line; help and version are printed and end the process with 0, wrong usage with 2.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn read() -> anyhow::Result<Args> {
        let typed: Vec<OsString> = std::env::args_os().collect();
        if typed.len() < 2 {
            super::tell(&format!(
                "forkpoint finds the event where two runs part. {EXAMPLES}\n\nMore: forkpoint --help"
            ));
            std::process::exit(i32::from(Exit::TROUBLE.0));
        }
        Args::try_parse_from(typed).map_err(|error| {
            // A closed pipe behind `--help | head -1` is no trouble.
            let _ = error.print();
            std::process::exit(error.exit_code())
        })
    }
}

/// What rules the logs follow. The thread role has a flag of its own in each command, because `show --thread`
/// names a thread and not a field.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Rules")]
pub struct RuleArgs {
    /// Rules to start from: a name or a TOML file [default: schema-v1]
    ///
    /// A forkpoint.toml in the current folder or above is the project's own profile, and the default. If NAME or FILE is, or extends,
    /// the profile that it extends, its rules are laid in between; else it is left out.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// Look for no forkpoint.toml in the current folder and above
    #[arg(long, hide_short_help = true)]
    pub no_project: bool,
    /// Field that numbers a thread's events; none: their order counts
    #[arg(long, value_name = "PATH")]
    pub ordinal: Option<String>,
    /// Field that tells an event's kind; none: all are of one kind
    #[arg(long, value_name = "PATH")]
    pub kind: Option<String>,
    /// Field that is compared; *: the whole line less those above
    #[arg(long, value_name = "PATH|*")]
    pub payload: Option<String>,
    /// Field that never counts; * is any one key (repeatable)
    #[arg(long, value_name = "PATH")]
    pub ignore: Vec<String>,
    /// Bits that never count, as in payload.p=0x30 (repeatable)
    #[arg(long, value_name = "PATH=BITS")]
    pub mask: Vec<String>,
    /// Switch one of the profile's rules off (repeatable)
    #[arg(long, value_name = "RULE")]
    pub without: Vec<String>,
    /// Compare addresses returned by allocators too: the same as --without allocator-returns
    #[arg(long, hide_short_help = true)]
    pub no_canonicalize_allocators: bool,
    /// Drop the first N events of every thread
    #[arg(long, value_name = "N")]
    pub skip_start: Option<u64>,
}

/// The thread role, where `--thread` names fields.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Rules")]
pub struct ThreadRoleArg {
    /// Field that names the thread; several make one key; none: one thread
    ///
    /// Repeatable, or with commas. Paths are written payload.args[0] or /payload/args/0.
    #[arg(long, alias = "thread-role", value_name = "PATH")]
    pub thread: Vec<String>,
}

/// How logs are read. None of this changes an answer.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadArgs {
    /// Worker threads [default: one for each processor]
    #[arg(long, short = 'j', value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
    /// Read files with plain reads instead of mapping them
    #[arg(long, hide_short_help = true)]
    pub no_mmap: bool,
    /// Tuning: bytes read at a time; changes speed and memory, never an answer [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = size::parse_size, hide_short_help = true)]
    pub window: Option<u64>,
    /// Longer lines are malformed [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = size::parse_size, hide_short_help = true)]
    pub max_line: Option<u64>,
    /// Bytes of a pipe that may lie in its temporary file while the other log lags [default: 64GiB]
    #[arg(long, value_name = "SIZE", value_parser = size::parse_size, hide_short_help = true)]
    pub spool_limit: Option<u64>,
    /// Unpack zstd archives made with --long up to this, as a power of two in bytes [default: 27]
    #[arg(long, value_name = "10..31", value_parser = clap::value_parser!(u32).range(10..=31))]
    #[arg(hide_short_help = true)]
    pub zstd_window_log_max: Option<u32>,
}

/// Where reports go.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// Report on stdout as terminal, markdown or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, hide_possible_values = true)]
    pub format: Format,
    /// Write the report to a .md, .json or .txt file too (repeatable)
    ///
    /// Other names need the format before them, as in json:report. Files are written whole or not at all.
    #[arg(short, long, value_name = "[FORMAT:]FILE", value_parser = parse_output)]
    pub output: Vec<Output>,
}

/// In which colours reports are.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Display")]
pub struct ColorArg {
    /// Colour on standard output
    #[arg(long = "color", value_enum, value_name = "auto|always|never", default_value_t, hide_possible_values = true)]
    pub when: When,
}

/// How much is said beside the report, and in which colours.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Display")]
pub struct TalkArgs {
    /// In which colours.
    #[command(flatten)]
    pub color: ColorArg,
    /// Progress on standard error; auto: on a terminal, after half a second
    #[arg(long, value_enum, value_name = "auto|always|never", default_value_t, hide_possible_values = true)]
    #[arg(hide_short_help = true)]
    pub progress: When,
    /// No progress, notes or hints
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Times and rates of each stage on standard error
    #[arg(long, short)]
    pub verbose: bool,
}

/// A choice that by itself depends on where output goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// As the terminal and the environment suggest.
    #[default]
    Auto,
    /// Whatever they suggest.
    Always,
    /// Not at all.
    Never,
}

/// One log, `-` for standard input.
pub type LogPath = PathBuf;

pub(super) fn parse_jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one worker is needed".to_owned()),
        Ok(jobs) if jobs <= JOBS_MAX => Ok(jobs),
        Ok(_) => Err(format!("more than {JOBS_MAX} workers are no help")),
        Err(_) => Err("is no number of workers".to_owned()),
    }
}

/// More workers than any machine has processors for.
const JOBS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_parser_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn short_help_fits_a_screen() {
        for command in Args::command().get_subcommands_mut() {
            let lines = command.render_help().to_string().lines().count();
            assert!(lines <= 49, "{}: {lines} lines", command.get_name());
        }
    }

    #[test]
    fn no_workers_are_refused() {
        assert!(parse_jobs("0").is_err() && parse_jobs("x").is_err() && parse_jobs("100000").is_err());
        assert_eq!(parse_jobs("3"), Ok(3));
    }
}
