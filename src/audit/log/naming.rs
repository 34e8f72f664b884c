//! Which object a name means: those that live, and the last that lived.

use std::collections::VecDeque;

use ahash::AHashMap;

use super::object::{KEPT, Kind, Object};
use super::step::Name;
use crate::json::tape::fixed_state;

/// Objects that are remembered once they are gone.
const BURIED_MAX: usize = 1 << 16;

/// All objects, by place and by name.
pub struct Objects {
    pub all: Vec<Object>,
    /// Places that no object has.
    free: Vec<usize>,
    live: AHashMap<Name, usize>,
    /// Objects that are gone, the newest last.
    pub buried: VecDeque<Object>,
    /// The newest one of each name, by its number.
    buried_names: AHashMap<Name, u64>,
    next_number: u64,
    /// Of objects with these names all steps are kept.
    focus: Vec<Name>,
}

impl Objects {
    pub fn new(focus: Vec<Name>) -> Objects {
        Objects {
            all: Vec::new(),
            free: Vec::new(),
            live: AHashMap::with_hasher(fixed_state()),
            buried: VecDeque::new(),
            buried_names: AHashMap::with_hasher(fixed_state()),
            next_number: 0,
            focus,
        }
    }

    /// The objects that hold a place, with their places.
    pub fn living(&self) -> impl Iterator<Item = (usize, &Object)> {
        let holds = |object: &Object| object.handles > 0 || !object.names.is_empty() || !object.waiters.is_empty();
        self.all.iter().enumerate().filter(move |(_, object)| holds(object))
    }

    pub fn find(&self, name: &Name) -> Option<usize> {
        self.live.get(name).copied()
    }

    /// Takes up a new object under its names. What they meant before has lost them.
    pub fn add(&mut self, mut object: Object) -> usize {
        for name in &object.names {
            self.forget(name);
        }
        object.number = self.next_number;
        self.next_number += 1;
        object.kept = if object.names.iter().any(|name| self.focus.contains(name)) { usize::MAX } else { KEPT };
        let at = self.free.pop().unwrap_or(self.all.len());
        for name in &object.names {
            self.live.insert(name.clone(), at);
        }
        match self.all.get_mut(at) {
            Some(place) => *place = object,
            None => self.all.push(object),
        }
        at
    }

    /// The object that a name means; one that is gone if that was the last of the name, else one that nobody made.
    pub fn resolve(&mut self, name: &Name, kind: Kind) -> usize {
        if let Some(at) = self.find(name) {
            return at;
        }
        let gone =
            self.buried_names.get(name).and_then(|number| self.buried.iter().rposition(|one| one.number == *number));
        match gone.and_then(|at| self.buried.remove(at)) {
            Some(object) => {
                self.buried_names.retain(|_, number| *number != object.number);
                self.add(object)
            }
            None => self.add(Object { kind, names: std::iter::once(name.clone()).collect(), ..Object::default() }),
        }
    }

    /// Gives an object another name.
    pub fn rename(&mut self, at: usize, name: Name) {
        self.forget(&name);
        self.all[at].handles += 1;
        self.all[at].names.push(name.clone());
        self.live.insert(name, at);
    }

    /// A name means its object no longer.
    pub fn forget(&mut self, name: &Name) {
        let Some(at) = self.live.remove(name) else { return };
        let is_live = |name: &Name| self.live.get(name) == Some(&at);
        if !self.all[at].names.iter().any(is_live) {
            self.bury(at);
        }
    }

    /// Takes an object out of the living. One that somebody waits for keeps its place until nobody does.
    pub fn bury(&mut self, at: usize) {
        for name in &self.all[at].names {
            if self.live.get(name) == Some(&at) {
                self.live.remove(name);
            }
        }
        self.all[at].is_gone = true;
        self.clear(at);
    }

    /// Frees the place of an object that is gone once nobody waits for it.
    pub fn clear(&mut self, at: usize) {
        if !self.all[at].is_gone || !self.all[at].waiters.is_empty() {
            return;
        }
        let object = std::mem::take(&mut self.all[at]);
        self.free.push(at);
        if self.buried.len() == BURIED_MAX
            && let Some(oldest) = self.buried.pop_front()
        {
            for name in &oldest.names {
                if self.buried_names.get(name) == Some(&oldest.number) {
                    self.buried_names.remove(name);
                }
            }
        }
        for name in &object.names {
            self.buried_names.insert(name.clone(), object.number);
        }
        self.buried.push_back(object);
    }
}
