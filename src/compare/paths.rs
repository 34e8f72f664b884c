//! The rules of one kind of event as a tree of paths below the payload.

use smallvec::SmallVec;

use crate::json::{self, Pointer};
use crate::profile::{PayloadRole, Profile};

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
}

/// A place in a [`RulePaths`].
pub type PathNode = u32;

#[derive(Clone, Debug, Default)]
struct Node {
    action: Option<Action>,
    children: SmallVec<[(Vec<u8>, PathNode); 2]>,
}

/// The paths, below the payload, at which some rule of one kind of event has a say.
#[derive(Clone, Debug)]
pub struct RulePaths {
    nodes: Vec<Node>,
    /// The profile's allocator rules that hold for this kind.
    pub allocators: SmallVec<[u16; 1]>,
}

impl RulePaths {
    /// The payload itself.
    pub const ROOT: PathNode = 0;

    /// The rules that hold for events of `kind` (`None`: of any kind no rule names).
    pub fn new(profile: &Profile, kind: Option<&str>) -> RulePaths {
        let mut paths = RulePaths { nodes: vec![Node::default()], allocators: SmallVec::new() };
        let holds = |kinds: &[String]| kinds.is_empty() || kind.is_some_and(|kind| kinds.iter().any(|k| k == kind));
        if profile.roles.payload == PayloadRole::Whole {
            profile.roles.paths().chain(&profile.roles.label).for_each(|path| paths.add(path, Action::Exclude));
        }
        let base = profile.roles.payload_path().cloned().unwrap_or_default();
        // The rule numbers of Profile::rule_names; 0 is null-equals-missing.
        let mut number = 1u16;
        for rule in &profile.ignore {
            if holds(&rule.kinds) {
                paths.add_below(&base, &rule.path, Action::Ignore(number));
            }
            number += 1;
        }
        for rule in &profile.mask {
            if holds(&rule.kinds) {
                paths.add_below(&base, &rule.path, Action::Mask(number, rule.bits));
            }
            number += 1;
        }
        for (index, rule) in profile.allocator.iter().enumerate() {
            if kind == Some(rule.kind.as_str()) {
                paths.add_below(&base, &rule.value, Action::AllocatorValue(index as u16));
                if let Some(status) = &rule.status {
                    paths.add_below(&base, status, Action::AllocatorStatus(index as u16));
                }
                paths.allocators.push(index as u16);
            }
        }
        paths
    }

    fn add_below(&mut self, base: &Pointer, path: &Pointer, action: Action) {
        if let Some(path) = path.below(base) {
            self.add(&path, action);
        }
    }

    /// The rule that was there first keeps its place: the profile's order decides.
    fn add(&mut self, path: &Pointer, action: Action) {
        let mut node = RulePaths::ROOT;
        for token in path.tokens() {
            node = match self.nodes[node as usize].children.iter().find(|(key, _)| key == token.as_bytes()) {
                Some((_, child)) => *child,
                None => {
                    let child = self.nodes.len() as PathNode;
                    self.nodes.push(Node::default());
                    self.nodes[node as usize].children.push((token.clone().into_bytes(), child));
                    child
                }
            };
        }
        self.nodes[node as usize].action.get_or_insert(action);
    }

    /// What happens at a place.
    pub fn action(&self, node: Option<PathNode>) -> Option<Action> {
        self.nodes[node? as usize].action
    }

    /// The place below `node` for a key token of a line.
    pub fn member(&self, node: Option<PathNode>, key: &[u8]) -> Option<PathNode> {
        let children = &self.nodes[node? as usize].children;
        children.iter().find(|(name, _)| json::tape::key_is(key, name)).map(|(_, child)| *child)
    }

    /// The place below `node` for an element of an array.
    pub fn element(&self, node: Option<PathNode>, index: usize) -> Option<PathNode> {
        let children = &self.nodes[node? as usize].children;
        if children.is_empty() {
            return None;
        }
        let index = index.to_string();
        children.iter().find(|(name, _)| name == index.as_bytes()).map(|(_, child)| *child)
    }

    /// Whether any rule has a say at or below a place.
    pub fn is_bare(&self, node: Option<PathNode>) -> bool {
        node.is_none_or(|node| {
            let node = &self.nodes[node as usize];
            node.action.is_none() && node.children.is_empty()
        })
    }
}
