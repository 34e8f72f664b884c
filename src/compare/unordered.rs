//! Arrays whose order does not count.
//!
//! Elements are matched by a key, where both sides have one that tells all of them apart; else one to
//! one so that as many as possible are equal under the rules. Digests part the elements into groups outside
//! of which nothing is equal; inside a group the walk decides. Where being equal is transitive the first
//! equal element that is free serves as well as any. Near is not transitive (0.0 and 0.8 may both be near 0.4),
//! so an element left without a partner asks others to change theirs, along a shortest chain of changes.

use std::collections::VecDeque;

use ahash::AHashMap;

use super::digest::Digester;
use super::paths::PathNode;
use super::walk::{Overlooked, SideText, Walk};
use crate::json::{Kind, Pointer, tape};

/// Elements that one is held against before it is given up, and the largest group in which partners are changed:
/// both bound the work where very many elements have one digest and differ.
const TRIES_MAX: usize = 1024;

/// Elements of both sides that may be equal, by their positions.
#[derive(Default)]
struct Group {
    reference: Vec<usize>,
    candidate: Vec<usize>,
}

/// For each element of each side, its partner's position.
type Partners = [Vec<Option<usize>>; 2];

/// The elements of an array without order, on their way to partners.
struct Matching {
    /// The elements of each side, as nodes.
    elements: [Vec<usize>; 2],
    below: Option<PathNode>,
    partners: Partners,
    /// What was tried: the rules that overlooked a difference, or `None` where two elements differ.
    tried: AHashMap<(usize, usize), Option<Overlooked>>,
}

impl<'a> Walk<'a> {
    /// Two arrays whose order does not count by a rule.
    #[inline(never)]
    pub(super) fn unordered(
        &mut self,
        rules: Option<PathNode>,
        rule: u16,
        by: Option<&Pointer>,
        [left, right]: [usize; 2],
    ) {
        let below = self.paths.elements(rules);
        let elements = [self.reference.tape.elements(left).collect(), self.candidate.tape.elements(right).collect()];
        let by = by.filter(|by| self.is_bare_along(below, by));
        if let Some(partners) = by.and_then(|by| self.keyed(by, &elements)) {
            return self.by_key(rule, below, &elements, &partners);
        }
        if digester(self, self.reference, &known(self)).is_left_out(below) {
            return self.in_order(below, &elements);
        }
        let partners = [vec![None; elements[0].len()], vec![None; elements[1].len()]];
        let mut matching = Matching { elements, below, partners, tried: AHashMap::new() };
        matching.run(self);
        for (at, partner) in matching.partners[0].iter().enumerate() {
            let Some(partner) = *partner else { continue };
            if at != partner {
                self.overlook(rule);
            }
            let overlooked = matching.tried.get(&(at, partner)).cloned().flatten().unwrap_or_default();
            overlooked.into_iter().for_each(|rule| self.overlook(rule));
        }
        self.left_over(below, &matching.elements, &matching.partners);
    }

    /// Elements without a partner are missing on the other side.
    fn left_over(&mut self, below: Option<PathNode>, elements: &[Vec<usize>; 2], partners: &Partners) {
        for side in [0, 1] {
            for (at, element) in elements[side].iter().enumerate().filter(|(at, _)| partners[side][*at].is_none()) {
                if self.done() {
                    return;
                }
                let (x, y) = if side == 0 { (Some(*element), None) } else { (None, Some(*element)) };
                self.step(|| at.to_string(), below, x, y);
            }
        }
    }

    /// Elements that never count, by their positions.
    fn in_order(&mut self, below: Option<PathNode>, [xs, ys]: &[Vec<usize>; 2]) {
        for at in 0..xs.len().max(ys.len()) {
            self.step(|| at.to_string(), below, xs.get(at).copied(), ys.get(at).copied());
        }
    }

    fn by_key(&mut self, rule: u16, below: Option<PathNode>, elements: &[Vec<usize>; 2], partners: &Partners) {
        for (at, element) in elements[0].iter().enumerate() {
            if self.done() {
                return;
            }
            let Some(partner) = partners[0][at] else { continue };
            if at != partner {
                self.overlook(rule);
            }
            self.step(|| at.to_string(), below, Some(*element), Some(elements[1][partner]));
        }
        self.left_over(below, elements, partners);
    }

    /// Whether no rule reaches a key of elements: elements that are equal then have the same key.
    fn is_bare_along(&self, below: Option<PathNode>, by: &Pointer) -> bool {
        let mut place = below;
        for token in by.tokens() {
            if !self.paths.rules(place).is_empty() {
                return false;
            }
            place = self.paths.named(place, token);
        }
        self.paths.is_bare(place)
    }

