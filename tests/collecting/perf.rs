//! perf, and scripts that behave like a perf that cannot, dies or hangs.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use forkpoint::episode::collect::Perf;

use super::harness::{Episode, Told, installed};

const FILE: &str = "telemetry-perf.jsonl";

/// A process that does something, or nothing.
struct Target(Child);

impl Target {
    fn busy() -> Target {
        Target(Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap())
    }

    fn idle() -> Target {
        Target(Command::new("sleep").arg("600").spawn().unwrap())
    }

    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.end();
    }
}

fn collector(program: PathBuf, target: &Target, events: &[&str]) -> Perf {
    let events = events.iter().map(|event| (*event).to_owned()).collect();
    Perf { program, pid: target.0.id(), interval: Duration::from_millis(50), events }
}

/// A line as perf writes it.
fn line(interval: &str, value: &str, event: &str) -> String {
    format!(
        "echo '{{\"interval\" : {interval}, \"counter-value\" : \"{value}\", \"unit\" : \"msec\", \"event\" : \"{event}\", \
         \"event-runtime\" : 5, \"pcnt-running\" : 100.00}}'"
    )
}

fn unavailable(script: &str) -> Told {
    let (episode, target) = (Episode::begin(), Target::idle());
    let program = episode.script(script);
    episode.run_to(collector(program, &target, &["cycles"]), "perf_unavailable", FILE)
}

#[test]
fn every_interval_is_a_row_counted_or_not() {
    let (episode, target) = (Episode::begin(), Target::idle());
    let lines = [
        line("0.1", "<not counted>", "task-clock"),
        line("0.1", "<not supported>", "cycles"),
        line("0.2", "1.5", "task-clock"),
        line("0.2", "<not supported>", "cycles"),
        "echo 'some other line'".to_owned(),
        line("0.3", "<not counted>", "task-clock"),
    ];
    let program = episode.script(&format!("echo \"$LC_ALL $*\" > \"$0.said\"\n{}\nexec sleep 600", lines.join("\n")));
    let running = episode.start(collector(program.clone(), &target, &["task-clock", "cycles"]));
    episode.wait_for_rows(FILE, 2);
    let told = episode.end(running, FILE);
    let rows: Vec<_> = told.rows.iter().map(|row| (row["end_s"].as_f64().unwrap(), row["counters"].clone())).collect();
    assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [0.1, 0.2, 0.3]);
    assert!(told.rows.iter().all(|row| row["interval_s"] == 0.1));
    assert_eq!(
        (rows[0].1["task-clock"]["value"].as_f64(), rows[0].1["task-clock"]["why"].as_str()),
        (None, Some("not counted"))
    );
    assert_eq!(
        (rows[1].1["task-clock"]["value"].as_f64(), rows[1].1["task-clock"]["unit"].as_str()),
        (Some(1.5), Some("msec"))
    );
    assert_eq!(rows[1].1["cycles"]["why"], "not supported");
    let finished = told.event("perf_finished");
    assert_eq!((finished["intervals_seen"].as_u64(), finished["intervals_with_values"].as_u64()), (Some(3), Some(1)));
    assert_eq!(
        (
            told.event("perf_started")["interval_ms"].as_f64(),
            told.event("perf_first_row")["counters_populated"].as_u64()
        ),
        (Some(50.0), Some(0))
    );
    assert_eq!((told.collected.lacks.as_deref(), told.has("perf_no_counters")), (None, false));
    let said = std::fs::read_to_string(told.path("program.said")).unwrap();
    assert_eq!(said.trim(), format!("C stat -j -I 50 -e task-clock,cycles --log-fd 1 -p {}", target.0.id()));
}

#[test]
fn an_episode_without_any_value_says_so() {
    let (episode, target) = (Episode::begin(), Target::idle());
    let lines = [line("0.1", "<not counted>", "task-clock"), line("0.1", "<not supported>", "cycles")];
    let program = episode.script(&format!("{}\nexec sleep 600", lines.join("\n")));
    let running = episode.start(collector(program, &target, &["task-clock", "cycles"]));
    episode.wait_for_rows(FILE, 1);
    let told = episode.end(running, FILE);
    let reason = "cycles: not supported, task-clock: not counted";
    assert_eq!((told.event("perf_no_counters")["reason"].as_str(), told.rows.len()), (Some(reason), 1));
    assert_eq!(told.lacks(), format!("no counter had a value: {reason}"));
}

