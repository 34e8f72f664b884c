//! Logs whose threads live long enough that a run for the first divergence can stop before their ends.

use super::pairs::Case;
use super::shapes::Rng;

/// One event but for its thread.
#[derive(Clone)]
struct Event {
    kind: &'static str,
    ordinal: u64,
    payload: String,
}

impl Event {
    fn line(&self, tid: usize) -> Vec<u8> {
        let Event { kind, ordinal, payload } = self;
        format!("{{\"kind\":\"{kind}\",\"tid\":{tid},\"tid_event_idx\":{ordinal},\"payload\":{payload}}}\n").into()
    }
}

/// Two to six threads, renumbered, in another interleaving, with what may go wrong in logs.
pub fn case(rng: &mut Rng) -> Case {
    let mut flags: Vec<String> = Vec::new();
    let lives: Vec<Vec<Event>> = (0..2 + rng.below(5)).map(|_| life(rng)).collect();
    let mut sides = [lives.clone(), lives];
    for life in &mut sides[1] {
        if rng.chance(50) {
            edit(life, rng);
        }
    }
    if rng.chance(25) {
        spoil(&mut sides, rng);
    }
    let renumbered = rng.chance(60);
    if rng.chance(25) {
        let map: Vec<String> = (0..sides[0].len())
            .filter(|_| rng.chance(80))
            .map(|thread| format!("{thread}={}", thread + usize::from(renumbered)))
            .collect();
        flags = match (map.is_empty(), renumbered || rng.chance(50)) {
            (true, _) => Vec::new(),
            (_, true) => vec!["--map".into(), map.join(",")],
            (_, false) => vec!["--map".into(), "same".into()],
        };
    }
    for (flag, percent) in [
        ("--malformed skip", 25),
        ("--skip-start 3", 10),
        ("--prefix", 15),
        ("--ignore-unmatched", 15),
        ("--strict", 8),
    ] {
        if rng.chance(percent) {
            flags.extend(flag.split(' ').map(str::to_owned));
        }
    }
    let mut side = 0;
    let lines = sides.map(|threads| {
        side += 1;
        write(threads, if side == 2 && renumbered { 1 } else { 0 }, rng)
    });
    Case { lines, flags }
}

fn life(rng: &mut Rng) -> Vec<Event> {
    let length = rng.pick(&[5, 900, 1200, 1500, 1500, 1800]) + rng.below(40);
    // Equal beginnings make pairing wait for the end or for patience.
    let style = rng.below(3);
    let mut events: Vec<Event> = (0..length)
        .map(|at| Event {
            kind: rng.pick(&["call", "return", "wait"]),
            ordinal: at as u64,
            payload: format!("{{\"n\":{},\"s\":{style}}}", rng.below(500)),
        })
        .collect();
    if length < 60 && rng.chance(80) {
        // A thread that ends is ripe at once.
        events[length - 1].kind = "thread.exit";
    } else if rng.chance(15) {
        // The thread ends, and its number is used again.
        let at = rng.below(length);
        events[at].kind = "thread.exit";
        for (ordinal, event) in events[at + 1..].iter_mut().enumerate() {
            event.ordinal = ordinal as u64;
        }
    }
    events
}

/// A change that counts, more often early than late.
fn edit(life: &mut Vec<Event>, rng: &mut Rng) {
    let [least, most] = rng.pick(&[[0, 60], [64, 200], [64, 200], [100, 500], [100, 500], [500, 2000]]);
    let at = (least + rng.below(most)).min(life.len() - 1);
    match rng.below(10) {
        0 => drop(life.drain(at..(at + 1 + rng.below(3)).min(life.len()))),
        1 => {
            let new = Event { payload: "{\"new\":1}".into(), ..life[at].clone() };
            let generation = life[at..].iter().position(|event| event.kind == "thread.exit");
            let end = generation.map_or(life.len(), |length| at + length + 1);
            life[at..end].iter_mut().for_each(|event| event.ordinal += 1);
            life.insert(at, new);
        }
        2 => life.truncate(at),
        3 => life[at].kind = "other",
        4 => life.clear(),
        _ => life[at].payload = "{\"n\":-1}".into(),
    }
}

/// Lines that open and cannot be read, on one side or on both.
fn spoil(sides: &mut [Vec<Vec<Event>>; 2], rng: &mut Rng) {
    for _ in 0..1 + rng.below(2) {
        let thread = rng.below(sides[0].len());
        let at = rng.below(500);
        let both = rng.chance(40);
        let only = rng.below(2);
        for (side, threads) in sides.iter_mut().enumerate() {
            if let Some(event) = threads[thread].get_mut(at).filter(|_| both || side == only) {
                event.payload = "{\"n\":01}".into();
            }
        }
    }
}

/// The threads' events, one thread ahead of another as it happens.
fn write(threads: Vec<Vec<Event>>, offset: usize, rng: &mut Rng) -> Vec<Vec<u8>> {
    let mut out = vec![b"{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_vec()];
    let weights: Vec<usize> = threads.iter().map(|_| rng.pick(&[1, 1, 1, 1, 4])).collect();
    let mut left: Vec<_> = threads.into_iter().map(|events| events.into_iter().peekable()).collect();
    while left.iter_mut().any(|events| events.peek().is_some()) {
        let thread = rng.below(left.len());
        for _ in 0..1 + rng.below(weights[thread]) {
            out.extend(left[thread].next().map(|event| event.line(thread + offset)));
        }
        if rng.chance(1) && rng.chance(2) {
            out.push(b"garbage\n".to_vec());
        }
    }
    if rng.chance(8) {
        super::pairs::tear(&mut out, rng);
    }
    out
}
