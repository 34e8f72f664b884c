//! `forkpoint show`: events of one thread around a place.
// Doc comments of arguments are help texts: their brackets are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use super::args::{LogPath, ReadArgs, RuleArgs, TalkArgs};
use super::lanes::{lane_argument, parse_lane};
use super::place::{Found, Goal, OpenFile, Shown, Trail, count_out};
use super::progress::Watch;
use super::terminal::Surroundings;
use super::{Exit, begin, decide, output, tell, workers};
use crate::align::{LaneName, LanePlace, Observer};
use crate::profile::{Profile, Templates};
use crate::report;
use crate::scan::{self, Opener, ScanOptions, ThreadKey, Wanted};
use crate::source::{Log, Side};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint show run.jsonl --thread 6 --at 561481
  forkpoint show run.jsonl --line 1200345 --context 20
  forkpoint show reference.jsonl candidate.jsonl --offset 131072 --candidate-offset 129881";

/// Prints the events of one thread around a place in one log, or in two logs one after the other. A byte offset is
/// found at once in a log of any size; what then would have to be counted from its start stands as ?.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(args_override_self = true)]
pub struct ShowArgs {
    /// The log; - is standard input
    #[arg(value_name = "LOG")]
    pub log: LogPath,
    /// A second log, shown after the first
    pub candidate: Option<LogPath>,

    /// The thread, e.g. 6, "6", main, 6#1 for its second generation, [1,"a"] for a composite key
    #[arg(long, short = 't', value_name = "T", value_parser = parse_lane, help_heading = "Place")]
    pub thread: Option<LaneName>,
    /// Position of the event in its thread, from 0 [alias: --position]
    #[arg(long, value_name = "POSITION", alias = "position", help_heading = "Place")]
    pub at: Option<u64>,
    /// Line of the event, from 1
    #[arg(long, value_name = "N", help_heading = "Place")]
    pub line: Option<u64>,
    /// Any byte of the event's line, from 0; found at once
    #[arg(long, value_name = "BYTE", help_heading = "Place")]
    pub offset: Option<u64>,
    /// The thread in the second log [default: the same]
    #[arg(long, value_name = "T", value_parser = parse_lane, help_heading = "Place")]
    pub candidate_thread: Option<LaneName>,
    /// The position in the second log [default: the same]
    #[arg(long, value_name = "POSITION", alias = "candidate-at", help_heading = "Place")]
    pub candidate_position: Option<u64>,
    /// The line in the second log
    #[arg(long, value_name = "N", help_heading = "Place")]
    pub candidate_line: Option<u64>,
    /// Any byte of the line in the second log
    #[arg(long, value_name = "BYTE", help_heading = "Place")]
    pub candidate_offset: Option<u64>,

    /// So many events before, and as many after
    #[arg(long, short = 'C', value_name = "N", default_value_t = 5)]
    pub context: usize,
    /// Print the lines as they stand in the log, and nothing else
    #[arg(long)]
    pub raw: bool,

