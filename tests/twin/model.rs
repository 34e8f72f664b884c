//! What two runs do: threads as sequences of events, and how the candidate's differ.

use super::shapes::{Rng, Shape};

/// One event of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub kind: Option<Shape>,
    pub payload: Option<Shape>,
    pub ordinal: u64,
    pub nondeterministic: bool,
}

/// One thread on one side, generations after each other.
#[derive(Clone, Debug)]
pub struct Thread {
    pub key: Shape,
    pub events: Vec<Event>,
}

const NAMES: &[&str] = &["NtClose", "KeWait", "XamTask", "RtlAllocateHeap", "NtAllocateVirtualMemory", "open\"ü😀"];
const ALLOCATORS: &[&str] = &["RtlAllocateHeap", "MmCreateKernelStack", "NtAllocateVirtualMemory"];

/// A thread's life: some events, perhaps in a loop, perhaps ended and begun again.
pub fn life(rng: &mut Rng, length: usize) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let period = if rng.chance(35) { 1 + rng.below(6) } else { usize::MAX };
    let generations = if rng.chance(20) { 1 + rng.below(3) } else { 1 };
    let by_exit = rng.chance(60);
    // Some threads do little else than use objects, mostly their own: all but a few exist from the start.
    let own = rng.below(12);
    let objects: Vec<Event> = match rng.chance(30) {
        true => (0..OBJECTS).map(|at| object_event(own, at)).filter(|_| rng.chance(95)).collect(),
        false => Vec::new(),
    };
    let length = length + objects.len();
    for generation in 0..generations {
        // A generation of one event needs its end to be told from the next.
        let start = events.len();
        let gap = rng.chance(15);
        let mut ordinal = if rng.chance(10) && generation == 0 { rng.below(5) as u64 } else { 0 };
        for at in 0..length.div_ceil(generations) {
            let mut event = match at >= period {
                true => events[start + at - period].clone(),
                false if at < objects.len() => objects[at].clone(),
                false if !objects.is_empty() && rng.chance(80) => {
                    let (kind, payload) = heap_event(rng, own);
                    Event { kind: Some(Shape::text(kind)), payload: Some(payload), ordinal: 0, nondeterministic: false }
                }
                false => any_event(rng),
            };
            event.ordinal = ordinal;
            ordinal += 1 + u64::from(gap && rng.chance(10)) * rng.below(4) as u64;
            events.push(event);
        }
        if by_exit || rng.chance(30) || ordinal < 2 {
            let kind = Some(Shape::text("thread.exit"));
            events.push(Event { kind, payload: Some(Shape::Map(Vec::new())), ordinal, nondeterministic: false });
        }
    }
    events
}

fn any_event(rng: &mut Rng) -> Event {
    let int = |n: usize| Shape::Int(n as i128);
    let name = Shape::text(rng.pick(NAMES));
    let (kind, payload) = match rng.below(13) {
        12 => {
            let of = rng.below(12);
            heap_event(rng, of)
        }
        0..=2 => {
            let args = Shape::map(&[("size", int(rng.below(3))), ("flags", Shape::text("0x4/\n"))]);
            ("kernel.call", Shape::map(&[("name", name), ("ord", int(rng.below(400))), ("args", args)]))
        }
        3..=4 => ("kernel.return", returned(rng, name)),
        5 => {
            let allocator = Shape::text(rng.pick(ALLOCATORS));
            ("kernel.return", returned(rng, allocator))
        }
        6 => {
            let id = Shape::Text(format!("Event/{}", rng.below(3)));
            let kind = if rng.chance(50) { "handle.create" } else { "handle.destroy" };
            (kind, Shape::map(&[("handle_semantic_id", id), ("raw_handle_id", int(rng.below(1000)))]))
        }
        7 => {
            ("wait.end", Shape::map(&[("status", Shape::text("0x0")), ("wait_duration_cycles", int(rng.below(1000)))]))
        }
        8 => (
            "import.call",
            Shape::map(&[("ord", int(rng.below(4))), ("args", Shape::List(vec![value(rng, 2), value(rng, 1)]))]),
        ),
        9 => ("odd", value(rng, 2)),
        _ => ("step", Shape::map(&[("n", int(rng.below(4))), ("more", value(rng, 2))])),
    };
    let kind = match rng.below(40) {
        0 => None,
        1 => Some(Shape::raw("null")),
        2 => Some(Shape::Int(7)),
        _ => Some(Shape::text(kind)),
    };
    let payload = match rng.below(40) {
        0 => None,
        1 => Some(Shape::raw("null")),
        2 => Some(Shape::Map(Vec::new())),
        _ => Some(payload),
    };
    Event { kind, payload, ordinal: 0, nondeterministic: rng.chance(15) }
}

