//! The labels: when which phase began. A phase lasts until the next one begins, the last one until the episode ends.

use std::path::Path;

use ahash::AHashMap;

use super::lines::{FileAccount, each_row};
use crate::episode::LABELS;

/// Phases of one episode that are told apart.
const PHASES_MAX: usize = 1_000;

/// One time at which a phase was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which phase, by its place among the names.
    pub phase: usize,
    /// When it began.
    pub start: u64,
    /// When it ended; none where nobody knows.
    pub end: Option<u64>,
}

/// The phases of an episode.
#[derive(Clone, Debug, Default)]
pub struct Phases {
    /// Their names, in the order in which they first were.
    pub names: Vec<String>,
    /// When they were, in order.
    pub spans: Vec<Span>,
    /// What the file is like.
    pub account: FileAccount,
}

impl Phases {
    /// Reads the labels of a folder. Nobody knows yet when the last phase ended.
    pub fn read(folder: &Path) -> Phases {
        let mut phases = Phases::default();
        let mut numbers: AHashMap<String, usize> = AHashMap::new();
        phases.account = each_row(folder, LABELS, |row| {
            let name = row.string("phase").ok_or("a label without a phase")?;
            let names = &mut phases.names;
            if names.len() == PHASES_MAX && !numbers.contains_key(&name) {
                return Err(format!("more than {PHASES_MAX} phases are not told apart"));
            }
            let phase = *numbers.entry(name).or_insert_with_key(|name| {
                names.push(name.clone());
                names.len() - 1
            });
            // Phases follow each other, whatever a clock that was set may say.
            let start = phases.spans.last().map_or(row.time, |last| last.start.max(row.time));
            if let Some(last) = phases.spans.last_mut() {
                last.end = Some(start);
            }
            phases.spans.push(Span { phase, start, end: None });
            Ok(())
        });
        phases
    }

    /// When the last phase began; none without labels.
    pub fn last_start(&self) -> Option<u64> {
        self.spans.last().map(|span| span.start)
    }

    /// Says when the last phase ended.
    pub fn close(&mut self, end: u64) {
        if let Some(last) = self.spans.last_mut() {
            last.end = Some(end.max(last.start));
        }
    }

    /// The span in which a time lies, by its place. A time at which one phase ends and the next begins is the next one's.
    pub fn at(&self, time: u64) -> Option<usize> {
        let before = self.spans.partition_point(|span| span.start <= time);
        let at = before.checked_sub(1)?;
        self.spans[at].end.is_none_or(|end| time <= end).then_some(at)
    }

    /// The span in which all of a stretch of time lies, by its place.
    pub fn around(&self, from: u64, to: u64) -> Option<usize> {
        let at = self.at(from)?;
        self.spans[at].end.is_none_or(|end| to <= end).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(labels: &[(u64, &str)]) -> Phases {
        let folder = tempfile::tempdir().unwrap();
        let row = |(time, phase): &(u64, &str)| format!("{{\"t_mono_ns\":{time},\"phase\":\"{phase}\"}}\n");
        std::fs::write(folder.path().join(LABELS), labels.iter().map(row).collect::<String>()).unwrap();
        Phases::read(folder.path())
    }

    #[test]
    fn a_phase_lasts_until_the_next() {
        let mut phases = read(&[(10, "clean"), (20, "load"), (30, "clean")]);
        assert_eq!(
            (phases.names.as_slice(), phases.last_start()),
            (&["clean".to_owned(), "load".to_owned()][..], Some(30))
        );
        assert_eq!(
            [9, 10, 19, 20, 30, 99].map(|time| phases.at(time)),
            [None, Some(0), Some(0), Some(1), Some(2), Some(2)]
        );
        phases.close(40);
        assert_eq!([40, 41].map(|time| phases.at(time)), [Some(2), None]);
        assert_eq!(
            [(10, 20), (19, 21), (5, 15), (30, 40), (35, 41)].map(|(from, to)| phases.around(from, to)),
            [Some(0), None, None, Some(2), None]
        );
        // No phase ends before it began.
        phases.close(5);
        assert_eq!(phases.spans[2].end, Some(30));
    }

    #[test]
    fn a_clock_that_goes_back_makes_no_phase_of_negative_length() {
        let phases = read(&[(10, "a"), (5, "b"), (20, "c")]);
        let spans: Vec<_> = phases.spans.iter().map(|span| (span.start, span.end)).collect();
        assert_eq!(spans, [(10, Some(10)), (10, Some(20)), (20, None)]);
    }

    #[test]
    fn a_label_without_a_phase_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LABELS), "{\"t_mono_ns\":1,\"phase\":5}\n").unwrap();
        let phases = Phases::read(folder.path());
        assert!(phases.spans.is_empty() && phases.account.faults[0].contains("a label without a phase"));
        assert!(Phases::read(&folder.path().join("none")).at(0).is_none());
    }
}
