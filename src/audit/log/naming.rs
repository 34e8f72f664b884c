//! Which object a name means: those that live, and the last that lived.

use std::collections::VecDeque;

use ahash::AHashMap;

use super::object::{KEPT, Kind, Object};
use super::step::Name;
use crate::json::tape::fixed_state;

/// Objects that are remembered once they are gone, beside those that are asked for. More are only slower: they do not fit in caches.
const BURIED_MAX: usize = 1 << 12;
/// Objects that nobody made and that nobody waits for.
const UNMADE_MAX: usize = 1 << 16;

/// All objects, by place and by name.
pub struct Objects {
    pub all: Vec<Box<Object>>,
    /// Places that no object has.
    free: Vec<usize>,
    live: AHashMap<Name, usize>,
    /// The last objects that are gone, in places that are used in turn.
    gone: Vec<Option<Box<Object>>>,
    next_gone: usize,
    /// Those of them that are asked for and that others have taken the place of.
    asked_for: Vec<Object>,
    /// The newest of each name, by its place.
    gone_names: AHashMap<Name, usize>,
    /// Objects that nobody made, or that came back, by place and number, the first first.
    unmade: VecDeque<(usize, u64)>,
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
            gone: Vec::new(),
            next_gone: 0,
            asked_for: Vec::new(),
            gone_names: AHashMap::with_hasher(fixed_state()),
            unmade: VecDeque::new(),
            next_number: 0,
            focus,
        }
    }

    /// The objects that hold a place, with their places.
    pub fn living(&self) -> impl Iterator<Item = (usize, &Object)> {
        let holds = |object: &Object| object.handles > 0 || !object.names.is_empty() || !object.waiters.is_empty();
        self.all.iter().map(AsRef::as_ref).enumerate().filter(move |(_, object)| holds(object))
    }

    pub fn find(&self, name: &Name) -> Option<usize> {
        self.live.get(name).copied()
    }

    /// Takes up a new object under its names. What they meant before has lost them.
    pub fn add(&mut self, mut object: Object) -> usize {
        for name in &object.names {
            self.forget(name);
        }
        if object.number == 0 {
            self.next_number += 1;
            object.number = self.next_number;
        }
        object.kept = if object.names.iter().any(|name| self.focus.contains(name)) { usize::MAX } else { KEPT };
        let at = self.free.pop().unwrap_or(self.all.len());
        for name in &object.names {
            self.live.insert(name.clone(), at);
        }
        match self.all.get_mut(at) {
            Some(place) => **place = object,
            None => self.all.push(Box::new(object)),
        }
        at
    }

    /// The object that a name means; one that is gone if that was the last of the name, else one that nobody made.
    pub fn resolve(&mut self, name: &Name, kind: Kind) -> usize {
        if let Some(at) = self.find(name) {
            return at;
        }
        let place = self.gone_names.remove(name);
        let is_named = |place: &usize| self.gone[*place].as_ref().is_some_and(|object| object.names.contains(name));
        match place.filter(is_named).and_then(|place| self.gone[place].take()) {
            Some(object) => self.add_unmade(Object { is_gone: false, ..*object }),
            None => {
                self.add_unmade(Object { kind, names: std::iter::once(name.clone()).collect(), ..Object::default() })
            }
        }
    }

    /// The last objects that are gone.
    pub fn buried(&self) -> impl Iterator<Item = &Object> {
        self.gone.iter().flatten().map(AsRef::as_ref).chain(&self.asked_for)
    }

    /// Takes up an object that nobody made, or that is gone. Of too many the first that nobody waits for is given up.
    fn add_unmade(&mut self, object: Object) -> usize {
        let at = self.add(object);
        self.unmade.push_back((at, self.all[at].number));
        if self.unmade.len() > UNMADE_MAX
            && let Some((oldest, number)) = self.unmade.pop_front()
            && self.all[oldest].number == number
            && !self.all[oldest].is_gone
        {
            match self.all[oldest].waiters.is_empty() {
                true => self.bury(oldest),
                false => self.unmade.push_back((oldest, number)),
            }
        }
        at
    }

    /// Gives an object another name. One that it has already is no further handle.
    pub fn rename(&mut self, at: usize, name: Name) {
        if self.find(&name) == Some(at) {
            return;
        }
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
        let place = self.next_gone;
        self.next_gone = (place + 1) % BURIED_MAX;
        if place == self.gone.len() {
            self.gone.push(None);
        }
        for name in self.gone[place].iter().flat_map(|oldest| &oldest.names) {
            if self.gone_names.get(name) == Some(&place) {
                self.gone_names.remove(name);
            }
        }
        for name in &object.names {
            self.gone_names.insert(name.clone(), place);
        }
        let oldest = self.gone[place].replace(object);
        self.asked_for.extend(oldest.filter(|object| object.kept == usize::MAX).map(|object| *object));
    }
}
