//! Runs recorded as people record them, with targets that behave and targets that do not; the folder is read here line by line.

mod common;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, forkpoint, text};
use forkpoint::episode::{DONE, Episode, Fields};
use serde_json::{Value, json};

/// What `record` told, and the folder that it left.
struct Recorded {
    code: i32,
    told: String,
    path: PathBuf,
}

impl Recorded {
    fn rows(&self, name: &str) -> Vec<Value> {
        rows(&self.path.join(name))
    }

    fn events(&self) -> Vec<String> {
        self.rows("events.jsonl").iter().map(|row| row["event"].as_str().unwrap().to_owned()).collect()
    }

    fn meta(&self) -> Value {
        meta(&self.path)
    }

    fn names(&self) -> Vec<String> {
        names(&self.path)
    }
}

fn rows(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{}: torn", path.display());
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn meta(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path.join("meta.json")).unwrap()).unwrap()
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(path).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn command(folder: &Folder, options: &str, target: &[&str]) -> Command {
    let mut command = forkpoint(["record"]);
    command.args(options.split(' ').filter(|word| !word.is_empty())).args(target).current_dir(folder.path(""));
    command
}

fn record(folder: &Folder, options: &str, target: &[&str]) -> Recorded {
    let output = command(folder, options, target).output().unwrap();
    let path = PathBuf::from(text(&output.stdout).trim_end());
    Recorded { code: output.status.code().unwrap(), told: text(&output.stderr), path }
}

fn shell(script: &str) -> [&str; 4] {
    ["--", "sh", "-c", script]
}

/// The folder of an episode that is being recorded.
fn begun(folder: &Folder) -> PathBuf {
    let above = folder.path("episodes");
    wait("an episode", || {
        let path = fs::read_dir(&above).ok()?.next()?.ok()?.path();
        fs::read_to_string(path.join("labels.jsonl")).ok().filter(|text| text.ends_with('\n')).map(|_| path)
    })
}

fn wait<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_command_is_recorded_until_it_ends() {
    let folder = Folder::new();
    let kept = record(&folder, "--no-proc --meta ticket=7", &shell("echo out; echo err >&2; echo $FORKPOINT_EPISODE"));
    assert_eq!(kept.code, 0, "{}", kept.told);
    let all = ["done.marker", "events.jsonl", "labels.jsonl", "meta.json", "stderr.log", "stdout.log"];
    assert_eq!(kept.names(), all);
    assert_eq!(fs::read_to_string(kept.path.join("stdout.log")).unwrap(), format!("out\n{}\n", kept.path.display()));
    assert_eq!(fs::read_to_string(kept.path.join("stderr.log")).unwrap(), "err\n");
    assert_eq!(kept.events(), ["snapshot_load", "episode_end"]);
    let first = &kept.rows("events.jsonl")[0];
    assert_eq!((&first["t_mono_ns"], &first["snapshot"]), (&json!(0), &Value::Null));
    let labels = kept.rows("labels.jsonl");
    assert_eq!(labels.len(), 1);
    assert_eq!(
        (&labels[0]["phase"], &labels[0]["prev"], &labels[0]["reason"]),
        (&json!("clean"), &Value::Null, &json!("snapshot_loaded"))
    );
    assert!(labels[0]["t_mono_ns"].as_u64().unwrap() > 0, "the real time of the label");
    let meta = kept.meta();
    assert_eq!(meta["episode_id"], kept.path.file_name().unwrap().to_str().unwrap());
    assert_eq!(meta["metadata"], json!({"ticket": "7"}));
    assert_eq!((&meta["target"]["exit_code"], &meta["target"]["signal"]), (&json!(0), &Value::Null));
    let result = &meta["result"];
    assert_eq!(result["phases_observed"], json!(["clean"]));
    assert_eq!((&result["outcome"], &result["ended_by"]), (&json!("complete"), &json!("target")));
    assert_eq!(result["pid_alive_at_end"], false);
    for key in ["rows_proc", "rows_qmp", "rows_guest", "rows_perf", "rows_netflow", "pcap_bytes"] {
        assert_eq!(result[key], 0, "{key}");
    }
    for key in
        ["code_version", "started_at_wall", "ended_at_wall", "host_fingerprint", "vm", "schedule", "schema_version"]
    {
        assert!(!meta[key].is_null(), "{key}");
    }
    for key in ["exploit", "sample"] {
        assert!(meta.get(key).unwrap().is_null(), "{key}");
    }
}

