//! Where a differing value came from: cases with known truth, by seed, and a large log in which it is mentioned once.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::program::watched;
use super::table::machine;
use super::{Hindered, Program, Room, Shown, Table};
use crate::generate::numbers::Random;

pub struct Asked {
    /// Cases with known truth.
    pub cases: u64,
    /// Bytes of each side of the large pair.
    pub size: u64,
    pub rounds: usize,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    let mut wrong = planted(program, room, asked.cases)?;
    if asked.size > 0 {
        wrong.extend(large(program, room, asked.size, asked.rounds)?);
    }
    Ok(wrong)
}

/// An event of both logs: what it says, and which of the two values it really mentions.
struct Event {
    text: String,
    mentions: [bool; 2],
}

/// A case: the threads' events, and where one thread parts.
struct Case {
    threads: Vec<Vec<Event>>,
    thread: usize,
    position: usize,
    values: [String; 2],
}

/// A value in some usual spelling.
fn spelled(random: &mut Random, value: u64) -> String {
    match random.below(5) {
        0 | 1 => value.to_string(),
        2 => format!("\"{value:#x}\""),
        3 => format!("\"0X{value:016X}\""),
        _ => format!("\"{value}\""),
    }
}

/// What looks like a mention and is none.
fn decoy(random: &mut Random, value: u64) -> String {
    match random.below(5) {
        0 => format!("{{\"{value}\":1}}"),
        1 => format!("{{\"n\":{value}7}}"),
        2 => format!("{{\"text\":\"took {value} and {value:#x}\"}}"),
        3 => format!("{{\"n\":{value}.25}}"),
        _ => format!("{{\"n\":\"{value:#x}0\"}}"),
    }
}

fn case(seed: u64) -> Case {
    let random = &mut Random::new(seed, "origin", 0);
    let values: [u64; 2] = match random.below(3) {
        0 => [0x1001 + random.below(60_000), 0x2_0001 + random.below(60_000)],
        1 => [0xC000_0001 + random.below(0xFFFF), 0x4000_1001 + random.below(0xFFFF_FFFF)],
        _ => [0x7F30_0000_1001 + random.below(1 << 40), 0x5500_0000_1003 + random.below(1 << 40)],
    };
    // Zeros at the end would make few digits of many.
    let values = values.map(|value| if value % 10 == 0 { value + 3 } else { value });
    let count = 1 + random.below(6) as usize;
    let often = [0.0, 0.0005, 0.002, 0.02][random.below(4) as usize];
    let threads: Vec<Vec<Event>> = (0..count)
        .map(|thread| {
            (0..300 + random.below(1_500))
                .map(|at| {
                    let mut mentions = [false, false];
                    let mut text = format!("{{\"thread\":\"t{thread}\",\"n\":{}}}", at % 97);
                    if random.chance(0.01) {
                        let like = values[random.below(2) as usize];
                        text = decoy(random, like);
                    }
                    if random.chance(often) {
                        let both = random.chance(0.4);
                        let one = random.below(2) as usize;
                        mentions = [both || one == 0, both || one == 1];
                        let said = (0..2).filter(|side| mentions[*side]).map(|side| spelled(random, values[side]));
                        text = format!("{{\"args\":[{}]}}", said.collect::<Vec<_>>().join(","));
                    }
                    Event { text, mentions }
                })
                .collect()
        })
        .collect();
    let thread = random.below(count as u64) as usize;
    let position = 80 + random.below(threads[thread].len() as u64 - 80) as usize;
    let values = values.map(|value| spelled(random, value));
    Case { threads, thread, position, values }
}

/// What must be told of one side: the line and place of the last event that mentions its value.
type Truth = Option<(u64, usize, usize)>;

/// Writes one side, its threads interleaved in a way of its own, and says what is true of it.
fn write(case: &Case, seed: u64, side: usize, path: &Path) -> Result<Truth, Hindered> {
    let random = &mut Random::new(seed, "interleaving", side as u64);
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "{{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":\"side-{side}\"}}")?;
    let mut next = vec![0; case.threads.len()];
    let (mut line, mut truth, mut is_behind) = (1, None, false);
    while next.iter().zip(&case.threads).any(|(next, events)| *next < events.len()) {
        let thread = random.below(case.threads.len() as u64) as usize;
        for _ in 0..1 + random.below(20) {
            let Some(event) = case.threads[thread].get(next[thread]) else { break };
            let at = next[thread];
            next[thread] += 1;
            line += 1;
            let is_here = (thread, at) == (case.thread, case.position);
            let text = match is_here {
                true => format!("{{\"result\":{},\"args\":[]}}", case.values[side]),
                false => event.text.clone(),
            };
            is_behind |= is_here;
            if !is_behind && event.mentions[side] {
                truth = Some((line, thread, at));
            }
            let tid = thread + 10 * (side + 1);
            writeln!(file, "{{\"kind\":\"call\",\"tid\":{tid},\"tid_event_idx\":{at},\"payload\":{text}}}")?;
        }
    }
    file.flush()?;
    Ok(truth)
}

