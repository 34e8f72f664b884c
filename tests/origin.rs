//! Where a differing value came from, and between which checkpoints the state parted: real runs, all formats.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::OnceLock;

use common::{Folder, event, forkpoint, header, text};
use serde_json::{Value, json};

/// A schema-v1 log: each event's thread, kind and payload; ordinals are counted.
fn log(engine: &str, events: &[(u64, &str, String)]) -> String {
    let mut ordinals: BTreeMap<u64, u64> = BTreeMap::new();
    let line = |(thread, kind, payload): &(u64, &str, String)| {
        let ordinal = ordinals.entry(*thread).or_default();
        *ordinal += 1;
        event(&thread.to_string(), *ordinal - 1, kind, payload)
    };
    header(engine) + &events.iter().map(line).collect::<String>()
}

/// Two threads that take turns; `payload` says what each event holds, by its number.
fn turns(engine: &str, threads: [u64; 2], events: u64, payload: impl Fn(u64) -> Option<String>) -> String {
    let plain = |at: u64| payload(at).unwrap_or_else(|| format!("{{\"n\":{}}}", at % 90));
    let events: Vec<_> = (0..events).map(|at| (threads[(at % 2) as usize], "call", plain(at))).collect();
    log(engine, &events)
}

/// A pair that parts at event 101, the 50th of its thread, in `value`.
fn pair(folder: &Folder, before: &[(u64, &str)], values: [&str; 2]) -> [PathBuf; 2] {
    let side = |engine: &str, threads: [u64; 2], value: &str| {
        turns(engine, threads, 200, |at| match before.iter().find(|(place, _)| *place == at) {
            Some((_, payload)) => Some((*payload).to_owned()),
            None => (at == 101).then(|| format!("{{\"name\":\"open\",\"value\":{value}}}")),
        })
    };
    [folder.file("a.jsonl", side("old", [6, 7], values[0])), folder.file("b.jsonl", side("new", [16, 17], values[1]))]
}

fn diff(logs: &[PathBuf; 2], words: &[&str]) -> Output {
    forkpoint(["diff"]).args(logs).args(words).output().unwrap()
}

/// The JSON report, which follows its schema.
fn report(output: &Output) -> Value {
    static VALIDATOR: OnceLock<jsonschema::Validator> = OnceLock::new();
    let validator = VALIDATOR.get_or_init(|| {
        let schema = forkpoint(["generate", "schema"]).output().unwrap().stdout;
        jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap()
    });
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    report
}

fn json(logs: &[PathBuf; 2], words: &[&str]) -> Value {
    report(&diff(logs, &[&["--format", "json"], words].concat()))
}

