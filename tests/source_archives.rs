//! Archives: the same bytes as unpacked before, from a file, a pipe, or a byte at a time; what is cut short or damaged
//! gives what came before, and the same wherever it comes from.

#[path = "common/packed.rs"]
mod packed;

use std::fs::{self, OpenOptions as FileOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use forkpoint::source::{Damage, DamageKind, Format, Log, OpenOptions, SourceError, install_guard};
use packed::{gzip, skippable, zstd, zstd_long};

fn text(lines: usize) -> Vec<u8> {
    let line = |number: usize| format!("{{\"line\":{number},\"fill\":\"{}\"}}\n", "x".repeat(number * 7 % 90));
    (0..lines).flat_map(|number| line(number).into_bytes()).collect()
}

/// What became of a log: its bytes, what is wrong with it, what is worth saying.
#[derive(Debug, PartialEq)]
struct Outcome {
    bytes: Vec<u8>,
    damage: Option<(Format, DamageKind, u64, u64)>,
    note: Option<String>,
}

fn drain(mut log: Log) -> Outcome {
    let mut bytes = Vec::new();
    assert_eq!(log.damage(), None);
    while let Some(window) = log.next_window().unwrap() {
        assert_eq!(window.offset, bytes.len() as u64);
        assert!(!window.bytes.is_mapped());
        bytes.extend_from_slice(&window.bytes);
    }
    assert!(log.is_stream() && log.len_at_open().is_none());
    assert_eq!(log.bytes_read(), bytes.len() as u64);
    let damage = log.damage().map(|Damage { format, kind, packed, unpacked, .. }| {
        assert_eq!(*unpacked, bytes.len() as u64);
        (*format, kind.clone(), *packed, *unpacked)
    });
    // The name is not the same for all.
    let note = log.finish().unwrap().map(|note| note.rsplit(": ").next().unwrap().to_owned());
    Outcome { bytes, damage, note }
}

/// Gives its bytes so many at a time.
struct Slowly(io::Cursor<Vec<u8>>, usize);

impl Read for Slowly {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(into.len());
        self.0.read(&mut into[..len])
    }
}

fn from_file(archive: &[u8], options: &OpenOptions) -> Outcome {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(archive).unwrap();
    drain(Log::open(file.path(), options).unwrap())
}

fn from_reader(archive: &[u8], size: usize, options: &OpenOptions) -> Outcome {
    let source = Slowly(io::Cursor::new(archive.to_vec()), size);
    drain(Log::open_reader("slow", Box::new(source), options).unwrap())
}

/// Reads an archive in every way, and wants the same of all.
fn however(archive: &[u8], what: &str) -> Outcome {
    let options = OpenOptions::default();
    let read = from_file(archive, &options);
    for (size, window_bytes) in [(1, 100), (7, 1 << 20), (1000, 1), (usize::MAX, 64 << 10)] {
        let options = OpenOptions { window_bytes, ..OpenOptions::default() };
        let other = from_reader(archive, size, &options);
        assert!(other == read, "{what}: {size} bytes at a time: {:?}, {:?}", other.damage, read.damage);
        assert!(from_file(archive, &options) == read, "{what}: windows of {window_bytes}");
    }
    read
}

#[test]
fn every_archive_gives_the_bytes_that_were_packed() {
    install_guard().unwrap();
    for plain in [text(3000), text(1), b"\n".to_vec(), b"{\"no\":\"line feed\"}".to_vec()] {
        for (what, archive) in packed::all(&plain) {
            let read = however(&archive, what);
            assert!(read.bytes == plain, "{what}: {} of {} bytes", read.bytes.len(), plain.len());
            assert_eq!((read.damage, read.note), (None, None), "{what}");
        }
    }
    // Long enough for many blocks, windows and reads.
    let plain = text(200_000);
    for (what, archive) in packed::all(&plain) {
        let read = from_file(&archive, &OpenOptions::default());
        assert!(read.bytes == plain && read.damage.is_none(), "{what}");
    }
}

#[test]
fn an_empty_log_may_be_packed_too() {
    for archive in [gzip(b""), zstd(b""), skippable(3)] {
        assert_eq!(however(&archive, "empty"), Outcome { bytes: Vec::new(), damage: None, note: None });
    }
}

