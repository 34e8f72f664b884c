//! The event found by seeking, and its neighbours, are those of opening every line.
#![no_main]

use forkpoint::scan::{Opener, Span, ThreadKey, Wanted, around, reopen};
use forkpoint_fuzz::{apart, profile};
use libfuzzer_sys::fuzz_target;

/// An event: where its line begins, its thread, where its roles stand.
type Event = (u64, ThreadKey, Span);

/// The events of all lines, one after the other; a mark at the log's beginning is none of the first line.
fn events(opener: &Opener, log: &[u8]) -> Vec<Event> {
    let starts = std::iter::once(0).chain((1..log.len()).filter(|at| log[at - 1] == b'\n'));
    let open = |start: usize| {
        let lead = if start == 0 && log.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let span = reopen(opener, log, start + lead).ok()?;
        let opened = opener.open_line(span.line_of(log)).expect("it was opened");
        Some((start as u64, opener.thread_key(span.line_of(log), &opened.thread), span))
    };
    starts.filter_map(open).collect()
}

/// Whether two events that follow each other in a thread are of two generations.
fn parts(before: &Event, after: &Event) -> bool {
    let falls_to_0 = after.2.ordinal() == Some(0) && before.2.ordinal().is_some_and(|ordinal| ordinal > 0);
    before.2.has(Span::ENDS_THREAD) || falls_to_0
}

fuzz_target!(|data: &[u8]| {
    let (_, choice) = apart(data);
    let Some(end) = data.iter().rposition(|byte| *byte == b'\n') else { return };
    let (log, context) = (&data[..=end], choice % 5);
    let opener = Opener::new(&profile(choice), false);
    let events = events(&opener, log);
    for offset in [choice * 7 % log.len(), end / 2, end] {
        let wanted = Wanted { offset: offset as u64, thread: None, context, header: false, line_bytes_max: 1 << 20 };
        let start = log[..offset].iter().rposition(|byte| *byte == b'\n').map_or(0, |feed| feed as u64 + 1);
        let Some(target) = events.iter().find(|event| event.0 == start) else {
            assert!(around(log, &opener, wanted, &|_| {}).is_err(), "no event stands there");
            continue;
        };
        let found = around(log, &opener, wanted, &|_| {}).expect("an event stands there");
        let lane: Vec<&Event> = events.iter().filter(|event| event.1 == target.1).collect();
        let at = lane.iter().position(|event| event.0 == start).expect("it is of its own lane");
        let before = (0..at).rev().take_while(|n| !parts(lane[*n], lane[n + 1])).take(context).map(|n| lane[n].0);
        let after = (at + 1..lane.len()).take_while(|n| !parts(lane[n - 1], lane[*n])).take(context).map(|n| lane[n].0);
        assert_eq!(found.target.offset, start);
        assert!(before.eq(found.before.iter().rev().map(|one| one.offset)), "before");
        assert!(after.eq(found.after.iter().map(|one| one.offset)), "after");
    }
});
