//! Plans: how two layouts of different order or with other keys are compared leaf by leaf.
//!
//! A plan is made once for an ordered pair of layouts, by the same rules as [`super::walk`]. Where
//! the structures alone decide that two texts differ there is no plan: that happens once a lane.

use super::layout::{Duty, Shape, duty_of};
use super::paths::{Action, PathNode, RulePaths};
use super::walk::Overlooked;
use crate::json;

/// What is compared with what; leaves by their number in their text.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub steps: Vec<Step>,
    /// Rules that overlook a difference of structure, whatever the leaves hold.
    pub always: Overlooked,
}

/// One comparison of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Both {
        reference: u16,
        candidate: u16,
        duty: Duty,
    },
    /// The other side lacks the key: null stands for that. Any other value is overlooked by the
    /// rule, if there is one.
    Alone {
        side: usize,
        leaf: u16,
        ignore: Option<u16>,
    },
}

struct Planner<'a> {
    paths: &'a RulePaths,
    null_equals_missing: bool,
    plan: Plan,
}

/// The two sides of one place; one may be missing.
type Sides<'s> = (Option<&'s Shape>, Option<&'s Shape>);

impl Plan {
    /// How payloads of these structures are compared.
    pub fn new(paths: &RulePaths, null_equals_missing: bool, reference: &Shape, candidate: &Shape) -> Option<Plan> {
        let mut planner = Planner { paths, null_equals_missing, plan: Plan::default() };
        let root = Some(RulePaths::ROOT);
        let fits = match (reference, candidate) {
            (Shape::Object(x), Shape::Object(y)) => planner.objects(root, x, y, true),
            // A null payload is an empty object, which only its token tells.
            (Shape::Object(_), Shape::Leaf(_)) | (Shape::Leaf(_), Shape::Object(_)) => false,
            (x, y) => planner.place(root, (Some(x), Some(y))),
        };
        fits.then_some(planner.plan)
    }
}

/// The member of an object with a key.
fn member<'s>(members: &'s [(Box<[u8]>, Shape)], key: &[u8]) -> Option<&'s Shape> {
    members.iter().find(|(known, _)| json::text::equal(known, key)).map(|(_, shape)| shape)
}

impl Planner<'_> {
    /// One place; false where the two sides differ there whatever their leaves hold.
    fn place(&mut self, rules: Option<PathNode>, sides: Sides<'_>) -> bool {
        match self.paths.sole(rules) {
            Ok(Some(Action::Exclude)) => true,
            Ok(Some(Action::Ignore(rule))) => {
                self.ignored(rule, sides);
                true
            }
            sole => match sides {
                (Some(Shape::Leaf(reference)), Some(Shape::Leaf(candidate))) => {
                    let Some(duty) = duty_of(sole) else { return false };
                    self.plan.steps.push(Step::Both { reference: *reference, candidate: *candidate, duty });
                    true
                }
                (Some(Shape::Object(x)), Some(Shape::Object(y))) => self.objects(rules, x, y, false),
                (Some(Shape::Array(x)), Some(Shape::Array(y))) => (0..x.len().max(y.len()))
                    .all(|index| self.place(self.paths.element(rules, index), (x.get(index), y.get(index)))),
                _ => false,
            },
        }
    }

    fn objects(
        &mut self,
        rules: Option<PathNode>,
        x: &[(Box<[u8]>, Shape)],
        y: &[(Box<[u8]>, Shape)],
        top: bool,
    ) -> bool {
        x.iter().all(|(key, shape)| self.member(rules, key, (Some(shape), member(y, key)), top))
            && y.iter()
                .filter(|(key, _)| member(x, key).is_none())
                .all(|(key, shape)| self.member(rules, key, (None, Some(shape)), top))
    }

    fn member(&mut self, rules: Option<PathNode>, key: &[u8], sides: Sides<'_>, top: bool) -> bool {
        let below = self.paths.member(rules, key);
        let action = self.paths.sole(below).ok().flatten();
        let alone = match sides {
            (Some(Shape::Leaf(leaf)), None) => Some((0, *leaf)),
            (None, Some(Shape::Leaf(leaf))) => Some((1, *leaf)),
            _ => None,
        };
        if let Some((side, leaf)) = alone.filter(|_| top && self.null_equals_missing)
            && action != Some(Action::Exclude)
        {
            let ignore = if let Some(Action::Ignore(rule)) = action { Some(rule) } else { None };
            self.plan.steps.push(Step::Alone { side, leaf, ignore });
            return true;
        }
        self.place(below, sides)
    }

    /// A place that never counts: whether its values are equal says only if a difference was overlooked.
    fn ignored(&mut self, rule: u16, sides: Sides<'_>) {
        let before = self.plan.steps.len();
        let (Some(x), Some(y)) = sides else { return self.overlook(rule) };
        if !self.same_structure(rule, x, y) {
            self.plan.steps.truncate(before);
            self.overlook(rule);
        }
    }

    fn same_structure(&mut self, rule: u16, x: &Shape, y: &Shape) -> bool {
        match (x, y) {
            (Shape::Leaf(reference), Shape::Leaf(candidate)) => {
                let duty = Duty::Ignore(rule);
                self.plan.steps.push(Step::Both { reference: *reference, candidate: *candidate, duty });
                true
            }
            (Shape::Object(x), Shape::Object(y)) => {
                x.len() == y.len()
                    && x.iter().all(|(key, x)| member(y, key).is_some_and(|y| self.same_structure(rule, x, y)))
            }
            (Shape::Array(x), Shape::Array(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(x, y)| self.same_structure(rule, x, y))
            }
            _ => false,
        }
    }

    fn overlook(&mut self, rule: u16) {
        if !self.plan.always.contains(&rule) {
            self.plan.always.push(rule);
        }
    }
}
