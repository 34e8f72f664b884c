//! `forkpoint audit` of two logs: who waits in one of them only, and what is missing there.

mod common;
#[path = "../examples/generate/mod.rs"]
#[allow(dead_code, unused_imports)]
mod generate;
#[path = "life/both.rs"]
mod held;
#[path = "life/scenes.rs"]
#[allow(dead_code)]
mod scenes;

use common::{Folder, event, forkpoint, header, text};
use serde_json::Value;

use generate::kernel::{FIRST_TID, Make, Op, Played, Scene, play};
use generate::numbers::Random;
use scenes::{STYLES, anything, changed};

fn cases() -> u64 {
    std::env::var("FORKPOINT_CASES").map_or(24, |cases| cases.parse().unwrap())
}

/// The report of two logs as JSON, and the exit code.
fn both(folder: &Folder, reference: &str, candidate: &str, words: &[&str]) -> (i32, Value) {
    folder.file("reference.jsonl", reference);
    folder.file("candidate.jsonl", candidate);
    let output = forkpoint(["audit", "reference.jsonl", "candidate.jsonl", "--format", "json", "--limit", "all"])
        .args(words)
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    let told = text(&output.stderr);
    (
        output.status.code().unwrap(),
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}")),
    )
}

/// Side, thread and line of those that wait on one side only, as a report has them.
fn said(report: &Value) -> Vec<(String, u64, u64)> {
    let waiting = report["waiting"].as_array().unwrap();
    let mut said: Vec<_> = waiting
        .iter()
        .map(|one| {
            let wait = &one["wait"];
            let side = one["side"].as_str().unwrap().to_owned();
            (side, wait["thread"]["tid"].as_u64().unwrap(), wait["since"]["line"].as_u64().unwrap())
        })
        .collect();
    said.sort();
    said
}

/// The same as the kernel knows it: threads that are parked, and not for the same in the other run.
fn truly(plays: [&Played; 2]) -> Vec<(String, u64, u64)> {
    let mut truly = Vec::new();
    for (side, [own, other]) in [("reference", plays), ("candidate", [plays[1], plays[0]])] {
        let is_same = |thread: usize, objects: &[usize]| {
            let alike = own.for_all[thread] == other.for_all[thread];
            alike && other.parked.iter().any(|(parked, others, _)| *parked == thread && others == objects)
        };
        let alone = own.parked.iter().filter(|(thread, objects, _)| !is_same(*thread, objects));
        truly.extend(alone.map(|(thread, _, since)| (side.to_owned(), (FIRST_TID + thread) as u64, *since)));
    }
    truly.sort();
    truly
}

#[test]
fn who_waits_in_one_run_only_is_told_whatever_threads_do() {
    let folder = Folder::new();
    let (mut one_sided, mut alike) = (0, 0);
    for seed in 0..cases() * 3 {
        let mut random = Random::new(seed, "anything", 1);
        let scene = anything(&mut |limit| random.below(limit));
        let style = STYLES[(seed % 3) as usize];
        let plays = [play(&scene, style, seed), play(&scene, style, seed + 1_000_000)];
        let (code, report) = both(&folder, &plays[0].log, &plays[1].log, &["--map", "same"]);
        let (said, truly) = (said(&report), truly([&plays[0], &plays[1]]));
        assert_eq!(said, truly, "seed {seed}, {style:?}\n{report:#}");
        assert!(code == 0 || code == 1, "{code}");
        assert_eq!((code == 0), said.is_empty() && report["parted_total"] == 0, "{report:#}");
        if seed % 4 == 0 {
            let (_, in_lines) =
                both(&folder, &plays[0].log, &plays[1].log, &["--map", "same", "--window", "1", "-j", "1"]);
            assert_eq!(in_lines, report, "seed {seed}: the answer depends on how the logs are read");
        }
        one_sided += said.len();
        alike += report["waiting_alike"].as_u64().unwrap();
        let (code, report) = both(&folder, &plays[0].log, &plays[0].log, &[]);
        assert_eq!((code, &report["verdict"], &report["parted_total"]), (0, &"same".into(), &0.into()), "{report:#}");
    }
    assert!(
        one_sided > 10 && alike > 10,
        "{one_sided} wait on one side only, {alike} on both: too few to say anything"
    );
}

#[test]
fn two_logs_are_told_the_same_from_either_side_and_in_any_windows() {
    let profile = forkpoint::profile::builtin("schema-v1").unwrap();
    for seed in 0..cases() {
        let mut random = Random::new(seed, "anything", 2);
        let scene = anything(&mut |limit| random.below(limit));
        let style = STYLES[(seed % 3) as usize];
        let other = changed(&scene, &mut |limit| random.below(limit));
        let plays = [play(&scene, style, seed), play(if seed % 2 == 0 { &scene } else { &other }, style, seed + 5)];
        assert!(held::same([plays[0].log.as_bytes(), plays[1].log.as_bytes()], &profile).is_some());
    }
}

