//! The events, in the order in which they happened.

use std::path::Path;

use super::lines::{FileAccount, Row, each_row};
use crate::episode::EVENTS;
use crate::json::{Kind, Tape};

/// Events that are kept of a long episode, unless all are wanted: the first so many.
const KEPT_MAX: usize = 10_000;
/// With one of these what was to be observed is over: whichever comes first ends the last phase. What follows is the recorder's own work.
const ENDS: [&str; 8] = [
    "episode_end",
    "proc_finished",
    "qmp_finished",
    "guest_finished",
    "perf_finished",
    "pcap_stopped",
    "pcap_finished",
    "netflow_finished",
];
/// Members of a row that tell its time, and its name.
const OWN: [&str; 3] = ["t_mono_ns", "t_wall_ns", "event"];

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub time: u64,
    /// What.
    pub event: String,
    /// All else that it tells: texts as they are meant, other values as they stand.
    pub fields: Vec<(String, String)>,
}

/// The events of an episode.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The first of them.
    pub events: Vec<Happening>,
    /// How many there are.
    pub total: u64,
    /// When the episode ended, if it did.
    pub end: Option<u64>,
    /// What the file is like.
    pub account: FileAccount,
}

impl Timeline {
    /// Reads the events of a folder whose last phase began so late.
    pub fn read(folder: &Path, last_phase: u64, all: bool) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.account = each_row(folder, EVENTS, |row| {
            let event = row.string("event").ok_or("an event without a name")?;
            timeline.total += 1;
            if row.time >= last_phase && ENDS.contains(&event.as_str()) {
                timeline.end.get_or_insert(row.time);
            }
            if all || timeline.events.len() < KEPT_MAX {
                timeline.events.push(Happening { time: row.time, event, fields: fields(row) });
            }
            Ok(())
        });
        timeline
    }
}

impl Happening {
    /// Reads a row's text; none if it is not whole. A label is one without a name.
    pub fn read(text: &[u8]) -> Option<Happening> {
        let mut tape = Tape::default();
        tape.parse(text, 0).ok()?;
        if tape.kind(Tape::ROOT) != Kind::ObjectStart {
            return None;
        }
        let row = Row { tape: &tape, text, time: 0 };
        Some(Happening { time: 0, event: row.string("event").unwrap_or_default(), fields: fields(&row) })
    }
}

fn fields(row: &Row<'_>) -> Vec<(String, String)> {
    let told = row.members().filter(|(key, _)| !OWN.contains(&key.as_str()));
    let value = |node| match row.tape.kind(node) {
        Kind::String => super::lines::unescaped(row.tape.bytes(row.text, node)),
        _ => String::from_utf8_lossy(row.tape.bytes(row.text, node)).into_owned(),
    };
    told.map(|(key, node)| (key, value(node))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_tell_when_the_last_phase_ended() {
        let folder = tempfile::tempdir().unwrap();
        let text = "{\"t_mono_ns\":0,\"t_wall_ns\":9,\"event\":\"snapshot_load\",\"snapshot\":\"a b\"}\n\
            {\"t_mono_ns\":5,\"event\":\"proc_finished\",\"rows\":5}\n{\"t_mono_ns\":20,\"event\":\"proc_finished\",\"x\":{\"y\":[1]}}\n\
            {\"t_mono_ns\":30,\"event\":\"episode_end\"}\n{\"t_mono_ns\":40}\n";
        std::fs::write(folder.path().join(EVENTS), text).unwrap();
        let timeline = Timeline::read(folder.path(), 10, false);
        assert_eq!((timeline.total, timeline.end, timeline.account.rows), (4, Some(20), 4));
        assert_eq!(timeline.events[0].fields, [("snapshot".to_owned(), "a b".to_owned())]);
        assert_eq!(timeline.events[2].fields, [("x".to_owned(), "{\"y\":[1]}".to_owned())]);
        assert!(timeline.account.faults[0].contains(":5: byte"), "{:?}", timeline.account.faults);
        assert_eq!(Timeline::read(folder.path(), 25, true).end, Some(30));
        assert_eq!(Timeline::read(folder.path(), 35, true).end, None);
    }
}
