//! Learning a layout from a line that was opened the exact way.
//!
//! This walk follows the exact one ([`super::line`]) member by member, and writes down what
//! stands there. Where the two could come apart (twin roles at one place, a container where a
//! role's path leads through) nothing is learned: such lines keep taking the exact way.

use smallvec::SmallVec;

use super::layout::{End, Layout, Leaf, THREAD_PARTS_MAX};
use super::line::{Opener, Role};
use crate::json::{self, grammar, regular};

/// Longer heads have no layout.
const LITERALS_MAX: usize = 4 << 10;
/// Deeper objects on a role's path have no layout.
const DEPTH_MAX: usize = 16;

/// A layout in the making.
struct Draft<'l> {
    line: &'l [u8],
    /// First byte behind the last leaf.
    from: usize,
    texts: Vec<&'l [u8]>,
    leaves: Vec<Leaf>,
    /// No leaf may be a container.
    scalars_only: bool,
}

impl<'l> Draft<'l> {
    fn leaf(&mut self, leaf: Leaf, at: usize, end: usize) {
        self.texts.push(&self.line[self.from..at]);
        self.leaves.push(leaf);
        self.from = end;
    }
}

/// What is still to be found below a key: the role's number, and the rest of its path.
type Below<'o> = SmallVec<[(usize, &'o [String]); 4]>;

impl Opener {
    /// The layout of a line that opened; `None` where it is too odd to have one.
    pub(super) fn learn(&self, line: &[u8]) -> Option<Layout> {
        self.learn_as_far(line, false)
    }

    /// The layout of a line that was read strictly: of the whole of it if nothing but scalars stands there, else as
    /// far as opening goes.
    pub(super) fn learn_whole(&self, line: &[u8]) -> Option<Layout> {
        self.learn_as_far(line, true).or_else(|| self.learn(line))
    }

    /// The layout as far as opening goes or, `to_the_end`, up to the payload if that is last, else of the whole line;
    /// then `None` where another container stands in the line.
    fn learn_as_far(&self, line: &[u8], to_the_end: bool) -> Option<Layout> {
        if self.threads > THREAD_PARTS_MAX || line.len() > u16::MAX as usize {
            return None;
        }
        let mut draft = Draft { line, from: 0, texts: Vec::new(), leaves: Vec::new(), scalars_only: to_the_end };
        let mut keys: Vec<&[u8]> = Vec::new();
        let mut met = 0u32;
        let mut at = grammar::skip_space(line, 1);
        let is_done = |met: u32| met & self.needed == self.needed && !to_the_end;
        let mut end = if is_done(met) { End::Stop } else { End::Close };
        let mut stop = if is_done(met) { 1 } else { at + 1 };
        while !is_done(met) && line[at] != b'}' {
            let key_end = grammar::string_end(line, at).ok()?;
            keys.push(&line[at..key_end]);
            let value = grammar::skip_space(line, grammar::skip_space(line, key_end) + 1);
            let roles = self.roles_of(&line[at..key_end], met);
            roles.iter().for_each(|(role, _)| met |= 1 << role);
            if met & self.needed == self.needed
                && matches!(roles.as_slice(), [(role, [])] if self.wanted[*role].role == Role::Payload)
            {
                (end, stop) = (End::Tail, value);
                break;
            }
            let value_end = self.draft_value(&mut draft, value, &roles, 1)?;
            if is_done(met) {
                (end, stop) = (End::Stop, value_end);
                break;
            }
            at = grammar::skip_space(line, value_end);
            if line.get(at) == Some(&b',') {
                at = grammar::skip_space(line, at + 1);
            }
            stop = at + 1;
        }
        let last = &line[draft.from..stop];
        let length: usize = draft.texts.iter().map(|text| text.len()).sum::<usize>() + last.len();
        if length > LITERALS_MAX || draft.texts.iter().chain([&last]).any(|text| std::str::from_utf8(text).is_err()) {
            return None;
        }
        draft.texts.push(last);
        let roles_once = self.roles_once(&keys);
        Some(Layout::new(&draft.texts, &draft.leaves, end, self.whole, roles_once))
    }

