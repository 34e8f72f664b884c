//! An engine that records: a tiny machine of four guest threads, whose log is written by `forkpoint::emit`.
//!
//! `cargo run --example relay -- OUT [--bug] [--quantum CYCLES]`
//!
//! `source` makes numbers, `left` and `right` work on them, `sink` adds up. The threads take turns of some cycles, so that with another
//! quantum their events are interleaved otherwise, but each does the same. With `--bug` the machine's end-around addition
//! loses its carry: for a long time that makes no difference, then `left` sends another number. README.md shows what
//! `forkpoint diff` says of two such runs.

use std::collections::VecDeque;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use forkpoint::emit::{Options, Recorder, ThreadLog};

/// What a guest thread can do; `a`, `b`, `c` are its registers.
#[derive(Clone, Copy)]
enum Instruction {
    /// a ← number
    Load(usize, u32),
    /// a ← a × b + number
    Multiply(usize, usize, u32),
    /// a ← a >> bits
    Shift(usize, u32),
    /// a ← a + b, and one more if that overflows: a sum that forgets no bit.
    AddAround(usize, usize),
    /// a ← a ^ b
    Xor(usize, usize),
    /// Puts a number into a channel.
    Send(usize, usize),
    /// Takes one out, and waits until there is one.
    Receive(usize, usize),
    /// Counts a down; goes back to an instruction until it is 0.
    Loop(usize, usize),
    Exit,
}

use Instruction::{AddAround, Exit, Load, Loop, Multiply, Receive, Send, Shift, Xor};

/// Each guest thread's name and program; register 7 counts rounds.
const THREADS: [(&str, &[Instruction]); 4] = [
    (
        "source",
        &[
            Load(7, 40),
            Load(0, 1),
            Load(1, 1_664_525),
            Multiply(0, 1, 1_013_904_223),
            Load(2, 0),
            Xor(2, 0),
            Shift(2, 4),
            Send(0, 2),
            Send(1, 2),
            Loop(7, 3),
            Exit,
        ],
    ),
    ("left", &[Load(7, 40), Load(0, 0), Receive(0, 1), AddAround(0, 1), Send(2, 0), Loop(7, 2), Exit]),
    ("right", &[Load(7, 40), Load(2, 3), Receive(1, 1), Multiply(1, 2, 7), Send(3, 1), Loop(7, 2), Exit]),
    (
        "sink",
        &[Load(7, 40), Load(0, 0), Receive(2, 1), Xor(0, 1), Receive(3, 1), Xor(0, 1), Send(4, 0), Loop(7, 2), Exit],
    ),
];

/// A guest thread, and the log of what it does.
struct Guest {
    program: &'static [Instruction],
    next: usize,
    registers: [u32; 8],
    cycle: u64,
    log: ThreadLog,
}

/// The machine: what its threads share.
struct Machine {
    channels: [VecDeque<u32>; 5],
    loses_carry: bool,
}

/// How a run is made.
pub struct Run {
    pub bug: bool,
    pub quantum: u64,
}

/// Runs the machine to its end.
pub fn run(path: &Path, run: &Run) -> Result<(), Box<dyn Error>> {
    // No clock, and nothing written but at the end of each round: two runs of one machine are the same bytes, for the README.
    let options = Options { host_ns: false, write_every: Duration::from_secs(3600), ..Options::new("relay") };
    let recorder = Recorder::create(path, options)?;
    recorder.flush_on_panic();
    recorder.flush_on_signals()?;
    let mut machine = Machine { channels: Default::default(), loses_carry: run.bug };
    let mut guests = Vec::new();
    for (name, program) in THREADS {
        let log = recorder.thread(name)?;
        guests.push(Guest { program, next: 0, registers: [0; 8], cycle: 0, log });
    }
    while !guests.is_empty() {
        guests.retain_mut(|guest| (0..run.quantum).all(|_| machine.step(guest) != Step::Ended));
        recorder.flush()?;
    }
    let summary = recorder.finish()?;
    println!("{} events, {} bytes, {} dropped", summary.events, summary.bytes, summary.dropped);
    Ok(())
}

#[derive(PartialEq, Eq)]
enum Step {
    Done,
    Waits,
    Ended,
}

impl Machine {
    /// Executes one instruction of a guest thread.
    fn step(&mut self, guest: &mut Guest) -> Step {
        let Some(instruction) = guest.program.get(guest.next) else { return Step::Ended };
        let registers = &mut guest.registers;
        let mut next = guest.next + 1;
        match *instruction {
            Load(a, number) => registers[a] = number,
            Multiply(a, b, number) => registers[a] = registers[a].wrapping_mul(registers[b]).wrapping_add(number),
            Shift(a, bits) => registers[a] >>= bits,
            AddAround(a, b) => {
                let (sum, carry) = registers[a].overflowing_add(registers[b]);
                registers[a] = sum + u32::from(carry && !self.loses_carry);
            }
            Xor(a, b) => registers[a] ^= registers[b],
            Send(channel, a) => {
                self.channels[channel].push_back(registers[a]);
                guest.log.event("kernel.call").cycle(guest.cycle).payload(|payload| {
                    payload.text("name", "ChannelSend").object("args", |args| {
                        args.number("channel", channel).hex32("value", registers[a]);
                    });
                });
            }
            Receive(channel, a) => {
                let Some(value) = self.channels[channel].pop_front() else { return Step::Waits };
                registers[a] = value;
                guest.log.event("kernel.return").cycle(guest.cycle).payload(|payload| {
                    payload.text("name", "ChannelReceive").number("channel", channel).number("return_value", value);
                });
            }
            Loop(a, back) => {
                registers[a] -= 1;
                next = if registers[a] > 0 { back } else { next };
            }
            Exit => {
                guest.log.event("thread.exit").cycle(guest.cycle).payload(|payload| {
                    payload.number("exit_code", 0);
                });
            }
        }
        (guest.next, guest.cycle) = (next, guest.cycle + 1);
        Step::Done
    }
}

#[allow(dead_code, reason = "tests run the machine without it")]
fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: relay OUT [--bug] [--quantum CYCLES]";
    let mut given = std::env::args().skip(1);
    let path = given.next().ok_or(usage)?;
    let mut asked = Run { bug: false, quantum: 20 };
    while let Some(flag) = given.next() {
        match &*flag {
            "--bug" => asked.bug = true,
            "--quantum" => asked.quantum = given.next().and_then(|cycles| cycles.parse().ok()).ok_or(usage)?,
            _ => return Err(usage.into()),
        }
    }
    run(Path::new(&path), &asked)
}
