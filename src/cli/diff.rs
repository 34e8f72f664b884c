//! `forkpoint diff`: the first divergence of every thread.
// Doc comments of arguments are help texts: their brackets are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use toml::value::Date;

use super::args::{LogPath, ReadArgs, ReportArgs, RuleArgs, TalkArgs, ThreadRoleArg};
use super::decide::{self, DiffPlan};
use super::labels::{self, parse_labels};
use super::lanes::{self, parse_map};
use super::output::{self, Format, To};
use super::progress::Watch;
use super::size::{parse_size, show_count};
use super::terminal::Surroundings;
use super::{Exit, accepting, begin, complain, nearest, origin, state, tell, workers};
use crate::align::{LaneName, Malformed, MapChoice, RunOptions};
use crate::diverge::{self, LineFault, Outcome, RunError};
use crate::infer;
use crate::profile::Profile;
use crate::report::{self, Details, ReportContext, Story, Verdict};
use crate::source::{Damage, Keep, Log, Side, has_headroom};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint diff reference.jsonl candidate.jsonl
  forkpoint diff --map 6=1,7=2 --ignore payload.time reference.jsonl candidate.jsonl
  forkpoint diff --format json -o report.md reference.jsonl candidate.jsonl.gz";

/// Compares the event logs of two runs thread by thread and tells where each thread first differs.
///
/// Mapped files must not be cut short while they are read; that is noticed and told, and --no-mmap avoids it.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(args_override_self = true)]
pub struct DiffArgs {
    /// The log of the right run, and of the run in question; - is stdin
    ///
    /// gzip and zstd archives are known by their content, also in pipes, and unpacked while they are read.
    #[arg(value_names = ["REFERENCE", "CANDIDATE"], num_args = 0..=2)]
    pub inputs: Vec<LogPath>,

