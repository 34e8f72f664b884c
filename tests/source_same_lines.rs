//! Any way of reading and any window size give the same lines; and the guard's absence means no map.

use std::io::{self, Read, Write};
use std::path::Path;

use forkpoint::source::{Log, OpenOptions, Overlong, SourceError, Window, install_guard};
use proptest::prelude::*;

/// What a log amounts to, however it was cut.
#[derive(Debug, Default, PartialEq)]
struct Lines {
    /// Offset and text of each line held.
    held: Vec<(u64, Vec<u8>)>,
    overlong: Vec<(u64, Overlong)>,
}

/// Reads a log to its end and checks what holds for every window.
fn drain(log: &mut Log, options: &OpenOptions) -> Lines {
    let mut lines = Lines::default();
    let mut position = 0;
    let mut is_torn = false;
    while let Some(window) = log.next_window().unwrap() {
        assert_eq!(window.offset, position, "windows follow each other");
        assert!(!is_torn, "only the last line may lack a line feed");
        if let Some(overlong) = window.overlong {
            assert!(window.bytes.is_empty());
            assert!(overlong.len > options.max_line_bytes);
            is_torn = !overlong.terminated;
            lines.overlong.push((position, overlong));
            position += overlong.len;
            continue;
        }
        assert!(!window.bytes.is_empty());
        is_torn = !window.bytes.ends_with(b"\n");
        let texts: Vec<_> = window.bytes.split_inclusive(|&byte| byte == b'\n').collect();
        assert!(texts.len() == 1 || window.bytes.len() <= options.window_bytes);
        for text in texts {
            lines.held.push((position, text.to_vec()));
            position += text.len() as u64;
        }
        assert_eq!(log.bytes_read(), position);
    }
    assert!(log.next_window().unwrap().is_none());
    assert_eq!(log.finish().unwrap(), None);
    lines
}

/// The slow twin.
fn plainly(bytes: &[u8], options: &OpenOptions) -> Lines {
    let mut lines = Lines::default();
    let mut offset = 0;
    for text in bytes.split_inclusive(|&byte| byte == b'\n') {
        let len = text.len() as u64;
        if len > options.max_line_bytes {
            lines.overlong.push((offset, Overlong { len, terminated: text.ends_with(b"\n") }));
        } else {
            lines.held.push((offset, text.to_vec()));
        }
        offset += len;
    }
    lines
}

/// Gives its bytes in the pieces it is told, over and over.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        let len = size.min(into.len()).min(self.bytes.len() - self.at);
        into[..len].copy_from_slice(&self.bytes[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

fn logs() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..40),
        4 => (0_usize..60).prop_map(|len| vec![b'x'; len]),
        1 => (0_usize..9000).prop_map(|len| vec![b'y'; len]),
        1 => Just(Vec::new()),
    ];
    (proptest::collection::vec(line, 0..60), any::<bool>()).prop_map(|(lines, is_ended)| {
        let mut bytes = lines.join(&b'\n');
        if is_ended {
            bytes.push(b'\n');
        }
        bytes
    })
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![Just(1), 1_usize..20, 20_usize..400, Just(4096), Just(1 << 20)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_way_of_reading_gives_the_same_lines(
        bytes in logs(),
        window_bytes in sizes(),
        max_line_bytes in prop_oneof![3 => Just(64_u64 << 20), 2 => 1_u64..100, 1 => 100_u64..9000],
        pieces in proptest::collection::vec(sizes(), 1..5),
    ) {
        install_guard().unwrap();
        let options = OpenOptions { window_bytes, max_line_bytes, ..OpenOptions::default() };
        let plain = plainly(&bytes, &options);

        let mut log = Log::from_bytes("memory", bytes.clone(), &options);
        prop_assert_eq!(&drain(&mut log, &options), &plain);

        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        for mapped in [true, false] {
            let options = OpenOptions { mapped, ..options.clone() };
            let mut log = Log::open(file.path(), &options).unwrap();
            prop_assert!(!log.is_stream());
            prop_assert_eq!(&drain(&mut log, &options), &plain);
        }

        let source = Pieces { bytes: bytes.clone(), at: 0, sizes: pieces, turn: 0 };
        let mut log = Log::open_reader("pieces", Box::new(source), &options).unwrap();
        prop_assert_eq!(&drain(&mut log, &options), &plain);
    }

    #[test]
    fn what_was_retained_can_be_read_again(bytes in logs(), window_bytes in sizes(), at in any::<(u16, u16)>()) {
        let options = OpenOptions { window_bytes, ..OpenOptions::default() };
        let source = Box::new(io::Cursor::new(bytes.clone()));
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        for mut log in [
            Log::open_reader("stream", source, &options).unwrap(),
            Log::open(file.path(), &options).unwrap(),
            Log::from_bytes("memory", bytes.clone(), &options),
        ] {
            while let Some(window) = log.next_window().unwrap() {
                log.retain(&window).unwrap();
            }
            let start = at.0 as usize % (bytes.len() + 1);
            let len = at.1 as usize % (bytes.len() - start + 1);
            prop_assert_eq!(&*log.reread(start as u64, len).unwrap(), &bytes[start..start + len]);
        }
    }
}

