//! The objects of one log: which of them a value means at a line.
//!
//! A value means the latest definition before a line whose range holds it and that no release has
//! ended. Lines behind the newest one taken are asked for too, so ended definitions stay until
//! [`Objects::forget_before`].
//!
//! Definitions lie in blocks of 1, 16, 256 … values, of the smallest size that is no less than
//! their range, so each lies in one block or two neighbours, and a value is sought in one block a
//! size. A block's definitions are in order of the log. Each knows the newest one before it that
//! still held when it came: whatever stands between the two had ended by then, so a search that
//! has come to it may step over those, however often an address was used again.

use ahash::AHashMap;
use smallvec::SmallVec;

use crate::json::tape::fixed_state;

/// What an object is called in both logs: the `number`-th (from 0) that `rule` defined on `lane`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Index of the lane, on its own side.
    pub lane: u32,
    /// Index among the profile's identity rules.
    pub rule: u16,
    pub number: u64,
}

/// An object, and how far into it a value points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meant {
    pub object: Object,
    pub offset: u64,
}

/// A set of identity rules.
pub type RuleSet = u64;
/// How many identity rules a profile may have.
pub const RULES_MAX: usize = RuleSet::BITS as usize;

/// A definition.
#[derive(Clone, Copy, Debug)]
struct Version {
    start: u64,
    /// The last value it holds.
    last: u64,
    /// The lines of its definition and of its release.
    from: u64,
    until: u64,
    number: u64,
    lane: u32,
    rule: u16,
    /// For each block it lies in, the newest definition there that held when this one came.
    below: [u32; 2],
}

/// No definition.
const NONE: u32 = u32::MAX;
/// The line of a release that has not come.
const NEVER: u64 = u64::MAX;
/// Bits of a value by which one size of blocks is larger than the next.
const STEP: u32 = 4;
/// Definitions that have ended are looked through for such as can be forgotten from this many on.
const FORGET_MIN: usize = 4_096;

/// The objects of one log.
#[derive(Debug)]
pub struct Objects {
    versions: Vec<Version>,
    blocks: AHashMap<(u8, u64), SmallVec<[u32; 4]>>,
    /// A bit for each size of blocks that is in use.
    sizes: u32,
    /// Definitions that start at a value and have not ended, newest last.
    held: AHashMap<(u16, u64), SmallVec<[u32; 2]>>,
    held_count: usize,
    held_max: usize,
    /// Definitions so far, by lane and rule.
    numbers: AHashMap<(u32, u16), u64>,
    /// Ended definitions after which the next look for old ones is due.
    forget_at: usize,
    /// The line at which there were too many to go on.
    stopped: Option<u64>,
}

impl Objects {
    /// No objects yet; with more than `held_max` at one time it gives up.
    pub fn new(held_max: usize) -> Objects {
        Objects {
            versions: Vec::new(),
            blocks: AHashMap::with_hasher(fixed_state()),
            sizes: 0,
            held: AHashMap::with_hasher(fixed_state()),
            held_count: 0,
            held_max: held_max.min(NONE as usize / 2),
            numbers: AHashMap::with_hasher(fixed_state()),
            forget_at: FORGET_MIN,
            stopped: None,
        }
    }

    /// The line whose definition was one too many: nothing is known of that line's and of later objects.
    pub fn stopped_at(&self) -> Option<u64> {
        self.stopped
    }

    /// Line `line`, not before the last one given, defines an object of `size` values (at least one) from `start` on.
    pub fn define(&mut self, line: u64, (lane, rule): (u32, u16), start: u64, size: u64) {
        let counter = self.numbers.entry((lane, rule)).or_insert(0);
        let number = *counter;
        *counter += 1;
        if self.stopped.is_some() {
            return;
        }
        if self.held_count >= self.held_max {
            self.stopped = Some(line);
            return;
        }
        let last = start.saturating_add(size.max(1) - 1);
        let version = Version { start, last, from: line, until: NEVER, number, lane, rule, below: [NONE; 2] };
        let index = self.place(version);
        self.held.entry((rule, start)).or_default().push(index);
        self.held_count += 1;
    }

    /// Line `line` releases the latest object of the rule that starts at `start`, if there is one.
    pub fn release(&mut self, line: u64, rule: u16, start: u64) {
        let std::collections::hash_map::Entry::Occupied(mut held) = self.held.entry((rule, start)) else { return };
        let index = held.get_mut().pop().expect("no entry is empty");
        if held.get().is_empty() {
            held.remove();
        }
        self.held_count -= 1;
        self.versions[index as usize].until = line;
    }

