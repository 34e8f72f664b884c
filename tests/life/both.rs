//! Two logs are held together the same however they are cut into windows, and from either side; a log held to itself is the same. Who
//! waits on one side only is who waits by each log alone and not by the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use forkpoint::align::{LaneName, header};
use forkpoint::audit::both::{BothAudit, BothOptions, PairedBy, ThreadPair, audit_both};
use forkpoint::audit::log::{Audit, Name, Object};
use forkpoint::profile::{AuditStep, Profile};
use forkpoint::report::audit::both::story::side_contexts;
use forkpoint::report::audit::both::{BothContext, BothOutlook, BothStory, json, markdown, terminal};
use forkpoint::source::{Log, OpenOptions, Side};

use crate::scenes::try_audit;

/// The lanes of a log.
fn lanes(audit: &Audit) -> BTreeSet<(String, u32)> {
    audit.world.threads.iter().map(|thread| (thread.key.to_string(), thread.generation)).collect()
}

/// Threads of the same keys.
fn pairs(audits: [&Audit; 2]) -> Vec<ThreadPair> {
    let find = |side: usize, lane: &(String, u32)| {
        let mut threads = audits[side].world.threads.iter();
        let thread = threads.find(|thread| (thread.key.to_string(), thread.generation) == *lane)?;
        Some(LaneName { thread: thread.key.clone(), generation: thread.generation })
    };
    let all: BTreeSet<_> = lanes(audits[0]).union(&lanes(audits[1])).cloned().collect();
    let pair = |lane| ThreadPair { lanes: [find(0, lane), find(1, lane)], ..ThreadPair::default() };
    all.iter().map(pair).collect()
}

fn held(logs: [&[u8]; 2], pairs: &[ThreadPair], profile: &Profile, window_bytes: usize) -> BothAudit {
    let options = OpenOptions { window_bytes, ..OpenOptions::default() };
    let mut logs = logs.map(|log| Log::from_bytes("scene", log.to_vec(), &options));
    let [first, second] = &mut logs;
    let starts = [header::start(first, profile), header::start(second, profile)].map(|start| start.ok().unwrap());
    let [one, two] = starts;
    let options = BothOptions { paired_by: PairedBy::Name, focus: &[] };
    let logs = [(first, one), (second, two)];
    audit_both(logs, profile, pairs.to_vec(), options, |_, _, _, _| ()).expect("what is in memory can be read")
}

/// The report of two logs, all of it, as JSON, and the answer; painting it in the other ways works too.
fn report(audit: &BothAudit, profile: &Profile) -> (String, BothOutlook) {
    let paths = [PathBuf::from("one"), PathBuf::from("other")];
    let context = BothContext { paths, limit: usize::MAX, width: 80, ..BothContext::default() };
    let contexts = side_contexts(&context);
    let story = BothStory::new(audit, profile, &context, &contexts);
    assert!(!terminal(&story).is_empty() && !markdown(&story).is_empty());
    (json(&story), story.outlook)
}

