//! Where the first differing value came from, and between which checkpoints the state parted: both logs are searched from
//! the divergence toward their beginnings, and what is found is counted from there.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::begin;
use super::counted::{lanes_of, lines_between, place_from_behind};
use super::decide::DiffPlan;
use super::workers;
use crate::align::{Malformed, Succession};
use crate::diverge::{
    Difference, Divergence, DivergenceKind, EventCopy, LaneEvent, LaneFacts, Outcome, Pairing, Relation, relation,
};
use crate::json::tape::{self, key_is};
use crate::json::{Pointer, Tape};
use crate::profile::{CheckpointRole, Profile};
use crate::report::{CheckpointWindow, EventPlace, Mentioned, Origin};
use crate::scan::backward::BLOCK_BYTES;
use crate::scan::{
    self, Compared, FoundLine, Mention, Needle, Opener, ScanOptions, Stretch, Swept, ThreadKey, last_line,
};
use crate::source::{Keep, Log, OpenOptions, Side};

/// Bytes of each log that are searched where nothing else is asked for.
pub(super) const LIMIT_DEFAULT: u64 = 1 << 30;

/// Lines that mention a value and turn out to be no events: so many are tried.
const NO_EVENTS_MAX: usize = 8;

/// Puts into the report's context what was found, and says how long it took. Nothing is looked for where nobody reads it.
///
/// # Errors
/// No thread can work.
pub(super) fn look(
    plan: &mut DiffPlan,
    logs: [&Log; 2],
    outcome: &Outcome,
    keep: &Keep,
) -> anyhow::Result<Vec<String>> {
    let is_read = plan.stdout.is_some() || !plan.files.is_empty();
    let Some(pairing) = outcome.first.map(|first| &outcome.pairings[first]) else { return Ok(Vec::new()) };
    let Some(found) = pairing.divergence.as_ref().filter(|_| is_read && plan.origin_limit > 0) else {
        return Ok(Vec::new());
    };
    let skips = plan.options.malformed == Malformed::Skip && outcome.faults_total > 0;
    let search = Search {
        profile: &plan.profile,
        open: &plan.open,
        paths: plan.inputs.each_ref().map(|path| path.as_path()),
        logs,
        limit: plan.origin_limit,
        opener: Opener::new(&plan.profile, false),
        lanes: Side::BOTH.map(|side| lanes_of(outcome, side)),
        times: Mutex::default(),
        counts: !skips && plan.profile.event_rules().next().is_none(),
    };
    let (origin, checkpoint) = workers::in_pool(plan.jobs, || search.run(outcome, pairing, found, keep))?;
    (plan.context.origin, plan.context.checkpoint) = (origin, checkpoint);
    Ok(search.times.into_inner().unwrap_or_default())
}