#[test]
fn one_that_cannot_begin_is_unavailable() {
    let (episode, target) = (Episode::begin(), Target::idle());
    let absent = episode.path("absent");
    let told = episode.run_to(collector(absent, &target, &["cycles"]), "perf_unavailable", FILE);
    assert!(told.event("perf_unavailable")["reason"].as_str().unwrap().contains("No such file"));

    let (episode, target) = (Episode::begin(), Target::idle());
    let no_program = episode.path("text");
    std::fs::write(&no_program, "text").unwrap();
    let told = episode.run_to(collector(no_program, &target, &["cycles"]), "perf_unavailable", FILE);
    assert!(told.lacks().contains("Permission denied"), "{}", told.lacks());

    let told = unavailable(
        "echo 'Error:\nAccess to performance monitoring and observability operations is limited.' >&2; exit 255",
    );
    let why = "exit status: 255: Error:; Access to performance monitoring and observability operations is limited.";
    assert_eq!(told.event("perf_unavailable")["reason"], why);
    assert_eq!((told.has("perf_started"), told.rows.len()), (false, 0));

    let (episode, mut target) = (Episode::begin(), Target::idle());
    target.end();
    let program = episode.script("exec sleep 600");
    let told = episode.run_to(collector(program, &target, &["cycles"]), "perf_unavailable", FILE);
    assert!(told.lacks().contains("no process"), "{}", told.lacks());
}

#[test]
fn one_that_dies_midway_has_failed_and_its_rows_stay() {
    let (episode, target) = (Episode::begin(), Target::idle());
    let script = format!(
        "{}\n{}\nsleep 0.2; echo 'out of memory' >&2; kill -9 $$",
        line("0.1", "1", "cycles"),
        line("0.2", "2", "cycles")
    );
    let program = episode.script(&script);
    let told = episode.run_to(collector(program, &target, &["cycles"]), "perf_failed", FILE);
    assert!(told.lacks().starts_with("failed: perf ended by itself, signal: 9"), "{}", told.lacks());
    assert!(told.lacks().contains("out of memory"), "{}", told.lacks());
    assert_eq!(told.rows.len(), 2);
}

#[test]
fn one_that_hangs_is_ended() {
    let (episode, target) = (Episode::begin(), Target::idle());
    let program = episode.script("trap '' INT\necho $$ > \"$0.pid\"\nsleep 600\nsleep 600");
    let running = episode.start(collector(program, &target, &["cycles"]));
    episode.wait_for("perf_started");
    let told = episode.end(running, FILE);
    assert_eq!(told.lacks(), "perf had to be killed");
    let pid = std::fs::read_to_string(told.path("program.pid")).unwrap();
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn the_real_one_counts_a_busy_process() {
    let Some(perf) = installed("perf") else { return };
    if let Some(why) = refuses(&perf) {
        println!("skipped: perf: {why}");
        return;
    }
    let (episode, target) = (Episode::begin(), Target::busy());
    let running = episode.start(collector(perf.clone(), &target, &["task-clock", "page-faults", "cycles"]));
    episode.wait_for_rows(FILE, 4);
    let told = episode.end(running, FILE);
    assert_eq!((told.collected.lacks.as_deref(), told.event("perf_finished")["ended"].as_str()), (None, Some("stop")));
    let clock = &told.rows[1]["counters"]["task-clock"];
    assert!(clock["value"].as_f64() > Some(0.0) && clock["unit"] == "msec", "{clock}");
    assert!(told.rows.iter().all(|row| row["counters"].as_object().unwrap().len() == 3));
    assert!(told.rows.is_sorted_by_key(|row| row["end_s"].as_f64()));

    let (episode, mut target) = (Episode::begin(), Target::busy());
    let running = episode.start(collector(perf.clone(), &target, &["task-clock"]));
    episode.wait_for_rows(FILE, 2);
    target.end();
    episode.wait_for("perf_finished");
    let told = episode.end(running, FILE);
    assert_eq!(
        (told.collected.lacks.as_deref(), told.event("perf_finished")["ended"].as_str()),
        (None, Some("target"))
    );

    let (episode, target) = (Episode::begin(), Target::idle());
    let told = episode.run_to(collector(perf, &target, &["no-such-event"]), "perf_unavailable", FILE);
    assert!(told.lacks().contains("syntax error"), "{}", told.lacks());
}

/// Why perf counts nothing here.
fn refuses(perf: &std::path::Path) -> Option<String> {
    let tried = Command::new(perf).args(["stat", "-e", "task-clock", "true"]).output().unwrap();
    (!tried.status.success())
        .then(|| String::from_utf8_lossy(&tried.stderr).lines().take(3).collect::<Vec<_>>().join(" "))
}
