//! Scenes of threads that wait for objects, and what must be said of each thread that still does at the end.

use super::kernel::{FIRST_TID, Make, Op, Played, Scene, Style, play};
use super::numbers::Random;

/// What must be said of a waiting thread.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Truth {
    pub thread: usize,
    /// The line at which its wait is logged first.
    pub since: u64,
    /// The reason's word.
    pub reason: &'static str,
    /// The object that it is about, by the log's own name for it; none where nobody made it.
    pub object: Option<String>,
    pub is_certain: bool,
}

/// A scene that was played, and its truth.
pub struct Told {
    pub log: String,
    pub truth: Vec<Truth>,
}

/// Puts a scene together.
type Build = fn(&mut Builder);

/// The scenes by name.
pub const SCENES: [(&str, Build); 18] = [
    ("producer and consumer", |b| b.producers()),
    ("set before wait", |b| b.set_before_wait()),
    ("pulse before wait", |b| b.pulse_before_wait()),
    ("reset before wait", |b| b.reset_before_wait()),
    ("signal stolen by another waiter", |b| b.stolen()),
    ("eight events that nobody signals", |b| b.pool()),
    ("one of eight events, none signalled", |b| b.pool_of_one()),
    ("deadlock of three", |b| b.deadlock()),
    ("semaphore starvation", |b| b.starvation()),
    ("handle reused", |b| b.reuse()),
    ("destroyed while waited for", |b| b.destroyed()),
    ("several objects, any and all", |b| b.several()),
    ("all of several, one missing", |b| b.one_missing()),
    ("timers", |b| b.timers()),
    ("timer never set, timer set", |b| b.timers_unset()),
    ("parked again", |b| b.parked_again()),
    ("not woken", |b| b.not_woken()),
    ("never made; joined in vain", |b| b.never_made()),
];

