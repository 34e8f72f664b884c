//! Saves killed at random moments: the pair that is found is the old one or the new one, byte for byte, and the next save leaves no trace
//! of the dead. FORKPOINT_KILLS says how many.

mod common;

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Folder, forkpoint};

/// Bytes of memory: enough that some kills come while it is written.
const RAM: usize = 3 << 20;

fn memory(version: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        (0..RAM as u64).map(|at| ((at ^ (version * 0x9E37_79B9)).wrapping_mul(31) >> 3) as u8 | 1).collect();
    bytes[RAM / 2..RAM / 2 + 100_000].fill(0);
    bytes
}

fn save(folder: &Folder, version: u64) -> std::process::Command {
    folder.file("state.json", format!("{{\"version\":{version}}}"));
    folder.file("ram.bin", memory(version));
    let mut command = forkpoint(["snapshot", "save", "--state", "state.json", "--memory", "ram.bin", "vm.snap"]);
    command.current_dir(folder.path("")).stderr(Stdio::null());
    command
}

/// The version that stands there, and whether its memory is its own.
fn found(folder: &Folder) -> u64 {
    let loaded = forkpoint(["snapshot", "load", "vm.snap", "--state", "-", "--memory", "out.bin"])
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    let state = String::from_utf8(loaded.stdout).unwrap();
    let version =
        state.strip_prefix("{\"version\":").and_then(|rest| rest.strip_suffix('}')).and_then(|text| text.parse().ok());
    let version = version.unwrap_or_else(|| panic!("{state:?}: {}", String::from_utf8_lossy(&loaded.stderr)));
    assert!(
        fs::read(folder.path("out.bin")).unwrap() == memory(version),
        "the memory is not that of version {version}"
    );
    version
}

fn names(folder: &Folder) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder.path("")).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn whenever_a_save_is_killed_a_whole_pair_is_there() {
    let kills: u64 = std::env::var("FORKPOINT_KILLS").map_or(40, |text| text.parse().unwrap());
    let folder = Folder::new();
    let mut first = save(&folder, 0);
    let begun = Instant::now();
    assert!(first.status().unwrap().success());
    let whole = begun.elapsed();
    let (mut version, mut kept, mut replaced, mut left, mut random) = (0, 0, 0, 0, 1_u64);
    for next in 1..=kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // A little longer than a save takes, so that some are done.
        let moment = whole.mul_f64((random >> 40) as f64 / f64::from(1 << 24) * 1.1);
        let mut command = save(&folder, next);
        let mut child = command.spawn().unwrap();
        std::thread::sleep(moment.min(Duration::from_secs(5)));
        let _ = child.kill();
        child.wait().unwrap();
        left += u64::from(names(&folder).len() > 5);
        let now = found(&folder);
        assert!(now == version || now == next, "version {now} after {version} and {next}");
        (kept, replaced) = (kept + u64::from(now == version), replaced + u64::from(now == next));
        version = now;
    }
    assert!(save(&folder, kills + 1).status().unwrap().success());
    assert_eq!(found(&folder), kills + 1);
    assert_eq!(names(&folder), ["out.bin", "ram.bin", "state.json", "vm.mem", "vm.snap"]);
    println!(
        "{kills} kills: {kept} times the old pair, {replaced} times the new one; {left} times something was left beside it, and removed by the next save"
    );
    assert!(kept > 0, "no save was killed in time");
}
