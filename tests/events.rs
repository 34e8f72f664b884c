//! Rules that take events out: which they meet, and what is compared then.

mod common;

use common::{Folder, event, forkpoint, header, text};
use serde_json::Value;

/// A profile upon schema-v1.
fn profile(rules: &str) -> String {
    format!("version = 1\nname = \"t\"\nextends = \"schema-v1\"\n{rules}")
}

/// A log of one thread: kinds with their payloads, numbered as they come.
fn log(events: &[(&str, &str)]) -> String {
    let numbered = events.iter().zip(0u64..);
    header("e") + &numbered.map(|((kind, payload), at)| event("1", at, kind, payload)).collect::<String>()
}

/// The exit code and the report of two logs under rules.
fn compared(rules: &str, logs: [&str; 2]) -> (Option<i32>, Value) {
    let folder = Folder::new();
    let file = folder.file("t.toml", profile(rules));
    let paths = ["a.jsonl", "b.jsonl"].into_iter().zip(logs).map(|(name, log)| folder.file(name, log));
    let mut command = forkpoint(["diff", "--format", "json", "--no-project", "--profile"]);
    let output = command.arg(file).args(paths).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code(), report.unwrap_or_else(|_| panic!("{}", text(&output.stderr))))
}

const DROP: &str = "[[drop]]\nname = \"ticks\"\nkinds = [\"tick\"]\nreason = \"the host's clock\"\n";

#[test]
fn what_is_dropped_may_come_and_go_and_nothing_else_may() {
    let (work, tick) = (("work", "{\"n\":1}"), ("tick", "{}"));
    let (other, last) = (("work", "{\"n\":2}"), ("work", "{\"n\":3}"));
    let plain = log(&[work, other, last]);
    for ticking in [
        log(&[work, tick, other, tick, tick, last]),
        log(&[tick, work, other, last, tick]),
        log(&[tick, tick, tick, work, other, last]),
    ] {
        let (code, report) = compared(DROP, [&plain, &ticking]);
        assert_eq!(code, Some(0), "{report}");
        assert_eq!(report["coverage"]["events_compared"], 3);
        let ticks = ticking.matches("\"tick\"").count() as u64;
        assert_eq!(report["coverage"]["taken_out"]["ticks"]["candidate"], ticks);
        assert_eq!(report["coverage"]["taken_out"]["ticks"]["reference"], 0);
        assert_eq!(compared(DROP, [&ticking, &plain]).0, Some(0));
        assert_eq!(compared("", [&plain, &ticking]).0, Some(1), "without the rule they differ");
    }
    // What differs behind is found where it is; the line's own number is told.
    let wrong = log(&[tick, work, tick, ("work", "{\"n\":7}"), last]);
    let (code, report) = compared(DROP, [&plain, &wrong]);
    let divergence = &report["pairings"][0]["divergence"];
    assert_eq!((code, &divergence["kind"], &divergence["position"]), (Some(1), &"value".into(), &1.into()));
    assert_eq!((&divergence["candidate"]["line"], &divergence["candidate"]["ordinal"]), (&5.into(), &3.into()));
    // A missing event is not made up for by one that was dropped.
    let short = log(&[work, tick, last]);
    let (code, report) = compared(DROP, [&plain, &short]);
    assert_eq!(code, Some(1));
    assert_eq!(report["pairings"][0]["divergence"]["differences"][0]["path"], "/payload/n");
}

#[test]
fn calls_are_dropped_by_name() {
    let rules = "[[drop]]\nname = \"log-calls\"\nreason = \"one engine logs more\"\n\
                 when = { path = \"/payload/name\", equals = [\"DbgPrint\", \"Log\"] }\n";
    let (open, print) = (("call", "{\"name\":\"Open\"}"), ("call", "{\"name\":\"DbgPrint\"}"));
    let back = ("back", "{\"name\":\"Log\"}");
    let logs = [log(&[open, print, back, open]), log(&[open, open])];
    assert_eq!(compared(rules, [&logs[0], &logs[1]]).0, Some(0));
    let shut = log(&[open, ("call", "{\"name\":\"Shut\"}"), open]);
    assert_eq!(compared(rules, [&logs[0], &shut]).0, Some(1));
}