#[test]
fn the_content_and_not_the_name_tells() {
    install_guard().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.gz");
    fs::write(&path, text(10)).unwrap();
    let mut log = Log::open(&path, &OpenOptions::default()).unwrap();
    assert!(!log.is_stream() && log.next_window().unwrap().unwrap().bytes.is_mapped());
    // Two of its bytes are no archive's, and a name is nothing.
    for text in [&b"(\xB5 no zstd\n"[..], b"\x1F", b"P*M", b"PK\n"] {
        fs::write(&path, text).unwrap();
        let mut log = Log::open(&path, &OpenOptions::default()).unwrap();
        assert_eq!(&*log.next_window().unwrap().unwrap().bytes, text);
        let mut log = Log::open_reader("x", Box::new(io::Cursor::new(text.to_vec())), &OpenOptions::default()).unwrap();
        assert_eq!(&*log.next_window().unwrap().unwrap().bytes, text);
    }
}

#[test]
fn what_stands_behind_a_gzip_archive_is_left_out_with_a_note() {
    let plain = text(500);
    for (behind, what) in [
        (vec![0; 1000], "1000 zero bytes"),
        (b"garbage".to_vec(), "7 bytes that are none of it"),
        (vec![0x1F], "1 bytes that are none of it"),
        (vec![0, 0, 1], "3 bytes that are none of it"),
    ] {
        let read = however(&[gzip(&plain), behind].concat(), what);
        assert!(read.bytes == plain && read.damage.is_none(), "{what}");
        assert_eq!(read.note.unwrap(), format!("{what} behind the gzip archive are left out"));
    }
}

#[test]
fn what_is_no_frame_behind_a_zstd_archive_is_damage() {
    let plain = text(500);
    let archive = zstd(&plain);
    let read = however(&[&archive[..], b"garbage"].concat(), "garbage");
    assert!(read.bytes == plain);
    let (format, kind, packed, unpacked) = read.damage.unwrap();
    assert_eq!((format, packed, unpacked), (Format::Zstd, archive.len() as u64, plain.len() as u64));
    assert!(matches!(kind, DamageKind::Corrupt(_)), "{kind:?}");
}

#[test]
fn a_truncated_archive_gives_what_arrived_wherever_it_is_cut() {
    let plain = text(300);
    let (gz, zst) = (gzip(&plain), zstd(&plain));
    for (archive, format) in [(&gz, Format::Gzip), (&zst, Format::Zstd)] {
        let mut most = 0;
        for cut in (4..archive.len() - 9).step_by(37).chain(archive.len() - 9..archive.len()) {
            let read = however(&archive[..cut], &format!("{format} cut at {cut}"));
            assert!(plain.starts_with(&read.bytes), "{format} cut at {cut}");
            assert!(read.bytes.len() >= most, "{format} cut at {cut}: more of the archive gives less of the log");
            most = read.bytes.len();
            let expected = (format, DamageKind::Truncated, cut as u64, most as u64);
            assert_eq!(read.damage, Some(expected), "{format} cut at {cut}");
        }
        assert_eq!(most, plain.len(), "{format}: only the checksum was missing");
    }
    // Between two members or frames nothing shows.
    let read = however(&[&gz[..], &gz[..2]].concat(), "a member begun");
    assert_eq!(read.damage.unwrap().1, DamageKind::Truncated);
    assert!(read.bytes == plain);
}

#[test]
fn a_flipped_bit_is_damage_or_harmless_and_the_same_however_it_is_read() {
    // Several blocks a frame: those before the damage are given.
    let plain = text(4000);
    for (archive, format) in [(gzip(&plain), Format::Gzip), (zstd(&plain), Format::Zstd)] {
        let mut damaged = 0;
        for at in (4..archive.len()).step_by(archive.len() / 40) {
            let mut flipped = archive.clone();
            flipped[at] ^= 0x10;
            let read = however(&flipped, &format!("{format} flipped at {at}"));
            match read.damage {
                Some(_) => damaged += 1,
                // A time in the header, or another way to copy what repeats: the checksum is right.
                None => assert!(read.bytes == plain, "{format} flipped at {at} goes unnoticed"),
            }
        }
        assert!(damaged > 30, "{format}: {damaged}");
    }
}

#[test]
fn a_flipped_bit_in_blocks_that_are_stored_gives_the_same_however_it_is_read() {
    // Too short to be packed. zstd hands out a part of such a block as soon as it gets it, also of one that it then
    // finds to be damaged (found by the fuzz target `source`).
    let (first, second) = (&b"{\"a\":17,\"b\":\"x\"}\n"[..], &b"{\"c\":\"!~q7\"}\n"[..]);
    let archive = [zstd(first), zstd(second)].concat();
    for at in 4..archive.len() {
        for bit in 0..8 {
            let mut flipped = archive.clone();
            flipped[at] ^= 1 << bit;
            let [bytewise, whole] = [1, usize::MAX].map(|size| from_reader(&flipped, size, &OpenOptions::default()));
            assert!(bytewise == whole, "bit {bit} of byte {at}: {:?}, {:?}", bytewise.damage, whole.damage);
        }
    }
}

