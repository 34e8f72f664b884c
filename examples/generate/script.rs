//! The logical life of a thread: the same on both sides, whatever engine replays it.

use super::numbers::Random;
use super::options::{Options, Shape};

/// A guest function that threads call.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    pub name: &'static str,
    pub module: &'static str,
    pub ord: u32,
    /// The name of its address argument.
    pub argument: &'static str,
}

const fn kernel(name: &'static str, ord: u32, argument: &'static str) -> Function {
    Function { name, module: "kernel.img", ord, argument }
}

/// What a thread calls first; it is what lanes are paired by.
pub const FIRST: [Function; 12] = [
    kernel("ExInitializeRenderQueue", 11, "queue"),
    kernel("ExRegisterAudioClient", 12, "client"),
    kernel("NetSocketStartup", 13, "config"),
    kernel("ExStartStreamer", 14, "device"),
    kernel("NtOpenSaveContainer", 15, "container"),
    kernel("ExRegisterInputDevice", 16, "device"),
    kernel("KeSetThreadPriority", 17, "thread"),
    kernel("ExCreatePhysicsWorld", 18, "world"),
    kernel("NtMountPackage", 19, "package"),
    kernel("ExAttachProfiler", 20, "channel"),
    kernel("KeStartWatchdog", 21, "timer"),
    kernel("ExOpenScriptHost", 22, "host"),
];

/// What worker threads call first.
pub const WORKER_FIRST: Function = kernel("ExJoinWorkerPool", 23, "pool");

/// Calls that return the same on both sides.
pub const QUIET: [Function; 10] = [
    kernel("RtlEnterCriticalSection", 101, "cs"),
    kernel("RtlLeaveCriticalSection", 102, "cs"),
    kernel("KeGetThreadLocal", 110, "slot"),
    kernel("KeSetEvent", 121, "event"),
    kernel("KeResetEvent", 122, "event"),
    kernel("KeReleaseSemaphore", 123, "semaphore"),
    kernel("NtReadFile", 140, "buffer"),
    kernel("NtQueryFileSize", 141, "file"),
    kernel("RtlCopyGuestMemory", 150, "target"),
    kernel("KeQueryTickCount", 160, "result"),
];

/// Calls that return an address of the engine's own choice.
pub const ALLOCATORS: [Function; 5] = [
    kernel("RtlAllocateHeap", 201, "heap"),
    kernel("MmAllocatePhysicalMemoryEx", 202, "region"),
    kernel("MmAllocatePhysicalMemory", 203, "region"),
    kernel("NtAllocateVirtualMemory", 204, "region"),
    kernel("MmCreateKernelStack", 205, "region"),
];

pub const CREATE: Function = kernel("NtCreateEvent", 301, "attributes");
pub const CLOSE: Function = kernel("NtClose", 302, "object");
pub const WAIT: Function = kernel("KeWaitForSingleObject", 303, "object");
/// An import that is called without a logged return: one event, to make lanes end exactly.
pub const PAD: Function = Function { name: "AudioGetFrameClock", module: "audio.lib", ord: 7, argument: "clock" };

/// Every function, in the order of [`Step`]'s indices.
pub fn functions() -> Vec<Function> {
    let mut all = QUIET.to_vec();
    all.extend(ALLOCATORS);
    all.extend([CREATE, CLOSE, WAIT, PAD, WORKER_FIRST]);
    all.extend(FIRST);
    all
}

/// Handle ids of one script.
pub const HANDLES: u64 = 1_000_000_000;

/// What a function's address argument is, where arguments are each side's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Carried {
    /// An address of the guest's, the same on both sides.
    Address,
    /// An address within the newest allocation.
    Pointer,
    Handle,
    /// Of an allocator, which also says how much it wants.
    Heap,
}

pub fn carried(function: usize) -> Carried {
    match function {
        CLOSE_AT | WAIT_AT => Carried::Handle,
        _ if (ALLOCATOR_AT..CREATE_AT).contains(&function) => Carried::Heap,
        _ => match QUIET.get(function).map(|function| function.argument) {
            Some("buffer" | "target" | "result") => Carried::Pointer,
            _ => Carried::Address,
        },
    }
}