#[test]
fn repeated_polls_count_once() {
    let rules = "[[fold]]\nname = \"polls\"\nkinds = [\"poll\", \"poll.end\"]\nsame = \"/payload/handle\"\nreason = \"timing\"\n";
    let poll = |handle: &'static str| [("poll", handle), ("poll.end", handle)];
    let (a, b) = (poll("{\"handle\":1}"), poll("{\"handle\":2}"));
    let work = [("work", "{}")];
    let once = [&a[..], &work, &a, &b, &work].concat();
    for (often, code) in [
        ([&a[..], &a, &a, &work, &a, &b, &a, &b, &work].concat(), 0),
        // Another handle is polled, one is not polled any more, or the run is broken by work.
        ([&a[..], &b, &work, &a, &b, &work].concat(), 1),
        ([&a[..], &work, &a, &a, &work].concat(), 1),
        ([&a[..], &work, &a, &work, &b, &work].concat(), 1),
    ] {
        let (found, report) = compared(rules, [&log(&once), &log(&often)]);
        assert_eq!(found, Some(code), "{report}");
    }
}

const JOIN: &str = "[[join]]\nname = \"prefix-bytes\"\nkinds = [\"insn\"]\nfirst = \"/payload/pc\"\n\
    concat = \"/payload/bytes\"\nsum = \"/payload/len\"\nreason = \"one engine logs prefixes on their own\"\n\
    when = { path = \"/payload/bytes\", equals = [\"f3\", \"66\"] }\n";

fn insn(pc: u64, bytes: &str) -> (&'static str, String) {
    ("insn", format!("{{\"pc\":{pc},\"bytes\":\"{bytes}\",\"len\":{}}}", bytes.len() / 2))
}

/// As [`log`], of events whose payloads are made.
fn made(events: &[(&str, String)]) -> String {
    log(&events.iter().map(|(kind, payload)| (*kind, payload.as_str())).collect::<Vec<_>>())
}

#[test]
fn what_one_side_splits_is_compared_as_one() {
    let whole = made(&[insn(1, "90"), insn(2, "66f3a4"), insn(5, "c3"), insn(6, "f3a4"), insn(8, "90")]);
    let split = [
        insn(1, "90"),
        insn(2, "66"),
        insn(3, "f3"),
        insn(4, "a4"),
        insn(5, "c3"),
        insn(6, "f3"),
        insn(7, "a4"),
        insn(8, "90"),
    ];
    let (code, report) = compared(JOIN, [&whole, &made(&split)]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["coverage"]["events_compared"], 5);
    assert_eq!(report["coverage"]["taken_out"]["prefix-bytes"]["candidate"], 3);
    assert_eq!(report["coverage"]["taken_out"]["prefix-bytes"]["reference"], 0);
    assert_eq!(compared(JOIN, [&made(&split), &whole]).0, Some(0));
    assert_eq!(compared("", [&whole, &made(&split)]).0, Some(1), "without the rule they differ");

    // A wrong prefix, a wrong last part, a missing prefix, an extra one: each is found, and where it is.
    for (wrong, at, path) in [
        ((2, insn(3, "66")), 1, "/payload/bytes"),
        ((3, insn(4, "a5")), 1, "/payload/bytes"),
        ((6, insn(7, "a4a4")), 3, "/payload/bytes"),
        ((5, insn(9, "f3")), 3, "/payload/pc"),
    ] {
        let mut parts = split.clone();
        parts[wrong.0] = wrong.1;
        let (code, report) = compared(JOIN, [&whole, &made(&parts)]);
        let divergence = &report["pairings"][0]["divergence"];
        assert_eq!((code, &divergence["position"]), (Some(1), &at.into()), "{report}");
        assert_eq!(divergence["differences"][0]["path"], path);
    }
    let mut parts = split.to_vec();
    parts.remove(5);
    assert_eq!(compared(JOIN, [&whole, &made(&parts)]).1["pairings"][0]["divergence"]["position"], 3);
}