/// What is wrong with what a report says of one case.
fn held(report: &Value, truth: [Truth; 2], knows_all: bool) -> Vec<String> {
    let origin = &report["origin"];
    let mut wrong = Vec::new();
    for (side, name) in ["reference", "candidate"].into_iter().enumerate() {
        let told = &origin[name];
        let must = truth[side].map_or(json!(null), |(line, thread, at)| json!([line, thread + 10 * (side + 1), at]));
        let told = if told.is_null() { json!(null) } else { json!([told["line"], told["tid"], told["position"]]) };
        if told != must {
            wrong.push(format!("{name}: told {told}, true {must}"));
        }
    }
    let (paired, agreed) = match truth {
        [Some((_, thread, at)), Some((_, other, there))] if (thread, at) == (other, there) => {
            (json!(true), json!(true))
        }
        [Some(_), Some(_)] => (json!(false), json!(null)),
        _ => (json!(null), json!(null)),
    };
    if knows_all && (&origin["paired"], &origin["agreed"]) != (&paired, &agreed) {
        wrong.push(format!("paired {}, agreed {}; true {paired}, {agreed}", origin["paired"], origin["agreed"]));
    }
    wrong
}

const WAYS: [&[&str]; 6] =
    [&[], &["--jobs", "1"], &["--no-mmap"], &["--window", "4K"], &["--first"], &["--jobs", "3", "--window", "300"]];

fn planted(program: &Program, room: &Room, cases: u64) -> Shown {
    let logs = ["planted-a.jsonl", "planted-b.jsonl"].map(|name| room.path(name));
    let mut wrong = Vec::new();
    let (mut both, mut partners, mut nowhere) = (0, 0, 0);
    for seed in 1..=cases {
        let case = case(seed);
        let truth = [write(&case, seed, 0, &logs[0])?, write(&case, seed, 1, &logs[1])?];
        let mut map = String::new();
        for thread in 0..case.threads.len() {
            let comma = if thread > 0 { "," } else { "" };
            write!(map, "{comma}{}={}", thread + 10, thread + 20)?;
        }
        let way = WAYS[(seed % WAYS.len() as u64) as usize];
        let flags = [&["--map", map.as_str()], way].concat();
        let run = program.diff(&flags, &logs[0], &logs[1])?;
        let found = held(&run.report()?, truth, !way.contains(&"--first"));
        wrong.extend(found.into_iter().map(|found| format!("origin, seed {seed} {way:?}: {found}")));
        let is_one = truth[0].map(|place| (place.1, place.2)) == truth[1].map(|place| (place.1, place.2));
        both += u64::from(truth.iter().all(Option::is_some));
        partners += u64::from(truth[0].is_some() && is_one);
        nowhere += truth.iter().filter(|truth| truth.is_none()).count();
    }
    let mut table =
        Table::new(&["planted cases", "both sides mentioned", "by partners", "values mentioned nowhere", "wrong"]);
    table.row([
        cases.to_string(),
        both.to_string(),
        partners.to_string(),
        nowhere.to_string(),
        wrong.len().to_string(),
    ]);
    table.print();
    Ok(wrong)
}

/// The two values of the large pair, and where both are mentioned, in events of the log.
const LARGE_VALUES: [u64; 2] = [0x7F30_1234_5678, 0x5500_DEAD_BEEF];
const LARGE_PLACE: u64 = 1_000;