const ALLOCATOR_AT: usize = QUIET.len();
const CREATE_AT: usize = ALLOCATOR_AT + ALLOCATORS.len();
const CLOSE_AT: usize = CREATE_AT + 1;
const WAIT_AT: usize = CREATE_AT + 2;
const PAD_AT: usize = CREATE_AT + 3;
const WORKER_FIRST_AT: usize = CREATE_AT + 4;
const FIRST_AT: usize = CREATE_AT + 5;

/// One logical event. The numbers are indices into [`functions`] and handle ids.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Call {
        function: usize,
        address: u32,
        flags: u32,
    },
    Return {
        function: usize,
        value: u32,
    },
    /// The return of an allocator: every engine has its own addresses.
    Allocated {
        function: usize,
    },
    Import {
        function: usize,
        address: u32,
        flags: u32,
    },
    HandleCreate {
        handle: u64,
    },
    HandleDestroy {
        handle: u64,
    },
    WaitBegin {
        handle: u64,
        timeout: u32,
    },
    WaitEnd {
        handle: u64,
        status: u32,
    },
    Exit {
        code: u32,
    },
    /// One line of an instruction trace; `rest` holds the registers after it.
    Instruction {
        pc: u32,
        rest: u16,
        last: bool,
    },
}

impl Step {
    /// Its place in [`super::lane::KINDS`].
    pub fn kind(self) -> usize {
        match self {
            Self::Call { .. } => 0,
            Self::Return { .. } | Self::Allocated { .. } => 1,
            Self::Import { .. } | Self::Instruction { .. } => 2,
            Self::HandleCreate { .. } => 3,
            Self::HandleDestroy { .. } => 4,
            Self::WaitBegin { .. } => 5,
            Self::WaitEnd { .. } => 6,
            Self::Exit { .. } => 7,
        }
    }
}

/// How often the script chooses which kind of call.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    /// Handle and wait calls: about 3.3 events each, of which one differs in bytes.
    pub restless: f64,
    pub allocating: f64,
    /// The candidate spells so many of the remaining events differently.
    pub respelled: f64,
}

impl Mix {
    pub fn new(options: &Options) -> Self {
        // Handles and waits make up for at most three tenths; spelling does the rest.
        let noisy = options.noise.clamp(0.0, 1.0);
        let by_handles = noisy.min(0.25);
        let allocators = options.allocators.clamp(0.0, 0.25);
        let events_a_call = 2.0 / (1.0 - by_handles * 4.0 / 3.0);
        let rest = 1.0 - by_handles - allocators;
        Self {
            restless: by_handles * events_a_call,
            allocating: allocators * events_a_call,
            respelled: ((noisy - by_handles) / rest).clamp(0.0, 1.0),
        }
    }
}

/// The endless mix of calls that one thread makes, cut to an exact number of events.
#[derive(Clone, Debug)]
pub struct Script {
    random: Random,
    mix: Mix,
    number: u64,
    first: usize,
    events: u64,
    position: u64,
    queue: [Step; 4],
    queued: usize,
    taken: usize,
    created: u64,
    closed: u64,
    /// Of the next instruction, in instruction traces.
    pc: Option<u32>,
    /// From this position on, the life of this number.
    own: Option<(u64, u64)>,
    seed: u64,
    /// Calls name the handle that they are about.
    shifted: bool,
}

impl Script {
    /// `number` tells scripts apart; workers share one.
    pub fn new(options: &Options, number: Option<u64>, events: u64) -> Self {
        let first = match number {
            Some(number) => FIRST_AT + number as usize % FIRST.len(),
            None => WORKER_FIRST_AT,
        };
        let number = number.map_or(0, |number| number + 1);
        Self {
            random: Random::new(options.seed, "script", number),
            mix: Mix::new(options),
            number,
            first,
            events,
            position: 0,
            queue: [Step::Exit { code: 0 }; 4],
            queued: 0,
            taken: 0,
            created: 0,
            closed: 0,
            pc: (options.shape == Shape::Flat).then_some(0x8200_0000 + number as u32 * 0x1_0000),
            own: None,
            seed: options.seed,
            shifted: options.shifted,
        }
    }

    /// One of the workers, who live alike, at least at first.
    pub fn worker(options: &Options, number: u64, events: u64) -> Self {
        let own = options.alike.map(|alike| (alike, number + 1));
        Self { own, ..Self::new(options, None, events) }
    }

