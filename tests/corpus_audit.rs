//! Every log of `corpus/audit`: who waits at its end, for what, and why, whatever the windows.

mod common;
#[path = "../examples/generate/mod.rs"]
#[allow(dead_code, unused_imports)]
mod generate;
#[path = "life/scenes.rs"]
#[allow(dead_code)]
mod scenes;
#[path = "life/windows.rs"]
mod windows;

use common::cases::{corpus, entries};
use forkpoint::audit::log::{Audit, Object};
use forkpoint::profile::builtin;
use serde::Deserialize;

/// What must be found; `corpus/README.md` tells what each key means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    story: String,
    waiting: Vec<String>,
}

/// Each waiting thread as cases tell it: whether only possibly, thread, reason, object.
fn waiting(audit: &Audit) -> Vec<String> {
    let world = &audit.world;
    let all: Vec<&Object> = world.objects.living().map(|(_, object)| object).chain(world.objects.buried()).collect();
    let told = audit.verdicts.iter().map(|verdict| {
        let possibly = if verdict.doubts.is_empty() { "" } else { "possibly " };
        let key = &world.threads[verdict.thread as usize].key;
        let object = all.iter().find(|object| Some(&object.number) == verdict.objects.first());
        let name = object.and_then(|object| object.names.first()).map_or_else(String::new, ToString::to_string);
        format!("{possibly}{key} {} {name}", verdict.reason.word()).trim_end().to_owned()
    });
    told.collect()
}

#[test]
fn every_log_is_told_as_its_case_says() {
    let profile = builtin("schema-v1").unwrap();
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for verdict in ["clear", "possible", "certain"] {
        for path in entries(&corpus().join("audit").join(verdict)) {
            if path.extension().is_some_and(|extension| extension == "toml") {
                continue;
            }
            let text = std::fs::read_to_string(path.with_extension("toml")).unwrap();
            let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let audit = windows::same(&std::fs::read(&path).unwrap(), &profile).unwrap();
            let found = waiting(&audit);
            let outlook = match audit.verdicts.iter().map(|one| one.doubts.is_empty()).max() {
                None => "clear",
                Some(false) => "possible",
                Some(true) => "certain",
            };
            if (outlook, &found) != (verdict, &case.waiting) {
                wrong.push(format!("{}: {}\n    {outlook}: {found:?}", path.display(), case.story));
            }
            cases += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases >= 12, "only {cases} logs were found");
}
