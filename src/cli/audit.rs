//! `forkpoint audit`: the life of every handle in a log.
// Doc comments of arguments are help texts: their brackets are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::Path;

use anyhow::bail;

use super::args::{LogPath, ReadArgs, ReportArgs, RuleArgs, TalkArgs, ThreadRoleArg};
use super::lanes::{parse_lane, parse_map};
use super::output::{Format, To};
use super::progress::Watch;
use super::size::{Limit, parse_limit};
use super::terminal::Surroundings;
use super::{Exit, audit_both, begin, decide, output, tell, workers};
use crate::align::{LaneName, MapChoice, Observer};
use crate::audit::log::{Audit, Name, audit};
use crate::profile::Profile;
use crate::report;
use crate::report::audit::{AuditContext, AuditStory, Wanted};
use crate::scan::Start;
use crate::source::{Log, OpenOptions, Side};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint audit run.jsonl
  forkpoint audit reference.jsonl candidate.jsonl
  forkpoint audit --parked --by 8 run.jsonl
  forkpoint audit --handle 0xF8000010 --handle event:ready run.jsonl";

/// Follows every object that threads wait for through a log: who made, signalled, waited and woke. Tells each thread
/// that waits when the log ends, what for, and why; what the log cannot show makes that only possible.
///
/// With a second log: who waits in one of them only, who signals that thread in the other, and which objects have other
/// lives there.
#[derive(Clone, Debug, clap::Args)]
pub struct AuditArgs {
    /// The log; - is standard input
    #[arg(value_name = "LOG")]
    pub log: LogPath,
    /// A second log to hold against it; both must be files
    #[arg(value_name = "CANDIDATE")]
    pub candidate: Option<LogPath>,

    /// Which threads of two logs belong together: auto, same, or 6=1,7=2
    #[arg(long, value_name = "MAP", value_parser = parse_map, requires = "candidate", help_heading = "What is told")]
    pub map: Option<MapChoice>,

    /// Only this object, with its whole life (repeatable)
    ///
    /// A handle, an address, or what the log calls it.
    #[arg(long, visible_alias = "focus", value_name = "H", value_parser = parse_name, help_heading = "What is told")]
    pub handle: Vec<Name>,
    /// Only what this thread did or waits for (repeatable)
    #[arg(long = "by", value_name = "T", value_parser = parse_lane, help_heading = "What is told")]
    pub by: Vec<LaneName>,
    /// Only objects of this type, e.g. Event or Event/Auto (repeatable)
    #[arg(long = "type", value_name = "TYPE", help_heading = "What is told")]
    pub types: Vec<String>,
    /// Only what threads wait for when the log ends
    #[arg(long, help_heading = "What is told")]
    pub parked: bool,
    /// List so many objects, or all
    #[arg(long, value_name = "N|all", default_value = "20", value_parser = parse_limit, help_heading = "What is told")]
    pub limit: Limit,

    /// Where reports go.
    #[command(flatten)]
    pub report: ReportArgs,

    /// The thread role.
    #[command(flatten)]
    pub thread: ThreadRoleArg,
    /// The other rules.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// How to read.
    #[command(flatten)]
    pub read: ReadArgs,
    /// What to say.
    #[command(flatten)]
    pub talk: TalkArgs,
}

fn parse_name(text: &str) -> Result<Name, String> {
    if text.is_empty() { Err("a name is missing".to_owned()) } else { Ok(Name::of_word(text)) }
}