    /// The next event, or none after the thread's exit.
    pub fn next(&mut self) -> Option<Step> {
        if self.position >= self.events {
            return None;
        }
        if self.taken == self.queued {
            self.choose();
        }
        let step = self.queue[self.taken];
        self.taken += 1;
        self.position += 1;
        Some(step)
    }

    fn queue(&mut self, steps: &[Step]) {
        self.queue[..steps.len()].copy_from_slice(steps);
        self.queued = steps.len();
        self.taken = 0;
    }

    fn choose(&mut self) {
        let left = self.events - self.position;
        if let Some((_, number)) = self.own.take_if(|(from, _)| *from <= self.position) {
            self.random = Random::new(self.seed, "own life", number);
        }
        let roll = self.random.next();
        if let Some(pc) = self.pc {
            return self.instructions(pc, roll, left);
        }
        let address = 0x8200_0000 | (roll as u32 & 0x00FF_FFF0);
        let flags = (roll >> 32) as u32 & 0x3FF;
        let part = (roll >> 42) as f64 / (1u64 << 22) as f64;
        if left == 1 {
            return self.queue(&[Step::Exit { code: 0 }]);
        }
        if left < 5 {
            return self.queue(&[Step::Import { function: PAD_AT, address, flags }]);
        }
        if self.position == 0 {
            return self.call(self.first, address, flags, &[]);
        }
        if part < self.mix.restless {
            return self.restless(address, flags);
        }
        let which = self.random.below(40) as usize;
        if part < self.mix.restless + self.mix.allocating {
            let function = ALLOCATOR_AT + which % ALLOCATORS.len();
            self.queue(&[Step::Call { function, address, flags }, Step::Allocated { function }])
        } else {
            self.call(which % QUIET.len(), address, flags, &[])
        }
    }

    /// Four instructions in a row, then a jump now and then.
    fn instructions(&mut self, pc: u32, roll: u64, left: u64) {
        let mut steps = [Step::Exit { code: 0 }; 4];
        let count = left.min(4) as usize;
        for (at, step) in steps.iter_mut().enumerate().take(count) {
            let last = left == at as u64 + 1;
            *step = Step::Instruction { pc: pc + at as u32 * 4, rest: (roll >> (at * 16)) as u16, last };
        }
        let jump = if roll >> 61 == 0 { roll as u32 & 0xFFF0 } else { 16 };
        self.pc = Some(0x8200_0000 | (pc.wrapping_add(jump) & 0x00FF_FFFF));
        self.queue(&steps[..count]);
    }

    fn call(&mut self, function: usize, address: u32, flags: u32, between: &[Step]) {
        let value = if flags < 700 { 0 } else { flags };
        let mut steps = [Step::Return { function, value }; 4];
        steps[0] = Step::Call { function, address, flags };
        steps[1..=between.len()].copy_from_slice(between);
        self.queue(&steps[..between.len() + 2]);
    }

    /// What a call about a handle names: the handle, if that is asked for.
    fn named(&self, handle: u64, address: u32) -> u32 {
        if self.shifted { (handle % HANDLES) as u32 } else { address }
    }

    /// Creating, closing or waiting for a handle; handles have ids that both engines share.
    fn restless(&mut self, address: u32, flags: u32) {
        let base = self.number * HANDLES + 1;
        let open = self.created - self.closed;
        let turn = self.random.below(3);
        if turn == 0 && open > 0 {
            let handle = base + self.closed + self.random.below(open);
            let status = if flags < 100 { 0x102 } else { 0 };
            let timeout = flags;
            let between = [Step::WaitBegin { handle, timeout }, Step::WaitEnd { handle, status }];
            self.call(WAIT_AT, self.named(handle, address), flags, &between);
        } else if open > 0 && (turn == 1 || open > 64) {
            let handle = base + self.closed;
            self.closed += 1;
            self.call(CLOSE_AT, self.named(handle, address), flags, &[Step::HandleDestroy { handle }]);
        } else {
            let handle = base + self.created;
            self.created += 1;
            self.call(CREATE_AT, address, flags, &[Step::HandleCreate { handle }]);
        }
    }
}
