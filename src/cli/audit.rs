//! `forkpoint audit`: the life of every handle in a log.
// Doc comments of arguments are help texts: their brackets are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use anyhow::bail;

use super::args::{LogPath, ReadArgs, RuleArgs, TalkArgs, ThreadRoleArg};
use super::lanes::parse_lane;
use super::output::{Format, Output};
use super::progress::Watch;
use super::size::{Limit, parse_limit};
use super::terminal::Surroundings;
use super::{Exit, begin, complain, decide, output, tell, workers};
use crate::align::{LaneName, Observer};
use crate::audit::log::{Audit, Name, audit};
use crate::profile::Profile;
use crate::report;
use crate::report::audit::{AuditContext, AuditStory, Wanted};
use crate::source::{Log, OpenOptions, Side};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint audit run.jsonl
  forkpoint audit --parked --thread 8 run.jsonl
  forkpoint audit --handle 0xF8000010 --handle event:ready run.jsonl";

/// Follows every object that threads wait for through a log: who made, signalled, waited and woke. Tells each thread
/// that waits when the log ends, what for, and why; what the log cannot show makes that only possible.
#[derive(Clone, Debug, clap::Args)]
pub struct AuditArgs {
    /// The log; - is standard input
    #[arg(value_name = "LOG")]
    pub log: LogPath,

    /// Only this object, with its whole life: a handle, an address, or what the log calls it (repeatable)
    #[arg(long, value_name = "H", value_parser = parse_name, help_heading = "What is told")]
    pub handle: Vec<Name>,
    /// Only what this thread did or waits for (repeatable) [in other commands: the thread role]
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

    /// Form of the report on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Report")]
    pub format: Format,
    /// Write a report to a file as well; its name tells the format (repeatable)
    #[arg(long, short = 'o', value_name = "[FORMAT:]FILE", value_parser = output::parse_output, help_heading = "Report")]
    pub output: Vec<Output>,

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
    output::refuse_collisions(&args.output, std::slice::from_ref(&args.log))?;
    let profile = decide::told_rules(&args.rules, &args.thread.thread, &around, args.talk.quiet)?;
    if profile.audit.is_empty() {
        bail!(
            "profile {}: no [[audit]] says what happens to objects; see forkpoint profile show schema-v1",
            profile.name
        );
    }
    let draw = around.wants_progress(args.talk.progress, args.talk.quiet);
    let audit = workers::in_pool(args.read.jobs, || read(&args, &profile, draw))??;
    let wanted = Wanted {
        handles: args.handle.clone(),
        threads: args.by.clone(),
        kinds: args.types.clone(),
        parked: args.parked,
    };
    let plain = AuditContext { path: args.log.to_path_buf(), wanted, limit: args.limit.0, width: 100, colour: false };
    let own = AuditContext { width: around.width(), colour: around.wants_color(args.talk.color), ..plain.clone() };
    let mut exit = Exit(AuditStory::new(&audit, &profile, &plain).outlook.exit_code());
    let mut write = |context: &AuditContext, format: Format, to: &dyn Fn(&[u8]) -> anyhow::Result<()>| {
        let story = AuditStory::new(&audit, &profile, context);
        let text = match format {
            Format::Terminal => report::audit::terminal(&story),
            Format::Markdown => report::audit::markdown(&story),
            Format::Json => report::audit::json(&story),
        };
        if let Err(trouble) = to(text.as_bytes()) {
            exit = complain(&trouble);
        }
    };
    write(&own, args.format, &output::print);
    for file in &args.output {
        write(&plain, file.format, &|text| output::write_file(&file.path, text));
    }
    let path = report::visible(&args.log.to_string_lossy());
    for (line, offset, reason) in &audit.faults {
        tell(&format!("forkpoint: {path}:{line}: byte {offset}: {}", report::visible(reason)));
        exit = Exit::TROUBLE;
    }
    let left = audit.lines_skipped.saturating_sub(audit.faults.len() as u64);
    if left > 0 {
        tell(&format!("forkpoint: {path}: {left} other malformed lines; forkpoint check tells all"));
    }
    Ok(exit)
}

fn read(args: &AuditArgs, profile: &Profile, draw: bool) -> anyhow::Result<Audit> {
    let options = OpenOptions { alone: true, ..decide::open_options(&args.read) };
    let mut log = Log::open(&args.log, &options)?;
    let mut watch = Watch::new(log.len_at_open().unwrap_or(0), draw);
    let start = match begin::begin(&mut log, profile)? {
        Ok(start) => start,
        Err(fault) => {
            if let Some(damage) = begin::explains(&log, &fault.seen) {
                bail!(damage.to_string());
            }
            let path = report::visible(&args.log.to_string_lossy());
            let again = |flags: &str, path| format!("forkpoint audit {flags} {path}");
            let hint = begin::hint(&args.log, &fault.seen, again).filter(|_| !args.talk.quiet);
            let hint = hint.map_or_else(String::new, |hint| format!("\n{hint}"));
            bail!("{path}:{}: byte {}: {}{hint}", fault.line, fault.offset, report::visible(&fault.reason));
        }
    };
    let read = audit(&mut log, start, profile, args.handle.clone(), |bytes, lines, events| {
        watch.progress(Side::Reference, bytes, lines, events, 0);
    })?;
    let grown = log.finish()?;
    watch.finish();
    if !args.talk.quiet {
        grown.iter().for_each(|note| tell(&format!("note: {}: {note}", args.log.display())));
    }
    if args.talk.verbose {
        watch.account(["read", ""]).iter().for_each(|line| tell(line));
    }
    match log.damage() {
        Some(damage) => bail!(report::visible(&damage.to_string())),
        None => Ok(read),
    }
}
