//! The rules of one kind of event as a tree of places below the payload.

use smallvec::SmallVec;

use super::alike::Alike;
use super::condition::Conditions;
use crate::identity::RuleSet;
use crate::json::{self, Pointer};
use crate::profile::pattern_tree::PatternTree;
use crate::profile::{DefineRule, Does, Pattern, PayloadRole, Profile, ValueRule};

/// What a rule does at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Another role lives here: it is no part of the payload.
    Exclude,
    /// Never counts; the number of the rule.
    Ignore(u16),
    /// These bits do not count; the number of the rule.
    Mask(u16, u64),
    /// The value an allocator returned; the index of the allocator rule.
    AllocatorValue(u16),
    /// Where that value may be spelled again.
    AllocatorStatus(u16),
    /// Values that are alike; the number of the rule, and its place in [`RulePaths::alikes`].
    Alike(u16, u16),
    /// An array whose order does not count; the number of the rule, and its place in [`RulePaths::keys`].
    Unordered(u16, u16),
    /// A value that may mean an object; its place in [`RulePaths::meanings`].
    Identity(u16),
}

/// What a value may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// Objects of these identity rules.
    pub rules: RuleSet,
    /// The event may define the object itself.
    pub own: bool,
}

impl Meaning {
    /// What a value may mean of which both are said.
    pub fn or(self, other: Meaning) -> Meaning {
        Meaning { rules: self.rules | other.rules, own: self.own | other.own }
    }
}

/// A rule at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruled {
    pub action: Action,
    /// The place in [`RulePaths::conditions`] of what must be so.
    pub when: Option<u16>,
}

/// A place in a [`RulePaths`].
pub type PathNode = u32;

#[derive(Clone, Debug, Default)]
struct Node {
    /// In the order of their numbers; none stands behind one that always leaves the place out.
    rules: SmallVec<[Ruled; 1]>,
    children: SmallVec<[(Vec<u8>, PathNode); 2]>,
    /// Where any other key leads.
    other: Option<PathNode>,
}

/// The paths, below the payload, at which some rule of one kind of event has a say.
#[derive(Clone, Debug)]
pub struct RulePaths {
    nodes: Vec<Node>,
    /// The profile's allocator rules that hold for this kind.
    pub allocators: SmallVec<[u16; 1]>,
    /// What rules of this kind ask for before they hold.
    pub conditions: Conditions,
    /// What makes values alike.
    pub alikes: Vec<Alike>,
    /// The keys by which elements of arrays without order are matched.
    pub keys: Vec<Option<Pointer>>,
    /// What values may mean.
    pub meanings: Vec<Meaning>,
    /// The number of the first identity rule among the profile's rule names.
    pub identity_base: u16,
}

/// The rules of one kind, before they are put into a tree.
struct Gathered {
    rules: Vec<(Pattern, Ruled)>,
    paths: RulePaths,
    base: Pointer,
}

impl RulePaths {
    /// The payload itself.
    pub const ROOT: PathNode = 0;

    /// The rules that hold for events of `kind` (`None`: of any kind no rule names).
    pub fn new(profile: &Profile, kind: Option<&str>) -> RulePaths {
        let paths = RulePaths {
            nodes: Vec::new(),
            allocators: SmallVec::new(),
            conditions: Conditions::default(),
            alikes: Vec::new(),
            keys: Vec::new(),
            meanings: Vec::new(),
            identity_base: profile.identity_base(),
        };
        let base = profile.roles.payload_path().cloned().unwrap_or_default();
        let mut gathered = Gathered { rules: Vec::new(), paths, base };
        if profile.roles.payload == PayloadRole::Whole {
            let roles = profile.roles.paths().chain(&profile.roles.label);
            roles.for_each(|path| gathered.add(&path.into(), Action::Exclude, None));
        }
        let (before, behind): (Vec<_>, Vec<_>) = profile
            .value_rules()
            .filter(|(_, rule)| rule.serves(kind))
            .partition(|(n, _)| *n < profile.allocator_base());
        before.iter().for_each(|(number, rule)| gathered.add_value_rule(profile, *number, rule));
        gathered.add_allocators(profile, kind);
        behind.iter().for_each(|(number, rule)| gathered.add_value_rule(profile, *number, rule));
        gathered.add_identities(profile, kind);
        gathered.tree()
    }

    /// The rules of a place.
    #[inline]
    pub fn rules(&self, node: Option<PathNode>) -> &[Ruled] {
        node.map_or(&[], |node| &self.nodes[node as usize].rules)
    }