#[test]
fn what_is_done_with_closed_objects_is_paired_however_far_the_logs_were_read() {
    let handle = "{\"handle_semantic_id\":\"event\",\"raw_handle_id\":4160749584,\"object_type\":\"Event\"}";
    let set = "{\"name\":\"NtSetEvent\",\"args\":{\"handle\":4160749584}}";
    let log = |late: u64| {
        let mut log = header("scene");
        (0..late).for_each(|at| log += &event("9", at, "import.call", "{\"name\":\"other\"}"));
        let mut at = 0..;
        let mut add = |kind: &str, payload: &str| log += &event("4", at.next().unwrap(), kind, payload);
        for _ in 0..3 {
            add("kernel.call", set);
            add("handle.create", handle);
            add("kernel.call", set);
            add("handle.destroy", handle);
            add("kernel.call", set);
            add("kernel.call", "{\"name\":\"NtClose\",\"args\":{\"handle\":4160749584}}");
            add("kernel.call", set);
        }
        log
    };
    let profile = forkpoint::profile::builtin("schema-v1").unwrap();
    for late in [0, 1, 3, 10, 50] {
        let logs = [log(0), log(late)];
        let told = held::same([logs[0].as_bytes(), logs[1].as_bytes()], &profile).unwrap();
        let report: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((&report["verdict"], &report["parted_total"]), (&"same".into(), &0.into()), "{late}: {told}");
    }
}

/// A line of workers: each takes what the one before it gave, and gives it on; nobody gives more than `room` ahead.
fn line_of_workers(random: &mut Random) -> Scene {
    let workers = 2 + random.below(3) as usize;
    let jobs = 3 + random.below(12);
    let room = 1 + random.below(3) as i64;
    let mut objects = Vec::new();
    for at in 1..workers {
        objects.push((format!("full {at}"), Make::Semaphore(0)));
        objects.push((format!("empty {at}"), Make::Semaphore(room)));
    }
    let mut threads = vec![(0..objects.len()).map(Op::Create).chain([Op::Raise(0)]).collect::<Vec<Op>>()];
    for worker in 0..workers {
        let (from, to) = (worker.checked_sub(1).map(|at| at * 2), (worker + 1 < workers).then_some(worker * 2));
        let mut ops = vec![Op::Until(0)];
        for job in 0..jobs {
            ops.extend(from.map(|full| Op::Wait(vec![full])));
            ops.extend(to.map(|full| Op::Wait(vec![full + 1])));
            // Each job looks otherwise: of the same ones nobody could say which is missing.
            ops.push(Op::Work(1 + job));
            ops.extend(from.map(|full| Op::Release(full + 1, 1)));
            ops.extend(to.map(|full| Op::Release(full, 1)));
        }
        threads.push(ops);
    }
    Scene { objects, threads, deaf: Vec::new() }
}

/// Lines on which a thread releases something, in their order.
fn releases(log: &str, thread: usize) -> Vec<u64> {
    let is_release = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["kind"] == "kernel.call"
            && event["payload"]["name"] == "NtReleaseSemaphore"
            && event["tid"] == FIRST_TID + thread
    };
    log.lines().zip(1..).filter(|(line, _)| is_release(line)).map(|(_, at)| at).collect()
}