    /// What `value` means at a line: an object of one of the rules, defined on an earlier line (`own`: or
    /// on this one) and not released on an earlier one.
    pub fn meant(&self, value: u64, line: u64, own: bool, rules: RuleSet) -> Option<Meant> {
        let horizon = if own { line.saturating_add(1) } else { line };
        let mut found = NONE;
        let mut sizes = self.sizes;
        while sizes != 0 {
            let size = sizes.trailing_zeros() as u8;
            sizes &= sizes - 1;
            let key = (size, block_of(value, size));
            let Some(block) = self.blocks.get(&key) else { continue };
            let before = block.partition_point(|index| self.versions[*index as usize].from < horizon);
            let mut at = before.checked_sub(1).map_or(NONE, |last| block[last]);
            while at != NONE {
                let version = &self.versions[at as usize];
                if (version.start..=version.last).contains(&value)
                    && version.until >= line
                    && rules >> version.rule & 1 == 1
                {
                    break;
                }
                at = version.below(key);
            }
            // Versions are in order of the log.
            if at != NONE && (found == NONE || at > found) {
                found = at;
            }
        }
        let version = self.versions.get(found as usize)?;
        let object = Object { lane: version.lane, rule: version.rule, number: version.number };
        Some(Meant { object, offset: value - version.start })
    }

    /// Whether so much has ended that it is worth asking what may be forgotten.
    pub fn may_forget(&self) -> bool {
        self.versions.len() - self.held_count >= self.forget_at
    }

    /// No line before `line` will be asked for any more: what ended before it may go.
    pub fn forget_before(&mut self, line: u64) {
        if !self.may_forget() {
            return;
        }
        let versions = std::mem::take(&mut self.versions);
        self.blocks.clear();
        self.held.clear();
        self.sizes = 0;
        for version in versions {
            if version.until >= line {
                let index = self.place(version);
                if version.until == NEVER {
                    self.held.entry((version.rule, version.start)).or_default().push(index);
                }
            }
        }
        let left = self.versions.len() - self.held_count;
        // Each look takes as long as there are definitions, so the next one waits for as many.
        self.forget_at = (left + self.versions.len()).max(FORGET_MIN);
        if self.versions.capacity() > 4 * self.versions.len() {
            self.versions.shrink_to(2 * self.versions.len());
        }
    }

    /// Puts a definition behind those before it.
    fn place(&mut self, mut version: Version) -> u32 {
        let index = self.versions.len() as u32;
        let size = size_of(version.last - version.start);
        self.sizes |= 1 << size;
        let blocks = [version.start, version.last].map(|value| block_of(value, size));
        let met = if blocks[0] == blocks[1] { 1 } else { 2 };
        for (slot, number) in blocks.into_iter().take(met).enumerate() {
            let block = self.blocks.entry((size, number)).or_default();
            let mut below = block.last().copied().unwrap_or(NONE);
            while below != NONE && self.versions[below as usize].until < version.from {
                below = self.versions[below as usize].below((size, number));
            }
            version.below[slot] = below;
            block.push(index);
        }
        self.versions.push(version);
        index
    }
}

impl Version {
    /// The newest definition before it that is to be looked at in one of its blocks.
    fn below(&self, (size, number): (u8, u64)) -> u32 {
        self.below[usize::from(block_of(self.start, size) != number)]
    }
}

/// The size of blocks for a range of `extent + 1` values.
fn size_of(extent: u64) -> u8 {
    (u64::BITS - extent.leading_zeros()).div_ceil(STEP) as u8
}

