//! Events that only one of two runs has.

use super::family::{Example, Family};
use super::place::{Place, kind_name};
use super::survey::condition_value;
use crate::align::{Parted, Parting};
use crate::compare::{Comparer, Scratch};
use crate::diverge::judge::look_ahead;
use crate::diverge::resync::Shift;
use crate::json::{Pointer, Tape};
use crate::profile::{Pattern, Profile};

/// The events of one kind that only one run had.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra {
    /// How many, and what else they said.
    pub family: Family,
    /// Those that repeated what stood right before them.
    pub repeated: u64,
}

impl Extra {
    /// Takes what was seen elsewhere.
    pub fn merge(&mut self, other: &Extra) {
        self.family.merge(&other.family);
        self.repeated += other.repeated;
    }
}

/// Where all events of a kind stand.
pub fn whole(kind: &str) -> Place {
    Place { kind: Some(kind.to_owned()), path: Pattern::default() }
}

/// Events of each side that are looked at where a pair differs in its values only.
const NEAR: usize = 32;

/// Where two lanes agree again behind events that only one of them has; `near`, if the pair is of one kind: then it
/// may as well be noise, and where the pair behind it is the same, it is.
pub fn agrees_behind(
    parting: &Parting<'_>,
    near: bool,
    comparer: &Comparer<'_>,
    scratch: &mut Scratch,
) -> Option<Shift> {
    if parting.how != Parted::Differs {
        return None;
    }
    if near {
        let [Some(left), Some(right)] = parting.sides.each_ref().map(|events| events.get(1)) else { return None };
        let digests = [comparer.digest(0, &left.event(), scratch), comparer.digest(1, &right.event(), scratch)];
        if matches!(digests, [Ok(left), Ok(right)] if left == right) {
            return None;
        }
    }
    let mut digests: [Vec<u64>; 2] = Default::default();
    for (side, events) in parting.sides.iter().enumerate() {
        for met in events.iter().take(if near { NEAR } else { events.len() }) {
            digests[side].push(comparer.digest(side, &met.event(), scratch).ok()?);
        }
    }
    let shift = look_ahead(parting, &digests, comparer, scratch).resync()?;
    let passed = shift.reference + shift.candidate;
    // Of one kind, what is passed on both sides differs in its values.
    let is_one_sided = (shift.reference == 0) != (shift.candidate == 0);
    let is_sure = shift.equal_run >= EQUAL_MIN && (1..=PASSED_MAX).contains(&passed);
    (is_sure && (is_one_sided || !near)).then_some(shift)
}

/// Whether a pair of one kind is none: kinds fit much longer if some events of one side are passed.
pub fn is_out_of_step(parting: &Parting<'_>) -> bool {
    let kinds = parting.sides.each_ref().map(|events| {
        let tokens = events.iter().take(NEAR).map(|met| met.event().scalar_kind().to_vec());
        tokens.collect::<Vec<Vec<u8>>>()
    });
    let fits = |passed: [usize; 2]| {
        let rest = [0, 1].map(|side| kinds[side].iter().skip(passed[side]));
        let [left, right] = rest;
        left.zip(right).take_while(|(left, right)| left == right).count()
    };
    let here = fits([0, 0]);
    let best = (1..=PASSED_MAX).flat_map(|count| [[count, 0], [0, count]]).map(fits).max().unwrap_or(0);
    best >= FIT_MIN && best > 2 * here
}

/// Events that may be passed, and how many must be equal behind them, or fit by their kinds.
const PASSED_MAX: usize = 8;
const EQUAL_MIN: usize = 8;
const FIT_MIN: usize = 6;

/// An event that only one run has.
pub struct Seen {
    pub kind: String,
    pub fields: Vec<(Pointer, String)>,
    pub example: Example,
    /// It repeats what stands before.
    pub repeated: bool,
}

/// The events that a shift passes; nothing where one has no kind by which a rule could name it.
pub fn look(parting: &Parting<'_>, shift: Shift, profile: &Profile, run: usize) -> Option<Vec<Seen>> {
    let mut seen = Vec::new();
    for (side, count) in [shift.reference, shift.candidate].into_iter().enumerate() {
        let before = kinds_before(parting, side, profile);
        let near = &before[before.len().saturating_sub(count)..];
        let events = &parting.sides[side][..count];
        let kinds: Vec<String> =
            events.iter().map(|met| kind_name(met.event().scalar_kind())).collect::<Option<_>>()?;
        let repeated = !near.is_empty() && kinds.iter().all(|kind| near.contains(kind));
        for (met, kind) in events.iter().zip(kinds) {
            let line = met.event().line;
            let text = super::survey::shown(line);
            let values = if side == 0 { [text, String::new()] } else { [String::new(), text] };
            let example = Example { run, line: met.place().line, values };
            seen.push(Seen { kind, fields: fields(line, profile)?, example, repeated });
        }
    }
    Some(seen)
}

/// The scalars of a line that conditions can ask for, less the roles that only name an event.
pub(super) fn fields(line: &[u8], profile: &Profile) -> Option<Vec<(Pointer, String)>> {
    let mut tape = Tape::default();
    tape.parse(line, 0).ok()?;
    let names: Vec<&Pointer> = profile.roles.thread.iter().chain(&profile.roles.ordinal).collect();
    let mut fields = Vec::new();
    super::survey::leaves(&tape, line, |path, token| {
        if let Some(value) = condition_value(token).filter(|_| !names.contains(&path)) {
            fields.push((path.clone(), value.to_owned()));
        }
        fields.len() < super::survey::FIELDS_MAX
    });
    Some(fields)
}

/// The kinds of the last events before a parting, oldest first.
fn kinds_before(parting: &Parting<'_>, side: usize, profile: &Profile) -> Vec<String> {
    let Some(path) = &profile.roles.kind else { return Vec::new() };
    let kind = |text: &[u8]| {
        let mut tape = Tape::default();
        tape.parse(text, 0).ok()?;
        kind_name(tape.bytes(text, tape.at(text, Tape::ROOT, path)?))
    };
    parting.before.iter().filter_map(|pair| kind(&pair[side].text)).collect()
}
