//! A fake QEMU that answers in every wrong way.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use forkpoint::episode::collect::{Monitor, MonitorError, Qmp};
use serde_json::{Value, json};

use super::harness::{Episode, HANG, Told};

const FILE: &str = "telemetry-qmp.jsonl";
const GREETING: &str = "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 2, \"minor\": 0, \"major\": 10}}, \"capabilities\": [\"oob\"]}}\r\n";

/// What a fake says to a command: lines, or nothing any more.
type Answers = Box<dyn FnMut(&str, &Value) -> Option<Vec<Value>> + Send>;

/// Serves clients one after another until one is told nothing any more.
fn serve(socket: PathBuf, greeting: &'static str, mut answers: Answers) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            if stream.write_all(greeting.as_bytes()).is_err() || speak(&mut stream, &mut answers).is_none() {
                return;
            }
        }
    });
}

fn speak(stream: &mut UnixStream, answers: &mut Answers) -> Option<()> {
    let mut asked = BufReader::new(stream.try_clone().unwrap()).lines();
    while let Some(Ok(line)) = asked.next() {
        let command: Value = serde_json::from_str(&line).unwrap();
        let said = answers(command["execute"].as_str().unwrap(), &command)?;
        for line in said {
            // In pieces.
            for piece in format!("{line}\r\n").as_bytes().chunks(7) {
                stream.write_all(piece).ok()?;
            }
        }
    }
    Some(())
}

fn given(command: &Value, value: Value) -> Value {
    json!({ "return": value, "id": command["id"] })
}

/// What a sound QEMU says.
fn sound(name: &str, command: &Value) -> Vec<Value> {
    let version = json!({ "qemu": { "micro": 2, "minor": 0, "major": 10 }, "package": "fake" });
    let disk = json!([{ "device": "disk0", "stats": { "rd_bytes": 5, "wr_bytes": 7, "rd_operations": 1, "wr_operations": 2 } }]);
    vec![match name {
        "qmp_capabilities" => given(command, json!({})),
        "query-version" => given(command, version),
        "query-status" => given(command, json!({ "status": "running", "running": true })),
        "query-blockstats" => given(command, disk),
        _ => json!({ "error": { "class": "CommandNotFound", "desc": format!("no {name}") }, "id": command["id"] }),
    }]
}

fn collector(socket: PathBuf) -> Qmp {
    Qmp { monitor: Arc::new(Monitor::new(socket)), interval: Duration::from_millis(20) }
}

#[test]
fn rows_come_while_events_and_late_answers_come_between() {
    let episode = Episode::begin();
    let socket = episode.path("qmp.sock");
    let event = json!({ "event": "STOP", "timestamp": { "seconds": 3, "microseconds": 4 } });
    serve(
        socket.clone(),
        GREETING,
        Box::new(move |name, command| {
            let mut said = vec![event.clone(), json!({ "return": "late", "id": 999 })];
            said.extend(sound(name, command));
            Some(said)
        }),
    );
    let running = episode.start(collector(socket));
    let rows = episode.wait_for_rows(FILE, 3);
    let told = episode.end(running, FILE);
    assert_eq!((rows[0]["status"].as_str(), rows[0]["running"].as_bool()), (Some("running"), Some(true)));
    assert_eq!(
        rows[2]["blocks"]["disk0"],
        json!({ "rd_bytes": 5, "wr_bytes": 7, "rd_operations": 1, "wr_operations": 2 })
    );
    assert_eq!(told.event("qmp_started")["version"], "10.0.2");
    let stopped = told.event("qmp_event");
    assert_eq!((stopped["name"].as_str(), stopped["qemu_wall_ns"].as_u64()), (Some("STOP"), Some(3_000_004_000)));
    assert!(told.has("qmp_first_row") && told.has("qmp_finished"));
    assert_eq!(told.collected.lacks, None);
}

fn unavailable(greeting: &'static str, answers: Answers) -> Told {
    let episode = Episode::begin();
    let socket = episode.path("qmp.sock");
    serve(socket.clone(), greeting, answers);
    episode.run_to(collector(socket), "qmp_unavailable", FILE)
}

