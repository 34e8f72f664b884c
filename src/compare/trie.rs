//! Many layouts as one tree: texts walk down it, so that no layout is tried in vain.
//!
//! A node is the bytes before a leaf and that leaf, or the bytes that end a text. At most one
//! child of a node fits a text: the literals of two children either differ, or the longer goes on
//! with a bracket where the shorter has its leaf.

use std::sync::Arc;

use ahash::AHashMap;

use super::layout::{Duty, Layout, Leaf, Shape};
use super::plan::Plan;
use crate::json::{self, grammar, leaf};

/// Texts that differ in more ways than this at one place are not learned further.
const SIBLINGS_MAX: usize = 64;
/// Ordered pairs of layouts of one tree for which it is known how they are compared.
const PLANS_MAX: usize = 512;

/// A node's number in its [`Trie`].
type Place = u32;

/// Literals up to this many words are compared without a loop.
const WORDS: usize = 3;

/// A place in the tree: a literal and what stands behind it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The literal's first bytes as little-endian words, and which bits of the words it has.
    words: [u64; WORDS],
    masks: [u64; WORDS],
    len: u32,
    /// Where the literal stands among the tree's.
    literal: u32,
    /// The words are the whole literal.
    short: bool,
    pub leaf: Leaf,
    /// For a node that ends texts, the number of their layout.
    pub ends: Option<u16>,
    /// The first child, and the next child of the same parent; the root is neither.
    child: Place,
    sibling: Place,
}

/// A leaf met in a text, or the text's end (then empty).
#[derive(Clone, Copy, Debug)]
pub(super) struct Met<'t> {
    pub place: &'t Node,
    pub start: usize,
    pub end: usize,
}

/// The layouts of one kind of text.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    literals: Vec<u8>,
    shapes: Vec<Arc<Shape>>,
    /// How two layouts are compared; `None` where that is not known by the leaf.
    plans: AHashMap<(u16, u16), Option<Arc<Plan>>>,
}

impl Trie {
    /// The number of the place before the first literal, which is no other's child or sibling.
    const ROOT: Place = 0;

    /// A tree without layouts.
    pub fn new() -> Trie {
        let none = Leaf { duty: Duty::Skip, says: 0 };
        Trie {
            nodes: vec![Node::new(b"", 0, none, None)],
            literals: Vec::new(),
            shapes: Vec::new(),
            plans: AHashMap::with_hasher(json::tape::fixed_state()),
        }
    }

    /// How many nodes it has.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// Takes a layout in; false where one place has too many shapes already.
    pub fn insert(&mut self, layout: Layout) -> bool {
        let mut place = Trie::ROOT;
        let last = layout.leaves.len();
        for (index, literal) in layout.literals.iter().enumerate() {
            let ends = (index == last).then_some(self.shapes.len() as u16);
            let leaf = layout.leaves.get(index).copied().unwrap_or(Leaf { duty: Duty::Skip, says: 0 });
            match self.child_for(place, literal, leaf, ends) {
                Some(child) => place = child,
                None => return false,
            }
        }
        if self.nodes[place as usize].ends == Some(self.shapes.len() as u16) {
            self.shapes.push(Arc::new(layout.payload));
        }
        true
    }

    /// The child with this literal, made where there is none.
    fn child_for(&mut self, place: Place, literal: &[u8], leaf: Leaf, ends: Option<u16>) -> Option<Place> {
        let (mut next, mut last, mut count) = (self.nodes[place as usize].child, None, 0);
        while next != Trie::ROOT {
            let node = &self.nodes[next as usize];
            if self.literal(node) == literal && node.ends.is_some() == ends.is_some() {
                return Some(next);
            }
            (last, next, count) = (Some(next), node.sibling, count + 1);
        }
        if count >= SIBLINGS_MAX {
            return None;
        }
        let made = self.nodes.len() as Place;
        self.nodes.push(Node::new(literal, self.literals.len(), leaf, ends));
        self.literals.extend_from_slice(literal);
        match last {
            Some(last) => self.nodes[last as usize].sibling = made,
            None => self.nodes[place as usize].child = made,
        }
        Some(made)
    }