    /// The partners of all elements by their keys; `None` where a side has one without a key, or two with the same.
    fn keyed(&self, by: &Pointer, elements: &[Vec<usize>; 2]) -> Option<Partners> {
        let [left, right] = [keys(self.reference, by, &elements[0])?, keys(self.candidate, by, &elements[1])?];
        let mut partners = [vec![None; elements[0].len()], vec![None; elements[1].len()]];
        let (x, y) = (self.reference, self.candidate);
        for (digest, keys) in &left {
            for (at, key) in keys {
                let same = |(_, other): &&(usize, usize)| tape::equal((x.tape, x.line, *key), (y.tape, y.line, *other));
                if let Some((other, _)) = right.get(digest).and_then(|keys| keys.iter().find(same)) {
                    partners[0][*at] = Some(*other);
                    partners[1][*other] = Some(*at);
                }
            }
        }
        Some(partners)
    }

    /// Whether two elements are equal under the rules: which rules overlooked a difference then.
    fn try_pair(&mut self, below: Option<PathNode>, x: usize, y: usize) -> Option<Overlooked> {
        let (verdict_only, total) = (self.verdict_only, self.total);
        let overlooked = std::mem::take(&mut self.overlooked);
        (self.verdict_only, self.total) = (true, 0);
        self.place(below, Some(x), Some(y));
        let is_equal = self.total == 0;
        (self.verdict_only, self.total) = (verdict_only, total);
        let found = std::mem::replace(&mut self.overlooked, overlooked);
        is_equal.then_some(found)
    }
}

/// Every condition of this pair is known.
fn known(walk: &Walk<'_>) -> Vec<Option<bool>> {
    walk.held.iter().map(|held| Some(*held)).collect()
}

/// Digests elements of one side. Allocator rules name one place each, which lies in no array without order.
fn digester<'d>(walk: &Walk<'d>, side: SideText<'d>, held: &'d [Option<bool>]) -> Digester<'d> {
    let SideText { tape, line, .. } = side;
    Digester { tape, line, paths: walk.paths, null_equals_missing: false, calls: &[], held, objects: None }
}

/// The keys of elements by their digests, with their positions; `None` where one has none, or two have the same.
fn keys(side: SideText<'_>, by: &Pointer, elements: &[usize]) -> Option<AHashMap<u64, Vec<(usize, usize)>>> {
    let mut keys: AHashMap<u64, Vec<(usize, usize)>> = AHashMap::with_hasher(tape::fixed_state());
    for (at, element) in elements.iter().enumerate() {
        let object = Some(*element).filter(|element| side.kind(*element) == Kind::ObjectStart);
        let key = side.tape.at(side.line, object?, by)?;
        let same = keys.entry(tape::digest(side.tape, side.line, key)).or_default();
        let is_twin =
            |(_, other): &(usize, usize)| tape::equal((side.tape, side.line, key), (side.tape, side.line, *other));
        if same.iter().any(is_twin) {
            return None;
        }
        same.push((at, key));
    }
    Some(keys)
}

impl Matching {
    fn run(&mut self, walk: &mut Walk<'_>) {
        for group in &self.groups(walk) {
            // Where nothing moved, nothing shall seem to have moved.
            for at in &group.reference {
                if group.candidate.binary_search(at).is_ok() && self.is_equal(walk, *at, *at) {
                    self.join(*at, *at);
                }
            }
            self.first_free(walk, group);
            if group.reference.len().max(group.candidate.len()) <= TRIES_MAX {
                for at in &group.reference {
                    if self.partners[0][*at].is_none() {
                        self.change_partners(walk, group, *at);
                    }
                }
            }
        }
    }

    /// Gives each element that lacks a partner the first equal one that is free.
    fn first_free(&mut self, walk: &mut Walk<'_>, group: &Group) {
        let mut free: Vec<usize> =
            group.candidate.iter().copied().filter(|at| self.partners[1][*at].is_none()).collect();
        for at in &group.reference {
            if self.partners[0][*at].is_some() {
                continue;
            }
            let found = free.iter().take(TRIES_MAX).position(|other| self.is_equal(walk, *at, *other));
            if let Some(found) = found {
                self.join(*at, free.remove(found));
            }
        }
    }

