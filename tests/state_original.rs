//! `forkpoint state` against the original tool, over folders drawn from a seed:
//!
//! `FORKPOINT_STATE_ORIGINAL=…/diff_state.py SEED=1 ROUNDS=1000 cargo test --test state_original -- --nocapture`
//!
//! Each pair agrees, or differs exactly as a rule named here says, or fails the test. Without the original it is skipped.

mod common;
mod folders;
#[path = "../examples/generate/numbers.rs"]
#[allow(dead_code)]
mod numbers;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use common::{Folder, forkpoint, text};
use folders::tree::Tree;
use folders::{Files, Liberties, NAMES, drawn, write};
use numbers::Random;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A difference: file, path, kind, class.
type Found = (String, String, String, String);

/// What was written beside the documents, and what of it must be told.
struct Scene<'a> {
    sides: &'a [Files; 2],
    with_image: bool,
    /// The images differ in import slots only.
    are_alike: bool,
    /// Where manifests are wrong, or name other files than the other one does.
    claims: Vec<Found>,
}

/// What the original's answer is by our rules, and which of them were needed.
struct Expected {
    found: Vec<Found>,
    statuses: BTreeMap<String, String>,
    code: i32,
    rules: BTreeSet<&'static str>,
}

#[test]
fn every_pair_agrees_or_is_excepted_by_a_rule() {
    let Ok(original) = std::env::var("FORKPOINT_STATE_ORIGINAL") else {
        println!("skipped: FORKPOINT_STATE_ORIGINAL names no original");
        return;
    };
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |value| value.parse().unwrap());
    let (seed, rounds) = (number("SEED", 1), number("ROUNDS", 1000));
    let folder = Folder::new();
    let mut tally: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut kinds, mut classes, mut results) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for round in 0..rounds {
        let mut random = Random::new(seed.wrapping_add(round), "original", 0);
        let mut sides = drawn(&mut |limit| random.below(limit), Liberties::default());
        liberties(&mut sides, &mut |limit| random.below(limit));
        let with_image = random.below(3) == 0;
        for (name, files) in ["one", "other"].iter().zip(&sides) {
            let _ = std::fs::remove_dir_all(folder.path(name));
            write(&folder.path(name), files, None);
        }
        let are_alike = with_image && images(&folder, &mut |limit| random.below(limit));
        let claims = manifests(&folder, &mut |limit| random.below(limit));
        let words: &[&str] = if with_image { &["--xex-json", "xex.json"] } else { &[] };
        let theirs = Command::new("python3")
            .args([&original, "--canary", "one", "--ours", "other", "--out", "report.md"])
            .args(words)
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        if text(&theirs.stderr).contains("TypeError: '<' not supported between instances of") {
            // What is said then the slow twin decides (tests/state_twin.rs).
            let output =
                forkpoint(["state", "one", "other"]).args(words).current_dir(folder.path("")).output().unwrap();
            let told = text(&output.stdout);
            assert!(matches!(output.status.code(), Some(1 | 3)), "seed {}: {told}", seed + round);
            *tally.entry("10: keys of several types are in order, and no trouble").or_default() += 1;
            continue;
        }
        let report = std::fs::read(folder.path("report.json")).unwrap_or_default();
        let report: Value = serde_json::from_slice(&report).unwrap_or_else(|error| {
            panic!("seed {} round {round}: {error}: {}", seed + round, String::from_utf8_lossy(&theirs.stderr))
        });
        std::fs::remove_file(folder.path("report.json")).unwrap();
        let output = forkpoint(["state", "one", "other", "--format", "json"])
            .args(words)
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        let ours: Value = serde_json::from_slice(&output.stdout).unwrap();
        if sides.iter().flat_map(Files::values).any(asks_for_everything) {
            let mut skipped =
                ours["files"].as_array().unwrap().iter().flat_map(|file| file["skipped"].as_array().unwrap());
            assert!(skipped.any(|entry| entry["entry"] == "" && entry["refused"].is_string()), "{ours:#}");
            *tally.entry("32: a document may not hide all of itself").or_default() += 1;
            continue;
        }
        let scene = Scene { sides: &sides, with_image, are_alike, claims };
        let mut expected = expected(&report, theirs.status.code().unwrap(), &scene, has_keyless(&ours));
        let mut found = found(&ours);
        let mut counts_otherwise = false;
        let elsewhere = moved_heaps(&expected.found);
        if !elsewhere.is_empty() {
            // Which of them belong together the slow twin says (tests/state_twin.rs).
            expected.rules.insert("27: heaps that lie elsewhere are paired");
            let is_of_them = |one: &Found| elsewhere.iter().any(|heap| one.1.starts_with(heap.as_str()));
            let bases = found.iter().filter(|one| is_of_them(one) && one.1.ends_with("].base")).count();
            assert!(bases > 0, "no heap is paired: {ours:#}");
            counts_otherwise = found.iter().any(|one| is_of_them(one) && !one.3.starts_with("epsilon"));
            found.retain(|one| !is_of_them(one));
            expected.found.retain(|one| !is_of_them(one));
        }
        let all = found.len();
        found.retain(|one| !one.1.contains("=?"));
        if found.len() < all {
            expected.rules.insert("34: members without a key are told");
        }
        assert_eq!(found, expected.found, "seed {} round {round}\n{report:#}\n{ours:#}", seed + round);
        let statuses: BTreeMap<String, String> =
            ours["files"].as_array().unwrap().iter().map(|file| (word(file, "file"), word(file, "status"))).collect();
        for (name, status) in &expected.statuses {
            if expected.rules.contains("34: members without a key are told")
                && (status == "equal" || status == "diverged")
            {
                continue;
            }
            // What they call diverged though nothing differs is the same bytes, or equal.
            let fits = statuses[name] == *status || (status == "equal" && statuses[name] == "identical");
            assert!(fits, "seed {} round {round}: {name} is {}, not {status}", seed + round, statuses[name]);
        }
        if !elsewhere.is_empty() && expected.code != 3 {
            let counting = |one: &Found| !one.3.starts_with("epsilon") && !one.3.starts_with("tau");
            let images = ours["memory"].as_array().unwrap().iter().any(|range| range["import_patch"] == false);
            expected.code = i32::from(counts_otherwise || images || found.iter().any(counting) || has_keyless(&ours));
        }
        assert_eq!(
            output.status.code().unwrap(),
            expected.code,
            "seed {} round {round}\n{report:#}\n{ours:#}",
            seed + round
        );
        expected.rules.iter().for_each(|rule| *tally.entry(rule).or_default() += 1);
        *tally.entry(if expected.rules.is_empty() { "agrees" } else { "excepted" }).or_default() += 1;
        for one in found {
            kinds.insert(one.2);
            classes.insert(one.3);
        }
        results.extend(
            ours["invariants"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| format!("{} {}", word(one, "name"), word(one, "result"))),
        );
    }
    println!("{rounds} pairs from seed {seed}");
    tally.iter().for_each(|(rule, count)| println!("  {count:6}  {rule}"));
    println!("kinds: {kinds:?}\nclasses: {classes:?}\ninvariants: {results:#?}");
}