/// A page without the breaks of its lines.
fn page(logs: &[PathBuf; 2], words: &[&str]) -> String {
    let told = text(&diff(logs, words).stdout);
    let is_terminal = !words.contains(&"markdown");
    for line in told.lines().filter(|line| is_terminal && !line.contains("forkpoint ") && !line.contains(".jsonl")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn partners_that_agree() {
    let folder = Folder::new();
    let logs = pair(&folder, &[(40, "{\"free\":[50001,50002]}")], ["50001", "50002"]);
    let report = json(&logs, &[]);
    let origin = &report["origin"];
    let wanted = json!({
        "value": 50001, "line": 42, "tid": 6, "generation": 0, "position": 20, "ordinal": 20,
        "text": "{\"kind\":\"call\",\"tid\":6,\"tid_event_idx\":20,\"payload\":{\"free\":[50001,50002]}}",
    });
    for (key, value) in wanted.as_object().unwrap() {
        assert_eq!(origin["reference"][key], *value, "{key}");
    }
    assert_eq!((&origin["candidate"]["value"], &origin["candidate"]["tid"]), (&json!(50002), &json!(16)));
    assert_eq!((&origin["candidate"]["line"], &origin["candidate"]["position"]), (&json!(42), &json!(20)));
    assert_eq!((&origin["paired"], &origin["agreed"], &origin["why_not"]), (&json!(true), &json!(true), &json!(null)));
    assert_eq!(origin["path"], "/payload/value");
    let offset = |side: &str| report["pairings"][1]["divergence"][side]["offset"].as_u64().unwrap();
    let searched = ["reference", "candidate"].map(|side| offset(side) - origin[side]["offset"].as_u64().unwrap());
    assert_eq!(origin["searched_bytes"], json!(searched));
    assert_eq!(report["checkpoint"], json!(null));
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert!(keys.iter().any(|key| *key == "origin") && keys.iter().any(|key| *key == "checkpoint"));
    let [a, b] = logs.each_ref().map(|path| path.display().to_string());
    let told = page(&logs, &[]);
    assert!(
        told.contains("Where the value comes from: old's 50001 was last seen in thread 6 at position 20"),
        "{told}"
    );
    let rest =
        format!("({a}:42, call free=[50001,50002]); new's 50002 was last seen in thread 16 at position 20 ({b}:42,");
    assert!(told.contains(&rest) || told.contains(&format!("({a}:42, call")), "{told}");
    assert!(told.contains("The two events are partners and agree."), "{told}");
    let markdown = page(&logs, &["--format", "markdown"]);
    assert!(markdown.contains("50001 was last seen in thread 6 at position 20"), "{markdown}");
    // What it says is what show shows.
    let shown = forkpoint(["show", &a, "--line", "42"]).output().unwrap();
    assert!(text(&shown.stdout).contains("\"free\":[50001,50002]"));
}

#[test]
fn the_answer_does_not_depend_on_how_logs_are_read() {
    let folder = Folder::new();
    let logs = pair(&folder, &[(3, "{\"a\":50001}"), (40, "{\"free\":[50002]}")], ["50001", "50002"]);
    let wanted = text(&diff(&logs, &["--format", "json"]).stdout);
    assert!(wanted.contains("\"paired\": false"), "{wanted}");
    for words in ["--jobs 1", "--jobs 8", "--no-mmap", "--window 1", "--window 300 -j 3", "--no-layouts"] {
        let words: Vec<&str> = words.split(' ').chain(["--format", "json"]).collect();
        assert_eq!(text(&diff(&logs, &words).stdout), wanted, "{words:?}");
    }
    let first = json(&logs, &["--first"]);
    let full: Value = serde_json::from_str(&wanted).unwrap();
    for side in ["reference", "candidate"] {
        assert_eq!(first["origin"][side], full["origin"][side], "{side}");
    }
    // Of other threads nothing is known then: 50001 was in thread 7, which parts, 50002 in thread 16, which is not told.
    assert_eq!(first["origin"]["paired"], json!(false));
}

#[test]
fn under_first_other_threads_are_not_known() {
    let folder = Folder::new();
    let logs = pair(&folder, &[(40, "{\"free\":[50001,50002]}")], ["50001", "50002"]);
    let first = json(&logs, &["--first"]);
    assert_eq!((&first["origin"]["paired"], &first["origin"]["reference"]["position"]), (&json!(null), &json!(20)));
    assert!(page(&logs, &["--first"]).contains("Whether the two events are partners is not known."));
}

#[test]
fn the_last_of_several_mentions_counts() {
    let folder = Folder::new();
    let before = [
        (10, "{\"handle\":50001}"),
        (20, "{\"handle\":50002}"),
        (30, "{\"handle\":50001,\"deep\":[{\"x\":[50001]}]}"),
        (50, "{\"handle\":50002}"),
        (52, "{\"50001\":1,\"s\":\"50001 or 50002\",\"n\":150001,\"m\":50001.5}"),
    ];
    let logs = pair(&folder, &before, ["50001", "50002"]);
    let origin = json(&logs, &[])["origin"].take();
    assert_eq!((&origin["reference"]["line"], &origin["candidate"]["line"]), (&json!(32), &json!(52)));
    assert_eq!((&origin["paired"], &origin["agreed"]), (&json!(false), &json!(null)));
    assert!(page(&logs, &[]).contains("The two events are not partners."));
}

#[test]
fn what_comes_behind_or_stands_in_roles_is_no_mention() {
    let folder = Folder::new();
    // 150 stands behind, and as an ordinal would be met by chance.
    let logs = pair(&folder, &[(150, "{\"handle\":50002}")], ["\"nothing\"", "50002"]);
    let report = json(&logs, &[]);
    let origin = &report["origin"];
    assert_eq!((&origin["reference"], &origin["candidate"]), (&json!(null), &json!(null)));
    let offset = &report["pairings"][1]["divergence"]["candidate"]["offset"];
    assert_eq!((&origin["searched_bytes"][1], &origin["paired"]), (offset, &json!(null)));
    let told = page(&logs, &[]);
    assert!(told.contains("neither \"nothing\" nor 50002 is mentioned before ("), "{told}");
}

#[test]
fn values_that_stand_everywhere_are_not_looked_for() {
    let folder = Folder::new();
    let logs = pair(&folder, &[(40, "{\"value\":50002}")], ["0", "50002"]);
    let origin = json(&logs, &[])["origin"].take();
    assert_eq!((&origin["reference"], &origin["candidate"]["line"]), (&json!(null), &json!(42)));
    assert_eq!((&origin["why_not"], &origin["searched_bytes"][0]), (&json!("reference: too common"), &json!(0)));
    assert!(page(&logs, &[]).contains("old's 0 was not looked for: too common; new's 50002 was last seen in"));
    let logs = pair(&folder, &[], ["true", "false"]);
    let told = page(&logs, &[]);
    assert!(told.contains("Where old's true and new's false come from was not looked for: too common."), "{told}");
    let logs = pair(&folder, &[], ["[4321]", "\"4321\""]);
    let origin = json(&logs, &[])["origin"].take();
    assert_eq!(origin["why_not"], json!("reference: no single value"));
}

#[test]
fn one_integer_is_met_in_other_spellings() {
    let folder = Folder::new();
    let before = [(40, "{\"status\":\"0xC0000034\"}"), (44, "{\"status\":3221225525}")];
    let logs = pair(&folder, &before, ["3221225524", "\"0x00000000c0000035\""]);
    let origin = json(&logs, &[])["origin"].take();
    assert_eq!((&origin["reference"]["line"], &origin["candidate"]["line"]), (&json!(42), &json!(46)));
    assert_eq!(origin["candidate"]["value"], json!("0x00000000c0000035"));
}

#[test]
fn streams_and_archives_are_not_searched() {
    let folder = Folder::new();
    let logs = pair(&folder, &[(40, "{\"free\":[50001,50002]}")], ["50001", "50002"]);
    let output = forkpoint(["diff", "--format", "json", "-"])
        .arg(&logs[1])
        .stdin(Stdio::from(std::fs::File::open(&logs[0]).unwrap()))
        .output()
        .unwrap();
    let origin = report(&output)["origin"].take();
    assert_eq!((&origin["reference"], &origin["candidate"]["line"]), (&json!(null), &json!(42)));
    assert_eq!(origin["why_not"], json!("reference: only a file that is not packed is searched"));
    let mut child =
        forkpoint(["diff", "-"]).arg(&logs[1]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, &std::fs::read(&logs[0]).unwrap()).unwrap();
    drop(stdin);
    let told = text(&child.wait_with_output().unwrap().stdout);
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("old's 50001 was not looked for: only a file that is not packed is searched"), "{told}");
}

#[test]
fn the_search_ends_at_its_limit() {
    let folder = Folder::new();
    let logs = pair(&folder, &[(2, "{\"free\":[50001,50002]}")], ["50001", "50002"]);
    let origin = json(&logs, &["--origin-limit", "1K"])["origin"].take();
    assert_eq!((&origin["reference"], &origin["searched_bytes"]), (&json!(null), &json!([1024, 1024])));
    let told = page(&logs, &["--origin-limit", "1K"]);
    assert!(told.contains("neither 50001 nor 50002 is mentioned in the 1.02 kB before (--origin-limit)"), "{told}");
    assert_eq!(json(&logs, &["--origin-limit", "0"])["origin"], json!(null));
    assert_eq!(json(&logs, &["--origin-limit", "1G"])["origin"]["candidate"]["line"], json!(4));
    assert_eq!(diff(&logs, &["--origin-limit", "some"]).status.code(), Some(2));
}

#[test]
fn nothing_is_told_where_no_value_differs() {
    let folder = Folder::new();
    let same = turns("x", [6, 7], 100, |_| None);
    let kind = same.replace("\"tid_event_idx\":20,", "\"tid_event_idx\":20,\"x\":1,").replacen(
        "\"kind\":\"call\",\"tid\":6,\"tid_event_idx\":20",
        "\"kind\":\"other\",\"tid\":6,\"tid_event_idx\":20",
        1,
    );
    let logs = [folder.file("a.jsonl", &same), folder.file("b.jsonl", kind)];
    let report = json(&logs, &[]);
    assert_eq!((&report["pairings"][0]["divergence"]["kind"], &report["origin"]), (&json!("kind"), &json!(null)));
    let report = json(&[logs[0].clone(), folder.file("c.jsonl", &same)], &[]);
    assert_eq!((&report["verdict"], &report["origin"]), (&json!("identical"), &json!(null)));
}

#[test]
fn where_positions_count_otherwise_nothing_is_said_of_partners() {
    let folder = Folder::new();
    let logs = pair(&folder, &[(40, "{\"free\":[50001,50002]}")], ["50001", "50002"]);
    let rules = "version = 1\nextends = 'schema-v1'\n[[drop]]\nname = 'd'\nkinds = ['never']\nreason = 'r'\n";
    let rules = folder.file("rules.toml", rules);
    let origin = json(&logs, &["--profile", rules.to_str().unwrap()])["origin"].take();
    assert_eq!((&origin["reference"]["line"], &origin["reference"]["position"]), (&json!(42), &json!(null)));
    assert_eq!(origin["paired"], json!(null));
    // A malformed line that was stepped over is no event, and positions behind it are in doubt.
    let mut lines: Vec<String> = std::fs::read_to_string(&logs[0]).unwrap().lines().map(str::to_owned).collect();
    lines.insert(10, "garbage".into());
    let torn = [folder.file("torn.jsonl", lines.join("\n") + "\n"), logs[1].clone()];
    let origin = json(&torn, &["--malformed", "skip"])["origin"].take();
    assert_eq!((&origin["reference"]["line"], &origin["reference"]["position"]), (&json!(43), &json!(null)));
}

#[test]
fn generations_and_late_starts_are_counted() {
    let folder = Folder::new();
    // Thread 6 ends and begins anew; in its second life the value is mentioned.
    let events = |value: &str| {
        let life = |from: u64| (0..20u64).map(move |at| (6, "call", format!("{{\"n\":{}}}", from + at)));
        let mut events: Vec<(u64, &str, String)> = life(10).collect();
        events.push((6, "thread.exit", "{}".into()));
        events.extend((0..20u64).map(|at| (6, "call", format!("{{\"n\":{}}}", 40 + at))));
        events.push((6, "call", "{\"free\":[50001,50002]}".into()));
        events.extend(life(60));
        events.push((6, "call", format!("{{\"value\":{value}}}")));
        events
    };
    let logs =
        [folder.file("a.jsonl", log("old", &events("50001"))), folder.file("b.jsonl", log("new", &events("50002")))];
    let origin = json(&logs, &[])["origin"].take();
    let found = &origin["reference"];
    assert_eq!((&found["generation"], &found["position"], &found["ordinal"]), (&json!(1), &json!(20), &json!(41)));
    assert_eq!((&origin["paired"], &origin["agreed"]), (&json!(true), &json!(true)));
    assert!(page(&logs, &[]).contains("last seen in thread 6#1 at position 20"));
    // The candidate's log lacks its first two events: positions differ by two.
    let lines: Vec<String> = turns("new", [6, 7], 200, |at| match at {
        40 => Some("{\"free\":[50001,50002]}".into()),
        _ => Some(format!("{{\"n\":{at},\"value\":{}}}", if at == 120 { 50002 } else { at })),
    })
    .lines()
    .map(str::to_owned)
    .collect();
    let right: Vec<String> =
        lines.iter().map(|line| line.replace("\"n\":120,\"value\":50002", "\"n\":120,\"value\":50001")).collect();
    let late: Vec<String> =
        lines.iter().enumerate().filter(|(at, _)| *at == 0 || *at > 4).map(|(_, line)| line.clone()).collect();
    let logs = [folder.file("c.jsonl", right.join("\n") + "\n"), folder.file("d.jsonl", late.join("\n") + "\n")];
    let report = json(&logs, &[]);
    let origin = &report["origin"];
    assert_eq!(report["pairings"][0]["late_start"]["events"], json!(2), "{report:#}");
    assert_eq!((&origin["reference"]["position"], &origin["candidate"]["position"]), (&json!(20), &json!(18)));
    assert_eq!((&origin["paired"], &origin["agreed"]), (&json!(true), &json!(true)));
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let folder = Folder::new();
    let value = "\"\\u001b[2J\u{202e}evil\u{9b}\"";
    let logs =
        pair(&folder, &[(40, &format!("{{\"\u{1b}free\":{value}}}").replace('\u{1b}', "\\u001b"))], [value, "50002"]);
    for format in ["terminal", "markdown"] {
        let told = text(&diff(&logs, &["--format", format, "--color", "never"]).stdout);
        assert!(told.contains("last seen"), "{told}");
        assert!(!told.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{told}");
    }
}

const CHECKPOINTS: &str = "version = 1\nextends = 'schema-v1'\n[roles]\n\
    checkpoint = { kind = 'checkpoint', path = '/payload/hash' }\n";

/// A log whose thread 6 has a checkpoint at each of these events.
fn with_checkpoints(engine: &str, at: &[u64], payload: impl Fn(u64) -> Option<String>) -> String {
    let events: Vec<(u64, &str, String)> = (0..200)
        .map(|event| {
            let is_checkpoint = at.contains(&event);
            let hash = format!("{{\"hash\":\"h{event:08}\",\"memory\":\"m{event:08}\",\"regs\":[1,2]}}");
            let plain = if is_checkpoint { hash } else { format!("{{\"n\":{}}}", event % 90) };
            let kind = if is_checkpoint { "checkpoint" } else { "call" };
            (6 + event % 2, kind, payload(event).unwrap_or(plain))
        })
        .collect();
    log(engine, &events)
}

#[test]
fn events_that_are_too_coarse_are_told_between_two_checkpoints() {
    let folder = Folder::new();
    let at = [20, 60, 61, 100, 140];
    let other = |event: u64| {
        (event >= 100 && event % 40 == 20)
            .then(|| format!("{{\"hash\":\"x{event:08}\",\"memory\":\"m{event:08}\",\"regs\":[1,3]}}"))
    };
    let logs = [
        folder.file("a.jsonl", with_checkpoints("old", &at, |_| None)),
        folder.file("b.jsonl", with_checkpoints("new", &at, other)),
    ];
    let rules = folder.file("rules.toml", CHECKPOINTS);
    let words = ["--profile", rules.to_str().unwrap()];
    let report = json(&logs, &words);
    let window = &report["checkpoint"];
    assert_eq!(report["origin"], json!(null), "a hash comes from nowhere");
    for side in ["reference", "candidate"] {
        assert_eq!(
            (&window["good"][side]["position"], &window["good"][side]["line"]),
            (&json!(30), &json!(62)),
            "{side}"
        );
        assert_eq!(
            (&window["bad"][side]["position"], &window["bad"][side]["line"]),
            (&json!(50), &json!(102)),
            "{side}"
        );
        assert_eq!(window["good"][side]["ordinal"], json!(30));
    }
    assert_eq!((&window["events_between"], &window["unexplained"]), (&json!(19), &json!(true)));
    assert_eq!(window["record_next"], json!(["regs[1]"]));
    let told = page(&logs, &words);
    let [a, b] = logs.each_ref().map(|path| path.display().to_string());
    for part in [
        format!(
            "The state agrees at the checkpoint at position 30 ({a}:62, {b}:62) and differs at the one at position 50"
        ),
        "of the 19 events between none differs. Record more between them, regs[1] first.".to_owned(),
    ] {
        assert!(told.contains(&part), "{told}");
    }
    assert!(
        page(&logs, &[&words[..], &["--format", "markdown"]].concat())
            .contains("of the 19 events between none differs")
    );
    // Without the role nothing is said of it.
    assert_eq!(json(&logs, &[])["checkpoint"], json!(null));
    let near = json(&logs, &[&words[..], &["--origin-limit", "100"]].concat())["checkpoint"].take();
    assert_eq!(
        (&near["good"], &near["why_not"]),
        (&json!(null), &json!("not within the 100 B before (--origin-limit)"))
    );
    // The same through --first, however it is read.
    for more in ["--first", "--jobs 1", "--window 200"] {
        let more: Vec<&str> = more.split(' ').collect();
        assert_eq!(json(&logs, &[&words[..], &more].concat())["checkpoint"], *window, "{more:?}");
    }
}

#[test]
fn the_first_checkpoint_has_none_before_it() {
    let folder = Folder::new();
    let other =
        |event: u64| (event == 20).then(|| "{\"hash\":\"x\",\"memory\":\"m00000020\",\"regs\":[1,2]}".to_owned());
    let logs = [
        folder.file("a.jsonl", with_checkpoints("old", &[20, 60], |_| None)),
        folder.file("b.jsonl", with_checkpoints("new", &[20, 60], other)),
    ];
    let rules = folder.file("rules.toml", CHECKPOINTS);
    let words = ["--profile", rules.to_str().unwrap()];
    let window = json(&logs, &words)["checkpoint"].take();
    assert_eq!(
        (&window["good"], &window["why_not"], &window["events_between"]),
        (&json!(null), &json!(null), &json!(null))
    );
    assert_eq!(window["record_next"], json!(["hash"]));
    let told = page(&logs, &words);
    assert!(told.contains("the first of this thread; none of the events before it differs."), "{told}");
}

#[test]
fn an_event_that_explains_it_stands_between_the_two() {
    let folder = Folder::new();
    let payload = |value: u64, hash: &str| {
        let hash = hash.to_owned();
        move |event: u64| match event {
            96 => Some(format!("{{\"value\":{value}}}")),
            100 => Some(format!("{{\"hash\":\"{hash}\"}}")),
            _ => None,
        }
    };
    let rules = folder.file("rules.toml", CHECKPOINTS);
    let words = ["--profile", rules.to_str().unwrap()];
    for (hash, is_told) in [("other", true), ("same", false)] {
        let logs = [
            folder.file("a.jsonl", with_checkpoints("old", &[20, 60, 100], payload(50001, "same"))),
            folder.file("b.jsonl", with_checkpoints("new", &[20, 60, 100], payload(50002, hash))),
        ];
        let report = json(&logs, &words);
        let window = &report["checkpoint"];
        assert!(report["origin"].is_object());
        assert_eq!(window.is_object(), is_told, "{report:#}");
        if is_told {
            assert_eq!(
                (&window["good"]["reference"]["position"], &window["bad"]["candidate"]["position"]),
                (&json!(30), &json!(50))
            );
            assert_eq!((&window["unexplained"], &window["record_next"]), (&json!(false), &json!([])));
            assert!(page(&logs, &words).contains("; this divergence lies between."));
        }
    }
}
