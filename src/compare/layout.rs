//! Layouts: what lines of one shape have in common, learned from a text that was read strictly.
//!
//! A layout is the text's literal bytes (keys, punctuation, white space, brackets) and the scalar
//! leaves between them, at any depth. A text with the same literals and a valid scalar at each
//! leaf is a valid text of the same shape, so that two of them can be compared leaf by leaf.

use smallvec::SmallVec;

use super::paths::{Action, PathNode, RulePaths, Several};
use crate::json::{self, Kind, Tape};
use crate::profile::AllocatorRule;

/// Longer texts, and such with more leaves or deeper nesting, have no layout.
const BYTES_MAX: usize = 64 << 10;
const LEAVES_MAX: usize = 256;
const DEPTH_MAX: usize = 32;

/// What becomes of a leaf whose two sides differ in their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// It is not compared.
    Skip,
    /// The values decide.
    Plain,
    /// Overlooked by the rule of this number.
    Ignore(u16),
    /// Bits that do not count, by the rule of this number.
    Mask(u16, u64),
    /// What an allocator returned, or where that is spelled again; the index of the allocator rule.
    Value(u16),
    Status(u16),
    /// Values that are alike by the rule of this number, and its place among what makes values alike.
    Alike(u16, u16),
    /// A value that may mean an object; its place among the meanings.
    Identity(u16),
}

/// A leaf of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub duty: Duty,
    /// A bit for each place that an allocator rule looks at; see [`said_bit`].
    pub says: u8,
}

/// How many allocator rules may hold for a kind that has layouts.
pub(super) const ALLOCATORS_MAX: usize = 2;

/// The places an allocator rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saying {
    Function,
    Value,
    Status,
}

/// The number of a place that the allocator rule at `slot` of the kind's rules looks at.
pub(super) fn said_bit(slot: usize, saying: Saying) -> usize {
    slot * 3 + saying as usize
}

/// The payload's structure; leaves by their number in the text.
#[derive(Debug)]
pub(super) enum Shape {
    Leaf(u16),
    /// Key tokens with what stands under them, in text order; no key twice.
    Object(Vec<(Box<[u8]>, Shape)>),
    Array(Vec<Shape>),
}

/// What a text of one shape is made of.
#[derive(Debug)]
pub(super) struct Layout {
    /// The bytes before each leaf, and those after the last.
    pub literals: Vec<Box<[u8]>>,
    pub leaves: Vec<Leaf>,
    pub payload: Shape,
}

/// A line that was read strictly, and what rules its kind of event has.
#[derive(Clone, Copy)]
pub(super) struct ReadLine<'a> {
    pub tape: &'a Tape,
    pub line: &'a [u8],
    pub payload: usize,
    pub paths: &'a RulePaths,
    /// All allocator rules of the profile.
    pub allocators: &'a [AllocatorRule],
}

/// What holds at and below a place.
#[derive(Clone, Copy)]
enum Rules {
    Outside,
    Inside(Option<PathNode>),
    /// The rule of a container around it decides.
    Under(Duty),
}

struct Learner<'a> {
    read: ReadLine<'a>,
    /// Nodes that allocator rules look at.
    said: SmallVec<[(usize, usize); 3]>,
    literals: Vec<Box<[u8]>>,
    leaves: Vec<Leaf>,
    /// Where the last leaf ended in the line.
    at: usize,
    payload: Option<Shape>,
}

impl Layout {
    /// The layout of a whole line.
    pub fn of_line(read: ReadLine<'_>) -> Option<Layout> {
        Layout::learn(read, Tape::ROOT, 0, read.line.len())
    }

    /// The layout of a line's payload and what follows it up to `end`.
    pub fn of_payload(read: ReadLine<'_>, end: usize) -> Option<Layout> {
        let start = read.tape.start(read.payload);
        let behind = start + read.tape.bytes(read.line, read.payload).len();
        if json::grammar::skip_space(read.line.get(..end)?, behind) != end {
            return None;
        }
        Layout::learn(read, read.payload, start, end)
    }

    fn learn(read: ReadLine<'_>, root: usize, start: usize, end: usize) -> Option<Layout> {
        if end - start > BYTES_MAX || read.paths.allocators.len() > ALLOCATORS_MAX || !read.paths.go_by_leaves() {
            return None;
        }
        let mut learner = Learner {
            said: said_nodes(&read)?,
            read,
            literals: Vec::new(),
            leaves: Vec::new(),
            at: start,
            payload: None,
        };
        learner.value(root, Rules::Outside, 1)?;
        learner.literals.push(read.line[learner.at..end].into());
        Some(Layout { literals: learner.literals, leaves: learner.leaves, payload: learner.payload? })
    }
}