/// Puts a scene together: what everybody does anyway, and the scene's own threads.
pub struct Builder {
    scene: Scene,
    random: Random,
    /// Reason by thread; the object, if one is named.
    expected: Vec<(usize, &'static str, Option<String>, bool)>,
    /// Of these the ones that lose: whoever waits at the end.
    losers: Vec<(usize, &'static str, usize)>,
}

/// Plays the scene of a number by a seed.
pub fn told(scene: usize, seed: u64) -> Told {
    let mut builder = Builder {
        scene: Scene::default(),
        random: Random::new(seed, "scene", scene as u64),
        expected: Vec::new(),
        losers: Vec::new(),
    };
    builder.everyday();
    SCENES[scene].1(&mut builder);
    let style = [Style::Full, Style::Calls, Style::Waits][(seed % 3) as usize];
    let played = play(&builder.scene, style, seed);
    let truth = builder.truth(&played);
    Told { log: played.log, truth }
}

impl Builder {
    fn object(&mut self, make: Make) -> usize {
        let number = self.scene.objects.len();
        let kind = match make {
            Make::Manual | Make::Auto => "event",
            Make::Semaphore(_) => "semaphore",
            Make::Mutant => "mutant",
            Make::TimerManual | Make::TimerAuto => "timer",
        };
        self.scene.objects.push((format!("{kind}:{number}"), make));
        number
    }

    fn thread(&mut self, ops: Vec<Op>) -> usize {
        self.scene.threads.push(ops);
        self.scene.threads.len() - 1
    }

    /// An event of either kind.
    fn event(&mut self) -> usize {
        let make = if self.random.chance(0.5) { Make::Manual } else { Make::Auto };
        self.object(make)
    }

    /// The first thread makes objects; it does so before the others begin.
    fn makes(&mut self, objects: &[usize]) {
        let at = self.scene.threads[0].iter().position(|op| matches!(op, Op::Raise(0))).unwrap_or(0);
        for object in objects.iter().rev() {
            self.scene.threads[0].insert(at, Op::Create(*object));
        }
    }

    fn work(&mut self) -> Op {
        Op::Work(self.random.below(4))
    }

    fn expect(&mut self, thread: usize, reason: &'static str, object: usize) {
        let object = self.scene.objects[object].0.clone();
        self.expected.push((thread, reason, Some(object), true));
    }

    /// Every path is used by somebody, and goes well.
    fn everyday(&mut self) {
        let (auto, manual, pulsed) = (self.object(Make::Auto), self.object(Make::Manual), self.object(Make::Auto));
        let (semaphore, mutant, timer) =
            (self.object(Make::Semaphore(0)), self.object(Make::Mutant), self.object(Make::TimerAuto));
        let all = [auto, manual, pulsed, semaphore, mutant, timer];
        self.thread(vec![Op::Raise(0)]);
        self.makes(&all);
        let (mut one, mut other) = (vec![Op::Until(0)], vec![Op::Until(0)]);
        for _ in 0..4 {
            one.extend([
                Op::Set(auto),
                Op::Wait(vec![semaphore]),
                Op::Wait(vec![mutant]),
                self.work(),
                Op::Release(mutant, 1),
            ]);
            other.extend([
                Op::Wait(vec![auto]),
                self.work(),
                Op::Release(semaphore, 1),
                Op::Wait(vec![mutant]),
                Op::Release(mutant, 1),
            ]);
        }
        one.extend([
            Op::Set(manual),
            Op::Arm(timer),
            Op::Work(2),
            Op::Fire(timer),
            Op::UntilParked(2),
            Op::Pulse(pulsed),
            Op::Work(80),
        ]);
        other.extend([Op::Wait(vec![manual]), Op::Reset(manual), Op::Wait(vec![timer]), Op::Wait(vec![pulsed])]);
        self.thread(one);
        self.thread(other);
    }

    fn producers(&mut self) {
        let (ready, room) = (self.object(Make::Semaphore(0)), self.object(Make::Auto));
        self.makes(&[ready, room]);
        let rounds = 3 + self.random.below(10);
        let mut ops = [vec![Op::Until(0)], vec![Op::Until(0)]];
        for _ in 0..rounds {
            let work = [self.work(), self.work()];
            ops[0].extend([work[0].clone(), Op::Release(ready, 1), Op::Wait(vec![room])]);
            ops[1].extend([Op::Wait(vec![ready]), work[1].clone(), Op::Set(room)]);
        }
        for ops in ops {
            self.thread(ops);
        }
    }

    fn set_before_wait(&mut self) {
        let (manual, auto) = (self.object(Make::Manual), self.object(Make::Auto));
        self.makes(&[manual, auto]);
        let work = self.work();
        self.thread(vec![Op::Until(0), Op::Set(manual), Op::Set(auto), work, Op::Raise(1)]);
        self.thread(vec![Op::Until(1), Op::Wait(vec![manual]), Op::Wait(vec![auto]), Op::Wait(vec![manual])]);
    }

    fn pulse_before_wait(&mut self) {
        let event = self.event();
        self.makes(&[event]);
        self.thread(vec![Op::Until(0), Op::Pulse(event), Op::Raise(1), Op::Work(80)]);
        let waits = self.thread(vec![Op::Until(1), Op::Wait(vec![event])]);
        self.expect(waits, "lost-pulse", event);
    }

    fn reset_before_wait(&mut self) {
        let event = self.event();
        self.makes(&[event]);
        self.thread(vec![Op::Until(0), Op::Set(event), Op::Reset(event), Op::Raise(1)]);
        let waits = self.thread(vec![Op::Until(1), Op::Wait(vec![event])]);
        self.expect(waits, "lost-reset", event);
    }

    fn stolen(&mut self) {
        let event = self.object(Make::Auto);
        self.makes(&[event]);
        let work = self.work();
        self.thread(vec![Op::Until(0), work, Op::Set(event)]);
        for _ in 0..2 {
            let work = self.work();
            let waits = self.thread(vec![Op::Until(0), work, Op::Wait(vec![event])]);
            self.losers.push((waits, "lost-taken", event));
        }
    }

    fn pool(&mut self) {
        for _ in 0..8 {
            let event = self.event();
            self.makes(&[event]);
            let waits = self.thread(vec![Op::Until(0), Op::Wait(vec![event])]);
            self.expect(waits, "never-signalled", event);
        }
    }

    fn pool_of_one(&mut self) {
        let events: Vec<usize> = (0..8).map(|_| self.event()).collect();
        self.makes(&events);
        let waits = self.thread(vec![Op::Until(0), Op::Wait(events.clone())]);
        self.expect(waits, "never-signalled", events[0]);
    }

    fn deadlock(&mut self) {
        let mutants: Vec<usize> = (0..3).map(|_| self.object(Make::Mutant)).collect();
        self.makes(&mutants);
        for at in 0..3 {
            let (own, next) = (mutants[at], mutants[(at + 1) % 3]);
            let flags = [Op::Until(1), Op::Until(2), Op::Until(3)];
            let mut ops = vec![Op::Until(0), Op::Wait(vec![own]), Op::Raise(at + 1)];
            ops.extend(flags);
            ops.push(Op::Wait(vec![next]));
            let waits = self.thread(ops);
            self.expect(waits, "deadlock", next);
        }
    }

    fn starvation(&mut self) {
        let semaphore = self.object(Make::Semaphore(0));
        self.makes(&[semaphore]);
        let work = self.work();
        self.thread(vec![Op::Until(0), Op::Release(semaphore, 1), work, Op::Release(semaphore, 1)]);
        for _ in 0..3 {
            let work = self.work();
            let waits = self.thread(vec![Op::Until(0), work, Op::Wait(vec![semaphore])]);
            self.losers.push((waits, "lost-taken", semaphore));
        }
    }

    fn reuse(&mut self) {
        let (first, second) = (self.event(), self.event());
        let last = self.thread(vec![Op::Until(1), Op::Wait(vec![second])]);
        self.thread(vec![
            Op::Until(0),
            Op::Create(first),
            Op::Set(first),
            Op::Wait(vec![first]),
            Op::Close(first),
            Op::Create(second),
            Op::Raise(1),
        ]);
        self.expect(last, "never-signalled", second);
    }

    fn destroyed(&mut self) {
        let event = self.event();
        self.makes(&[event]);
        let waits = self.thread(vec![Op::Until(0), Op::Wait(vec![event])]);
        self.thread(vec![Op::Until(0), Op::UntilParked(waits), Op::Close(event)]);
        self.expect(waits, "destroyed", event);
    }

    fn several(&mut self) {
        let (a, b, c) = (self.object(Make::Auto), self.object(Make::Semaphore(0)), self.object(Make::Auto));
        self.makes(&[a, b, c]);
        let work = self.work();
        self.thread(vec![Op::Until(0), Op::Wait(vec![a, b, c]), Op::Raise(1), Op::Set(c), Op::WaitAll(vec![a, b])]);
        self.thread(vec![
            Op::Until(0),
            work,
            Op::Set(c),
            Op::Until(1),
            Op::Wait(vec![c]),
            Op::Release(b, 1),
            Op::Set(a),
        ]);
    }

    fn one_missing(&mut self) {
        let (a, b) = (self.event(), self.event());
        self.makes(&[a, b]);
        self.thread(vec![Op::Until(0), Op::Set(a)]);
        let waits = self.thread(vec![Op::Until(0), Op::WaitAll(vec![a, b])]);
        self.expect(waits, "never-signalled", b);
    }

    fn timers(&mut self) {
        let (manual, auto) = (self.object(Make::TimerManual), self.object(Make::TimerAuto));
        self.makes(&[manual, auto]);
        self.thread(vec![Op::Until(0), Op::Arm(manual), Op::Arm(auto), Op::Work(1), Op::Fire(auto), Op::Fire(manual)]);
        self.thread(vec![Op::Until(0), Op::Wait(vec![auto]), Op::Wait(vec![manual]), Op::Wait(vec![manual])]);
    }

    fn timers_unset(&mut self) {
        let (unset, set) = (self.object(Make::TimerManual), self.object(Make::TimerAuto));
        self.makes(&[unset, set]);
        self.thread(vec![Op::Until(0), Op::Arm(set)]);
        let waits = self.thread(vec![Op::Until(0), Op::Wait(vec![unset])]);
        self.expect(waits, "never-signalled", unset);
        let waits = self.thread(vec![Op::Until(0), Op::Wait(vec![set])]);
        self.expected.push((waits, "never-signalled", Some(format!("timer:{set}")), false));
        // Nor does whoever waits for a while.
        let event = self.event();
        self.makes(&[event]);
        let waits = self.thread(vec![Op::Until(0), Op::WaitTimed(event)]);
        self.expected.push((waits, "never-signalled", Some(format!("event:{event}")), false));
    }

    fn parked_again(&mut self) {
        let event = self.object(Make::Auto);
        self.makes(&[event]);
        self.thread(vec![Op::Until(0), Op::Set(event)]);
        let waits = self.thread(vec![Op::Until(0), Op::Wait(vec![event]), Op::Work(1), Op::Wait(vec![event])]);
        self.expect(waits, "parked-again", event);
    }

    fn not_woken(&mut self) {
        let event = self.event();
        self.makes(&[event]);
        self.scene.deaf.push(event);
        let waits = self.thread(vec![Op::Until(0), Op::Wait(vec![event])]);
        self.thread(vec![Op::Until(0), Op::UntilParked(waits), Op::Set(event), Op::Work(80)]);
        self.expect(waits, "not-woken", event);
    }

    fn never_made(&mut self) {
        let (never, event) = (self.event(), self.event());
        self.makes(&[event]);
        let waits = self.thread(vec![Op::Until(0), Op::Wait(vec![never])]);
        // Memory that the guest made an event of need not be in the log.
        self.expected.push((waits, "never-created", None, false));
        let parks = self.thread(vec![Op::Until(0), Op::Wait(vec![event])]);
        self.expect(parks, "never-signalled", event);
        let joins = self.thread(vec![Op::Until(0), Op::Join(parks)]);
        self.expected.push((joins, "never-signalled", Some(format!("thread {}", FIRST_TID + parks)), true));
    }

    fn truth(&self, played: &Played) -> Vec<Truth> {
        let mut truth = Vec::new();
        for (thread, _, since) in &played.parked {
            let expected = self.expected.iter().find(|(own, ..)| own == thread).cloned();
            let loser = self
                .losers
                .iter()
                .find(|(own, ..)| own == thread)
                .map(|(own, reason, object)| (*own, *reason, Some(self.scene.objects[*object].0.clone()), true));
            let (_, reason, object, is_certain) =
                expected.or(loser).unwrap_or((*thread, "nobody ought to wait", None, true));
            truth.push(Truth { thread: *thread, since: *since, reason, object, is_certain });
        }
        // Whoever ought to wait and does not shows that the scene is not what it is to be.
        for (thread, reason, ..) in &self.expected {
            if !played.parked.iter().any(|(parked, ..)| parked == thread) {
                truth.push(Truth { thread: *thread, since: 0, reason, object: None, is_certain: true });
            }
        }
        truth.sort();
        truth
    }
}
