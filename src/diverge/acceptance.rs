//! Divergences that are known and tolerated: which of them an acceptance means.
//!
//! An acceptance is held against a divergence as a report would tell it, after it was judged, so it depends on nothing
//! that a report would not show. A divergence with differing fields is accepted where each of its fields is.

use smallvec::SmallVec;
use toml::value::Date;

use super::judge::Verdict;
use super::outcome::DivergenceKind;
use crate::compare::Difference;
use crate::json::{Pointer, Tape, tape};
use crate::scan::ThreadKey;

/// One accepted divergence, or a family of them. What is left out is not asked for.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// Where it stands, as `FILE:LINE`.
    pub place: String,
    /// Which divergences it means.
    pub what: What,
    /// Why they are tolerated.
    pub reason: String,
    /// Where more is told.
    pub link: Option<String>,
    /// The last day on which it accepts.
    pub expires: Option<Date>,
}

/// Which divergences an acceptance means.
#[derive(Clone, Debug, PartialEq)]
pub struct What {
    /// What kind of divergence.
    pub divergence: DivergenceKind,
    /// The kind of the event at which it is: the candidate's where only that has one there, else the reference's.
    pub kind: Option<Value>,
    /// The reference's lane, then the candidate's.
    pub lanes: [Option<AcceptedLane>; 2],
    /// Place in the lane, as reports tell it.
    pub position: Option<u64>,
    /// The field that differs, or one above it.
    pub path: Option<Pointer>,
    /// The field's value on each side; then the path is the field's own.
    pub values: [Option<Value>; 2],
    /// So many events are missing or extra.
    pub events: Option<u64>,
}

/// A lane by its thread and generation.
#[derive(Clone, Debug, PartialEq)]
pub struct AcceptedLane {
    /// The thread's key.
    pub thread: ThreadKey,
    /// From 0.
    pub generation: u32,
}

/// A value of a field.
#[derive(Clone, Debug)]
pub enum Value {
    /// The field is not there.
    Absent,
    /// JSON, sound.
    Json(Vec<u8>),
}

impl Value {
    fn is(&self, token: Option<&[u8]>) -> bool {
        match (self, token) {
            (Value::Absent, None) => true,
            (Value::Json(json), Some(token)) => equal(json, token),
            _ => false,
        }
    }
}

/// By value, as logs are compared.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match other {
            Value::Absent => self.is(None),
            Value::Json(json) => self.is(Some(json)),
        }
    }
}

fn equal(left: &[u8], right: &[u8]) -> bool {
    let (mut a, mut b) = (Tape::default(), Tape::default());
    a.parse(left, 1).is_ok()
        && b.parse(right, 1).is_ok()
        && tape::equal((&a, left, Tape::ROOT), (&b, right, Tape::ROOT))
}

