//! A small kernel that plays threads against each other and logs what they do, as an emulator of such a machine would: objects that
//! threads wait for, by the rules of the machines whose logs schema-v1 is for.

use std::fmt::Write as _;

use super::numbers::Random;

/// What one thread does next.
#[derive(Clone, Debug)]
pub enum Op {
    Create(usize),
    Set(usize),
    Reset(usize),
    Pulse(usize),
    /// Releases a semaphore so often, or a mutant once.
    Release(usize, i64),
    Wait(Vec<usize>),
    WaitAll(Vec<usize>),
    /// Waits, but not for ever.
    WaitTimed(usize),
    /// Waits for the end of a thread.
    Join(usize),
    Arm(usize),
    /// The machine's timer fires.
    Fire(usize),
    Close(usize),
    /// Calls that are no steps.
    Work(u64),
    /// From here on `Until` of the same number goes on.
    Raise(usize),
    Until(usize),
    UntilParked(usize),
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    Manual,
    Auto,
    /// How often it can be taken at first.
    Semaphore(i64),
    Mutant,
    TimerManual,
    TimerAuto,
}

/// A scene: the objects that there may be, and what each thread does.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub objects: Vec<(String, Make)>,
    pub threads: Vec<Vec<Op>>,
    /// Signals of these reach nobody: the kernel forgets to wake.
    pub deaf: Vec<usize>,
}

/// How an engine logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Calls and returns with raw handles, and where waits begin and end, with the names of objects.
    Full,
    /// Calls and returns alone.
    Calls,
    /// Waits by where they begin and end alone.
    Waits,
}

/// What a kernel keeps of an object.
struct Object {
    make: Make,
    raw: Option<u64>,
    available: i64,
    owner: Option<usize>,
    depth: u32,
    signalled: u64,
    is_closed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Ready,
    /// For these objects (or threads, from the number of objects on); all of them at once.
    Parked(Vec<usize>, bool),
    /// The number of the object that ended the wait.
    Woken(usize),
    Over,
}

/// What came of a scene.
pub struct Played {
    pub log: String,
    /// Threads that wait at the end: for what (threads counted behind objects), and the line of the call or where the wait begins.
    pub parked: Vec<(usize, Vec<usize>, u64)>,
    /// Which threads wait at the end for all of several objects.
    pub for_all: Vec<bool>,
    /// How each object stands at the end.
    pub stands: Vec<Stand>,
}

/// How an object stands.
pub struct Stand {
    /// How often it can be taken.
    pub available: i64,
    /// The thread that has it.
    pub owner: Option<usize>,
    /// How often it was set, pulsed, released, or fired.
    pub signalled: u64,
    pub is_closed: bool,
}

/// The first thread's id.
pub const FIRST_TID: usize = 4;

struct Kernel<'s> {
    scene: &'s Scene,
    style: Style,
    random: Random,
    objects: Vec<Object>,
    states: Vec<State>,
    places: Vec<usize>,
    flags: Vec<bool>,
    indices: Vec<u64>,
    since: Vec<u64>,
    free: Vec<u64>,
    next_raw: u64,
    log: String,
    lines: u64,
}

/// Plays a scene to its end, in an order of threads that the seed decides.
pub fn play(scene: &Scene, style: Style, seed: u64) -> Played {
    let object = |make| Object { make, raw: None, available: 0, owner: None, depth: 0, signalled: 0, is_closed: false };
    let objects = scene.objects.iter().map(|(_, make)| object(*make));
    let count = scene.threads.len();
    let mut kernel = Kernel {
        scene,
        style,
        random: Random::new(seed, "kernel", 0),
        objects: objects.collect(),
        states: vec![State::Ready; count],
        places: vec![0; count],
        flags: vec![false; 64],
        indices: vec![0; count],
        since: vec![0; count],
        free: Vec::new(),
        next_raw: 0xF800_0010,
        log: "{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":\"scenes\"}\n".to_owned(),
        lines: 1,
    };
    for thread in 1..count {
        let payload =
            format!("{{\"name\":\"worker\",\"tid\":{0},\"handle_semantic_id\":\"thread {0}\"}}", FIRST_TID + thread);
        kernel.event(0, "thread.create", &payload);
    }
    while let Some(thread) = kernel.next() {
        kernel.step(thread);
    }
    let parked = kernel.states.iter().enumerate().filter_map(|(thread, state)| match state {
        State::Parked(objects, _) => Some((thread, objects.clone(), kernel.since[thread])),
        _ => None,
    });
    let stand = |object: &Object| {
        let Object { available, owner, signalled, is_closed, .. } = *object;
        Stand { available, owner, signalled, is_closed }
    };
    let for_all = kernel.states.iter().map(|state| matches!(state, State::Parked(_, true))).collect();
    Played { parked: parked.collect(), for_all, stands: kernel.objects.iter().map(stand).collect(), log: kernel.log }
}