/// A log of eight threads whose last events differ between the two sides.
fn write_large(path: &Path, side: usize, size: u64, is_mentioned: bool) -> Result<u64, Hindered> {
    let random = &mut Random::new(1, "large", 0);
    let mut file = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
    let mut text = format!("{{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":\"side-{side}\"}}\n");
    let (mut written, mut at) = (0, 0u64);
    while written < size {
        let (tid, ordinal, number) = (at % 8 + 1, at / 8, random.next());
        let payload = match at {
            LARGE_PLACE if is_mentioned => format!("{{\"blocks\":[{},\"{:#x}\"]}}", LARGE_VALUES[0], LARGE_VALUES[1]),
            _ => format!(
                "{{\"name\":\"NtReadFile\",\"args\":{{\"handle\":\"{:#x}\",\"offset\":{},\"length\":{}}},\"return_value\":{}}}",
                number >> 40,
                (number & 0xFFFF_FFFF) * 512,
                number >> 52,
                at % 7
            ),
        };
        writeln!(
            text,
            "{{\"kind\":\"kernel.return\",\"tid\":{tid},\"tid_event_idx\":{ordinal},\"deterministic\":true,\"host_ns\":{},\
             \"guest_cycle\":{},\"payload\":{payload}}}",
            at * 1_013,
            at * 77
        )?;
        at += 1;
        written += text.len() as u64;
        file.write_all(text.as_bytes())?;
        text.clear();
    }
    let (tid, ordinal, value) = (at % 8 + 1, at / 8, LARGE_VALUES[side]);
    writeln!(file, "{{\"kind\":\"call\",\"tid\":{tid},\"tid_event_idx\":{ordinal},\"payload\":{{\"p\":{value}}}}}")?;
    file.flush()?;
    Ok(written)
}

fn large(program: &Program, room: &Room, size: u64, rounds: usize) -> Shown {
    room.demand(size * 2)?;
    println!("{} MB a side, in the page cache; medians of {rounds} rounds; {}\n", size / 1_000_000, machine());
    let mut wrong = Vec::new();
    let head = [
        "the value is mentioned",
        "searched, s",
        "GB/s of a log",
        "GB/s of both",
        "counted, s",
        "whole run, s",
        "without, s",
    ];
    let mut table = Table::new(&head);
    for is_mentioned in [true, false] {
        let logs: [PathBuf; 2] = ["large-a.jsonl", "large-b.jsonl"].map(|name| room.path(name));
        for (side, log) in logs.iter().enumerate() {
            write_large(log, side, size, is_mentioned)?;
        }
        let limit = (size * 2).to_string();
        let mut figures: [Vec<f64>; 4] = Default::default();
        let mut searched_bytes = 0;
        for _ in 0..=rounds {
            let run = watched(&mut program.diff_command(&["-v", "--origin-limit", &limit], &logs[0], &logs[1]))?;
            let without = watched(&mut program.diff_command(&["--origin-limit", "0"], &logs[0], &logs[1]))?;
            let report = run.report()?;
            let told = ["reference", "candidate"].map(|side| report["origin"][side]["line"].clone());
            let must = if is_mentioned { json!(LARGE_PLACE + 2) } else { json!(null) };
            if told != [must.clone(), must.clone()] {
                wrong.push(format!("origin, large: lines {told:?}, true {must}"));
            }
            let [searched, counted] = times(&run.stderr)?;
            searched_bytes = report["origin"]["searched_bytes"][0].as_u64().unwrap_or(0);
            for (figures, seconds) in figures.iter_mut().zip([searched, counted, run.seconds, without.seconds]) {
                figures.push(seconds);
            }
        }
        // The first round warms the page cache.
        let [searched, counted, whole, without] = figures.map(|figures| median(figures[1..].to_vec()));
        let rate = searched_bytes as f64 / 1e9 / searched;
        table.row([
            if is_mentioned { "once, near the beginning" } else { "nowhere" }.to_owned(),
            format!("{searched:.3}"),
            format!("{rate:.1}"),
            format!("{:.1}", rate * 2.0),
            format!("{counted:.3}"),
            format!("{whole:.2}"),
            format!("{without:.2}"),
        ]);
        for log in logs {
            std::fs::remove_file(log)?;
        }
    }
    table.print();
    println!("both logs are searched at the same time; must: 2 GB/s; forkpoint diff --origin-limit BYTES -v A B");
    Ok(wrong)
}

/// The seconds that the slower side took to search and to count.
fn times(told: &str) -> Result<[f64; 2], Hindered> {
    let mut slowest: [f64; 2] = [0.0, 0.0];
    for line in told.lines().filter_map(|line| line.split_once(" searched backward in ")) {
        let seconds: Vec<f64> = line.1.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [searched, counted] = seconds[..] else { return Err(format!("no times in {told}").into()) };
        slowest = [slowest[0].max(searched), slowest[1].max(counted)];
    }
    if slowest[0] > 0.0 { Ok(slowest) } else { Err(format!("no times in {told}").into()) }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}
