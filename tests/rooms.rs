//! Reads the imports of every room: they point downward only, and `mod.rs` stays a door.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The floor of each room; on the ground, `json` may be known by all others.
const FLOORS: [(&str, u8); 18] = [
    ("json", 0),
    ("source", 1),
    ("profile", 1),
    ("disk", 1),
    ("emit", 1),
    ("scan", 2),
    ("identity", 2),
    ("compare", 3),
    ("state", 3),
    ("align", 4),
    ("snapshot", 4),
    ("diverge", 5),
    ("audit", 5),
    ("infer", 6),
    ("report", 7),
    ("cli", 8),
    ("main", 9),
    ("lib", 9),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files
        .into_iter()
        .map(|path| {
            let below = path.strip_prefix(&root).unwrap();
            let room =
                below.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            (room, path, text)
        })
        .collect()
}

/// The part of a file before its tests.
fn before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap()
}

/// The rooms that a file of `room` imports although they are not below it.
fn upward_imports(room: &str, text: &str) -> Vec<String> {
    let floors: BTreeMap<&str, u8> = FLOORS.into_iter().collect();
    let own = *floors.get(room).unwrap_or_else(|| panic!("no floor is given for {room}"));
    let code: String =
        before_tests(text).lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let words = code.split("crate::").skip(1).chain(code.split("forkpoint::").skip(1));
    let names = words.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>());
    names.filter(|other| other != room && floors.get(other.as_str()).is_some_and(|floor| *floor >= own)).collect()
}

#[test]
fn imports_point_downward_only() {
    let wrong: Vec<String> = all_sources()
        .iter()
        .flat_map(|(room, path, text)| {
            upward_imports(room, text).into_iter().map(move |other| format!("{} imports {other}", path.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_import_reader_sees_an_upward_arrow() {
    assert_eq!(upward_imports("scan", "use crate::align::Lane;\n"), ["align"]);
    assert_eq!(upward_imports("scan", "fn f(x: &crate::report::Story) {}\n"), ["report"]);
    // Rooms of one floor do not know each other either.
    assert_eq!(upward_imports("scan", "use crate::compare::Event;\n"), ["compare"]);
    assert_eq!(upward_imports("source", "use crate::profile::Profile;\n"), ["profile"]);
    let fine = "// use crate::align::Lane;\nuse crate::json::Tape;\nuse crate::source::Log;\nuse crate::scan::Span;\n";
    assert_eq!(upward_imports("scan", fine), [""; 0]);
}

#[test]
fn files_hold_one_noun_and_doors_hold_no_logic() {
    let mut wrong = Vec::new();
    for (_, path, text) in all_sources() {
        let lines = before_tests(&text).lines().count();
        if lines > 500 {
            wrong.push(format!("{}: {lines} lines before its tests", path.display()));
        }
        if path.ends_with("mod.rs")
            && before_tests(&text).lines().any(|line| line.starts_with("fn ") || line.starts_with("pub fn "))
        {
            wrong.push(format!("{} is a door with logic", path.display()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{} has no caption", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_below_the_porch_open_no_files_and_print_nothing() {
    let silent = ["scan", "compare", "align", "diverge", "audit", "infer", "report", "json", "snapshot"];
    let forbidden = ["std::fs", "println!", "eprintln!", "std::env", "Instant::now", "SystemTime"];
    let mut wrong = Vec::new();
    for (room, path, text) in all_sources() {
        if silent.contains(&room.as_str()) {
            for word in forbidden {
                if before_tests(&text).contains(word) {
                    wrong.push(format!("{} has {word}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_stands_only_where_the_map_allows_it() {
    for (_, path, text) in all_sources() {
        let homes = ["source/mapped.rs", "source/guard.rs", "json/simd.rs", "emit/signals.rs"];
        let allowed = homes.iter().any(|home| path.ends_with(home));
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let unsafe_code = code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl");
        assert!(allowed || !unsafe_code, "{} has unsafe code", path.display());
        if unsafe_code {
            assert!(text.matches("SAFETY").count() >= text.matches("unsafe {").count(), "{}", path.display());
        }
    }
}