    /// The only rule that has to be looked at at a place, where no rule has a condition. What an allocator
    /// does not overlook is for the exact way, so a meaning behind it need not be looked at.
    ///
    /// # Errors
    /// There are several.
    pub fn sole(&self, node: Option<PathNode>) -> Result<Option<Action>, Several> {
        match self.rules(node) {
            [] => Ok(None),
            [only] => Ok(Some(only.action)),
            [
                Ruled { action: action @ (Action::AllocatorValue(_) | Action::AllocatorStatus(_)), .. },
                Ruled { action: Action::Identity(_), .. },
            ] => Ok(Some(*action)),
            _ => Err(Several),
        }
    }

    /// The place below `node` for a key token of a line.
    pub fn member(&self, node: Option<PathNode>, key: &[u8]) -> Option<PathNode> {
        let node = &self.nodes[node? as usize];
        let named = node.children.iter().find(|(name, _)| json::tape::key_is(key, name));
        named.map(|(_, child)| *child).or(node.other)
    }

    /// The place below `node` for a key, unescaped.
    pub fn named(&self, node: Option<PathNode>, key: &str) -> Option<PathNode> {
        let node = &self.nodes[node? as usize];
        node.children.iter().find(|(name, _)| name == key.as_bytes()).map(|(_, child)| *child).or(node.other)
    }

    /// The place below `node` for an element of an array.
    pub fn element(&self, node: Option<PathNode>, index: usize) -> Option<PathNode> {
        let Node { children, other, .. } = &self.nodes[node? as usize];
        if children.is_empty() {
            return *other;
        }
        let index = index.to_string();
        children.iter().find(|(name, _)| name == index.as_bytes()).map(|(_, child)| *child).or(*other)
    }

    /// The place below `node` for all elements of an array whose order does not count.
    pub fn elements(&self, node: Option<PathNode>) -> Option<PathNode> {
        self.nodes[node? as usize].other
    }

    /// Whether no rule has a say at or below a place.
    pub fn is_bare(&self, node: Option<PathNode>) -> bool {
        node.is_none_or(|node| {
            let node = &self.nodes[node as usize];
            node.rules.is_empty() && node.children.is_empty() && node.other.is_none()
        })
    }

    /// Makes one of several meanings of a place that hold under no condition.
    fn join_meanings(&mut self, rules: &mut SmallVec<[Ruled; 1]>) {
        let meaning = |ruled: &Ruled| match ruled {
            Ruled { action: Action::Identity(at), when: None } => Some(self.meanings[usize::from(*at)]),
            _ => None,
        };
        let mut all = rules.iter().filter_map(meaning);
        let Some(first) = all.next() else { return };
        let joined = all.fold(first, Meaning::or);
        rules.retain(|ruled| !matches!(ruled, Ruled { action: Action::Identity(_), when: None }));
        self.meanings.push(joined);
        rules.push(Ruled { action: Action::Identity(self.meanings.len() as u16 - 1), when: None });
    }

    /// Whether values of this kind of event may mean objects.
    pub fn have_meanings(&self) -> bool {
        !self.meanings.is_empty()
    }

    /// Whether texts of this kind can be judged leaf by leaf.
    pub fn go_by_leaves(&self) -> bool {
        self.conditions.is_empty() && self.keys.is_empty()
    }

    /// Whether events of this kind that have equal digests are equal.
    pub fn digests_decide(&self) -> bool {
        self.keys.is_empty()
            && self.conditions.are_compared()
            && self.alikes.iter().all(Alike::has_digests)
            && self.nodes.iter().all(|node| node.rules.iter().filter(|ruled| ruled.action.is_of_scalars()).count() < 2)
    }
}

/// More than one rule is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Several;

impl Action {
    /// Whether this overlooks differences between scalars, and leaves containers to what lies below.
    pub fn is_of_scalars(self) -> bool {
        !matches!(self, Action::Exclude | Action::Ignore(_) | Action::Unordered(..))
    }
}

impl Gathered {
    fn add_value_rule(&mut self, profile: &Profile, number: u16, rule: &ValueRule<'_>) {
        let mut alike = |alike| {
            self.paths.alikes.push(alike);
            Action::Alike(number, self.paths.alikes.len() as u16 - 1)
        };
        let action = match rule.does {
            Does::Ignore => Action::Ignore(number),
            Does::Mask(bits) => Action::Mask(number, bits),
            Does::Tolerance(tolerance) => alike(Alike::Near(tolerance.clone())),
            Does::Spelling(spelling) => alike(Alike::Spelled(spelling)),
            Does::Offset(offset) => alike(Alike::Moved(offset)),
            Does::Unordered(by) => {
                self.paths.keys.push(by.cloned());
                Action::Unordered(number, self.paths.keys.len() as u16 - 1)
            }
        };
        let when = self.paths.conditions.add(profile, rule.when);
        self.add_below(rule.path, action, when);
    }