    /// Field that names an event's thread (in other commands: --thread)
    #[arg(long, value_name = "PATH", help_heading = "Rules")]
    pub thread_role: Vec<String>,
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

/// Prints the events.
///
/// # Errors
/// Wrong usage, a place that is not there, or a log that cannot be read.
pub fn run(args: ShowArgs) -> anyhow::Result<Exit> {
    let around = Surroundings::look();
    let profile = decide::told_rules(&args.rules, &args.thread_role, &around, args.talk.quiet)?;
    let goals = goals(&args, &profile)?;
    let color = around.wants_color(args.talk.color.when);
    let escape = !args.raw || around.stdout_terminal;
    let mut text = Vec::new();
    for (at, (path, goal)) in goals.iter().enumerate() {
        let show = Show { args: &args, profile: &profile, path, goal, around: &around, templates: profile.templates() };
        let found = workers::in_pool(args.read.jobs, || show.find())?.with_context(|| shown_path(path))?;
        if found.stepped_over > 0 && !args.talk.quiet {
            tell(&format!("note: {}: {} malformed lines are left out", shown_path(path), found.stepped_over));
        }
        if args.raw {
            for event in &found.events {
                raw(&event.sighting.text, escape, &mut text);
            }
        } else {
            if at > 0 {
                text.push(b'\n');
            }
            text.extend_from_slice(show.page(&found, color, around.width()).as_bytes());
        }
    }
    output::print(&text)?;
    Ok(Exit::SAME)
}

fn shown_path(path: &Path) -> String {
    report::visible(&path.to_string_lossy())
}

/// A line as it stands, or with what a terminal would obey spelled out.
fn raw(line: &[u8], escape: bool, text: &mut Vec<u8>) {
    if escape {
        text.extend_from_slice(report::visible(&String::from_utf8_lossy(line)).as_bytes());
    } else {
        text.extend_from_slice(line);
    }
    text.push(b'\n');
}

/// Where to look in each log.
fn goals(args: &ShowArgs, profile: &Profile) -> anyhow::Result<Vec<(LogPath, Goal)>> {
    let single = profile.roles.thread.is_empty().then_some(LaneName { thread: ThreadKey::Single, generation: 0 });
    let first = Goal { lane: args.thread.clone().or(single), position: args.at, line: args.line, offset: args.offset };
    first.complain("", first.position.is_some())?;
    let mut goals = vec![(args.log.clone(), first.clone())];
    let Some(candidate) = &args.candidate else {
        if args.candidate_offset.is_some() || args.candidate_line.is_some() || args.candidate_position.is_some() {
            bail!("a place in a second log is given, but no second log");
        }
        return Ok(goals);
    };
    decide::refuse_two_stdins(&[args.log.clone(), candidate.clone()])?;
    let second = Goal {
        lane: args.candidate_thread.clone().or(first.lane.clone().filter(|_| args.candidate_offset.is_none())),
        position: args.candidate_position.or(first.position),
        line: args.candidate_line,
        offset: args.candidate_offset,
    };
    second.complain("candidate-", second.position.is_some())?;
    goals.push((candidate.clone(), second));
    Ok(goals)
}

struct Show<'a> {
    args: &'a ShowArgs,
    profile: &'a Profile,
    path: &'a Path,
    goal: &'a Goal,
    around: &'a Surroundings,
    templates: Templates,
}