    fn literal(&self, node: &Node) -> &[u8] {
        &self.literals[node.literal as usize..][..node.len as usize]
    }

    /// The place before the first literal.
    #[inline]
    pub fn root(&self) -> &Node {
        &self.nodes[0]
    }

    /// The place behind `place` that fits `text` from `at` on.
    #[inline(always)]
    pub fn step(&self, place: &Node, text: &[u8], at: usize) -> Option<Met<'_>> {
        let mut next = place.child;
        while next != Trie::ROOT {
            let place = &self.nodes[next as usize];
            if let Some(met) = self.fit(place, text, at) {
                return Some(met);
            }
            next = place.sibling;
        }
        None
    }

    /// Whether `text` goes on from `at` with the literal and the leaf, or the end, of `place`.
    #[inline(always)]
    pub fn fit<'t>(&self, place: &'t Node, text: &[u8], at: usize) -> Option<Met<'t>> {
        if !self.literal_fits(place, text, at) {
            return None;
        }
        let start = at + place.len as usize;
        let end = match place.ends {
            Some(_) => (start == text.len()).then_some(start)?,
            None => match leaf::scalar_end(text, start) {
                Some(end) => end,
                None => irregular_end(text, start)?,
            },
        };
        Some(Met { place, start, end })
    }

    #[inline(always)]
    fn literal_fits(&self, node: &Node, text: &[u8], at: usize) -> bool {
        let window = text.get(at..).and_then(<[u8]>::first_chunk::<{ WORDS * 8 }>);
        let Some(window) = window.filter(|_| node.short) else {
            return text.get(at..at + node.len as usize) == Some(self.literal(node));
        };
        let words = window.as_chunks::<8>().0;
        let differs =
            (0..WORDS).fold(0, |differs, n| differs | (u64::from_le_bytes(words[n]) ^ node.words[n]) & node.masks[n]);
        differs == 0
    }

    /// Walks a text down the tree and calls for each of its leaves; the layout it has.
    #[inline(always)]
    pub fn fit_whole<'t>(&'t self, text: &[u8], mut leaf: impl FnMut(Met<'t>)) -> Option<u16> {
        let (mut place, mut at) = (self.root(), 0);
        loop {
            let met = self.step(place, text, at)?;
            if met.place.ends.is_some() {
                return met.place.ends;
            }
            (place, at) = (met.place, met.end);
            leaf(met);
        }
    }

    /// How two layouts are compared, where that was asked before.
    pub fn plan(&self, layouts: (u16, u16)) -> Option<&Option<Arc<Plan>>> {
        self.plans.get(&layouts)
    }

    /// Remembers how two layouts are compared; false where it holds enough of that.
    pub fn add_plan(&mut self, layouts: (u16, u16), make: impl FnOnce(&Shape, &Shape) -> Option<Plan>) -> bool {
        if self.plans.len() >= PLANS_MAX {
            return false;
        }
        let plan = make(&self.shapes[layouts.0 as usize], &self.shapes[layouts.1 as usize]);
        self.plans.insert(layouts, plan.map(Arc::new));
        true
    }
}

impl Node {
    fn new(literal: &[u8], at: usize, leaf: Leaf, ends: Option<u16>) -> Node {
        let (mut words, mut masks) = ([[0; 8]; WORDS], [[0; 8]; WORDS]);
        for (index, byte) in literal.iter().take(WORDS * 8).enumerate() {
            words[index / 8][index % 8] = *byte;
            masks[index / 8][index % 8] = 0xFF;
        }
        Node {
            words: words.map(u64::from_le_bytes),
            masks: masks.map(u64::from_le_bytes),
            len: literal.len() as u32,
            literal: at as u32,
            short: literal.len() <= WORDS * 8,
            leaf,
            ends,
            child: Trie::ROOT,
            sibling: Trie::ROOT,
        }
    }
}

/// The end of a scalar that is not regular: escapes, bytes beyond ASCII, exponents, `NaN`.
#[cold]
fn irregular_end(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) != Some(&b'"') {
        return grammar::scalar_end(text, at).ok();
    }
    let end = grammar::string_end(text, at).ok()?;
    json::check_utf8(&text[at..end]).is_ok().then_some(end)
}
