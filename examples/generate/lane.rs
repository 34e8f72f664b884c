//! One thread on one side: its script written as lines.

use super::flat::{self, Columns};
use super::numbers::{Random, decimal, hex8};
use super::options::{LineLength, Options, Shape};
use super::script::{Carried, Function, HANDLES, Mix, Script, Step, carried, functions};
use super::shaped::{self, Orders};

/// Which of the two logs is written.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Side {
    Reference,
    Candidate,
}

impl Side {
    pub fn name(self) -> &'static str {
        if self == Self::Reference { "reference" } else { "candidate" }
    }

    pub fn engine(self) -> &'static str {
        if self == Self::Reference { "interpreter" } else { "jit" }
    }
}

/// The fixed texts of a side's lines, made once.
#[derive(Debug)]
pub struct Texts {
    call: Vec<Vec<u8>>,
    returned: Vec<Vec<u8>>,
    before_payload: &'static [u8],
    /// What a call tells after its arguments.
    call_end: Vec<u8>,
    /// Letters that added payload is cut from.
    pool: Vec<u8>,
    pub payload_bytes: usize,
    /// Characters of a dump in every payload.
    dump_bytes: usize,
    pub long: bool,
    pub shape: Shape,
    pub orders: Orders,
    pub columns: Columns,
}

const POOL: usize = 1 << 16;
/// With it a normal line has some 2 KB.
const DUMP: usize = 1_800;

