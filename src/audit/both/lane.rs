//! All steps of a thread and its partner, whichever objects they are of: which of them belong together.

use std::collections::VecDeque;

use super::deed::Deed;
use crate::source::Side;

/// Steps looked ahead for where both sides agree again.
const LOOK_AHEAD: usize = 64;
/// So many steps must be the same there.
const EQUAL_RUN: usize = 3;
/// A side that is farther ahead than this is not waited for.
const AHEAD_MAX: usize = 1 << 20;

/// A step, and the object that it is of, by its place among all objects.
pub type Step = (u32, Deed);

/// The steps of both threads that are not held against each other yet.
#[derive(Debug, Default)]
pub struct Lane {
    ahead: [VecDeque<Step>; 2],
    ended: [bool; 2],
    /// The two no longer agree anywhere near, or have ended.
    is_given_up: bool,
    /// They were given up though both went on.
    is_lost: bool,
    /// The positions of the last steps that belong together, and of the last of each side alone.
    last_alike: Option<[u64; 2]>,
    last_lone: [Option<u64>; 2],
}

/// A step that was held against the other side's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The partner does the same there: the object of both, and what either does.
    Alike(u32, [Deed; 2]),
    /// The partner does not.
    Lone(Side, Step),
}

impl Lane {
    /// Takes the next step of a side.
    pub fn take(&mut self, side: Side, step: Step, held: &mut Vec<Held>) {
        if self.is_given_up {
            return self.leave_alone(side, step, held);
        }
        self.ahead[side.index()].push_back(step);
        self.advance(held);
        if self.ahead[side.index()].len() > AHEAD_MAX {
            self.is_lost = true;
            self.give_up(held);
        }
    }

    /// A side has no further steps.
    pub fn end(&mut self, side: Side, held: &mut Vec<Held>) {
        self.ended[side.index()] = true;
        self.advance(held);
        if self.ahead[side.index()].is_empty() || self.ended == [true; 2] {
            self.give_up(held);
        }
    }

    fn advance(&mut self, held: &mut Vec<Held>) {
        loop {
            let [Some(one), Some(two)] = self.ahead.each_ref().map(VecDeque::front) else { return };
            if are_alike(one, two) {
                held.push(Held::Alike(one.0, [one.1, two.1]));
                self.last_alike = Some([one.1.at.position, two.1.at.position]);
                self.ahead.iter_mut().for_each(|ahead| _ = ahead.pop_front());
                continue;
            }
            let is_short = |side: usize| !self.ended[side] && self.ahead[side].len() < LOOK_AHEAD + EQUAL_RUN;
            if is_short(0) || is_short(1) {
                return;
            }
            let Some(skipped) = self.agree_again() else {
                self.is_lost = self.ended != [true; 2];
                return self.give_up(held);
            };
            self.skip(skipped, held);
        }
    }

    /// How many steps of each side lie before the nearest place from which on both do the same.
    fn agree_again(&self) -> Option<[usize; 2]> {
        let [one, two] = &self.ahead;
        let agree = |[i, j]: [usize; 2]| {
            let left = [one.len() - i, two.len() - j];
            let run = EQUAL_RUN.min(left[0]).min(left[1]);
            let ends = |side: usize| self.ended[side] && left[side] == run;
            let is_whole = run == EQUAL_RUN || ends(0) || ends(1);
            run > 0 && is_whole && (0..run).all(|at| are_alike(&one[i + at], &two[j + at]))
        };
        let within = |count: usize| count.min(LOOK_AHEAD);
        (1..=within(one.len()) + within(two.len())).find_map(|sum| {
            let first = sum.saturating_sub(within(two.len()))..=sum.min(within(one.len()));
            first.map(|i| [i, sum - i]).filter(|[i, j]| *i < one.len() && *j < two.len()).find(|place| agree(*place))
        })
    }

    fn give_up(&mut self, held: &mut Vec<Held>) {
        self.is_given_up = true;
        self.skip(self.ahead.each_ref().map(VecDeque::len), held);
    }

    fn skip(&mut self, counts: [usize; 2], held: &mut Vec<Held>) {
        for (side, count) in Side::BOTH.into_iter().zip(counts) {
            for _ in 0..count {
                let step = self.ahead[side.index()].pop_front();
                step.into_iter().for_each(|step| self.leave_alone(side, step, held));
            }
        }
    }

    fn leave_alone(&mut self, side: Side, step: Step, held: &mut Vec<Held>) {
        self.last_lone[side.index()] = Some(step.1.at.position);
        held.push(Held::Lone(side, step));
    }

    /// Whether the thread of the other side went on behind the place where this side does something, by its position, as far as
    /// that is known.
    pub fn goes_on_behind(&self, side: Side, position: u64) -> bool {
        let [own, other] = [side.index(), side.other().index()];
        let alike = self.last_alike.is_some_and(|alike| alike[own] > position);
        let instead = self.last_lone[other].is_some_and(|lone| self.last_alike.is_none_or(|alike| lone > alike[other]));
        alike || (instead && !self.is_lost)
    }
}

fn are_alike(one: &Step, two: &Step) -> bool {
    one.0 == two.0 && one.1.is_like(&two.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::log::Moment;
    use crate::profile::AuditStep;

    fn step(object: u32, position: u64) -> Step {
        let at = Moment { line: position + 1, offset: 0, thread: 0, position, source: 0, time: None };
        (object, Deed { step: AuditStep::Signal, detail: 1, at })
    }

    /// The lone steps, by side and position, of two threads that do something to these objects.
    fn lone(reference: &[u32], candidate: &[u32]) -> Vec<(Side, u64)> {
        let (mut lane, mut held) = (Lane::default(), Vec::new());
        for at in 0..reference.len().max(candidate.len()) {
            for (side, objects) in Side::BOTH.into_iter().zip([reference, candidate]) {
                if let Some(object) = objects.get(at) {
                    lane.take(side, step(*object, at as u64), &mut held);
                }
            }
        }
        Side::BOTH.into_iter().for_each(|side| lane.end(side, &mut held));
        let mut lone = Vec::new();
        for held in held {
            if let Held::Lone(side, (_, deed)) = held {
                lone.push((side, deed.at.position));
            }
        }
        lone
    }

    #[test]
    fn the_step_that_one_side_lacks_is_found_among_others_like_it() {
        let loops: Vec<u32> = [1, 2, 1, 3].repeat(50);
        let mut without = loops.clone();
        without.remove(81);
        assert_eq!(lone(&loops, &without), [(Side::Reference, 81)]);
        assert_eq!(lone(&without, &loops), [(Side::Candidate, 81)]);
        assert_eq!(lone(&loops, &loops), []);
    }

    #[test]
    fn what_one_side_does_further_is_alone() {
        assert_eq!(lone(&[1, 2, 3, 4], &[1, 2]), [(Side::Reference, 2), (Side::Reference, 3)]);
        assert_eq!(lone(&[1, 2, 3], &[1, 3]), [(Side::Reference, 1)]);
        assert_eq!(lone(&[], &[5]), [(Side::Candidate, 0)]);
    }

    #[test]
    fn threads_that_do_other_things_are_given_up() {
        let [ones, twos] = [vec![1; 200], vec![2; 200]];
        assert_eq!(lone(&ones, &twos).len(), 400);
    }
}
