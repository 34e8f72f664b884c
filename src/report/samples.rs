//! Outcomes built by hand, for this room's tests.

use crate::diverge::*;
use crate::json::Pointer;
use crate::profile::{Header, PayloadRole, Profile, Roles, SummaryRule};
use crate::report::ReportContext;
use crate::scan::ThreadKey;
use crate::source::{Keep, Side};

/// Builds an outcome event by event.
#[derive(Default)]
pub(crate) struct Sample {
    pub keep: Keep,
    pub pairings: Vec<Pairing>,
}

pub(crate) fn profile() -> Profile {
    let path = |text| Pointer::parse(text).unwrap();
    let rule = |kinds: &[&str], template: &str| SummaryRule {
        kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        template: template.to_owned(),
    };
    Profile {
        name: "schema-v1".into(),
        description: String::new(),
        roles: Roles {
            thread: vec![path("tid")],
            ordinal: Some(path("tid_event_idx")),
            kind: Some(path("kind")),
            payload: PayloadRole::At(path("payload")),
            ..Roles::default()
        },
        header: Some(Header { kind: "schema_version".into(), version_path: path("schema_version"), version: 1 }),
        null_equals_missing: true,
        skip_start: 0,
        ignore: vec![],
        mask: vec![],
        allocator: vec![],
        tolerance: vec![],
        unordered: vec![],
        spelling: vec![],
        offset: vec![],
        identity: vec![],
        drop: vec![],
        fold: vec![],
        edge: vec![],
        audit: vec![],
        join: vec![],
        summaries: vec![
            rule(&["kernel.call", "kernel.return", "import.call"], "{name|ord}"),
            rule(&["handle.*"], "sid={handle_semantic_id}"),
        ],
    }
}

pub(crate) fn context() -> ReportContext {
    let mut context = ReportContext::default();
    context.reference.path = "runs/canary.jsonl".into();
    context.reference.label = "canary".into();
    context.candidate.path = "runs/ours.jsonl".into();
    context.candidate.label = "ours".into();
    context
}

pub(crate) fn lane(thread: impl Into<ThreadKey>, events: u64) -> Option<LaneFacts> {
    Some(LaneFacts { thread: thread.into(), generation: 0, events, first_line: 2 })
}

impl From<i64> for ThreadKey {
    fn from(number: i64) -> ThreadKey {
        ThreadKey::Integer(number)
    }
}

impl From<&str> for ThreadKey {
    fn from(text: &str) -> ThreadKey {
        ThreadKey::Text(text.as_bytes().into())
    }
}

/// A paired, equal lane.
pub(crate) fn equal(reference: i64, candidate: i64, events: u64) -> Pairing {
    Pairing {
        reference: lane(reference, events),
        candidate: lane(candidate, events),
        matched_by: MatchedBy::FirstCall,
        ambiguous: false,
        evidence: Some(Evidence { common: 64, of: 64, runner_up: None }),
        status: Status::Identical,
        compared: events,
        divergence: None,
        accepted: 0,
        late_start: None,
        further: Vec::new(),
        pool: None,
    }
}

impl Sample {
    pub(crate) fn event(&mut self, position: u64, line: u64, text: &[u8]) -> EventCopy {
        EventCopy {
            line,
            offset: line * 200,
            ordinal: Some(position),
            position,
            parts: 1,
            text: self.keep.put(text).unwrap(),
            cut_bytes: 0,
        }
    }

    pub(crate) fn call(&mut self, kind: &str, position: u64, line: u64, payload: &str) -> EventCopy {
        let text = format!(
            r#"{{"schema_version":1,"kind":"{kind}","tid":6,"tid_event_idx":{position},"host_ns":{},"payload":{payload}}}"#,
            line * 1000
        );
        self.event(position, line, text.as_bytes())
    }