struct Search<'a> {
    profile: &'a Profile,
    open: &'a OpenOptions,
    paths: [&'a Path; 2],
    logs: [&'a Log; 2],
    limit: u64,
    opener: Opener,
    /// The lanes of each side, where the run knows how long they are.
    lanes: [Vec<&'a LaneFacts>; 2],
    /// What was read, and how long that took.
    times: Mutex<Vec<String>>,
    /// Positions in the log are those that the run compared.
    counts: bool,
}

/// Something that is looked for in one log, before a byte at which a line begins.
struct Quest<'q> {
    before: u64,
    before_line: u64,
    needles: &'q [Needle],
    accept: &'q (dyn Fn(&[u8]) -> bool + Sync),
}

/// What came of it.
struct Looked {
    found: Option<(FoundLine, Counted)>,
    searched: u64,
    limited: bool,
}

/// Where a line's event stands, counted from the log's beginning.
#[derive(Clone, Debug)]
struct Counted {
    thread: ThreadKey,
    generation: u32,
    line: u64,
    position: u64,
    ordinal: Option<u64>,
}

impl Search<'_> {
    fn run(
        &self,
        outcome: &Outcome,
        pairing: &Pairing,
        found: &Divergence,
        keep: &Keep,
    ) -> (Option<Origin>, Option<CheckpointWindow>) {
        let role = self.profile.roles.checkpoint.as_ref();
        let is_checkpoint = role.is_some_and(|role| is_kind(found.event_kind.as_deref(), role));
        let window = role.and_then(|role| self.window(role, pairing, found, is_checkpoint, keep));
        // A hash comes from nowhere.
        let origin = if is_checkpoint { None } else { self.origin(outcome, found) };
        (origin, window)
    }

    fn origin(&self, outcome: &Outcome, found: &Divergence) -> Option<Origin> {
        let [Some(reference), Some(candidate)] = [&found.reference, &found.candidate] else { return None };
        if matches!(found.kind, DivergenceKind::Kind | DivergenceKind::Ordinal) {
            return None;
        }
        let (difference, mentions) = sought(self.profile, &found.differences)?;
        let values = [difference.reference.clone(), difference.candidate.clone()];
        let before = [reference, candidate];
        let compared = Compared::new(self.profile);
        let looked = self.both(|side| {
            let at = side.index();
            let mention = match mentions[at].as_ref()? {
                Ok(mention) => mention,
                Err(why) => return Some(Err(why.clone())),
            };
            let accept = |line: &[u8]| {
                self.opener.open_line(line).is_ok() && compared.mentions(line, mention, &mut Tape::default())
            };
            let (before, before_line) = (before[at].offset, before[at].line);
            Some(self.look_back(side, &Quest { before, before_line, needles: mention.needles(), accept: &accept }))
        });
        let mut origin = Origin {
            path: difference.path.clone(),
            values,
            found: [None, None],
            paired: None,
            agreed: None,
            searched_bytes: [0, 0],
            limited: [false, false],
            why_not: [None, None],
        };
        for (at, looked) in looked.into_iter().enumerate() {
            match looked {
                None => {}
                Some(Err(why)) => origin.why_not[at] = Some(why),
                Some(Ok(looked)) => {
                    (origin.searched_bytes[at], origin.limited[at]) = (looked.searched, looked.limited);
                    origin.found[at] = looked.found.map(|(line, counted)| self.mentioned(line, counted));
                }
            }
        }
        Relation { paired: origin.paired, agreed: origin.agreed } = self.relation(outcome, &origin.found);
        Some(origin)
    }

    fn mentioned(&self, line: FoundLine, counted: Counted) -> Mentioned {
        let at = self.place(line.offset, &counted);
        Mentioned { at, thread: counted.thread, generation: counted.generation, text: line.text }
    }

    fn place(&self, offset: u64, counted: &Counted) -> EventPlace {
        let position = self.counts.then_some(counted.position);
        EventPlace { line: counted.line, offset, position, ordinal: counted.ordinal }
    }

    fn relation(&self, outcome: &Outcome, found: &[Option<Mentioned>; 2]) -> Relation {
        let event = |found: &Option<Mentioned>| {
            found.as_ref().and_then(|found| Some((found.thread.clone(), found.generation, found.at.position?)))
        };
        let (Some(reference), Some(candidate)) = (event(&found[0]), event(&found[1])) else {
            return Relation::default();
        };
        let [reference, candidate] = [&reference, &candidate].map(|(thread, generation, position)| LaneEvent {
            thread,
            generation: *generation,
            position: *position,
        });
        relation(outcome, [reference, candidate], self.profile.skip_start)
    }

    /// The checkpoints between which the state parted, if the divergence is one, or one stands close behind it.
    fn window(
        &self,
        role: &CheckpointRole,
        pairing: &Pairing,
        found: &Divergence,
        is_checkpoint: bool,
        keep: &Keep,
    ) -> Option<CheckpointWindow> {
        let lanes = [pairing.reference.as_ref()?, pairing.candidate.as_ref()?];
        let here = [found.reference.as_ref(), found.candidate.as_ref()];
        let bad = match is_checkpoint {
            true => [here[0]?, here[1]?],
            false => self.checkpoints_behind(role, found, keep)?,
        };
        // What stands before the divergence agrees; of a side that has no event there, what stands before the next.
        let before = Side::BOTH.map(|side| here[side.index()].unwrap_or(bad[side.index()]));
        let needles = [Needle::exact(crate::json::text::quoted(&role.kind).into_bytes())];
        let looked = self.both(|side| {
            let at = side.index();
            let accept = |line: &[u8]| self.is_checkpoint_of(line, role, lanes[at]);
            let (before, before_line) = (before[at].offset, before[at].line);
            Some(self.look_back(side, &Quest { before, before_line, needles: &needles, accept: &accept }))
        });
        let mut why_not = None;
        let mut places = Vec::new();
        for (looked, lane) in looked.into_iter().flatten().zip(lanes) {
            match looked {
                Err(why) => why_not = Some(why),
                Ok(Looked { found: Some((line, counted)), .. }) => {
                    // Another generation's state is not this one's, and what was dropped was not compared.
                    let counts = counted.generation == lane.generation && counted.position >= self.profile.skip_start;
                    places.extend(counts.then(|| self.place(line.offset, &counted)));
                }
                Ok(Looked { limited: true, searched, .. }) => {
                    let searched = super::size::show_bytes(searched);
                    why_not = Some(format!("not within the {searched} before (--origin-limit)"));
                }
                Ok(_) => {}
            }
        }
        let bad = bad.map(|copy| EventPlace {
            line: copy.line,
            offset: copy.offset,
            position: self.counts.then_some(copy.position),
            ordinal: copy.ordinal,
        });
        let good: Option<[EventPlace; 2]> = places.try_into().ok();
        let between = |good: [EventPlace; 2]| bad[0].position?.checked_sub(good[0].position? + 1);
        Some(CheckpointWindow {
            events_between: good.and_then(between),
            bad,
            good,
            is_unexplained: is_checkpoint,
            record_next: if is_checkpoint { names(&found.differences, role) } else { Vec::new() },
            why_not: why_not.filter(|_| good.is_none()),
        })
    }

    /// The next checkpoint of each side among the events told behind the divergence, if the two differ.
    fn checkpoints_behind<'d>(
        &self,
        role: &CheckpointRole,
        found: &'d Divergence,
        keep: &Keep,
    ) -> Option<[&'d EventCopy; 2]> {
        let next = |copies: &'d [EventCopy]| {
            copies.iter().find_map(|copy| {
                let text = keep.get(copy.text).ok().filter(|_| copy.cut_bytes == 0)?;
                let opened = self.opener.open_line(&text).ok()?;
                is_kind(Some(opened.kind.of(&text)), role).then_some((copy, text))
            })
        };
        let (reference, left) = next(&found.after_reference)?;
        let (candidate, right) = next(&found.after_candidate)?;
        let path = role.path.as_ref().or(self.profile.roles.payload_path());
        let (mut left_tape, mut right_tape) = (Tape::default(), Tape::default());
        left_tape.parse(&left, 0).ok()?;
        right_tape.parse(&right, 0).ok()?;
        let node = |tape: &Tape, text: &[u8]| path.map_or(Some(Tape::ROOT), |path| tape.at(text, Tape::ROOT, path));
        let (one, other) = (node(&left_tape, &left)?, node(&right_tape, &right)?);
        let agree = tape::equal((&left_tape, &left, one), (&right_tape, &right, other));
        (!agree).then_some([reference, candidate])
    }

    fn is_checkpoint_of(&self, line: &[u8], role: &CheckpointRole, lane: &LaneFacts) -> bool {
        self.opener.open_line(line).is_ok_and(|opened| {
            is_kind(Some(opened.kind.of(line)), role) && self.opener.thread_key(line, &opened.thread) == lane.thread
        })
    }

    /// Both sides at the same time.
    fn both<T: Send>(&self, of: impl Fn(Side) -> T + Sync) -> [T; 2] {
        let (reference, candidate) = rayon::join(|| of(Side::Reference), || of(Side::Candidate));
        [reference, candidate]
    }

    /// Looks for it, and counts out where it stands; else says why not.
    fn look_back(&self, side: Side, quest: &Quest<'_>) -> Result<Looked, String> {
        let log = self.logs[side.index()];
        if log.is_stream() {
            return Err("only a file that is not packed is searched".to_owned());
        }
        let floor = quest.before.saturating_sub(self.limit);
        let mut stretch =
            Stretch { range: floor..quest.before, line_bytes_max: self.open.max_line_bytes, block_bytes: BLOCK_BYTES };
        let (mut searching, mut counting) = (Duration::ZERO, Duration::ZERO);
        let mut found = None;
        for _ in 0..NO_EVENTS_MAX {
            let began = Instant::now();
            let line = last_line(log, &stretch, quest.needles, quest.accept).map_err(|error| error.to_string())?;
            searching += began.elapsed();
            let Some(line) = line else { break };
            let began = Instant::now();
            let counted = self.count(side, &line, quest).map_err(|error| format!("{error:#}"))?;
            counting += began.elapsed();
            stretch.range.end = line.offset;
            if let Some(counted) = counted {
                found = Some((line, counted));
                break;
            }
            // Its ordinal does not grow: a malformed line, which was stepped over.
        }
        let lowest = found.as_ref().map_or(floor, |(line, _)| line.offset);
        let (searched, limited) = (quest.before - lowest, found.is_none() && floor > 0);
        // Before anything that was found is told.
        log.check_unchanged().map_err(|error| error.to_string())?;
        if let Ok(mut times) = self.times.lock() {
            let name = if side == Side::Reference { "reference" } else { "candidate" };
            let (searched, seconds) = (super::size::show_bytes(searched), searching.as_secs_f64());
            let counted = counting.as_secs_f64();
            times.push(format!("{name}: {searched} searched backward in {seconds:.3} s, {counted:.3} s to count"));
        }
        Ok(Looked { found, searched, limited })
    }

    /// Where a line's event stands: its log is scanned from there to the end, if that is nearer and the run tells enough of
    /// its threads, else from the beginning to there.
    fn count(&self, side: Side, line: &FoundLine, quest: &Quest<'_>) -> anyhow::Result<Option<Counted>> {
        let Ok(opened) = self.opener.open_line(&line.text) else { return Ok(None) };
        let thread = self.opener.thread_key(&line.text, &opened.thread);
        let (log, lanes) = (self.logs[side.index()], &self.lanes[side.index()]);
        if self.counts && !lanes.is_empty() && log.bytes_read().saturating_sub(line.offset) < line.offset {
            let number = quest.before_line - lines_between(log, line.offset, quest.before)?;
            if let Some((generation, position)) =
                place_from_behind(log, &self.opener, lanes, &thread, (line.offset, number))?
            {
                return Ok(Some(Counted { thread, generation, line: number, position, ordinal: opened.ordinal }));
            }
        }
        let mut log = Log::open(self.paths[side.index()], self.open)?;
        anyhow::ensure!(
            log.identity() == self.logs[side.index()].identity(),
            "another file has taken its name just now"
        );
        let Ok(start) = begin::begin(&mut log, self.profile)? else { return Ok(None) };
        let options = ScanOptions { step_over_faults: true, ..ScanOptions::default() };
        let mut tally = Tally { thread: &thread, offset: line.offset, succession: Succession::default(), found: None };
        scan::sweep(&mut log, &self.opener, options, start, |swept| tally.take(&swept))?;
        Ok(tally.found)
    }
}

