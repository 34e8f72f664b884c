//! Trails of handles that were used again, and the order in which whatever may be dropped came.

use std::collections::{BTreeMap, VecDeque};

use super::trail::HandleAuditTrail;

/// Keys in the order in which they came. One that is gone meanwhile is stepped over, so nobody has to look for it.
#[derive(Debug)]
pub(super) struct Queue<K>(VecDeque<K>);

impl<K> Default for Queue<K> {
    fn default() -> Queue<K> {
        Queue(VecDeque::new())
    }
}

impl<K> Queue<K> {
    /// Makes room, so that [`push`](Self::push) does not allocate while no more than `alive` keys are alive. It is twice
    /// what they need: then keys that are gone are seldom looked for.
    pub(super) fn reserve(&mut self, alive: usize) {
        self.0.reserve((2 * alive + 8).saturating_sub(self.0.len()));
    }

    pub(super) fn push(&mut self, key: K, is_alive: impl Fn(&K) -> bool) {
        if self.0.len() == self.0.capacity() {
            self.0.retain(is_alive);
        }
        self.0.push_back(key);
    }

    /// The oldest key that is alive, taken out.
    pub(super) fn pop(&mut self, is_alive: impl Fn(&K) -> bool) -> Option<K> {
        while let Some(key) = self.0.pop_front() {
            if is_alive(&key) {
                return Some(key);
            }
        }
        None
    }
}

/// Trails whose handle value was given to another object since, whether it was seen to be closed before or not.
#[derive(Debug, Default)]
pub struct PastTrails {
    /// By handle and generation. Boxed, for a tree has empty places.
    trails: BTreeMap<(u32, u64), Box<HandleAuditTrail>>,
    /// The same, in the order in which their handles were used again, each with the number of its creation: where nothing is left of
    /// a handle its generations begin anew.
    order: Queue<(u32, u64, u64)>,
}

impl PastTrails {
    /// How many there are, of all handles.
    pub fn len(&self) -> usize {
        self.trails.len()
    }

    /// Whether no handle was used again, or nothing is left of that.
    pub fn is_empty(&self) -> bool {
        self.trails.is_empty()
    }

    /// Those of one handle, by generation.
    pub fn of(&self, handle: u32) -> impl DoubleEndedIterator<Item = &HandleAuditTrail> {
        self.trails.range((handle, 0)..=(handle, u64::MAX)).map(|(_, trail)| &**trail)
    }

    /// All with their handles, by handle and generation.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u32, &HandleAuditTrail)> + ExactSizeIterator {
        self.trails.iter().map(|((handle, _), trail)| (*handle, &**trail))
    }

    pub(super) fn push(&mut self, handle: u32, trail: HandleAuditTrail) {
        let (generation, created) = (trail.generation, trail.created_sequence);
        self.trails.insert((handle, generation), Box::new(trail));
        self.order.reserve(self.trails.len());
        self.order.push((handle, generation, created), |key| is_held(&self.trails, key));
    }

    /// Takes out the trail whose handle was used again first.
    pub(super) fn pop(&mut self) -> Option<HandleAuditTrail> {
        let (handle, generation, _) = self.order.pop(|key| is_held(&self.trails, key))?;
        self.trails.remove(&(handle, generation)).map(|trail| *trail)
    }

    /// Takes out the oldest trail of a handle that has more than `most`.
    pub(super) fn pop_above(&mut self, handle: u32, most: usize) -> Option<HandleAuditTrail> {
        let (oldest, newest) = (self.of(handle).next()?.generation, self.of(handle).next_back()?.generation);
        // None between them is missing: a handle's oldest goes first, whoever takes it out.
        let is_above = newest - oldest >= most as u64;
        is_above.then(|| self.trails.remove(&(handle, oldest)).map(|trail| *trail))?
    }
}

/// Whether a trail is still held, and no other in its place.
fn is_held(
    trails: &BTreeMap<(u32, u64), Box<HandleAuditTrail>>,
    (handle, generation, created): &(u32, u64, u64),
) -> bool {
    trails.get(&(*handle, *generation)).is_some_and(|trail| trail.created_sequence == *created)
}

#[cfg(test)]
mod tests {
    use super::super::ring::HandleAuditEntry;
    use super::super::trail::GhostTrail;
    use super::*;

    fn trail(generation: u64) -> HandleAuditTrail {
        made(generation, generation)
    }

    fn made(generation: u64, created: u64) -> HandleAuditTrail {
        let entry = HandleAuditEntry { cycle: 0, tid: 0, lr: 0, source: "", aux: 0 };
        HandleAuditTrail::new("", (created, entry), Vec::new(), generation, GhostTrail::default())
    }

    #[test]
    fn a_generation_that_comes_again_is_as_old_as_it_is() {
        let mut past = PastTrails::default();
        past.push(8, made(0, 1));
        assert_eq!(past.pop_above(8, 0).unwrap().created_sequence, 1);
        past.push(4, made(0, 2));
        past.push(8, made(0, 3));
        let popped: Vec<_> = std::iter::from_fn(|| past.pop()).map(|trail| trail.created_sequence).collect();
        assert_eq!(popped, [2, 3]);
    }

    #[test]
    fn the_oldest_goes_first_of_one_handle_and_of_all() {
        let mut past = PastTrails::default();
        for (handle, generation) in [(8, 0), (4, 0), (8, 1), (4, 1), (8, 2)] {
            past.push(handle, trail(generation));
        }
        assert!(past.pop_above(8, 3).is_none() && past.pop_above(5, 0).is_none());
        assert_eq!(past.pop_above(8, 2).unwrap().generation, 0);
        assert_eq!(past.of(8).map(|trail| trail.generation).collect::<Vec<_>>(), [1, 2]);
        let all: Vec<_> = past.iter().map(|(handle, trail)| (handle, trail.generation)).collect();
        assert_eq!((all, past.len()), (vec![(4, 0), (4, 1), (8, 1), (8, 2)], 4));
        let popped: Vec<_> = std::iter::from_fn(|| past.pop()).map(|trail| trail.generation).collect();
        assert_eq!(popped, [0, 1, 1, 2], "what was taken out before is stepped over");
        assert!(past.is_empty());
    }

    #[test]
    fn a_queue_of_few_that_live_stays_short() {
        let mut past = PastTrails::default();
        for generation in 0..10_000 {
            past.push(4, trail(generation));
            past.pop_above(4, 2);
        }
        assert_eq!(past.of(4).map(|trail| trail.generation).collect::<Vec<_>>(), [9_998, 9_999]);
        assert!(past.order.0.capacity() < 64, "{}", past.order.0.capacity());
        assert_eq!(past.pop().unwrap().generation, 9_998);
    }

    #[test]
    fn a_queue_with_room_does_not_grow_while_no_more_live() {
        let mut queue = Queue::default();
        queue.reserve(10);
        let capacity = queue.0.capacity();
        for number in 0..1_000_u32 {
            queue.push(number, |key| key + 10 > number);
        }
        assert_eq!((queue.0.capacity(), queue.pop(|key| *key >= 990)), (capacity, Some(990)));
    }
}