#[test]
fn a_joined_event_is_shown_as_it_is_compared_and_where_it_ends() {
    let whole = made(&[insn(1, "90"), insn(2, "66f3a4"), insn(5, "c3")]);
    let parts = made(&[insn(1, "90"), insn(2, "66"), insn(3, "f3"), insn(4, "a5"), insn(5, "c3")]);
    let (_, report) = compared(JOIN, [&whole, &parts]);
    let shown = &report["pairings"][0]["divergence"]["candidate"];
    assert_eq!((&shown["line"], &shown["ordinal"], &shown["joined"]), (&5.into(), &3.into(), &3.into()), "{shown}");
    assert_eq!(shown["event"]["payload"], serde_json::json!({"pc": 2, "bytes": "66f3a5", "len": 3}));
    assert!(report["pairings"][0]["divergence"]["reference"].get("joined").is_none());
    let folder = Folder::new();
    let file = folder.file("t.toml", profile(JOIN));
    let paths = [("a.jsonl", &whole), ("b.jsonl", &parts)].map(|(name, log)| folder.file(name, log));
    let mut command = forkpoint(["diff", "--no-project", "--profile"]);
    let output = command.arg(file).args(paths).output().unwrap();
    assert!(text(&output.stdout).contains("insn (3 events joined)"), "{}", text(&output.stdout));
}

#[test]
fn what_cannot_be_joined_stands_alone() {
    // Another kind between, the thread's end, the log's end, values of other types or missing ones.
    for parts in [
        vec![insn(2, "f3"), ("irq", "{}".to_owned()), insn(3, "a4")],
        vec![insn(2, "90"), insn(2, "f3"), ("thread.exit", "{}".to_owned())],
        vec![insn(2, "90"), insn(2, "f3")],
        vec![insn(2, "f3"), ("insn", "{\"pc\":3,\"bytes\":[1],\"len\":1}".to_owned())],
        vec![insn(2, "f3"), ("insn", "{\"pc\":3,\"bytes\":\"a4\"}".to_owned())],
        vec![("insn", "{\"bytes\":\"f3\",\"len\":1}".to_owned()), insn(3, "a4")],
        vec![insn(2, "f3"), ("insn", "{\"pc\":3,\"bytes\":\"a4\",\"len\":1.5}".to_owned())],
    ] {
        let log = made(&parts);
        let (code, report) = compared(JOIN, [&log, &log]);
        assert_eq!((code, report["coverage"]["events_compared"].as_u64()), (Some(0), Some(parts.len() as u64)));
        assert!(report["coverage"].get("taken_out").is_none_or(|all| all.as_object().unwrap().is_empty()), "{report}");
    }
    // With a kind of its own for the first part.
    let rules = JOIN.replace("\"insn\"", "\"prefix\"") + "then = [\"insn\"]\n";
    let parts = [("prefix", insn(2, "f3").1), insn(3, "a4"), insn(4, "f3"), insn(5, "90")];
    let whole = [insn(2, "f3a4"), insn(4, "f3"), insn(5, "90")];
    assert_eq!(compared(&rules, [&made(&whole), &made(&parts)]).0, Some(0));
    // A log that breaks off behind a first part has it all the same, and is cut.
    let cut = made(&[insn(1, "90"), insn(2, "66")]) + "{\"tid\":1,\"tid_ev";
    let (code, report) = compared(JOIN, [&made(&[insn(1, "90"), insn(2, "66a4"), insn(4, "90")]), &cut]);
    assert_eq!((code, &report["pairings"][0]["divergence"]["kind"]), (Some(1), &"value".into()), "{report}");
}

#[test]
fn dropped_events_do_not_part_what_belongs_together() {
    let rules = DROP.to_owned() + JOIN;
    let tick = || ("tick", "{}".to_owned());
    let parts = [insn(1, "66"), tick(), insn(2, "f3"), tick(), tick(), insn(3, "a4"), insn(4, "90")];
    let whole = [tick(), insn(1, "66f3a4"), insn(4, "90")];
    let (code, report) = compared(&rules, [&made(&whole), &made(&parts)]);
    assert_eq!(code, Some(0), "{report}");
    let taken_out = &report["coverage"]["taken_out"];
    assert_eq!((&taken_out["ticks"]["candidate"], &taken_out["prefix-bytes"]["candidate"]), (&3.into(), &2.into()));
}

