//! A fake agent that speaks in pieces, nonsense, or not at all.

use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use forkpoint::episode::collect::Guest;

use super::harness::{Episode, Told};

const FILE: &str = "telemetry-guest.jsonl";

/// Starts the collector against a listener.
fn connected(episode: &Episode) -> (forkpoint::episode::collect::Running, UnixStream) {
    let socket = episode.path("guest.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let running = episode.start(Guest { socket });
    let (stream, _) = listener.accept().unwrap();
    (running, stream)
}

#[test]
fn objects_come_in_any_pieces() {
    let episode = Episode::begin();
    let (running, mut stream) = connected(&episode);
    let text = "{\"load\":0.5,\"procs\":[1,2]}\n{\"note\":\"ü \\n\"}\r\n{\"load\":1}\n{\"open\":";
    for byte in text.as_bytes() {
        stream.write_all(&[*byte]).unwrap();
        std::thread::yield_now();
    }
    let rows = episode.wait_for_rows(FILE, 3);
    let told = episode.end(running, FILE);
    assert_eq!(rows[0]["guest"], serde_json::json!({ "load": 0.5, "procs": [1, 2] }));
    assert_eq!(rows[1]["guest"]["note"], "ü \n");
    assert_eq!(told.names(), ["episode_start", "guest_started", "guest_first_row", "guest_finished"]);
    assert_eq!((told.collected.lacks.as_deref(), told.rows.len()), (None, 3));
}

#[test]
fn lines_that_are_no_objects_are_counted_and_the_first_is_told() {
    let episode = Episode::begin();
    let (running, mut stream) = connected(&episode);
    stream.write_all(b"half a line\"}\n[1]\n{\"a\":1}\n\xff\xfe\n").unwrap();
    stream.write_all(&vec![b'x'; 3 << 20]).unwrap();
    stream.write_all(b"\n{\"a\":2}\n").unwrap();
    episode.wait_for_rows(FILE, 2);
    let told = episode.end(running, FILE);
    assert_eq!(told.event("guest_finished")["bad_lines"], 4);
    assert_eq!(told.event("guest_bad_line")["line"], "half a line\"}");
    assert_eq!(told.names().iter().filter(|name| **name == "guest_bad_line").count(), 1);
    assert_eq!(told.collected.lacks, None);
}

#[test]
fn a_connection_that_is_closed_before_the_end_has_failed() {
    let episode = Episode::begin();
    let (running, mut stream) = connected(&episode);
    stream.write_all(b"{\"a\":1}\n").unwrap();
    episode.wait_for_rows(FILE, 1);
    drop(stream);
    episode.wait_for("guest_failed");
    let told = episode.end(running, FILE);
    assert_eq!((told.lacks(), told.rows.len()), ("failed: the other side closed the connection", 1));
}

#[test]
fn a_silent_guest_has_no_rows() {
    let episode = Episode::begin();
    let (running, stream) = connected(&episode);
    episode.wait_for("guest_started");
    let told = episode.end(running, FILE);
    assert_eq!(told.lacks(), "no rows");
    assert!(told.has("guest_finished") && !told.has("guest_first_row"));
    drop(stream);
}

fn unavailable(episode: Episode, socket: PathBuf) -> Told {
    episode.run_to(Guest { socket }, "guest_unavailable", FILE)
}

#[test]
fn a_socket_that_is_not_there_or_that_nobody_serves_is_unavailable() {
    let episode = Episode::begin();
    let absent = episode.path("absent.sock");
    let told = unavailable(episode, absent);
    assert!(told.event("guest_unavailable")["error"].as_str().unwrap().contains("No such file"));

    let episode = Episode::begin();
    let left = episode.path("left.sock");
    drop(UnixListener::bind(&left).unwrap());
    let told = unavailable(episode, left);
    assert!(told.lacks().contains("Connection refused"), "{}", told.lacks());

    let episode = Episode::begin();
    let long = episode.path(&"x".repeat(200));
    assert!(unavailable(episode, long).lacks().starts_with("unavailable: "));
}

#[test]
fn a_listener_that_accepts_no_more_is_given_up() {
    let episode = Episode::begin();
    let socket = episode.path("full.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    // No place but for one that waits.
    rustix::net::listen(&listener, 0).unwrap();
    let waiting = UnixStream::connect(&socket).unwrap();
    let told = unavailable(episode, socket);
    assert!(told.lacks().contains("accepts no more connections"), "{}", told.lacks());
    drop(waiting);
}
