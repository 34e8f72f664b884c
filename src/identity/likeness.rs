//! Whether values of two logs mean the same object.

use ahash::AHashMap;

use super::marks::{Mark, Says, UNTOLD};
use super::objects::{Meant, Objects, RuleSet};
use crate::json::tape::fixed_state;

/// What is known of a lane's partner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Partner {
    #[default]
    Undecided,
    Lane(u32),
    Nobody,
    /// The lane is not compared, so nobody asks.
    NotSought,
}

/// What two values have to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// They mean the same place of the same object, which this rule defined.
    Same { rule: u16 },
    /// They do not, or only one means an object at all.
    Differ,
    /// Neither means an object: they are compared as they stand.
    Nothing,
    /// It is not decided yet whether the lanes that defined their objects are partners.
    Undecided,
    /// It cannot be told: objects were no longer followed by then, or their lanes are not compared.
    Untold,
}

/// Two values, and where they stand.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// The reference's and the candidate's.
    pub values: [u64; 2],
    /// The physical lines they stand on, from 1.
    pub lines: [u64; 2],
    /// Whether definitions on those lines count.
    pub own: bool,
    /// The rules whose objects they may mean.
    pub rules: RuleSet,
}

/// The objects of both logs, and which lanes are partners.
#[derive(Debug)]
pub struct Identities {
    logs: [OfLog; 2],
}

#[derive(Debug)]
struct OfLog {
    objects: Objects,
    /// Sizes told last, by lane and by the number they are told under.
    sizes: AHashMap<(u32, u64), u64>,
    partners: Vec<Partner>,
}

impl Identities {
    /// No objects yet; a log with more than `held_max` at one time is not followed further.
    pub fn new(held_max: usize) -> Identities {
        let log = || OfLog {
            objects: Objects::new(held_max),
            sizes: AHashMap::with_hasher(fixed_state()),
            partners: Vec::new(),
        };
        Identities { logs: [log(), log()] }
    }

    /// Takes what an event says: the `side`'s marks come in order of its log.
    pub fn take(&mut self, side: usize, line: u64, lane: u32, mark: Mark) {
        let log = &mut self.logs[side];
        match mark.says {
            Says::Size { told, size } => {
                log.sizes.insert((lane, told), size);
            }
            Says::Defined { value, told } => {
                let size = if told == UNTOLD { None } else { log.sizes.remove(&(lane, told)) };
                log.objects.define(line, (lane, mark.rule), value, size.unwrap_or(1));
            }
            Says::Released { value } => log.objects.release(line, mark.rule, value),
        }
    }

    /// It is decided which lane is a lane's partner, if any is.
    pub fn decide(&mut self, side: usize, lane: u32, partner: Option<u32>) {
        let partners = &mut self.logs[side].partners;
        if partners.len() <= lane as usize {
            partners.resize(lane as usize + 1, Partner::Undecided);
        }
        partners[lane as usize] = partner.map_or(Partner::Nobody, Partner::Lane);
    }

    /// A lane is not compared: of its objects nothing is said.
    pub fn leave_out(&mut self, side: usize, lane: u32) {
        self.decide(side, lane, None);
        self.logs[side].partners[lane as usize] = Partner::NotSought;
    }

    /// Whether so much has ended that it is worth asking what may be forgotten.
    pub fn may_forget(&self, side: usize) -> bool {
        self.logs[side].objects.may_forget()
    }

    /// No line of the side before `line` will be asked for any more.
    pub fn forget_before(&mut self, side: usize, line: u64) {
        self.logs[side].objects.forget_before(line);
    }

    /// The line from which on a side's objects were not followed any more.
    pub fn stopped_at(&self, side: usize) -> Option<u64> {
        self.logs[side].objects.stopped_at()
    }

    /// What the values mean, each in its own log.
    pub fn meant(&self, asked: &Values) -> [Option<Meant>; 2] {
        [0, 1].map(|side| {
            let (value, line) = (asked.values[side], asked.lines[side]);
            self.logs[side].objects.meant(value, line, asked.own, asked.rules)
        })
    }

    /// Whether a value on a line of a side means an object of these rules.
    pub fn means(&self, side: usize, line: u64, value: u64, own: bool, rules: RuleSet) -> bool {
        self.logs[side].objects.meant(value, line, own, rules).is_some()
    }

    /// Whether the values mean the same.
    pub fn likeness(&self, asked: &Values) -> Likeness {
        let has_stopped = |side: usize| self.stopped_at(side).is_some_and(|line| line <= asked.lines[side]);
        if has_stopped(0) || has_stopped(1) {
            return Likeness::Untold;
        }
        match self.meant(asked) {
            [None, None] => Likeness::Nothing,
            [Some(reference), Some(candidate)] => self.same(reference, candidate),
            _ => Likeness::Differ,
        }
    }

