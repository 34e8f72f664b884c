//! The program held against the twin: run, compared field by field, shrunk.

use super::diff::diff;
use super::flags::understand;
use super::json::{Value, parse_report};
use super::pairs::Case;
use super::report::object;
use super::rules::TIMES;
use std::path::Path;
use std::process::Command;

/// The program, where it is built for tests; the fuzz targets have no program.
const PROGRAM: Option<&str> = option_env!("CARGO_BIN_EXE_forkpoint");

/// Two logs and flags in; `exit`, `report` and `stderr` out.
pub type Answerer = fn(&[u8], &[u8], &[&str]) -> Value;

/// `forkpoint diff` on two logs: its exit code and its JSON report (null if it wrote none).
///
/// The report is read by the twin's own parser, because logs hold numbers and strings that
/// other parsers refuse.
pub fn run_forkpoint(reference: &[u8], candidate: &[u8], flags: &[&str]) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let paths = ["reference.jsonl", "candidate.jsonl"].map(|name| folder.path().join(name));
    std::fs::write(&paths[0], reference).expect("the reference is written");
    std::fs::write(&paths[1], candidate).expect("the candidate is written");
    // A profile given by its text stands in a file.
    let profile = folder.path().join("profile.toml");
    let file = profile.to_string_lossy();
    let given = flags.iter().map(|flag| {
        if flag.starts_with("version = ") {
            std::fs::write(&profile, flag).expect("the profile is written");
            &*file
        } else {
            *flag
        }
    });
    run_on(&paths[0], &paths[1], &given.collect::<Vec<_>>())
}

fn run_on(reference: &Path, candidate: &Path, flags: &[&str]) -> Value {
    let done = Command::new(PROGRAM.expect("tests know where the program is"))
        .args(["diff", "--format", "json"])
        .args(flags)
        .args([reference, candidate])
        .output()
        .expect("the program runs");
    let report = match done.stdout.as_slice() {
        [] => Value::Null,
        text => parse_report(text)
            .unwrap_or_else(|refused| panic!("the report is no JSON: {refused:?}\n{}", String::from_utf8_lossy(text))),
    };
    object(vec![
        ("exit", done.status.code().map_or(Value::Null, |code| Value::integer(code.into()))),
        ("report", report),
        ("stderr", Value::Text(done.stderr)),
    ])
}

/// The twin's answer in the same shape.
pub fn run_twin(reference: &[u8], candidate: &[u8], flags: &[&str]) -> Value {
    let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
    let (rules, choices) = understand(&flags);
    let (exit, report) = match diff([reference, candidate], &rules, &choices, &TIMES) {
        Err(_) => (2, Value::Null),
        Ok(outcome) => (exit_of(outcome.verdict), outcome.report()),
    };
    object(vec![("exit", Value::integer(exit)), ("report", report), ("stderr", Value::text(""))])
}

fn exit_of(verdict: &str) -> i128 {
    match verdict {
        "identical" => 0,
        "diverged" => 1,
        "trouble" => 2,
        _ => 3,
    }
}

/// False while the program is not written yet.
pub fn program_is_there() -> bool {
    let said = Command::new(PROGRAM.expect("tests know where the program is"))
        .arg("--version")
        .output()
        .expect("the program runs");
    let there = said.stdout.starts_with(b"forkpoint");
    if !there {
        println!("skipped: the program has no command line yet");
    }
    there
}

/// Where the program's answer is not the twin's, one line each: `place: twin … program …`.
pub fn mismatches(case: &Case, answerer: Answerer) -> Vec<String> {
    let (rules, choices) = understand(&case.flags);
    let bytes = [case.bytes(0), case.bytes(1)];
    let flags: Vec<&str> = case.flags.iter().map(String::as_str).collect();
    let answer = answerer(&bytes[0], &bytes[1], &flags);
    let exit = answer.get("exit").and_then(Value::as_integer);
    let report = answer.get("report").expect("an answer has a report");
    let mut out = Vec::new();
    match diff([&bytes[0], &bytes[1]], &rules, &choices, &TIMES) {
        Err(why) => {
            if exit != Some(2) {
                out.push(format!("exit: twin 2 ({why}), program {exit:?}"));
            }
        }
        Ok(outcome) => {
            let expected = exit_of(outcome.verdict);
            if exit != Some(expected) {
                out.push(format!("exit: twin {expected} ({}), program {exit:?}", outcome.verdict));
            }
            contained(&outcome.report(), report, "", &mut out);
        }
    }
    if !out.is_empty()
        && let Some(said) = answer.get("stderr").and_then(Value::as_str)
        && !said.trim().is_empty()
    {
        out.push(format!("it said: {}", said.trim()));
    }
    out
}

/// Everything the twin knows must stand in the program's report.
fn contained(twin: &Value, program: &Value, place: &str, out: &mut Vec<String>) {
    if place == "/faults" {
        return faults(twin, program, out);
    }
    if place == "/coverage/overlooked" {
        return overlooked(twin, program, out);
    }
    if place == "/coverage/taken_out" {
        return taken_out(twin, program, out);
    }
    if place == "/rule_flags" {
        return broad(twin, program, out);
    }
    match (twin, program) {
        // Values from the logs are compared whole.
        (Value::Object(members), Value::Object(_)) if !place.contains("/differences/") || place.ends_with(']') => {
            for (key, value) in members {
                let key = String::from_utf8_lossy(key);
                let below = format!("{place}/{key}");
                match program.get(&key) {
                    Some(found) => contained(value, found, &below, out),
                    None => out.push(format!("{below}: twin {}, program has no such key", show(value))),
                }
            }
            for side in ["reference", "candidate"] {
                if place.ends_with(']') && place.contains("/differences/") && twin.get(side).is_none() {
                    out.extend(
                        program.get(side).map(|found| format!("{place}/{side}: twin none, program {}", show(found))),
                    );
                }
            }
        }
        (Value::Array(items), Value::Array(found)) if !place.contains("/differences/") => {
            if items.len() != found.len() {
                out.push(format!("{place}: twin {} items, program {}", items.len(), found.len()));
            }
            for (at, (item, found)) in items.iter().zip(found).enumerate() {
                contained(item, found, &format!("{place}/[{at}]"), out);
            }
        }
        _ if twin == program => {}
        _ => out.push(format!("{place}: twin {}, program {}", show(twin), show(program))),
    }
}

