//! Conditions: what must be so on both sides of a pair before a rule holds.

use smallvec::SmallVec;

use crate::json::{Pointer, Tape};
use crate::profile::{Condition, Pattern, PayloadRole, Profile};

/// The conditions of one kind's rules; rules with the same ones share them.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    sets: Vec<Set>,
}

/// Conditions that must hold together.
#[derive(Clone, Debug)]
struct Set {
    all: Vec<Condition>,
    /// What they ask for is compared, and overlooked by no rule: where it is not the same on both
    /// sides of a pair, the pair differs.
    are_compared: bool,
}

/// For each set of conditions, by its place.
pub type Held<T> = SmallVec<[T; 4]>;

impl Conditions {
    /// Adds what a rule asks for; its place, if there is anything.
    pub fn add(&mut self, profile: &Profile, when: &[Condition]) -> Option<u16> {
        if when.is_empty() {
            return None;
        }
        let known = self.sets.iter().position(|set| set.all == when);
        Some(known.unwrap_or_else(|| {
            let are_compared = when.iter().all(|condition| is_compared(profile, &condition.path));
            self.sets.push(Set { all: when.to_vec(), are_compared });
            self.sets.len() - 1
        }) as u16)
    }

    /// Whether no rule asks for anything.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Whether equal events say the same to each of them.
    pub fn are_compared(&self) -> bool {
        self.sets.iter().all(|set| set.are_compared)
    }

    /// Which hold in both lines.
    pub fn in_both(&self, reference: (&Tape, &[u8]), candidate: (&Tape, &[u8])) -> Held<bool> {
        self.sets.iter().map(|set| set.holds(reference) && set.holds(candidate)).collect()
    }

    /// Which hold in a pair of which only one line is known; `None` where the other line decides.
    pub fn in_one(&self, line: (&Tape, &[u8])) -> Held<Option<bool>> {
        let told = |set: &Set| set.are_compared.then(|| set.holds(line));
        self.sets.iter().map(told).collect()
    }
}

impl Set {
    fn holds(&self, (tape, line): (&Tape, &[u8])) -> bool {
        self.all.iter().all(|condition| {
            let node = tape.at(line, Tape::ROOT, &condition.path);
            node.is_some_and(|node| condition.is_met_by(tape.bytes(line, node)))
        })
    }
}

/// Whether what stands at a path is compared as it stands, whatever the kind of event.
fn is_compared(profile: &Profile, path: &Pointer) -> bool {
    let roles = &profile.roles;
    // Kinds are compared by themselves, and no rule overlooks them.
    if roles.kind.as_ref() == Some(path) {
        return true;
    }
    let here = Pattern::from(path);
    let touched = |other: &Pointer| here.touches(&other.into());
    let is_payload = match &roles.payload {
        PayloadRole::At(payload) => path.below(payload).is_some(),
        PayloadRole::Whole => !roles.paths().chain(&roles.label).any(touched),
    };
    is_payload
        && !profile.value_rules().any(|(_, rule)| here.touches(rule.path))
        && !profile.identity.iter().flat_map(|rule| &rule.uses).any(|used| here.touches(&used.path))
        && !profile.allocator.iter().any(|rule| touched(&rule.value) || rule.status.as_ref().is_some_and(touched))
}

#[cfg(test)]
mod tests {
    use super::is_compared;
    use crate::compare::trial::{assert_differing, ruled};
    use crate::json::Pointer;

    #[test]
    fn what_a_rule_may_overlook_and_what_is_no_payload_is_not_compared() {
        let schema = crate::profile::builtin("schema-v1").unwrap();
        let whole = ruled(
            "roles.thread = '/t'\nroles.label = '/l'\nmask = [{ name = 'm', path = '/m/*', bits = 1, reason = 'r' }]",
        );
        for (profile, path, expected) in [
            (&schema, "/kind", true),
            (&schema, "/payload/name", true),
            (&schema, "/payload/thread", true),
            (&schema, "/host_ns", false),
            (&schema, "/payload", false),
            // Ignored; an object's; an allocator's, and what says how it went.
            (&schema, "/payload/wait_duration_cycles", false),
            (&schema, "/payload/args/3", false),
            (&schema, "/payload/return_value", false),
            (&schema, "/payload/status", false),
            (&whole, "/k", true),
            (&whole, "/n", true),
            (&whole, "/t", false),
            (&whole, "/l", false),
            (&whole, "/m/0", false),
            (&whole, "/m", false),
            (&whole, "/mm", true),
        ] {
            assert_eq!(is_compared(profile, &Pointer::parse(path).unwrap()), expected, "{path}");
        }
    }

    #[test]
    fn a_rule_holds_where_its_conditions_hold_on_both_sides() {
        let profile = ruled(
            "ignore = [\
             { name = 'a', path = '/v', when = { path = '/n', equals = 'close' }, reason = 'r' },\
             { name = 'b', path = '/w', when = [{ path = '/n', equals = [7, true] }, { path = '/a/b', equals = 'x' }], reason = 'r' }]",
        );
        for (a, b, places) in [
            (r#"{"n":"close","v":1}"#, r#"{"n":"cl\u006fse","v":2}"#, &[][..]),
            (r#"{"n":"close","v":1}"#, r#"{"n":"close"}"#, &[]),
            (r#"{"n":"open","v":1}"#, r#"{"n":"open","v":2}"#, &["/v"]),
            (r#"{"n":"close","v":1}"#, r#"{"n":"open","v":2}"#, &["/n", "/v"]),
            (r#"{"n":7,"a":{"b":"x"},"w":1}"#, r#"{"n":7.0,"a":{"b":"x"},"w":2}"#, &[]),
            (r#"{"n":true,"a":{"b":"x"},"w":1}"#, r#"{"n":true,"a":{"b":"x"},"w":2}"#, &[]),
            (r#"{"n":false,"a":{"b":"x"},"w":1}"#, r#"{"n":false,"a":{"b":"x"},"w":2}"#, &["/w"]),
            (r#"{"n":7,"a":{"b":"y"},"w":1}"#, r#"{"n":7,"a":{"b":"y"},"w":2}"#, &["/w"]),
            (r#"{"n":7,"w":1}"#, r#"{"n":7,"w":2}"#, &["/w"]),
            (r#"{"n":"7","a":{"b":"x"},"w":1}"#, r#"{"n":"7","a":{"b":"x"},"w":2}"#, &["/w"]),
        ] {
            assert_differing(&profile, a, b, places);
        }
    }

    #[test]
    fn a_condition_that_is_itself_overlooked_leaves_the_digest_to_the_pair() {
        let profile = ruled(
            "ignore = [{ name = 'n', path = '/n', reason = 'r' },\
             { name = 'v', path = '/v', when = { path = '/n', equals = 1 }, reason = 'r' }]\n\
             mask = [{ name = 'm', path = '/m', bits = 1, when = { path = '/n', equals = 1 }, reason = 'r' }]",
        );
        for (a, b, places) in [
            (r#"{"n":1,"v":5,"m":2}"#, r#"{"n":2,"v":5,"m":2}"#, &[][..]),
            (r#"{"n":1,"v":5,"m":2}"#, r#"{"n":1,"v":6,"m":3}"#, &[]),
            (r#"{"n":1,"v":5,"m":2}"#, r#"{"n":2,"v":6,"m":3}"#, &["/v", "/m"]),
        ] {
            assert_differing(&profile, a, b, places);
        }
    }
}
