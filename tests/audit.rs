//! The life of handles: what is said of threads that wait, held to scenes that a small kernel plays.

mod common;
#[path = "../examples/generate/mod.rs"]
#[allow(dead_code, unused_imports)]
mod generate;
#[path = "life/scenes.rs"]
#[allow(dead_code)]
mod scenes;
#[path = "life/windows.rs"]
mod windows;

use forkpoint::align::header as begin;
use forkpoint::audit::log::{Audit, Doubt, Name, audit};
use forkpoint::profile::{AuditRule, AuditStep, Scalar, builtin};
use forkpoint::source::{Log, OpenOptions};

use common::{event, header};
use serde_json::Value;

use generate::kernel::{FIRST_TID, play};
use generate::numbers::Random;
use generate::scenes::{SCENES, Truth, told};
use scenes::{STYLES, agrees, anything, audited};

/// What an audit says, in the words of the scenes.
fn said(audit: &Audit) -> Vec<Truth> {
    let objects = &audit.world.objects;
    let all: Vec<_> = objects.living().map(|(_, object)| object).chain(objects.buried()).collect();
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
            let audit = audited(told.log.as_bytes(), &profile, [1 << 20, 1, 700][(seed % 3) as usize]);
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

#[test]
fn a_thread_without_handles_signals_nothing_else_when_it_ends() {
    let handle = |id: &str, of: &str| format!("{{\"handle_semantic_id\":\"{id}\",\"object_type\":\"{of}\"}}");
    let wait = |id: &str| format!("{{\"handle_semantic_id\":\"{id}\",\"timeout_ns\":-1}}");
    let log = header("scene")
        + &event("1", 0, "thread.create", "{\"tid\":2,\"handle_semantic_id\":\"worker\"}")
        + &event("2", 0, "import.call", "{\"name\":\"begin\"}")
        + &event("1", 1, "handle.destroy", "{\"handle_semantic_id\":\"worker\"}")
        + &event("1", 2, "kernel.call", "{\"name\":\"NtCreateEvent\",\"args\":{\"event_type\":0,\"initial_state\":0}}")
        + &event("1", 3, "handle.create", &handle("event", "Event"))
        + &event("3", 0, "wait.begin", &wait("event"))
        + &event("2", 1, "thread.exit", "{}")
        + &event("1", 4, "thread.exit", "{}");
    let audit = audited(log.as_bytes(), &builtin("schema-v1").unwrap(), 1 << 20);
    let [verdict] = &audit.verdicts[..] else { panic!("one thread waits: {:?}", audit.verdicts) };
    assert_eq!(verdict.reason.word(), "never-signalled");
    let (_, object) = audit.world.objects.living().find(|(_, object)| object.number == verdict.objects[0]).unwrap();
    assert_eq!((object.signalled, object.available), (0, 0), "the end of thread 2 is no signal to it");
}

#[test]
fn an_object_that_is_asked_for_is_told_however_many_come_after_it() {
    let mut log = header("scene");
    for at in 0..10_000 {
        let names = format!("{{\"handle_semantic_id\":\"event:{at}\",\"object_type\":\"Event\"}}");
        log += &event("1", at * 2, "handle.create", &names);
        log += &event("1", at * 2 + 1, "handle.destroy", &names);
    }
    let profile = builtin("schema-v1").unwrap();
    let mut read = Log::from_bytes("scene", log.into_bytes(), &OpenOptions::default());
    let start = begin::start(&mut read, &profile).expect("a header");
    let asked = Name::Text("event:7".into());
    let audit = audit(&mut read, start, &profile, vec![asked.clone()], |_, _, _| ()).unwrap();
    assert_eq!((audit.world.created, audit.world.destroyed), (10_000, 10_000));
    let known: Vec<_> = audit.world.objects.buried().collect();
    assert!(known.len() < 5_000, "{} objects are remembered", known.len());
    let of: Vec<_> = known.iter().filter(|object| object.names.contains(&asked)).collect();
    assert_eq!(of.len(), 1, "the one that is asked for is told");
    assert!(of[0].created.is_some() && of[0].destroyed.is_some());
}

#[test]
fn a_thread_whose_number_is_used_again_is_told_from_the_first() {
    let made = |id: &str| format!("{{\"tid\":5,\"handle_semantic_id\":\"{id}\"}}");
    let wait = "{\"handle_semantic_id\":\"first\",\"timeout_ns\":-1}";
    let log = header("scene")
        + &event("1", 0, "thread.create", &made("first"))
        + &event("5", 0, "import.call", "{\"name\":\"begin\"}")
        + &event("5", 1, "thread.exit", "{}")
        + &event("1", 1, "thread.create", &made("second"))
        + &event("5", 0, "import.call", "{\"name\":\"begin\"}")
        + &event("5", 1, "wait.begin", "{\"handle_semantic_id\":\"nobody\"}")
        + &event("5", 0, "import.call", "{\"name\":\"begins anew\"}")
        + &event("1", 2, "wait.begin", wait);
    let audit = windows::same(log.as_bytes(), &builtin("schema-v1").unwrap()).unwrap();
    let first = audit.world.objects.find(&Name::Text("first".into())).unwrap();
    assert_eq!(audit.world.objects.all[first].signalled, 1, "its thread ended");
    let words: Vec<&str> = audit.verdicts.iter().map(|one| one.reason.word()).collect();
    assert_eq!(words, ["not-woken"], "thread 5 of the third time is no longer that of the second");
}

#[test]
fn a_thread_goes_on_behind_lines_that_are_no_events() {
    let log = header("scene")
        + &event("5", 3, "wait.begin", "{\"handle_semantic_id\":\"nobody\"}")
        + &event("5", 2, "import.call", "{\"name\":\"no ordinal of its own\"}")
        + &event("5", 4, "import.call", "{\"name\":\"it goes on\"}")
        + &event("6", 3, "import.call", "{}")
        + &event("6", 3, "import.call", "{}")
        + "{}\n"
        + &event("5", 4, "import.call", "{}");
    let audit = windows::same(log.as_bytes(), &builtin("schema-v1").unwrap()).unwrap();
    assert!(audit.verdicts.is_empty(), "{:?}", audit.verdicts);
    assert_eq!(audit.faults.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [3, 6, 7, 8]);
}

#[test]
fn nothing_is_certain_of_a_wait_for_nobody_knows_what() {
    let log = header("scene")
        + &event("5", 0, "wait.begin", "{}")
        + &event("5", 1, "wait.end", "{}")
        + &event("5", 2, "wait.begin", "{}");
    let audit = windows::same(log.as_bytes(), &builtin("schema-v1").unwrap()).unwrap();
    assert_eq!(audit.verdicts.iter().map(|one| one.doubts.is_empty()).collect::<Vec<_>>(), [false]);
}

#[test]
fn a_handle_that_is_duplicated_as_itself_stays_what_it_is() {
    let log = header("scene")
        + &event("5", 0, "handle.create", "{\"raw_handle_id\":16,\"object_type\":\"Event\"}")
        + &event("5", 1, "handle.duplicate", "{\"source_raw_handle_id\":16,\"raw_handle_id\":16}")
        + &event("5", 2, "handle.create", "{\"raw_handle_id\":20,\"object_type\":\"Event\"}")
        + &event("5", 3, "handle.destroy", "{\"raw_handle_id\":16}");
    let audit = windows::same(log.as_bytes(), &builtin("schema-v1").unwrap()).unwrap();
    let left: Vec<_> = audit.world.objects.living().map(|(_, object)| object.names.clone()).collect();
    assert_eq!((audit.world.destroyed, left), (1, vec![std::iter::once(Name::Number(20)).collect()]));
}

#[test]
fn what_was_given_to_a_wait_that_is_for_something_else_goes_to_the_next() {
    let call = |name: &str, args: &str| format!("{{\"name\":\"{name}\",\"args\":{{{args}}}}}");
    let made = |id: &str| format!("{{\"handle_semantic_id\":\"{id}\",\"object_type\":\"Event/Auto\"}}");
    let log = header("scene")
        + &event("4", 0, "handle.create", &made("known"))
        + &event("5", 0, "kernel.call", &call("KeWaitForSingleObject", "\"object\":\"0x8000\""))
        + &event("6", 0, "wait.begin", "{\"handle_semantic_id\":\"0x8000\"}")
        + &event("4", 1, "kernel.call", &call("KeSetEvent", "\"object\":\"0x8000\""))
        + &event("5", 1, "wait.begin", "{\"handle_semantic_id\":\"known\"}");
    let audit = windows::same(log.as_bytes(), &builtin("schema-v1").unwrap()).unwrap();
    let words: Vec<_> = audit.verdicts.iter().map(|one| one.reason.word()).collect();
    assert_eq!(words, ["never-signalled", "not-woken"], "{:?}", audit.verdicts);
}

#[test]
fn where_one_waits_for_several_and_another_for_one_of_them_nobody_knows_who_was_served() {
    let made = |id: &str, kind: &str| format!("{{\"handle_semantic_id\":\"{id}\",\"object_type\":\"{kind}\"}}");
    let of = |id: &str| format!("{{\"handle_semantic_id\":\"{id}\"}}");
    let set = "{\"name\":\"NtSetEvent\",\"args\":{\"handle\":\"event\"}}";
    let both = "{\"handle_semantic_ids\":[\"timer\",\"event\"],\"wait_type\":\"all\"}";
    let end = "{\"wait_result\":0}";
    // The event reaches thread 7 first, then thread 6; the log is the same as if it were the other way round, up to the end.
    let log = header("scene")
        + &event("4", 0, "handle.create", &made("timer", "Timer/Auto"))
        + &event("4", 1, "handle.create", &made("event", "Event/Auto"))
        + &event("6", 0, "wait.begin", both)
        + &event("7", 0, "wait.begin", &of("event"))
        + &event("4", 2, "timer.fire", &of("timer"))
        + &event("4", 3, "kernel.call", set)
        + &event("4", 4, "timer.fire", &of("timer"))
        + &event("4", 5, "kernel.call", set)
        + &event("6", 1, "wait.end", end)
        + &event("7", 1, "wait.end", end)
        + &event("6", 2, "wait.begin", &of("timer"))
        + &event("4", 6, "timer.fire", &of("timer"))
        + &event("6", 3, "wait.end", end)
        + &event("6", 4, "wait.begin", &of("timer"))
        + &(7..300).map(|at| event("4", at, "import.call", "{}")).collect::<String>();
    let audit = windows::same(log.as_bytes(), &builtin("schema-v1").unwrap()).unwrap();
    let told: Vec<_> = audit.verdicts.iter().map(|one| (one.reason.word(), &one.doubts[..])).collect();
    assert_eq!(told, [("not-woken", &[Doubt::Guessed][..])]);
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
                    let audit = audited(log.as_bytes(), &profile, 1 << 20);
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

#[test]
fn whatever_threads_do_the_world_is_as_the_kernel_has_it() {
    let profile = builtin("schema-v1").unwrap();
    let (mut waiting, mut known, mut all) = (0, 0, 0);
    for seed in 0..cases() * 20 {
        let mut random = Random::new(seed, "anything", 0);
        let scene = anything(&mut |limit| random.below(limit));
        let style = STYLES[(seed % 3) as usize];
        let played = play(&scene, style, seed);
        for window_bytes in [1, 1 << 20] {
            let audit = audited(played.log.as_bytes(), &profile, window_bytes);
            waiting += audit.verdicts.len();
            all += played.stands.iter().filter(|stand| !stand.is_closed).count();
            known += agrees(&scene, &played, &audit).unwrap_or_else(|wrong| {
                let path = std::env::temp_dir().join("forkpoint-anything.jsonl");
                std::fs::write(&path, &played.log).unwrap();
                panic!("seed {seed}, {style:?}: {wrong}; the log: {}", path.display());
            });
        }
    }
    assert!(waiting > cases() as usize, "{waiting} waiting threads are too few");
    assert!(known * 4 > all * 3, "only {known} of {all} objects were known well enough to be compared");
}