fn word(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}")).to_owned()
}

fn found(report: &Value) -> Vec<Found> {
    let all = report["divergences"].as_array().unwrap().iter();
    let mut found: Vec<Found> = all
        .filter(|one| one["informational"] != true)
        .map(|one| (word(one, "file"), word(one, "path"), word(one, "kind"), word(one, "class")))
        .collect();
    found.sort();
    found
}

/// Whether a document asks to skip all of itself.
fn asks_for_everything(tree: &Tree) -> bool {
    matches!(tree.get("deterministic_skip"), Some(Tree::List(entries)) if entries.contains(&Tree::Text(String::new())))
}

/// Heaps that only one side has, if either side has some: by their paths.
fn moved_heaps(found: &[Found]) -> Vec<String> {
    let of = |kind: &str| {
        let heaps =
            found.iter().filter(move |one| one.0 == "memory.json" && one.1.starts_with("heaps[") && one.2 == kind);
        heaps.map(|one| one.1.clone()).collect::<Vec<_>>()
    };
    let (missing, extra) = (of("missing-in-candidate"), of("extra-in-candidate"));
    if missing.is_empty() || extra.is_empty() { Vec::new() } else { [missing, extra].concat() }
}

/// Whether members without a key differ.
fn has_keyless(report: &Value) -> bool {
    found(report).iter().any(|one| one.1.contains("=?"))
}

