//! `forkpoint audit` as people run it.

mod common;

use common::{Folder, event, forkpoint, header, text};
use serde_json::Value;

/// A thread sets an event, another one takes it, and a third waits in vain.
fn scene(folder: &Folder) {
    let call = |thread: &str, at, name: &str, args: &str| {
        event(thread, at, "kernel.call", &format!("{{\"name\":\"{name}\",\"args\":{{{args}}}}}"))
    };
    let wait = |thread: &str, at, kind: &str, more: &str| {
        event(thread, at, kind, &format!("{{\"handle_semantic_id\":\"event:ready\"{more}}}"))
    };
    let log = header("scene")
        + &call("4", 0, "NtCreateEvent", "\"event_type\":1,\"initial_state\":0")
        + &event(
            "4",
            1,
            "handle.create",
            "{\"handle_semantic_id\":\"event:ready\",\"raw_handle_id\":4160749576,\"object_type\":\"Event\"}",
        )
        + &wait("5", 0, "wait.begin", "")
        + &wait("6", 0, "wait.begin", "")
        + &call("4", 2, "NtSetEvent", "\"handle\":\"0xF8000008\",\"previous_state\":0")
        + &wait("6", 1, "wait.end", ",\"wait_result\":0")
        + &event("6", 2, "thread.exit", "{}")
        + &event("4", 3, "thread.exit", "{}");
    folder.file("run.jsonl", log);
}

