//! State folders that are drawn, and the slow twin of their comparison. Nothing is shared with the room `state`.
#![allow(dead_code)]

pub mod memory;
pub mod naive;
pub mod tree;

use std::collections::BTreeMap;
use std::path::Path;

use tree::Tree;

/// The JSON files of a folder.
pub type Files = BTreeMap<&'static str, Tree>;

pub const NAMES: [&str; 5] = ["cpu_state.json", "memory.json", "kernel.json", "vfs.json", "config.json"];

/// Which liberties are taken.
#[derive(Clone, Copy, Default)]
pub struct Liberties {
    /// Members of sets without a key, with another's, or that are no objects; NaN; odd keys; files that are missing.
    pub odd: bool,
    /// Heaps that lie elsewhere.
    pub moved_heaps: bool,
}

/// A number below a limit.
pub type Draw<'a> = &'a mut dyn FnMut(u64) -> u64;

/// Two folders, the second of which differs from the first in a few ways.
pub fn drawn(draw: Draw, liberties: Liberties) -> [Files; 2] {
    let reference = base(draw, liberties);
    let mut candidate = reference.clone();
    for _ in 0..draw(6) {
        edit(&mut candidate, draw, liberties);
    }
    if liberties.moved_heaps && draw(2) == 0 {
        move_heaps(&mut candidate, draw);
    }
    if draw(3) == 0 {
        asks_alone(&mut candidate, draw);
    }
    let mut both = [reference, candidate];
    if liberties.odd && draw(8) == 0 {
        let name = NAMES[draw(5) as usize];
        for side in [vec![0], vec![1], vec![0, 1]][draw(3) as usize].clone() {
            both[side].remove(name);
        }
    }
    both
}

/// Lets the candidate ask to skip what may differ, and the reference not.
fn asks_alone(files: &mut Files, draw: Draw) {
    let Some(Tree::Object(config)) = files.get_mut("config.json") else { return };
    config.retain(|(key, _)| key != "deterministic_skip");
    let entry = ["cvars", "cvars.gpu", "vsync", "extra"][draw(4) as usize];
    config.push(("deterministic_skip".into(), Tree::List(vec![Tree::Text(entry.to_owned())])));
}

/// Writes a folder; with `turns`, keys and members of sets in another order, and numbers spelled otherwise.
pub fn write(folder: &Path, files: &Files, mut turns: Option<Draw>) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, tree) in files {
        let mut text = String::new();
        match turns.as_mut() {
            Some(draw) => tree.turned(name, draw).spell(&mut text, Some(draw)),
            None => tree.spell(&mut text, None),
        }
        std::fs::write(folder.join(name), text).unwrap();
    }
}

const ENTRY: u64 = 0x8200_0400;

fn base(draw: Draw, liberties: Liberties) -> Files {
    let mut files = Files::new();
    let number = |number: u64| Tree::Number(number.to_string());
    let text = |text: &str| Tree::Text(text.to_owned());
    let pick = |draw: Draw, words: &[&str]| Tree::Text(words[draw(words.len() as u64) as usize].to_owned());
    let head = |engine: &str| {
        vec![("schema_version".to_owned(), Tree::Number("1".into())), ("engine".to_owned(), Tree::Text(engine.into()))]
    };
    let mut cpu = head("one");
    cpu.push(("pc".into(), number(ENTRY)));
    cpu.push(("hw_id".into(), number(draw(4))));
    cpu.push(("gpr".into(), Tree::List((0..draw(4)).map(|_| number(draw(3))).collect())));
    cpu.push(("flags".into(), leaf(draw, liberties)));
    files.insert("cpu_state.json", Tree::Object(cpu));
    let mut memory = head("one");
    let heaps = (0..draw(4)).map(|at| {
        Tree::object([
            ("base", number(0x4000 + at * 0x100)),
            ("name", pick(draw, &["main", "gpu", "audio"])),
            ("size", number(64 + draw(2))),
            ("used", number(draw(3))),
        ])
    });
    memory.push(("heaps".into(), Tree::List(heaps.collect())));
    let regions = (0..draw(3)).map(|at| {
        Tree::object([("base", number(at * 0x1000)), ("size", number(0x1000)), ("sha256", pick(draw, &["aa", "bb"]))])
    });
    memory.push(("regions".into(), Tree::List(regions.collect())));
    files.insert("memory.json", Tree::Object(memory));
    let mut kernel = head("one");
    let objects = (0..draw(5)).map(|at| {
        let key = if liberties.odd && draw(4) == 0 { number(at) } else { Tree::Text(format!("o{at}")) };
        let details = Tree::object([
            ("state", number(draw(3))),
            ("name", pick(draw, &["a", "b"])),
            ("list", Tree::List((0..draw(3)).map(|_| number(draw(2))).collect())),
        ]);
        Tree::object([
            ("handle_semantic_id", key),
            ("type", pick(draw, &["Thread", "Event", "Timer", "Other"])),
            ("raw_handle_id", number(draw(9))),
            ("details", details),
        ])
    });
    let mut objects: Vec<Tree> = objects.collect();
    if liberties.odd {
        for _ in 0..draw(3) {
            let odd = match draw(4) {
                0 => number(draw(3)),
                1 => Tree::object([("details", number(draw(2)))]),
                2 => Tree::object([("handle_semantic_id", Tree::Null), ("details", number(draw(2)))]),
                _ => match objects.first() {
                    Some(first) => first.clone(),
                    None => Tree::List(Vec::new()),
                },
            };
            objects.push(odd);
        }
    }
    kernel.push(("objects".into(), Tree::List(objects)));
    let names = (0..draw(3)).map(|at| {
        Tree::object([
            ("name", Tree::Text(format!("n{at}"))),
            ("raw_handle_id", number(draw(5))),
            ("target", number(draw(2))),
        ])
    });
    kernel.push(("handle_name_table".into(), Tree::List(names.collect())));
    kernel.push(("exports_registered_count".into(), number(draw(100))));
    files.insert("kernel.json", Tree::Object(kernel));
    let mut vfs = head("one");
    let listing = (0..draw(4)).map(|at| {
        Tree::object([
            ("relpath", Tree::Text(format!("f{at}"))),
            ("size", number(draw(9))),
            ("sha256", pick(draw, &["aa", "bb"])),
        ])
    });
    vfs.push(("cache_root_listing".into(), Tree::List(listing.collect())));
    vfs.push(("mounts".into(), Tree::List((0..draw(3)).map(|_| pick(draw, &["d:", "game:"])).collect())));
    files.insert("vfs.json", Tree::Object(vfs));
    let mut config = head("one");
    config.push(("xex_entry_point".into(), number(ENTRY)));
    config.push(("iso_sha256".into(), text("cc")));
    config.push(("image_loaded_sha256".into(), text("dd")));
    config.push(("build_id".into(), number(draw(5))));
    config.push(("host_ns_at_snapshot".into(), number(draw(1000))));
    config.push((
        "cvars".into(),
        Tree::object([
            ("phase_b_snapshot_dir", number(draw(9))),
            ("gpu", pick(draw, &["null", "vulkan"])),
            ("vsync", Tree::Bool(draw(2) == 0)),
        ]),
    ));
    if draw(3) == 0 {
        let entries = ["cvars.gpu", "vsync", "objects[].details", "iso_sha256", ""];
        let entries = (0..1 + draw(2)).map(|_| pick(draw, if liberties.odd { &entries } else { &entries[..3] }));
        config.push(("deterministic_skip".into(), Tree::List(entries.collect())));
    }
    if liberties.odd && draw(3) == 0 {
        config.push((["a.b", "x[0]", "7", "", "k=v]"][draw(5) as usize].to_owned(), leaf(draw, liberties)));
    }
    files.insert("config.json", Tree::Object(config));
    files
}

