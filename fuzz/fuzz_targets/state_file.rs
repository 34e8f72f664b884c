//! A state file is refused or read, whatever its checksum; what is read of one is what it says when it is written again, and it can be described.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use forkpoint::disk::Native;
use forkpoint::snapshot::body::Body;
use forkpoint::snapshot::describe;
use forkpoint::snapshot::header::{Header, LENGTH};
use forkpoint::snapshot::load::open;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static WITHIN: LazyLock<TempDir> = LazyLock::new(|| {
    // Where there is a disk of memory, writing takes no time.
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder can be made")
});

/// What any bytes are as a file: they may be read, and only if their checksum is right.
fn as_a_file(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("it can be written");
    let is_whole = Header::read(bytes).is_ok_and(|header| header.check(bytes).is_ok());
    let opened = open(&Native, path, None);
    assert!(is_whole || opened.is_err(), "a file is believed whose checksum is wrong");
    let told = describe(path).expect("it can be read");
    assert!(!is_whole || told.crc_ok);
    assert!(!told.human().is_empty());
}

fuzz_target!(|data: &[u8]| {
    let path = WITHIN.path().join("vm.snap");
    as_a_file(&path, data);
    // The same with the checksum that belongs to it, so that lengths are looked at.
    let Ok(header) = Header::read(data) else { return };
    let body = &data[LENGTH..];
    let header = Header { version: 1, body_length: body.len() as u64, ..header };
    let head = header.write(body);
    as_a_file(&path, &[&head[..], body].concat());
    let Ok(read) = Body::read(body, &header) else { return };
    let (again, bitcode_length) = read.write().expect("it was small enough before");
    let header = Header { bitcode_length, ..header };
    assert_eq!(Body::read(&again, &header).expect("it was written by us"), read);
});