    /// Which threads belong together: auto, same (equal keys), or 6=1,7=2
    ///
    /// A bare number is the integer, "6" the string, 6#1 the second generation of thread 6, [1,2] a composite key.
    /// With pairs, other threads are not compared.
    #[arg(long, value_name = "MAP", value_parser = parse_map, alias = "tid-map", help_heading = "Comparing")]
    pub map: Option<MapChoice>,
    /// A malformed line ends its log, or is stepped over
    #[arg(
        long,
        value_enum,
        value_name = "error|skip",
        default_value_t,
        hide_possible_values = true,
        help_heading = "Comparing"
    )]
    pub malformed: MalformedArg,
    /// Validate every line wholly
    #[arg(long, help_heading = "Comparing")]
    pub strict: bool,
    /// Of events marked nondeterministic compare only kind and ordinal
    #[arg(long, help_heading = "Comparing", hide_short_help = true)]
    pub skip_nondeterministic: bool,
    /// Follow so many objects of each log at one time, by identity rules [default: 4194304]
    ///
    /// Each takes about a hundred bytes. Where a log has more, it is told from which line on values that mean objects are
    /// not told apart, and such a run does not end as identical.
    #[arg(long, value_name = "N", help_heading = "Comparing", hide_short_help = true)]
    pub identity_limit: Option<usize>,
    /// Only the divergence that comes first: stop as soon as it is certain
    ///
    /// It is the one that comes first without this flag, told without totals. Programs that write the logs into pipes
    /// are stopped.
    #[arg(long, help_heading = "Comparing")]
    pub first: bool,
    /// Tell up to so many further divergences of each thread, wherever both sides agree again in between
    ///
    /// They stand in the report behind the thread's first divergence, and never come first in the run.
    #[arg(long = "continue", value_name = "N", default_value_t = 0, hide_default_value = true)]
    #[arg(help_heading = "Comparing", hide_short_help = true, conflicts_with = "first")]
    pub further: u64,
    /// Accept that a thread ends before its partner
    #[arg(long, help_heading = "Comparing")]
    pub prefix: bool,
    /// Accept threads without a partner
    #[arg(long, help_heading = "Comparing")]
    pub ignore_unmatched: bool,
    /// Go on past the divergences that this file tolerates (repeatable)
    ///
    /// Each has its reason in the file, and may have a last day. What is accepted is counted; the rest is told as ever.
    #[arg(long, value_name = "FILE", help_heading = "Comparing")]
    pub accept: Vec<PathBuf>,
    /// Add the divergences found to such a file
    ///
    /// Their reasons are left to be said, and --accept takes the file only once they are. What the file holds stays.
    #[arg(long, value_name = "FILE", help_heading = "Comparing", hide_short_help = true)]
    pub write_accept: Option<PathBuf>,

    /// Look so far back for where the first differing value came from [default: 1GiB]
    ///
    /// The last event of each log, before the first divergence, that mentions the value; with checkpoints, the last one
    /// before. 0: not at all. Only files that are not packed are searched.
    #[arg(long, value_name = "BYTES", value_parser = parse_limit, help_heading = "Report", hide_short_help = true)]
    pub origin_limit: Option<u64>,

    /// The states in which the runs began: what must be equal there is looked at first
    ///
    /// Folders as forkpoint state compares them. If it is not equal, or nobody knows, nothing that follows is certain.
    #[arg(long, value_names = ["REF_DIR", "CAND_DIR"], num_args = 2, help_heading = "Comparing", hide_short_help = true)]
    pub state: Vec<PathBuf>,
    /// What the folders of --state hold: a name or a TOML file [default: state-v1]
    #[arg(long, value_name = "NAME|FILE", help_heading = "Comparing", hide_short_help = true)]
    pub state_profile: Option<String>,
    /// The imports of the loaded image, for the states: their slots are masked
    #[arg(long, value_name = "FILE", help_heading = "Comparing", hide_short_help = true)]
    pub xex_json: Option<PathBuf>,

    /// Name the nearest snapshots of both runs before the first divergence
    ///
    /// They are looked for in DIR/reference and DIR/candidate; those of one moment (forkpoint snapshot save --at, --events) make a pair.
    #[arg(long, value_name = "DIR", help_heading = "Comparing", hide_short_help = true)]
    pub snapshots: Option<PathBuf>,

    /// If they differ, propose a rule for each field that differs nearly everywhere
    ///
    /// Such a field looks like telemetry. Both logs are read once more; forkpoint profile infer learns more from runs that
    /// ought to be the same.
    #[arg(long, help_heading = "Comparing", hide_short_help = true)]
    pub suggest: bool,

    /// The thread role.
    #[command(flatten)]
    pub thread: ThreadRoleArg,
    /// The other rules.
    #[command(flatten)]
    pub rules: RuleArgs,

    /// Where reports go.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Tell so many divergences in detail [default: 1]
    #[arg(long, value_name = "N|all", value_parser = parse_details, help_heading = "Report")]
    pub details: Option<Details>,
    /// What the two sides are called
    #[arg(long, value_name = "REF,CAND", value_parser = parse_labels, help_heading = "Report")]
    pub label: Option<[String; 2]>,
    /// Print nothing if the same, else one line on stderr
    #[arg(long, help_heading = "Report")]
    pub validate_identical: bool,

    /// How to read.
    #[command(flatten)]
    pub read: ReadArgs,
    /// What to say.
    #[command(flatten)]
    pub talk: TalkArgs,

    /// Take every line apart the exact way: slower, the same answer.
    #[arg(long, hide = true)]
    pub no_layouts: bool,
    /// The day by which what was accepted may have expired, for tests.
    #[arg(long, hide = true, value_name = "DATE", value_parser = accepting::parse_day)]
    pub today: Option<Date>,
    /// The reference, for old scripts.
    #[arg(long, hide = true, value_name = "LOG")]
    pub canary: Option<PathBuf>,
    /// The candidate, for old scripts.
    #[arg(long, hide = true, value_name = "LOG")]
    pub ours: Option<PathBuf>,
    /// A Markdown report, for old scripts.
    #[arg(long, hide = true, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `--malformed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MalformedArg {
    /// It ends its log, or its pairing, there.
    #[default]
    Error,
    /// It is stepped over and counted.
    Skip,
}

impl From<MalformedArg> for Malformed {
    fn from(typed: MalformedArg) -> Malformed {
        match typed {
            MalformedArg::Error => Malformed::Error,
            MalformedArg::Skip => Malformed::Skip,
        }
    }
}