/// Where the reference's heap, handles and thread ids lie: few, so that they are used again and again.
const HEAP: i128 = 0x5000_0000;
const HANDLES: i128 = 0xF800_0000;
const THREADS: i128 = 0x9900;

/// Objects that a thread may have.
const OBJECTS: usize = 7;

/// The event that makes one of a thread's objects.
fn object_event(own: usize, at: usize) -> Event {
    let own = own as i128;
    let (kind, payload) = match at as i128 {
        at @ 0..3 => {
            let value = Shape::Int(HEAP + 0x100 * own + 48 * at);
            ("kernel.return", Shape::map(&[("name", Shape::text("RtlAllocateHeap")), ("return_value", value)]))
        }
        at @ 3..6 => {
            let value = Shape::Int(HANDLES + 16 * own + 4 * (at - 3));
            ("handle.create", Shape::map(&[("handle_semantic_id", Shape::text("Event/8")), ("raw_handle_id", value)]))
        }
        _ => ("thread.create", Shape::map(&[("tid", Shape::Int(THREADS + own))])),
    };
    Event { kind: Some(Shape::text(kind)), payload: Some(payload), ordinal: 0, nondeterministic: false }
}

/// Blocks, handles and threads that come, are used, and go.
fn heap_event(rng: &mut Rng, own: usize) -> (&'static str, Shape) {
    let address = HEAP + 0x100 * own as i128 + 48 * rng.below(3) as i128;
    let handle = HANDLES + 16 * own as i128 + 4 * rng.below(3) as i128;
    let tid = THREADS + own as i128;
    let call = |name: &str, args: &[(&str, Shape)]| {
        ("kernel.call", Shape::map(&[("name", Shape::text(name)), ("args", Shape::map(args))]))
    };
    let inside = address + rng.pick(&[0, 0, 0, 8]);
    let spelled = if rng.chance(25) { Shape::Text(format!("{inside:#x}")) } else { Shape::Int(inside) };
    match rng.below(14) {
        // Blocks lie into each other now and then.
        0 => call("RtlAllocateHeap", &[("size", Shape::Int(rng.pick(&[16, 48, 100])))]),
        1..=3 => {
            let named = ("name", Shape::text("RtlAllocateHeap"));
            ("kernel.return", Shape::map(&[named, ("return_value", Shape::Int(address))]))
        }
        4 if rng.chance(30) => call("RtlFreeHeap", &[("flags", Shape::Int(0)), ("block", Shape::Int(address))]),
        4..=10 => call("KeWait", &[("it", spelled), ("handle", Shape::Int(handle))]),
        11 => {
            let kind = if rng.chance(70) { "handle.create" } else { "handle.destroy" };
            (kind, Shape::map(&[("handle_semantic_id", Shape::text("Event/9")), ("raw_handle_id", Shape::Int(handle))]))
        }
        12 => ("thread.create", Shape::map(&[("tid", Shape::Int(tid))])),
        _ => call("KeResume", &[("tid", Shape::Int(tid)), ("handles", Shape::List(vec![Shape::Int(handle)]))]),
    }
}

/// Moves the heap, the handles and the thread ids that lie in it somewhere else, wherever they are told.
pub fn move_objects(events: &mut [Event], by: [i128; 3]) {
    for payload in events.iter_mut().filter_map(|event| event.payload.as_mut()) {
        move_values(payload, by);
    }
}