/// Objects of one log that are made alike, in their order: by which thread (none: by nobody), of which family, under which name.
type Make = (Option<String>, &'static str, Option<String>);

/// What each thread did to an object, in its order.
type Lives = BTreeMap<String, Vec<(AuditStep, i64)>>;

/// The lives of all objects of a log that are still known, alike ones in their order; none if not all steps are.
fn lives(audit: &Audit) -> Option<BTreeMap<Make, Vec<Lives>>> {
    let world = &audit.world;
    let key = |thread: u32| {
        let thread = &world.threads[thread as usize];
        format!("{}#{}", thread.key, thread.generation)
    };
    let mut objects: Vec<&Object> =
        world.objects.living().map(|(_, object)| object).chain(world.objects.buried()).collect();
    objects.sort_by_key(|object| object.created.as_ref().map(|entry| entry.at.line));
    let mut lives: BTreeMap<Make, Vec<Lives>> = BTreeMap::new();
    for object in objects {
        if [&object.signals, &object.waits, &object.wakes].iter().any(|ring| ring.dropped() > 0) {
            return None;
        }
        let name = object.called().filter(|name| object.created.is_none() || matches!(name, Name::Text(_)));
        let maker = object.created.as_ref().map(|entry| key(entry.at.thread));
        let family = if maker.is_some() { object.kind.family() } else { "" };
        let mut life = Lives::new();
        for entry in object.timeline() {
            let detail = match entry.step {
                AuditStep::Wake => i64::from(entry.aux.as_ref().is_some_and(|aux| aux.unmet)),
                AuditStep::Wait | AuditStep::Create | AuditStep::Destroy => 0,
                _ => entry.count(),
            };
            life.entry(key(entry.at.thread)).or_default().push((entry.step, detail));
        }
        lives.entry((maker, family, name.map(ToString::to_string))).or_default().push(life);
    }
    Some(lives)
}

/// How many objects have other lives in the other log: each looked at as a whole, all steps at hand.
fn differing(audits: [&Audit; 2]) -> Option<usize> {
    let [one, other] = [lives(audits[0])?, lives(audits[1])?];
    let makes: BTreeSet<&Make> = one.keys().chain(other.keys()).collect();
    let alike = |make: &Make, lives: &BTreeMap<Make, Vec<Lives>>| lives.get(make).cloned().unwrap_or_default();
    let count = |make: &&Make| {
        let [one, other] = [alike(make, &one), alike(make, &other)];
        let pairs = one.iter().zip(&other).filter(|(one, other)| one != other).count();
        pairs + one.len().abs_diff(other.len())
    };
    Some(makes.iter().map(count).sum())
}

/// Who waits on one side only: side, thread, line.
fn one_sided(audit: &BothAudit, turned: bool) -> BTreeSet<(Side, String, u64)> {
    let of = |side: Side| if turned { side.other() } else { side };
    let told = audit.waiting.iter().map(|one| {
        let verdict = one.verdict(&audit.logs);
        let thread = &audit.logs[one.side.index()].world.threads[verdict.thread as usize];
        (of(one.side), thread.key.to_string(), verdict.since.line)
    });
    told.collect()
}

/// The report of two logs; none where one of them begins otherwise than the profile wants.
pub fn same(logs: [&[u8]; 2], profile: &Profile) -> Option<String> {
    let alone = [try_audit(logs[0], profile, 1 << 20)?, try_audit(logs[1], profile, 1 << 20)?];
    let pairs = pairs([&alone[0], &alone[1]]);
    let whole = held(logs, &pairs, profile, 1 << 20);
    let (told, _) = report(&whole, profile);
    for window_bytes in [1, 700] {
        let (cut, _) = report(&held(logs, &pairs, profile, window_bytes), profile);
        let differ = cut.lines().zip(told.lines()).find(|(one, other)| one != other);
        assert!(differ.is_none() && cut == told, "windows of {window_bytes} bytes: {differ:?}");
    }
    // Each waits on one side only, or is met on both.
    let waits = alone.iter().map(|audit| audit.verdicts.len()).sum::<usize>();
    assert_eq!(whole.waiting.len() + 2 * whole.waiting_alike as usize, waits, "{told}");
    // Objects that were closed and touched again are told apart otherwise.
    let is_plain = |audit: &Audit| {
        audit.world.objects.buried().chain(audit.world.objects.living().map(|(_, one)| one)).all(|one| {
            let closed = one.destroyed.as_ref().map(|entry| entry.at.line);
            one.timeline().iter().all(|entry| closed.is_none_or(|closed| entry.at.line <= closed))
        })
    };
    if alone.iter().all(is_plain)
        && let Some(differing) = differing([&alone[0], &alone[1]])
    {
        let parted = whole.parted.iter().filter(|one| one.trails.iter().any(|(_, trail)| trail.parting().is_some()));
        assert_eq!(parted.count(), differing, "objects that part: {told}");
    }
    let turned: Vec<ThreadPair> = (pairs.iter())
        .map(|pair| ThreadPair { lanes: [pair.lanes[1].clone(), pair.lanes[0].clone()], ..ThreadPair::default() })
        .collect();
    let mirrored = held([logs[1], logs[0]], &turned, profile, 1 << 20);
    assert_eq!(one_sided(&mirrored, true), one_sided(&whole, false), "the other way round");
    assert_eq!(mirrored.parted.len(), whole.parted.len(), "the other way round");
    let (own, outlook) = report(&held([logs[0]; 2], &self::pairs([&alone[0]; 2]), profile, 700), profile);
    assert_ne!(outlook, BothOutlook::Differ, "a log differs from itself: {own}");
    Some(told)
}