/// What the generator leaves alone for the twin's sake: invariants, hashes, missing files.
fn liberties(sides: &mut [Files; 2], draw: &mut dyn FnMut(u64) -> u64) {
    let set = |files: &mut Files, name: &'static str, key: &str, value: Option<Tree>| {
        if let Some(Tree::Object(members)) = files.get_mut(name) {
            members.retain(|(known, _)| known != key);
            members.extend(value.map(|value| (key.to_owned(), value)));
        }
    };
    let number = |number: u64| Some(Tree::Number(number.to_string()));
    match draw(12) {
        0 => set(&mut sides[1], "config.json", "xex_entry_point", number(7)),
        1 => set(&mut sides[1], "cpu_state.json", "pc", number(7)),
        2 => set(&mut sides[1], "config.json", "iso_sha256", Some(Tree::Text("ce".into()))),
        3 => set(&mut sides[1], "config.json", "image_loaded_sha256", Some(Tree::Text("de".into()))),
        4 => sides.iter_mut().for_each(|side| set(side, "cpu_state.json", "pc", None)),
        5 => sides.iter_mut().for_each(|side| set(side, "config.json", "image_loaded_sha256", None)),
        6 => {
            let name = NAMES[draw(5) as usize];
            [vec![0], vec![1], vec![0, 1]][draw(3) as usize].iter().for_each(|side| _ = sides[*side].remove(name));
        }
        7 => set(&mut sides[1], "config.json", "wall_clock_iso8601", Some(Tree::Text("now".into()))),
        8 => {
            set(&mut sides[0], "config.json", "wall_clock_iso8601", Some(Tree::Text("then".into())));
            set(&mut sides[1], "config.json", "wall_clock_iso8601", Some(Tree::Text("now".into())));
        }
        9 => {
            let heap = Tree::object([("base", Tree::Number("99".into())), ("name", Tree::Text("new".into()))]);
            if let Some(Tree::Object(members)) = sides[1].get_mut("memory.json")
                && let Some((_, Tree::List(heaps))) = members.iter_mut().find(|(key, _)| key == "heaps")
            {
                heaps.push(heap);
            }
        }
        _ => {}
    }
}