/// Audits the log.
///
/// # Errors
/// Wrong usage, a log that cannot be read, or a report that cannot be written.
pub fn run(args: AuditArgs) -> anyhow::Result<Exit> {
    let around = Surroundings::look();
    let inputs: Vec<LogPath> = std::iter::once(&args.log).chain(&args.candidate).cloned().collect();
    output::refuse_collisions(&args.report.output, &inputs)?;
    let profile = decide::told_rules(&args.rules, &args.thread.thread, &around, args.talk.quiet)?;
    if profile.audit.is_empty() {
        bail!(
            "profile {}: no [[audit]] says what happens to objects; see forkpoint profile show schema-v1",
            profile.name
        );
    }
    let draw = around.wants_progress(args.talk.progress, args.talk.quiet);
    let wanted = Wanted {
        handles: args.handle.clone(),
        threads: args.by.clone(),
        kinds: args.types.clone(),
        parked: args.parked,
    };
    if let Some(candidate) = &args.candidate {
        return audit_both::run(&args, [&args.log, candidate], &profile, wanted, &around, draw);
    }
    let audit = workers::in_pool(args.read.jobs, || read(&args, &profile, draw))??;
    let plain = AuditContext { path: args.log.to_path_buf(), wanted, limit: args.limit.0, width: 100, colour: false };
    let own = AuditContext { width: around.width(), colour: around.wants_color(args.talk.color.when), ..plain.clone() };
    let unwritten = output::deliver(Some(args.report.format), &args.report.output, |format, to| {
        let story = AuditStory::new(&audit, &profile, if to == To::Stdout { &own } else { &plain });
        Ok(match format {
            Format::Terminal => report::audit::terminal(&story),
            Format::Markdown => report::audit::markdown(&story),
            Format::Json => report::audit::json(&story),
        })
    });
    let exit = || Exit(AuditStory::new(&audit, &profile, &plain).outlook.exit_code());
    Ok(if tell_faults(&args.log, &audit) { Exit::TROUBLE } else { unwritten.unwrap_or_else(exit) })
}

/// Tells the malformed lines of a log; whether there are any.
pub(super) fn tell_faults(path: &Path, audit: &Audit) -> bool {
    let path = report::visible(&path.to_string_lossy());
    for (line, offset, reason) in &audit.faults {
        tell(&format!("forkpoint: {path}:{line}: byte {offset}: {}", report::visible(reason)));
    }
    let left = audit.lines_skipped.saturating_sub(audit.faults.len() as u64);
    if left > 0 {
        tell(&format!("forkpoint: {path}: {left} other malformed lines; forkpoint check tells all"));
    }
    !audit.faults.is_empty()
}

/// Reads a log as far as behind its header.
///
/// # Errors
/// The log cannot be read, or has no header that fits, with advice.
pub(super) fn start(log: &mut Log, path: &Path, profile: &Profile, quiet: bool) -> anyhow::Result<Start> {
    match begin::begin(log, profile)? {
        Ok(start) => Ok(start),
        Err(fault) => {
            if let Some(damage) = begin::explains(log, &fault.seen) {
                bail!(damage.to_string());
            }
            let shown = report::visible(&path.to_string_lossy());
            let again = |flags: &str, path| format!("forkpoint audit {flags} {path}");
            let hint = begin::hint(path, &fault.seen, again).filter(|_| !quiet);
            let hint = hint.map_or_else(String::new, |hint| format!("\n{hint}"));
            bail!("{shown}:{}: byte {}: {}{hint}", fault.line, fault.offset, report::visible(&fault.reason));
        }
    }
}

fn read(args: &AuditArgs, profile: &Profile, draw: bool) -> anyhow::Result<Audit> {
    let options = OpenOptions { alone: true, ..decide::open_options(&args.read) };
    let mut log = Log::open(&args.log, &options)?;
    let mut watch = Watch::new(log.len_at_open().unwrap_or(0), draw);
    let start = start(&mut log, &args.log, profile, args.talk.quiet)?;
    let read = audit(&mut log, start, profile, args.handle.clone(), |bytes, lines, events| {
        watch.progress(Side::Reference, bytes, lines, events, 0);
    })?;
    leave(&mut log, &args.log, args.talk.quiet)?;
    watch.finish();
    if args.talk.verbose {
        watch.account(["read", ""]).iter().for_each(|line| tell(line));
    }
    Ok(read)
}

/// Leaves a log that was read to its end, with a note if it grew meanwhile.
///
/// # Errors
/// It cannot be asked any more, or is damaged.
pub(super) fn leave(log: &mut Log, path: &Path, quiet: bool) -> anyhow::Result<()> {
    let grown = log.finish()?;
    if !quiet {
        grown.iter().for_each(|note| tell(&format!("note: {}: {note}", report::visible(&path.to_string_lossy()))));
    }
    match log.damage() {
        Some(damage) => bail!(report::visible(&damage.to_string())),
        None => Ok(()),
    }
}