#[test]
fn threads_take_turns_while_parts_wait_and_windows_do_not_matter() {
    // 40 threads, each event split, and one thread's parts far apart.
    let line = |tid: u64, at: u64, payload: String| event(&tid.to_string(), at, "insn", &payload);
    let (mut whole, mut parts) = (header("e"), header("e"));
    for round in 0..60u64 {
        for tid in 1..=40u64 {
            let pc = round * 100 + tid;
            whole += &line(tid, round, format!("{{\"pc\":{pc},\"bytes\":\"66{pc:08x}\",\"len\":5}}"));
            parts += &line(tid, round * 2, format!("{{\"pc\":{pc},\"bytes\":\"66\",\"len\":1}}"));
        }
        for tid in (1..=40u64).rev() {
            let pc = round * 100 + tid;
            parts += &line(tid, round * 2 + 1, format!("{{\"pc\":0,\"bytes\":\"{pc:08x}\",\"len\":4}}"));
        }
    }
    let (code, report) = compared(JOIN, [&whole, &parts]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["coverage"]["taken_out"]["prefix-bytes"]["candidate"], 2400);
    let wrong = parts.replace("0000170f\"", "00001799\"");
    assert_ne!(wrong, parts);
    let (code, report) = compared(JOIN, [&whole, &wrong]);
    assert_eq!(
        (code, &report["pairings"][report["first"].as_u64().unwrap() as usize]["divergence"]["position"]),
        (Some(1), &59.into())
    );
}

#[test]
fn threads_end_and_begin_anew_whatever_is_taken_out() {
    let rules = "[[drop]]\nname = \"exits\"\nkinds = [\"thread.exit\"]\nreason = \"r\"\n";
    let life = |payload: &str, from: u64| {
        event("1", from, "work", payload)
            + &event("1", from + 1, "work", "{}")
            + &event("1", from + 2, "thread.exit", "{}")
    };
    let twice = header("e") + &life("{\"n\":1}", 0) + &life("{\"n\":2}", 0);
    let (code, report) = compared(rules, [&twice, &twice]);
    assert_eq!((code, report["pairings"].as_array().unwrap().len()), (Some(0), 2));
    assert_eq!(report["pairings"][1]["reference"]["events"], 2);
    // A thread of which all is taken out has nothing that could differ.
    let ghost = header("e") + &event("2", 0, "thread.exit", "{}") + &life("{\"n\":1}", 0);
    let (code, report) = compared(rules, [&ghost, &ghost]);
    assert_eq!((code, report["coverage"]["events_compared"].as_u64()), (Some(0), Some(2)));
}

#[test]
fn damaged_events_are_told_and_not_taken_out_by_what_cannot_be_read() {
    let rules = "[[drop]]\nname = \"d\"\nreason = \"r\"\nwhen = { path = \"/payload/name\", equals = \"Log\" }\n";
    let sound = log(&[("call", "{\"name\":\"Log\"}"), ("work", "{}")]);
    let (code, report) = compared(rules, [&sound, &sound.replace("\"Log\"}", "\"Log\",}")]);
    assert_eq!(code, Some(2), "{report}");
    assert_eq!(report["faults"][0]["line"], 2);
}