impl Texts {
    pub fn new(options: &Options) -> Self {
        let short = matches!(options.line, LineLength::Short | LineLength::Tiny);
        let dump_bytes = if options.line == LineLength::Huge { DUMP } else { 0 };
        let call = |(at, function): (usize, &Function)| {
            let Function { name, module, ord, argument } = function;
            let argument = if options.shifted && carried(at) == Carried::Handle { "handle" } else { argument };
            let module = if short { String::new() } else { format!(r#""module":"{module}","#) };
            format!(r#""name":"{name}",{module}"ord":{ord},"args":{{"{argument}":"0x"#).into_bytes()
        };
        let mut random = Random::new(options.seed, "pool", 0);
        let letter = |_| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random.below(64) as usize];
        Self {
            call: functions().iter().enumerate().map(call).collect(),
            returned: functions()
                .iter()
                .map(|f| format!(r#""name":"{}","return_value":"#, f.name).into_bytes())
                .collect(),
            before_payload: if short { br#","payload":{"# } else { br#","deterministic":true,"payload":{"# },
            call_end: match options.line {
                LineLength::Long => {
                    LONG.iter().flat_map(|(key, value)| format!(",{key}{value}").into_bytes()).collect()
                }
                _ => Vec::new(),
            },
            pool: (0..POOL + options.payload_bytes + dump_bytes).map(letter).collect(),
            payload_bytes: options.payload_bytes,
            dump_bytes,
            long: !short,
            shape: options.shape,
            orders: Orders::new(options),
            columns: Columns::new(options),
        }
    }

    /// The payload that is added to a call; the address decides which letters.
    pub fn data(&self, address: u32) -> Option<&[u8]> {
        let from = (address as usize >> 4) % POOL;
        (self.payload_bytes > 0).then(|| &self.pool[from..from + self.payload_bytes])
    }

    /// The dump that every event carries; its number in the script decides which letters.
    pub fn dump(&self, taken: u64) -> Option<&[u8]> {
        let from = (taken as usize).wrapping_mul(61) % POOL;
        (self.dump_bytes > 0).then(|| &self.pool[from..from + self.dump_bytes])
    }
}

/// What calls tell after their arguments in long lines.
pub const LONG: [(&str, &str); 3] = [
    (
        r#""args_resolved":"#,
        r#"{"mode":"shared","path":"disc:\\data\\level_03\\terrain.pak","thread_name":"stream worker \u0023\u0032"}"#,
    ),
    (r#""stack":"#, r#"["0x82104a10","0x82104bd4","0x8210c0fc","0x8211ee80","0x82330010","0x82330a44","0x82004004"]"#),
    (r#""note":"#, r#""called from the frame loop, between the update of the scene and its drawing""#),
];

/// Pages and handles that a lane uses in turn, where calls name them: so many that none is taken twice at one time.
const OWN_PAGES: u32 = 64;
const OWN_HANDLES: u64 = 4_096;

/// One thread of one log.
#[derive(Clone, Debug)]
pub struct Lane {
    pub script: Script,
    /// Events of the script taken so far.
    pub taken: u64,
    /// Events written so far: the next event's place in its lane.
    pub position: u64,
    /// What is added to the position to make the ordinal.
    pub ordinal_shift: u64,
    pub noise: Random,
    respelled: f64,
    pub side: Side,
    pub cycle: u64,
    allocated: u32,
    /// Where this lane's own part of the engine's heap and handles begins, if calls name what lies there.
    own: Option<u32>,
    pub tid: u64,
    heads: [Vec<u8>; 8],
}

pub const KINDS: [&str; 8] = [
    "kernel.call",
    "kernel.return",
    "import.call",
    "handle.create",
    "handle.destroy",
    "wait.begin",
    "wait.end",
    "thread.exit",
];

impl Lane {
    /// `number` is the lane's number, `script` what it lives.
    pub fn new(options: &Options, side: Side, number: u64, tid: u64, script: Script) -> Self {
        let engine = match options.line {
            LineLength::Short | LineLength::Tiny => String::new(),
            _ => format!(r#""engine":"{}","#, side.engine()),
        };
        let head = |kind| format!(r#"{{"kind":"{kind}",{engine}"tid":{tid},"tid_event_idx":"#).into_bytes();
        Self {
            script,
            taken: 0,
            position: 0,
            ordinal_shift: 0,
            noise: Random::new(options.seed, side.name(), number),
            respelled: if side == Side::Candidate { Mix::new(options).respelled } else { 0.0 },
            side,
            // Even on one side, odd on the other: no cycle count ever agrees.
            cycle: number * 7_000 + u64::from(side == Side::Candidate),
            allocated: 0,
            own: options.shifted.then_some(number as u32),
            tid,
            heads: KINDS.map(head),
        }
    }

    /// Writes one event as a line.
    pub fn write(&mut self, out: &mut Vec<u8>, texts: &Texts, step: Step, host_ns: u64) {
        self.cycle += 40 + (host_ns & 14) * 10;
        match texts.shape {
            Shape::Schema => self.schema(out, texts, step, host_ns),
            Shape::Reordered if self.side == Side::Reference => self.schema(out, texts, step, host_ns),
            Shape::Reordered => {
                self.head(out, texts, step, host_ns);
                shaped::payload(out, self, texts, step);
                out.extend_from_slice(b"}\n");
            }
            Shape::Sorted => shaped::sorted(out, self, texts, step, host_ns),
            Shape::Flat => flat::line(out, self, texts, step),
        }
        self.position += 1;
    }

    /// Everything before the payload's first key.
    fn head(&mut self, out: &mut Vec<u8>, texts: &Texts, step: Step, host_ns: u64) {
        out.extend_from_slice(&self.heads[step.kind()]);
        decimal(out, self.position + self.ordinal_shift);
        out.extend_from_slice(br#","host_ns":"#);
        decimal(out, host_ns);
        out.extend_from_slice(br#","guest_cycle":"#);
        decimal(out, self.cycle);
        out.extend_from_slice(texts.before_payload);
        self.respell(out);
    }

    /// A blank that changes nothing, where one is wanted.
    pub fn respell(&mut self, out: &mut Vec<u8>) {
        if self.respelled > 0.0 && self.noise.chance(self.respelled) {
            out.push(b' ');
        }
    }

    fn schema(&mut self, out: &mut Vec<u8>, texts: &Texts, step: Step, host_ns: u64) {
        self.head(out, texts, step, host_ns);
        self.payload(out, texts, step);
        if let Some(dump) = texts.dump(self.taken) {
            out.extend_from_slice(br#","dump":""#);
            out.extend_from_slice(dump);
            out.push(b'"');
        }
        out.extend_from_slice(b"}}\n");
    }

    fn payload(&mut self, out: &mut Vec<u8>, texts: &Texts, step: Step) {
        match step {
            Step::Call { function, address, flags } | Step::Import { function, address, flags } => match self.own {
                None => call(out, texts, function, address, flags, ""),
                Some(_) => {
                    let size = if carried(function) == Carried::Heap { r#","size":4096"# } else { "" };
                    call(out, texts, function, self.argument(function, address), flags, size);
                }
            },
            Step::Return { function, value } => returned(out, texts, function, value),
            Step::Allocated { function } => {
                let address = self.allocate();
                returned(out, texts, function, address);
            }
            Step::HandleCreate { handle } | Step::HandleDestroy { handle } => {
                named(out, br#""handle_semantic_id":"#, handle);
                named(out, br#","raw_handle_id":"#, self.raw_handle(handle));
                if matches!(step, Step::HandleCreate { .. }) {
                    out.extend_from_slice(br#","object_type":"Event","name":null"#);
                }
            }
            Step::WaitBegin { handle, timeout } => {
                named(out, br#""handle_semantic_id":"#, handle);
                named(out, br#","timeout_us":"#, u64::from(timeout));
                out.extend_from_slice(br#","alertable":false"#);
            }
            Step::WaitEnd { handle, status } => {
                let cycles = self.waited();
                named(out, br#""handle_semantic_id":"#, handle);
                named(out, br#","wait_result":"#, u64::from(status));
                named(out, br#","wait_duration_cycles":"#, cycles);
            }
            Step::Exit { code } => named(out, br#""exit_code":"#, u64::from(code)),
            // Only flat logs have such lines.
            Step::Instruction { pc, .. } => named(out, br#""pc":"#, u64::from(pc)),
        }
    }

    /// Cycles that a wait took: no two engines agree.
    pub fn waited(&mut self) -> u64 {
        self.noise.below(1 << 20) * 2 + u64::from(self.side == Side::Candidate)
    }

    pub fn raw_handle(&self, handle: u64) -> u64 {
        let base = if self.side == Side::Reference { 0xF800_0000 } else { 0x1000 };
        match self.own {
            None => base + handle % HANDLES * 4,
            // No two that are open at one time are the same.
            Some(own) => base + (u64::from(own) * OWN_HANDLES + handle % HANDLES % OWN_HANDLES) * 4,
        }
    }

    /// A page of the engine's own heap; the two heaps have no address in common.
    pub fn allocate(&mut self) -> u32 {
        self.allocated = (self.allocated + 1) & 0xFFFF;
        self.newest_page()
    }

    fn newest_page(&self) -> u32 {
        let heap = if self.side == Side::Reference { 0x4000_0000 } else { 0xA000_0000 };
        let page = match self.own {
            None => self.allocated,
            Some(own) => own * OWN_PAGES + self.allocated % OWN_PAGES,
        };
        heap + page * 0x1000
    }

    /// This side's spelling of an address argument.
    fn argument(&self, function: usize, address: u32) -> u32 {
        match carried(function) {
            Carried::Handle => self.raw_handle(u64::from(address)) as u32,
            Carried::Pointer if self.allocated > 0 => self.newest_page() + (address & 0xFF0),
            _ => address,
        }
    }
}

fn named(out: &mut Vec<u8>, key: &[u8], value: u64) {
    out.extend_from_slice(key);
    decimal(out, value);
}

fn call(out: &mut Vec<u8>, texts: &Texts, function: usize, address: u32, flags: u32, more: &str) {
    out.extend_from_slice(&texts.call[function]);
    hex8(out, address);
    out.extend_from_slice(br#"","flags":"#);
    decimal(out, u64::from(flags));
    out.extend_from_slice(more.as_bytes());
    out.push(b'}');
    out.extend_from_slice(&texts.call_end);
    if let Some(data) = texts.data(address) {
        out.extend_from_slice(br#","data":""#);
        out.extend_from_slice(data);
        out.push(b'"');
    }
}

fn returned(out: &mut Vec<u8>, texts: &Texts, function: usize, value: u32) {
    out.extend_from_slice(&texts.returned[function]);
    decimal(out, u64::from(value));
    if texts.long {
        out.extend_from_slice(br#","status":"0x"#);
        hex8(out, value);
        out.push(b'"');
    }
}
