//! All objects of both logs, paired, and the trails of each.

use std::collections::VecDeque;

use ahash::AHashMap;

use super::deed::Deed;
use super::lane::{Held, Lane};
use super::paired::{Paired, PairedBy, ThreadPair};
use crate::align::LaneName;
use crate::audit::log::journal::Step;
use crate::audit::log::{Name, World};
use crate::json::tape::fixed_state;
use crate::profile::AuditStep;
use crate::source::Side;

/// Objects whose trails part and that are gone, kept at least: those that part first.
const PARTED_MAX: usize = 4096;
/// Objects that nobody made.
const UNMADE_MAX: usize = 1 << 16;
/// Objects that are gone on both sides, one of which did more to it.
const UNEVEN_MAX: usize = 1 << 16;

/// Objects that are made alike: by threads of a pair, of a family, under a name if names count.
type Make = (u32, &'static str, Option<Box<str>>);

/// The objects of two logs on their way.
pub struct Trails {
    paired_by: PairedBy,
    by_lane: [AHashMap<LaneName, u32>; 2],
    /// The pair of each thread, by its number in its log.
    of_thread: [Vec<u32>; 2],
    /// By the numbers of thread pairs.
    lanes: Vec<Lane>,
    all: Vec<Option<Box<Paired>>>,
    free: Vec<u32>,
    by_number: [AHashMap<u64, u32>; 2],
    /// Objects that one side has made and the other has not, by place and number, the first first.
    unpaired: AHashMap<Make, VecDeque<(u32, u64)>>,
    /// Objects that nobody made, by what the logs call them; and by place and number, the first first.
    by_name: AHashMap<Name, u32>,
    unmade: VecDeque<(u32, u64)>,
    /// Objects that are gone, but whose trails are not the same yet, by place and number, the first first.
    uneven: VecDeque<(u32, u64)>,
    has_ended: [bool; 2],
    held: Vec<Held>,
    /// Those that are gone, at least the [`PARTED_MAX`] that part first.
    parted: Vec<Paired>,
    /// All of those.
    parted_gone: u64,
    objects: u64,
    /// Made objects that have names, and those of them that were met on both sides.
    named: [u64; 2],
}

/// What became of the objects of two logs.
pub struct Finished {
    /// Those whose trails part, the first first.
    pub parted: Vec<Paired>,
    /// How many there are beside them.
    pub more: u64,
    /// The others that are not gone on both sides.
    pub living: Vec<Paired>,
    /// The pair of each thread, by its number in its log.
    pub of_thread: [Vec<u32>; 2],
    /// The steps of each pair of threads.
    pub lanes: Vec<Lane>,
    /// All there were, an object and its partner counted once.
    pub objects: u64,
    /// At least half of the objects with names were met under the same name on both sides, or none has a name.
    pub names_tell: bool,
}

impl Trails {
    pub fn new(pairs: &[ThreadPair], paired_by: PairedBy) -> Trails {
        let by_lane = [0, 1].map(|side: usize| {
            let mut lanes = AHashMap::with_hasher(fixed_state());
            let named = pairs.iter().zip(0..).filter_map(|(pair, at)| Some((pair.lanes[side].clone()?, at)));
            lanes.extend(named);
            lanes
        });
        // Threads that nobody compared are two lanes more, which never meet.
        let mut lanes: Vec<Lane> = Vec::new();
        lanes.resize_with(pairs.len() + 2, Lane::default);
        Trails {
            paired_by,
            by_lane,
            of_thread: [Vec::new(), Vec::new()],
            lanes,
            all: Vec::new(),
            free: Vec::new(),
            by_number: [AHashMap::with_hasher(fixed_state()), AHashMap::with_hasher(fixed_state())],
            unpaired: AHashMap::with_hasher(fixed_state()),
            by_name: AHashMap::with_hasher(fixed_state()),
            unmade: VecDeque::new(),
            uneven: VecDeque::new(),
            has_ended: [false; 2],
            held: Vec::new(),
            parted: Vec::new(),
            parted_gone: 0,
            objects: 0,
            named: [0, 0],
        }
    }

    /// The pair of a thread; a number behind all pairs where nobody compared it.
    fn pair_of(&mut self, side: Side, thread: u32, world: &World) -> u32 {
        let lone = (self.lanes.len() - 2 + side.index()) as u32;
        let known = &mut self.of_thread[side.index()];
        for thread in world.threads.get(known.len()..).unwrap_or_default() {
            let lane = LaneName { thread: thread.key.clone(), generation: thread.generation };
            known.push(self.by_lane[side.index()].get(&lane).copied().unwrap_or(lone));
        }
        known[thread as usize]
    }

    /// Takes notice of all threads of a log.
    pub fn know_all(&mut self, side: Side, world: &World) {
        if let Some(last) = world.threads.len().checked_sub(1) {
            self.pair_of(side, last as u32, world);
        }
    }

    /// Takes a side's next step.
    pub fn take(&mut self, side: Side, step: Step, world: &World) {
        let pair = self.pair_of(side, step.at.thread, world);
        let at = self.find(side, &step, pair);
        let deed = Deed { step: step.step, detail: step.detail, at: step.at };
        if let Some(object) = &mut self.all[at as usize] {
            object.pending += 1;
            // What goes by its name alone is never another object.
            if step.is_gone && object.unmade.is_none() {
                object.gone[side.index()] = true;
                // What is done with it now is done to an object that is closed, however far the other log was read.
                self.by_number[side.index()].remove(&step.object);
            }
        }
        let mut held = std::mem::take(&mut self.held);
        self.lanes[pair as usize].take(side, (at, deed), &mut held);
        self.settle(pair, &mut held);
        self.held = held;
    }

    /// A log has ended: what the other one does from here on, it does alone.
    pub fn end(&mut self, side: Side) {
        self.has_ended[side.index()] = true;
        let mut held = Vec::new();
        for pair in 0..self.lanes.len() {
            self.lanes[pair].end(side, &mut held);
            self.settle(pair as u32, &mut held);
        }
    }

    /// Hands steps that were held against the other side's to their objects.
    fn settle(&mut self, pair: u32, held: &mut Vec<Held>) {
        for held in held.drain(..) {
            let (Held::Alike(at, _) | Held::Lone(_, (at, _))) = held;
            if let Some(object) = &mut self.all[at as usize] {
                match held {
                    Held::Alike(_, deeds) => {
                        object.pending -= 2;
                        object.take_alike(pair, deeds);
                    }
                    Held::Lone(side, (_, deed)) => {
                        object.pending -= 1;
                        object.trail(pair).take(side, deed);
                    }
                }
            }
            self.retire(at);
        }
    }

    /// The place of an object; a new one for what was not seen before.
    fn find(&mut self, side: Side, step: &Step, pair: u32) -> u32 {
        let known = self.by_number[side.index()].get(&step.object).copied();
        if let Some(at) = known.filter(|_| step.step != AuditStep::Create) {
            return at;
        }
        let at = match (step.step, &step.name) {
            (AuditStep::Create, name) => self.made(side, step, pair, name.as_ref()),
            (_, Some(name)) => match self.by_name.get(name) {
                Some(at) => *at,
                None => self.add_unmade(name),
            },
            // It is closed. Such ones may be many, and never end.
            (_, None) => {
                let at = self.paired(side, (pair, "closed", None));
                self.may_forget(at);
                at
            }
        };
        let object = self.all[at as usize].as_mut().expect("places in use are filled");
        // What nobody made may have been forgotten in between, and then has another number.
        let before = object.numbers[side.index()].replace(step.object);
        if let Some(before) = before.filter(|before| self.by_number[side.index()].get(before) == Some(&at)) {
            self.by_number[side.index()].remove(&before);
        }
        object.names[side.index()].clone_from(&step.name);
        object.kinds[side.index()] = Some(step.kind);
        self.by_number[side.index()].insert(step.object, at);
        at
    }

    /// The place of an object that is made.
    fn made(&mut self, side: Side, step: &Step, pair: u32, name: Option<&Name>) -> u32 {
        let text = name.and_then(|name| match name {
            Name::Text(text) => Some(text.clone()),
            _ => None,
        });
        let is_named = text.is_some();
        let counts = self.paired_by == PairedBy::Name;
        let at = self.paired(side, (pair, step.kind.family(), text.filter(|_| counts)));
        if is_named {
            let is_met = self.all[at as usize].as_ref().is_some_and(|one| one.numbers[side.other().index()].is_some());
            self.named[0] += 1;
            self.named[1] += 2 * u64::from(is_met);
        }
        at
    }

    /// The place of the first object made alike that the side lacks; else a new one, which the other side lacks.
    fn paired(&mut self, side: Side, make: Make) -> u32 {
        if let Some(waiting) = self.unpaired.get_mut(&make) {
            while let Some((at, number)) = waiting.front().copied() {
                let object = self.all[at as usize].as_ref().filter(|object| object.number == number);
                if object.is_some_and(|object| object.numbers[side.index()].is_some()) {
                    break;
                }
                waiting.pop_front();
                if object.is_some() {
                    if waiting.is_empty() {
                        self.unpaired.remove(&make);
                    }
                    return at;
                }
            }
        }
        let at = self.add(None);
        self.unpaired.entry(make).or_default().push_back((at, self.objects));
        at
    }

    fn add_unmade(&mut self, name: &Name) -> u32 {
        let at = self.add(Some(name.clone()));
        self.by_name.insert(name.clone(), at);
        self.may_forget(at);
        at
    }

    /// What nobody makes, or closes, never ends: of too many the first that is the same on both sides so far is given up, and taken up
    /// again if it comes again.
    fn may_forget(&mut self, at: u32) {
        let Some(number) = self.all[at as usize].as_ref().map(|object| object.number) else { return };
        self.unmade.push_back((at, number));
        if self.unmade.len() > UNMADE_MAX
            && let Some((oldest, number)) = self.unmade.pop_front()
            && let Some(object) = self.all[oldest as usize].as_mut().filter(|object| object.number == number)
        {
            match object.is_even() {
                true => self.give_up(oldest),
                false => self.unmade.push_back((oldest, number)),
            }
        }
    }

    fn add(&mut self, name: Option<Name>) -> u32 {
        self.objects += 1;
        let object = Box::new(Paired::new(self.objects, name));
        match self.free.pop() {
            Some(at) => {
                self.all[at as usize] = Some(object);
                at
            }
            None => {
                self.all.push(Some(object));
                self.all.len() as u32 - 1
            }
        }
    }

    /// Gives up an object that is gone on both sides, or on the one that has it once the other one has ended.
    fn retire(&mut self, at: u32) {
        let Some(object) = &mut self.all[at as usize] else { return };
        let is_over = |side: usize| object.gone[side] || (self.has_ended[side] && object.numbers[side].is_none());
        if !(is_over(0) && is_over(1) && object.pending == 0) {
            return;
        }
        // Steps behind the last close may still make it even.
        if object.is_even() || object.parts() || self.has_ended != [false; 2] {
            return self.give_up(at);
        }
        if std::mem::replace(&mut object.is_uneven, true) {
            return;
        }
        self.uneven.push_back((at, object.number));
        if self.uneven.len() > UNEVEN_MAX
            && let Some((oldest, number)) = self.uneven.pop_front()
            && self.all[oldest as usize].as_ref().is_some_and(|object| object.number == number)
        {
            self.give_up(oldest);
        }
    }

    /// An object's place is free: nothing further is held against it.
    fn give_up(&mut self, at: u32) {
        let Some(mut object) = self.all[at as usize].take() else { return };
        self.free.push(at);
        if let Some(name) = &object.unmade {
            self.by_name.remove(name);
        }
        for (number, by_number) in object.numbers.iter().zip(&mut self.by_number) {
            // What is closed may have come again under its number.
            if let Some(number) = number.filter(|number| by_number.get(number) == Some(&at)) {
                by_number.remove(&number);
            }
        }
        object.trails.iter_mut().for_each(|(_, trail)| trail.end());
        self.keep(*object);
    }

    fn keep(&mut self, object: Paired) {
        if !object.parts() {
            return;
        }
        self.parted_gone += 1;
        self.parted.push(object);
        if self.parted.len() == 2 * PARTED_MAX {
            self.forget_late_parted();
        }
    }

    /// In the order in which the logs were read, which must not show, others may have come first.
    fn forget_late_parted(&mut self) {
        self.parted.sort_by_key(Paired::order);
        self.parted.truncate(PARTED_MAX);
    }

    /// Both logs have ended.
    pub fn finish(mut self) -> Finished {
        self.forget_late_parted();
        let mut living = Vec::new();
        for mut object in std::mem::take(&mut self.all).into_iter().flatten() {
            object.trails.iter_mut().for_each(|(_, trail)| trail.end());
            if object.parts() {
                self.parted_gone += 1;
                self.parted.push(*object);
            } else {
                living.push(*object);
            }
        }
        self.parted.sort_by_key(Paired::order);
        let more = self.parted_gone - self.parted.len() as u64;
        let [named, met] = self.named;
        let (of_thread, lanes, objects) = (self.of_thread, self.lanes, self.objects);
        Finished { parted: self.parted, more, living, of_thread, lanes, objects, names_tell: met * 2 >= named }
    }
}
