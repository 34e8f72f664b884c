//! The program against the original tool, over pairs made by the original generator:
//!
//! `FORKPOINT_ORIGINAL=…/diff_events.py FORKPOINT_GENERATOR=…/gen_events.py SEED=1 ROUNDS=1000
//! cargo test --test against_original -- --nocapture`
//!
//! Each pairing agrees, or differs exactly as a rule of BEHAVIOUR.md says, or fails the test.

mod twin;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use twin::check::{Answerer, program_is_there, run_forkpoint, run_twin};
use twin::json::{Value, parse};
use twin::library::run_library;

const DRIVER: &str = include_str!("original_driver.py");

/// What came of one comparison.
enum Verdict {
    Agrees,
    /// The rule that excepts it.
    Excepted(&'static str),
    Disagrees(String),
}

#[test]
fn every_pair_agrees_or_is_excepted_by_a_rule() {
    let (Ok(original), Ok(generator)) = (std::env::var("FORKPOINT_ORIGINAL"), std::env::var("FORKPOINT_GENERATOR"))
    else {
        println!("skipped: FORKPOINT_ORIGINAL and FORKPOINT_GENERATOR name no originals");
        return;
    };
    // The twin answers as well: it must be held to the original no less than the program.
    let mut answerers: Vec<(&str, Answerer)> = vec![("twin", run_twin), ("library", run_library)];
    if program_is_there() {
        answerers.push(("program", run_forkpoint));
    }
    let number = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let driver = folder.path().join("driver.py");
    std::fs::write(&driver, DRIVER).expect("the driver is written");
    let made = Command::new("python3")
        .args([&driver, Path::new(&generator), Path::new(&original), folder.path()])
        .args([number("SEED", "1"), number("ROUNDS", "200")])
        .output()
        .expect("python runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut tally: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in made.stdout.split(|&byte| byte == b'\n').filter(|row| !row.is_empty()) {
        let row = parse(row).expect("the driver writes JSON");
        let what = text(&row, "what");
        let mut count = |key: &str| *tally.entry(what.clone()).or_default().entry(key.to_owned()).or_default() += 1;
        if row.get("unmade").is_some() {
            count("not made");
            continue;
        }
        for (who, answerer) in &answerers {
            // Only the last one is counted: the program, if it is there.
            let counted = *who == answerers.last().expect("the twin at least").0;
            for verdict in compare(&row, *answerer) {
                match verdict {
                    Verdict::Agrees if counted => count("agree"),
                    Verdict::Excepted(rule) if counted => count(rule),
                    Verdict::Disagrees(why) => {
                        count("DISAGREE");
                        wrong.push(format!("{who}, {what} (gen_events {}): {why}", text(&row, "argv")));
                    }
                    _ => {}
                }
            }
        }
    }
    for (what, counts) in &tally {
        let shown: Vec<String> = counts.iter().map(|(key, n)| format!("{key}: {n}")).collect();
        println!("{what:17} {}", shown.join(", "));
    }
    wrong.iter().take(20).for_each(|line| println!("{line}"));
    assert!(wrong.is_empty(), "{} disagreements", wrong.len());
}

fn text(row: &Value, key: &str) -> String {
    row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn whole(value: Option<&Value>) -> Option<i128> {
    value.and_then(Value::as_integer)
}

/// One round: first under the original's own map, then the maps themselves.
fn compare(row: &Value, answerer: Answerer) -> Vec<Verdict> {
    let folder = text(row, "folder");
    let read = |name: &str| std::fs::read(format!("{folder}/{name}.jsonl")).expect("the generator wrote it");
    let (canary, ours) = (read("canary"), read("ours"));
    let pairs = row.get("pairs").expect("a row has pairs").as_array();
    let name = |tid: &Value| tid.as_str().map_or_else(|| twin::check::show(tid), |text| format!("\"{text}\""));
    let map: Vec<String> =
        pairs.iter().map(|pair| format!("{}={}", name(&pair.as_array()[0]), name(&pair.as_array()[1]))).collect();
    let given = map.join(",");
    let flags = if given.is_empty() { vec![] } else { vec!["--map", given.as_str()] };
    let answer = answerer(&canary, &ours, &flags);
    let trouble = whole(answer.get("exit")) == Some(2);
    let refused = !row.get("error").expect("a row has an error").is_null();
    match (refused, trouble) {
        (true, true) => return vec![Verdict::Agrees],
        (true, false) => return vec![refused_there(row, &answer)],
        (false, true) => return vec![refused_here(row, &answer)],
        (false, false) => {}
    }
    if pairs.is_empty() {
        return vec![if whole(answer.get("exit")) == Some(3) {
            Verdict::Agrees
        } else {
            Verdict::Excepted("14: pairs where the original finds no map")
        }];
    }
    let report = answer.get("report").expect("a report");
    let mended = row.get("refused").is_some();
    let mut out: Vec<Verdict> = pairs
        .iter()
        .map(|pair| match (compare_pair(&text(row, "what"), pair.as_array(), report), mended) {
            (Verdict::Agrees, true) => Verdict::Excepted(mending(&text(row, "what"))),
            (verdict, _) => verdict,
        })
        .collect();
    out.push(compare_maps(row, &map, &answerer(&canary, &ours, &[])));
    out
}

/// The rule by which a file is read that the original refuses.
fn mending(what: &str) -> &'static str {
    match what {
        "space" => "10: a line of blanks is blank",
        "bom" => "10: a BOM at the file's start",
        "lone-cr" => "10: only LF ends a line",
        _ => "3.2: a missing or null payload is an empty object",
    }
}

fn refused_there(row: &Value, answer: &Value) -> Verdict {
    match text(row, "what").as_str() {
        // The original trips over a first kernel.call without payload, or a thread whose keys do not sort.
        "str-tid" => Verdict::Excepted("7: 6 and \"6\" are different threads"),
        "no-payload" | "null-payload" => Verdict::Excepted("3.2: a missing or null payload is an empty object"),
        // It looks a name that became a list up in its set of allocators.
        "type"
            if text(row, "error").contains("unhashable") && named_first(answer) == Some("/payload/name".to_owned()) =>
        {
            Verdict::Excepted("3.2: a name that is no string is a value like any other")
        }
        _ => Verdict::Disagrees(format!(
            "the original refuses ({}), exit {:?}",
            text(row, "error"),
            whole(answer.get("exit"))
        )),
    }
}

/// The path of the first difference of the first divergence.
fn named_first(answer: &Value) -> Option<String> {
    let report = answer.get("report")?;
    let first = whole(report.get("first"))?.to_string();
    let difference = report.at(&[
        "pairings".to_owned(),
        first,
        "divergence".to_owned(),
        "differences".to_owned(),
        "0".to_owned(),
    ])?;
    Some(text(difference, "path"))
}

fn refused_here(row: &Value, answer: &Value) -> Verdict {
    let reason = answer.get("stderr").map(twin::check::show).unwrap_or_default();
    match text(row, "what").as_str() {
        "no-idx" => Verdict::Excepted("7: an ordinal is needed in every line"),
        _ => Verdict::Disagrees(format!("refused here: {reason}")),
    }
}

/// `[canary, ours, matched, canary_total, ours_total, diverged_at, descr]` against our pairing of these two.
fn compare_pair(what: &str, pair: &[Value], report: &Value) -> Verdict {
    let tid = |side: &str, pairing: &Value| pairing.get(side).and_then(|lane| lane.get("tid")).cloned();
    let pairings = report.get("pairings").expect("a report has pairings").as_array();
    let ours = pairings.iter().find(|pairing| {
        tid("reference", pairing).as_ref() == Some(&pair[0]) && tid("candidate", pairing).as_ref() == Some(&pair[1])
    });
    let Some(pairing) = ours else { return Verdict::Disagrees(format!("no pairing of {:?}", &pair[..2])) };
    let divergence = pairing.get("divergence").expect("a pairing has a divergence");
    let kind = text(divergence, "kind");
    let position = whole(divergence.get("position"));
    let told = || format!("original {:?}, here {}", pair, twin::check::show(pairing));
    if whole(pairing.get("compared")) != whole(Some(&pair[2]))
        && !divergence.is_null()
        && kind != "ended-early"
        && !alias(what, divergence)
    {
        return Verdict::Disagrees(told());
    }
    match (whole(Some(&pair[5])), kind.as_str()) {
        (None, "") => Verdict::Agrees,
        (None, "ended-early") if pair[3] != pair[4] && position == whole(Some(&pair[2])) => {
            Verdict::Excepted("3.6: a lane that ends early is a divergence")
        }
        (None, _) if alias(what, divergence) => Verdict::Excepted("3.2: true and false are no numbers"),
        (Some(at), "missing" | "extra") if position == Some(at) => {
            Verdict::Excepted("issue 6: missing or extra, where sides agree again")
        }
        (Some(at), _) if position == Some(at) => {
            same_field(&pair[6], divergence).map_or_else(|| Verdict::Disagrees(told()), |()| Verdict::Agrees)
        }
        _ => Verdict::Disagrees(told()),
    }
}

/// Every difference is a boolean against the number the original takes it for.
fn alias(what: &str, divergence: &Value) -> bool {
    let differences = divergence.get("differences").map(Value::as_array).unwrap_or_default();
    let number = |value: &Value| match value {
        Value::Bool(b) => Some(i128::from(*b)),
        other => other.as_integer(),
    };
    what == "alias"
        && !differences.is_empty()
        && differences.iter().all(|difference| {
            let sides = ["reference", "candidate"].map(|side| difference.get(side));
            sides.iter().flatten().any(|side| matches!(side, Value::Bool(_)))
                && sides[0].and_then(number).is_some_and(|n| sides[1].and_then(number) == Some(n))
        })
}

/// The original names the first differing field: ours lies at or below it.
fn same_field(descr: &Value, divergence: &Value) -> Option<()> {
    let descr = descr.as_str()?;
    let field = descr.split(": canary=").next()?;
    let first = divergence.get("differences")?.as_array().first()?;
    let path = first.get("path")?.as_str()?;
    let expected = format!("/{}", field.replacen('.', "/", 1));
    (path == expected || path.starts_with(&format!("{expected}/"))).then_some(())
}

/// Our own map is the original's, or the true one.
fn compare_maps(row: &Value, theirs: &[String], answer: &Value) -> Verdict {
    let pairings =
        answer.get("report").and_then(|report| report.get("pairings")).map(Value::as_array).unwrap_or_default();
    let tid = |side: &str, pairing: &Value| pairing.get(side).and_then(|lane| lane.get("tid")).map(twin::check::show);
    let generation = |side: &str, pairing: &Value| whole(pairing.get(side).and_then(|lane| lane.get("generation")));
    let ours: Vec<String> = pairings
        .iter()
        .filter(|pairing| generation("reference", pairing) == Some(0) && generation("candidate", pairing) == Some(0))
        .filter_map(|pairing| Some(format!("{}={}", tid("reference", pairing)?, tid("candidate", pairing)?)))
        .collect();
    let truth = text(row, "truth");
    let truth: Vec<&str> = truth.split(',').collect();
    if theirs.iter().all(|pair| ours.contains(pair)) {
        Verdict::Agrees
    } else if ours.iter().all(|pair| truth.contains(&pair.as_str())) {
        Verdict::Excepted("14: paired by openings, as the truth has it")
    } else {
        Verdict::Excepted("14: paired by openings, otherwise than the truth")
    }
}