#[test]
fn rules_on_events_are_shown_switched_off_and_told_where_useless() {
    let folder = Folder::new();
    let file = folder.file("t.toml", profile(DROP));
    let shown = forkpoint(["profile", "show", "--no-project", "--profile"]).arg(&file).output().unwrap();
    let shown = text(&shown.stdout);
    assert!(shown.contains("[[drop]]") && shown.contains("kinds = [\"tick\"]"), "{shown}");
    let logs = [log(&[("work", "{}"), ("tick", "{}")]), log(&[("work", "{}")])];
    let paths: Vec<_> =
        ["a.jsonl", "b.jsonl"].into_iter().zip(&logs).map(|(name, log)| folder.file(name, log)).collect();
    let diff = |words: &[&str]| {
        let mut command = forkpoint(["diff", "--no-project", "--profile"]);
        command.arg(&file).args(words).args(&paths).output().unwrap()
    };
    let told = text(&diff(&[]).stdout);
    assert!(told.contains("taken out by rule: ticks 1 and 0 events"), "{told}");
    assert!(text(&diff(&["--format", "markdown"]).stdout).contains("- taken out by rule ticks: 1 and 0 events"));
    assert_eq!(diff(&["--without", "ticks"]).status.code(), Some(1));
    for (rule, why) in [
        ("[[drop]]\nname = \"x\"\nreason = \"r\"\n", "this would take every event out"),
        ("[[fold]]\nname = \"x\"\nreason = \"r\"\n", "this would fold every event"),
        ("[[join]]\nname = \"x\"\nsum = \"a\"\nreason = \"r\"\n", "this would join every event with the next"),
        ("[[join]]\nname = \"x\"\nkinds = [\"a\"]\nreason = \"r\"\n", "this joins no value"),
        (
            "[[join]]\nname = \"x\"\nkinds = [\"a\"]\nsum = \"a.b\"\nfirst = [\"c\", \"a\"]\nreason = \"r\"\n",
            "cannot both be joined",
        ),
        ("[[fold]]\nname = \"x\"\nkinds = [\"a\"]\nsame = \"a..b\"\nreason = \"r\"\n", "a part is empty"),
        (&DROP.repeat(2), "named \"ticks\" already"),
    ] {
        let bad = folder.file("bad.toml", profile(rule));
        let output = forkpoint(["profile", "check"]).arg(bad).output().unwrap();
        assert!(output.status.code() == Some(2) && text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
}

#[test]
fn windows_jobs_and_waiting_change_nothing() {
    let folder = Folder::new();
    let fold = "[[fold]]\nname = \"polls\"\nkinds = [\"poll\"]\nreason = \"r\"\n";
    let join = "[[join]]\nname = \"pieces\"\nkinds = [\"piece\"]\nsum = \"/payload/n\"\nthen = [\"work\", \"piece\"]\nreason = \"r\"\n";
    let rules = profile(&[DROP, fold, join].concat());
    let file = folder.file("t.toml", rules);
    let run = |noise: u64, wrong: bool| {
        let mut out = header("e");
        let mut ordinals = [0u64; 5];
        let mut put = |thread: u64, kind: &str, payload: String| {
            let ordinal = &mut ordinals[thread as usize];
            out.push_str(&event(&thread.to_string(), *ordinal, kind, &payload));
            *ordinal += 1;
        };
        for at in 0..3_000u64 {
            let thread = at * 7 % 5;
            (0..(at * noise) % 4).for_each(|_| put(thread, "poll", "{}".into()));
            if (at * 31 + noise).is_multiple_of(3) {
                put(thread, "tick", format!("{{\"n\":{noise}}}"));
            }
            let pieces = (at * noise) % 3;
            (0..pieces).for_each(|_| put(thread, "piece", "{\"n\":1}".into()));
            put(thread, "work", format!("{{\"n\":{}}}", at + 10 + u64::from(wrong && at == 2_345) - pieces));
            // Each run ends in a poll, however often there was one.
            put(thread, "poll", "{}".into());
            put(thread, "rest", "{}".into());
        }
        out
    };
    let (a, b) = (folder.file("a.jsonl", run(4, false)), folder.file("b.jsonl", run(8, true)));
    let mut reports = Vec::new();
    for words in ["--jobs 1", "--jobs 4", "--window 1", "--window 700 --no-mmap", "--strict", "--no-layouts"] {
        let mut command = forkpoint(["diff", "--format", "json", "--profile"]);
        let output = command.arg(&file).args(words.split(' ')).arg(&a).arg(&b).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}: {}", text(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let coverage = &report["coverage"];
        reports.push((report["pairings"].clone(), coverage["taken_out"].clone(), coverage["events_compared"].clone()));
    }
    assert!(reports.windows(2).all(|pair| pair[0] == pair[1]));
    let parted: Vec<_> = reports[0].0.as_array().unwrap().iter().filter(|one| !one["divergence"].is_null()).collect();
    assert_eq!(parted.len(), 1);
    assert_eq!(parted[0]["divergence"]["differences"][0]["path"], "/payload/n");
}
