//! What is said of the log of a real program, held against what truly happened there.

use std::collections::BTreeMap;

use serde_json::Value;

/// Whatever in a report is not as the program tells it (`eventshim` prints that on one line).
pub fn hold(truth: &Value, code: Option<i32>, report: &Value) -> Vec<String> {
    let none = Vec::new();
    let list = |of: &'_ Value| -> Vec<Value> { of.as_array().unwrap_or(&none).clone() };
    let (waiting, parked) = (list(&report["waiting"]), list(&truth["parked"]));
    let left_out = &truth["left_out"];
    let must = if parked.is_empty() { (Some(0), "clear") } else { (Some(1), "certain") };
    let mut wrong = Vec::new();
    if (code, report["verdict"].as_str().unwrap_or_default()) != must {
        wrong.push(format!("exit {code:?}, {}, must be {must:?}", report["verdict"]));
    }
    // All is logged, so nothing is done by who is not.
    if report["unexplained"] != serde_json::json!([]) {
        wrong.push(format!("unexplained: {}", report["unexplained"]));
    }
    let mut said: Vec<String> = waiting
        .iter()
        .map(|one| {
            format!("{} waits for {} since line {}", one["thread"]["tid"], one["names"][0], one["since"]["line"])
        })
        .collect();
    let mut truly: Vec<String> = parked
        .iter()
        .map(|one| format!("{} waits for {} since line {}", one["tid"], one["object"], one["line"]))
        .collect();
    said.sort();
    truly.sort();
    if said != truly {
        wrong.push(format!("said {said:?}, truly {truly:?}"));
    }
    if left_out.is_null() {
        if truth["words"] != truth["words_truly"] || !parked.is_empty() {
            wrong.push(format!("the program itself is wrong: {truth}"));
        }
        return wrong;
    }
    wrong.extend(in_vain(left_out, &parked, &waiting));
    wrong
}

/// Of the object that one call was forgotten for: those who should wait for it do, and for a right reason, and certainly.
fn in_vain(left_out: &Value, parked: &[Value], waiting: &[Value]) -> Vec<String> {
    let due: Vec<&Value> = parked.iter().filter(|one| is_due(left_out, one)).collect();
    if due.is_empty() {
        return vec![format!("nobody waits for what was forgotten: {left_out}")];
    }
    let mut wrong = Vec::new();
    for one in due {
        let Some(told) = waiting.iter().find(|told| told["thread"]["tid"] == one["tid"]) else { continue };
        let is_right = left_out["reasons"].as_array().is_some_and(|reasons| reasons.contains(&told["reason"]));
        // Who has a mutant is who did not give it up.
        let is_by = told["reason"] != "held" || told["by"]["thread"]["tid"] == left_out["tid"];
        if !is_right || !is_by || told["certain"] != true {
            wrong.push(format!("{left_out} was forgotten; said: {}, doubts {}", told["message"], told["doubts"]));
        }
    }
    wrong
}

/// What is said of two logs, the first of a run that forgot nothing: of each thread that should wait for the forgotten call, that it does
/// in the second run only, and that the call on this line of the first is missing.
pub fn hold_named(truth: &Value, line: u64, code: Option<i32>, report: &Value) -> Vec<String> {
    let left_out = &truth["left_out"];
    let none = Vec::new();
    let mut wrong = Vec::new();
    if code != Some(1) {
        wrong.push(format!("exit {code:?} for two logs, must be 1"));
    }
    for due in truth["parked"].as_array().unwrap_or(&none).iter().filter(|one| is_due(left_out, one)) {
        let waiting = report["waiting"].as_array().unwrap_or(&none);
        let told = waiting.iter().find(|one| one["wait"]["thread"]["tid"] == due["tid"] && one["side"] == "candidate");
        let missing = told.and_then(|told| told["missing"].as_array()).unwrap_or(&none);
        let is_it = |one: &Value| {
            let at = &one["signal"]["at"];
            at["line"] == line && at["thread"]["tid"] == left_out["tid"] && at["source"] == left_out["function"]
        };
        if !missing.iter().any(is_it) {
            wrong.push(format!("{due} for want of line {line} of the whole run; told: {told:?}"));
        }
    }
    wrong
}

/// Whether a thread waits for what one call was forgotten for, and should.
fn is_due(left_out: &Value, parked: &Value) -> bool {
    let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
    parked["object"] == left_out["object"] && text(&parked["thread"]).starts_with(&text(&left_out["waits"]))
}

/// The line of a log on which the call stands that another run left out: the so manieth signal of its thread to its object.
/// An error says what is not as it must be.
pub fn place(log: &str, left_out: &Value) -> Result<u64, String> {
    let mut objects: BTreeMap<u64, Value> = BTreeMap::new();
    let mut turn = 0;
    for (line, number) in log.lines().zip(1..) {
        let event: Value = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
        let payload = &event["payload"];
        if let ("handle.create" | "thread.create", Some(raw)) =
            (event["kind"].as_str().unwrap_or_default(), payload["raw_handle_id"].as_u64())
        {
            objects.insert(raw, payload["handle_semantic_id"].clone());
        }
        let is_it = event["kind"] == "kernel.call"
            && event["tid"] == left_out["tid"]
            && payload["name"] == left_out["function"]
            && payload["args"]["handle"].as_u64().and_then(|raw| objects.get(&raw)) == Some(&left_out["object"]);
        turn += u64::from(is_it);
        if is_it && left_out["turn"] == turn {
            let is_same = event["lr"] == left_out["source_line"];
            return if is_same { Ok(number) } else { Err(format!("line {number} is another call than {left_out}")) };
        }
    }
    Err(format!("{left_out} is not in the log of a run that forgets nothing"))
}