/// Where a value lies once objects were moved, if it is one of theirs.
fn moved_by(n: i128, by: [i128; 3]) -> Option<i128> {
    let ranges = [(HEAP, 0x1000), (HANDLES, 0x100), (THREADS, 0x10)];
    let at = ranges.iter().position(|(from, len)| (*from..from + len).contains(&n))?;
    Some(n + by[at])
}

fn move_values(shape: &mut Shape, by: [i128; 3]) {
    let moved = |n: i128| moved_by(n, by);
    match shape {
        Shape::Int(n) => *n = moved(*n).unwrap_or(*n),
        Shape::Text(text) => {
            let spelled = text.strip_prefix("0x").and_then(|digits| i128::from_str_radix(digits, 16).ok());
            if let Some(n) = spelled.and_then(moved) {
                *text = format!("{n:#x}");
            }
        }
        Shape::List(items) => items.iter_mut().for_each(|item| move_values(item, by)),
        Shape::Map(members) => members.iter_mut().for_each(|(_, value)| move_values(value, by)),
        _ => {}
    }
}

/// A return: a number, its hex spelling beside it, sometimes a failure or something odd.
fn returned(rng: &mut Rng, name: Shape) -> Shape {
    let n: i128 = rng.pick(&[0, 0, 1, 4096, 0x4010_5000, 0xC000_0017, -1_073_741_801, 0xC001_0000]);
    let value = match rng.below(12) {
        0 => Shape::raw("null"),
        1 => Shape::Text(format!("0x{:x}", n.rem_euclid(1 << 32))),
        2 => value(rng, 1),
        _ => Shape::Int(n),
    };
    let spelled = n.rem_euclid(if rng.chance(80) { 1 << 32 } else { 1 << 64 });
    let status = match rng.below(8) {
        0 => Shape::text("0x77"),
        1 => Shape::Text(format!("0X{spelled:016X}")),
        _ => Shape::Text(format!("0x{spelled:08x}")),
    };
    let mut members = vec![("name".to_owned(), name)];
    if rng.chance(90) {
        members.push(("return_value".to_owned(), value));
    }
    if rng.chance(80) {
        members.push(("status".to_owned(), status));
    }
    Shape::Map(members)
}

/// Any value at all, seldom deep.
pub fn value(rng: &mut Rng, depth: usize) -> Shape {
    match rng.below(if depth > 0 { 16 } else { 12 }) {
        0 => Shape::raw("null"),
        1 => Shape::raw(rng.pick(&["true", "false"])),
        2 => Shape::raw(rng.pick(&["NaN", "Infinity", "-Infinity"])),
        3 => Shape::raw(rng.pick(&[
            "1e400",
            "12345678901234567890123456789012345678901",
            "-0.0",
            "0.1",
            "1e-7",
            "9007199254740993",
        ])),
        4 => Shape::raw(rng.pick(&["\"\\ud800\"", "\"\\ud801\"", "\"\\udc00x\"", "\"\\ud83d\\ude00\""])),
        5 => Shape::text(rng.pick(&["", "é", "😀", "a\tb", "\u{2028}", "{\"kind\":"])),
        6..=8 => Shape::Int(rng.below(5) as i128 * 100),
        9..=11 => Shape::text(rng.pick(&["a", "b", "0x10"])),
        12 | 13 => Shape::List((0..rng.below(4)).map(|_| value(rng, depth - 1)).collect()),
        _ => Shape::Map(
            (0..rng.below(4)).map(|at| (["x", "y", "a.b", "z/~"][at].to_owned(), value(rng, depth - 1))).collect(),
        ),
    }
}

