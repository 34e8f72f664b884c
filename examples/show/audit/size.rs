//! Large logs: how fast, with how much memory, and whether the answer is right.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::Value;

use super::super::pairs::make;
use super::super::program::watched;
use super::super::rounds::{Entrant, race};
use super::super::table::machine;
use super::super::{Hindered, Program, Room, Shown, Table};
use super::lives::{self, Lives};
use crate::generate::Size;
use crate::generate::catalogue::plain;

pub fn show(program: &Program, room: &Room, size: u64, rounds: usize) -> Shown {
    room.demand(size * 3)?;
    println!("{} MB; medians of {rounds} rounds; {}\n", size / 1_000_000, machine());
    let mut table =
        Table::new(&["log", "audit, s", "MB/s", "CPU, s", "of no file, MB", "resident, MB", "cmp, s", "answer"]);
    let mut wrong = Vec::new();

    let log = room.path("lives.jsonl");
    let written = Lives::write(BufWriter::with_capacity(1 << 20, File::create(&log)?), u64::MAX, size)?;
    let every = |code, report: &Value| lives::hold(&written, code, report);
    wrong.extend(row(program, room, &log, rounds, ("every line a step", &every), &mut table)?);
    std::fs::remove_file(&log)?;

    let made = make(room, "plain", plain(Size::Bytes(size)))?;
    let events = made.truth.events();
    let planted = plant(&made.reference)?;
    let some = |code, report: &Value| hold(events + planted, code, report);
    wrong.extend(row(program, room, &made.reference, rounds, ("as engines write", &some), &mut table)?);
    made.remove()?;
    table.print();
    Ok(wrong)
}

/// What is wrong with an exit code and a report.
type Judge<'j> = dyn Fn(Option<i32>, &Value) -> Vec<String> + 'j;

/// Times one log, and holds what is said of it.
fn row(
    program: &Program,
    room: &Room,
    log: &Path,
    rounds: usize,
    (name, hold): (&str, &Judge<'_>),
    table: &mut Table,
) -> Shown {
    let copy = room.path("copy.jsonl");
    std::fs::copy(log, &copy)?;
    let audit = || {
        let mut command = program.command(["audit", "--format", "json"]);
        command.arg(log);
        command
    };
    let run = watched(&mut audit())?;
    let figures = race(&[Entrant::new("audit", run.code.unwrap_or(-1), audit), Entrant::cmp(log, &copy)], rounds)?;
    let mut wrong = match run.report() {
        Ok(report) => hold(run.code, &report),
        Err(error) => vec![error.to_string()],
    };
    wrong.extend(figures.iter().flat_map(|figures| figures.wrong.clone()));
    table.row([
        name.to_owned(),
        format!("{:.2}", figures[0].wall()),
        format!("{:.0}", std::fs::metadata(log)?.len() as f64 / 1e6 / figures[0].wall()),
        format!("{:.2}", figures[0].cpu()),
        format!("{:.1}", run.anonymous),
        format!("{:.1}", run.resident),
        format!("{:.2}", figures[1].wall()),
        if wrong.is_empty() { "right" } else { "WRONG" }.to_owned(),
    ]);
    std::fs::remove_file(copy)?;
    Ok(wrong.into_iter().map(|why| format!("{name}: {why}")).collect())
}

/// At the end of a log: a thread waits for an event of its own, which nobody sets. How many events that takes.
fn plant(log: &Path) -> Result<u64, Hindered> {
    let events = [
        ("kernel.call", "{\"name\":\"NtCreateEvent\",\"args\":{\"event_type\":1,\"initial_state\":false}}"),
        ("handle.create", "{\"handle_semantic_id\":\"event:planted\",\"object_type\":\"Event\"}"),
        ("wait.begin", "{\"handle_semantic_id\":\"event:planted\",\"timeout_ms\":null}"),
    ];
    let mut file = OpenOptions::new().append(true).open(log)?;
    for (at, (kind, payload)) in events.iter().enumerate() {
        writeln!(file, "{{\"kind\":\"{kind}\",\"tid\":\"vain\",\"tid_event_idx\":{at},\"payload\":{payload}}}")?;
    }
    Ok(events.len() as u64)
}

/// Of a log whose threads do anything, what is known: how much there is, and that one waits in vain.
fn hold(events: u64, code: Option<i32>, report: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if code != Some(1) && code != Some(3) {
        wrong.push(format!("exit {code:?}, must be 1 or 3"));
    }
    if report["log"]["events"] != events {
        wrong.push(format!("{events} events, {} told", report["log"]["events"]));
    }
    let waiting = report["waiting"].as_array().map_or(&[][..], Vec::as_slice);
    match waiting.iter().find(|one| one["thread"]["tid"] == "vain") {
        Some(one) if one["names"][0] == "event:planted" && one["reason"] == "never-signalled" => {}
        other => wrong.push(format!("one waits for event:planted, told: {other:?}")),
    }
    wrong
}