/// Counts one thread's events up to a line.
struct Tally<'t> {
    thread: &'t ThreadKey,
    offset: u64,
    succession: Succession,
    found: Option<Counted>,
}

impl Tally<'_> {
    fn take(&mut self, swept: &Swept<'_>) -> ControlFlow<()> {
        let scanned = &swept.scanned;
        let is_last = self.offset < swept.window.offset + swept.window.bytes.len() as u64;
        for group in scanned.groups.iter().filter(|group| group.thread == *self.thread) {
            let (first, last) = (scanned.spans.span(group.from), scanned.spans.span(group.to - 1));
            let events = u64::from(group.to - group.from);
            if !is_last && !group.irregular && self.succession.take_growing(&first, &last, events) {
                continue;
            }
            for span in scanned.spans_of(group) {
                let Ok(place) = self.succession.take(&span) else { continue };
                if swept.window.offset + u64::from(span.start - span.lead) == self.offset {
                    self.found = Some(Counted {
                        thread: self.thread.clone(),
                        generation: place.generation,
                        line: swept.lines_before + u64::from(span.row) + 1,
                        position: place.position,
                        ordinal: span.ordinal(),
                    });
                    return ControlFlow::Break(());
                }
            }
        }
        if is_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// How each side's value of a field is looked for, or why it is not; none where it has none.
type Mentions = [Option<Result<Mention, String>>; 2];

/// The first field of which a value is worth looking for, or else the first.
fn sought<'d>(profile: &Profile, differences: &'d [Difference]) -> Option<(&'d Difference, Mentions)> {
    let is_role =
        |path: &Pointer| profile.roles.paths().any(|role| role == path) && profile.roles.payload_path() != Some(path);
    let mention =
        |token: &Option<Vec<u8>>| token.as_ref().map(|token| Mention::of(token).map_err(|why| why.to_string()));
    let fields = differences.iter().filter(|difference| !is_role(&difference.path));
    let mut fields = fields
        .map(|difference| (difference, [mention(&difference.reference), mention(&difference.candidate)]))
        .peekable();
    let first = fields.peek().cloned();
    let is_worth = |mentions: &Mentions| mentions.iter().flatten().any(Result::is_ok);
    fields.find(|(_, mentions)| is_worth(mentions)).or(first)
}