    fn same(&self, reference: Meant, candidate: Meant) -> Likeness {
        let [left, right] = [reference.object, candidate.object];
        let partner = |side: usize, lane: u32| self.logs[side].partners.get(lane as usize).copied().unwrap_or_default();
        let partners = (partner(0, left.lane), partner(1, right.lane));
        if partners == (Partner::NotSought, Partner::NotSought) {
            return Likeness::Untold;
        }
        if (left.rule, left.number, reference.offset) != (right.rule, right.number, candidate.offset) {
            return Likeness::Differ;
        }
        match partners {
            (Partner::Lane(lane), _) if lane == right.lane => Likeness::Same { rule: left.rule },
            (Partner::Undecided, Partner::Undecided) => Likeness::Undecided,
            _ => Likeness::Differ,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(rule: u16, says: Says) -> Mark {
        Mark { rule, says }
    }

    fn asked(values: [u64; 2], lines: [u64; 2]) -> Values {
        Values { values, lines, own: false, rules: RuleSet::MAX }
    }

    /// Two logs whose heaps lie apart: lane 0 allocates 64 values, then 16; the candidate's lanes are swapped.
    fn shifted() -> Identities {
        let mut identities = Identities::new(100);
        for (side, lane, base) in [(0, 0, 0x1000), (1, 1, 0x9000)] {
            identities.take(side, 2, lane, mark(0, Says::Size { told: 7, size: 64 }));
            identities.take(side, 3, lane, mark(0, Says::Defined { value: base, told: 7 }));
            identities.take(side, 4, lane, mark(0, Says::Size { told: 7, size: 16 }));
            identities.take(side, 5, lane, mark(0, Says::Defined { value: base + 0x100, told: 7 }));
            identities.take(side, 9, lane, mark(0, Says::Released { value: base }));
        }
        identities
    }

    #[test]
    fn values_are_the_same_where_they_point_at_the_same_place_of_the_same_object() {
        let mut identities = shifted();
        let same = asked([0x1010, 0x9010], [6, 6]);
        assert_eq!(identities.likeness(&same), Likeness::Undecided);
        identities.decide(0, 0, Some(1));
        assert_eq!(identities.likeness(&same), Likeness::Same { rule: 0 });
        for (values, lines, likeness) in [
            ([0x1010, 0x9011], [6, 6], Likeness::Differ),
            ([0x1000, 0x9100], [6, 6], Likeness::Differ),
            ([0x10FF, 0x9010], [6, 6], Likeness::Differ),
            ([0x10FF, 0x90FF], [6, 6], Likeness::Nothing),
            ([0x1010, 0x9010], [9, 9], Likeness::Same { rule: 0 }),
            ([0x1010, 0x9010], [9, 10], Likeness::Differ),
            ([0x1010, 0x9010], [10, 10], Likeness::Nothing),
            ([0x1100, 0x9100], [6, 5], Likeness::Differ),
        ] {
            assert_eq!(identities.likeness(&asked(values, lines)), likeness, "{values:x?} on {lines:?}");
        }
    }

    #[test]
    fn objects_of_other_lanes_are_others() {
        let mut identities = shifted();
        identities.decide(1, 1, Some(3));
        assert_eq!(identities.likeness(&asked([0x1010, 0x9010], [6, 6])), Likeness::Differ);
        let mut identities = shifted();
        identities.decide(0, 0, None);
        assert_eq!(identities.likeness(&asked([0x1010, 0x9010], [6, 6])), Likeness::Differ);
    }

    #[test]
    fn of_objects_of_lanes_that_are_not_compared_nothing_is_said() {
        let mut identities = shifted();
        identities.leave_out(0, 0);
        assert_eq!(identities.likeness(&asked([0x1010, 0x9010], [6, 6])), Likeness::Differ);
        identities.leave_out(1, 1);
        assert_eq!(identities.likeness(&asked([0x1010, 0x9010], [6, 6])), Likeness::Untold);
        assert_eq!(identities.likeness(&asked([0x1010, 0x9100], [6, 6])), Likeness::Untold);
    }

    #[test]
    fn a_size_is_used_once() {
        let mut identities = Identities::new(100);
        identities.take(0, 2, 0, mark(0, Says::Size { told: 7, size: 64 }));
        identities.take(0, 3, 0, mark(0, Says::Defined { value: 0x1000, told: 7 }));
        identities.take(0, 4, 0, mark(0, Says::Defined { value: 0x2000, told: 7 }));
        let meant = |value| identities.meant(&asked([value, 0], [9, 9]))[0].map(|meant| meant.object.number);
        assert_eq!((meant(0x103F), meant(0x2000), meant(0x2001)), (Some(0), Some(1), None));
    }

    #[test]
    fn from_the_line_on_where_it_stopped_nothing_is_said() {
        let mut identities = Identities::new(1);
        for line in [3, 5] {
            identities.take(1, line, 0, mark(0, Says::Defined { value: line * 16, told: UNTOLD }));
        }
        assert_eq!(identities.likeness(&asked([1, 2], [9, 4])), Likeness::Nothing);
        assert_eq!(identities.likeness(&asked([1, 2], [4, 5])), Likeness::Untold);
    }
}
