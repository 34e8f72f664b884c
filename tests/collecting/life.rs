//! What all collectors have in common: each end of a life is told.

use std::time::Duration;

use forkpoint::episode::Fields;
use forkpoint::episode::collect::{Collector, Desk, Failure, Proc, start_time};
use serde_json::json;

use super::harness::{Episode, inside, is_inside, is_root};

/// A collector that does what a test wants.
struct Fake(fn(&mut Desk) -> Result<Fields, Failure>);

impl Collector for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn run(&mut self, desk: &mut Desk) -> Result<Fields, Failure> {
        (self.0)(desk)
    }
}

fn row(text: &str) -> Fields {
    json!({ "text": text }).as_object().unwrap().clone()
}

#[test]
fn one_that_brought_rows_and_ended_in_time_lacks_nothing() {
    let episode = Episode::begin();
    let running = episode.start(Fake(|desk| {
        desk.started(Fields::new());
        desk.count("pcap_bytes", 7);
        desk.row(row("a"))?;
        desk.row(row("b"))?;
        while !desk.stop().wait(Duration::from_secs(1)) {}
        Ok(row("told"))
    }));
    episode.wait_for_rows("telemetry-fake.jsonl", 2);
    let told = episode.end(running, "telemetry-fake.jsonl");
    assert_eq!(told.names(), ["episode_start", "fake_started", "fake_first_row", "fake_finished"]);
    assert_eq!(
        (told.event("fake_finished")["rows"].as_u64(), told.event("fake_finished")["text"].as_str()),
        (Some(2), Some("told"))
    );
    assert_eq!((told.collected.lacks, told.collected.counts.get("pcap_bytes")), (None, Some(&7)));
    assert_eq!(told.rows[1]["text"], "b");
    assert!(told.rows[0]["t_mono_ns"].as_u64() <= told.rows[1]["t_mono_ns"].as_u64());
}

#[test]
fn one_that_panics_fails_alone() {
    let told = Episode::begin().run_to(
        Fake(|desk| {
            desk.row(row("a"))?;
            panic!("on purpose")
        }),
        "fake_failed",
        "telemetry-fake.jsonl",
    );
    assert_eq!(told.event("fake_failed")["error"], "on purpose");
    assert_eq!((told.lacks(), told.rows.len()), ("failed: on purpose", 1));
}

#[test]
fn one_that_hangs_is_given_up_and_writes_no_more() {
    let episode = Episode::begin();
    let running = episode.start(Fake(|desk| {
        desk.row(row("a"))?;
        while !desk.stop().is_raised() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_secs(5));
        desk.row(row("too late"))?;
        Ok(Fields::new())
    }));
    episode.wait_for_rows("telemetry-fake.jsonl", 1);
    let told = episode.end(running, "telemetry-fake.jsonl");
    assert_eq!(told.lacks(), "failed: it did not end when it was asked to");
    assert!(told.has("fake_failed") && !told.has("fake_finished"));
    std::thread::sleep(Duration::from_secs(3));
    let rows = super::harness::rows(&told.path("episode/telemetry-fake.jsonl"));
    assert_eq!(rows.len(), 1);
}

#[test]
fn one_without_rows_lacks_them() {
    let episode = Episode::begin();
    let running = episode.start(Fake(|desk| {
        desk.started(Fields::new());
        desk.stop().wait(Duration::from_secs(60));
        Ok(Fields::new())
    }));
    episode.wait_for("fake_started");
    let told = episode.end(running, "telemetry-fake.jsonl");
    assert_eq!((told.lacks(), told.event("fake_finished")["rows"].as_u64()), ("no rows", Some(0)));
}

#[test]
fn a_full_disk_ends_the_collector_and_leaves_whole_rows() {
    let unshare: &[&str] = if is_root() { &["unshare", "-m"] } else { &["unshare", "-rm"] };
    inside(unshare, "collecting::life::inside_full_disk");
}

#[test]
#[ignore = "it runs in a namespace of its own, started by the test above"]
fn inside_full_disk() {
    if !is_inside() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("small");
    std::fs::create_dir(&folder).unwrap();
    let mount =
        std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=16k", "tmpfs"]).arg(&folder).status();
    assert!(mount.unwrap().success());
    let episode = Episode::begin_in(scratch, folder);
    let pid = std::process::id();
    let proc = Proc { pid, start_time: start_time(pid).unwrap(), interval: Duration::from_millis(1) };
    let told = episode.run_to(proc, "proc_failed", "telemetry-proc.jsonl");
    assert!(told.lacks().contains("No space left on device"), "{}", told.lacks());
    assert!(told.rows.len() > 10 && told.event("proc_failed")["rows"] == told.rows.len());
    // What arrived of the last row was taken back.
    let text = std::fs::read(told.path("small/telemetry-proc.jsonl")).unwrap();
    assert_eq!(text.last(), Some(&b'\n'));
}