/// What differs without counting: handles, durations, addresses, nulls for nothing.
pub fn noise(events: &mut [Event], percent: usize, rng: &mut Rng) {
    for event in events {
        if !rng.chance(percent) {
            continue;
        }
        if rng.chance(10) {
            event.nondeterministic = !event.nondeterministic;
        }
        let Some(members) = event.payload.as_mut().and_then(Shape::members) else { continue };
        let allocator = members.iter().any(|(_, value)| ALLOCATORS.iter().any(|name| *value == Shape::text(name)));
        let mut address = None;
        for (key, value) in members.iter_mut() {
            match (key.as_str(), &mut *value) {
                // Objects that are used elsewhere move together, or not at all.
                (_, Shape::Int(n)) if moved_by(*n, [0; 3]).is_some() => {}
                ("raw_handle_id" | "wait_duration_cycles", value) => *value = Shape::Int(rng.below(90) as i128),
                ("return_value", Shape::Int(n)) if allocator && *n >= 4096 => {
                    *n = 0x1000 * (1 + rng.below(5000) as i128);
                    address = Some(*n);
                }
                ("status", value) => {
                    if let Some(n) = address {
                        *value = Shape::Text(format!("0x{n:08x}"));
                    }
                }
                _ => {}
            }
        }
        if rng.chance(10) {
            members.push(("nothing".to_owned(), Shape::raw("null")));
        }
    }
}

/// One change of the candidate that counts (or may count).
pub fn edit(events: &mut Vec<Event>, rng: &mut Rng) {
    if events.is_empty() {
        return;
    }
    let at = rng.below(events.len());
    let least = events[at].ordinal;
    match rng.below(17) {
        14 | 15 => {
            // One event comes some places later or earlier; ordinals stay where they are.
            let to = (at + rng.below(7)).saturating_sub(3).min(events.len() - 1);
            let ordinals: Vec<u64> = events.iter().map(|event| event.ordinal).collect();
            let moved = events.remove(at);
            events.insert(to, moved);
            for (event, ordinal) in events.iter_mut().zip(ordinals) {
                event.ordinal = ordinal;
            }
        }
        16 => drop(events.drain(..at.min(rng.below(6)))),
        0 | 1 => {
            let dropped = events.remove(at);
            if rng.chance(70) {
                shift(events, at, dropped.ordinal, -1);
            }
        }
        2 | 3 => {
            let mut new = any_event(rng);
            new.ordinal = events[at].ordinal;
            shift(events, at, new.ordinal, 1);
            events.insert(at, new);
        }
        4 if at + 1 < events.len() => {
            let (a, b) = (events[at].ordinal, events[at + 1].ordinal);
            events.swap(at, at + 1);
            (events[at].ordinal, events[at + 1].ordinal) = (a, b);
        }
        5 => shift(events, at, least, 1 + rng.below(3) as i64),
        6 => events.truncate(at),
        7 => events[at].kind = Some(Shape::text(rng.pick(&["wait.begin", "kernel.call", "step"]))),
        8 => events[at].payload = Some(value(rng, 2)),
        9 => {
            let mut new: Vec<Event> = (0..1 + rng.below(6)).map(|_| any_event(rng)).collect();
            for (n, event) in new.iter_mut().enumerate() {
                event.ordinal = events[at].ordinal + n as u64;
            }
            shift(events, at, least, new.len() as i64);
            events.splice(at..at, new);
        }
        _ => {
            let fresh = value(rng, 1);
            if let Some(members) = events[at].payload.as_mut().and_then(Shape::members) {
                let place = rng.below(members.len() + 1);
                match members.get_mut(place) {
                    None => members.push(("extra".to_owned(), fresh)),
                    Some(_) if rng.chance(25) => drop(members.remove(place)),
                    Some((_, Shape::Map(inner))) if !inner.is_empty() => inner[0].1 = fresh,
                    Some((_, value)) => *value = fresh,
                }
            }
        }
    }
}

/// Moves the ordinals of one generation from a place on.
fn shift(events: &mut [Event], from: usize, least: u64, by: i64) {
    let mut before = least;
    for event in &mut events[from..] {
        if event.ordinal < before {
            break;
        }
        before = event.ordinal;
        event.ordinal = event.ordinal.saturating_add_signed(by);
    }
}
