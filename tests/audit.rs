//! The life of handles: what is said of threads that wait, held to scenes that a small kernel plays.

mod common;
#[path = "../examples/generate/mod.rs"]
#[allow(dead_code, unused_imports)]
mod generate;

use forkpoint::align::header;
use forkpoint::audit::log::{Audit, Lost, Name, Reason, audit};
use forkpoint::profile::{AuditRule, AuditStep, Profile, Scalar, builtin};
use forkpoint::source::{Log, OpenOptions};

use common::{event, header};
use serde_json::Value;

use generate::kernel::{FIRST_TID, Make, Op, Played, Scene, Style, play};
use generate::numbers::Random;
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
    let audit = audited(&log, &builtin("schema-v1").unwrap(), 1 << 20);
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
    let start = header::start(&mut read, &profile).expect("a header");
    let asked = Name::Text("event:7".into());
    let audit = audit(&mut read, start, &profile, vec![asked.clone()], |_, _, _| ()).unwrap();
    assert_eq!((audit.world.created, audit.world.destroyed), (10_000, 10_000));
    let known: Vec<_> = audit.world.objects.buried().collect();
    assert!(known.len() < 5_000, "{} objects are remembered", known.len());
    let of: Vec<_> = known.iter().filter(|object| object.names.contains(&asked)).collect();
    assert_eq!(of.len(), 1, "the one that is asked for is told");
    assert!(of[0].created.is_some() && of[0].destroyed.is_some());
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

/// Threads that do what comes to them with a few objects.
fn anything(random: &mut Random) -> Scene {
    let makes = [
        Make::Manual,
        Make::Auto,
        Make::Semaphore(0),
        Make::Semaphore(2),
        Make::Mutant,
        Make::TimerManual,
        Make::TimerAuto,
    ];
    let objects: Vec<(String, Make)> =
        (0..4).map(|at| (format!("object:{at}"), makes[random.below(makes.len() as u64) as usize])).collect();
    let mut threads = vec![(0..objects.len()).map(Op::Create).chain([Op::Raise(0)]).collect::<Vec<Op>>()];
    for _ in 0..4 {
        let mut ops = vec![Op::Until(0)];
        for _ in 0..random.below(14) {
            let at = random.below(objects.len() as u64) as usize;
            let other = (at + 1) % objects.len();
            let is_event = matches!(objects[at].1, Make::Manual | Make::Auto);
            let waits = match random.below(8) {
                0 => Op::Wait(vec![at, other]),
                1 => Op::WaitAll(vec![at, other]),
                _ => Op::Wait(vec![at]),
            };
            let op = match (objects[at].1, random.below(6)) {
                (_, 0) => Op::Work(1),
                (_, 1 | 2) => waits,
                (Make::Semaphore(_), _) => Op::Release(at, 1 + random.below(2) as i64),
                // Only its owner may release a mutant.
                (Make::Mutant, _) => {
                    ops.push(Op::Wait(vec![at]));
                    Op::Release(at, 1)
                }
                (Make::TimerManual | Make::TimerAuto, _) => Op::Fire(at),
                (_, 3) if is_event => Op::Reset(at),
                (_, 4) if is_event => Op::Pulse(at),
                _ => Op::Set(at),
            };
            ops.push(op);
        }
        threads.push(ops);
    }
    Scene { objects, threads, deaf: Vec::new() }
}

/// How often each object is signalled in a log, by its raw handle: counted line by line.
fn signals_of(log: &str, raw: u64) -> u64 {
    let signals = ["NtSetEvent", "KeSetEvent", "NtPulseEvent", "KePulseEvent", "NtReleaseSemaphore", "NtReleaseMutant"];
    let is_signal = |event: &Value| {
        let call = event["kind"] == "kernel.call" && signals.iter().any(|name| event["payload"]["name"] == **name);
        (call && event["payload"]["args"]["handle"] == raw)
            || (event["kind"] == "timer.fire" && event["payload"]["raw_handle_id"] == raw)
    };
    log.lines().filter(|line| is_signal(&serde_json::from_str(line).unwrap())).count() as u64
}