    /// Five equal pairs before and three events behind `position`.
    pub(crate) fn around(&mut self, position: u64, kind: DivergenceKind) -> Divergence {
        const CALLS: [&str; 5] = [
            "RtlEnterCriticalSection",
            "NtWaitForSingleObjectEx",
            "KeSetEvent",
            "NtReadFile",
            "RtlLeaveCriticalSection",
        ];
        let at = |sample: &mut Sample, position: u64, line: u64| {
            let call = position % 10 / 2;
            let kind = if position.is_multiple_of(2) { "kernel.call" } else { "kernel.return" };
            sample.call(kind, position, line, &format!(r#"{{"name":"{}"}}"#, CALLS[call as usize]))
        };
        let before = (position.saturating_sub(5)..position)
            .map(|here| (at(self, here, here * 3 + 2), at(self, here, here * 4 + 2)))
            .collect();
        let after_reference = (position + 1..position + 4).map(|here| at(self, here, here * 3 + 2)).collect();
        let after_candidate = (position + 1..position + 4).map(|here| at(self, here, here * 4 + 2)).collect();
        Divergence {
            position,
            kind,
            event_kind: None,
            rank: 1,
            after_fault: false,
            reference: Some(at(self, position, position * 3 + 2)),
            candidate: Some(at(self, position, position * 4 + 2)),
            differences: vec![],
            differences_total: 0,
            resync: None,
            reordered: None,
            healed_after: None,
            follows: None,
            before,
            after_reference,
            after_candidate,
            meanings: vec![],
            overlooked: vec![],
        }
    }

    /// A pairing that parts.
    pub(crate) fn diverged(&mut self, reference: i64, candidate: i64, events: [u64; 2], found: Divergence) {
        let mut pairing = equal(reference, candidate, events[0]);
        pairing.candidate = lane(candidate, events[1]);
        pairing.status = Status::Diverged;
        pairing.compared = found.position;
        pairing.divergence = Some(found);
        self.pairings.push(pairing);
    }

    pub(crate) fn outcome(&mut self, first: Option<usize>) -> Outcome {
        let pairings = std::mem::take(&mut self.pairings);
        let log = |side: Side| {
            let lanes: Vec<&LaneFacts> = pairings
                .iter()
                .filter_map(|one| if side == Side::Reference { one.reference.as_ref() } else { one.candidate.as_ref() })
                .collect();
            let events = lanes.iter().map(|lane| lane.events).sum();
            LogFacts {
                bytes: events * 200,
                events,
                threads: lanes.len() as u64,
                last_line: events + 1,
                ..LogFacts::default()
            }
        };
        let compared = pairings.iter().map(|one| one.compared).sum::<u64>();
        Outcome {
            lead: first,
            causes: None,
            reference: log(Side::Reference),
            candidate: log(Side::Candidate),
            first,
            coverage: Coverage {
                events_compared: compared,
                equal_by_bytes: compared * 9 / 10,
                read: compared / 10,
                overlooked: vec![("raw-handle-id".into(), 12), ("allocator".into(), 1234)],
                ..Coverage::default()
            },
            pairings,
            faults: vec![],
            faults_total: 0,
            notes: vec![],
            map_unknown: vec![],
            only_first: None,
            untold: vec![],
            accepted: 0,
            acceptances: vec![],
        }
    }
}

/// Eight threads: a wrong status first, missing events, another kind; two only end; the rest equal.
pub(crate) fn typical() -> (Outcome, Keep) {
    let mut sample = Sample::default();
    sample.pairings.push(equal(1, 4, 120_004));
    let mut found = sample.around(561_481, DivergenceKind::Value);
    found.reference = Some(sample.call(
        "kernel.return",
        561_481,
        1_684_445,
        r#"{"name":"NtOpenFile","return_value":0,"status":"0x00000000"}"#,
    ));
    found.candidate = Some(sample.call(
        "kernel.return",
        561_481,
        2_245_926,
        r#"{"name":"NtOpenFile","return_value":3221225524,"status":"0xC0000034"}"#,
    ));
    found.differences = vec![
        Difference::at("/payload/return_value", Some("0"), Some("3221225524")),
        Difference::at("/payload/status", Some("\"0x00000000\""), Some("\"0xC0000034\"")),
    ];
    found.differences_total = 2;
    found.resync = Some(Resync { after_reference: 1, after_candidate: 1, equal_run: 255, ordinal_shift: Some(0) });
    found.overlooked = vec!["ignore:/payload/host_ns".into()];
    sample.diverged(6, 9, [600_000, 599_001], found);
    let mut found = sample.around(40_200, DivergenceKind::Missing);
    found.rank = 3;
    found.candidate = None;
    found.resync = Some(Resync { after_reference: 2, after_candidate: 0, equal_run: 254, ordinal_shift: Some(-2) });
    sample.diverged(7, 3, [80_000, 79_998], found);
    let mut found = sample.around(12, DivergenceKind::Kind);
    found.rank = 2;
    found.differences = vec![Difference::at("/kind", Some("\"wait.begin\""), Some("\"kernel.call\""))];
    found.differences_total = 1;
    sample.diverged(8, 8, [52_000, 52_000], found);
    for (reference, candidate) in [(9, 11), (10, 12)] {
        let mut found = sample.around(31_000, DivergenceKind::EndedEarly);
        found.rank = reference as u64;
        found.candidate = None;
        found.after_candidate.clear();
        sample.diverged(reference, candidate, [32_000, 31_000], found);
    }
    sample.pairings.push(equal(11, 5, 7));
    sample.pairings[2].evidence = Some(Evidence { common: 41, of: 64, runner_up: Some(41) });
    sample.pairings[2].matched_by = MatchedBy::Prefix;
    sample.pairings[2].ambiguous = true;
    let unmatched = Pairing {
        candidate: None,
        status: Status::Unmatched,
        compared: 0,
        matched_by: MatchedBy::None,
        evidence: None,
        ..equal(14, 0, 321)
    };
    sample.pairings.push(unmatched);
    let mut outcome = sample.outcome(Some(1));
    outcome.reference.header =
        Some(br#"{"kind":"schema_version","schema_version":1,"engine":"canary","build":"a1b2"}"#.to_vec());
    outcome.candidate.header = Some(br#"{"kind":"schema_version","schema_version":1.0,"engine":"ours"}"#.to_vec());
    outcome.notes.push(Note { side: Side::Candidate, text: "the last line is torn".into() });
    (outcome, sample.keep)
}

/// The candidate's log stops in the middle; nothing differs before.
pub(crate) fn cut_short() -> (Outcome, Keep) {
    let mut sample = Sample::default();
    sample.pairings.push(equal(1, 4, 120));
    for (reference, candidate) in [(6, 9), (7, 3)] {
        let mut found = sample.around(300, DivergenceKind::EndedEarly);
        found.rank = reference as u64 - 5;
        found.candidate = None;
        found.after_candidate.clear();
        sample.diverged(reference, candidate, [400, 300], found);
    }
    let mut outcome = sample.outcome(Some(1));
    outcome.candidate.cut = true;
    outcome.notes.push(Note { side: Side::Candidate, text: "the last line is torn".into() });
    (outcome, sample.keep)
}

/// Very many worker lanes, a few of which part.
pub(crate) fn many(lanes: i64) -> (Outcome, Keep) {
    let mut sample = Sample::default();
    let mut rank = 0;
    for lane in 0..lanes {
        if lane % 200 == 7 {
            rank += 1;
            let mut found = sample.around(90, DivergenceKind::Extra);
            found.rank = rank;
            found.reference = None;
            found.resync =
                Some(Resync { after_reference: 0, after_candidate: 1, equal_run: 30, ordinal_shift: Some(1) });
            sample.diverged(lane, lane + 1, [100, 101], found);
        } else {
            sample.pairings.push(equal(lane, lane + 1, 100));
        }
    }
    (sample.outcome(Some(7)), sample.keep)
}

/// No thread found a partner.
/// Two workers of a pool, and a thread of its own that parts behind them.
pub(crate) fn pooled() -> (Outcome, Keep) {
    let mut sample = Sample::default();
    for (thread, rank) in [(6, 1), (7, 2), (8, 3)] {
        let mut found = sample.around(10 * rank, DivergenceKind::Value);
        found.rank = rank;
        found.differences = vec![Difference::at("/payload/job", Some("1"), Some("2"))];
        found.differences_total = 1;
        sample.diverged(thread, thread, [90, 90], found);
    }
    for worker in &mut sample.pairings[..2] {
        (worker.pool, worker.ambiguous) = (Some(Pool { group: 0, members: 2 }), true);
    }
    let outcome = sample.outcome(Some(0));
    (outcome, sample.keep)
}

pub(crate) fn hollow() -> (Outcome, Keep) {
    let mut sample = Sample::default();
    let alone = |reference, candidate| Pairing {
        reference,
        candidate,
        status: Status::Unmatched,
        compared: 0,
        matched_by: MatchedBy::None,
        evidence: None,
        ..equal(0, 0, 0)
    };
    sample.pairings.push(alone(lane(1, 40), None));
    sample.pairings.push(alone(None, lane("io \u{1b}[31m", 3)));
    (sample.outcome(Some(0)), sample.keep)
}

/// Everything a hostile log may hold.
pub(crate) fn nasty() -> (Outcome, Keep) {
    let mut sample = Sample::default();
    let mut found = sample.around(3, DivergenceKind::Value);
    let long = "z".repeat(20_000);
    let text = format!(
        r#"{{"kind":"ke|rnel\u001b[31m</td><script>\u202e","tid":6,"tid_event_idx":3,"payload":{{"n":1234567890123456789012345678901234567890,"x":1e400,"s":"\ud800 ``` \u009b ~~~~ `a`","deep":[[[]]],"l":"{long}"}}}}"#
    );
    found.reference = Some(sample.event(3, 11, text.as_bytes()));
    let mut broken = br#"{"kind":"b","payload":{"a":NaN,"a":2,"raw":""#.to_vec();
    broken.extend_from_slice(b"\xff\xe2\x82 \x7f\"}}");
    let mut candidate = sample.event(3, 14, &broken);
    candidate.ordinal = None;
    found.candidate = Some(candidate);
    let mut cut = sample.event(4, 15, "{\"payload\":\"日本".as_bytes().split_last().unwrap().1);
    cut.cut_bytes = 5000;
    found.after_candidate[0] = cut;
    let long_a = format!("\"{}one{}\"", "日".repeat(9000), "y".repeat(40));
    let long_b = format!("\"{}TWO{}\"", "日".repeat(9000), "y".repeat(40));
    found.differences = vec![
        Difference::at("/payload/n", Some("1234567890123456789012345678901234567890"), Some("1.50e+3")),
        Difference::at("/payload/x", Some("NaN"), Some("[-Infinity,{\"a\":1,\"a\":NaN}]")),
        Difference::at("/payload/s", Some("\"\\ud800 | ``` \u{202e}<b>\""), None),
        Difference::at("/payload/a~1b~0\u{1b}", None, Some("{\"k\":[]}")),
        Difference::at("/payload/l", Some(&long_a), Some(&long_b)),
    ];
    found.differences_total = 77;
    sample.diverged(6, 9, [10, 10], found);
    let mut text = sample.pairings.pop().unwrap();
    text.reference = lane("a|b`c\u{1b}\n<i>", 10);
    text.candidate = Some(LaneFacts {
        thread: ThreadKey::Composite(Box::new([
            ThreadKey::Integer(-3),
            ThreadKey::BigInteger("123456789012345678901234567890".into()),
            ThreadKey::Text(b"x\xed\xa0\x80".as_slice().into()),
        ])),
        generation: 2,
        events: 10,
        first_line: 2,
    });
    sample.pairings.push(text);
    let single = |events| Some(LaneFacts { thread: ThreadKey::Single, generation: 0, events, first_line: 2 });
    sample.pairings.push(Pairing { reference: single(4), candidate: single(4), ..equal(0, 0, 4) });
    let mut outcome = sample.outcome(Some(0));
    outcome.faults =
        vec![LineFault { side: Side::Candidate, line: 7, offset: 701, reason: "no JSON: \u{1b}[2J".into() }];
    outcome.faults_total = 3;
    outcome.notes = vec![Note { side: Side::Reference, text: "grew \u{9b} while it was read".into() }];
    (outcome, sample.keep)
}
