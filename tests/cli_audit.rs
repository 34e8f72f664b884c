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