/// Faults are compared by log and line; where in the line, and in which words, is the program's own.
fn faults(twin: &Value, program: &Value, out: &mut Vec<String>) {
    let line = |fault: &Value| fault.get("line").and_then(Value::as_integer);
    let own = |fault: &Value| (fault.get("side").and_then(Value::as_integer), line(fault));
    let theirs = |fault: &Value| {
        let path = fault.get("path").and_then(Value::as_str).unwrap_or_default();
        (Some(i128::from(path.ends_with("candidate.jsonl"))), line(fault))
    };
    let twins: Vec<_> = twin.as_array().iter().map(own).collect();
    let programs: Vec<_> = program.as_array().iter().map(theirs).collect();
    if twins != programs {
        out.push(format!("/faults: twin {}, program {}", show(twin), show(program)));
    }
}

/// The rules that overlooked something, by name in the program's report, in the profile's order in both.
fn overlooked(twin: &Value, program: &Value, out: &mut Vec<String>) {
    let Value::Object(found) = program else {
        out.push(format!("/coverage/overlooked: {}", show(program)));
        return;
    };
    if !twin.as_array().iter().eq(found.iter().map(|(_, count)| count)) {
        out.push(format!("/coverage/overlooked: twin {}, program {}", show(twin), show(program)));
    }
}

/// What each rule on events took out, in the profile's order; those that took nothing are not told.
fn taken_out(twin: &Value, program: &Value, out: &mut Vec<String>) {
    let nothing = |counts: &&Value| {
        ["reference", "candidate"].iter().all(|side| counts.get(side).and_then(Value::as_integer) == Some(0))
    };
    let told: Vec<&Value> = twin.as_array().iter().filter(|counts| !nothing(counts)).collect();
    let found = match program {
        Value::Object(found) => found.iter().map(|(_, counts)| counts).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    if told != found {
        out.push(format!("/coverage/taken_out: twin {}, program {}", show(twin), show(program)));
    }
}

/// The rules that hid too much; those that hid nothing depend on who said them.
fn broad(twin: &Value, program: &Value, out: &mut Vec<String>) {
    let is_broad = |flag: &&Value| flag.get("flag").and_then(Value::as_str) == Some("broad");
    let counts = program.as_array().iter().filter(is_broad).map(|flag| flag.get("overlooked"));
    if !counts.eq(twin.as_array().iter().map(Some)) {
        out.push(format!("/rule_flags: twin {}, program {}", show(twin), show(program)));
    }
}

/// A value in one line, for people.
pub fn show(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Token(token) => (*token).to_owned(),
        Value::Number(number) => match number.integer() {
            Some(n) => n.to_string(),
            None => format!(
                "{}0.{}e{}{:?}",
                if number.negative { "-" } else { "" },
                number.digits,
                number.exponent,
                number.far
            ),
        },
        Value::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        Value::Array(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let member = |(key, value): &(Vec<u8>, Value)| format!("{}:{}", String::from_utf8_lossy(key), show(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
        }
    }
}

/// Where a mismatch is, without the numbers: two cases with the same one show the same disagreement.
pub fn signature(mismatch: &str) -> String {
    let place = mismatch.split(':').next().unwrap_or_default();
    place.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Drops lines and flags as long as the first mismatch stays the same one.
pub fn shrink(mut case: Case, wanted: &str, answerer: Answerer) -> Case {
    let holds = |case: &Case| mismatches(case, answerer).iter().any(|found| signature(found) == wanted);
    let mut tries = 600;
    let mut chunk = case.lines.iter().map(Vec::len).max().unwrap_or(0).div_ceil(2);
    while chunk > 0 {
        let mut shrunk = false;
        for sides in [&[0, 1][..], &[0], &[1]] {
            let mut at = 0;
            while at < sides.iter().map(|&side| case.lines[side].len()).max().unwrap_or(0) && tries > 0 {
                let mut smaller = case.clone();
                for &side in sides {
                    let lines = &mut smaller.lines[side];
                    lines.drain(at.min(lines.len())..(at + chunk).min(lines.len()));
                }
                tries -= 1;
                if holds(&smaller) {
                    case = smaller;
                    shrunk = true;
                } else {
                    at += chunk;
                }
            }
        }
        if !shrunk || tries == 0 {
            chunk /= 2;
        }
    }
    case
}

/// A case as a person can read it.
pub fn told(case: &Case) -> String {
    let mut out = format!("flags: {}\n", case.flags.join(" "));
    for accepted in case.flags.windows(2).filter(|flag| flag[0] == "--accept") {
        out.push_str(&std::fs::read_to_string(&accepted[1]).unwrap_or_default());
    }
    for (side, name) in ["reference", "candidate"].into_iter().enumerate() {
        out.push_str(&format!("--- {name} ({} lines)\n", case.lines[side].len()));
        for line in case.lines[side].iter().take(60) {
            let text: String = String::from_utf8_lossy(line).escape_debug().take(600).collect();
            out.push_str(&format!("{}\n", text.replace("\\\"", "\"")));
        }
    }
    out
}