    /// The elements by their digests, in the order in which they are met.
    fn groups(&self, walk: &Walk<'_>) -> Vec<Group> {
        let known = known(walk);
        let mut groups: Vec<Group> = Vec::new();
        let mut places: AHashMap<u64, usize> = AHashMap::with_hasher(tape::fixed_state());
        for (side, text) in [walk.reference, walk.candidate].into_iter().enumerate() {
            let digester = digester(walk, text, &known);
            for (at, element) in self.elements[side].iter().enumerate() {
                let place = *places.entry(digester.value(self.below, *element)).or_insert(groups.len());
                if place == groups.len() {
                    groups.push(Group::default());
                }
                let group = &mut groups[place];
                if side == 0 { group.reference.push(at) } else { group.candidate.push(at) }
            }
        }
        groups
    }

    fn is_equal(&mut self, walk: &mut Walk<'_>, at: usize, other: usize) -> bool {
        let (below, x, y) = (self.below, self.elements[0][at], self.elements[1][other]);
        self.tried.entry((at, other)).or_insert_with(|| walk.try_pair(below, x, y)).is_some()
    }

    fn join(&mut self, at: usize, other: usize) {
        self.partners[0][at] = Some(other);
        self.partners[1][other] = Some(at);
    }

    /// Finds a partner for an element by letting others change theirs: the nearest free one along a chain of changes.
    fn change_partners(&mut self, walk: &mut Walk<'_>, group: &Group, lonely: usize) {
        // By which reference element each candidate element was reached.
        let mut reached: AHashMap<usize, usize> = AHashMap::with_hasher(tape::fixed_state());
        let mut asked = VecDeque::from([lonely]);
        while let Some(at) = asked.pop_front() {
            for other in &group.candidate {
                if reached.contains_key(other) || !self.is_equal(walk, at, *other) {
                    continue;
                }
                reached.insert(*other, at);
                match self.partners[1][*other] {
                    Some(owner) => asked.push_back(owner),
                    None => return self.change_along(&reached, *other, lonely),
                }
            }
        }
    }

