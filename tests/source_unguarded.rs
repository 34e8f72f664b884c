//! Without the fault guard nothing is ever mapped. (A process of its own: the guard is the process's.)

use std::io::Write;

use forkpoint::source::{Log, OpenOptions, guard_is_installed, install_guard};

#[test]
fn a_library_user_without_the_guard_reads_plainly() {
    assert!(!guard_is_installed());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"one\ntwo\n").unwrap();
    let options = OpenOptions { mapped: true, ..OpenOptions::default() };
    let window = Log::open(file.path(), &options).unwrap().next_window().unwrap().unwrap();
    assert!(!window.bytes.is_mapped());
    assert_eq!(&*window.bytes, b"one\ntwo\n");
    install_guard().unwrap();
    install_guard().unwrap();
    assert!(guard_is_installed());
    let window = Log::open(file.path(), &options).unwrap().next_window().unwrap().unwrap();
    assert!(window.bytes.is_mapped());
    assert_eq!(&*window.bytes, b"one\ntwo\n");
}
