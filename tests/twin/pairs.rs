//! Random pairs of logs, from a seed.

use super::damage::damage;
use super::model::{Event, Thread, edit, life, move_objects, noise};
use super::ruled;
use super::shapes::{Rng, Shape, Style, blank, member};

/// Two logs and the flags they are compared with.
#[derive(Clone, Debug)]
pub struct Case {
    /// Each log's lines, with their line feeds.
    pub lines: [Vec<Vec<u8>>; 2],
    pub flags: Vec<String>,
}

/// Which kinds of logs are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Sound schema-v1 logs.
    Sound,
    /// Schema-v1 logs with damaged lines.
    Damaged,
    /// Logs of other kinds, under `--profile generic`.
    Generic,
    /// The same under a profile with rules of every class.
    Ruled,
    /// The same, and events are taken out.
    Events,
    /// More events than pairing waits for.
    Long,
}

impl Case {
    pub fn bytes(&self, side: usize) -> Vec<u8> {
        self.lines[side].concat()
    }
}

/// How one log writes its lines.
#[derive(Clone, Debug)]
struct Layout {
    style: Style,
    /// Payload last, payload first, sorted, or anyhow on every line.
    order: usize,
    /// Where an array that is no role stands among the members, if there is one.
    beside: Option<usize>,
    names: Names,
    crlf: bool,
    ended: bool,
}

/// The roles' keys; a role that is `None` is not written.
#[derive(Clone, Debug)]
struct Names {
    thread: Vec<&'static str>,
    ordinal: Option<&'static str>,
    kind: Option<&'static str>,
    /// `None`: the payload's members stand in the line itself.
    payload: Option<&'static str>,
    header: bool,
}

const SCHEMA_V1: Names = Names {
    thread: Vec::new(),
    ordinal: Some("tid_event_idx"),
    kind: Some("kind"),
    payload: Some("payload"),
    header: true,
};

/// The case of a seed.
pub fn case(family: Family, seed: u64) -> Case {
    let mut rng = Rng::new(seed);
    if family == Family::Long {
        return super::long::case(&mut rng);
    }
    let (names, mut flags) = names(family, &mut rng);
    let [reference, mut candidate] = threads(&names, &mut rng);
    // Two runs that differ in what rules on events are for, if in anything.
    let is_quiet = family == Family::Events && rng.chance(30);
    let percent = rng.pick(&[0, 0, 30, 100]) * usize::from(!is_quiet);
    // Another heap, other handles, other thread ids, or some of these.
    let moved = [0x10_0000, 0x1000, 0x20].map(|by| if rng.chance(60) && !is_quiet { by } else { 0 });
    let is_ruled = matches!(family, Family::Ruled | Family::Events);
    let bent = if is_ruled && !is_quiet { rng.pick(&[2, 10, 60]) } else { 0 };
    let halved = if family == Family::Events { rng.pick(&[0, 20, 100]) } else { 0 };
    for thread in &mut candidate {
        noise(&mut thread.events, percent, &mut rng);
        move_objects(&mut thread.events, moved);
        if is_ruled {
            ruled::bend(&mut thread.events, bent, &mut rng);
        }
        if family == Family::Events {
            ruled::split(&mut thread.events, halved, &mut rng);
        }
        if !is_quiet && rng.chance(45) {
            for _ in 0..1 + rng.below(2) {
                edit(&mut thread.events, &mut rng);
            }
        }
    }
    let keys =
        [&reference, &candidate].map(|threads| threads.iter().map(|thread| key_text(&thread.key)).collect::<Vec<_>>());
    let plain = rng.chance(30);
    // Of its own, so that what is drawn else stays what it was.
    let mut others = Rng::new(!seed);
    let mut lines = [reference, candidate].map(|threads| {
        let style = if plain || rng.chance(30) { Style::PLAIN } else { Style::random(&mut rng) };
        let order = if plain || rng.chance(40) { 0 } else { rng.below(4) };
        let beside = beside(&names, &mut others);
        let layout = Layout { style, order, beside, names: names.clone(), crlf: rng.chance(8), ended: rng.chance(85) };
        write_log(threads, &layout, &mut rng)
    });
    if family == Family::Damaged {
        damage(&mut lines, &mut rng);
    } else if rng.chance(10) {
        let side = rng.below(2);
        tear(&mut lines[side], &mut rng);
    }
    flags.extend(choices(family, &names, &keys, &mut rng));
    Case { lines, flags }
}

fn beside(names: &Names, rng: &mut Rng) -> Option<usize> {
    // Without a payload of their own all members are compared.
    (names.payload.is_some() && rng.chance(40)).then(|| rng.below(7))
}