    /// The roles whose path begins with a key and that were not met before.
    fn roles_of(&self, key: &[u8], met: u32) -> Below<'_> {
        (self.wanted.iter().enumerate())
            .filter(|(index, wanted)| met >> index & 1 == 0 && json::tape::key_is(key, &wanted.key))
            .map(|(index, wanted)| (index, &wanted.below[..]))
            .collect()
    }

    /// Writes a value down; returns its end.
    fn draft_value(&self, draft: &mut Draft<'_>, at: usize, roles: &Below<'_>, depth: usize) -> Option<usize> {
        let line = draft.line;
        let container = matches!(line[at], b'{' | b'[');
        let value_end = match line[at] {
            b'{' | b'[' => grammar::container_end_loose(line, at, depth).ok()?,
            b'"' => grammar::string_end(line, at).ok()?,
            _ => grammar::scalar_end(line, at).ok()?,
        };
        let here: SmallVec<[usize; 2]> =
            roles.iter().filter(|(_, below)| below.is_empty()).map(|(role, _)| *role).collect();
        let leads_on = here.len() < roles.len();
        let leaf = match (here.as_slice(), leads_on) {
            ([], false) if depth == 1 => Leaf::Skip,
            ([], false) if container => return None,
            ([], false) => Leaf::Scalar,
            ([], true) if line[at] == b'{' => return self.draft_object(draft, at, roles, depth),
            ([], true) if container => return None,
            ([], true) => Leaf::Scalar,
            ([role], false) => match self.wanted[*role].role {
                Role::Thread(part) => Leaf::Thread(part as u8),
                Role::Ordinal => Leaf::Ordinal,
                Role::Kind => Leaf::Kind,
                Role::Payload => Leaf::Payload,
                Role::Nondeterministic if container => return None,
                Role::Nondeterministic => Leaf::Nondeterministic(self.nondeterministic_when),
            },
            _ => return None,
        };
        if draft.scalars_only && container {
            return None;
        }
        draft.leaf(leaf, at, value_end);
        Some(value_end)
    }

    /// Writes the members of an object down in which roles stand.
    fn draft_object(&self, draft: &mut Draft<'_>, start: usize, roles: &Below<'_>, depth: usize) -> Option<usize> {
        let line = draft.line;
        // Opening looks no further than the roles; what stands behind them may be anything.
        regular::value_end(line, start, depth, |_, _| {})?;
        let mut open = roles.clone();
        let mut at = grammar::skip_space(line, start + 1);
        while line[at] != b'}' && depth < DEPTH_MAX {
            let key_end = grammar::string_end(line, at).ok()?;
            let key = &line[at..key_end];
            let value = grammar::skip_space(line, grammar::skip_space(line, key_end) + 1);
            let is_next = |below: &[String]| below.first().is_some_and(|next| json::tape::key_is(key, next.as_bytes()));
            let inner: Below<'_> =
                open.iter().filter(|(_, below)| is_next(below)).map(|(role, below)| (*role, &below[1..])).collect();
            open.retain(|(_, below)| !is_next(below));
            let value_end = self.draft_value(draft, value, &inner, depth + 1)?;
            at = grammar::skip_space(line, value_end);
            if line.get(at) == Some(&b',') {
                at = grammar::skip_space(line, at + 1);
            }
        }
        (line[at] == b'}').then_some(at + 1)
    }

    /// Whether no key that a role's path begins with is given twice.
    fn roles_once(&self, keys: &[&[u8]]) -> bool {
        self.wanted.iter().all(|wanted| keys.iter().filter(|key| json::tape::key_is(key, &wanted.key)).count() <= 1)
    }
}