fn parse_details(text: &str) -> Result<Details, String> {
    match text {
        "all" => Ok(Details::All),
        number => number.parse().map(Details::Count).map_err(|_| "write a number, or all".to_owned()),
    }
}

fn parse_limit(text: &str) -> Result<u64, String> {
    if text == "0" { Ok(0) } else { parse_size(text) }
}

/// Compares two logs and writes the reports.
///
/// # Errors
/// Wrong usage, or logs that cannot be read.
pub fn run(args: DiffArgs) -> anyhow::Result<Exit> {
    let (folders, rules) = (args.state.clone(), args.state_profile.clone());
    let (imports, snapshots) = (args.xex_json.clone(), args.snapshots.clone());
    let mut plan = decide::diff(args, &Surroundings::look())?;
    snapshots.as_deref().map_or(Ok(()), nearest::check)?;
    plan.context.state = state::gate(&folders, rules.as_deref(), imports.as_deref(), plan.jobs, &plan.files)?;
    if !plan.quiet && plan.stdout.is_some() {
        plan.notes.iter().for_each(|note| tell(note));
    }
    let [mut reference, mut candidate] = open_both(&plan)?;
    let sizes = [&reference, &candidate].map(Log::len_at_open);
    let total = sizes.iter().flatten().sum::<u64>() * u64::from(sizes.iter().all(Option::is_some));
    let mut watch = Watch::new(total, plan.progress);
    let result = workers::in_pool(plan.jobs, || {
        let acceptances = &plan.acceptances;
        diverge::run_accepting(&mut reference, &mut candidate, &plan.profile, &plan.options, acceptances, &watch)
    })?;
    watch.finish();
    let (outcome, keep) = match result {
        Ok(found) => found,
        Err(error) => return Err(stopped(error, &mut plan, [&reference, &candidate])),
    };
    label(&mut plan, &outcome);
    plan.context.own_rules = plan.origins.own_rules();
    let ends = Side::BOTH.into_iter().zip([&reference, &candidate]).filter(|(side, _)| outcome.tells_end(*side));
    plan.context.messages.extend(ends.filter_map(|(_, log)| log.damage()).map(Damage::to_string));
    plan.context.first_only = outcome.only_first.is_some();
    plan.context.trouble =
        outcome.faults_total > 0 && plan.options.malformed == Malformed::Error || !plan.context.messages.is_empty();
    // Without it the report is there all the same.
    let searches = origin::look(&mut plan, [&reference, &candidate], &outcome, &keep).unwrap_or_else(|error| {
        if !plan.quiet {
            tell(&format!("note: where the value comes from was not looked for: {error:#}"));
        }
        Vec::new()
    });
    // Without them the report is there all the same.
    if let Some(Err(error)) = snapshots.map(|folder| nearest::look(&mut plan, &folder, &outcome)) {
        tell(&format!("note: the nearest snapshots were not looked for: {error:#}"));
    }
    let exit = write(&plan, &outcome, &keep)?;
    if plan.suggest && exit == Exit::DIFFERENT {
        suggest(&plan)?;
    }
    if plan.verbose {
        watch
            .account([&plan.context.reference.label, &plan.context.candidate.label])
            .iter()
            .for_each(|line| tell(line));
        searches.iter().for_each(|line| tell(line));
        tell(&account_of(&outcome));
    }
    Ok(exit)
}