    /// Places where values mean objects; where an event defines one, its own definition counts there too.
    fn add_identities(&mut self, profile: &Profile, kind: Option<&str>) {
        for (index, rule) in profile.identity.iter().enumerate() {
            for used in &rule.uses {
                if used.kinds.is_empty() || kind.is_some_and(|kind| used.kinds.iter().any(|own| own == kind)) {
                    let defines = |define: &DefineRule| {
                        kind == Some(define.kind.as_str()) && used.path.holds_all_of(&(&define.value).into())
                    };
                    let meaning = Meaning { rules: 1 << index, own: rule.define.iter().any(defines) };
                    let when = self.paths.conditions.add(profile, &used.when);
                    self.add_meaning(&used.path, meaning, when);
                }
            }
        }
    }

    fn add_meaning(&mut self, path: &Pattern, meaning: Meaning, when: Option<u16>) {
        self.paths.meanings.push(meaning);
        self.add_below(path, Action::Identity(self.paths.meanings.len() as u16 - 1), when);
    }

    fn add_allocators(&mut self, profile: &Profile, kind: Option<&str>) {
        for (index, rule) in (0..).zip(&profile.allocator) {
            if kind == Some(rule.kind.as_str()) {
                self.add_below(&(&rule.value).into(), Action::AllocatorValue(index), None);
                if let Some(status) = &rule.status {
                    self.add_below(&status.into(), Action::AllocatorStatus(index), None);
                }
                self.paths.allocators.push(index);
            }
        }
    }

    fn add_below(&mut self, path: &Pattern, action: Action, when: Option<u16>) {
        if let Some(path) = path.below(&self.base) {
            self.add(&path, action, when);
        }
    }

    fn add(&mut self, path: &Pattern, action: Action, when: Option<u16>) {
        self.rules.push((path.clone(), Ruled { action, when }));
    }

    /// The tree. Profiles are refused whose patterns overlap too often, so that its size needs no limit here.
    fn tree(mut self) -> RulePaths {
        let tree = PatternTree::grow(self.rules.iter().map(|(path, _)| path), usize::MAX);
        for node in tree.expect("there is no limit").nodes {
            let mut rules: SmallVec<[Ruled; 1]> = node.ends.iter().map(|end| self.rules[usize::from(*end)].1).collect();
            let leaves_out =
                |ruled: &Ruled| ruled.when.is_none() && matches!(ruled.action, Action::Exclude | Action::Ignore(_));
            if let Some(last) = rules.iter().position(leaves_out) {
                rules.truncate(last + 1);
            }
            self.paths.join_meanings(&mut rules);
            let children = node.keys.into_iter().map(|(key, child)| (key.into_bytes(), child)).collect();
            self.paths.nodes.push(Node { rules, children, other: node.other });
        }
        self.paths
    }
}

#[cfg(test)]
mod tests {
    use crate::compare::Comparer;
    use crate::compare::trial::{assert_differing, differing_in_digest, ruled};

    #[test]
    fn digests_decide_where_they_tell_all_that_is_compared() {
        for (rules, expected) in [
            ("", true),
            ("ignore = [{ name = 'v', path = '/v', when = { path = '/n', equals = 1 }, reason = 'r' }]", true),
            // A condition that may not be the same on both sides, near numbers, two rules for one value.
            (
                "ignore = [{ name = 'n', path = '/n', reason = 'r' },\
                 { name = 'v', path = '/v', when = { path = '/n', equals = 1 }, reason = 'r' }]",
                false,
            ),
            ("tolerance = [{ name = 't', path = '/v', absolute = 1, reason = 'r' }]", false),
            ("mask = [{ name = 'm', path = '/v', bits = 1, reason = 'r' }]", true),
            (
                "mask = [{ name = 'm', path = '/v', bits = 1, reason = 'r' }, { name = 'o', path = '/v', bits = 2, reason = 'r' }]",
                false,
            ),
        ] {
            assert_eq!(Comparer::new(&ruled(rules), false).digests_decide(), expected, "{rules}");
        }
    }