/// A divergence as acceptances are held against it.
#[derive(Clone, Copy, Debug)]
pub struct Met<'a> {
    pub verdict: &'a Verdict,
    /// Thread and generation of each lane.
    pub lanes: [Option<(&'a ThreadKey, u32)>; 2],
}

/// What a run accepts.
#[derive(Clone, Debug, Default)]
pub struct Acceptances {
    entries: Vec<Acceptance>,
    today: Option<Date>,
}

impl Acceptances {
    /// These, as of that day (none: nothing expires).
    pub fn new(entries: Vec<Acceptance>, today: Option<Date>) -> Acceptances {
        Acceptances { entries, today }
    }

    /// All of them, in order.
    pub fn entries(&self) -> &[Acceptance] {
        &self.entries
    }

    /// Whether one accepts no more.
    pub fn has_expired(&self, entry: &Acceptance) -> bool {
        matches!((entry.expires, self.today), (Some(last), Some(today)) if today > last)
    }

    /// The numbers of those by which a divergence is accepted; none if it is not, or not wholly.
    pub fn accept(&self, met: &Met<'_>) -> Option<SmallVec<[u32; 1]>> {
        let live = self.entries.iter().enumerate().filter(|(_, entry)| !self.has_expired(entry));
        let fitting: Vec<(u32, &What)> =
            live.map(|(at, entry)| (at as u32, &entry.what)).filter(|(_, what)| what.fits(met)).collect();
        let verdict = met.verdict;
        let mut by: SmallVec<[u32; 1]> = SmallVec::new();
        if verdict.differences.is_empty() || (verdict.differences.len() as u64) < verdict.differences_total {
            // No field is told, or not all are: only what means the whole divergence can accept it.
            by.push(fitting.iter().find(|(_, what)| what.path.is_none())?.0);
            return Some(by);
        }
        for difference in &verdict.differences {
            let entry = fitting.iter().find(|(_, what)| what.covers(difference))?.0;
            if !by.contains(&entry) {
                by.push(entry);
            }
        }
        Some(by)
    }
}

impl What {
    /// Whether this may mean a divergence, its fields aside.
    fn fits(&self, met: &Met<'_>) -> bool {
        let verdict = met.verdict;
        let lane = |(wanted, found): (&Option<AcceptedLane>, &Option<(&ThreadKey, u32)>)| {
            wanted.as_ref().is_none_or(|wanted| *found == Some((&wanted.thread, wanted.generation)))
        };
        self.divergence == verdict.kind
            && self.position.is_none_or(|position| position == verdict.position)
            && self.lanes.iter().zip(&met.lanes).all(lane)
            && self.kind.as_ref().is_none_or(|kind| kind.is(verdict.event_kind.as_deref()))
            && self.events.is_none_or(|events| verdict.events_passed() == Some(events))
    }

    /// Whether this accepts one differing field of a divergence that it fits.
    fn covers(&self, difference: &Difference) -> bool {
        let Some(path) = &self.path else { return true };
        let tokens = [&difference.reference, &difference.candidate];
        match &self.values {
            [None, None] => difference.path.below(path).is_some(),
            values => {
                let is = |(wanted, found): (&Option<Value>, &Option<Vec<u8>>)| {
                    wanted.as_ref().is_none_or(|wanted| wanted.is(found.as_deref()))
                };
                *path == difference.path && values.iter().zip(tokens).all(is)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::accept_file::read;
    use super::super::resync::Shift;
    use super::*;
    use crate::compare::Overlooked;

    fn verdict(kind: DivergenceKind, differences: Vec<Difference>) -> Verdict {
        let shift = Shift { reference: 2, candidate: 0, equal_run: 9 };
        Verdict {
            kind,
            position: 41,
            positions: [41, 41],
            event_kind: Some(br#""c\u0061ll""#.to_vec()),
            events: [None, None],
            reference_line: None,
            lines: [None, None],
            differences_total: differences.len() as u64,
            differences,
            ordinal_differs: false,
            overlooked: Overlooked::new(),
            resync: (kind == DivergenceKind::Missing).then_some((shift, None)),
            reordered: None,
            before: Vec::new(),
            after: [Vec::new(), Vec::new()],
            ahead: None,
        }
    }

    /// The numbers of the entries by which a divergence of lanes 6#1 and "w" is accepted.
    fn by(entries: &[&str], verdict: &Verdict) -> Option<Vec<u32>> {
        by_on(entries, verdict, None)
    }

    fn by_on(entries: &[&str], verdict: &Verdict, today: Option<&str>) -> Option<Vec<u32>> {
        let entry = |said: &&str| format!("[[accept]]\n{}\nreason = 'r'\n", said.replace("; ", "\n"));
        let text = format!("version = 1\n{}", entries.iter().map(entry).collect::<String>());
        let today = today.map(|day| day.parse::<toml::value::Datetime>().unwrap().date.unwrap());
        let acceptances = Acceptances::new(read(&text, "known.toml").unwrap_or_else(|fault| panic!("{fault}")), today);
        let (six, worker) = (ThreadKey::Integer(6), ThreadKey::Text(b"w".as_slice().into()));
        let met = Met { verdict, lanes: [Some((&six, 1)), Some((&worker, 0))] };
        acceptances.accept(&met).map(|by| by.into_vec())
    }

    #[test]
    fn whatever_is_asked_for_must_fit() {
        let value = verdict(DivergenceKind::Value, vec![Difference::at("/payload/a/b", Some("1.0"), None)]);
        for (said, fits) in [
            ("position = 41", true),
            ("position = 42", false),
            ("position = 41; kind = 'call'", true),
            ("position = 41; kind = 'cell'", false),
            ("position = 41; thread = 6; generation = 1", true),
            ("position = 41; thread = 6", false),
            ("position = 41; thread = '6'; generation = 1", false),
            ("position = 41; candidate_thread = 'w'", true),
            ("position = 41; candidate_thread = 6", false),
            ("path = '/payload/a/b'", true),
            ("path = 'payload.a'", true),
            ("path = '/payload/a/b/c'", false),
            ("path = '/payload/a/bc'", false),
            ("path = '/payload/a/b'; reference = 1; candidate = { absent = true }", true),
            ("path = '/payload/a/b'; reference = { json = '10e-1' }", true),
            ("path = '/payload/a/b'; reference = '1.0'", false),
            ("path = '/payload/a/b'; reference = { absent = true }", false),
            ("path = '/payload/a/b'; candidate = { json = 'null' }", false),
            ("path = '/payload/a'; reference = 1", false),
        ] {
            assert_eq!(by(&[&format!("divergence = 'value'; {said}")], &value).is_some(), fits, "{said}");
            assert_eq!(by(&[&format!("divergence = 'kind'; {said}")], &value), None, "{said}");
        }
    }

    #[test]
    fn each_field_that_differs_must_be_accepted() {
        let two =
            || vec![Difference::at("/payload/a", Some("1"), Some("2")), Difference::at("/payload/b", None, Some("2"))];
        let value = verdict(DivergenceKind::Value, two());
        let (a, b) = ("divergence = 'value'; path = '/payload/a'", "divergence = 'value'; path = '/payload/b'");
        assert_eq!(by(&[a], &value), None);
        assert_eq!(by(&[a, b], &value), Some(vec![0, 1]));
        assert_eq!(by(&["divergence = 'value'; path = '/payload'", a, b], &value), Some(vec![0]));
        // Fields that are not told can be accepted only together with all others.
        let more = Verdict { differences_total: 65, ..verdict(DivergenceKind::Value, two()) };
        assert_eq!(by(&[a, b], &more), None);
        assert_eq!(by(&[a, b, "divergence = 'value'; position = 41"], &more), Some(vec![2]));
    }

    #[test]
    fn events_that_are_missing_are_counted() {
        let missing = verdict(DivergenceKind::Missing, Vec::new());
        let said = |events: &str| format!("divergence = 'missing'; position = 41{events}");
        assert_eq!(by(&[&said("")], &missing), Some(vec![0]));
        assert_eq!(by(&[&said("; events = 2")], &missing), Some(vec![0]));
        assert_eq!(by(&[&said("; events = 3")], &missing), None);
    }

    #[test]
    fn an_acceptance_holds_up_to_its_last_day() {
        let value = verdict(DivergenceKind::Value, vec![Difference::at("/x", None, Some("1"))]);
        let said = ["divergence = 'value'; position = 41; expires = 2027-01-31"];
        assert_eq!(by_on(&said, &value, Some("2027-01-31")), Some(vec![0]));
        assert_eq!(by_on(&said, &value, Some("2027-02-01")), None);
        assert_eq!(by_on(&said, &value, None), Some(vec![0]));
    }
}