/// Cuts a log's last line short.
pub fn tear(lines: &mut [Vec<u8>], rng: &mut Rng) {
    if let Some(last) = lines.last_mut() {
        let keep = rng.below(last.len());
        last.truncate(keep);
    }
}

fn key_text(key: &Shape) -> String {
    match key {
        Shape::Text(text) => format!("\"{text}\""),
        Shape::Int(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}

fn names(family: Family, rng: &mut Rng) -> (Names, Vec<String>) {
    if !matches!(family, Family::Generic | Family::Ruled | Family::Events) {
        return (Names { thread: vec!["tid"], ..SCHEMA_V1 }, Vec::new());
    }
    let is_ruled = matches!(family, Family::Ruled | Family::Events);
    let inside = is_ruled && rng.chance(50);
    let ground = if inside { ruled::MODEL_INSIDE } else { ruled::MODEL };
    let mut profile = if is_ruled { ruled::profile(&ground, rng) } else { "generic".to_owned() };
    if family == Family::Events {
        profile.push_str(&ruled::event_rules(&ground, rng));
    }
    let mut flags = vec!["--profile".to_owned(), profile];
    let mut flag = |name: &str, value: &str| flags.extend([name.to_owned(), value.to_owned()]);
    let thread = match rng.below(5) {
        0 => Vec::new(),
        1 => vec!["cpu", "task"],
        _ => vec!["tid"],
    };
    if !thread.is_empty() {
        flag("--thread", &thread.join(","));
    }
    let ordinal = rng.chance(70).then_some("seq");
    ordinal.iter().for_each(|name| flag("--ordinal", name));
    let kind = rng.chance(75).then_some("op");
    kind.iter().for_each(|name| flag("--kind", name));
    let payload = match family {
        Family::Ruled | Family::Events => inside.then_some("data"),
        _ => rng.chance(50).then_some("data"),
    };
    payload.iter().for_each(|name| flag("--payload", name));
    let inside = |key: &str| payload.map_or(key.to_owned(), |name| format!("{name}.{key}"));
    if rng.chance(30) {
        flag("--ignore", &inside("n"));
    }
    if rng.chance(30) {
        flag("--mask", &format!("{}=0x{:x}", inside("ord"), 1 + rng.below(8)));
    }
    (Names { thread, ordinal, kind, payload, header: false }, flags)
}

fn choices(family: Family, names: &Names, keys: &[Vec<String>; 2], rng: &mut Rng) -> Vec<String> {
    let mut flags: Vec<&str> = Vec::new();
    // Where events are taken out nothing tells which of them a skipped line was.
    if family != Family::Events && rng.chance(if family == Family::Damaged { 45 } else { 3 }) {
        flags.extend(["--malformed", "skip"]);
    }
    for (flag, percent) in [("--strict", 8), ("--prefix", 8), ("--ignore-unmatched", 8), ("--skip-nondeterministic", 8)]
    {
        if rng.chance(percent) && (names.header || flag != "--skip-nondeterministic") {
            flags.push(flag);
        }
    }
    let count = rng.below(4).to_string();
    if rng.chance(5) {
        flags.extend(["--skip-start", &count]);
    }
    let rule = rng.pick(&["allocator-returns", "null-equals-missing", "raw-handle", "wait-duration"]);
    if names.header && rng.chance(8) {
        flags.extend(["--without", rule]);
    }
    let mut map = String::new();
    match rng.below(12) {
        0 => map.push_str("same"),
        1 if names.thread.len() == 1 => {
            let mut candidates = keys[1].clone();
            rng.shuffle(&mut candidates);
            let some = keys[0].iter().zip(&candidates).take(1 + rng.below(3));
            map = some.map(|(r, c)| format!("{r}={c}")).collect::<Vec<_>>().join(",");
        }
        _ => {}
    }
    if !map.is_empty() {
        flags.extend(["--map", &map]);
    }
    flags.into_iter().map(str::to_owned).collect()
}

/// The threads of both sides before the candidate's edits.
fn threads(names: &Names, rng: &mut Rng) -> [Vec<Thread>; 2] {
    let count = if names.thread.is_empty() { 1 } else { rng.pick(&[0, 1, 1, 2, 3, 4, 5, 8, 50]) };
    let length = rng.pick(&[1, 3, 8, 20, 80, 300]);
    let length = if count > 5 { length.min(20) } else { length };
    let mut lives: Vec<Vec<Event>> = Vec::new();
    for _ in 0..count {
        // Equal workers, or workers that part only later.
        let mut events = match lives.last() {
            Some(last) if rng.chance(35) => last.clone(),
            _ => {
                let length = 1 + rng.below(length);
                life(rng, length)
            }
        };
        if rng.chance(15) {
            edit(&mut events, rng);
        }
        lives.push(events);
    }
    let renumbered = rng.chance(60);
    let mut sides = [0, 1].map(|side| {
        let mut keys: Vec<Shape> = (0..count).map(|at| Shape::Int(6 + at as i128)).collect();
        if side == 1 && renumbered {
            keys = (0..count).map(|at| Shape::Int(1 + at as i128)).collect();
            rng.shuffle(&mut keys);
        }
        if rng.chance(10) {
            keys = keys.into_iter().map(|key| Shape::Text(format!("w{}", key_text(&key)))).collect();
        }
        keys.into_iter().zip(&lives).map(|(key, events)| Thread { key, events: events.clone() }).collect::<Vec<_>>()
    });
    for side in &mut sides {
        if !side.is_empty() && rng.chance(8) {
            let lost = rng.below(side.len());
            side.remove(lost);
        }
    }
    sides
}

/// Writes the threads' events in some interleaving.
fn write_log(mut threads: Vec<Thread>, layout: &Layout, rng: &mut Rng) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    if layout.names.header {
        let mut header = String::from("{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":\"e\"");
        header.push_str(if rng.chance(50) { ",\"x\":[1]}" } else { "}" });
        lines.push(header);
    }
    let slice = rng.pick(&[1, 3, 20, 1_000_000]);
    if rng.chance(30) {
        rng.shuffle(&mut threads);
    }
    // Threads are born one after the other, some late.
    let births: Vec<usize> = (0..threads.len()).map(|at| if rng.chance(30) { rng.below(60) } else { at }).collect();
    let mut places = vec![0; threads.len()];
    loop {
        let alive: Vec<usize> = (0..threads.len()).filter(|&at| places[at] < threads[at].events.len()).collect();
        if alive.is_empty() {
            break;
        }
        let born: Vec<usize> = alive.iter().copied().filter(|&at| births[at] <= lines.len()).collect();
        let now = if born.is_empty() { alive[0] } else { rng.pick(&born) };
        for _ in 0..1 + rng.below(slice) {
            let Some(event) = threads[now].events.get(places[now]) else { break };
            lines.push(line(&threads[now].key, event, layout, rng));
            places[now] += 1;
        }
    }
    let last = lines.len().saturating_sub(1);
    let end = if layout.crlf { "\r\n" } else { "\n" };
    let ends = |at: usize| if at == last && !layout.ended { "" } else { end };
    lines.into_iter().enumerate().map(|(at, line)| format!("{line}{}", ends(at)).into_bytes()).collect()
}

/// One event as a line.
fn line(key: &Shape, event: &Event, layout: &Layout, rng: &mut Rng) -> String {
    let names = &layout.names;
    let mut members: Vec<(&str, Shape)> = Vec::new();
    if let (Some(name), Some(kind)) = (names.kind, &event.kind) {
        members.push((name, kind.clone()));
    }
    match names.thread.as_slice() {
        [] => {}
        [name] => members.push((name, key.clone())),
        [first, second, ..] => members.extend([(*first, Shape::Int(3)), (*second, key.clone())]),
    }
    members.extend(names.ordinal.map(|name| (name, Shape::Int(event.ordinal.into()))));
    if names.header {
        members.push(("host_ns", Shape::Int(rng.below(1000) as i128)));
        members.push(("deterministic", Shape::raw(if event.nondeterministic { "false" } else { "true" })));
    }
    let mut payload = event.payload.clone();
    match (names.payload, &mut payload) {
        (Some(name), Some(payload)) => members.push((name, payload.clone())),
        (None, Some(Shape::Map(inner))) => {
            let inner: &Vec<(String, Shape)> = inner;
            for (key, value) in inner {
                members.push((Box::leak(key.clone().into_boxed_str()), value.clone()));
            }
        }
        (None, Some(other)) => members.push(("value", other.clone())),
        (_, None) => {}
    }
    match layout.order {
        1 if !members.is_empty() => members.rotate_right(1),
        2 => members.sort_by_key(|member| member.0),
        3 => rng.shuffle(&mut members),
        _ => {}
    }
    if let Some(at) = layout.beside {
        members.insert(at.min(members.len()), ("beside", Shape::raw("[{\"tid\":1},2]")));
    }
    let mut out = String::new();
    blank(layout.style, rng, &mut out);
    out.push('{');
    for (at, (key, value)) in members.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        member(key, value, layout.style, rng, &mut out);
    }
    out.push('}');
    blank(layout.style, rng, &mut out);
    out
}