fn text(number: usize) -> Vec<u8> {
    (0..number).flat_map(|line| format!("{{\"line\":{line}}}\n").into_bytes()).collect()
}

#[test]
fn a_mapped_file_is_really_mapped_and_plain_reading_is_not() {
    install_guard().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&text(100_000)).unwrap();
    for mapped in [true, false] {
        let options = OpenOptions { mapped, ..OpenOptions::default() };
        let mut log = Log::open(file.path(), &options).unwrap();
        let windows: Vec<Window> = std::iter::from_fn(|| log.next_window().unwrap()).collect();
        assert!(windows.iter().all(|window| window.bytes.is_mapped() == mapped));
        assert_eq!(windows.iter().map(|window| window.bytes.to_vec()).collect::<Vec<_>>().concat(), text(100_000));
    }
}

#[test]
fn windows_of_one_map_share_it() {
    install_guard().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&text(3000)).unwrap();
    let options = OpenOptions { window_bytes: 1, ..OpenOptions::default() };
    let mut log = Log::open(file.path(), &options).unwrap();
    let windows: Vec<Window> = std::iter::from_fn(|| log.next_window().unwrap()).collect();
    assert_eq!(windows.len(), 3000);
    for pair in windows.windows(2) {
        assert_eq!(pair[0].bytes.as_ptr_range().end, pair[1].bytes.as_ptr());
    }
}

#[test]
fn files_of_the_kernel_empty_files_and_devices_are_read_too() {
    let options = OpenOptions::default();
    let mut log = Log::open(Path::new("/proc/self/status"), &options).unwrap();
    assert!(log.is_stream());
    assert!(log.next_window().unwrap().unwrap().bytes.starts_with(b"Name:"));
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut log = Log::open(file.path(), &options).unwrap();
    assert!(!log.is_stream());
    assert!(log.next_window().unwrap().is_none());
    assert_eq!(log.len_at_open(), Some(0));
    let mut log = Log::open(Path::new("/dev/null"), &options).unwrap();
    assert!(log.is_stream());
    assert!(log.next_window().unwrap().is_none());
}

#[test]
fn what_cannot_be_opened_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("ref.jsonl");
    let say = |path: &Path| Log::open(path, &OpenOptions::default()).err().unwrap().to_string();
    assert_eq!(say(&missing), format!("failed to open {}: no such file or directory", missing.display()));
    assert_eq!(say(folder.path()), format!("failed to open {}: is a directory", folder.path().display()));
}

#[test]
fn a_panic_or_an_error_of_the_source_ends_the_stream_behind_its_whole_lines() {
    struct Breaks(usize, bool);
    impl Read for Breaks {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 == 1 {
                into[..6].copy_from_slice(b"a\nb\nto");
                return Ok(6);
            }
            assert!(!self.1, "a panic on purpose");
            Err(io::Error::other("the cable is out"))
        }
    }
    for (panics, reason) in [(false, " at byte 6: the cable is out"), (true, ": its reader panicked")] {
        let mut log = Log::open_reader("cable", Box::new(Breaks(0, panics)), &OpenOptions::default()).unwrap();
        assert_eq!(&*log.next_window().unwrap().unwrap().bytes, b"a\nb\n");
        let error = log.next_window().unwrap_err();
        assert!(matches!(error, SourceError::Read { .. }));
        assert_eq!(error.to_string(), format!("failed to read cable{reason}"));
    }
}

#[test]
fn logs_travel_between_threads() {
    fn travels<T: Send + Sync>() {}
    travels::<Log>();
    travels::<Window>();
}