/// How many objects are known to stand as the kernel has them; an error names what is wrong.
fn agrees(played: &Played, audit: &Audit, style: Style) -> Result<usize, String> {
    let waiting: Vec<(usize, u64)> = audit
        .verdicts
        .iter()
        .map(|one| {
            (
                audit.world.threads[one.thread as usize].key.to_string().parse::<usize>().unwrap() - FIRST_TID,
                one.since.line,
            )
        })
        .collect();
    let mut waiting = waiting;
    waiting.sort_unstable();
    let parked: Vec<(usize, u64)> = played.parked.iter().map(|(thread, _, since)| (*thread, *since)).collect();
    if waiting != parked {
        return Err(format!("{waiting:?} wait, {parked:?} truly do"));
    }
    if !audit.world.unexplained.is_empty() {
        return Err(format!("all is logged, but {:?}", audit.world.unexplained));
    }
    if let Some(wrong) = audit.verdicts.iter().find(|one| one.reason.word() == "not-woken") {
        return Err(format!("the kernel wakes whom it can: {wrong:?}"));
    }
    let mut known = 0;
    for (at, (available, owner)) in played.stands.iter().enumerate() {
        let name = Name::Text(format!("object:{at}").into());
        let found = audit.world.objects.find(&name).map(|at| &audit.world.objects.all[at]);
        let object = found.ok_or(format!("object:{at} is not there"))?;
        let has = object.owner.map(|(owner, _)| audit.world.threads[owner.thread as usize].key.to_string());
        let stands = (object.available, has);
        let truly = (*available, owner.map(|thread| (FIRST_TID + thread).to_string()));
        if stands != truly && !object.is_guessed {
            return Err(format!("object:{at} stands {stands:?}, truly {truly:?} ({style:?})"));
        }
        known += usize::from(!object.is_guessed);
        let raw = object.names.iter().find_map(|name| match name {
            Name::Number(raw) => Some(*raw),
            _ => None,
        });
        let signals = signals_of(&played.log, raw.unwrap_or(0));
        if object.signalled != signals {
            return Err(format!("object:{at} is signalled {} times, truly {signals}", object.signalled));
        }
    }
    for verdict in &audit.verdicts {
        let objects: Vec<_> =
            audit.world.objects.living().filter(|(_, object)| verdict.objects.contains(&object.number)).collect();
        // What it could be taken for when it was made may be gone too.
        let is_of_old = matches!(verdict.reason, Reason::Lost(Lost { signal: None, .. }) | Reason::ParkedAgain { .. });
        let is_never = objects.iter().all(|(_, object)| object.signalled == 0) && !is_of_old;
        let says_never = verdict.reason.word() == "never-signalled";
        let is_single = objects.len() == 1 && !matches!(verdict.reason.word(), "held" | "deadlock");
        if is_single && is_never != says_never {
            return Err(format!(
                "{verdict:?}, signalled {:?}",
                objects.iter().map(|(_, one)| one.signalled).collect::<Vec<_>>()
            ));
        }
    }
    Ok(known)
}

#[test]
fn whatever_threads_do_the_world_is_as_the_kernel_has_it() {
    let profile = builtin("schema-v1").unwrap();
    let (mut waiting, mut known, mut all) = (0, 0, 0);
    for seed in 0..cases() * 20 {
        let scene = anything(&mut Random::new(seed, "anything", 0));
        let style = [Style::Full, Style::Calls, Style::Waits][(seed % 3) as usize];
        let played = play(&scene, style, seed);
        for window_bytes in [1, 1 << 20] {
            let audit = audited(&played.log, &profile, window_bytes);
            waiting += audit.verdicts.len();
            all += played.stands.len();
            known += agrees(&played, &audit, style).unwrap_or_else(|wrong| {
                let path = std::env::temp_dir().join("forkpoint-anything.jsonl");
                std::fs::write(&path, &played.log).unwrap();
                panic!("seed {seed}: {wrong}; the log: {}", path.display());
            });
        }
    }
    assert!(waiting > cases() as usize, "{waiting} waiting threads are too few");
    assert!(known * 4 > all * 3, "only {known} of {all} objects were known well enough to be compared");
}
