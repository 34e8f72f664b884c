//! `forkpoint check`: every line of logs validated strictly.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use super::args::{LogPath, ReadArgs, RuleArgs, TalkArgs, ThreadRoleArg};
use super::begin::NoHeader;
use super::progress::Watch;
use super::size::{Limit, parse_limit};
use super::terminal::Surroundings;
use super::{Exit, begin, decide, output, size, tell, workers};
use crate::align::{Observer, Succession};
use crate::profile::Profile;
use crate::report;
use crate::scan::{OpenFault, Opener, ScanOptions, Swept, ThreadKey, sweep};
use crate::source::{Damage, Log, OpenOptions, Side};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint check run.jsonl
  forkpoint check --limit all run1.jsonl run2.jsonl
  forkpoint check --profile generic --thread tid --ordinal seq --kind op trace.jsonl";

/// Reads every line of logs strictly, also what `diff` would not need to look at, and lists what is malformed.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    /// Logs to validate; - is standard input
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<LogPath>,
    /// List so many malformed lines, or all
    #[arg(long, value_name = "N|all", default_value = "100", value_parser = parse_limit)]
    pub limit: Limit,
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

/// Validates the logs one after the other; a log that cannot be read does not keep the others from being read.
///
/// # Errors
/// Wrong usage, or standard output cannot be written.
pub fn run(args: CheckArgs) -> anyhow::Result<Exit> {
    decide::refuse_two_stdins(&args.logs)?;
    let around = Surroundings::look();
    let profile = decide::told_rules(&args.rules, &args.thread.thread, &around, args.talk.quiet)?;
    let draw = args.limit != Limit::ALL && around.wants_progress(args.talk.progress, args.talk.quiet);
    let open = decide::open_options(&args.read);
    let mut left = args.limit.0;
    let mut exit = Exit::SAME;
    for path in &args.logs {
        let job = Job { path, profile: &profile, open: &open, all: args.limit == Limit::ALL };
        match workers::in_pool(args.read.jobs, || job.check(&mut left, draw, &args.talk))? {
            Ok(0) => {}
            Ok(_) => exit = Exit::TROUBLE,
            Err(trouble) => exit = super::complain(&trouble),
        }
    }
    Ok(exit)
}

struct Job<'a> {
    path: &'a Path,
    profile: &'a Profile,
    open: &'a OpenOptions,
    /// Every fault is listed, and at once.
    all: bool,
}

/// What one log holds, as far as it was read.
#[derive(Default)]
struct Sums {
    lines: u64,
    events: u64,
    threads: HashMap<ThreadKey, Succession>,
    faults: u64,
    /// The last line is torn: line, offset, reason.
    torn: Option<(u64, u64, String)>,
    /// The log was read no further than this.
    header_fault: Option<NoHeader>,
    listed: String,
    /// Standard output failed.
    unprinted: Option<anyhow::Error>,
}

