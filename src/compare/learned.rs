//! What was learned so far, shared by all workers.
//!
//! Workers walk along a snapshot that each keeps in its scratch; who meets a text that fits none
//! takes the newest one, and learns if that does not know it either. A snapshot never changes.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::layout::{Layout, Shape};
use super::mould::Moulds;
use super::plan::Plan;
use super::trie::Trie;

/// Nodes of all trees together, and how often anything is learned or looked at in vain: a log
/// without regular lines must not keep the workers busy with learning.
const NODES_MAX: usize = 8_192;
const ATTEMPTS_MAX: u32 = 4_096;

/// One state of what is known.
#[derive(Clone, Debug)]
pub(super) struct Book {
    owner: u64,
    edition: u64,
    tries: Vec<Arc<Trie>>,
}

/// What is known, as it grows.
#[derive(Debug)]
pub(super) struct Learned {
    owner: u64,
    edition: AtomicU64,
    attempts: AtomicU32,
    newest: Mutex<Arc<Book>>,
    pub moulds: Moulds,
}

impl Book {
    /// The layouts of one kind of text.
    #[inline]
    pub fn trie(&self, kind: usize) -> &Trie {
        &self.tries[kind]
    }
}

impl Learned {
    /// Knows nothing yet of so many kinds of text.
    pub fn new(kinds: usize) -> Learned {
        static OWNERS: AtomicU64 = AtomicU64::new(0);
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        let book = Book { owner, edition: 0, tries: (0..kinds).map(|_| Arc::new(Trie::new())).collect() };
        let (edition, attempts) = (AtomicU64::new(0), AtomicU32::new(0));
        Learned { owner, edition, attempts, newest: Mutex::new(Arc::new(book)), moulds: Moulds::default() }
    }

    /// The snapshot in `kept`, taken first where there is none of this owner.
    #[inline]
    pub fn snapshot<'b>(&self, kept: &'b mut Option<Arc<Book>>) -> &'b Arc<Book> {
        if kept.as_ref().is_none_or(|book| book.owner != self.owner) {
            *kept = Some(self.newest());
        }
        kept.as_ref().expect("it was put there")
    }

    /// Takes the newest snapshot; false where the one at hand is that.
    pub fn refresh(&self, kept: &mut Option<Arc<Book>>) -> bool {
        let newest = self.edition.load(Ordering::Acquire);
        if kept.as_ref().is_some_and(|book| book.edition == newest) {
            return false;
        }
        *kept = Some(self.newest());
        true
    }

    fn newest(&self) -> Arc<Book> {
        Arc::clone(&self.newest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether one more try to learn is granted.
    pub fn may_try(&self) -> bool {
        self.attempts.load(Ordering::Relaxed) < ATTEMPTS_MAX
            && self.attempts.fetch_add(1, Ordering::Relaxed) < ATTEMPTS_MAX
    }

    /// Learns the layout of `text`, unless it is known or there is no room.
    pub fn add_layout(&self, kind: usize, text: &[u8], layout: Layout) {
        self.change(kind, |trie, room| {
            let known = trie.fit_whole(text, |_| ()).is_some();
            !known && layout.literals.len() <= room && trie.insert(layout)
        });
    }

    /// Learns how texts of two layouts are compared.
    pub fn add_plan(&self, kind: usize, layouts: (u16, u16), make: impl FnOnce(&Shape, &Shape) -> Option<Plan>) {
        self.change(kind, |trie, _| trie.plan(layouts).is_none() && trie.add_plan(layouts, make));
    }

    /// Publishes a changed copy of one tree, if `change` says that it changed it.
    fn change(&self, kind: usize, change: impl FnOnce(&mut Trie, usize) -> bool) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let room = NODES_MAX.saturating_sub(newest.tries.iter().map(|trie| trie.size()).sum());
        let mut trie = Trie::clone(newest.trie(kind));
        if change(&mut trie, room) {
            let mut book = Book::clone(&newest);
            book.tries[kind] = Arc::new(trie);
            book.edition += 1;
            self.edition.store(book.edition, Ordering::Release);
            *newest = Arc::new(book);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learning_is_given_up_after_so_many_tries() {
        let learned = Learned::new(1);
        assert!((0..ATTEMPTS_MAX).all(|_| learned.may_try()));
        assert!((0..3).all(|_| !learned.may_try()));
    }
}
