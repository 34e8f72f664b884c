//! How often each tool was right.

use std::collections::BTreeMap;

use super::super::Table;
use super::place::{First, Said};

/// What of an answer was right.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Marks {
    pub event: bool,
    /// The event and its kind.
    pub kind: bool,
    pub thread: bool,
}

/// An answer against the truth; `is_thread` tells whether lines stand in the thread that parts.
pub fn marks(said: &Said, first: Option<&First>, is_thread: impl Fn([Option<u64>; 2]) -> bool) -> Marks {
    match (said, first) {
        (Said::Same, None) => Marks { event: true, kind: true, thread: true },
        (Said::Parts { lines, kind }, Some(first)) => {
            let event = first.is_at(*lines);
            Marks { event, kind: event && kind.as_ref() == Some(&first.kind), thread: is_thread(*lines) }
        }
        _ => Marks::default(),
    }
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    pub right: u64,
    pub of: u64,
}

impl Share {
    pub fn count(&mut self, right: bool) {
        self.of += 1;
        self.right += u64::from(right);
    }

    /// Never rounded up: only all of them are 100 %.
    pub fn percent(self) -> String {
        match self {
            Share { of: 0, .. } => "-".to_owned(),
            Share { right, of } if right == of => "100 %".to_owned(),
            Share { right: 0, .. } => "0 %".to_owned(),
            Share { right, of } => format!("{:.1} %", (right * 1000 / of) as f64 / 10.0),
        }
    }
}

/// One tool's answers.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Of pairs in which nothing differs.
    pub same: Share,
    pub event: Share,
    pub kind: Share,
    pub thread: Share,
    /// First events by the kind that is true.
    pub by_kind: BTreeMap<String, Share>,
    /// No answer at all.
    pub nothing: u64,
}

impl Tally {
    pub fn count(&mut self, said: &Said, first: Option<&First>, marks: Marks) {
        self.nothing += u64::from(matches!(said, Said::Nothing(_)));
        let kind = first.map_or("nothing differs", |first| &first.kind);
        self.by_kind.entry(kind.to_owned()).or_default().count(marks.event);
        if first.is_none() {
            return self.same.count(marks.event);
        }
        self.event.count(marks.event);
        self.kind.count(marks.kind);
        self.thread.count(marks.thread);
    }
}

/// A tool's name, what it was told, its answers.
pub type Row<'a> = (&'a str, &'a str, &'a Tally);

/// The tools under each other, then the kinds.
pub fn print(rows: &[Row<'_>]) {
    let head = ["", "told beside the logs", "nothing differs", "first event", "and its kind", "thread", "no answer"];
    let mut table = Table::new(&head);
    for (name, told, tally) in rows {
        let nothing = if tally.nothing == 0 { String::new() } else { tally.nothing.to_string() };
        let shares = [tally.same, tally.event, tally.kind, tally.thread].map(Share::percent);
        let [same, event, kind, thread] = shares;
        table.row([(*name).to_owned(), (*told).to_owned(), same, event, kind, thread, nothing]);
    }
    table.print();
    let names: Vec<&str> =
        ["first event, where it is", "pairs"].into_iter().chain(rows.iter().map(|row| row.0)).collect();
    let mut table = Table::new(&names);
    for (kind, share) in rows.first().into_iter().flat_map(|row| &row.2.by_kind) {
        let shares = rows.iter().map(|row| row.2.by_kind.get(kind).copied().unwrap_or_default().percent());
        table.cells([kind.clone(), share.of.to_string()].into_iter().chain(shares).collect());
    }
    table.print();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: u64, kind: Option<&str>) -> Said {
        Said::Parts { lines: [Some(line), None], kind: kind.map(str::to_owned) }
    }

    fn marked(said: &Said, first: Option<&First>) -> [bool; 3] {
        let marks = marks(said, first, |lines| lines[0].is_some_and(|line| line % 2 == 1));
        [marks.event, marks.kind, marks.thread]
    }

    #[test]
    fn a_kind_counts_where_the_event_is_right() {
        let first = First { lines: [vec![9], vec![]], kind: "missing".into() };
        assert_eq!(marked(&parts(9, Some("missing")), Some(&first)), [true, true, true]);
        assert_eq!(marked(&parts(9, Some("value")), Some(&first)), [true, false, true]);
        assert_eq!(marked(&parts(7, Some("missing")), Some(&first)), [false, false, true]);
        assert_eq!(marked(&parts(8, None), Some(&first)), [false; 3]);
        assert_eq!(marked(&Said::Same, Some(&first)), [false; 3]);
        assert_eq!(marked(&parts(9, None), None), [false; 3]);
        assert_eq!(marked(&Said::Same, None), [true; 3]);
    }

    #[test]
    fn only_all_of_them_are_a_hundred() {
        let percent = |right, of| Share { right, of }.percent();
        assert_eq!(percent(1000, 1000), "100 %");
        assert_eq!(percent(9_999, 10_000), "99.9 %");
        assert_eq!(percent(0, 3), "0 %");
        assert_eq!(percent(0, 0), "-");
    }
}
