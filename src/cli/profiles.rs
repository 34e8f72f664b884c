//! `forkpoint profile`: the rules for one kind of log, listed, shown, checked.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::args::{RuleArgs, ThreadRoleArg};
use super::decide::{self, Rules};
use super::infer::{self, InferArgs};
use super::terminal::Surroundings;
use super::{Exit, output, tell};
use crate::{profile, state};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint profile list
  forkpoint profile show generic --thread tid --ignore payload.time > my.toml
  forkpoint profile check my.toml
  forkpoint profile infer run-1.jsonl run-2.jsonl run-3.jsonl -o my.toml";

/// A profile says where a line keeps its thread, ordinal, kind and payload, and which differences do not count.
#[derive(Clone, Debug, clap::Args)]
pub struct ProfileArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ProfileCommand,
}

/// What can be done with profiles.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum ProfileCommand {
    /// Name the built-in profiles
    List,
    /// Print the effective rules as a commented file, ready to edit, with where each came from
    ///
    /// With the flags of diff it shows what a run with those flags would use. A profile named without --profile is
    /// shown alone, whatever forkpoint.toml there is.
    Show(Box<ProfileShowArgs>),
    /// Say whether a file is a sound profile, and what in it has no effect
    Check {
        /// The profile
        file: PathBuf,
    },
    /// Propose rules from what differs between runs of one program
    ///
    /// Runs that ought to be the same are compared, and whatever differs becomes a rule as narrow as what was seen allows.
    /// The more runs, the better the rules. Exit codes: 0 all runs are identical under them, 1 something is left that no
    /// rule overlooks, 2 trouble.
    Infer(Box<InferArgs>),
}

/// Which rules to show.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ProfileShowArgs {
    /// A built-in profile or a file [default: what a run without --profile would use]
    #[arg(value_name = "NAME|FILE", conflicts_with = "profile")]
    pub name: Option<String>,
    /// The thread role.
    #[command(flatten)]
    pub thread: ThreadRoleArg,
    /// The other rules.
    #[command(flatten)]
    pub rules: RuleArgs,
}

/// Does what was asked.
///
/// # Errors
/// A profile that is none, or standard output cannot be written.
pub fn run(args: ProfileArgs) -> anyhow::Result<Exit> {
    match args.command {
        ProfileCommand::List => list(),
        ProfileCommand::Show(args) => show(*args),
        ProfileCommand::Check { file } => check(&file),
        ProfileCommand::Infer(args) => infer::run(*args),
    }
}

fn list() -> anyhow::Result<Exit> {
    let of_logs = profile::builtins().into_iter().map(|profile| (profile.name, profile.description));
    let of_states = state::builtins().into_iter().map(|rules| (rules.name, rules.description));
    let all: Vec<(String, String)> = of_logs.chain(of_states).collect();
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = all.iter().map(|(name, description)| format!("{name:width$}  {description}\n"));
    output::print(lines.collect::<String>().as_bytes())?;
    Ok(Exit::SAME)
}

fn show(args: ProfileShowArgs) -> anyhow::Result<Exit> {
    if let Some(text) = args.name.as_deref().and_then(state::builtin_text) {
        output::print(text.as_bytes())?;
        return Ok(Exit::SAME);
    }
    // A profile shown by its name is that one alone; --profile shows what a run with that flag would use.
    let no_project = args.rules.no_project || args.name.is_some();
    let rules = RuleArgs { profile: args.name.or(args.rules.profile), no_project, ..args.rules };
    let Rules { layered, notes, .. } = decide::rules(&rules, &args.thread.thread, &Surroundings::look())?;
    notes.iter().for_each(|note| tell(note));
    output::print(profile::show_layered(&layered).as_bytes())?;
    Ok(Exit::SAME)
}

/// Whether a profile is one of state folders: those name files, or extend one that does.
fn is_of_states(text: &str) -> bool {
    let table: Option<toml::Table> = toml::from_str(text).ok();
    table.is_some_and(|table| {
        let extends = table.get("extends").and_then(toml::Value::as_str);
        table.contains_key("files") || extends.is_some_and(|name| state::builtin(name).is_some())
    })
}

fn check(file: &Path) -> anyhow::Result<Exit> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the profile {}", file.display()))?;
    if is_of_states(&text) {
        let rules = state::load(&file.to_string_lossy())?;
        let files = rules.files.join(", ");
        let text = format!("{}: sound: profile {} of state folders; files: {files}\n", file.display(), rules.name);
        output::print(text.as_bytes())?;
        return Ok(Exit::SAME);
    }
    let (profile, remarks) = profile::check(&text, &file.to_string_lossy())?;
    for remark in remarks {
        tell(&format!("note: {remark}"));
    }
    let rules = profile.rule_names().join(", ");
    let text =
        format!("{}: sound: profile {}; rules that overlook differences: {rules}\n", file.display(), profile.name);
    output::print(text.as_bytes())?;
    Ok(Exit::SAME)
}