#[test]
fn a_wrong_checksum_is_damage_behind_all_that_was_packed() {
    let plain = text(4000);
    for (archive, from_end, format) in [(gzip(&plain), 8, Format::Gzip), (zstd(&plain), 1, Format::Zstd)] {
        let mut flipped = archive.clone();
        let at = flipped.len() - from_end;
        flipped[at] ^= 1;
        let read = however(&flipped, "checksum");
        assert!(read.bytes == plain);
        let (found, kind, _, unpacked) = read.damage.unwrap();
        assert_eq!((found, unpacked), (format, plain.len() as u64));
        let DamageKind::Corrupt(reason) = kind else { panic!("{kind:?}") };
        assert!(reason.contains("check"), "{reason}");
    }
}

#[test]
fn a_window_that_takes_too_much_memory_is_refused_unless_allowed() {
    let plain = text(100);
    let archive = [zstd(&plain), zstd_long(&plain, 28)].concat();
    let read = however(&archive, "window");
    assert!(read.bytes == plain, "what came before is given");
    assert_eq!(read.damage.unwrap().1, DamageKind::Window(27));
    let options = OpenOptions { zstd_window_log_max: 28, ..OpenOptions::default() };
    let read = from_file(&archive, &options);
    assert!(read.bytes == [&plain[..], &plain].concat() && read.damage.is_none());
}

#[test]
fn lines_over_the_limit_are_stepped_over_in_archives_too() {
    let options = OpenOptions { max_line_bytes: 50, ..OpenOptions::default() };
    let plain = text(400);
    let lines = |mut log: Log| {
        let (mut held, mut over) = (Vec::new(), 0);
        while let Some(window) = log.next_window().unwrap() {
            held.extend_from_slice(&window.bytes);
            over += window.overlong.map_or(0, |overlong| overlong.len);
        }
        (held, over)
    };
    let wanted = lines(Log::from_bytes("plain", plain.clone(), &options));
    assert!(wanted.1 > 0);
    for (what, archive) in packed::all(&plain) {
        let source = Slowly(io::Cursor::new(archive), 100);
        assert!(lines(Log::open_reader("packed", Box::new(source), &options).unwrap()) == wanted, "{what}");
    }
}

#[test]
fn a_window_and_a_line_larger_than_the_queue_are_no_standstill() {
    let long = [b"{\"x\":\"".to_vec(), vec![b'x'; 10 << 20], b"\"}\n".to_vec()].concat();
    let plain = [text(10), long, text(10)].concat();
    let options = OpenOptions { window_bytes: 64 << 20, ..OpenOptions::default() };
    for archive in [zstd(&plain), plain.clone()] {
        if archive != plain {
            assert!(from_file(&archive, &options).bytes == plain);
        }
        assert!(from_reader(&archive, usize::MAX, &options).bytes == plain);
    }
}

fn fifo(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[test]
fn one_program_may_write_two_packed_fifos_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let fifos = [fifo(folder.path(), "ref"), fifo(folder.path(), "cand")];
    let [reference, mut candidate] = fifos.clone().map(|path| Log::open(&path, &OpenOptions::default()).unwrap());
    let plain = text(300_000);
    // Hardly packed: more than the pipe and the queue hold, so the writer waits unless the bytes are spooled.
    let archive = zstd::encode_all(&plain[..], -7).unwrap();
    let writer = thread::spawn(move || {
        for path in fifos {
            FileOptions::new().write(true).open(path).unwrap().write_all(&archive).unwrap();
        }
    });
    let mut bytes = Vec::new();
    while let Some(window) = candidate.next_window().unwrap() {
        bytes.extend_from_slice(&window.bytes);
    }
    assert!(bytes == plain);
    writer.join().unwrap();
    assert!(reference.spooled_bytes() > 0, "the spool was really used");
    assert!(drain(reference).bytes == plain);
}

#[test]
fn an_archive_that_is_a_file_is_let_wait_and_not_spooled() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let plain = text(500_000);
    assert!(plain.len() > 24 << 20);
    file.write_all(&zstd(&plain)).unwrap();
    let mut log = Log::open(file.path(), &OpenOptions::default()).unwrap();
    let first = log.next_window().unwrap().unwrap();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(log.spooled_bytes(), 0);
    log.retain(&first).unwrap();
    assert_eq!(log.spooled_bytes(), first.bytes.len() as u64);
    let mut len = first.bytes.len();
    while let Some(window) = log.next_window().unwrap() {
        len += window.bytes.len();
    }
    assert_eq!(len, plain.len());
    assert!(*log.reread(0, first.bytes.len()).unwrap() == *first.bytes);
}

