//! A real program, run as it is and with one call forgotten: what an audit of its log says is what happened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::super::program::watched;
use super::super::table::machine;
use super::super::{Hindered, Program, Room, Shown, Table};
use super::judge::{hold, place};

/// How it went with the calls to one object.
#[derive(Default)]
struct Family {
    runs: u64,
    right: u64,
    waiting: usize,
    reasons: BTreeMap<String, u64>,
}

/// A run of the program: its log, and what truly happened.
struct Played {
    log: PathBuf,
    truth: Value,
}

pub fn show(program: &Program, room: &Room, runs: u64) -> Shown {
    println!("{runs} runs of examples/eventshim, and as many that forget a call; {}\n", machine());
    let (mut wrong, mut clean) = (Vec::new(), Family::default());
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for seed in 1..=runs {
        let whole = play(room, "whole.jsonl", seed, None)?;
        let why = judged(program, &whole, &mut clean)?;
        wrong.extend(why.into_iter().map(|why| format!("seed {seed}: {why}")));

        let less = play(room, "less.jsonl", seed, Some(seed))?;
        let left_out = &less.truth["left_out"];
        let call = format!("{} of {}", text(&left_out["function"]), object(left_out));
        let family = families.entry(call).or_default();
        let mut why = judged(program, &less, family)?;
        why.extend(told_by_both(program, &whole, &less)?);
        wrong.extend(why.into_iter().map(|why| format!("seed {seed}, {left_out}: {why}")));
    }
    let mut table = Table::new(&["forgotten", "runs", "right", "threads that wait", "said of who waits for it"]);
    for (call, family) in std::iter::once((&"nothing".to_owned(), &clean)).chain(&families) {
        let reasons: Vec<String> = family.reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        table.row([
            call.clone(),
            family.runs.to_string(),
            family.right.to_string(),
            family.waiting.to_string(),
            reasons.join(", "),
        ]);
    }
    table.print();
    Ok(wrong)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An object's name without its number.
fn object(left_out: &Value) -> String {
    let name = text(&left_out["object"]);
    let words: Vec<&str> = name.split(|c: char| c.is_ascii_digit()).filter(|word| !word.is_empty()).collect();
    words.join("#")
}

/// Runs the program to its end, which is where nobody can go on.
fn play(room: &Room, name: &str, seed: u64, without: Option<u64>) -> Result<Played, Hindered> {
    let (log, path) = (room.path(name), std::env::current_exe()?.with_file_name("eventshim"));
    let mut command = Command::new(&path);
    command.arg(&log).args(["--seed", &seed.to_string()]);
    if let Some(number) = without {
        command.args(["--without", &number.to_string()]);
    }
    let run = watched(&mut command)?;
    if run.code != Some(0) {
        return Err(format!("{}: exit {}; {}", path.display(), run.ended(), run.stderr).into());
    }
    Ok(Played { log, truth: serde_json::from_slice(&run.stdout)? })
}

/// What is not right in what is said of one log.
fn judged(program: &Program, played: &Played, family: &mut Family) -> Result<Vec<String>, Hindered> {
    let mut command = program.command(["audit", "--format", "json"]);
    let run = watched(command.arg(&played.log))?;
    let report = run.report()?;
    let wrong = hold(&played.truth, run.code, &report);
    let waiting = report["waiting"].as_array().map_or(&[][..], Vec::as_slice);
    family.runs += 1;
    family.right += u64::from(wrong.is_empty());
    family.waiting += waiting.len();
    for one in waiting.iter().filter(|one| one["names"][0] == played.truth["left_out"]["object"]) {
        *family.reasons.entry(text(&one["reason"])).or_default() += 1;
    }
    Ok(wrong)
}

/// With the log of the run that forgot nothing beside it: the very line of the call that is missing is known, and an audit of both logs is
/// to name it.
fn told_by_both(_program: &Program, whole: &Played, less: &Played) -> Shown {
    let log = std::fs::read_to_string(&whole.log)?;
    let line = match place(&log, &less.truth["left_out"]) {
        Ok(line) => line,
        Err(why) => return Ok(vec![why]),
    };
    Ok(names_line(&whole.log, line))
}

/// The place for `forkpoint audit WHOLE LESS`, once there is such a thing: its report must name this line of WHOLE.
fn names_line(_whole: &Path, line: u64) -> Vec<String> {
    if line > 1 { Vec::new() } else { vec![format!("line {line} is the header")] }
}
