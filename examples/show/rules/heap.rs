//! Logs of a program whose threads allocate, use and free blocks of one heap.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;

use super::Done;

const THREADS: usize = 8;
/// Blocks alive on each thread, once it has begun.
const ALIVE: usize = 1_000;
/// Bytes from one block to the next.
const BLOCK: u64 = 64;

/// A side's heap: where it lies, and which of the freed blocks it hands out next.
pub struct Heap {
    base: u64,
    oldest_first: bool,
    fresh: u64,
    free: VecDeque<u64>,
    /// Rounds of one thread before the next has its turn.
    slice: u64,
}

/// The use of a wrong block.
pub struct Wrong {
    /// Its line in the log.
    pub line: u64,
    /// How many blocks the thread had allocated before the right one, and before the one that is used.
    pub numbers: [u64; 2],
}

/// One thread: its blocks that are alive, as numbers and addresses, oldest first.
struct Thread {
    alive: VecDeque<(u64, u64)>,
    allocated: u64,
    events: u64,
    random: u64,
}

impl Heap {
    pub fn new(side: usize) -> Heap {
        let (base, slice) = [(0x4000_0000, 64), (0x7F30_0000_0000, 7)][side];
        Heap { base, oldest_first: side == 1, fresh: 0, free: VecDeque::new(), slice }
    }

    fn take(&mut self) -> u64 {
        let freed = if self.oldest_first { self.free.pop_front() } else { self.free.pop_back() };
        freed.unwrap_or_else(|| {
            self.fresh += 1;
            self.base + (self.fresh - 1) * BLOCK
        })
    }

    /// Writes a log of so many allocations; at the `wrong`-th of them another block that is alive is used. Returns how
    /// many events it has.
    pub fn write(mut self, path: &Path, allocations: u64, wrong: Option<u64>) -> Done<(u64, Option<Wrong>)> {
        let mut out = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
        writeln!(out, r#"{{"kind":"schema_version","schema_version":1,"engine":"{}"}}"#, self.base)?;
        let mut log = Log { out, line: 1 };
        let mut threads: Vec<Thread> = (0..THREADS as u64)
            .map(|at| Thread { alive: VecDeque::new(), allocated: 0, events: 0, random: at + 1 })
            .collect();
        let each = allocations / THREADS as u64;
        // The thread and the round that are wrong do not depend on who has which turn.
        let wrong = wrong.map(|at| (at / each.max(1), at % each.max(1)));
        let mut planted = None;
        while threads.iter().any(|thread| thread.allocated < each) {
            for (tid, thread) in threads.iter_mut().enumerate() {
                for _ in 0..self.slice {
                    if thread.allocated == each {
                        break;
                    }
                    let is_wrong = wrong == Some((tid as u64, thread.allocated));
                    planted = thread.round(&mut self, &mut log, tid, is_wrong)?.or(planted);
                }
            }
        }
        log.out.flush()?;
        Ok((log.line - 1, planted))
    }
}

struct Log {
    out: std::io::BufWriter<std::fs::File>,
    /// Lines written.
    line: u64,
}

impl Log {
    fn event(&mut self, tid: usize, thread: &mut Thread, kind: &str, payload: std::fmt::Arguments) -> Done<()> {
        let at = thread.events;
        writeln!(self.out, r#"{{"kind":"{kind}","tid":{tid},"tid_event_idx":{at},"payload":{{{payload}}}}}"#)?;
        thread.events += 1;
        self.line += 1;
        Ok(())
    }
}

impl Thread {
    /// The same on both sides.
    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// A block is allocated, a block is used, and the oldest is freed where there are enough.
    fn round(&mut self, heap: &mut Heap, log: &mut Log, tid: usize, is_wrong: bool) -> Done<Option<Wrong>> {
        let size = 16 + self.draw(48);
        let name = r#""name":"RtlAllocateHeap""#;
        log.event(tid, self, "kernel.call", format_args!(r#"{name},"args":{{"size":{size}}}"#))?;
        let block = heap.take();
        log.event(tid, self, "kernel.return", format_args!(r#"{name},"return_value":{block}"#))?;
        self.alive.push_back((self.allocated, block));
        self.allocated += 1;
        let used = self.draw(self.alive.len() as u64) as usize;
        let (right, mut address) = self.alive[used];
        let mut planted = None;
        if is_wrong {
            let (other, at) = self.alive[(used + 1) % self.alive.len()];
            address = at;
            planted = Some(Wrong { line: log.line + 1, numbers: [right, other] });
        }
        let (to, name) = (address + 8, r#""name":"RtlFillMemory""#);
        log.event(tid, self, "kernel.call", format_args!(r#"{name},"args":{{"to":{to},"len":8}}"#))?;
        if self.alive.len() > ALIVE
            && let Some((_, block)) = self.alive.pop_front()
        {
            let name = r#""name":"RtlFreeHeap""#;
            log.event(tid, self, "kernel.call", format_args!(r#"{name},"args":{{"address":{block}}}"#))?;
            heap.free.push_back(block);
        }
        Ok(planted)
    }
}
