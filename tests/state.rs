//! `forkpoint state`: what must be equal, what differs, and what is done with folders that are none.

mod common;

use common::{Folder, forkpoint, text};
use serde_json::{Value, json};

/// A folder of state by file.
fn folder(at: &Folder, name: &str, files: &[(&str, &str)]) {
    let path = at.path(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    for (file, text) in files {
        std::fs::write(path.join(file), text).unwrap();
    }
}

const CPU: &str = r#"{"engine":"one","pc":2181039104,"gpr":[1,2]}"#;
const CONFIG: &str =
    r#"{"xex_entry_point":2181039104,"iso_sha256":"aa","image_loaded_sha256":"bb","host_ns_at_snapshot":7}"#;
const REST: [(&str, &str); 3] =
    [("memory.json", r#"{"heaps":[],"regions":[]}"#), ("kernel.json", r#"{"objects":[]}"#), ("vfs.json", "{}")];

/// Both folders as they are when nothing differs, but for these files of the candidate.
fn both(at: &Folder, changed: &[(&str, &str)]) {
    let base = [&[("cpu_state.json", CPU), ("config.json", CONFIG)][..], &REST].concat();
    folder(at, "ref", &base);
    let own: Vec<(&str, &str)> =
        base.iter().map(|file| changed.iter().find(|one| one.0 == file.0).copied().unwrap_or(*file)).collect();
    folder(at, "cand", &own);
    for (name, text) in changed {
        std::fs::write(at.path("cand").join(name), text).unwrap();
    }
}

fn run(at: &Folder, words: &[&str]) -> (i32, String, String) {
    let output = forkpoint(["state"]).args(words).current_dir(at.path("")).output().unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn report(at: &Folder, words: &[&str]) -> (i32, Value) {
    let (code, told, complaint) = run(at, &[&["ref", "cand", "--format", "json"], words].concat());
    (code, serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}{complaint}")))
}

/// Path, kind, class of all differences.
fn told(report: &Value) -> Vec<String> {
    let all = report["divergences"].as_array().unwrap().iter();
    let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    all.map(|one| format!("{} {} {} {}", word(one, "file"), word(one, "path"), word(one, "kind"), word(one, "class")))
        .collect()
}

fn invariants(report: &Value) -> Vec<String> {
    let all = report["invariants"].as_array().unwrap().iter();
    all.map(|one| format!("{}: {}", one["name"].as_str().unwrap(), one["result"].as_str().unwrap())).collect()
}

#[test]
fn equal_folders_are_told_so_in_every_format() {
    let at = Folder::new();
    both(&at, &[]);
    let (code, page, _) = run(&at, &["ref", "cand"]);
    assert_eq!(code, 0, "{page}");
    assert!(page.starts_with("identical: both folders hold the same state\n"), "{page}");
    let (code, page, complaint) = run(&at, &["ref", "cand", "--validate-identical"]);
    assert_eq!((code, page.as_str(), complaint.as_str()), (0, "", ""));
    // Other spellings, and what the host's clock says, are no difference.
    both(
        &at,
        &[
            ("cpu_state.json", r#"{ "gpr": [1.0, 2e0], "pc": 2.181039104e9, "engine": "two" }"#),
            ("config.json", &CONFIG.replace(":7", ":8")),
        ],
    );
    let (code, report) = report(&at, &[]);
    assert_eq!((code, &report["verdict"]), (0, &json!("identical")));
    assert_eq!(told(&report), ["config.json host_ns_at_snapshot value tau-host-timing"]);
    assert_eq!((&report["files"][0]["status"], &report["files"][4]["status"]), (&json!("equal"), &json!("diverged")));
    assert_eq!(run(&at, &["ref", "cand", "--strict-classes"]).0, 1);
}

#[test]
fn what_must_be_equal_comes_before_all_else() {
    let at = Folder::new();
    for (config, cpu, results) in [
        (CONFIG.replace("2181039104", "5"), CPU.to_owned(), ["fail", "fail", "pass", "pass"]),
        (CONFIG.to_owned(), CPU.replace("2181039104", "5"), ["pass", "fail", "pass", "pass"]),
        (CONFIG.replace("\"aa\"", "\"ab\""), CPU.to_owned(), ["pass", "pass", "fail", "pass"]),
        (CONFIG.replace("\"bb\"", "\"ab\""), CPU.to_owned(), ["pass", "pass", "pass", "fail"]),
        (CONFIG.replace("\"bb\"", "null"), CPU.to_owned(), ["pass", "pass", "pass", "unknown"]),
        (CONFIG.replace("\"iso_sha256\":\"aa\",", ""), CPU.to_owned(), ["pass", "pass", "unknown", "pass"]),
        (CONFIG.to_owned(), "{}".to_owned(), ["pass", "unknown", "pass", "pass"]),
    ] {
        both(&at, &[("config.json", &config), ("cpu_state.json", &cpu)]);
        let (code, report) = report(&at, &[]);
        let found: Vec<&str> =
            report["invariants"].as_array().unwrap().iter().map(|one| one["result"].as_str().unwrap()).collect();
        assert_eq!((code, found.as_slice()), (3, &results[..]), "{report:#}");
        assert_eq!(report["stop"], json!(results.contains(&"fail")));
        // What differs is told all the same.
        assert!(!report["divergences"].as_array().unwrap().is_empty());
    }
    let (code, page, complaint) = run(&at, &["ref", "cand", "--validate-identical"]);
    assert_eq!((code, page.as_str()), (3, ""));
    assert_eq!(complaint, "forkpoint: inconclusive: the states are not identical\n");
    // A file that neither side has, and that an invariant needs.
    std::fs::remove_file(at.path("ref/config.json")).unwrap();
    std::fs::remove_file(at.path("cand/config.json")).unwrap();
    let (code, report) = report(&at, &[]);
    assert_eq!(code, 3);
    assert_eq!(report["files"][4]["status"], json!("absent"));
}

#[test]
fn images_are_compared_to_the_byte_and_import_slots_masked() {
    let at = Folder::new();
    both(&at, &[("config.json", &CONFIG.replace("\"bb\"", "\"cc\""))]);
    let memory = r#"{"heaps":[],"sections":[{"base":"0x82000000","size":64,"name":".text"},{"base":2181038144,"size":64,"name":".data"}]}"#;
    for side in ["ref", "cand"] {
        std::fs::write(at.path(side).join("memory.json"), memory).unwrap();
    }
    let image: Vec<u8> = (0..100).collect();
    let mut patched = image.clone();
    patched[16..20].fill(0xEE);
    at.file("ref/image.bin", &image);
    at.file("cand/image.bin", &patched);
    at.file("xex.json", r#"{"image_base":"0x82000000","import_libraries":[{"imports":[{"address":"0x82000010","record_type":0},{"address":2181038176,"record_type":1}]}]}"#);
    // Without the slots the hashes count, and the patch is a difference.
    let (code, plain) = report(&at, &[]);
    assert_eq!((code, invariants(&plain)[3].as_str()), (3, "image_loaded_sha256: fail"));
    assert_eq!(
        plain["memory"][0],
        json!({"image": "image.bin", "address": 2181038096u64, "length": 4, "owner": "section .text", "import_patch": false, "reference": "10111213", "candidate": "eeeeeeee"})
    );
    let (code, masked) = report(&at, &["--xex-json", "xex.json"]);
    assert_eq!(code, 0, "{masked:#}");
    assert_eq!(
        invariants(&masked)[3..],
        ["image_loaded_sha256 (import slots masked): pass", "image_loaded_sha256 (raw): info"]
    );
    assert_eq!(masked["memory"][0]["import_patch"], json!(true));
    assert_eq!(masked["files"][5]["status"], json!("equal"));
    assert_eq!(masked["divergences"][0]["informational"], json!(true));
    // A slot that the image ends in is masked as far as it goes, and that is said.
    assert!(
        masked["remarks"][0].as_str().unwrap().contains("1 import slot reaches beyond it"),
        "{}",
        masked["remarks"]
    );
    // A byte outside of all slots stops.
    patched[70] = 1;
    at.file("cand/image.bin", &patched);
    let (code, other) = report(&at, &["--xex-json", "xex.json"]);
    assert_eq!((code, invariants(&other)[3].as_str()), (3, "image_loaded_sha256 (import slots masked): fail"));
    assert_eq!((&other["memory_total"], &other["memory"][1]["owner"]), (&json!(2), &json!("section .data")));
    // An image that is shorter than its sections is one that differs there.
    at.file("cand/image.bin", &image[..90]);
    let (_, short) = report(&at, &[]);
    assert_eq!((&short["memory"][0]["address"], &short["memory"][0]["length"]), (&json!(2181038170u64), &json!(10)));
    std::fs::remove_file(at.path("cand/image.bin")).unwrap();
    let (_, alone) = report(&at, &[]);
    assert_eq!(alone["remarks"][0], json!("image.bin is on one side only, and is not compared"));
}

#[test]
fn manifests_are_verified_whatever_they_name() {
    let at = Folder::new();
    both(&at, &[]);
    let hash = |text: &str| forkpoint::state::image::sha256_of(text.as_bytes());
    at.file("ref/extra.txt", "extra");
    at.file(
        "ref/manifest.json",
        format!(r#"{{"files":{{"cpu_state.json":"{}","extra.txt":"{}"}}}}"#, hash(CPU), hash("extra")),
    );
    at.file(
        "cand/manifest.json",
        format!(
            r#"{{"files":{{"cpu_state.json":"{}","config.json":"{}"}}}}"#,
            hash("other"),
            hash(CONFIG).to_uppercase()
        ),
    );
    let (code, report) = report(&at, &[]);
    assert_eq!(
        told(&report),
        [
            "manifest.json files[\"config.json\"] extra-in-candidate sigma-structural",
            "manifest.json files[\"extra.txt\"] missing-in-candidate sigma-structural",
            "cpu_state.json  manifest-hash-mismatch sigma-structural",
        ]
    );
    assert_eq!(code, 1);
    let wrong = &report["divergences"][2];
    assert_eq!(
        (&wrong["reference"], &wrong["candidate"]),
        (&Value::Null, &json!({"claimed": hash("other"), "actual": hash(CPU)}))
    );
    for (text, why) in [
        ("[]", "there is no object files"),
        ("{\"files\":{\"a\":7}}", "no SHA-256"),
        ("{\"files\":{\"../../etc/passwd\":\"", "line 1"),
        ("x", "line 1"),
    ] {
        at.file("cand/manifest.json", text);
        let (code, _, complaint) = run(&at, &["ref", "cand"]);
        assert!(code == 2 && complaint.contains(why), "{text}: {complaint}");
    }
    at.file("cand/manifest.json", format!(r#"{{"files":{{"../ref/extra.txt":"{}"}}}}"#, hash("extra")));
    let (code, _, complaint) = run(&at, &["ref", "cand"]);
    assert!(code == 2 && complaint.contains("its name leads out of"), "{complaint}");
}

#[test]
fn dumps_that_documents_name_are_compared_with_their_addresses() {
    let at = Folder::new();
    both(&at, &[]);
    let hash = |bytes: &[u8]| forkpoint::state::image::sha256_of(bytes);
    let memory = |hash: &str| {
        format!(r#"{{"regions":[{{"base":"0x1000","size":8,"name":"stack","file":"stack.bin","sha256":"{hash}"}}]}}"#)
    };
    at.file("ref/memory.json", memory(&hash(b"abcdefgh")));
    at.file("cand/memory.json", memory(&hash(b"abcXefgh")));
    at.file("ref/stack.bin", b"abcdefgh");
    at.file("cand/stack.bin", b"abcXefgh");
    let (code, found) = report(&at, &[]);
    assert_eq!(told(&found), ["memory.json regions[0].sha256 value delta-content"]);
    assert_eq!(
        found["memory"][0],
        json!({"image": "stack.bin", "address": 4099, "length": 1, "owner": "region stack", "import_patch": false, "reference": "64", "candidate": "58"})
    );
    assert_eq!(code, 1);
    at.file("cand/stack.bin", b"abcYefgh");
    let (_, wrong) = report(&at, &[]);
    assert!(told(&wrong).contains(&"stack.bin  manifest-hash-mismatch sigma-structural".to_owned()), "{wrong:#}");
    std::fs::remove_file(at.path("cand/stack.bin")).unwrap();
    let (_, gone) = report(&at, &[]);
    assert!(told(&gone).contains(&"stack.bin  missing-file sigma-structural".to_owned()), "{gone:#}");
}

#[test]
fn documents_may_ask_to_skip_and_it_is_told_what_that_hid() {
    let at = Folder::new();
    let kernel = r#"{"objects":[{"handle_semantic_id":1,"x":{"y":1}}],"deterministic_skip":["objects[].x","","z"]}"#;
    both(&at, &[("kernel.json", &kernel.replace("\"y\":1", "\"y\":2"))]);
    at.file("ref/kernel.json", kernel);
    let (code, found) = report(&at, &[]);
    assert_eq!((code, told(&found).len()), (0, 0));
    let skipped = found["files"][2]["skipped"].as_array().unwrap();
    assert_eq!(
        skipped[1],
        json!({"entry": "objects[].x", "reference": true, "candidate": true, "hidden": 1, "first": "objects[handle_semantic_id=1].x.y", "refused": null})
    );
    assert!(skipped[0]["refused"].as_str().unwrap().contains("whole document"));
    let page = run(&at, &["ref", "cand"]).1.replace("\n    ", " ");
    assert!(page.contains("kernel.json: both sides ask to skip \"\", which is refused"), "{page}");
    assert!(page.contains("that hides 1 difference, the first"), "{page}");
}

#[test]
fn members_without_a_key_or_with_anothers_are_never_dropped() {
    let at = Folder::new();
    let kernel = r#"{"objects":[{"handle_semantic_id":1,"v":1},{"handle_semantic_id":1,"v":2},7,{"handle_semantic_id":"1"},{"v":3}]}"#;
    both(
        &at,
        &[(
            "kernel.json",
            r#"{"objects":[{"v":4},{"handle_semantic_id":1,"v":3},{"handle_semantic_id":1.0,"v":1},{"handle_semantic_id":"1"}]}"#,
        )],
    );
    at.file("ref/kernel.json", kernel);
    let (_, found) = report(&at, &[]);
    assert_eq!(
        told(&found),
        [
            "kernel.json objects[handle_semantic_id=?] missing-in-candidate sigma-structural",
            "kernel.json objects[handle_semantic_id=?#1] extra-in-candidate sigma-structural",
            "kernel.json objects[handle_semantic_id=?#2] missing-in-candidate sigma-structural",
            "kernel.json objects[handle_semantic_id=1#1].v value gamma-kernel-content",
        ],
        "{found:#}"
    );
    assert_eq!(found["remarks"].as_array().unwrap().len(), 4, "{}", found["remarks"]);
}

#[test]
fn other_folders_have_profiles_of_their_own() {
    let at = Folder::new();
    folder(
        &at,
        "ref",
        &[
            ("tick-1.json", r#"{"units":[{"id":1,"x":1.5}],"seed":7}"#),
            ("tick-2.json", r#"{"units":[]}"#),
            ("note.txt", "x"),
        ],
    );
    folder(&at, "cand", &[("tick-1.json", r#"{"units":[{"id":1,"x":1.25}],"seed":7}"#), ("tick-3.json", "{}")]);
    at.file(
        "game.toml",
        "version = 1\nname = \"game\"\nfiles = [\"tick-*.json\"]\n[[set]]\npaths = [\"units\"]\nby = \"id\"\n\
         [[invariant]]\nname = \"seed\"\nbetween = { file = \"tick-1.json\", path = \"seed\" }\n\
         [[class]]\nclass = \"sigma-structural\"\nkinds = [\"missing-file\"]\n[[class]]\nclass = \"kappa-cache\"\nleaves = [\"x\"]\n",
    );
    let (code, found) = report(&at, &["--profile", "game.toml"]);
    assert_eq!((code, &found["profile"]), (1, &json!("game")));
    assert_eq!(
        told(&found),
        [
            "tick-2.json  missing-file sigma-structural",
            "tick-3.json  missing-file sigma-structural",
            "tick-1.json units[id=1].x value kappa-cache"
        ]
    );
    let (code, _, complaint) = run(&at, &["ref", "cand", "--profile", "gamer"]);
    assert!(code == 2 && complaint.contains("there is no profile"), "{complaint}");
}

#[test]
fn a_set_of_too_many_members_is_refused_by_name() {
    let at = Folder::new();
    both(&at, &[]);
    let members = "0,".repeat(1 << 24);
    at.file("ref/kernel.json", format!("{{\"objects\":[{members}1]}}"));
    at.file("cand/kernel.json", "{\"objects\":[]}");
    let (code, found) = report(&at, &[]);
    assert_eq!((code, &found["files"][2]["status"]), (2, &json!("faulty")));
    let fault = found["faults"][0].as_str().unwrap();
    assert_eq!(fault, "kernel.json: objects: sets of more than 16777216 members are not compared");
}

#[test]
fn what_is_no_folder_or_no_document_is_told_with_its_place() {
    let at = Folder::new();
    both(&at, &[]);
    at.file("file", "x");
    for (words, why) in [
        (&["ref", "nowhere"][..], "nowhere: No such file"),
        (&["file", "cand"], "file: "),
        (&["ref"], "two folders are compared"),
        (&["ref", "cand", "ref"], "unexpected value"),
        (&["ref", "cand", "--xex-json", "nowhere.json"], "nowhere.json"),
        (&["ref", "cand", "--xex-json", "file"], "line 1"),
        (&["ref", "cand", "-o", "ref/report.md", "-o", "cand/cpu_state.json"], "is also an input"),
    ] {
        let (code, page, complaint) = run(&at, words);
        assert!(code == 2 && page.is_empty() && complaint.contains(why), "{words:?}: {complaint}");
    }
    assert_eq!(std::fs::read_to_string(at.path("cand/cpu_state.json")).unwrap(), CPU);
    at.file("bad.json", r#"{"import_libraries":[{"imports":[{"address":"x","record_type":0}]}]}"#);
    let (code, _, complaint) = run(&at, &["ref", "cand", "--xex-json", "bad.json"]);
    assert!(code == 2 && complaint.contains("import_libraries[0].imports[0].address"), "{complaint}");
    let deep = "[".repeat(1025);
    for (text, why) in
        [("", "line 1"), ("{\"a\":}", "vfs.json: line 1: byte 5"), (&deep, "1024"), ("{\"a\":\"\u{1}\"}", "byte 6")]
    {
        at.file("cand/vfs.json", text);
        let (code, found) = report(&at, &[]);
        assert_eq!((code, &found["verdict"], &found["files"][3]["status"]), (2, &json!("trouble"), &json!("faulty")));
        assert!(found["faults"][0].as_str().unwrap().contains(why), "{}", found["faults"]);
    }
    // Nested as deep as may be, on both sides, differently.
    at.file("ref/vfs.json", format!("{}1{}", "[".repeat(1024), "]".repeat(1024)));
    at.file("cand/vfs.json", format!("{}2{}", "[".repeat(1024), "]".repeat(1024)));
    assert_eq!(told(&report(&at, &[]).1).len(), 1);
    std::fs::remove_file(at.path("cand/vfs.json")).unwrap();
    std::fs::create_dir(at.path("cand/vfs.json")).unwrap();
    assert!(run(&at, &["ref", "cand"]).2.contains("is a directory"));
    std::fs::remove_dir(at.path("cand/vfs.json")).unwrap();
    std::os::unix::fs::symlink("../file", at.path("cand/vfs.json")).unwrap();
    assert!(run(&at, &["ref", "cand"]).2.contains("leads out of"));
    std::fs::remove_file(at.path("cand/vfs.json")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(at.path("cand/vfs.json")).status().unwrap();
    assert!(made.success() && run(&at, &["ref", "cand"]).2.contains("is no regular file"));
    std::fs::remove_file(at.path("cand/vfs.json")).unwrap();
    let huge = std::fs::File::create(at.path("cand/vfs.json")).unwrap();
    huge.set_len((256 << 20) + 1).unwrap();
    assert!(run(&at, &["ref", "cand"]).2.contains("over the limit of 256 MiB"));
    // Nothing that the profile knows.
    folder(&at, "empty", &[]);
    let (code, _, complaint) = run(&at, &["empty", "empty"]);
    assert!(code == 2 && complaint.contains("a file that profile state-v1 knows"), "{complaint}");
}

#[test]
fn nothing_in_a_document_commands_the_reader() {
    let at = Folder::new();
    both(&at, &[("vfs.json", "{\"a\\u001b[31m|`b\":\"\\u001b]0;x\\u0007 <script> `|` [a](b)\\u202e\"}")]);
    for format in ["terminal", "markdown", "json"] {
        let (_, page, complaint) = run(&at, &["ref", "cand", "--format", format]);
        assert!(!page.contains(['\u{1b}', '\u{7}', '\u{202e}']) && !complaint.contains('\u{1b}'), "{page}");
        if format == "markdown" {
            assert!(!page.contains("**<script>") && page.contains("``"), "{page}");
        }
    }
}

#[test]
fn the_json_follows_its_schema() {
    let at = Folder::new();
    both(&at, &[("vfs.json", "{\"a\":NaN}"), ("kernel.json", "{}")]);
    let schema = forkpoint(["generate", "schema", "state"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let (_, found) = report(&at, &[]);
    assert!(validator.is_valid(&found), "{:?}", validator.iter_errors(&found).next().map(|error| error.to_string()));
    let nan = found["divergences"].as_array().unwrap().iter().find(|one| one["path"] == "a").unwrap();
    assert_eq!(nan["candidate"], json!({"token": "NaN"}));
}

#[test]
fn the_states_come_before_the_events() {
    let at = Folder::new();
    both(&at, &[]);
    let log = common::header("x") + &common::event("6", 0, "call", "{}");
    at.file("a.jsonl", &log);
    at.file("b.jsonl", &log);
    let diff = |words: &[&str]| {
        let output = forkpoint(["diff", "a.jsonl", "b.jsonl"]).args(words).current_dir(at.path("")).output().unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let (code, page, _) = diff(&["--state", "ref", "cand"]);
    assert!(code == 0 && page.contains("pass     xex_entry_point"), "{page}");
    both(&at, &[("config.json", &CONFIG.replace("\"aa\"", "\"ab\""))]);
    let (code, page, _) = diff(&["--state", "ref", "cand"]);
    assert!(
        code == 3 && page.starts_with("inconclusive: STOP: the runs did not begin in one state (iso_sha256)"),
        "{page}"
    );
    let (code, page, _) = diff(&["--state", "ref", "cand", "--format", "json"]);
    let found: Value = serde_json::from_str(&page).unwrap();
    assert_eq!((code, &found["verdict"], &found["state"]["stop"]), (3, &json!("inconclusive"), &json!(true)));
    let (_, page, _) = diff(&["--state", "ref", "cand", "--format", "markdown"]);
    assert!(page.contains("| iso\\_sha256 | `aa` | `ab` | fail |"), "{page}");
    let (code, _, complaint) = diff(&["--state", "ref", "nowhere"]);
    assert!(code == 2 && complaint.contains("nowhere"), "{complaint}");
    let (code, _, complaint) = diff(&["--state", "ref", "cand", "-o", "ref/config.json"]);
    assert!(code == 2 && complaint.contains("is also an input"), "{complaint}");
    let (code, _, complaint) = diff(&["--state-profile", "state-v1"]);
    assert!(code == 2 && complaint.contains("--state"), "{complaint}");
}

#[test]
fn old_scripts_still_run() {
    let at = Folder::new();
    both(&at, &[("vfs.json", "{\"a\":1}")]);
    let (code, _, _) = run(&at, &["--canary", "ref", "--ours", "cand", "--out", "old.md"]);
    assert_eq!(code, 1);
    assert!(std::fs::read_to_string(at.path("old.md")).unwrap().starts_with("# forkpoint: two states"));
}

#[test]
fn the_readme_shows_what_is_printed() {
    let root = env!("CARGO_MANIFEST_DIR");
    // A packed crate has no README.
    let Ok(page) = std::fs::read_to_string(format!("{root}/README.md")) else { return };
    let (_, shown) = page.split_once("$ forkpoint state ").expect("README.md shows forkpoint state");
    let (command, shown) = shown.split_once('\n').unwrap();
    let shown = shown.split("\n…\n```").next().unwrap();
    let output = forkpoint(["state"]).args(command.split(' ')).current_dir(root).output().unwrap();
    let printed = text(&output.stdout);
    assert!(printed.starts_with(shown), "the README shows\n{shown}\nprinted is\n{printed}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_profile_of_the_manual_is_sound() {
    let page = include_str!("../docs/state.md");
    let (_, profile) = page.split_once("```toml\n").unwrap();
    let at = Folder::new();
    at.file("game.toml", profile.split("```").next().unwrap());
    let output = forkpoint(["profile", "check", "game.toml"]).current_dir(at.path("")).output().unwrap();
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(0), "game.toml: sound: profile game of state folders; files: tick-*.json, settings.json\n")
    );
    at.file("game.toml", "version = 1\nfiles = [\"a\"]\n[[class]]\nclass = \"sigma\"\n");
    let output = forkpoint(["profile", "check", "game.toml"]).current_dir(at.path("")).output().unwrap();
    assert!(
        output.status.code() == Some(2) && text(&output.stderr).contains("game.toml:4:9: no class is called"),
        "{}",
        text(&output.stderr)
    );
}
