//! Telling the threads of a window apart by the spelling of their keys.

use ahash::AHashMap;
use smallvec::SmallVec;

use super::key::ThreadKey;
use super::line::{Opener, Part};
use super::span::{Group, Span};

/// Short spellings found without a map.
const NEAR: usize = 256;

/// A spelling of up to eight bytes as one number, and its length.
type Short = (u64, u32);

/// The threads met so far in a window.
pub(super) struct Threads<'w> {
    found: Vec<Thread>,
    /// The group of each span, in file order.
    group_of: Vec<u32>,
    /// The short spelling met last and its group.
    last: (Short, u32),
    /// Short spellings and their groups; the newest of those that share a place.
    near: Box<[(Short, u32); NEAR]>,
    /// The composite spelling met last and its group.
    last_parts: (SmallVec<[&'w [u8]; 2]>, u32),
    by_token: AHashMap<&'w [u8], u32>,
    by_key: AHashMap<ThreadKey, u32>,
}

/// No spelling: longer than any.
const NONE: (Short, u32) = ((0, u32::MAX), 0);

struct Thread {
    key: ThreadKey,
    events: u32,
    ordinal: Option<u64>,
    irregular: bool,
}

impl<'w> Threads<'w> {
    /// Nothing met yet; about so many events will be.
    pub(super) fn new(events: usize) -> Threads<'w> {
        Threads {
            found: Vec::new(),
            group_of: Vec::with_capacity(events),
            last: NONE,
            near: Box::new([NONE; NEAR]),
            last_parts: (SmallVec::new(), 0),
            by_token: AHashMap::with_hasher(crate::json::tape::fixed_state()),
            by_key: AHashMap::with_hasher(crate::json::tape::fixed_state()),
        }
    }

    /// The group of the key whose one token stands at a place; an empty place where the profile
    /// names no thread.
    #[inline(always)]
    pub(super) fn of_place(&mut self, text: &'w [u8], start: usize, end: usize, opener: &Opener) -> u32 {
        let len = end - start;
        let Some(bytes) = text.get(start..).and_then(<[u8]>::first_chunk::<8>).filter(|_| len <= 8) else {
            return self.of_token(&text[start..end], opener);
        };
        let mask = if len == 0 { 0 } else { u64::MAX >> (64 - 8 * len) };
        let short = (u64::from_le_bytes(*bytes) & mask, len as u32);
        if self.last.0 == short {
            return self.last.1;
        }
        let place = (short.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize % NEAR;
        if self.near[place].0 != short {
            self.near[place] = (short, self.of_token(&text[start..end], opener));
        }
        self.last = self.near[place];
        self.last.1
    }

    /// The group of a key of one token; an empty token where the profile names no thread.
    #[inline(never)]
    pub(super) fn of_token(&mut self, token: &'w [u8], opener: &Opener) -> u32 {
        if let Some(group) = self.by_token.get(token) {
            return *group;
        }
        let whole = Part { start: 0, end: token.len() as u32 };
        let parts = if token.is_empty() { &[][..] } else { &[whole][..] };
        let group = self.of_key(opener.thread_key(token, parts));
        self.by_token.insert(token, group);
        group
    }

    /// The group of a key of several tokens.
    pub(super) fn of_parts(&mut self, line: &'w [u8], parts: &[Part], opener: &Opener) -> u32 {
        let tokens = parts.iter().map(|part| part.of(line));
        if !self.found.is_empty() && self.last_parts.0.iter().copied().eq(tokens.clone()) {
            return self.last_parts.1;
        }
        self.last_parts = (tokens.collect(), self.of_key(opener.thread_key(line, parts)));
        self.last_parts.1
    }

    fn of_key(&mut self, key: ThreadKey) -> u32 {
        if let Some(group) = self.by_key.get(&key) {
            return *group;
        }
        let group = self.found.len() as u32;
        self.found.push(Thread { key: key.clone(), events: 0, ordinal: None, irregular: false });
        self.by_key.insert(key, group);
        group
    }

    /// Counts an event of a group; its flags say whether it has an ordinal and whether it ends its thread.
    #[inline(always)]
    pub(super) fn add(&mut self, group: u32, ordinal: u64, flags: u8) {
        self.group_of.push(group);
        let thread = &mut self.found[group as usize];
        let has_ordinal = flags & Span::HAS_ORDINAL != 0;
        let falls = has_ordinal && thread.ordinal.is_some_and(|before| ordinal <= before);
        thread.irregular |= falls || flags & Span::ENDS_THREAD != 0;
        thread.events += 1;
        thread.ordinal = has_ordinal.then_some(ordinal);
    }

    /// The groups, where each one's spans will begin, and the group of each span.
    pub(super) fn groups(self) -> (Vec<Group>, Vec<u32>) {
        let mut from = 0;
        let groups = self.found.into_iter().map(|thread| {
            let to = from + thread.events;
            let group = Group { thread: thread.key, from, to, irregular: thread.irregular };
            from = to;
            group
        });
        (groups.collect(), self.group_of)
    }
}