#[test]
fn a_signal_that_one_run_lacks_is_named_with_its_line() {
    let folder = Folder::new();
    let mut named = 0;
    for seed in 0..cases() * 2 {
        let random = &mut Random::new(seed, "workers", 0);
        let scene = line_of_workers(random);
        let style = STYLES[(seed % 3) as usize];
        // One release of one worker is not done.
        let thread = 1 + random.below(scene.threads.len() as u64 - 1) as usize;
        let places: Vec<usize> = (scene.threads[thread].iter().enumerate())
            .filter(|(_, op)| matches!(op, Op::Release(..)))
            .map(|(at, _)| at)
            .collect();
        let number = random.below(places.len() as u64) as usize;
        let mut without = scene.clone();
        let Op::Release(object, _) = without.threads[thread].remove(places[number]) else { unreachable!() };
        let plays = [play(&scene, style, seed), play(&without, style, seed + 77)];
        assert!(plays[0].parked.is_empty(), "the line of workers ends");
        // Workers that look alike are not told apart by how they begin.
        let (code, report) = both(&folder, &plays[0].log, &plays[1].log, &["--map", "same"]);
        let (said, truly) = (said(&report), truly([&plays[0], &plays[1]]));
        assert_eq!(said, truly, "seed {seed}, {style:?}\n{report:#}");
        if said.is_empty() {
            // There was room enough without it; the trails part all the same.
            if (code, report["parted_total"].as_u64()) != (1, Some(1)) {
                std::fs::write("/tmp/b/r.jsonl", &plays[0].log).unwrap();
                std::fs::write("/tmp/b/c.jsonl", &plays[1].log).unwrap();
                panic!("seed {seed} {style:?} {}", report["message"]);
            }
            continue;
        }
        let line = releases(&plays[0].log, thread)[number];
        let first = &report["waiting"][0];
        let missing = &first["missing"][0];
        let partner = &missing["partner"];
        let last = plays[1]
            .log
            .lines()
            .zip(1..)
            .filter(|(line, _)| serde_json::from_str::<Value>(line).unwrap()["tid"] == FIRST_TID + thread);
        let told = [
            &first["wait"]["names"][0],
            &missing["signal"]["at"]["line"],
            &partner["tid"],
            &partner["last_line"],
            &missing["does"],
        ];
        let (name, last) = (scene.objects[object].0.as_str(), last.last().unwrap().1);
        let truth = [name.into(), line.into(), (FIRST_TID + thread).into(), Value::from(last), "goes-on".into()];
        if told.map(Clone::clone) != truth {
            std::fs::write("/tmp/b/r.jsonl", &plays[0].log).unwrap();
            std::fs::write("/tmp/b/c.jsonl", &plays[1].log).unwrap();
            panic!("seed {seed}, {style:?}: {told:?} is said, {truth:?} is true\n{report:#}");
        }
        named += 1;
    }
    assert!(named > cases() / 2, "only {named} were missed by anybody");
}

#[test]
fn objects_that_part_at_one_line_of_both_logs_stand_in_one_order() {
    let before: String = (0..40).map(|at| event("6", at, "import.call", "{}")).collect();
    let made = before + &event("6", 40, "thread.create", "{}");
    let set = event("7", 0, "kernel.call", "{\"name\":\"KeSetEvent\",\"args\":{\"object\":\"event:k\"}}");
    let logs = [header("x") + &made, header("x") + &"\n".repeat(40) + &set];
    let profile = forkpoint::profile::builtin("schema-v1").unwrap();
    for [one, other] in [[0, 1], [1, 0]] {
        // Small windows make the other log the first that is read so far.
        assert!(held::same([logs[one].as_bytes(), logs[other].as_bytes()], &profile).is_some());
    }
}

#[test]
fn a_step_that_does_more_is_another_step() {
    let log = |released: u64| {
        let semaphore = "{\"handle_semantic_id\":\"work\",\"raw_handle_id\":16,\"object_type\":\"Semaphore\"}";
        let release =
            format!("{{\"name\":\"NtReleaseSemaphore\",\"args\":{{\"handle\":16,\"release_count\":{released}}}}}");
        header("scene")
            + &event("4", 0, "handle.create", semaphore)
            + &event("4", 1, "kernel.call", &release)
            + &event("4", 2, "import.call", "{}")
    };
    let profile = forkpoint::profile::builtin("schema-v1").unwrap();
    for (other, verdict, parted) in [(1, "same", 0), (2, "differ", 1)] {
        let logs = [log(1), log(other)];
        let told = held::same([logs[0].as_bytes(), logs[1].as_bytes()], &profile).unwrap();
        let report: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((&report["verdict"], &report["parted_total"]), (&verdict.into(), &parted.into()), "{told}");
        if parted == 1 {
            let parting = &report["parted"][0]["partings"][0];
            let line = |side: &str| &parting[side]["at"]["line"];
            assert_eq!((line("reference"), line("candidate")), (&3.into(), &3.into()), "{told}");
        }
    }
}

#[test]
fn objects_that_both_logs_name_are_paired_by_their_names_whichever_was_made_first() {
    let log = |first: &str, second: &str| {
        let mut log = header("scene");
        for (at, name) in [first, second].into_iter().enumerate() {
            let raw = if name == "a" { 16 } else { 20 };
            let made =
                format!("{{\"handle_semantic_id\":\"{name}\",\"raw_handle_id\":{raw},\"object_type\":\"Event\"}}");
            log += &event("4", at as u64, "handle.create", &made);
        }
        for (at, raw) in [16, 20, 20].into_iter().enumerate() {
            let set = format!("{{\"name\":\"NtSetEvent\",\"args\":{{\"handle\":{raw}}}}}");
            log += &event("5", at as u64, "kernel.call", &set);
        }
        log
    };
    let profile = forkpoint::profile::builtin("schema-v1").unwrap();
    let logs = [log("a", "b"), log("b", "a")];
    let told = held::same([logs[0].as_bytes(), logs[1].as_bytes()], &profile).unwrap();
    let report: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&report["verdict"], &report["parted_total"]), (&"same".into(), &0.into()), "{told}");
}