#[test]
fn phases_follow_each_other_and_nothing_stretches_them() {
    let folder = Folder::new();
    let options = "--no-proc --phase a:100ms --phase b:100ms --phase c:50ms --on-phase";
    let target = ["echo called $FORKPOINT_PHASE; sleep 0.08", "--", "sleep", "60"];
    let kept = record(&folder, options, &target);
    assert_eq!(kept.code, 0, "{}", kept.told);
    assert!(kept.told.contains("called a\n") && kept.told.contains("called c\n"), "{}", kept.told);
    let labels = kept.rows("labels.jsonl");
    let told: Vec<_> =
        labels.iter().map(|row| (&row["phase"], &row["prev"], row["reason"].as_str().unwrap())).collect();
    let (a, b, c) = (json!("a"), json!("b"), json!("c"));
    assert_eq!(told, [(&a, &Value::Null, "scheduled"), (&b, &a, "scheduled"), (&c, &b, "scheduled")]);
    let events = kept.rows("events.jsonl");
    let to: Vec<&Value> =
        events.iter().filter(|row| row["event"] == "phase_transition").map(|row| &row["to"]).collect();
    assert_eq!(to, [&a, &b, &c]);
    let times: Vec<u64> = events.iter().map(|row| row["t_mono_ns"].as_u64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(kept.events().iter().filter(|event| *event == "on_phase_finished").count(), 3);
    let meta = kept.meta();
    assert_eq!(meta["schedule"]["phase_schedule"], json!([["a", 0.1], ["b", 0.1], ["c", 0.05]]));
    assert_eq!((&meta["target"]["signal"], &meta["target"]["ended_by_recorder"]), (&json!(15), &json!("TERM")));
    assert_eq!((&meta["result"]["ended_by"], &meta["result"]["pid_alive_at_end"]), (&json!("schedule"), &json!(true)));
}

#[test]
fn an_event_from_outside_ends_a_phase_and_what_does_not_come_is_told() {
    let folder = Folder::new();
    let program = env!("CARGO_BIN_EXE_forkpoint");
    let script = format!("{program} episode emit - up 'n=5' 'text=x y' && sleep 60");
    let kept = record(&folder, "--no-proc --phase boot:until=up,max=50s --phase load:20ms", &shell(&script));
    assert_eq!(kept.code, 0, "{}{}", kept.told, fs::read_to_string(kept.path.join("stderr.log")).unwrap());
    let events = kept.rows("events.jsonl");
    assert_eq!(kept.events(), ["snapshot_load", "phase_transition", "up", "phase_transition", "episode_end"]);
    assert_eq!((&events[2]["n"], &events[2]["text"]), (&json!(5), &json!("x y")));
    assert_eq!(kept.names().iter().filter(|name| *name == "emit.sock").count(), 0);

    let kept = record(&folder, "--no-proc --phase boot:until=up,max=30ms --phase load:20ms", &shell("sleep 60"));
    assert_eq!(kept.code, 3);
    assert!(kept.told.contains("degraded: phase boot ended without up"), "{}", kept.told);
    assert_eq!(kept.meta()["result"]["reasons"], json!(["phase boot ended without up"]));
    assert!(kept.events().contains(&"phase_timeout".to_owned()));
}

#[test]
fn a_target_that_ends_too_soon_cuts_phases_and_that_is_told() {
    let folder = Folder::new();
    let kept = record(&folder, "--no-proc --phase a:50s --phase b:50s", &shell("exit 7"));
    assert_eq!(kept.code, 3);
    let meta = kept.meta();
    assert_eq!(meta["result"]["reasons"], json!(["phase a was cut short", "not begun: b"]));
    assert_eq!((&meta["result"]["phases_observed"], &meta["target"]["exit_code"]), (&json!(["a"]), &json!(7)));
    assert!(kept.told.contains("the command failed: exit status: 7"), "{}", kept.told);
    assert_eq!(record(&folder, "--no-proc --pass-exit", &shell("exit 7")).code, 7);
    assert_eq!(record(&folder, "--no-proc --pass-exit", &shell("kill -SEGV $$")).code, 139);
    // A command that ends as it likes, within the time that it may take, is all that was asked for.
    assert_eq!(record(&folder, "--no-proc --duration 50s", &shell("exit 7")).code, 0);
}

#[test]
fn a_target_that_does_not_end_when_asked_is_killed_with_all_that_it_started() {
    let folder = Folder::new();
    let script = "trap '' TERM; sleep 61.25 & echo $!; while :; do sleep 0.01; done";
    let kept = record(&folder, "--no-proc --duration 100ms --grace 50ms", &shell(script));
    assert_eq!(kept.code, 0, "{}", kept.told);
    let meta = kept.meta();
    assert_eq!((&meta["target"]["signal"], &meta["target"]["ended_by_recorder"]), (&json!(9), &json!("KILL")));
    let child = fs::read_to_string(kept.path.join("stdout.log")).unwrap();
    let state = || fs::read_to_string(format!("/proc/{}/stat", child.trim())).ok();
    wait("the end of the child", || state().is_none_or(|stat| stat.contains(") Z ")).then_some(()));
}

#[test]
fn a_process_that_runs_is_watched_and_left_alone() {
    let folder = Folder::new();
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    let pid = other.id().to_string();
    let kept = record(&folder, "--no-proc --duration 50ms --pid", &[&pid]);
    assert_eq!(kept.code, 0, "{}", kept.told);
    assert!(other.try_wait().unwrap().is_none(), "it still runs");
    let meta = kept.meta();
    assert_eq!((&meta["vm"]["target_pid"], &meta["target"]["command"]), (&json!(other.id()), &Value::Null));
    assert_eq!(meta["result"]["pid_alive_at_end"], true);

    let recorder = command(&folder, "--no-proc --duration 60s --pid", &[&pid])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let known = names(&folder.path("episodes"));
    wait("the second episode", || (names(&folder.path("episodes")).len() > known.len()).then_some(()));
    std::thread::sleep(Duration::from_millis(100));
    other.kill().unwrap();
    let output = recorder.wait_with_output().unwrap();
    // It is dead as soon as it has ended, whether or not its parent has asked.
    assert_eq!(output.status.code(), Some(3));
    assert!(
        text(&output.stderr).contains("degraded: the target ended before the episode did"),
        "{}",
        text(&output.stderr)
    );
    for (pid, why) in [
        ("0", "no process has this number"),
        ("-5", "no process has"),
        (pid.as_str(), "it is dead"),
        ("4194304000", "no process has"),
    ] {
        let output = command(&folder, "--pid", &[pid]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(why), "{pid}: {}", text(&output.stderr));
    }
    other.wait().unwrap();
}

#[test]
fn a_recorder_that_is_asked_to_end_brings_its_episode_to_an_end() {
    for (sent, word) in [(rustix::process::Signal::TERM, "TERM"), (rustix::process::Signal::HUP, "HUP")] {
        let folder = Folder::new();
        let child = command(&folder, "--phase a:60s --phase b:60s", &["--", "sleep", "60"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let path = begun(&folder);
        signal(&child, sent);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
        let meta = meta(&path);
        assert_eq!(meta["result"]["ended_by"], word);
        assert!(path.join(DONE).exists());
        assert_eq!(meta["target"]["ended_by_recorder"], "TERM");
    }
}

#[test]
fn whenever_a_recorder_is_killed_its_folder_is_readable() {
    let kills: u64 = std::env::var("FORKPOINT_KILLS").map_or(20, |text| text.parse().unwrap());
    let (mut unfinished, mut complete) = (0, 0);
    for kill in 0..kills {
        let folder = Folder::new();
        let mut child = command(&folder, "--interval 1ms --phase a:20ms --phase b:20ms", &["--", "sleep", "60"])
            .process_group_of_its_own()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(kill * 7919 % 180_000));
        signal(&child, rustix::process::Signal::KILL);
        child.wait().unwrap();
        let Ok(mut found) = fs::read_dir(folder.path("episodes")) else { continue };
        let Some(path) = found.next().map(|one| one.unwrap().path()) else { continue };
        end_what_is_left(&path);
        for name in names(&path).iter().filter(|name| name.ends_with(".jsonl")) {
            let bytes = fs::read(path.join(name)).unwrap();
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            for line in bytes[..whole].split_inclusive(|byte| *byte == b'\n') {
                assert!(serde_json::from_slice::<Value>(line).is_ok(), "{name}: {}", text(line));
            }
        }
        let shown = forkpoint(["episode", "list", "--format", "json"]).current_dir(folder.path("")).output().unwrap();
        assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
        let is_done = path.join(DONE).exists();
        let listed = text(&shown.stdout);
        if path.join("meta.json").exists() {
            assert_eq!(listed.contains("\"unfinished\""), !is_done, "{listed}");
        }
        if is_done {
            assert!(meta(&path)["result"].is_object());
            complete += 1;
        } else {
            unfinished += 1;
        }
    }
    println!("{kills} kills: {unfinished} unfinished, {complete} complete");
}

#[test]
fn a_full_disk_makes_it_degraded_and_the_result_is_there() {
    let folder = Folder::new();
    let program = env!("CARGO_BIN_EXE_forkpoint");
    let script = format!(
        "mkdir full kept && mount -t tmpfs -o size=192k tmpfs full || exit 99
         {program} record -o full --interval 1ms --phase a:400ms --phase b:100ms -- sh -c 'while :; do echo aaaaaaaaaaaaaaaa; done'
         code=$?; cp -r full/episodes kept && exit $code"
    );
    let mut unshare = Command::new("unshare");
    unshare.args(if rustix::process::geteuid().is_root() { "-m" } else { "-Urm" }.split(' '));
    let Ok(output) = unshare.args(["sh", "-c", &script]).current_dir(folder.path("")).output() else {
        println!("skipped: unshare: not installed");
        return;
    };
    if !matches!(output.status.code(), Some(0 | 2 | 3)) {
        println!("skipped: unshare: {}", text(&output.stderr));
        return;
    }
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let path = fs::read_dir(folder.path("kept/episodes")).unwrap().next().unwrap().unwrap().path();
    let meta = meta(&path);
    assert_eq!(meta["result"]["outcome"], "degraded");
    let reasons = meta["result"]["reasons"].to_string();
    assert!(reasons.contains("proc: failed: ") && reasons.contains("No space left on device"), "{reasons}");
    assert!(path.join(DONE).exists() && names(&path).iter().all(|name| !name.starts_with('.')), "{:?}", names(&path));
    assert!(rows(&path.join("events.jsonl")).iter().any(|row| row["event"] == "proc_failed"));
    let shown = forkpoint(["episode", "show"]).arg(&path).output().unwrap();
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
}

/// The target of a recorder that was killed goes on.
fn end_what_is_left(path: &Path) {
    let Ok(bytes) = fs::read(path.join("meta.json")) else { return };
    let meta: Value = serde_json::from_slice(&bytes).unwrap();
    if let Some(pid) = meta["target"]["pid"].as_i64().and_then(|pid| rustix::process::Pid::from_raw(pid as i32)) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

trait OfItsOwn {
    fn process_group_of_its_own(&mut self) -> &mut Self;
}

impl OfItsOwn for Command {
    fn process_group_of_its_own(&mut self) -> &mut Command {
        std::os::unix::process::CommandExt::process_group(self, 0)
    }
}

#[test]
fn what_may_be_emitted_and_what_not() {
    let folder = Folder::new();
    let child = command(&folder, "--no-proc", &["--", "sleep", "60"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let path = begun(&folder);
    let mut episode = Episode::at(&path).unwrap();
    let fields = |text: &str| -> Fields { serde_json::from_str(text).unwrap() };
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let mut episode = Episode::at(path).unwrap();
                for n in 0..50 {
                    episode.emit("tick", fields(&format!("{{\"writer\": {writer}, \"n\": {n}}}"))).unwrap();
                }
            });
        }
    });
    for (event, with, why) in [
        ("episode_end", "{}", "only the recorder says episode_end"),
        ("", "{}", "is no name of an event"),
        ("a\nb", "{}", "is no name of an event"),
        ("fine", "{\"t_mono_ns\": 5}", "t_mono_ns is given by the recorder"),
    ] {
        let error = episode.emit(event, fields(with)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    episode.emit("fine", fields("{\"nested\": {\"a\": [1, null, \"ü\\u0000\"]}}")).unwrap();
    let cli = |words: &[&str]| {
        let output = forkpoint(["episode", "emit"])
            .args(words)
            .env_remove("FORKPOINT_EPISODE")
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        (output.status.code().unwrap(), text(&output.stderr))
    };
    let place = path.to_str().unwrap();
    assert_eq!(cli(&[place, "by_hand", "n=1"]).0, 0);
    for (words, why) in [
        (vec![place, "x", "n=1", "n=2"], "n is given twice"),
        (vec![place, "x", "n"], "write KEY=VALUE"),
        (vec!["-", "x"], "FORKPOINT_EPISODE is not set"),
        (vec!["nowhere", "x"], "no episode"),
    ] {
        let (code, told) = cli(&words);
        assert!(code == 2 && told.contains(why), "{words:?}: {told}");
    }
    signal(&child, rustix::process::Signal::TERM);
    let status = child.wait_with_output().unwrap().status;
    assert_eq!((status.code(), status.signal()), (Some(0), None));
    let all = rows(&path.join("events.jsonl"));
    assert_eq!(all.iter().filter(|row| row["event"] == "tick").count(), 400);
    for writer in 0..8 {
        let own: Vec<_> =
            all.iter().filter(|row| row["writer"] == writer).map(|row| row["n"].as_u64().unwrap()).collect();
        assert_eq!(own, (0..50).collect::<Vec<_>>());
    }
    let times: Vec<u64> = all.iter().map(|row| row["t_mono_ns"].as_u64().unwrap()).collect();
    assert!(times.is_sorted());
    assert!(all.iter().any(|row| row["event"] == "by_hand" && row["n"] == 1));
    assert!(episode.emit("late", Fields::new()).is_err());
    let (code, told) = cli(&[place, "late"]);
    assert!(code == 2 && told.contains("this episode has ended"), "{told}");
    fs::remove_file(path.join(DONE)).unwrap();
    assert!(cli(&[place, "late"]).1.contains("nobody records this episode"));
}

#[test]
fn what_cannot_be_collected_is_told_and_all_else_is_kept() {
    let folder = Folder::new();
    let options =
        "--interval 10ms --duration 300ms --qmp none.sock --guest none.sock --snapshot base --revert start,end";
    let kept = record(&folder, options, &["--", "sleep", "60"]);
    assert_eq!(kept.code, 3, "{}", kept.told);
    let events = kept.events();
    for event in ["proc_started", "proc_first_row", "proc_finished", "qmp_unavailable", "guest_unavailable"] {
        assert_eq!(events.iter().filter(|one| *one == event).count(), 1, "{event} in {events:?}");
    }
    let failed: Vec<Value> =
        kept.rows("events.jsonl").into_iter().filter(|row| row["event"] == "snapshot_revert_failed").collect();
    assert_eq!(failed.iter().map(|row| &row["when"]).collect::<Vec<_>>(), ["start", "end"]);
    let result = kept.meta()["result"].clone();
    assert_eq!((&result["outcome"], result["reasons"].as_array().unwrap().len()), (&json!("degraded"), 4), "{result}");
    assert!(result["rows_proc"].as_u64().unwrap() > 0);
    assert_eq!(kept.rows("telemetry-proc.jsonl").len() as u64, result["rows_proc"].as_u64().unwrap());
    assert!(kept.path.join(DONE).exists());
}

#[test]
fn what_cannot_be_recorded_leaves_nothing() {
    let folder = Folder::new();
    folder.file("empty.json", "[]");
    folder.file("list.json", "[1]");
    for (options, target, why) in [
        ("", &["--", "./none"][..], "./none: No such file or directory"),
        ("", &["--", "."][..], ".: "),
        ("--schedule empty.json", &["--", "true"][..], "empty.json: a schedule without phases"),
        ("--schedule none.json", &["--", "true"][..], "failed to read none.json"),
        ("--meta-file list.json", &["--", "true"][..], "list.json: a JSON object is wanted"),
        ("--phase a:5s --duration 5s", &["--", "true"][..], "cannot be used with"),
        ("--phase a:5", &["--", "true"][..], "\"a:5\": \"5\" is no time, as 5s, 100ms or 1m30s are"),
        ("--out empty.json", &["--", "true"][..], "empty.json/episodes: "),
        ("--revert start", &["--", "true"][..], "--snapshot"),
        ("", &[][..], "<COMMAND>"),
    ] {
        let output = command(&folder, options, target).output().unwrap();
        let told = text(&output.stderr);
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{options}: {told}");
        assert!(told.contains(why), "{options}: {told:?} has no {why:?}");
    }
    assert!(fs::read_dir(folder.path("episodes")).is_ok_and(|mut left| left.next().is_none()));
}