/// Images of both sides, which differ in import slots or elsewhere or not at all, and the list of slots. Whether nothing else differs.
fn images(folder: &Folder, draw: &mut dyn FnMut(u64) -> u64) -> bool {
    let image: Vec<u8> = (0..256u32).map(|at| at as u8).collect();
    let mut other = image.clone();
    match draw(3) {
        0 => other[16..20].fill(7),
        1 => other[100] = 7,
        _ => {}
    }
    folder.file("one/image.bin", &image);
    folder.file("other/image.bin", &other);
    let are_alike = image[100] == other[100];
    folder.file("xex.json", r#"{"image_base":4096,"import_libraries":[{"imports":[{"address":4112,"record_type":0},{"address":4128,"record_type":1},{"address":4300,"record_type":7}]}]}"#);
    are_alike
}

/// Manifests of both sides (or none), some of them wrong; what must be told of them.
fn manifests(folder: &Folder, draw: &mut dyn FnMut(u64) -> u64) -> Vec<Found> {
    let hash = |path: &std::path::Path| {
        let bytes = std::fs::read(path).ok()?;
        Some(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    let actual = ["one", "other"].map(|side| {
        let of = |name: &&str| Some(((*name).to_owned(), hash(&folder.path(side).join(name))?));
        NAMES.iter().filter_map(of).collect::<BTreeMap<String, String>>()
    });
    let mut claims = actual.clone();
    match draw(8) {
        0 => {}
        1 => claims[1] = claims[0].clone(),
        2 => {
            let wrong = NAMES[draw(5) as usize].to_owned();
            let sides = [vec![0], vec![1], vec![0, 1]][draw(3) as usize].clone();
            sides.into_iter().for_each(|side| _ = claims[side].insert(wrong.clone(), "5".repeat(64)));
        }
        _ => return Vec::new(),
    }
    for (side, claims) in ["one", "other"].iter().zip(&claims) {
        let files: Vec<String> = claims.iter().map(|(name, hash)| format!("\"{name}\":\"{hash}\"")).collect();
        std::fs::write(folder.path(side).join("manifest.json"), format!("{{\"files\":{{{}}}}}", files.join(",")))
            .unwrap();
    }
    let mut told = Vec::new();
    for name in NAMES {
        let claimed = claims.each_ref().map(|claims| claims.get(name));
        let is_wrong = [0, 1].map(|side| claimed[side].is_some() && claimed[side] != actual[side].get(name));
        let mut tell = |file: &str, path: String, kind: &str| {
            told.push((file.to_owned(), path, kind.to_owned(), "sigma-structural".to_owned()));
        };
        if is_wrong != [false; 2] {
            tell(name, String::new(), "manifest-hash-mismatch");
        }
        match claimed.map(|claimed| claimed.is_some()) {
            [true, false] => tell("manifest.json", format!("files[\"{name}\"]"), "missing-in-candidate"),
            [false, true] => tell("manifest.json", format!("files[\"{name}\"]"), "extra-in-candidate"),
            _ => {}
        }
    }
    told
}

/// The original's answer by our rules.
fn expected(report: &Value, their_code: i32, scene: &Scene<'_>, has_keyless: bool) -> Expected {
    let Scene { sides, with_image, are_alike, ref claims } = *scene;
    let mut rules = BTreeSet::new();
    let mut found: Vec<Found> = Vec::new();
    let absent = |name: &str| sides.iter().all(|side| !side.contains_key(name));
    let value = |at: &Value| at.clone();
    for one in report["divergences"].as_array().unwrap() {
        let (file, path, mut kind, mut class) =
            (word(one, "file"), word(one, "path"), word(one, "kind"), word(one, "class"));
        let (left, right) = (value(&one["canary"]), value(&one["ours"]));
        if path.contains("=None]") {
            rules.insert("34: members without a key are told");
            continue;
        }
        if kind == "missing-file" && absent(&file) {
            rules.insert("30: a file that neither side has is no difference");
            continue;
        }
        if kind == "missing-from-ours" || kind == "extra-in-ours" {
            kind = if kind == "missing-from-ours" { "missing-in-candidate" } else { "extra-in-candidate" }.to_owned();
            if class != "sigma-structural" {
                rules.insert("28: members that one side lacks are structure");
                class = "sigma-structural".to_owned();
            }
        }
        if kind == "type-mismatch" && left.is_number() && right.is_number() {
            rules.insert("33: numbers are of one type, and equal by value");
            if left.as_f64() == right.as_f64() {
                continue;
            }
            kind = "value".to_owned();
        }
        if path.starts_with("heaps[base=")
            && path.ends_with(".name")
            && kind != "missing-field"
            && kind != "extra-field"
        {
            rules.insert("27: names of heaps are the host's");
            class = "epsilon-host-allocator".to_owned();
        }
        found.push((file, path, kind, class));
    }
    // Times of the host are told.
    let config = sides.each_ref().map(|side| side.get("config.json"));
    if let [Some(one), Some(other)] = config {
        for key in ["host_ns_at_snapshot", "wall_clock_iso8601"] {
            let told = match (one.get(key), other.get(key)) {
                (Some(a), Some(b)) if a.shape() != b.shape() => Some(("type-mismatch", "tau-host-timing")),
                (Some(a), Some(b)) if a.canonical() != b.canonical() => Some(("value", "tau-host-timing")),
                (Some(_), None) => Some(("missing-field", "sigma-structural")),
                (None, Some(_)) => Some(("extra-field", "sigma-structural")),
                _ => None,
            };
            if let Some((kind, class)) = told {
                rules.insert("27: times of the host are told");
                found.push(("config.json".into(), key.to_owned(), kind.into(), class.into()));
            }
        }
    }
    let is_mismatch = |one: &Found| one.2 == "manifest-hash-mismatch";
    let theirs = found.iter().filter(|one| is_mismatch(one)).count();
    found.retain(|one| !is_mismatch(one));
    if theirs != claims.len() {
        rules.insert("35: every claim is verified, each file told once, and files that one manifest lacks are told");
    }
    found.extend(claims.iter().cloned());
    let statuses = statuses(report, &found, sides, &mut rules);
    let canonical = report["invariants"].as_array().unwrap().iter().find(|row| row["name"] == "image_canonical_sha256");
    // Where a file is missing they look at no image.
    assert!(canonical.is_none_or(|row| row["ok"] == are_alike), "{report:#}");
    if are_alike {
        let before = found.len();
        found.retain(|one| !(one.0 == "config.json" && one.1 == "image_loaded_sha256"));
        if found.len() < before {
            rules.insert("36: the raw hash says nothing where the canonical one passes");
        }
    }
    found.sort();
    let code = code(report, their_code, &found, sides, with_image, has_keyless, &mut rules);
    Expected { found, statuses, code, rules }
}

fn statuses(
    report: &Value,
    found: &[Found],
    sides: &[Files; 2],
    rules: &mut BTreeSet<&'static str>,
) -> BTreeMap<String, String> {
    let mut statuses = BTreeMap::new();
    for (name, status) in report["file_status"].as_object().unwrap() {
        let status = match status.as_str().unwrap() {
            _ if sides.iter().all(|side| !side.contains_key(name.as_str())) => "absent",
            "missing-in-canary" => "missing-in-reference",
            "missing-in-ours" => "missing-in-candidate",
            "diverged" if found.iter().all(|one| one.0 != *name) => {
                rules.insert("29: a file in which nothing differs has not diverged");
                "equal"
            }
            other => other,
        };
        statuses.insert(name.clone(), status.to_owned());
    }
    statuses
}

/// Their exit code by our rules.
fn code(
    report: &Value,
    theirs: i32,
    found: &[Found],
    sides: &[Files; 2],
    with_image: bool,
    has_keyless: bool,
    rules: &mut BTreeSet<&'static str>,
) -> i32 {
    let at = |side: usize, file: &str, key: &str| {
        sides[side].get(file).and_then(|tree| tree.get(key)).filter(|value| **value != Tree::Null)
    };
    let mut stops = theirs == 2;
    let wanted = [
        ("config.json", "xex_entry_point"),
        ("cpu_state.json", "pc"),
        ("config.json", "iso_sha256"),
        ("config.json", "image_loaded_sha256"),
    ];
    for (file, key) in wanted {
        let is_there = [0, 1].map(|side| at(side, file, key).is_some());
        // Where the images themselves are compared, nobody asks for their hash.
        if is_there != [true; 2] && !(with_image && key == "image_loaded_sha256") && !stops {
            rules.insert("31: what is absent is unknown");
            stops = true;
        }
    }
    let iso = [0, 1].map(|side| at(side, "config.json", "iso_sha256").map(Tree::canonical));
    if iso[0] != iso[1] && !stops {
        rules.insert("26: the disc's hash stops");
        stops = true;
    }
    // Numbers are equal by value where invariants are concerned too.
    let same =
        |key: &str| at(0, "config.json", key).map(Tree::canonical) == at(1, "config.json", key).map(Tree::canonical);
    let raw = with_image || same("image_loaded_sha256");
    let pc = [0, 1].map(|side| {
        at(side, "cpu_state.json", "pc").map(Tree::canonical)
            == at(side, "config.json", "xex_entry_point").map(Tree::canonical)
    });
    let canonical = report["invariants"].as_array().unwrap().iter().find(|row| row["name"] == "image_canonical_sha256");
    if theirs == 2 && same("xex_entry_point") && pc == [true; 2] && raw && canonical.is_none_or(|row| row["ok"] == true)
    {
        rules.insert("33: invariants compare numbers by value");
    }
    if stops {
        return 3;
    }
    let images_differ = with_image && canonical.is_some_and(|row| row["ok"] != true);
    let counting = found.iter().any(|one| one.3 != "epsilon-host-allocator" && one.3 != "tau-host-timing");
    if theirs == 1 && !counting {
        rules.insert("27, 36: what is the host's own, or informational, changes no verdict");
    }
    i32::from(counting || images_differ || has_keyless)
}
