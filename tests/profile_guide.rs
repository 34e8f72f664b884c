//! The guide to profiles (`docs/profiles.md`) and its example: every key is there, and every command ends as it says.

mod common;

use std::path::Path;

use common::{forkpoint, text};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The keys of all tables that a schema describes, each with those above it.
fn keys(schema: &Value, node: &Value, above: &str, found: &mut Vec<String>, open: &mut Vec<String>) {
    if let Some(name) = node.get("$ref").and_then(Value::as_str) {
        if !open.iter().any(|other| other == name) {
            open.push(name.to_owned());
            let below = schema.pointer(name.trim_start_matches('#')).expect("a schema refers to its own parts");
            keys(schema, below, above, found, open);
            open.pop();
        }
        return;
    }
    for (key, below) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = format!("{above}.{key}");
        found.push(path.clone());
        keys(schema, below, &path, found, open);
    }
    for list in ["anyOf", "oneOf", "allOf"] {
        for choice in node.get(list).and_then(Value::as_array).into_iter().flatten() {
            keys(schema, choice, above, found, open);
        }
    }
    if let Some(items) = node.get("items") {
        keys(schema, items, above, found, open);
    }
}

/// Whether a document gives the key at a path, in any table of a list.
fn gives(document: &Value, path: &[&str]) -> bool {
    match (document, path) {
        (_, []) => true,
        (Value::Array(items), path) => items.iter().any(|item| gives(item, path)),
        (Value::Object(members), [key, rest @ ..]) => members.get(*key).is_some_and(|value| gives(value, rest)),
        _ => false,
    }
}

#[test]
fn the_example_gives_every_key() {
    let schema = forkpoint::profile::schema();
    let mut all = Vec::new();
    keys(&schema, &schema, "", &mut all, &mut Vec::new());
    let documents = ["lantern.toml", "nightly.toml"].map(|file| {
        let text = std::fs::read_to_string(root().join("examples/profile").join(file)).unwrap();
        toml::from_str::<Value>(&text).unwrap()
    });
    assert!(all.len() > 90 && all.iter().any(|key| key == ".allocator.functions.failure.ranges.to"), "{all:?}");
    let lacking = |path: &&String| {
        let keys: Vec<&str> = path.split('.').skip(1).collect();
        !documents.iter().any(|document| gives(document, &keys))
    };
    // Failures and conditions are the same tables wherever they stand.
    let is_told_elsewhere = |path: &&String| path.contains(".except.") || path.contains(".when");
    let lacking: Vec<&String> = all.iter().filter(lacking).filter(|path| !is_told_elsewhere(path)).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

#[test]
fn the_commands_end_as_the_guide_says() {
    let guide = std::fs::read_to_string(root().join("docs/profiles.md")).unwrap();
    let commands: Vec<(&str, i32)> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("forkpoint ")?.split_once("# exit "))
        .map(|(words, code)| (words.trim(), code.parse().unwrap()))
        .collect();
    assert_eq!(commands.len(), 4);
    for (words, code) in commands {
        let output = forkpoint(words.split(' ')).current_dir(root().join("examples/profile")).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{words}: {}", text(&output.stderr));
        if words.contains("wrong.jsonl") {
            let told = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
            let said = "body.ptr means another object: interpreter the 1st of blocks on thread (0, \"main\") + 0x8, compiler the 2nd";
            assert!(
                told.contains(said) && guide.split_whitespace().collect::<Vec<_>>().join(" ").contains(said),
                "{told}"
            );
        }
    }
}