/// The block of a size that a value lies in.
fn block_of(value: u64, size: u8) -> u64 {
    value.checked_shr(u32::from(size) * STEP).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, looked through from the newest definition on.
    #[derive(Default)]
    struct Plain {
        all: Vec<(Meant, u64, u64, Option<u64>)>,
    }

    impl Plain {
        fn define(&mut self, line: u64, (lane, rule): (u32, u16), start: u64, size: u64) {
            let number = self.all.iter().filter(|d| (d.0.object.lane, d.0.object.rule) == (lane, rule)).count() as u64;
            let object = Object { lane, rule, number };
            self.all.push((Meant { object, offset: start }, size, line, None));
        }

        fn release(&mut self, line: u64, rule: u16, start: u64) {
            let is_it = |d: &&mut (Meant, u64, u64, Option<u64>)| {
                d.0.object.rule == rule && d.0.offset == start && d.3.is_none()
            };
            if let Some(definition) = self.all.iter_mut().rev().find(is_it) {
                definition.3 = Some(line);
            }
        }

        fn meant(&self, value: u64, line: u64, own: bool, rules: RuleSet) -> Option<Meant> {
            let holds = |d: &&(Meant, u64, u64, Option<u64>)| {
                let (meant, size, from, until) = **d;
                (from < line || own && from == line)
                    && until.is_none_or(|until| until >= line)
                    && rules >> meant.object.rule & 1 == 1
                    && value >= meant.offset
                    && value - meant.offset < size.max(1)
            };
            let found = self.all.iter().rev().find(holds)?;
            Some(Meant { offset: value - found.0.offset, ..found.0 })
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Define {
            lane: u32,
            rule: u16,
            start: u64,
            size: u64,
        },
        Release {
            rule: u16,
            start: u64,
        },
        /// As many lines back.
        Forget {
            back: u64,
        },
    }

    fn starts() -> impl Strategy<Value = u64> {
        prop_oneof![8 => 0u64..64, 2 => (0u64..40).prop_map(|n| n * 16), 1 => any::<u64>(), 1 => Just(u64::MAX)]
    }

    fn steps() -> impl Strategy<Value = Vec<(Step, u64)>> {
        let size = prop_oneof![4 => 0u64..20, 2 => Just(16u64), 1 => 0u64..5000, 1 => any::<u64>()];
        let step = prop_oneof![
            4 => (0u32..3, 0u16..3, starts(), size).prop_map(|(lane, rule, start, size)| Step::Define { lane, rule, start, size }),
            3 => (0u16..3, starts()).prop_map(|(rule, start)| Step::Release { rule, start }),
            1 => (0u64..12).prop_map(|back| Step::Forget { back }),
        ];
        prop::collection::vec((step, 0u64..2), 1..120)
    }

    proptest! {
        #[test]
        fn a_value_means_what_a_look_through_all_definitions_says(
            steps in steps(),
            values in prop::collection::vec(starts(), 20),
        ) {
            let (mut objects, mut plain) = (Objects::new(usize::MAX), Plain::default());
            objects.forget_at = 1;
            let (mut line, mut asked_from) = (1, 0);
            for (step, later) in steps {
                line += later;
                match step {
                    Step::Define { lane, rule, start, size } => {
                        let size = size.min(u64::MAX - start);
                        objects.define(line, (lane, rule), start, size);
                        plain.define(line, (lane, rule), start, size);
                    }
                    Step::Release { rule, start } => {
                        objects.release(line, rule, start);
                        plain.release(line, rule, start);
                    }
                    Step::Forget { back } => {
                        asked_from = asked_from.max(line.saturating_sub(back));
                        objects.forget_before(asked_from);
                        objects.forget_at = 1;
                    }
                }
                for value in &values {
                    for at in asked_from..=line + 1 {
                        for (own, rules) in [(false, RuleSet::MAX), (true, 0b101)] {
                            let found = objects.meant(*value, at, own, rules);
                            prop_assert_eq!(found, plain.meant(*value, at, own, rules), "{} at line {}", value, at);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_has_ended_goes_once_nobody_asks_for_it() {
        let mut objects = Objects::new(10);
        for line in 0..100_000 {
            objects.define(line, (0, 0), 0x1000 + line % 7 * 64, 64);
            objects.release(line, 0, 0x1000 + line % 7 * 64);
            objects.forget_before(line.saturating_sub(100));
        }
        assert!(objects.versions.len() < 2 * FORGET_MIN, "{}", objects.versions.len());
        let meant = objects.meant(0x1000 + 99_990 % 7 * 64 + 3, 99_990, true, 1).map(|meant| meant.object.number);
        assert_eq!(meant, Some(99_990));
    }

    #[test]
    fn an_address_used_a_million_times_is_found_in_few_steps() {
        let mut objects = Objects::new(10);
        for line in 0..1_000_000 {
            objects.define(line, (0, 0), 0x1000, 64);
            objects.release(line, 0, 0x1000);
        }
        // Freed long ago: were the ended ones looked through, this would take hours.
        for line in 1_000_000..1_200_000 {
            assert_eq!(objects.meant(0x1008, line, false, 1), None);
        }
        assert_eq!(objects.meant(0x1008, 500_000, true, 1).map(|meant| meant.offset), Some(8));
    }

    #[test]
    fn too_many_at_one_time_stop_it_and_it_says_where() {
        let mut objects = Objects::new(2);
        objects.define(1, (0, 0), 10, 1);
        objects.define(2, (0, 0), 20, 1);
        objects.release(3, 0, 10);
        objects.define(4, (0, 0), 30, 1);
        assert_eq!(objects.stopped_at(), None);
        objects.define(5, (0, 0), 40, 1);
        objects.define(6, (0, 0), 50, 1);
        assert_eq!(objects.stopped_at(), Some(5));
        assert_eq!(objects.meant(30, 5, false, 1).map(|meant| meant.object.number), Some(2));
    }
}