#[test]
fn an_archive_that_changed_is_told_like_any_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.gz");
    let (plain, tick) = (text(50_000), Duration::from_millis(25));
    let archive = gzip(&plain);
    let opened = || {
        fs::write(&path, &archive).unwrap();
        thread::sleep(tick);
        Log::open(&path, &OpenOptions::default()).unwrap()
    };
    let append = |bytes: &[u8]| FileOptions::new().append(true).open(&path).unwrap().write_all(bytes).unwrap();

    let log = opened();
    append(&gzip(&plain));
    let read = drain(log);
    assert!(read.bytes == plain && read.damage.is_none(), "compared up to what there was");
    let note = format!("compared up to byte {} of the archive", archive.len());
    assert!(read.note.as_ref().unwrap().contains(&note), "{:?}", read.note);

    let mut log = opened();
    FileOptions::new().write(true).open(&path).unwrap().write_all(b"rewritten").unwrap();
    log.leave().unwrap();
    assert!(matches!(log.check_unchanged(), Err(SourceError::Changed { .. })));
    assert!(matches!(log.finish(), Err(SourceError::Changed { .. })));

    let mut log = opened();
    FileOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
    log.leave().unwrap();
    let error = log.finish().unwrap_err().to_string();
    assert!(error.contains(&format!("shrank from {} to 100 bytes", archive.len())), "{error}");
}

#[test]
fn who_leaves_an_archive_early_learns_its_damage_only_from_a_file() {
    let plain = text(100_000);
    let archive = gzip(&plain);
    let half = &archive[..archive.len() / 2];
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(half).unwrap();
    let mut log = Log::open(file.path(), &OpenOptions::default()).unwrap();
    assert!(log.next_window().unwrap().is_some() && log.damage().is_none());
    log.leave().unwrap();
    assert_eq!(log.damage().unwrap().kind, DamageKind::Truncated);
    let mut log = Log::open_reader("fed", Box::new(io::Cursor::new(half.to_vec())), &OpenOptions::default()).unwrap();
    while log.next_window().unwrap().is_some() {}
    assert!(log.damage().is_some());
    log.leave().unwrap();
    assert!(log.damage().is_none(), "or it would depend on how fast the pipe was");
}

/// Gives what it is sent.
struct Sent(mpsc::Receiver<Vec<u8>>);

impl Read for Sent {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Ok(bytes) = self.0.recv() else { return Ok(0) };
        into[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

#[test]
fn whether_a_log_would_wait_can_be_asked() {
    let (send, receive) = mpsc::channel();
    let options = OpenOptions { window_bytes: 100, ..OpenOptions::default() };
    let mut log = Log::open_reader("sent", Box::new(Sent(receive)), &options).unwrap();
    let becomes = |log: &Log, wanted: bool| {
        while log.would_block() != wanted {
            thread::sleep(Duration::from_millis(1));
        }
    };
    assert!(log.would_block());
    send.send(b"half a line".to_vec()).unwrap();
    thread::sleep(Duration::from_millis(120));
    assert!(log.would_block(), "no line has come, however long ago the bytes did");
    send.send(b" and the rest\n".to_vec()).unwrap();
    // A few bytes are due after their time.
    becomes(&log, false);
    assert_eq!(&*log.next_window().unwrap().unwrap().bytes, b"half a line and the rest\n");
    assert!(log.would_block());
    // A window's worth is due at once; what is left of it, later.
    send.send([b"{\"whole\":\"line\"}\n".repeat(20), b"torn".to_vec()].concat()).unwrap();
    becomes(&log, false);
    let mut lines = 0;
    while lines < 20 {
        becomes(&log, false);
        lines += log.next_window().unwrap().unwrap().bytes.split(|byte| *byte == b'\n').count() - 1;
    }
    assert!(log.would_block());
    drop(send);
    becomes(&log, false);
    assert_eq!(&*log.next_window().unwrap().unwrap().bytes, b"torn");
    assert!(!log.would_block() && log.next_window().unwrap().is_none() && !log.would_block());
    assert!(!Log::from_bytes("memory", b"x\n".to_vec(), &options).would_block());
    assert!(!Log::open(Path::new("Cargo.toml"), &options).unwrap().would_block());
}
