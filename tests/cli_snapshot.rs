//! `forkpoint snapshot` as people run it.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{Folder, forkpoint, text};
use serde_json::Value;

/// A folder with two states and two memories of 300,000 bytes, of which two bytes differ.
fn scene() -> Folder {
    let folder = Folder::new();
    let mut memory: Vec<u8> = (0..300_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect();
    memory[20_000..200_000].fill(0);
    folder.file("ram.bin", &memory);
    memory[100_000] = 7;
    memory[250_000] ^= 4;
    folder.file("later.bin", &memory);
    folder.file("state.json", "{\"cpu\": {\"pc\": 1, \"sp\": 2}, \"objects\": [1, 2, 3]}");
    folder.file("later.json", "{\"cpu\": {\"pc\": 5, \"sp\": 2}, \"objects\": [1, 2, 3]}");
    folder
}

fn snapshot(folder: &Folder, words: &str) -> (i32, String, String) {
    let output = forkpoint(["snapshot"]).args(words.split(' ')).current_dir(folder.path("")).output().unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// What must go well.
fn done(folder: &Folder, words: &str) -> String {
    let (code, page, told) = snapshot(folder, words);
    assert_eq!(code, 0, "{words}: {told}");
    page
}

/// The id that a state file tells.
fn id(folder: &Folder, name: &str) -> String {
    let told: Value = serde_json::from_str(&done(folder, &format!("describe --format json {name}"))).unwrap();
    told["id"].as_str().unwrap().to_owned()
}

fn names(folder: &Folder) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder.path("")).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn two(folder: &Folder) {
    done(folder, "save --state state.json --memory ram.bin --ram-start 0x80000000 --meta engine=one before.snap");
    done(folder, "save --state later.json --memory later.bin --dirty-from before.snap --at 6:1234 after.snap");
}

#[test]
fn what_is_saved_is_loaded_again() {
    let folder = scene();
    two(&folder);
    assert_eq!(
        names(&folder),
        ["after.mem", "after.snap", "before.mem", "before.snap", "later.bin", "later.json", "ram.bin", "state.json"]
    );
    let page = done(&folder, "load before.snap --state - --memory out.bin");
    assert_eq!(page, fs::read_to_string(folder.path("state.json")).unwrap());
    assert!(fs::read(folder.path("out.bin")).unwrap() == fs::read(folder.path("ram.bin")).unwrap());
    done(&folder, "rebase before.snap after.snap -o whole.snap");
    done(&folder, "load whole.snap --state out.json --memory out.bin");
    assert_eq!(fs::read(folder.path("out.json")).unwrap(), fs::read(folder.path("later.json")).unwrap());
    assert!(fs::read(folder.path("out.bin")).unwrap() == fs::read(folder.path("later.bin")).unwrap());
    let told = done(&folder, "describe whole.snap");
    assert!(told.contains("  position:            before event 1234 of thread 6\n"), "{told}");
    assert!(told.contains("  memory file:         whole.mem (300000 bytes)\n"), "{told}");
}

#[test]
fn a_diff_says_what_it_needs() {
    let folder = scene();
    two(&folder);
    let parent = id(&folder, "before.snap");
    let told = done(&folder, "describe after.snap");
    assert!(
        told.contains(&format!("  parent:              {parent}\n")) && told.contains("  dirty_pages:         2\n"),
        "{told}"
    );
    for words in ["load after.snap --memory out.bin", "diff before.snap after.snap"] {
        let (code, page, told) = snapshot(&folder, words);
        assert_eq!((code, page.as_str()), (2, ""));
        let command = "forkpoint snapshot rebase before.snap after.snap -o after.whole.snap";
        assert!(told.contains(&parent) && told.ends_with(&format!("; to put them together: {command}\n")), "{told}");
        done(&folder, command.strip_prefix("forkpoint snapshot ").unwrap());
        done(&folder, "verify after.whole.snap");
        fs::remove_file(folder.path("after.whole.snap")).unwrap();
    }
    // Its state is whole.
    assert_eq!(done(&folder, "load after.snap --state -"), fs::read_to_string(folder.path("later.json")).unwrap());
    fs::rename(folder.path("before.snap"), folder.path("away")).unwrap();
    let (_, _, told) = snapshot(&folder, "load after.snap --memory out.bin");
    assert!(told.ends_with(", which is not among the .snap files beside it\n"), "{told}");
    fs::rename(folder.path("away"), folder.path("before.snap")).unwrap();
    // The third follows the second.
    done(
        &folder,
        "save --state state.json --memory ram.bin --dirty-from before.snap --dirty-from after.snap third.snap",
    );
    assert_eq!(id(&folder, "after.snap"), {
        let told: Value = serde_json::from_str(&done(&folder, "describe --format json third.snap")).unwrap();
        told["parent"].as_str().unwrap().to_owned()
    });
    done(&folder, "rebase before.snap after.snap third.snap -o whole.snap");
    done(&folder, "load whole.snap --memory out.bin");
    assert!(fs::read(folder.path("out.bin")).unwrap() == fs::read(folder.path("ram.bin")).unwrap());
    let (code, _, told) = snapshot(&folder, "rebase before.snap third.snap -o other.snap");
    assert!(code == 2 && told.contains("third.snap: goes onto snapshot"), "{told}");
    let (code, _, told) = snapshot(&folder, "rebase before.snap after.snap -o before.snap");
    assert!(code == 2 && told.contains("before.snap would be written over it"), "{told}");
}

#[test]
fn two_snapshots_are_compared_by_state_and_by_byte() {
    let folder = scene();
    two(&folder);
    done(&folder, "rebase before.snap after.snap -o whole.snap");
    let (code, page, told) = snapshot(&folder, "diff before.snap whole.snap");
    assert_eq!((code, told.as_str()), (1, ""));
    insta::assert_snapshot!(page, @r"
    diverged: 3 differences in 2 files

      reference  before.snap
      candidate  whole.snap

      file           status                differences by class
      snapshot.json  equal
      state.json     diverged              gamma-kernel-content 1
      memory         diverged              delta-content 2

    2 ranges of memory differ, 2 bytes in all
      memory: 0x800186A0, 1 byte
        - 00
        + 07
      memory: 0x8003D090, 1 byte
        - 7f
        + 7b

    γ contents: the kernel's objects, registers, all else: 1
      state.json cpu.pc  value
        - 1
        + 5
    ");
    done(&folder, "save --state state.json --memory ram.bin --ram-start 0x80000000 again.snap");
    let (code, page, _) = snapshot(&folder, "diff before.snap again.snap --format json");
    let report: Value = serde_json::from_str(&page).unwrap();
    assert_eq!((code, report["verdict"].as_str()), (0, Some("identical")));
    let schema = forkpoint(["generate", "schema", "state"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert!(jsonschema::is_valid(&schema, &report));
    // By rules of the user's own.
    folder.file("my.toml", "version = 1\nextends = \"snapshot-v1\"\n[[skip]]\nname = \"pc\"\nreason = \"why not\"\nfiles = [\"state.json\"]\npaths = [\"cpu.pc\"]\n");
    let (_, page, _) = snapshot(&folder, "diff before.snap whole.snap --profile my.toml --format json");
    let report: Value = serde_json::from_str(&page).unwrap();
    assert!(!page.contains("cpu.pc"), "{report}");
}

#[test]
fn damage_is_told_by_place_and_exit_code() {
    let folder = scene();
    two(&folder);
    let page = done(&folder, "verify before.snap");
    let before = id(&folder, "before.snap");
    assert_eq!(page, format!("before.snap: sound: snapshot {before}, 300.0 kB of memory in before.mem\n"));
    let flip = |path: PathBuf, at: usize| {
        let mut bytes = fs::read(&path).unwrap();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
    };
    flip(folder.path("before.mem"), 5);
    assert_eq!(snapshot(&folder, "verify before.snap").0, 1);
    let (code, page, _) = snapshot(&folder, "verify before.snap -j 1");
    assert_eq!((code, page.as_str()), (1, "before.mem: damaged: bytes 0 to 300000\n"));
    let (code, _, told) = snapshot(&folder, "load before.snap --memory out.bin");
    assert!(code == 2 && told.contains("before.mem: its bytes are not those that were saved"), "{told}");
    let (code, _, told) =
        snapshot(&folder, "save --state state.json --memory later.bin --dirty-from before.snap next.snap");
    assert!(code == 2 && told.contains("before.mem is damaged at bytes 0 to 300000"), "{told}");
    assert!(!folder.path("out.bin").exists() && !folder.path("next.snap").exists());
    flip(folder.path("after.snap"), 90);
    let (code, page, told) = snapshot(&folder, "verify after.snap");
    assert_eq!((code, page.as_str()), (1, "after.snap: damaged: snapshot CRC32 mismatch\n"));
    assert_eq!(told, "What can still be read of it: forkpoint snapshot describe after.snap\n");
    let (code, page, _) = snapshot(&folder, "describe after.snap");
    assert!(code == 0 && page.contains("  crc_ok:              NO\n"), "{page}");
    fs::remove_file(folder.path("before.mem")).unwrap();
    let (code, page, _) = snapshot(&folder, "verify before.snap");
    assert_eq!(
        (code, page.as_str()),
        (1, "before.snap: damaged: memory file before.mem: No such file or directory (os error 2)\n")
    );
}

#[test]
fn wrong_input_is_refused_in_a_sentence() {
    let folder = scene();
    two(&folder);
    folder.file("torn.json", "{\"a\": ");
    folder.file("latin.json", b"\"\xE9\"");
    folder.file("empty.bin", "");
    folder.file("short.bin", "short");
    let all = names(&folder);
    for (words, why) in [
        ("save --state torn.json --memory ram.bin x.snap", "torn.json: is no JSON document"),
        ("save --state latin.json --memory ram.bin x.snap", "latin.json: is no UTF-8"),
        ("save --state none.json --memory ram.bin x.snap", "failed to read none.json"),
        ("save --state state.json --memory none.bin x.snap", "failed to read none.bin"),
        ("save --state state.json --memory empty.bin x.snap", "empty.bin: there is no memory to save"),
        ("save --state state.json --memory . x.snap", "is a directory"),
        ("save --state state.json --memory ram.bin x.mem", "x.mem: a state file has another extension than mem"),
        (
            "save --state state.json --memory before.mem before.snap",
            "before.mem is the memory that is saved: it would be written over",
        ),
        (
            "save --state state.json --memory short.bin --dirty-from before.snap x.snap",
            "short.bin: 5 bytes, and the memory that it is held against has 300000",
        ),
        (
            "save --state state.json --memory ram.bin --dirty-from before.snap before.snap",
            "before.snap is what the diff goes onto",
        ),
        (
            "save --state state.json --memory ram.bin --dirty-from after.snap x.snap",
            "after.snap: is a diff: a chain begins with a full snapshot",
        ),
        (
            "save --state state.json --memory ram.bin --dirty-from before.snap --page-size 5000 x.snap",
            "a page of 5000 bytes: its size is a power of two",
        ),
        ("save --state state.json --memory ram.bin --at six x.snap", "--at six: write THREAD:ORDINAL, as in 6:1234"),
        ("save --state state.json --memory ram.bin --meta x x.snap", "write KEY=VALUE"),
        ("save --state state.json --memory ram.bin nowhere/x.snap", "No such file or directory"),
        ("load before.snap", "say where the state goes (--state), the memory (--memory), or both"),
        ("load before.snap --state before.snap", "before.snap is also an input"),
        ("load before.snap --state x --memory x", "--state and --memory are one file"),
        ("load state.json --state -", "snapshot magic mismatch"),
        ("verify state.json", "snapshot magic mismatch"),
        ("verify none.snap", "No such file or directory"),
        ("describe none.snap", "No such file or directory"),
        ("diff before.snap state.json", "snapshot magic mismatch"),
        ("diff before.snap", "2 values required"),
    ] {
        let (code, page, told) = snapshot(&folder, words);
        assert!(code == 2 && page.is_empty(), "{words}: {code} {page}");
        assert!(told.contains(why), "{words}: {told:?} has no {why:?}");
        assert_eq!(names(&folder), all, "{words}");
    }
}

#[test]
fn a_save_that_is_interrupted_leaves_what_was_there() {
    let folder = scene();
    two(&folder);
    let before = fs::read(folder.path("before.snap")).unwrap();
    // A memory that takes a while.
    let large = fs::File::create(folder.path("large.bin")).unwrap();
    large.set_len(64 << 30).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&large, b"not zero", 63 << 30).unwrap();
    let all = names(&folder);
    let mut child = forkpoint(["snapshot", "save", "--state", "state.json", "--memory", "large.bin", "before.snap"])
        .current_dir(folder.path(""))
        .spawn()
        .unwrap();
    let is_begun = || names(&folder).len() > all.len();
    while !is_begun() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    // Which a shell tells as 143. Not by INT, which is ignored by what a script runs in the background.
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()), Some(15));
    assert_eq!(names(&folder), all);
    assert_eq!(fs::read(folder.path("before.snap")).unwrap(), before);
    done(&folder, "verify before.snap");
}
