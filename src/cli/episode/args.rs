//! What was typed behind `forkpoint episode`.
// Doc comments of arguments are help texts: their brackets are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use serde_json::Value;

use super::super::args::{ColorArg, ReportArgs, parse_jobs};
use super::emit::parse_field;

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint episode list
  forkpoint episode show 01KAQ8
  forkpoint episode diff before/ after/
  forkpoint episode diff --reference before-2/ before-1/ after-1/ after-2/";

/// Reads recorded runs back, whoever recorded them and however they ended, and says what changed between them.
#[derive(Clone, Debug, clap::Args)]
pub struct EpisodeArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: EpisodeCommand,
}

/// What can be done with episodes.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum EpisodeCommand {
    /// What an episode is of, how it ended, its phases and events, and what was measured in each phase
    ///
    /// Exit codes: 0 all could be read, 2 part of it is damaged, or it is no episode. A torn last line is no damage.
    Show(Box<ShowArgs>),
    /// The episodes of a folder, a line each, the newest last
    List(Box<ListArgs>),
    /// What changed between runs: each metric phase by phase, then events and labels
    ///
    /// Exit codes: 0 nothing changed, 1 something did, 2 part of an episode is damaged, 3 no phase was measured on both sides.
    #[command(override_usage = "forkpoint episode diff [OPTIONS] REFERENCE CANDIDATE...")]
    Diff(Box<DiffArgs>),
    /// Tell an episode that is being recorded that something happens now
    ///
    /// Exit codes: 0 it was taken, 2 it was refused, or nobody records the episode.
    #[command(after_help = EMIT_EXAMPLES)]
    Emit(EmitArgs),
}

const EMIT_EXAMPLES: &str = "\
Examples:
  forkpoint episode emit - session_open
  forkpoint episode emit runs/episodes/01KAQ8Z5VJ3M load_done requests=5000 'worst={\"ms\": 12}'";

/// What happens.
#[derive(Clone, Debug, clap::Args)]
pub struct EmitArgs {
    /// The episode's folder; -: as FORKPOINT_EPISODE says, which is set for the target
    #[arg(value_name = "DIR|-")]
    pub folder: PathBuf,
    /// What it is called
    pub event: String,
    /// What is told of it; a value that is JSON is taken as such
    #[arg(value_name = "KEY=VALUE", value_parser = parse_field)]
    pub fields: Vec<(String, Value)>,
}

/// Where episodes are.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct OutArg {
    /// Look for ids in DIR/episodes
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub out: PathBuf,
}

/// What is shown.
#[derive(Clone, Debug, clap::Args)]
pub struct ShowArgs {
    /// The episode's folder, or the beginning of its id
    #[arg(value_name = "EPISODE")]
    pub episode: PathBuf,
    /// Where episodes are.
    #[command(flatten)]
    pub out: OutArg,
    /// Where reports go.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Tell all events, and metrics that are 0 throughout too
    #[arg(long, help_heading = "Report")]
    pub all: bool,
    /// In which colours.
    #[command(flatten)]
    pub color: ColorArg,
}

/// What is listed.
#[derive(Clone, Debug, clap::Args)]
pub struct ListArgs {
    /// The folder in which episodes/ lies [default: the current one]
    #[arg(value_name = "OUT", default_value = ".", hide_default_value = true)]
    pub out: PathBuf,
    /// Where reports go.
    #[command(flatten)]
    pub report: ReportArgs,
    /// In which colours.
    #[command(flatten)]
    pub color: ColorArg,
}

/// What is compared.
#[derive(Clone, Debug, clap::Args)]
pub struct DiffArgs {
    /// The run that was right, and those in question: folders, or beginnings of ids
    #[arg(value_names = ["REFERENCE", "CANDIDATE"], num_args = 0..)]
    pub episodes: Vec<PathBuf>,
    /// A further run of the reference (repeatable)
    ///
    /// The more runs on each side, the better what changed is told from what runs do by themselves.
    #[arg(long, value_name = "EPISODE", help_heading = "Comparing")]
    pub reference: Vec<PathBuf>,
    /// Medians that are less than so many percent apart are the same [default: 5]
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent, help_heading = "Comparing")]
    pub threshold: Option<f64>,
    /// Field of events that never counts; * is any one key (repeatable)
    #[arg(long, value_name = "PATH", help_heading = "Comparing")]
    pub ignore: Vec<String>,
    /// Switch a rule of the profile episode off, by which events are compared (repeatable)
    #[arg(long, value_name = "RULE", help_heading = "Comparing")]
    pub without: Vec<String>,
    /// Where episodes are.
    #[command(flatten)]
    pub out: OutArg,
    /// Where reports go.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Tell what did not change too
    #[arg(long, help_heading = "Report")]
    pub all: bool,
    /// Worker threads [default: one for each processor]
    #[arg(long, short = 'j', value_name = "N", value_parser = parse_jobs, help_heading = "Reading")]
    pub jobs: Option<usize>,
    /// In which colours.
    #[command(flatten)]
    pub color: ColorArg,
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>().ok();
    number
        .filter(|percent| percent.is_finite() && *percent >= 0.0)
        .ok_or_else(|| "write percent as 5 or 2.5".to_owned())
}