impl Show<'_> {
    fn find(&self) -> anyhow::Result<Found> {
        let mut log = Log::open(self.path, &decide::open_options(&self.args.read))?;
        let draw = self.around.wants_progress(self.args.talk.progress, self.args.talk.quiet);
        let mut watch = Watch::new(log.len_at_open().unwrap_or(0), draw);
        let opener = Opener::new(self.profile, false);
        // In a stream, and in an archive, nothing is found but by reading what stands before it.
        let seekable = !log.is_stream() && (self.goal.offset.is_some() || self.goal.line.is_some());
        let found = if seekable { self.seek(&log, &opener, &watch) } else { self.sweep(&mut log, &opener, &watch) };
        watch.finish();
        // Before anything that was found is told.
        log.check_unchanged()?;
        found
    }

    /// Finds the place without reading what lies before it (only lines are counted, if one is asked for).
    fn seek(&self, log: &Log, opener: &Opener, watch: &Watch) -> anyhow::Result<Found> {
        let file = OpenFile::open(self.path)?;
        ensure!(log.identity() == Some(file.identity), "another file has taken its name just now");
        let searched = |bytes| watch.searched(bytes);
        let offset = match (self.goal.offset, self.goal.line) {
            (Some(offset), _) => offset,
            (None, Some(line)) => scan::offset_of_line(&file, line, &searched)?
                .with_context(|| format!("it has fewer than {line} lines"))?,
            (None, None) => unreachable!("only an offset or a line can be sought"),
        };
        let wanted = Wanted {
            offset,
            thread: self.goal.lane.as_ref().map(|lane| &lane.thread),
            context: self.args.context,
            header: self.profile.header.is_some(),
            line_bytes_max: decide::open_options(&self.args.read).max_line_bytes,
        };
        let around = scan::around(&file, opener, wanted, &searched)?;
        let unknown = |sighting| Shown { sighting, line: None, place: None };
        let target = around.before.len();
        let hit = around.target.offset == offset || self.goal.lane.is_none();
        let mut events: Vec<Shown> = around.before.into_iter().map(unknown).collect();
        let place = self.goal.position.map(|position| LanePlace {
            generation: self.goal.lane.as_ref().map_or(0, |lane| lane.generation),
            position,
        });
        events.push(Shown {
            sighting: around.target,
            line: self.goal.line.filter(|_| hit),
            place: place.filter(|_| hit),
        });
        events.extend(around.after.into_iter().map(unknown));
        count_out(&mut events, target);
        Ok(Found { events, target, stepped_over: around.stepped_over })
    }

    /// Reads the log from its start to the place.
    fn sweep(&self, log: &mut Log, opener: &Opener, watch: &Watch) -> anyhow::Result<Found> {
        let mut trail =
            Trail { goal: self.goal, context: self.args.context, lanes: HashMap::new(), found: None, stepped_over: 0 };
        let start = match begin::begin(log, self.profile)? {
            Ok(start) => start,
            Err(fault) => {
                if let Some(damage) = begin::explains(log, &fault.seen) {
                    bail!("{damage}");
                }
                let hint = begin::hint(self.path, &fault.seen, |flags, path| format!("forkpoint check {flags} {path}"));
                let hint = hint.filter(|_| !self.args.talk.quiet);
                let hint = hint.map_or(String::new(), |hint| format!("\n{hint}"));
                bail!("line {}: byte {}: {}{hint}", fault.line, fault.offset, fault.reason);
            }
        };
        let options = ScanOptions { step_over_faults: true, ..ScanOptions::default() };
        scan::sweep(log, opener, options, start, |swept| {
            let bytes = swept.window.bytes.len() as u64;
            watch.progress(Side::Reference, bytes, u64::from(swept.scanned.lines), u64::from(swept.scanned.events), 0);
            trail.take(&swept)
        })?;
        let found = trail.end();
        match log.damage() {
            // The place may lie in what is lost.
            Some(damage) if found.is_err() => found.with_context(|| damage.to_string()),
            _ => found,
        }
    }

    fn page(&self, found: &Found, color: bool, width: usize) -> String {
        let target = &found.events[found.target];
        let (bold, plain) = if color { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        let generation = target.place.map_or(0, |place| place.generation);
        let lane = LaneName { thread: target.sighting.thread.clone(), generation };
        let mut text = format!("{}: ", shown_path(self.path));
        if lane.thread != ThreadKey::Single {
            write!(text, "thread {}, ", report::visible(&lane_argument(&lane))).expect("strings take all");
        }
        let number = |number: Option<u64>| number.map_or("?".to_owned(), |number| number.to_string());
        let position = number(target.place.map(|place| place.position));
        writeln!(text, "position {position}, line {}, byte {}", number(target.line), target.sighting.offset)
            .expect("strings take all");
        let rows: Vec<[String; 5]> = found.events.iter().map(|event| self.row(event)).collect();
        let head = ["line", "byte", "position", "ordinal", "event"].map(str::to_owned);
        let mut widths = [0; 4];
        for row in rows.iter().chain([&head]) {
            widths.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(cell.len()));
        }
        for (at, row) in std::iter::once(&head).chain(&rows).enumerate() {
            let marked = at == found.target + 1;
            let mut line = if marked { ">".to_owned() } else { " ".to_owned() };
            for (cell, width) in row.iter().zip(widths) {
                write!(line, " {cell:>width$}").expect("strings take all");
            }
            write!(line, "  {}", row[4]).expect("strings take all");
            let line = report::clip(&line, width);
            if marked {
                writeln!(text, "{bold}{line}{plain}").expect("strings take all");
            } else {
                writeln!(text, "{line}").expect("strings take all");
            }
        }
        let line = report::visible(&String::from_utf8_lossy(&target.sighting.text));
        writeln!(text, "{line}").expect("strings take all");
        text
    }

    fn row(&self, event: &Shown) -> [String; 5] {
        let number = |number: Option<u64>| number.map_or("?".to_owned(), |number| number.to_string());
        let span = &event.sighting.span;
        let told = report::summary_of(&event.sighting.text, self.profile, &self.templates);
        let ordinal = span.ordinal().map_or("-".to_owned(), |ordinal| ordinal.to_string());
        [
            number(event.line),
            event.sighting.offset.to_string(),
            number(event.place.map(|place| place.position)),
            ordinal,
            format!("{} {}", told.kind, told.rest).trim().to_owned(),
        ]
    }
}
