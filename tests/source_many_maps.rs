//! More maps than the fault guard can watch. (A process of its own: the guard's table is the process's.)

use std::io::Write;

use forkpoint::source::{Log, OpenOptions, Window, install_guard};

fn text(number: usize) -> Vec<u8> {
    (0..number).flat_map(|line| format!("{{\"line\":{line}}}\n").into_bytes()).collect()
}

#[test]
fn more_maps_than_the_guard_can_watch_are_read_plainly() {
    install_guard().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&text(30)).unwrap();
    let options = OpenOptions::default();
    let first = || Log::open(file.path(), &options).unwrap().next_window().unwrap().unwrap();
    let windows: Vec<Window> = (0..1200).map(|_| first()).collect();
    assert!(windows.iter().any(|window| window.bytes.is_mapped()));
    assert!(windows.iter().any(|window| !window.bytes.is_mapped()));
    assert!(windows.iter().all(|window| *window.bytes == text(30)));
    // Dropping them makes room again.
    drop(windows);
    assert!(first().bytes.is_mapped());
}