/// Proposes rules for what differs nearly everywhere.
fn suggest(plan: &DiffPlan) -> anyhow::Result<()> {
    if let Some(path) = plan.inputs.iter().find(|path| !decide::reopenable(path)) {
        let path = report::visible(&path.to_string_lossy());
        tell(&format!("note: --suggest reads both logs once more, which {path} does not allow"));
        return Ok(());
    }
    let [mut reference, mut candidate] = open_both(plan)?;
    let mut again = Log::open(&plan.inputs[0], &plan.open)?;
    let watch = Watch::new(0, false);
    let options = RunOptions { first: false, ..plan.options.clone() };
    let proposals = workers::in_pool(plan.jobs, || {
        infer::suggest([&mut reference, &mut candidate], &mut again, &plan.profile, &options, &watch)
    })??;
    for rule in &proposals {
        let kinds = if rule.kinds.is_empty() { String::new() } else { format!(" of {}", rule.kinds.join(", ")) };
        let (pairs, of) = (show_count(rule.pairs), show_count(rule.of));
        let place = report::visible(&format!("{}{kinds}", rule.dotted()));
        tell(&format!(
            "suggestion: {place} differs in {pairs} of {of} pairs: this looks like telemetry. If it may differ:"
        ));
        infer::rule_text(rule, &plan.profile)
            .lines()
            .filter(|line| !line.is_empty())
            .for_each(|line| tell(&format!("  {line}")));
    }
    if proposals.is_empty() {
        tell("note: no field differs nearly everywhere; there is nothing to suggest");
    }
    Ok(())
}

fn label(plan: &mut DiffPlan, outcome: &Outcome) {
    let engines = [outcome.reference.engine.as_deref(), outcome.candidate.engine.as_deref()];
    let paths = plan.inputs.each_ref().map(PathBuf::as_path);
    let [reference, candidate] = labels::choose(plan.labels.as_ref(), engines, paths);
    (plan.context.reference.label, plan.context.candidate.label) = (reference, candidate);
}

/// A run without an outcome: both inputs were open, so the reports are written all the same.
fn stopped(error: RunError, plan: &mut DiffPlan, logs: [&Log; 2]) -> anyhow::Error {
    let mut outcome = Outcome::default();
    let mut damage = None;
    match &error {
        RunError::Map(_) => return error.into(),
        RunError::Source(error) => plan.context.messages.push(error.to_string()),
        RunError::Header { side, seen, .. } if begin::explains(logs[side.index()], seen).is_some() => {
            damage = begin::explains(logs[side.index()], seen).map(Damage::to_string);
            plan.context.messages.extend(damage.clone());
        }
        RunError::Header { side, line, offset, reason, .. } => {
            outcome.faults.push(LineFault { side: *side, line: *line, offset: *offset, reason: reason.clone() });
            outcome.faults_total = 1;
        }
    }
    label(plan, &outcome);
    plan.context.trouble = true;
    write_reports(plan, &outcome, &Keep::default());
    damage.map_or_else(|| trouble(error, plan), anyhow::Error::msg)
}

/// Opens both logs at the same time: opening a FIFO waits for its writer, who may open the other one first.
fn open_both(plan: &DiffPlan) -> anyhow::Result<[Log; 2]> {
    let open = |at: usize| Log::open(&plan.inputs[at], &plan.open);
    std::thread::scope(|scope| {
        let candidate = std::thread::Builder::new().spawn_scoped(scope, || open(1));
        let candidate = candidate.context("failed to start a thread that opens the candidate")?;
        let reference = open(0);
        let candidate = candidate.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok([reference?, candidate?])
    })
}

/// Says what stopped a run, and what may help.
fn trouble(error: RunError, plan: &DiffPlan) -> anyhow::Error {
    let RunError::Header { side, line, offset, reason, seen } = error else { return error.into() };
    let path = &plan.inputs[side.index()];
    let mut text = format!("{}:{line}: byte {offset}: {reason}", report::visible(&path.to_string_lossy()));
    let [reference, candidate] = plan.inputs.each_ref().map(|path| report::quote::path(path));
    // Other rules are of no use to a log that has the header.
    let other_fits = begin::has_header(&plan.inputs[side.other().index()], &plan.profile);
    let hint = begin::hint(path, &seen, |flags, _| format!("forkpoint diff {flags} {reference} {candidate}"));
    if let Some(hint) = hint.filter(|_| !plan.quiet && !other_fits) {
        text.push('\n');
        text.push_str(&hint);
    }
    anyhow::Error::msg(text)
}

/// Writes all reports; the trouble's exit code where one cannot be written.
fn write_reports(plan: &DiffPlan, outcome: &Outcome, keep: &Keep) -> Option<Exit> {
    let here = ReportContext { width: plan.width, colour: plan.color, ..plan.context.clone() };
    output::deliver(plan.stdout, &plan.files, |format, to| {
        let context = if to == To::Stdout { &here } else { &plan.context };
        paint(format, outcome, keep, &plan.profile, context)
    })
}