impl Kernel<'_> {
    /// A thread that can do something.
    fn next(&mut self) -> Option<usize> {
        let ready: Vec<usize> = (0..self.states.len()).filter(|thread| self.is_ready(*thread)).collect();
        (!ready.is_empty()).then(|| ready[self.random.below(ready.len() as u64) as usize])
    }

    fn is_ready(&self, thread: usize) -> bool {
        match &self.states[thread] {
            State::Woken(_) => true,
            State::Ready => match self.scene.threads[thread].get(self.places[thread]) {
                Some(Op::Until(flag)) => self.flags[*flag],
                Some(Op::UntilParked(other)) => matches!(self.states[*other], State::Parked(..)),
                _ => true,
            },
            _ => false,
        }
    }

    fn event(&mut self, thread: usize, kind: &str, payload: &str) {
        let (index, time) = (self.indices[thread], self.lines * 1000 + 7);
        self.indices[thread] += 1;
        self.lines += 1;
        writeln!(
            self.log,
            "{{\"kind\":\"{kind}\",\"tid\":{},\"tid_event_idx\":{index},\"host_ns\":{time},\"payload\":{payload}}}",
            FIRST_TID + thread
        )
        .expect("strings take all");
    }

    fn call(&mut self, thread: usize, name: &str, args: &str) {
        self.event(thread, "kernel.call", &format!("{{\"name\":\"{name}\",\"args\":{{{args}}}}}"));
    }

    fn returns(&mut self, thread: usize, name: &str, value: usize) {
        self.event(thread, "kernel.return", &format!("{{\"name\":\"{name}\",\"return_value\":{value}}}"));
    }

    fn raw(&self, object: usize) -> u64 {
        // A handle that nobody was given.
        self.objects[object].raw.unwrap_or(0xDEAD_0000 + object as u64)
    }

    fn step(&mut self, thread: usize) {
        if let State::Woken(result) = self.states[thread] {
            return self.wake(thread, result);
        }
        let Some(op) = self.scene.threads[thread].get(self.places[thread]).cloned() else {
            self.event(thread, "thread.exit", "{\"exit_code\":0}");
            self.states[thread] = State::Over;
            for object in self.objects.iter_mut().filter(|object| object.owner == Some(thread)) {
                (object.owner, object.depth) = (None, 0);
            }
            return self.serve();
        };
        self.places[thread] += 1;
        match op {
            Op::Create(object) => self.create(thread, object),
            Op::Work(calls) => (0..calls).for_each(|_| {
                self.call(thread, "RtlEnterCriticalSection", "\"cs\":1");
                self.returns(thread, "RtlEnterCriticalSection", 0);
            }),
            Op::Raise(flag) => self.flags[flag] = true,
            Op::Until(_) | Op::UntilParked(_) => {}
            Op::Wait(objects) => self.wait(thread, objects, false, false),
            Op::WaitAll(objects) => self.wait(thread, objects, true, false),
            Op::WaitTimed(object) => self.wait(thread, vec![object], false, true),
            Op::Join(other) => self.wait(thread, vec![self.objects.len() + other], false, false),
            Op::Fire(object) => {
                let payload = format!("{{\"raw_handle_id\":{}}}", self.raw(object));
                self.event(thread, "timer.fire", &payload);
                self.signal(object, 1);
            }
            op => self.touch(thread, &op),
        }
    }

    /// A call that does something to one object.
    fn touch(&mut self, thread: usize, op: &Op) {
        let pick = |kernel: &mut Kernel<'_>, names: [&'static str; 2]| names[kernel.random.below(2) as usize];
        let (name, object) = match op {
            Op::Set(object) => (pick(self, ["NtSetEvent", "KeSetEvent"]), *object),
            Op::Reset(object) => (pick(self, ["NtClearEvent", "KeResetEvent"]), *object),
            Op::Pulse(object) => (pick(self, ["NtPulseEvent", "KePulseEvent"]), *object),
            Op::Release(object, _) if self.objects[*object].make == Make::Mutant => ("NtReleaseMutant", *object),
            Op::Release(object, _) => ("NtReleaseSemaphore", *object),
            Op::Arm(object) => ("NtSetTimerEx", *object),
            Op::Close(object) => ("NtClose", *object),
            _ => return,
        };
        let mut args = format!("\"handle\":{}", self.raw(object));
        if let Op::Release(_, count) = op {
            write!(args, ",\"release_count\":{count}").expect("strings take all");
        }
        self.call(thread, name, &args);
        match op {
            Op::Set(_) => self.signal(object, 1),
            Op::Reset(_) => self.objects[object].available = 0,
            Op::Pulse(_) => {
                self.signal(object, 1);
                self.objects[object].available = 0;
            }
            Op::Release(_, count) => self.signal(object, *count),
            Op::Close(_) => {
                let raw = self.raw(object);
                if self.style == Style::Full {
                    let payload = format!(
                        "{{\"handle_semantic_id\":\"{}\",\"raw_handle_id\":{raw}}}",
                        self.scene.objects[object].0
                    );
                    self.event(thread, "handle.destroy", &payload);
                }
                self.free.push(raw);
                self.objects[object].is_closed = true;
            }
            _ => {}
        }
        self.returns(thread, name, 0);
    }

    fn create(&mut self, thread: usize, object: usize) {
        let (id, make) = self.scene.objects[object].clone();
        let (call, kind, args) = match make {
            Make::Manual => ("NtCreateEvent", "Event", "\"event_type\":0,\"initial_state\":false".to_owned()),
            Make::Auto => ("NtCreateEvent", "Event", "\"event_type\":1,\"initial_state\":0".to_owned()),
            Make::Semaphore(count) => {
                ("NtCreateSemaphore", "Semaphore", format!("\"initial_count\":{count},\"maximum_count\":100"))
            }
            Make::Mutant => ("NtCreateMutant", "Mutant", "\"initial_owner\":false".to_owned()),
            Make::TimerManual => ("NtCreateTimer", "Timer", "\"timer_type\":0".to_owned()),
            Make::TimerAuto => ("NtCreateTimer", "Timer", "\"timer_type\":1".to_owned()),
        };
        let raw = self.free.pop().unwrap_or_else(|| {
            self.next_raw += 4;
            self.next_raw
        });
        self.objects[object].raw = Some(raw);
        if let Make::Semaphore(count) = make {
            self.objects[object].available = count;
        }
        self.call(thread, call, &args);
        let payload = format!("{{\"handle_semantic_id\":\"{id}\",\"raw_handle_id\":{raw},\"object_type\":\"{kind}\"}}");
        self.event(thread, "handle.create", &payload);
        self.returns(thread, call, 0);
    }

    fn wait(&mut self, thread: usize, objects: Vec<usize>, all: bool, is_timed: bool) {
        let name = self.wait_name(&objects);
        let raws: Vec<String> = objects.iter().map(|object| self.wait_raw(*object)).collect();
        let timeout = if is_timed { "5000" } else { "null" };
        if self.style != Style::Waits {
            let args = match &raws[..] {
                [only] => format!("\"handle\":{only},\"timeout_ms\":{timeout},\"alertable\":false"),
                _ => format!(
                    "\"handles\":[{}],\"wait_type\":{},\"timeout_ms\":{timeout}",
                    raws.join(","),
                    u8::from(!all)
                ),
            };
            self.since[thread] = self.lines + 1;
            self.call(thread, name, &args);
        }
        self.states[thread] = State::Parked(objects.clone(), all);
        self.serve();
        let State::Woken(result) = self.states[thread] else {
            if self.style != Style::Calls {
                if self.style == Style::Waits {
                    self.since[thread] = self.lines + 1;
                }
                let type_of = if all { ",\"wait_type\":\"all\"" } else { "" };
                let ids: Vec<String> = objects.iter().map(|object| self.wait_raw(*object)).collect();
                let payload = format!("{{\"raw_handle_ids\":[{}],\"timeout_ms\":{timeout}{type_of}}}", ids.join(","));
                self.event(thread, "wait.begin", &payload);
            }
            return;
        };
        // Such a wait does not begin at all.
        self.states[thread] = State::Ready;
        if self.style == Style::Waits {
            let type_of = if all { ",\"wait_type\":\"all\"" } else { "" };
            let payload = format!("{{\"raw_handle_ids\":[{}],\"timeout_ms\":{timeout}{type_of}}}", raws.join(","));
            self.event(thread, "wait.begin", &payload);
            self.event(thread, "wait.end", &format!("{{\"wait_result\":{result}}}"));
        } else {
            self.returns(thread, name, result);
        }
    }

    fn wait_raw(&self, object: usize) -> String {
        match object.checked_sub(self.objects.len()) {
            // A thread is waited for by what names it.
            Some(thread) => format!("\"thread {}\"", FIRST_TID + thread),
            None => self.raw(object).to_string(),
        }
    }

    fn wait_name(&self, objects: &[usize]) -> &'static str {
        if objects.len() > 1 { "NtWaitForMultipleObjectsEx" } else { "NtWaitForSingleObjectEx" }
    }

    fn wake(&mut self, thread: usize, result: usize) {
        let (Op::Wait(objects) | Op::WaitAll(objects)) = &self.scene.threads[thread][self.places[thread] - 1] else {
            return self.woken(thread, "NtWaitForSingleObjectEx", result);
        };
        let name = self.wait_name(objects);
        self.woken(thread, name, result);
    }

    fn woken(&mut self, thread: usize, name: &str, result: usize) {
        if self.style != Style::Calls {
            self.event(thread, "wait.end", &format!("{{\"wait_result\":{result}}}"));
        }
        if self.style != Style::Waits {
            self.returns(thread, name, result);
        }
        self.states[thread] = State::Ready;
    }

    fn signal(&mut self, object: usize, count: i64) {
        let one = &mut self.objects[object];
        one.signalled += 1;
        match one.make {
            Make::Semaphore(_) => one.available += count,
            Make::Mutant => {
                one.depth = one.depth.saturating_sub(1);
                if one.depth == 0 {
                    one.owner = None;
                }
            }
            _ => one.available = 1,
        }
        self.serve();
    }

    fn would_give(&self, object: usize, thread: usize) -> bool {
        match object.checked_sub(self.objects.len()) {
            Some(other) => self.states[other] == State::Over,
            None => match self.objects[object].make {
                Make::Mutant => self.objects[object].owner.is_none_or(|owner| owner == thread),
                _ => self.objects[object].available > 0 && !self.scene.deaf.contains(&object),
            },
        }
    }

    fn take(&mut self, object: usize, thread: usize) {
        let Some(one) = self.objects.get_mut(object) else { return };
        match one.make {
            Make::Manual | Make::TimerManual => {}
            Make::Mutant => {
                one.owner = Some(thread);
                one.depth += 1;
            }
            _ => one.available -= 1,
        }
    }

    /// Gives what can be given to who waits, in an order that the seed decides.
    fn serve(&mut self) {
        let mut order: Vec<usize> = (0..self.states.len()).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, self.random.below(at as u64 + 1) as usize);
        }
        for thread in order {
            let State::Parked(objects, all) = self.states[thread].clone() else { continue };
            let given: Vec<usize> = (0..objects.len()).filter(|at| self.would_give(objects[*at], thread)).collect();
            let is_given = if all { given.len() == objects.len() } else { !given.is_empty() };
            if !is_given {
                continue;
            }
            let taken = if all { &given[..] } else { &given[..1] };
            taken.iter().for_each(|at| self.take(objects[*at], thread));
            self.states[thread] = State::Woken(if all { 0 } else { given[0] });
        }
    }
}
