//! Files that change while they are read: never a crash, never silence.

use std::fs::{self, File, OpenOptions as FileOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use forkpoint::source::{Change, Log, OpenOptions, SourceError, Window, guard_times_fired, install_guard};

struct Scene {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Scene {
    fn new(lines: usize) -> Scene {
        install_guard().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ref.jsonl");
        let text: Vec<u8> = (0..lines).flat_map(|line| format!("{{\"line\":{line:06}}}\n").into_bytes()).collect();
        fs::write(&path, text).unwrap();
        // The clock of some file systems ticks in milliseconds.
        thread::sleep(Duration::from_millis(12));
        Scene { folder, path }
    }

    fn open(&self, mapped: bool) -> Log {
        let options = OpenOptions { window_bytes: 64 << 10, mapped, ..OpenOptions::default() };
        Log::open(&self.path, &options).unwrap()
    }

    fn file(&self) -> File {
        FileOptions::new().write(true).open(&self.path).unwrap()
    }
}

fn drain(log: &mut Log) -> Result<u64, SourceError> {
    let mut sum = 0;
    while let Some(window) = log.next_window()? {
        sum += window.bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    }
    Ok(sum)
}

fn is_changed(error: &SourceError) -> bool {
    matches!(error, SourceError::Changed { .. })
}

#[test]
fn a_mapped_file_cut_short_under_held_windows_is_zeros_and_an_error() {
    for _ in 0..20 {
        let scene = Scene::new(40_000);
        let len = fs::metadata(&scene.path).unwrap().len();
        let mut log = scene.open(true);
        let windows: Vec<Window> = (0..4).map(|_| log.next_window().unwrap().unwrap()).collect();
        assert!(windows.iter().all(|window| window.bytes.is_mapped()));
        scene.file().set_len(1000).unwrap();
        let fired = guard_times_fired();
        // Several threads may meet the same missing page.
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    assert!(windows[0].bytes.starts_with(b"{\"line\":000000}\n"));
                    assert!(windows[0].bytes[4096..].iter().all(|&byte| byte == 0));
                    assert!(windows[3].bytes.iter().all(|&byte| byte == 0));
                });
            }
        });
        assert!(guard_times_fired() > fired, "the guard really caught it");
        let expected = format!("{} shrank from {len} to 1000 bytes while it was read", scene.path.display());
        assert_eq!(log.next_window().unwrap_err().to_string(), expected);
        assert_eq!(log.check_unchanged().unwrap_err().to_string(), expected);
        assert_eq!(log.reread(0, 10).unwrap_err().to_string(), expected);
        assert_eq!(log.finish().unwrap_err().to_string(), expected);
        drop(log);
        assert!(windows[3].bytes.iter().all(|&byte| byte == 0), "windows outlive their log");
    }
}

#[test]
fn a_file_cut_short_at_any_moment_is_an_error_however_it_is_read() {
    for round in 0..20 {
        let scene = Scene::new(60_000);
        let mut log = scene.open(round % 2 == 0);
        let is_cut = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_micros(round * 50));
                scene.file().set_len(round * 5000).unwrap();
                is_cut.store(true, Ordering::Release);
            });
            let drained = drain(&mut log);
            while !is_cut.load(Ordering::Acquire) {
                thread::yield_now();
            }
            assert!(drained.is_ok() || drained.as_ref().is_err_and(is_changed), "{drained:?}");
            assert!(is_changed(&log.finish().unwrap_err()));
        });
    }
}

#[test]
fn a_file_cut_short_and_filled_again_is_an_error() {
    let scene = Scene::new(40_000);
    let len = fs::metadata(&scene.path).unwrap().len();
    let mut log = scene.open(true);
    let window = log.next_window().unwrap().unwrap();
    scene.file().set_len(0).unwrap();
    let sum: u64 = window.bytes.iter().map(|&byte| u64::from(byte)).sum();
    assert_eq!(sum, 0);
    scene.file().set_len(len + 5).unwrap();
    let Err(SourceError::Changed { change, .. }) = log.finish() else { panic!("unnoticed") };
    assert_eq!(change, Change::Unreadable { len });
}

#[test]
fn a_file_that_only_grew_is_read_up_to_its_old_end_with_a_note() {
    for mapped in [true, false] {
        let scene = Scene::new(10_000);
        let len = fs::metadata(&scene.path).unwrap().len();
        let mut log = scene.open(mapped);
        FileOptions::new().append(true).open(&scene.path).unwrap().write_all(b"{\"line\":\"more\"}\n").unwrap();
        drain(&mut log).unwrap();
        assert_eq!(log.bytes_read(), len);
        log.check_unchanged().unwrap();
        let note = log.finish().unwrap().unwrap();
        assert_eq!(note, format!("{} grew while it was read; compared up to byte {len}", scene.path.display()));
    }
}

#[test]
fn a_file_written_anew_and_longer_is_no_grown_one() {
    let scene = Scene::new(10_000);
    let mut log = scene.open(false);
    fs::write(&scene.path, vec![b'\n'; 1 << 20]).unwrap();
    let Err(SourceError::Changed { change, .. }) = log.finish() else { panic!("unnoticed") };
    assert_eq!(change, Change::Rewritten);
}

#[test]
fn a_file_rewritten_at_the_same_length_is_an_error() {
    let scene = Scene::new(10_000);
    let mut log = scene.open(true);
    drain(&mut log).unwrap();
    scene.file().write_all_at(b"X", 5000).unwrap();
    let expected = format!("{} was rewritten while it was read", scene.path.display());
    assert_eq!(log.check_unchanged().unwrap_err().to_string(), expected);
    assert_eq!(log.finish().unwrap_err().to_string(), expected);
}

#[test]
fn a_file_renamed_over_removed_or_made_read_only_is_read_all_the_same() {
    let scene = Scene::new(10_000);
    let mut log = scene.open(true);
    let other = scene.folder.path().join("new.jsonl");
    fs::write(&other, b"{}\n").unwrap();
    fs::rename(&other, &scene.path).unwrap();
    drain(&mut log).unwrap();
    let note = log.finish().unwrap().unwrap();
    assert!(note.contains("ref.jsonl names another file or none by now"), "{note}");
    let mut log = scene.open(true);
    fs::set_permissions(&scene.path, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    assert_eq!(log.finish().unwrap(), None);
    fs::rename(&scene.path, scene.folder.path().join("ref.jsonl.1")).unwrap();
    assert!(log.finish().unwrap().is_some());
}