/// Writes all reports, tells the rest, and decides the exit code.
fn write(plan: &DiffPlan, outcome: &Outcome, keep: &Keep) -> anyhow::Result<Exit> {
    let story = Story::new(outcome, keep, &plan.profile, &plan.context);
    let mut exit = write_reports(plan, outcome, keep).unwrap_or(Exit(story.verdict.exit_code()));
    if let Some(path) = &plan.write_accept {
        match accepting::write(path, outcome, story.verdict) {
            Ok(note) if !plan.quiet && plan.stdout.is_some() => tell(&note),
            Ok(_) => {}
            Err(trouble) => exit = complain(&trouble),
        }
    }
    if plan.stdout.is_none() {
        if exit != Exit::SAME {
            tell(&story.verdict_line());
        }
        return Ok(exit);
    }
    if story.verdict == Verdict::Trouble {
        plan.context.messages.iter().for_each(|line| tell(&format!("forkpoint: {}", report::visible(line))));
        report::fault_lines(&story).iter().take(FAULTS_TOLD).for_each(|line| tell(&format!("forkpoint: {line}")));
        unknown_lanes(plan, outcome).iter().for_each(|line| tell(&format!("forkpoint: {line}")));
    }
    if !plan.quiet {
        report::hints(&story).iter().for_each(|hint| tell(&format!("hint: {hint}")));
    }
    Ok(exit)
}

fn paint(
    format: Format,
    outcome: &Outcome,
    keep: &Keep,
    profile: &Profile,
    context: &ReportContext,
) -> anyhow::Result<String> {
    // A report shows a text in a few ways.
    let needed = usize::try_from(keep.bytes()).unwrap_or(usize::MAX).saturating_mul(4).saturating_add(REPORT_MEMORY);
    ensure!(has_headroom(needed), "failed to make the report: {needed} bytes of memory are needed and cannot be had");
    let painted = match format {
        Format::Terminal => report::terminal(outcome, keep, profile, context),
        Format::Markdown => report::markdown(outcome, keep, profile, context),
        Format::Json => report::json(outcome, keep, profile, context),
    };
    painted.context("failed to make the report")
}

/// Memory that a report may take, in bytes, beside its texts.
const REPORT_MEMORY: usize = 4 << 20;

/// Malformed lines told beside the report, which lists more.
const FAULTS_TOLD: usize = 10;

/// Threads that `--map` names and a log does not have, one sentence each.
fn unknown_lanes(plan: &DiffPlan, outcome: &Outcome) -> Vec<String> {
    let sentence = |(side, lane): &(Side, LaneName)| {
        let lanes = lanes_of(outcome, *side);
        let known: Vec<String> = lanes.iter().take(LANES_NAMED).map(lanes::lane_argument).collect();
        let more = if lanes.len() > known.len() { ", …" } else { "" };
        let path = report::visible(&plan.inputs[side.index()].to_string_lossy());
        let name = lanes::lane_argument(lane);
        format!("--map names thread {name}, which {path} does not have; it has {}{more}", known.join(", "))
    };
    outcome.map_unknown.iter().map(|unknown| report::visible(&sentence(unknown))).collect()
}

/// Threads listed where one is not found.
const LANES_NAMED: usize = 20;

fn lanes_of(outcome: &Outcome, side: Side) -> Vec<LaneName> {
    let facts = outcome.pairings.iter().filter_map(|pairing| match side {
        Side::Reference => pairing.reference.as_ref(),
        Side::Candidate => pairing.candidate.as_ref(),
    });
    facts.map(|lane| LaneName { thread: lane.thread.clone(), generation: lane.generation }).collect()
}

fn account_of(outcome: &Outcome) -> String {
    let [compared, by_bytes, read] =
        [outcome.coverage.events_compared, outcome.coverage.equal_by_bytes, outcome.coverage.read].map(show_count);
    format!("{compared} pairs compared, {by_bytes} equal by bytes, {read} lines read")
}