impl Job<'_> {
    fn check(&self, left: &mut usize, draw: bool, talk: &TalkArgs) -> anyhow::Result<u64> {
        let mut log = Log::open(self.path, self.open)?;
        let mut watch = Watch::new(log.len_at_open().unwrap_or(0), draw);
        let opener = Opener::new(self.profile, false);
        let options = ScanOptions { step_over_faults: true, strict: true, ..ScanOptions::default() };
        let mut sums = Sums::default();
        match begin::begin(&mut log, self.profile)? {
            Err(fault) => {
                if let Some(damage) = begin::explains(&log, &fault.seen) {
                    return Err(anyhow::Error::msg(damage.to_string()));
                }
                self.list(&mut sums, left, fault.line, fault.offset, &fault.reason);
                sums.header_fault = Some(fault);
                log.leave()?;
            }
            Ok(start) => sweep(&mut log, &opener, options, start, |swept| {
                self.take(&mut sums, left, &swept, &watch);
                if sums.unprinted.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?,
        }
        let grown = log.finish()?;
        watch.finish();
        if let Some(trouble) = sums.unprinted.take() {
            return Err(trouble);
        }
        output::print(format!("{}{}", sums.listed, self.summary(&sums, log.damage())).as_bytes())?;
        if !talk.quiet {
            let again = |flags: &str, path| format!("forkpoint check {flags} {path}");
            let hint = sums.header_fault.as_ref().and_then(|fault| begin::hint(self.path, &fault.seen, again));
            hint.iter().for_each(|hint| tell(hint));
            grown.iter().for_each(|note| tell(&format!("note: {}: {note}", self.path.display())));
        }
        if talk.verbose {
            watch.account(["read", ""]).iter().for_each(|line| tell(line));
        }
        match log.damage() {
            Some(damage) => Err(anyhow::Error::msg(report::visible(&damage.to_string()))),
            None => Ok(sums.faults),
        }
    }

    fn take(&self, sums: &mut Sums, left: &mut usize, swept: &Swept<'_>, watch: &Watch) {
        let scanned = &swept.scanned;
        let mut faults: Vec<(u64, u64, String)> =
            scanned.faults.iter().map(|fault| place(swept, fault.line, fault.at, &fault.fault)).collect();
        for group in &scanned.groups {
            let mut succession = sums.threads.get(&group.thread).copied().unwrap_or_default();
            let (first, last) = (scanned.spans.span(group.from), scanned.spans.span(group.to - 1));
            let events = u64::from(group.to - group.from);
            if !group.irregular && succession.take_growing(&first, &last, events) {
                sums.events += events;
            } else {
                for span in scanned.spans_of(group) {
                    match succession.take(&span) {
                        Ok(_) => sums.events += 1,
                        Err(reason) => faults.push(place(swept, span.row, span.start, &reason.at(0))),
                    }
                }
            }
            sums.threads.insert(group.thread.clone(), succession);
        }
        faults.sort_by_key(|fault| fault.0);
        for (line, offset, reason) in faults {
            self.list(sums, left, line, offset, &reason);
        }
        if let Some(torn) = &scanned.torn {
            sums.torn = Some(place(swept, torn.line, torn.at, &torn.fault));
        }
        // Windows of blank lines before the header were not swept.
        sums.lines = swept.lines_before + u64::from(scanned.lines);
        let bytes = swept.window.overlong.map_or(swept.window.bytes.len() as u64, |overlong| overlong.len);
        watch.progress(Side::Reference, bytes, u64::from(scanned.lines), u64::from(scanned.events), 0);
        if self.all {
            sums.unprinted = output::print(std::mem::take(&mut sums.listed).as_bytes()).err();
        }
    }

    fn list(&self, sums: &mut Sums, left: &mut usize, line: u64, offset: u64, reason: &str) {
        sums.faults += 1;
        if *left == 0 {
            return;
        }
        *left -= 1;
        let path = report::visible(&self.path.to_string_lossy());
        writeln!(sums.listed, "{path}:{line}: byte {offset}: {}", report::visible(reason)).expect("strings take all");
    }

    fn summary(&self, sums: &Sums, damage: Option<&Damage>) -> String {
        let path = report::visible(&self.path.to_string_lossy());
        let counted =
            |count: u64, noun: &str| format!("{} {noun}{}", size::show_count(count), if count == 1 { "" } else { "s" });
        let lines = counted(sums.lines, "line");
        let (events, threads) = (counted(sums.events, "event"), counted(sums.threads.len() as u64, "thread"));
        if sums.header_fault.is_some() {
            return format!("{path}: no log of profile {}\n", self.profile.name);
        }
        let verdict = match (sums.faults, damage) {
            (0, None) => "valid".to_owned(),
            (0, Some(_)) => "valid as far as it was unpacked".to_owned(),
            (faults, _) => format!("{} malformed", size::show_count(faults)),
        };
        let mut text = format!("{path}: {verdict}: {lines}, {events}, {threads}\n");
        if let Some((line, offset, reason)) = &sums.torn {
            let reason = report::visible(reason);
            writeln!(text, "{path}:{line}: byte {offset}: note: the last line is torn: {reason}")
                .expect("strings take all");
        }
        text
    }
}

fn place(swept: &Swept<'_>, line: u32, at: u32, fault: &OpenFault) -> (u64, u64, String) {
    (swept.lines_before + u64::from(line) + 1, swept.window.offset + u64::from(at), fault.reason.to_string())
}
