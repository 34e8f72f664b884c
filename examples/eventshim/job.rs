//! The program: it counts the words of a text. A reader hands blocks to workers through a queue with few slots; a collector makes pages of
//! what they counted, and a printer takes the pages. The main thread starts everything and waits for all of it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread::Scope;

use super::object::Make;
use super::outcome::{Outcome, Signal};
use super::shim::{Handle, Me, Over, Shim};

/// How much there is to do, and by how many.
pub struct Plan {
    seed: u64,
    workers: u64,
    blocks: u64,
    slots: u64,
    /// Blocks of a page.
    page: u64,
}

const NEVER: &[&str] = &["never-signalled"];
const AGAIN: &[&str] = &["parked-again"];
const TAKEN: &[&str] = &["parked-again", "lost-taken"];
const HELD: &[&str] = &["held"];

/// A number that depends on two others alone.
fn mixed(seed: u64, at: u64) -> u64 {
    let mut z = seed.wrapping_add(at.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Plan {
    /// Families of calls without which somebody waits for ever.
    pub const FAMILIES: u64 = 9;

    pub fn of(seed: u64) -> Plan {
        let number = |at: u64, from: u64, below: u64| from + mixed(seed, at) % (below - from);
        Plan {
            seed,
            workers: number(1, 2, 6),
            blocks: number(2, 24, 49),
            slots: number(3, 3, 7),
            page: number(4, 2, 6),
        }
    }

    fn block(&self, at: u64) -> String {
        let words = 20 + mixed(self.seed, at << 8) % 200;
        let letters = |word| 1 + mixed(self.seed, (at << 16) + word) % 9;
        (0..words).map(|word| "w".repeat(letters(word) as usize) + " ").collect()
    }

    /// Counted one after the other.
    fn words(&self) -> u64 {
        (0..self.blocks).map(|at| self.block(at).split_whitespace().count() as u64).sum()
    }

    fn pages(&self) -> u64 {
        self.blocks / self.page
    }

    /// A call without which somebody waits for ever. The number says which family of them, the plan's seed which call of the family. How
    /// many blocks a worker gets is chance, so of what workers signal only the first is the same in every run.
    pub fn forgotten(&self, number: u64) -> Signal {
        let pushes = self.blocks + self.workers;
        let turn = |of: u64| 1 + mixed(self.seed, 5) % of;
        let page = turn(self.pages());
        let worker = format!("worker-{}", turn(self.workers));
        let signal = |thread: &str, object: &str, turn, waits, reasons| {
            let (thread, object) = (thread.to_owned(), object.to_owned());
            Signal { thread, object, turn, waits, reasons }
        };
        match number % Plan::FAMILIES {
            0 => signal("main", "event:start", 1, "worker", NEVER),
            1 => signal("main", "event:go", 1, "reader", NEVER),
            2 => signal("main", "mutant:total", 1, "worker", HELD),
            3 => signal("reader", "semaphore:filled", turn(pushes), "worker", TAKEN),
            // The reader itself goes on with the mutant, until all slots are full.
            4 => signal("reader", "mutant:queue", turn(pushes - self.slots - 1), "worker", HELD),
            5 => signal(&worker, "semaphore:arrived", 1, "main", AGAIN),
            6 => signal("collector", "event:page-ready", page, "printer", if page == 1 { NEVER } else { AGAIN }),
            7 => signal("printer", &format!("event:page-{page}-taken"), 1, "collector", NEVER),
            _ => signal("collector", "event:finished", 1, "main", NEVER),
        }
    }
}

/// What threads share. The mutants guard it; the locks only show that they do.
struct Shared {
    plan: Plan,
    queue: Mutex<VecDeque<Option<String>>>,
    total: Mutex<u64>,
    /// Number and what tells that it was taken.
    page: Mutex<Option<(u64, Handle)>>,
}

fn alone<T, R>(guarded: &Mutex<T>, with: impl FnOnce(&mut T) -> R) -> R {
    with(&mut guarded.try_lock().expect("a mutant keeps all others out"))
}

#[derive(Clone, Copy)]
struct Handles {
    start: Handle,
    go: Handle,
    arrived: Handle,
    free: Handle,
    filled: Handle,
    queue: Handle,
    total: Handle,
    counted: Handle,
    printer_up: Handle,
    page_ready: Handle,
    finished: Handle,
}

impl Handles {
    fn new(me: &Me<'_>, slots: u64) -> Handles {
        Handles {
            start: me.create("event:start", Make::Manual),
            go: me.create("event:go", Make::Manual),
            arrived: me.create("semaphore:arrived", Make::Semaphore(0)),
            free: me.create("semaphore:free", Make::Semaphore(slots as u32)),
            filled: me.create("semaphore:filled", Make::Semaphore(0)),
            queue: me.create("mutant:queue", Make::Mutant),
            total: me.create("mutant:total", Make::Mutant),
            counted: me.create("semaphore:counted", Make::Semaphore(0)),
            printer_up: me.create("event:printer-up", Make::Auto),
            page_ready: me.create("event:page-ready", Make::Auto),
            finished: me.create("event:finished", Make::Auto),
        }
    }

    fn all(&self) -> [Handle; 11] {
        let Handles { start, go, arrived, free, filled, queue, total, counted, printer_up, page_ready, finished } =
            *self;
        [start, go, arrived, free, filled, queue, total, counted, printer_up, page_ready, finished]
    }
}

/// Runs the program, one call forgotten or none.
pub fn run(plan: Plan, forgotten: Option<Signal>) -> Outcome {
    let shared = Shared { plan, queue: Mutex::default(), total: Mutex::default(), page: Mutex::default() };
    let shim = Shim::new(forgotten);
    let parked = shim.run(|me, scope| main(me, scope, &shared));
    let words = [*shared.total.lock().expect("nobody panics"), shared.plan.words()];
    Outcome { log: shim.log(), parked, left_out: shim.left_out(), words }
}

fn main<'s, 'e>(me: &Me<'s>, scope: &'s Scope<'s, 'e>, shared: &'e Shared) -> Result<(), Over> {
    let of = Handles::new(me, shared.plan.slots);
    me.wait(of.total)?;
    let reads = me.start(scope, "reader", move |me| reader(me, shared, of));
    let mut threads = vec![
        me.start(scope, "printer", move |me| printer(me, shared, of)),
        me.start(scope, "collector", move |me| collector(me, shared, of)),
    ];
    for number in 1..=shared.plan.workers {
        threads.push(me.start(scope, &format!("worker-{number}"), move |me| worker(me, shared, of)));
    }
    me.wait(of.printer_up)?;
    alone(&shared.total, |total| *total = 0);
    me.signal(of.total);
    me.signal(of.start);
    for _ in 0..shared.plan.workers {
        me.wait(of.arrived)?;
    }
    me.clear(of.start);
    me.signal(of.go);
    me.wait(of.finished)?;
    // The reader still hands out ends; then all slots are free again.
    me.wait(reads)?;
    for _ in 0..shared.plan.slots {
        me.wait(of.free)?;
    }
    for thread in &threads {
        me.wait(*thread)?;
    }
    threads.into_iter().chain([reads]).chain(of.all()).for_each(|handle| me.close(handle));
    Ok(())
}

fn reader(me: &Me<'_>, shared: &Shared, of: Handles) -> Result<(), Over> {
    me.wait(of.go)?;
    let blocks = (0..shared.plan.blocks).map(|at| Some(shared.plan.block(at)));
    let ends = (0..shared.plan.workers).map(|_| None);
    for block in blocks.chain(ends) {
        me.wait(of.free)?;
        me.wait(of.queue)?;
        alone(&shared.queue, |queue| queue.push_back(block));
        me.signal(of.queue);
        me.signal(of.filled);
    }
    Ok(())
}

fn worker(me: &Me<'_>, shared: &Shared, of: Handles) -> Result<(), Over> {
    me.wait(of.start)?;
    me.signal(of.arrived);
    me.wait(of.go)?;
    loop {
        me.wait(of.filled)?;
        me.wait(of.queue)?;
        let block = alone(&shared.queue, VecDeque::pop_front).expect("what is filled is there");
        me.signal(of.queue);
        me.signal(of.free);
        let Some(block) = block else { return Ok(()) };
        let words = block.split_whitespace().count() as u64;
        me.wait(of.total)?;
        alone(&shared.total, |total| *total += words);
        me.signal(of.total);
        me.signal(of.counted);
    }
}

fn collector(me: &Me<'_>, shared: &Shared, of: Handles) -> Result<(), Over> {
    for block in 1..=shared.plan.blocks {
        me.wait(of.counted)?;
        if block % shared.plan.page != 0 {
            continue;
        }
        let page = block / shared.plan.page;
        me.wait(of.total)?;
        let words = alone(&shared.total, |total| *total);
        me.signal(of.total);
        // Each page has an event of its own, whose handle was another one's before.
        let taken = me.create(&format!("event:page-{page}-taken"), Make::Auto);
        alone(&shared.page, |page| *page = Some((words, taken)));
        me.signal(of.page_ready);
        me.wait(taken)?;
        me.close(taken);
    }
    me.signal(of.finished);
    Ok(())
}

fn printer(me: &Me<'_>, shared: &Shared, of: Handles) -> Result<(), Over> {
    me.signal(of.printer_up);
    let mut printed = 0;
    for _ in 0..shared.plan.pages() {
        me.wait(of.page_ready)?;
        let (words, taken) = alone(&shared.page, Option::take).expect("a page that is ready is there");
        assert!(words >= printed, "pages grow");
        printed = words;
        me.signal(taken);
    }
    Ok(())
}
