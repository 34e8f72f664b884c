//! The life of handles: what is said of threads that wait, held to scenes that a small kernel plays.

mod common;
#[path = "../examples/generate/mod.rs"]
#[allow(dead_code, unused_imports)]
mod generate;

use forkpoint::align::header;
use forkpoint::audit::log::{Audit, Name, audit};
use forkpoint::profile::{AuditRule, AuditStep, Profile, Scalar, builtin};
use forkpoint::source::{Log, OpenOptions};

use serde_json::Value;

use generate::kernel::FIRST_TID;
use generate::scenes::{SCENES, Truth, told};

fn audited(log: &str, profile: &Profile, window_bytes: usize) -> Audit {
    let options = OpenOptions { window_bytes, ..OpenOptions::default() };
    let mut log = Log::from_bytes("scene", log.as_bytes().to_vec(), &options);
    let start = header::start(&mut log, profile).expect("a header");
    audit(&mut log, start, profile, Vec::new(), |_, _, _| ()).unwrap()
}

/// What an audit says, in the words of the scenes.
fn said(audit: &Audit) -> Vec<Truth> {
    let objects = &audit.world.objects;
    let all: Vec<_> = objects.living().map(|(_, object)| object).chain(&objects.buried).collect();
    let mut said: Vec<Truth> = Vec::new();
    for verdict in &audit.verdicts {
        let thread = &audit.world.threads[verdict.thread as usize];
        let object = all.iter().find(|object| Some(&object.number) == verdict.objects.first()).unwrap();
        let name = object.names.iter().find_map(|name| match name {
            Name::Text(text) => Some(text.to_string()),
            _ => None,
        });
        said.push(Truth {
            thread: thread.key.to_string().parse::<usize>().unwrap() - FIRST_TID,
            since: verdict.since.line,
            reason: verdict.reason.word(),
            object: name.filter(|_| object.created.is_some()),
            is_certain: verdict.doubts.is_empty(),
        });
    }
    said.sort();
    said
}

fn cases() -> u64 {
    std::env::var("FORKPOINT_CASES").map_or(24, |cases| cases.parse().unwrap())
}

#[test]
fn every_scene_is_told_as_it_was() {
    let profile = builtin("schema-v1").unwrap();
    let mut waiting = 0;
    for (scene, (name, _)) in SCENES.iter().enumerate() {
        for seed in 1..=cases() {
            let told = told(scene, seed);
            let audit = audited(&told.log, &profile, [1 << 20, 1, 700][(seed % 3) as usize]);
            let said = said(&audit);
            if said != told.truth {
                let path = std::env::temp_dir().join("forkpoint-scene.jsonl");
                std::fs::write(&path, &told.log).unwrap();
                panic!(
                    "{name}, seed {seed}: {said:#?} is said, {:#?} is true; doubts {:?}; the log: {}",
                    told.truth,
                    audit.verdicts.iter().map(|one| &one.doubts).collect::<Vec<_>>(),
                    path.display()
                );
            }
            waiting += said.len();
        }
    }
    assert!(waiting > 20 * cases() as usize, "{waiting} waiting threads are too few to say anything");
}

/// Whether an event is a step by a rule, as far as the rules of schema-v1 go: by its kind and the function's name.
fn is_by(rules: &[&AuditRule], event: &Value) -> bool {
    rules.iter().any(|rule| is_by_one(rule, event))
}

fn is_by_one(rule: &AuditRule, event: &Value) -> bool {
    let names = rule.when.first().map(|asked| &asked.equals);
    let is_named = |names: &Vec<Scalar>| {
        names.iter().any(|name| matches!(name, Scalar::Text(text) if event["payload"]["name"] == **text))
    };
    rule.kinds.iter().any(|kind| event["kind"] == **kind) && names.is_none_or(is_named)
}

/// A log without the events of some rules; of calls their returns go too. How many there were.
fn without(log: &str, rules: &[&AuditRule]) -> (String, usize) {
    let (mut left, mut gone) = (String::new(), 0);
    let mut calls: Vec<Value> = Vec::new();
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let is_return = event["kind"] == "kernel.return";
        if let Some(at) = calls.iter().position(|call| is_return && call["tid"] == event["tid"]) {
            calls.remove(at);
        } else if is_by(rules, &event) {
            gone += 1;
            if event["kind"] == "kernel.call" {
                calls.push(event);
            }
        } else {
            left += line;
            left.push('\n');
        }
    }
    (left, gone)
}

#[test]
fn where_one_path_is_not_logged_nothing_is_certain() {
    let profile = builtin("schema-v1").unwrap();
    let changes = [AuditStep::Create, AuditStep::Signal, AuditStep::Pulse, AuditStep::Wake, AuditStep::Arm];
    let mut doubted = 0;
    for (scene, (name, _)) in SCENES.iter().enumerate() {
        for seed in 1..=cases().min(6) {
            let told = told(scene, seed);
            if !told.truth.is_empty() {
                continue;
            }
            // Each rule alone, and all of a step; with the ends of threads, and without, as engines have it that do not log them.
            let rules = profile.audit.iter().filter(|rule| changes.contains(&rule.step));
            let alone = rules.map(|rule| vec![rule]);
            let of = |step| profile.audit.iter().filter(move |rule| rule.step == step).collect::<Vec<_>>();
            let ends = of(AuditStep::Exit);
            for mut gone in alone.chain(changes.map(of)) {
                for has_ends in [true, false] {
                    if !has_ends {
                        gone.extend(&ends);
                    }
                    let (log, count) = without(&told.log, &gone);
                    let audit = audited(&log, &profile, 1 << 20);
                    for verdict in &audit.verdicts {
                        let names: Vec<&str> = gone.iter().map(|rule| rule.name.as_str()).collect();
                        let told = format!("{name}, seed {seed}, without {names:?} ({count}): {verdict:?}");
                        assert!(!verdict.doubts.is_empty(), "{told}\n{log}");
                        doubted += 1;
                    }
                }
            }
        }
    }
    assert!(doubted > 0, "no thread waits: nothing was shown");
}