/// The nodes at the places the kind's allocator rules look at; `None` where one is a container.
fn said_nodes(read: &ReadLine<'_>) -> Option<SmallVec<[(usize, usize); 3]>> {
    let mut said = SmallVec::new();
    for (slot, index) in read.paths.allocators.iter().enumerate() {
        let rule = &read.allocators[*index as usize];
        let places = [
            (Saying::Function, Some(&rule.function)),
            (Saying::Value, Some(&rule.value)),
            (Saying::Status, rule.status.as_ref()),
        ];
        for (saying, path) in places {
            let Some(node) = path.and_then(|path| read.tape.at(read.line, Tape::ROOT, path)) else { continue };
            if matches!(read.tape.kind(node), Kind::ObjectStart | Kind::ArrayStart) {
                return None;
            }
            said.push((node, said_bit(slot, saying)));
        }
    }
    Some(said)
}

impl Learner<'_> {
    /// Takes a value; `None` where the text shall have no layout.
    fn value(&mut self, node: usize, rules: Rules, depth: usize) -> Option<Shape> {
        let is_payload = node == self.read.payload;
        let rules = match rules {
            // Two payloads that are objects are compared by their members, whatever rule names them.
            Rules::Outside if is_payload && self.read.tape.kind(node) == Kind::ObjectStart => {
                Rules::Inside(Some(RulePaths::ROOT))
            }
            Rules::Outside if is_payload => self.at_place(Some(RulePaths::ROOT)),
            Rules::Inside(place) => self.at_place(place),
            other => other,
        };
        let shape = self.parts(node, rules, depth)?;
        if is_payload {
            // Only the payload's structure is asked for; whatever stands around it has none.
            self.payload = Some(shape);
            return Some(Shape::Array(Vec::new()));
        }
        Some(shape)
    }

    /// What the rule of a place makes of all below it.
    fn at_place(&self, place: Option<PathNode>) -> Rules {
        match self.read.paths.sole(place) {
            Ok(Some(Action::Exclude)) => Rules::Under(Duty::Skip),
            Ok(Some(Action::Ignore(rule))) => Rules::Under(Duty::Ignore(rule)),
            _ => Rules::Inside(place),
        }
    }

    fn parts(&mut self, node: usize, rules: Rules, depth: usize) -> Option<Shape> {
        let (tape, line) = (self.read.tape, self.read.line);
        if depth > DEPTH_MAX {
            return None;
        }
        match tape.kind(node) {
            Kind::ObjectStart => {
                let mut members: Vec<(Box<[u8]>, Shape)> = Vec::new();
                for (key, value) in tape.members(node) {
                    let token = tape.bytes(line, key);
                    if members.iter().any(|(known, _)| json::text::equal(known, token)) {
                        return None;
                    }
                    let shape =
                        self.value(value, self.below(rules, |paths, place| paths.member(place, token)), depth + 1)?;
                    members.push((token.into(), shape));
                }
                Some(Shape::Object(members))
            }
            Kind::ArrayStart => {
                let mut elements = Vec::new();
                for (index, element) in tape.elements(node).enumerate() {
                    let below = self.below(rules, |paths, place| paths.element(place, index));
                    elements.push(self.value(element, below, depth + 1)?);
                }
                Some(Shape::Array(elements))
            }
            _ => self.leaf(node, rules).map(Shape::Leaf),
        }
    }

    fn below(&self, rules: Rules, step: impl Fn(&RulePaths, Option<PathNode>) -> Option<PathNode>) -> Rules {
        match rules {
            Rules::Inside(place) => Rules::Inside(step(self.read.paths, place)),
            other => other,
        }
    }

    fn leaf(&mut self, node: usize, rules: Rules) -> Option<u16> {
        if self.leaves.len() >= LEAVES_MAX {
            return None;
        }
        let start = self.read.tape.start(node);
        self.literals.push(self.read.line[self.at..start].into());
        self.at = start + self.read.tape.bytes(self.read.line, node).len();
        let duty = match rules {
            Rules::Outside => Duty::Skip,
            Rules::Under(duty) => duty,
            Rules::Inside(place) => duty_of(self.read.paths.sole(place))?,
        };
        let says = self.said.iter().filter(|(said, _)| *said == node).fold(0, |says, (_, bit)| says | 1 << bit);
        self.leaves.push(Leaf { duty, says });
        Some(self.leaves.len() as u16 - 1)
    }
}

/// What the rule of a place asks of a leaf; `None` where several rules, or one for containers, stand there.
pub(super) fn duty_of(sole: Result<Option<Action>, Several>) -> Option<Duty> {
    Some(match sole.ok()? {
        None => Duty::Plain,
        Some(Action::Exclude) => Duty::Skip,
        Some(Action::Ignore(rule)) => Duty::Ignore(rule),
        Some(Action::Mask(rule, bits)) => Duty::Mask(rule, bits),
        Some(Action::AllocatorValue(rule)) => Duty::Value(rule),
        Some(Action::AllocatorStatus(rule)) => Duty::Status(rule),
        Some(Action::Alike(rule, alike)) => Duty::Alike(rule, alike),
        Some(Action::Identity(meaning)) => Duty::Identity(meaning),
        Some(Action::Unordered(..)) => return None,
    })
}
