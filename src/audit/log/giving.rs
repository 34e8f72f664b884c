//! Whom a signal reaches: a guess, made to agree with the log as soon as it shows who went on.

use smallvec::SmallVec;

use super::object::{Kind, Moment};
use super::world::{Wait, World};

impl World {
    /// Gives an object to those who wait for it, as far as it goes; how many there were.
    pub(super) fn serve(&mut self, at: usize) -> usize {
        if self.objects.all[at].waiters.is_empty() {
            return 0;
        }
        let waiters = self.objects.all[at].waiters.clone();
        let could: SmallVec<[u32; 4]> =
            waiters.iter().copied().filter(|thread| self.is_enough(*thread, at).is_some()).collect();
        waiters.iter().for_each(|thread| self.spread(*thread, false));
        let served = waiters.into_iter().filter(|thread| self.offer(*thread, at)).count();
        // Had another one been served, what a wait for several takes beside this object would be left, or would not.
        let is_open = served < could.len();
        could.into_iter().for_each(|thread| self.spread(thread, is_open));
        served
    }

    /// Whether a wait for several was served is a guess, or depends on one: so does what it took, or left.
    pub(super) fn spread(&mut self, thread: u32, is_open: bool) {
        let wait = self.threads[thread as usize].wait.as_ref().filter(|wait| wait.objects.len() > 1);
        let Some(objects) = wait.map(|wait| wait.objects.clone()) else { return };
        if is_open || objects.iter().any(|at| self.objects.all[*at].is_guessed) {
            objects.iter().for_each(|at| self.objects.all[*at].is_guessed = true);
        }
    }

    /// What a waiting thread would take if an object makes its wait true; nothing if it does not, or if it was given something.
    fn is_enough(&self, thread: u32, at: usize) -> Option<SmallVec<[usize; 2]>> {
        let wait = self.threads[thread as usize].wait.as_ref().filter(|wait| wait.given.is_none())?;
        let would = |at: usize| self.objects.all[at].would_give(thread);
        match wait.is_for_all {
            true => wait.objects.iter().all(|at| would(*at)).then(|| wait.objects.clone()),
            false => would(at).then(|| std::iter::once(at).collect()),
        }
    }

    /// Gives a waiting thread what it waits for, if an object makes that so.
    pub(super) fn offer(&mut self, thread: u32, at: usize) -> bool {
        let Some(taken) = self.is_enough(thread, at) else { return false };
        let Some(begun) = self.threads[thread as usize].wait.as_ref().map(|wait| wait.begun) else { return false };
        for at in taken {
            self.give(at, begun);
        }
        let (signal, now) = (self.objects.all[at].last_signal, self.now);
        if let Some(wait) = &mut self.threads[thread as usize].wait {
            wait.given = Some((at, signal));
            wait.given_at = now;
        }
        true
    }

    /// A wait that began then is given an object.
    fn give(&mut self, at: usize, begun: Moment) {
        self.objects.all[at].take(begun);
        let held = &mut self.threads[begun.thread as usize].held;
        if self.objects.all[at].kind == Kind::Mutant && !held.contains(&at) {
            held.push(at);
        }
    }

    /// Makes what was given to waits agree with what the log shows: this one was ended by these objects.
    pub(super) fn settle(&mut self, wait: &Wait, ended_by: &[usize], at: Moment) {
        let mut freed: SmallVec<[usize; 2]> = SmallVec::new();
        if let Some((given, _)) = wait.given {
            if wait.is_for_all || ended_by.contains(&given) {
                return;
            }
            self.objects.all[given].give_back();
            freed.push(given);
            wait.objects.iter().for_each(|at| self.objects.all[*at].is_guessed = true);
        }
        for &object in ended_by {
            // Who waits first need not be who went on first.
            if !self.objects.all[object].would_give(at.thread)
                && let Some(other) = self.given_instead(object, at.thread)
            {
                freed.extend(self.take_back(other));
            }
            // Of several objects the guess may have been wrong since the wait began: what came then may have gone to it, or have been
            // one more.
            let is_guess = wait.objects.len() > 1;
            let one = &mut self.objects.all[object];
            let since = |moment: Option<Moment>| is_guess && moment.is_some_and(|moment| moment.line > wait.begun.line);
            let (has_come, has_come_twice) = (since(one.last_signal), since(one.absorbed));
            match one.would_give(at.thread) {
                true if has_come_twice && !one.kind.stays() => one.is_guessed = true,
                true => self.give(object, wait.begun),
                false if has_come => one.is_guessed = true,
                false => self.explain(object, at),
            }
        }
        for object in freed {
            self.serve(object);
        }
    }

    /// Another thread that was given an object and has not gone on.
    fn given_instead(&self, object: usize, thread: u32) -> Option<u32> {
        let has = |other: &&u32| {
            let wait = self.threads[**other as usize].wait.as_ref().filter(|_| **other != thread);
            wait.is_some_and(|wait| wait.given.is_some_and(|(at, _)| wait.is_for_all || at == object))
        };
        self.objects.all[object].waiters.iter().find(has).copied()
    }

    /// Takes from a wait what it was given; which objects those were.
    pub(super) fn take_back(&mut self, thread: u32) -> SmallVec<[usize; 2]> {
        let Some(wait) = &mut self.threads[thread as usize].wait else { return SmallVec::new() };
        let Some((given, _)) = wait.given.take() else { return SmallVec::new() };
        let when = wait.given_at;
        let several: SmallVec<[usize; 2]> = wait.objects.iter().copied().filter(|_| wait.objects.len() > 1).collect();
        let taken = if wait.is_for_all { wait.objects.clone() } else { std::iter::once(given).collect() };
        for at in &taken {
            let object = &mut self.objects.all[*at];
            // Had it not been given, it would have been reset since.
            match object.last_reset.is_some_and(|reset| reset.line > when) {
                true => object.is_guessed = true,
                false => object.give_back(),
            }
        }
        // What else happened to them since was judged by a wrong guess.
        several.iter().for_each(|at| self.objects.all[*at].is_guessed = true);
        taken
    }

    /// A wait ended with an object that nothing had signalled: somebody signals who is not in the log.
    fn explain(&mut self, at: usize, moment: Moment) {
        let object = &mut self.objects.all[at];
        if object.initial_unknown {
            // It was made so. A semaphore may have been made with more.
            object.initial_unknown = object.kind == Kind::Semaphore;
            return;
        }
        if object.is_guessed {
            return;
        }
        object.unexplained += 1;
        let known = self.unexplained.entry(object.kind.family()).or_insert((0, moment));
        known.0 += 1;
        if object.kind == Kind::Mutant {
            object.owner = None;
            self.give(at, moment);
        }
    }
}