fn is_kind(token: Option<&[u8]>, role: &CheckpointRole) -> bool {
    token.is_some_and(|token| token.first() == Some(&b'"') && key_is(token, role.kind.as_bytes()))
}

/// What differs of a checkpoint, by its own names: its parts, or where it has none the hash.
fn names(differences: &[Difference], role: &CheckpointRole) -> Vec<String> {
    let parts = differences.iter().map(|difference| &difference.path).filter(|path| Some(*path) != role.path.as_ref());
    let mut names: Vec<String> = Vec::new();
    for name in parts.map(name_of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        names.extend(role.path.as_ref().map(name_of));
    }
    names
}

/// The last key of a path, and the places in an array behind it.
fn name_of(path: &Pointer) -> String {
    let is_place = |token: &String| token.bytes().all(|byte| byte.is_ascii_digit());
    let tokens = path.tokens();
    let key = tokens.iter().rposition(|token| !is_place(token)).unwrap_or(0);
    let places = tokens.iter().skip(key + 1).map(|place| format!("[{place}]"));
    tokens.get(key).into_iter().cloned().chain(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(path: &str, values: [&str; 2]) -> Difference {
        let [reference, candidate] = values.map(|value| (!value.is_empty()).then(|| value.as_bytes().to_vec()));
        Difference { path: Pointer::parse(path).unwrap(), reference, candidate, meant: None }
    }

    #[test]
    fn the_first_field_worth_looking_for_is_sought() {
        let profile = crate::profile::builtin("schema-v1").unwrap();
        let sought = |differences: &[Difference]| {
            sought(&profile, differences).map(|(difference, mentions)| {
                let told = |mention: &Option<Result<Mention, String>>| mention.as_ref().map(Result::is_ok);
                (difference.path.to_string(), mentions.each_ref().map(told))
            })
        };
        let fields = [
            difference("/tid_event_idx", ["4000", "4001"]),
            difference("/payload/a", ["0", "true"]),
            difference("/payload/b", ["0", "4660"]),
            difference("/payload/c", ["5555", "4660"]),
        ];
        assert_eq!(sought(&fields), Some(("/payload/b".into(), [Some(false), Some(true)])));
        assert_eq!(sought(&fields[..2]), Some(("/payload/a".into(), [Some(false), Some(false)])));
        assert_eq!(sought(&fields[..1]), None);
        let absent = [difference("/payload/a", ["", "4660"])];
        assert_eq!(sought(&absent), Some(("/payload/a".into(), [None, Some(true)])));
    }

    #[test]
    fn fields_of_a_checkpoint_are_named_by_their_own_keys() {
        let role = |path: &str| CheckpointRole { kind: "c".into(), path: Pointer::parse(path).ok() };
        let fields = ["/payload/hash", "/payload/parts/memory", "/payload/regs/3/1", "/payload/parts/memory"]
            .map(|path| difference(path, ["1", "2"]));
        assert_eq!(names(&fields, &role("/payload/hash")), ["memory", "regs[3][1]"]);
        assert_eq!(names(&fields[..1], &role("/payload/hash")), ["hash"]);
        let none = CheckpointRole { kind: "c".into(), path: None };
        assert_eq!(names(&fields[..1], &none), ["hash"]);
    }
}
