//! Every case of `corpus/diff` through the binary: its verdict, its exit code, what was found and where; the same
//! report by every way of reading; and a line of every format.

mod common;

use common::cases::{self, Case, Expected, VERDICTS};
use common::{Folder, forkpoint, text};
use serde_json::{Value, json};

/// Bugs that are known: the case (or `*`), a part of what goes wrong there, and the bug. The corpus holds what
/// must be found; a line is taken out here once its bug is mended, and the test says when that is.
const KNOWN: [(&str, &str, &str); 0] = [];

#[test]
fn every_case_finds_what_it_must() {
    let cases = cases::all();
    assert!(cases.len() >= 60, "only {} cases were found", cases.len());
    let (mut failed, mut met) = (Vec::new(), [false; KNOWN.len()]);
    let halves = cases.split_at(cases.len() / 2);
    let all = |cases: &[Case]| cases.iter().map(replay).collect::<Vec<_>>();
    let replayed = std::thread::scope(|scope| {
        let second = scope.spawn(|| all(halves.1));
        [all(halves.0), second.join().unwrap()].concat()
    });
    for (case, mut wrong) in cases.iter().zip(replayed) {
        let name = case.name();
        wrong.retain(|wrong| {
            let known = KNOWN.iter().position(|(of, part, _)| (*of == "*" || *of == name) && wrong.contains(part));
            known.iter().for_each(|known| met[*known] = true);
            known.is_none()
        });
        if !wrong.is_empty() {
            failed.push(format!("{name}: {}\n    {}", case.story, wrong.join("\n    ")));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases fail\n\n{}", failed.len(), cases.len(), failed.join("\n\n"));
    for (known, met) in KNOWN.iter().zip(met) {
        assert!(met, "mended, so take it out of KNOWN: {known:?}");
    }
}

/// Runs one case in three ways and looks at all that it expects.
fn replay(case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    let folder = Folder::new();
    let words = ["diff", "reference.jsonl", "candidate.jsonl"].map(str::to_owned);
    let words: Vec<String> = words.into_iter().chain(case.flags.clone()).collect();
    let outputs = ["page.txt", "page.md"].map(|name| folder.path(name));
    let output = forkpoint(&words)
        .args(["--format", "json"])
        .args(outputs.iter().flat_map(|path| ["-o".as_ref(), path.as_os_str()]))
        .current_dir(&case.folder)
        .output()
        .unwrap();
    let (report, told) = (text(&output.stdout), text(&output.stderr));
    expect(&mut wrong, "exit", output.status.code(), Some(case.exit));
    for path in outputs {
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        if page.is_empty() || page.contains("panicked") {
            wrong.push(format!("{}: the report is {}", path.display(), if page.is_empty() { "empty" } else { &page }));
        }
    }
    for fault in &case.fault {
        let line = format!("{}.jsonl:{}: byte {}: {}", fault.side, fault.line, fault.offset, fault.reason);
        if !told.lines().any(|told| told.ends_with(&line)) {
            wrong.push(format!("stderr does not tell {line:?}: {told}"));
        }
    }
    let ways = ["--no-mmap", "-j", "1", "--window", "1", "--format", "json"];
    let again = forkpoint(&words).args(ways).current_dir(&case.folder).output().unwrap();
    let first_odd = text(&again.stdout)
        .lines()
        .zip(report.lines())
        .find(|(here, there)| here != there)
        .map(|(here, there)| format!("{here} / {there}"));
    let shorter = (first_odd.is_none() && again.stdout.len() != output.stdout.len()).then(|| "its end".to_owned());
    expect(&mut wrong, "the report in windows of one line", first_odd.or(shorter), None);
    expect(&mut wrong, "stderr in windows of one line", text(&again.stderr), told);
    match cases::read_report(&report) {
        Ok(report) => look(case, &report, &mut wrong),
        Err(error) => wrong.push(error),
    }
    wrong
}

fn expect<T: PartialEq + std::fmt::Debug>(wrong: &mut Vec<String>, what: &str, found: T, wanted: T) {
    if found != wanted {
        wrong.push(format!("{what}: found {found:?}, expected {wanted:?}"));
    }
}

/// Holds what was found against the case; what the case leaves open is not looked at.
fn look(case: &Case, report: &Value, wrong: &mut Vec<String>) {
    expect(wrong, "verdict", &report["verdict"], &json!(case.verdict));
    let mut field = |what: &str, found: &Value, wanted: Option<Value>| {
        if let Some(wanted) = wanted {
            expect(wrong, what, found, &wanted);
        }
    };
    let coverage = &report["coverage"];
    field("first", &report["first"], case.first.map(Value::from));
    field("lead", &report["lead"], case.lead.map(Value::from));
    field("validated", &report["validated"], case.validated.clone().map(Value::from));
    field("unverified", &coverage["unverified"], case.unverified.map(Value::from));
    let skipped = case.skipped_nondeterministic.map(Value::from);
    field("skipped_nondeterministic", &coverage["skipped_nondeterministic"], skipped);
    field("overlooked", &coverage["overlooked"], case.overlooked.as_ref().map(|rules| json!(rules)));
    for (at, side) in ["reference", "candidate"].into_iter().enumerate() {
        field("cut", &report[side]["cut"], case.cut.as_ref().map(|cut| cut.iter().any(|cut| cut == side).into()));
        field("lines_skipped", &report[side]["lines_skipped"], case.lines_skipped.map(|lines| lines[at].into()));
    }
    let headers = list(&report["header_differences"], |difference| difference["path"].clone());
    field("header_differences", &headers, case.header_differences.as_ref().map(|paths| json!(paths)));
    let faults =
        list(&report["faults"], |fault| json!([fault["path"], fault["line"], fault["offset"], fault["reason"]]));
    let wanted: Vec<Value> = case
        .fault
        .iter()
        .map(|fault| json!([format!("{}.jsonl", fault.side), fault.line, fault.offset, fault.reason]))
        .collect();
    if case.lines_skipped.is_none() && case.unverified.is_none() {
        field("faults", &faults, Some(Value::from(wanted)));
    }
    if let Some(notes) = &case.notes {
        let found = report["notes"].as_array().map_or(&[][..], Vec::as_slice);
        let fits = found.len() == notes.len()
            || !notes.is_empty() && notes.iter().all(|note| found.iter().any(|found| found.to_string().contains(note)));
        if !fits || notes.iter().any(|note| !report["notes"].to_string().contains(note.as_str())) {
            wrong.push(format!("notes: found {}, expected {notes:?}", report["notes"]));
        }
    }
    if let Some(wanted) = &case.pairing {
        let found = report["pairings"].as_array().map_or(&[][..], Vec::as_slice);
        expect(wrong, "pairings", lanes_of(found), wanted.iter().map(|one| one.lanes.clone()).collect());
        for (found, wanted) in found.iter().zip(wanted) {
            pairing(case, found, wanted, wrong);
        }
    }
}

fn list(array: &Value, of: impl Fn(&Value) -> Value) -> Value {
    array.as_array().map(|items| items.iter().map(of).collect::<Vec<_>>()).unwrap_or_default().into()
}

/// Lanes as cases write them: the thread key as JSON, from the second generation on `#1`, nothing for no partner.
fn lanes_of(pairings: &[Value]) -> Vec<[String; 2]> {
    let tid = |tid: &Value| match tid.as_str().and_then(|text| text.strip_prefix(cases::HUGE)) {
        Some(digits) => digits.to_owned(),
        None => tid.to_string(),
    };
    let lane = |lane: &Value| match lane["generation"].as_u64() {
        None => String::new(),
        Some(0) => tid(&lane["tid"]),
        Some(generation) => format!("{}#{generation}", tid(&lane["tid"])),
    };
    pairings.iter().map(|pairing| [lane(&pairing["reference"]), lane(&pairing["candidate"])]).collect()
}

fn pairing(case: &Case, found: &Value, wanted: &Expected, wrong: &mut Vec<String>) {
    let lanes = wanted.lanes.join(" → ");
    let mut field = |what: &str, found: &Value, wanted: Option<Value>| {
        if let Some(wanted) = wanted {
            expect(wrong, &format!("{lanes}: {what}"), found, &wanted);
        }
    };
    field("status", &found["status"], wanted.status.clone().map(Value::from));
    field("compared", &found["compared"], wanted.compared.map(Value::from));
    field("matched_by", &found["matched_by"], wanted.matched_by.clone().map(Value::from));
    field("ambiguous", &found["ambiguous"], wanted.ambiguous.map(Value::from));
    let pool = match &found["pool"] {
        Value::Null => json!([]),
        pool => json!([pool["group"], pool["members"]]),
    };
    field("pool", &pool, wanted.pool.as_ref().map(|pool| json!(pool)));
    let parting = &found["divergence"];
    if wanted.status.as_deref() == Some("identical") {
        field("divergence", parting, Some(Value::Null));
    }
    field("kind", &parting["kind"], wanted.kind.clone().map(Value::from));
    field("position", &parting["position"], wanted.at.map(Value::from));
    field("rank", &parting["rank"], wanted.rank.map(Value::from));
    field("after_fault", &parting["after_fault"], wanted.after_fault.map(Value::from));
    for (at, side) in ["reference", "candidate"].into_iter().enumerate() {
        let line = |lines: [u64; 2]| if lines[at] == 0 { Value::Null } else { lines[at].into() };
        field(&format!("line of the {side}"), &parting[side]["line"], wanted.lines.map(line));
    }
    let paths = list(&parting["differences"], |difference| difference["path"].clone());
    let total = wanted.differences.as_ref().map(|paths| case.differences_total.unwrap_or(paths.len() as u64));
    field("differences", &paths, wanted.differences.clone().map(|paths| json!(paths)));
    field("differences_total", &parting["differences_total"], total.map(Value::from));
    let resync = &parting["resync"];
    let shift = |resync: &[u64]| match resync {
        [] => Value::Null,
        shift => json!(shift),
    };
    let shifted =
        if resync.is_null() { Value::Null } else { json!([resync["after_reference"], resync["after_candidate"]]) };
    field("resync", &shifted, wanted.resync.as_deref().map(shift));
    field("equal_run", &resync["equal_run"], wanted.equal_run.map(Value::from));
    field("ordinal_shift", &resync["ordinal_shift"], wanted.ordinal_shift.map(Value::from));
    field("order", &parting["reordered"]["order"], wanted.order.clone().map(Value::from));
    let healed = |healed: &[u64]| healed.first().map_or(Value::Null, |events| (*events).into());
    field("healed_after", &parting["healed_after"], wanted.healed_after.as_deref().map(healed));
    let from = &parting["follows"];
    let follows = match from.is_null() {
        true => Value::from(""),
        false => {
            format!("{} by {}: {}, {}", from["pairing"], from["edge"], from["cause_line"], from["effect_line"]).into()
        }
    };
    field("follows", &follows, wanted.follows.clone().map(Value::from));
    let late = |[side, events]: &[String; 2]| json!({ "side": side, "events": events.parse::<u64>().unwrap() });
    field("late_start", &found["late_start"], wanted.late_start.as_ref().map(late));
    let told = |further: &Value| format!("{} at {}", further["kind"].as_str().unwrap_or_default(), further["position"]);
    let further = list(&found["further"], |further| told(further).into());
    field("further", &further, wanted.further.clone().map(Value::from));
}

#[test]
fn every_folder_holds_what_its_name_says() {
    for case in cases::all() {
        let (_, exit) = VERDICTS.iter().find(|(verdict, _)| *verdict == case.verdict).unwrap();
        assert_eq!(case.exit, *exit, "{}", case.name());
        assert!(case.story.len() >= 20 && case.story.ends_with(['.', ')']), "{}: {}", case.name(), case.story);
        let files: Vec<String> = cases::entries(&case.folder)
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        let mut wanted = vec!["candidate.jsonl", "case.toml", "reference.jsonl"];
        if case.flags.iter().any(|flag| flag == "profile.toml") {
            wanted.insert(2, "profile.toml");
        }
        assert_eq!(files, wanted, "{}", case.name());
    }
}