fn leaf(draw: Draw, liberties: Liberties) -> Tree {
    match draw(if liberties.odd { 8 } else { 7 }) {
        0 => Tree::Null,
        1 => Tree::Bool(draw(2) == 0),
        2 => Tree::Number(draw(3).to_string()),
        3 => Tree::Number(format!("{}.5", draw(3))),
        4 => Tree::Text(["a", "b", ""][draw(3) as usize].to_owned()),
        5 => Tree::List((0..draw(3)).map(|_| Tree::Number(draw(2).to_string())).collect()),
        6 => Tree::object([("x", Tree::Number(draw(2).to_string()))]),
        _ => Tree::Number("NaN".into()),
    }
}

/// One change somewhere in a folder.
fn edit(files: &mut Files, draw: Draw, liberties: Liberties) {
    let name = NAMES[draw(5) as usize];
    let Some(tree) = files.get_mut(name) else { return };
    let mut at = tree;
    // Down, until chance says so or nothing is below.
    loop {
        let count = match &*at {
            Tree::Object(members) => members.len(),
            Tree::List(items) => items.len(),
            _ => 0,
        };
        if count == 0 || draw(4) == 0 {
            break;
        }
        let next = draw(count as u64) as usize;
        at = match at {
            Tree::Object(members) => &mut members[next].1,
            Tree::List(items) => &mut items[next],
            _ => unreachable!("leaves have nothing below"),
        };
    }
    match at {
        Tree::Object(members) => match draw(3) {
            0 if !members.is_empty() => {
                let gone = draw(members.len() as u64) as usize;
                // Where heaps lie is changed as a whole.
                if members[gone].0 != "base" {
                    members.remove(gone);
                }
            }
            1 => {
                let key = ["extra", "other"][draw(2) as usize];
                members.retain(|(known, _)| known != key);
                members.push((key.to_owned(), leaf(draw, liberties)));
            }
            _ => {}
        },
        Tree::List(items) => match draw(3) {
            0 if !items.is_empty() => {
                let gone = draw(items.len() as u64) as usize;
                items.remove(gone);
            }
            1 if liberties.odd || items.iter().all(|item| !matches!(item, Tree::Object(_))) => {
                items.push(leaf(draw, liberties))
            }
            _ => {}
        },
        other => {
            let is_key = matches!(other, Tree::Text(text) if text.starts_with(['o', 'n', 'f']) && text.len() == 2);
            let is_base = matches!(other, Tree::Number(text) if text.parse::<u64>().is_ok_and(|number| (0x4000..0x5000).contains(&number)));
            if !is_base && (liberties.odd || !is_key) {
                *other = leaf(draw, liberties);
            }
        }
    }
}

fn move_heaps(files: &mut Files, draw: Draw) {
    let Some(Tree::Object(members)) = files.get_mut("memory.json") else { return };
    let Some(Tree::List(heaps)) = members.iter_mut().find(|(key, _)| key == "heaps").map(|(_, heaps)| heaps) else {
        return;
    };
    // Another allocator altogether: under other names, in the other order; only their sizes tell which is which.
    let is_turned = draw(3) == 0;
    for (at, heap) in heaps.iter_mut().enumerate() {
        let Tree::Object(members) = heap else { continue };
        let at = at as u64;
        let place = if is_turned { 0x9000 - at * 16 } else { 0x9000 + at * 16 + draw(4) };
        for (key, value) in members {
            match key.as_str() {
                "base" if is_turned || draw(2) == 0 => *value = Tree::Number(place.to_string()),
                "name" if is_turned => *value = Tree::Text(format!("arena {at}")),
                _ => {}
            }
        }
    }
}