#[test]
fn one_that_never_begins_is_unavailable() {
    let episode = Episode::begin();
    let absent = episode.path("absent.sock");
    let told = episode.run_to(collector(absent), "qmp_unavailable", FILE);
    assert!(told.lacks().contains("No such file"), "{}", told.lacks());
    // Another client is served: no greeting comes.
    let told = unavailable("", Box::new(|_, _| None));
    assert!(told.lacks().contains("no greeting came in time"), "{}", told.lacks());
    let told = unavailable("HTTP/1.1 400 Bad Request\n", Box::new(|_, _| None));
    assert!(told.lacks().contains("not QEMU's protocol"), "{}", told.lacks());
    let told = unavailable(GREETING, Box::new(|_, _| None));
    assert!(told.lacks().contains("closed the connection"), "{}", told.lacks());
    let told = unavailable(
        GREETING,
        Box::new(|name, command| {
            Some(if name == "query-version" { sound("query-nothing", command) } else { sound(name, command) })
        }),
    );
    assert!(told.lacks().contains("query-version: no query-nothing"), "{}", told.lacks());
}

#[test]
fn one_that_dies_midway_has_failed() {
    let episode = Episode::begin();
    let socket = episode.path("qmp.sock");
    let mut left = 6;
    serve(
        socket.clone(),
        GREETING,
        Box::new(move |name, command| {
            left -= 1;
            (left > 0).then(|| sound(name, command))
        }),
    );
    let running = episode.start(collector(socket));
    episode.wait_for("qmp_failed");
    let told = episode.end(running, FILE);
    assert!(told.lacks().starts_with("failed: QEMU closed"), "{}", told.lacks());
    assert_eq!(told.rows.len(), 1);
}

#[test]
fn one_that_hangs_is_told_and_does_not_hold_the_end_up() {
    let episode = Episode::begin();
    let socket = episode.path("qmp.sock");
    let mut left = 6;
    serve(
        socket.clone(),
        GREETING,
        Box::new(move |name, command| {
            left -= 1;
            Some(if left > 0 { sound(name, command) } else { Vec::new() })
        }),
    );
    let running = episode.start(collector(socket));
    episode.wait_for("qmp_silent");
    let told = episode.end(running, FILE);
    assert_eq!(told.lacks(), "no answer came in time");
    assert!(told.has("qmp_finished") && !told.has("qmp_failed"));
    assert!(!told.rows.is_empty());
}

#[test]
fn one_that_was_away_for_a_while_goes_on() {
    let episode = Episode::begin();
    let socket = episode.path("qmp.sock");
    let mut asked = 0;
    serve(
        socket.clone(),
        GREETING,
        Box::new(move |name, command| {
            asked += 1;
            Some(if asked == 5 { Vec::new() } else { sound(name, command) })
        }),
    );
    let running = episode.start(collector(socket));
    episode.wait_for("qmp_silent");
    let seen = episode.wait_for_rows(FILE, 1).len();
    episode.wait_for_rows(FILE, seen + 2);
    let told = episode.end(running, FILE);
    assert_eq!((told.lacks(), told.event("qmp_finished")["silent"].as_u64()), ("no answer came in time", Some(1)));
}

#[test]
fn what_the_monitor_for_people_says_is_an_error() {
    let episode = Episode::begin();
    let socket = episode.path("qmp.sock");
    serve(
        socket.clone(),
        GREETING,
        Box::new(|name, command| {
            if name != "human-monitor-command" {
                return Some(sound(name, command));
            }
            let line = command["arguments"]["command-line"].as_str().unwrap();
            let said = match line {
                "loadvm \"base\"" => "",
                "loadvm \"a \\\"b\\\"\"" => "\r\n",
                _ => "Error: Device 'disk0' does not have the requested snapshot 'none'\r\n",
            };
            Some(vec![json!({ "event": "RESUME" }), given(command, json!(said))])
        }),
    );
    let monitor = Monitor::new(socket);
    assert_eq!(monitor.version(HANG).unwrap(), "10.0.2");
    assert!(monitor.loadvm("base", HANG).unwrap().is_empty());
    assert!(monitor.loadvm("a \"b\"", HANG).is_ok());
    let Err(MonitorError::Refused(text)) = monitor.loadvm("none", HANG) else { panic!("it loaded nothing") };
    assert_eq!(text, "Error: Device 'disk0' does not have the requested snapshot 'none'");
    assert!(matches!(monitor.loadvm("x\nquit", HANG), Err(MonitorError::Refused(_))));
    // The connection is still the same.
    assert_eq!(monitor.version(HANG).unwrap(), "10.0.2");
}