    #[test]
    fn a_star_stands_for_any_one_key_or_position() {
        let profile = ruled("ignore = [{ name = 'i', path = '/v/*/t', reason = 'r' }]");
        for (a, b, places) in [
            (r#"{"v":{"a":{"t":1},"b":{"t":2}}}"#, r#"{"v":{"a":{"t":3},"b":{}}}"#, &[][..]),
            (r#"{"v":[{"t":1,"u":1},{"t":2}]}"#, r#"{"v":[{"u":2},{"t":3}]}"#, &["/v/0/u"]),
            (r#"{"v":{"t":1}}"#, r#"{"v":{"t":2}}"#, &["/v/t"]),
            (r#"{"v":{"a":{"b":{"t":1}}}}"#, r#"{"v":{"a":{"b":{"t":2}}}}"#, &["/v/a/b/t"]),
        ] {
            assert_eq!(differing_in_digest(&profile, a, b).0, places, "{a} {b}");
        }
        let named = ruled("ignore = [{ name = 'i', path = 'v[\"*\"]', reason = 'r' }]");
        assert_differing(&named, r#"{"v":{"*":1,"a":1}}"#, r#"{"v":{"*":2,"a":2}}"#, &["/v/a"]);
    }

    #[test]
    fn elements_that_are_ignored_may_be_missing_at_the_end() {
        let profile = ruled(
            "ignore = [{ name = 'i', path = '/v/*', reason = 'r' }, { name = 'j', path = '/w/1', reason = 'r' }]",
        );
        for (a, b, places) in [
            (r#"{"v":[1,2]}"#, r#"{"v":[3]}"#, &[][..]),
            (r#"{"v":[]}"#, r#"{"v":{}}"#, &["/v"]),
            (r#"{"w":[1,2]}"#, r#"{"w":[1]}"#, &[]),
            (r#"{"w":[1,2,3]}"#, r#"{"w":[1]}"#, &["/w/2"]),
        ] {
            assert_eq!(differing_in_digest(&profile, a, b).0, places, "{a} {b}");
        }
    }

    #[test]
    fn rules_of_one_place_are_tried_one_by_one() {
        let profile = ruled(
            "mask = [{ name = 'm', path = '/v/*', bits = 1, reason = 'r' }, { name = 'n', path = '/v/a', bits = 2, reason = 'r' }]\n\
             spelling = [{ name = 's', path = '/*/a', hex = true, reason = 'r' }]",
        );
        for (a, b, places) in [
            (r#"{"v":{"a":4}}"#, r#"{"v":{"a":5}}"#, &[][..]),
            (r#"{"v":{"a":4}}"#, r#"{"v":{"a":6}}"#, &[]),
            (r#"{"v":{"a":4}}"#, r#"{"v":{"a":7}}"#, &["/v/a"]),
            (r#"{"v":{"a":4}}"#, r#"{"v":{"a":"4"}}"#, &[]),
            (r#"{"v":{"b":4}}"#, r#"{"v":{"b":6}}"#, &["/v/b"]),
            (r#"{"w":{"a":4}}"#, r#"{"w":{"a":"0x4"}}"#, &[]),
        ] {
            assert_differing(&profile, a, b, places);
        }
    }

    #[test]
    fn values_that_are_alike_are_overlooked_at_their_places_only() {
        let profile = ruled(
            "tolerance = [{ name = 't', path = '/t', absolute = 0.5, reason = 'r' }]\n\
             spelling = [{ name = 's', path = '/s', hex = true, width = 32, case = true, reason = 'r' }]\n\
             offset = [{ name = 'o', path = '/o', by = '-0x10', from = 0x100, to = 0x1FF, reason = 'r' }]",
        );
        for (a, b, places) in [
            (r#"{"t":1}"#, r#"{"t":1.5}"#, &[][..]),
            (r#"{"t":1}"#, r#"{"t":1.51}"#, &["/t"]),
            (r#"{"t":[1]}"#, r#"{"t":[1.5]}"#, &["/t/0"]),
            (r#"{"t":1}"#, r#"{}"#, &["/t"]),
            (r#"{"u":1}"#, r#"{"u":1.5}"#, &["/u"]),
            (r#"{"s":-1}"#, r#"{"s":"0xFFFFFFFF"}"#, &[]),
            (r#"{"s":"Ok"}"#, r#"{"s":"oK"}"#, &[]),
        ] {
            assert_differing(&profile, a, b, places);
        }
        let line = |value: u32| format!(r#"{{"o":{value}}}"#);
        let places = |a, b| crate::compare::trial::differing(&profile, &line(a), &line(b)).0;
        assert_eq!(places(0x100, 0xF0), [""; 0]);
        assert_eq!(places(0x100, 0x100), [""; 0]);
        assert_eq!(places(0xF0, 0x100), ["/o"]);
        assert_eq!(places(0x200, 0x1F0), ["/o"]);
    }
}