    /// Gives each element of a chain the partner it was reached by, from its free end back to the lonely one.
    fn change_along(&mut self, reached: &AHashMap<usize, usize>, mut free: usize, lonely: usize) {
        loop {
            let at = reached[&free];
            let before = self.partners[0][at];
            self.join(at, free);
            match before {
                Some(before) if at != lonely => free = before,
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::compare::trial::{assert_differing, differing, ruled};
    use crate::compare::{Comparer, Scratch};

    #[test]
    fn elements_are_equal_in_any_order_as_often_as_they_stand_there() {
        let profile = ruled(
            "unordered = [{ name = 'u', path = '/v', reason = 'r' }, { name = 'w', path = '/v/*/in', reason = 'r' }]\n\
             ignore = [{ name = 'i', path = '/v/*/t', reason = 'r' }]",
        );
        for (a, b, places) in [
            (r#"{"v":[1,2,3]}"#, r#"{"v":[3,1.0,2]}"#, &[][..]),
            (r#"{"v":[1,1,2]}"#, r#"{"v":[1,2,2]}"#, &["/v/1", "/v/1"]),
            (r#"{"v":[7,7,1]}"#, r#"{"v":[1,8,7]}"#, &["/v/1", "/v/1"]),
            (r#"{"v":[1,2]}"#, r#"{"v":[2]}"#, &["/v/0"]),
            (r#"{"v":[{"t":1,"a":1},{"t":2,"a":2}]}"#, r#"{"v":[{"t":3,"a":2},{"a":1}]}"#, &[]),
            (r#"{"v":[{"in":[1,2]},{"in":[3,4]}]}"#, r#"{"v":[{"in":[4,3]},{"in":[2,1]}]}"#, &[]),
            (r#"{"v":[[1,2]]}"#, r#"{"v":[[2,1]]}"#, &["/v/0", "/v/0"]),
            (r#"{"w":[1,2]}"#, r#"{"w":[2,1]}"#, &["/w/0", "/w/1"]),
            (r#"{"v":[]}"#, r#"{"v":{}}"#, &["/v"]),
        ] {
            assert_differing(&profile, a, b, places);
        }
    }

    #[test]
    fn elements_with_keys_are_compared_member_by_member() {
        let profile = ruled(
            "unordered = [{ name = 'u', path = '/v', by = '/id', reason = 'r' }]\n\
             tolerance = [{ name = 't', path = '/v/*/x', absolute = 1, reason = 'r' }]",
        );
        for (a, b, places) in [
            (r#"{"v":[{"id":1,"a":1},{"id":2,"a":2}]}"#, r#"{"v":[{"id":2,"a":3},{"id":1.0,"a":1}]}"#, &["/v/1/a"][..]),
            (r#"{"v":[{"id":1,"x":1},{"id":2,"x":2}]}"#, r#"{"v":[{"id":2,"x":3},{"id":1,"x":0}]}"#, &[]),
            (r#"{"v":[{"id":1},{"id":2}]}"#, r#"{"v":[{"id":3},{"id":1}]}"#, &["/v/1", "/v/0"]),
            // Twin keys, and elements without one: as if there were no key.
            (r#"{"v":[{"id":1,"a":1},{"id":1,"a":2}]}"#, r#"{"v":[{"id":1,"a":2},{"id":1,"a":1}]}"#, &[]),
            (r#"{"v":[{"id":1,"a":1},{"a":2}]}"#, r#"{"v":[{"a":2},{"id":1,"a":1}]}"#, &[]),
            (r#"{"v":[{"id":1},7]}"#, r#"{"v":[7,{"id":1}]}"#, &[]),
            (r#"{"v":[{"id":1,"a":1},{"id":1}]}"#, r#"{"v":[{"id":1},{"id":1,"a":2}]}"#, &["/v/0", "/v/1"]),
        ] {
            assert_differing(&profile, a, b, places);
        }
    }

    #[test]
    fn a_key_that_a_rule_reaches_tells_no_elements_apart() {
        let profile = ruled(
            "unordered = [{ name = 'u', path = '/v', by = '/id', reason = 'r' }]\n\
             spelling = [{ name = 's', path = '/v/*/id', hex = true, reason = 'r' }]",
        );
        assert_differing(&profile, r#"{"v":[{"id":16},{"id":1}]}"#, r#"{"v":[{"id":1},{"id":"0x10"}]}"#, &[]);
        assert_differing(&profile, r#"{"v":[{"id":16}]}"#, r#"{"v":[{"id":"0x10"}]}"#, &[]);
    }

    #[test]
    fn near_elements_change_partners_until_all_have_one() {
        let profile = ruled(
            "unordered = [{ name = 'u', path = '/v', reason = 'r' }]\n\
             tolerance = [{ name = 't', path = '/v/*', absolute = 0.5, reason = 'r' }]",
        );
        for (a, b, places) in [
            // The first takes the partner that the second needs, and gives it back.
            ("[0.4,0]", "[0,0.8]", &[][..]),
            ("[0.4,0,9]", "[9,0,0.8]", &[]),
            ("[1,2,3,4]", "[1.5,2.5,3.5,0.5]", &[]),
            ("[0.4,0]", "[0.1,1]", &["/v/1", "/v/1"]),
        ] {
            assert_differing(&profile, &format!("{{\"v\":{a}}}"), &format!("{{\"v\":{b}}}"), places);
        }
    }

    #[test]
    fn a_moved_element_is_counted_and_one_that_stays_is_not() {
        let profile = ruled(
            "unordered = [{ name = 'u', path = '/v', reason = 'r' }]\n\
             mask = [{ name = 'm', path = '/v/*', bits = 1, reason = 'r' }]",
        );
        for (a, b, rules) in [
            ("[2,4]", "[4,2]", &[2][..]),
            ("[2,4]", "[3,4]", &[1]),
            ("[2,4]", "[5,2]", &[1, 2]),
            ("[2,2]", "[2,2.0]", &[]),
        ] {
            let [a, b] = [a, b].map(|array| format!("{{\"v\":{array}}}"));
            let [x, y] = [&a, &b].map(|line| crate::compare::trial::event(&profile, line));
            let found = Comparer::new(&profile, false).differences(&x, &y, &mut Scratch::default()).unwrap();
            let mut overlooked = found.overlooked.to_vec();
            overlooked.sort_unstable();
            assert_eq!((found.total, &overlooked[..]), (0, rules), "{a} {b}");
        }
    }

    #[test]
    fn many_elements_of_one_digest_end_in_time() {
        let profile = ruled(
            "unordered = [{ name = 'u', path = '/v', reason = 'r' }]\n\
             tolerance = [{ name = 't', path = '/v/*', absolute = 0.1, reason = 'r' }]",
        );
        let line = |from: usize| {
            format!("{{\"v\":[{}]}}", (0..900).map(|n| (from + n).to_string()).collect::<Vec<_>>().join(","))
        };
        let (_, total) = differing(&profile, &line(0), &line(1));
        assert_eq!(total, 2);
    }
}