fn audit(folder: &Folder, words: &[&str]) -> (i32, String, String) {
    let output = forkpoint(["audit"]).args(words).current_dir(folder.path("")).output().unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn who_waits_and_why_is_told() {
    let folder = Folder::new();
    scene(&folder);
    let (code, page, told) = audit(&folder, &["run.jsonl"]);
    assert_eq!((code, told.as_str()), (1, ""));
    insta::assert_snapshot!(page, @r"
    certain: 1 thread waits when the log ends, and nothing wakes it

      run.jsonl  8 events in 3 threads, 1 object made, 0 destroyed

    thread 5 waits for event:ready (Event/Auto)
      since wait.begin by thread 5 at position 0 (run.jsonl:4), 5 lines before the
      end
      lost-taken: its signal (NtSetEvent by thread 4 at position 2 (run.jsonl:6))
      was taken: wait.begin by thread 6 at position 0 (run.jsonl:5)

      object       type          signals    waits    wakes  state
    > event:ready  Event/Auto          1        2        1  1 thread waits

    seen: handle-created (NtCreateEvent 1), event-set (NtSetEvent 1), wait-ends
    (wait.end 1), thread-ends (thread.exit 2)
    never seen: thread-created, event-initialized, semaphore-initialized,
    handle-duplicated, handle-destroyed, handle-closed, event-reset, event-pulsed,
    semaphore-released, mutant-released, timer-set, timer-cancelled, timer-fired,
    wait-returns
    ");
}

#[test]
fn the_json_follows_its_schema_and_says_the_same() {
    let folder = Folder::new();
    scene(&folder);
    let schema = forkpoint(["generate", "schema", "audit"]).output().unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_slice(&schema.stdout).unwrap()).unwrap();
    let (code, json, _) = audit(&folder, &["run.jsonl", "--format", "json"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    let wrong: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!((code, &report["verdict"]), (1, &Value::from("certain")));
    let waiting = &report["waiting"][0];
    assert_eq!((&waiting["thread"]["tid"], &waiting["reason"]), (&Value::from(5), &Value::from("lost-taken")));
    assert_eq!((&waiting["by"]["line"], &waiting["signal"]["line"]), (&Value::from(5), &Value::from(6)));
    let object = &report["objects"][0];
    assert_eq!(
        (&object["signals"], &object["waits"], &object["wakes"]),
        (&Value::from(1), &Value::from(2), &Value::from(1))
    );
    let steps: Vec<&str> =
        object["steps"].as_array().unwrap().iter().filter_map(|step| step["step"].as_str()).collect();
    assert_eq!(steps, ["create", "wait", "wait", "signal", "wake"]);
}

#[test]
fn what_is_told_can_be_chosen() {
    let folder = Folder::new();
    scene(&folder);
    let exit = |words: &[&str]| audit(&folder, &[words, &["run.jsonl"]].concat()).0;
    assert_eq!(exit(&["--by", "5"]), 1);
    assert_eq!(exit(&["--by", "6"]), 0, "thread 6 does not wait");
    assert_eq!(exit(&["--type", "event/auto"]), 1);
    assert_eq!(exit(&["--type", "Semaphore"]), 0);
    assert_eq!(exit(&["--handle", "4160749576"]), 1);
    assert_eq!(exit(&["--handle", "0xf8000008", "--parked"]), 1);
    assert_eq!(exit(&["--handle", "event:other"]), 0);
    let (_, page, _) = audit(&folder, &["--handle", "event:ready", "run.jsonl"]);
    assert!(page.contains("run.jsonl:6  NtSetEvent by thread 4 at 2  previous state 0"), "{page}");
}

#[test]
fn the_answer_does_not_depend_on_how_the_log_is_read() {
    let folder = Folder::new();
    scene(&folder);
    let plain = audit(&folder, &["run.jsonl", "--format", "json"]).1;
    for words in [&["--window", "1"][..], &["--jobs", "1"], &["--no-mmap"]] {
        let words = [&["run.jsonl", "--format", "json"][..], words].concat();
        assert_eq!(audit(&folder, &words).1, plain, "{words:?}");
    }
    let piped = forkpoint(["audit", "-", "--format", "json"])
        .stdin(std::fs::File::open(folder.path("run.jsonl")).unwrap())
        .output()
        .unwrap();
    assert_eq!(text(&piped.stdout).replace("\"-\"", "\"run.jsonl\"").replace("(-:", "(run.jsonl:"), plain);
}

#[test]
fn trouble_is_told_with_its_place() {
    let folder = Folder::new();
    scene(&folder);
    let log = std::fs::read_to_string(folder.path("run.jsonl")).unwrap();
    folder.file("broken.jsonl", log.replacen("\n", "\ngarbage\n", 3));
    let (code, page, told) = audit(&folder, &["broken.jsonl"]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("broken.jsonl:2: byte 62: "), "{told}");
    assert!(page.contains("only possible, for lines of the log are malformed"), "{page}");
    let (code, _, told) = audit(&folder, &["nothing.jsonl"]);
    assert!(code == 2 && told.contains("nothing.jsonl"), "{told}");
    let (code, _, told) = audit(&folder, &["--profile", "generic", "run.jsonl"]);
    assert!(code == 2 && told.contains("no [[audit]]"), "{told}");
    folder.file("empty.jsonl", "");
    assert_eq!(audit(&folder, &["empty.jsonl"]).0, 2);
    let (code, _, told) = audit(&folder, &["run.jsonl", "-o", "run.jsonl"]);
    assert!(code == 2 && !told.is_empty(), "{told}");
}

/// Two runs of the scene: in the second, the event is never set, and all handles and threads are called otherwise.
fn two_scenes(folder: &Folder) {
    scene(folder);
    let log = std::fs::read_to_string(folder.path("run.jsonl")).unwrap();
    let reference = log.replace(
        "{\"kind\":\"wait.begin\",\"tid\":5",
        "{\"kind\":\"import.call\",\"tid\":5,\"tid_event_idx\":0,\"payload\":{\"name\":\"Ready\"}}\n{\"kind\":\"wait.begin\",\"tid\":5",
    );
    let reference = reference
        .replace("\"wait.begin\",\"tid\":5,\"tid_event_idx\":0", "\"wait.begin\",\"tid\":5,\"tid_event_idx\":1");
    let without = |line: &&str| {
        !["NtSetEvent", "wait.end"].iter().any(|word| line.contains(word))
            && !line.contains("\"tid\":6,\"tid_event_idx\":2")
    };
    let candidate: String = reference.lines().filter(without).flat_map(|line| [line, "\n"]).collect();
    let candidate = candidate.replace("\"tid\":4,\"tid_event_idx\":3", "\"tid\":4,\"tid_event_idx\":2");
    let candidate = [("4", "14"), ("5", "15"), ("6", "16")]
        .iter()
        .fold(candidate, |log, (from, to)| log.replace(&format!("\"tid\":{from},"), &format!("\"tid\":{to},")));
    folder.file("reference.jsonl", reference);
    folder.file("candidate.jsonl", candidate.replace("4160749576", "4160753672"));
}

#[test]
fn of_two_logs_the_missing_signal_is_named() {
    let folder = Folder::new();
    two_scenes(&folder);
    let (code, page, told) = audit(&folder, &["reference.jsonl", "candidate.jsonl"]);
    assert_eq!((code, told.as_str()), (1, ""), "{page}");
    insta::assert_snapshot!(page, @r"
    differ: 1 thread waits in the candidate only; the trails of 1 of 1 object parts

      reference  reference.jsonl  9 events in 3 threads, 1 object made, 0 destroyed
      candidate  candidate.jsonl  6 events in 3 threads, 1 object made, 0 destroyed
      3 pairs of threads

    thread 6 → 16 waits for event:ready (Event/Auto) in the candidate only
      since wait.begin by thread 16 at position 0 (candidate.jsonl:6), 1 line before
      the end
      the reference's thread 4 signals it by NtSetEvent at position 2
      (reference.jsonl:7); the candidate's thread 14 ends without it, at position 2
      (candidate.jsonl:7); the two threads part at position 2 (reference.jsonl:7,
      candidate.jsonl:7)
      never-signalled: nothing ever signals it, as far as its log shows

    event:ready (Event/Auto)
      thread 4 → 14
        reference: signal (NtSetEvent by thread 4 at position 2 (reference.jsonl:7))
        candidate: does nothing to it there
      thread 6 → 16
        reference: wake (wait.end by thread 6 at position 1 (reference.jsonl:8))
        candidate: does nothing to it there
      at the end of the reference: 1 thread waits
      at the end of the candidate: 2 threads wait
    ");
    let (code, page, _) =
        audit(&folder, &["reference.jsonl", "candidate.jsonl", "--format", "markdown", "--handle", "event:ready"]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(page, @r"
    # forkpoint: the life of handles in two runs

    **differ**: 1 thread waits in the candidate only; the trails of 1 of 1 object parts

    - reference: reference.jsonl  9 events in 3 threads, 1 object made, 0 destroyed
    - candidate: candidate.jsonl  6 events in 3 threads, 1 object made, 0 destroyed
    - 3 pairs of threads

    ## Waiting on one side only

    - **thread 6 → 16 waits for event:ready (Event/Auto) in the candidate only**
      - since wait.begin by thread 16 at position 0 (candidate.jsonl:6), 1 line before the end
      - the reference's thread 4 signals it by NtSetEvent at position 2 (reference.jsonl:7); the candidate's thread 14 ends without it, at position 2 (candidate.jsonl:7); the two threads part at position 2 (reference.jsonl:7, candidate.jsonl:7)
      - never-signalled (possible): nothing ever signals it

    ## Objects whose trails part

    ### event:ready (Event/Auto)

    - thread 4 → 14
      - reference: signal (NtSetEvent by thread 4 at position 2 (reference.jsonl:7))
      - candidate: does nothing to it there
    - thread 6 → 16
      - reference: wake (wait.end by thread 6 at position 1 (reference.jsonl:8))
      - candidate: does nothing to it there
    - at the end of the reference: 1 thread waits
    - at the end of the candidate: 2 threads wait

    ## event:ready (Event/Auto) of the reference

    | step | where | who |
    |---|---|---|
    | create | `reference.jsonl:3` | NtCreateEvent by thread 4 at 1 |
    | wait | `reference.jsonl:5` | wait.begin by thread 5 at 1 |
    | wait | `reference.jsonl:6` | wait.begin by thread 6 at 0 |
    | signal | `reference.jsonl:7` | NtSetEvent by thread 4 at 2  previous state 0 |
    | wake | `reference.jsonl:8` | wait.end by thread 6 at 1  result 0 |

    ## event:ready (Event/Auto) of the candidate

    | step | where | who |
    |---|---|---|
    | create | `candidate.jsonl:3` | NtCreateEvent by thread 14 at 1 |
    | wait | `candidate.jsonl:5` | wait.begin by thread 15 at 1 |
    | wait | `candidate.jsonl:6` | wait.begin by thread 16 at 0 |
    ");
    let (code, page, _) = audit(&folder, &["reference.jsonl", "reference.jsonl"]);
    assert_eq!(code, 0, "{page}");
    assert!(
        page.replace("\n      ", " ")
            .starts_with("same: 1 object has the same trails on both sides, and 1 thread waits at the end of both"),
        "{page}"
    );
}

#[test]
fn the_json_of_two_logs_follows_its_schema() {
    let folder = Folder::new();
    two_scenes(&folder);
    let schema = forkpoint(["generate", "schema", "audit-both"]).output().unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_slice(&schema.stdout).unwrap()).unwrap();
    let mut reports = Vec::new();
    for words in [&[][..], &["--window", "1"], &["--jobs", "1"], &["--no-mmap"]] {
        let (code, json, _) =
            audit(&folder, &[&["reference.jsonl", "candidate.jsonl", "--format", "json"], words].concat());
        let report: Value = serde_json::from_str(&json).unwrap();
        let wrong: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!((code, &report["verdict"]), (1, &Value::from("differ")));
        reports.push(json);
    }
    assert!(reports.iter().all(|report| *report == reports[0]), "the answer depends on how the logs are read");
    let report: Value = serde_json::from_str(&reports[0]).unwrap();
    assert_eq!((&report["pairs"], &report["paired_by"]), (&Value::from(3), &Value::from("name")));
    let waiting = &report["waiting"][0];
    let missing = &waiting["missing"][0];
    assert_eq!(
        (&waiting["side"], &waiting["threads"]["candidate"]["tid"]),
        (&Value::from("candidate"), &Value::from(16))
    );
    assert_eq!((&missing["signal"]["at"]["line"], &missing["does"]), (&Value::from(7), &Value::from("ends")));
}

#[test]
fn objects_that_each_log_calls_otherwise_are_paired_by_order() {
    let folder = Folder::new();
    two_scenes(&folder);
    let candidate = std::fs::read_to_string(folder.path("candidate.jsonl")).unwrap();
    folder.file("own.jsonl", candidate.replace("event:ready", "evt#1"));
    let (code, json, _) =
        audit(&folder, &["reference.jsonl", "own.jsonl", "--format", "json", "--map", "4=14,5=15,6=16"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &report["paired_by"], &report["objects"]), (1, &Value::from("order"), &Value::from(1)), "{json}");
    assert_eq!(report["waiting"][0]["missing"][0]["signal"]["at"]["line"], 7);
}

#[test]
fn trouble_with_two_logs_is_told() {
    let folder = Folder::new();
    two_scenes(&folder);
    let words = |candidate: &'static str| audit(&folder, &["reference.jsonl", candidate]);
    let (code, _, told) = words("nothing.jsonl");
    assert!(code == 2 && told.contains("nothing.jsonl"), "{told}");
    let (code, _, told) = words("-");
    assert!(code == 2 && told.contains("two logs are read twice"), "{told}");
    folder.file("empty.jsonl", "");
    assert_eq!(words("empty.jsonl").0, 2);
    let log = std::fs::read_to_string(folder.path("candidate.jsonl")).unwrap();
    folder.file("broken.jsonl", log.replacen("\n", "\ngarbage\n", 2));
    let (code, page, told) = words("broken.jsonl");
    assert!(code == 2 && told.contains("broken.jsonl:2: byte "), "{told}");
    assert!(page.starts_with("differ: "), "{page}");
    let (code, page, _) = audit(&folder, &["reference.jsonl", "candidate.jsonl", "--map", "77=88"]);
    assert_eq!(code, 3, "{page}");
    let (code, _, told) = audit(&folder, &["reference.jsonl", "--map", "same"]);
    assert!(code == 2 && told.contains("CANDIDATE"), "{told}");
}
