//! Telling the threads of a window apart by the spelling of their keys.

use ahash::AHashMap;
use smallvec::SmallVec;

use super::key::ThreadKey;
use super::line::{Opener, Part};
use super::span::Group;

/// Spellings looked up without hashing.
const NEAR: usize = 256;

/// The threads met so far in a window.
pub(super) struct Threads<'w> {
    found: Vec<Thread>,
    /// The group of each span, in file order.
    group_of: Vec<u32>,
    /// The spelling met last and its group.
    last: (SmallVec<[&'w [u8]; 2]>, u32),
    /// Spellings by their last characters; the newest of those that agree.
    near: Box<[(&'w [u8], u32); NEAR]>,
    by_token: AHashMap<&'w [u8], u32>,
    by_key: AHashMap<ThreadKey, u32>,
}

struct Thread {
    key: ThreadKey,
    events: u32,
    ordinal: Option<u64>,
    irregular: bool,
}

impl<'w> Threads<'w> {
    /// Nothing met yet; at most so many events will be.
    pub(super) fn new(events: u32) -> Threads<'w> {
        Threads {
            found: Vec::new(),
            group_of: Vec::with_capacity(events as usize),
            last: (SmallVec::new(), 0),
            near: Box::new([(b"", u32::MAX); NEAR]),
            by_token: AHashMap::with_hasher(crate::json::tape::fixed_state()),
            by_key: AHashMap::with_hasher(crate::json::tape::fixed_state()),
        }
    }

    /// The group of a key of one token; an empty token where the profile names no thread.
    #[inline(always)]
    pub(super) fn of_token(&mut self, token: &'w [u8], opener: &Opener) -> u32 {
        if let [last] = self.last.0.as_slice()
            && *last == token
        {
            return self.last.1;
        }
        self.last = (SmallVec::from_slice(&[token]), self.another(token, opener));
        self.last.1
    }

    #[inline(never)]
    fn another(&mut self, token: &'w [u8], opener: &Opener) -> u32 {
        // Numbers differ in their last digits, texts before their closing quote.
        let place = token.iter().rev().take(4).fold(0usize, |place, byte| place * 10 + usize::from(*byte)) % NEAR;
        let (near, group) = self.near[place];
        if near == token && group != u32::MAX {
            return group;
        }
        let group = match self.by_token.get(token) {
            Some(group) => *group,
            None => {
                let whole = Part { start: 0, end: token.len() as u32 };
                let parts = if token.is_empty() { &[][..] } else { &[whole][..] };
                let group = self.of_key(opener.thread_key(token, parts));
                self.by_token.insert(token, group);
                group
            }
        };
        self.near[place] = (token, group);
        group
    }

    /// The group of a key of several tokens.
    pub(super) fn of_parts(&mut self, line: &'w [u8], parts: &[Part], opener: &Opener) -> u32 {
        let tokens = parts.iter().map(|part| part.of(line));
        if !self.found.is_empty() && self.last.0.iter().copied().eq(tokens.clone()) {
            return self.last.1;
        }
        self.last = (tokens.collect(), self.of_key(opener.thread_key(line, parts)));
        self.last.1
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

    /// Counts an event of a group.
    #[inline(always)]
    pub(super) fn add(&mut self, group: u32, ordinal: Option<u64>, ends: bool) {
        self.group_of.push(group);
        let thread = &mut self.found[group as usize];
        let grows = thread.events == 0 || ordinal.is_none() || thread.ordinal < ordinal;
        thread.irregular |= !grows || ends;
        thread.events += 1;
        thread.ordinal = ordinal;
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
