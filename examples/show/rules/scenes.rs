//! A scene for each class of rule: two logs that are the same under it, and one that is not, a step beside it.

use super::Done;
use crate::show::{Program, Room, Shown, Table};

/// A rule and what it is held against. Events are payloads of one kind, `step`, unless one names another kind before a blank.
struct Scene {
    class: &'static str,
    rule: &'static str,
    reference: &'static [&'static str],
    /// The same under the rule, and told apart without it.
    alike: &'static [&'static str],
    /// Not the same under the rule, from the event at this position on.
    beside: &'static [&'static str],
    at: u64,
}

const fn scene(
    class: &'static str,
    rule: &'static str,
    reference: &'static [&'static str],
    alike: &'static [&'static str],
    beside: &'static [&'static str],
    at: u64,
) -> Scene {
    Scene { class, rule, reference, alike, beside, at }
}

const SCENES: [Scene; 15] = [
    scene(
        "ignore",
        "path = '/payload/*/us'",
        &[r#"{"t":{"us":1,"n":1}}"#],
        &[r#"{"t":{"us":2,"n":1}}"#],
        &[r#"{"t":{"us":2,"n":2}}"#],
        0,
    ),
    scene(
        "ignore",
        "path = '/payload/v'\nwhen = { path = '/payload/fn', equals = 'now' }",
        &[r#"{"fn":"now","v":1}"#, r#"{"fn":"open","v":1}"#],
        &[r#"{"fn":"now","v":2}"#, r#"{"fn":"open","v":1}"#],
        &[r#"{"fn":"now","v":2}"#, r#"{"fn":"open","v":2}"#],
        1,
    ),
    scene(
        "mask",
        "path = '/payload/flags'\nbits = 0x30",
        &[r#"{"flags":70}"#],
        &[r#"{"flags":86}"#],
        &[r#"{"flags":71}"#],
        0,
    ),
    scene(
        "tolerance",
        "path = '/payload/f'\nrelative = '1e-9'",
        &[r#"{"f":1.0}"#],
        &[r#"{"f":1.0000000001}"#],
        &[r#"{"f":1.00000001}"#],
        0,
    ),
    scene(
        "tolerance",
        "path = '/payload/f'\nulps = 1",
        &[r#"{"f":0.1}"#],
        &[r#"{"f":0.10000000000000002}"#],
        &[r#"{"f":0.10000000000000005}"#],
        0,
    ),
    scene(
        "unordered",
        "path = '/payload/all'\nby = '/id'",
        &[r#"{"all":[{"id":1,"v":1},{"id":2,"v":2}]}"#],
        &[r#"{"all":[{"id":2,"v":2},{"id":1,"v":1}]}"#],
        &[r#"{"all":[{"id":2,"v":1},{"id":1,"v":2}]}"#],
        0,
    ),
    scene(
        "spelling",
        "path = '/payload/p'\nhex = true\nwidth = 32",
        &[r#"{"p":-16}"#],
        &[r#"{"p":"0xFFFFFFF0"}"#],
        &[r#"{"p":"0xFFFFFFF1"}"#],
        0,
    ),
    scene(
        "offset",
        "path = '/payload/p'\nby = 4096",
        &[r#"{"p":100}"#, r#"{"p":200}"#],
        &[r#"{"p":4196}"#, r#"{"p":4296}"#],
        &[r#"{"p":4196}"#, r#"{"p":4297}"#],
        1,
    ),
    scene(
        "allocator",
        "kind = 'ret'\nfunction = '/payload/fn'\nvalue = '/payload/v'\nfunctions = [{ names = ['alloc'], failure = { null = true, values = [0] } }]",
        &[r#"ret {"fn":"alloc","v":64}"#, r#"ret {"fn":"alloc","v":128}"#],
        &[r#"ret {"fn":"alloc","v":80}"#, r#"ret {"fn":"alloc","v":96}"#],
        &[r#"ret {"fn":"alloc","v":80}"#, r#"ret {"fn":"alloc","v":0}"#],
        1,
    ),
    scene(
        "identity",
        "define = [{ kind = 'made', value = '/payload/id' }]\nuses = [{ path = '/payload/id' }]",
        &[r#"made {"id":7}"#, r#"made {"id":8}"#, r#"{"id":7}"#],
        &[r#"made {"id":70}"#, r#"made {"id":71}"#, r#"{"id":70}"#],
        &[r#"made {"id":70}"#, r#"made {"id":71}"#, r#"{"id":71}"#],
        2,
    ),
    scene(
        "drop",
        "kinds = ['tick']",
        &["{}", r#"{"n":1}"#],
        &["tick {}", "{}", "tick {}", r#"{"n":1}"#],
        &["tick {}", "{}", "tick {}", r#"{"n":2}"#],
        1,
    ),
    scene(
        "drop",
        "when = { path = '/payload/fn', equals = 'print' }",
        &["{}", r#"{"n":1}"#],
        &["{}", r#"{"fn":"print"}"#, r#"{"n":1}"#],
        &["{}", r#"{"fn":"draw"}"#, r#"{"n":1}"#],
        1,
    ),
    scene(
        "fold",
        "kinds = ['poll']\nsame = '/payload/h'",
        &[r#"poll {"h":1}"#, r#"{"n":1}"#],
        &[r#"poll {"h":1}"#, r#"poll {"h":1}"#, r#"{"n":1}"#],
        &[r#"poll {"h":1}"#, r#"poll {"h":2}"#, r#"{"n":1}"#],
        1,
    ),
    scene(
        "join",
        "kinds = ['insn']\nwhen = { path = '/payload/op', equals = ['f3', '66'] }\nfirst = '/payload/pc'\nconcat = '/payload/op'",
        &[r#"insn {"pc":16,"op":"66f3a4"}"#],
        &[r#"insn {"pc":16,"op":"66"}"#, r#"insn {"pc":17,"op":"f3"}"#, r#"insn {"pc":18,"op":"a4"}"#],
        &[r#"insn {"pc":16,"op":"66"}"#, r#"insn {"pc":17,"op":"66"}"#, r#"insn {"pc":18,"op":"a4"}"#],
        0,
    ),
    scene("null", "", &[r#"{"n":1,"e":null}"#], &[r#"{"n":1}"#], &[r#"{"n":1,"e":0}"#], 0),
];

fn log(events: &[&str]) -> String {
    let line = |(at, event): (usize, &&str)| {
        let (kind, payload) =
            if event.starts_with('{') { ("step", *event) } else { event.split_once(' ').unwrap_or_default() };
        format!("{{\"tid\":1,\"n\":{at},\"kind\":\"{kind}\",\"payload\":{payload}}}\n")
    };
    events.iter().enumerate().map(line).collect()
}

fn profile(scene: &Scene) -> String {
    let roles =
        "version = 1\nname = 'scene'\n[roles]\nthread = '/tid'\nordinal = '/n'\nkind = '/kind'\npayload = '/payload'\n";
    match scene.class {
        "null" => format!("{roles}[equality]\nnull_equals_missing = true\n"),
        class => format!("{roles}[[{class}]]\nname = 'rule'\nreason = 'the scene'\n{}\n", scene.rule),
    }
}

/// What a report says of the only thread: where it parts, how often rules had a say.
fn answer(program: &Program, room: &Room, profile: &str, logs: [&[&str]; 2]) -> Done<(Option<u64>, u64, Option<i32>)> {
    let file = room.write("scene.toml", profile.as_bytes())?;
    let [reference, candidate] =
        [0, 1].map(|side| room.write(&format!("scene-{side}.jsonl"), log(logs[side]).as_bytes()));
    let run = program.diff(&["--no-project", "--profile", &file.display().to_string()], &reference?, &candidate?)?;
    let report = run.report()?;
    let pairs = report["coverage"]["overlooked"].as_object().into_iter().flatten();
    let overlooked: u64 = pairs.filter_map(|(_, count)| count.as_u64()).sum();
    let taken_out = report["coverage"]["taken_out"].as_object().into_iter().flatten();
    let counts =
        taken_out.flat_map(|(_, sides)| ["reference", "candidate"].map(|side| sides[side].as_u64().unwrap_or(0)));
    let at = report["pairings"][0]["divergence"]["position"].as_u64();
    Ok((at, overlooked + counts.sum::<u64>(), run.code))
}

pub fn show(program: &Program, room: &Room) -> Shown {
    let mut wrong = Vec::new();
    let mut table = Table::new(&["class", "alike", "overlooked", "without the rule", "a step beside it"]);
    for scene in &SCENES {
        let text = profile(scene);
        let bare: String = text.split("[[").next().unwrap_or_default().replace("null_equals_missing = true", "");
        let alike = answer(program, room, &text, [scene.reference, scene.alike])?;
        let without = answer(program, room, &bare, [scene.reference, scene.alike])?;
        let beside = answer(program, room, &text, [scene.reference, scene.beside])?;
        if (alike.0, alike.2) != (None, Some(0)) || alike.1 == 0 {
            wrong.push(format!(
                "{}: {:?} and {:?} are told to differ, or no rule had a say",
                scene.class, scene.reference, scene.alike
            ));
        }
        if without.2 != Some(1) {
            wrong.push(format!("{}: {:?} is the same without the rule", scene.class, scene.alike));
        }
        if (beside.0, beside.2) != (Some(scene.at), Some(1)) {
            wrong.push(format!(
                "{}: {:?} parts at {}, and diff says {:?}",
                scene.class, scene.beside, scene.at, beside.0
            ));
        }
        let parts = |(at, ..): (Option<u64>, u64, Option<i32>)| {
            at.map_or("identical".to_owned(), |at| format!("parts at {at}"))
        };
        table.row([scene.class.to_owned(), parts(alike), alike.1.to_string(), parts(without), parts(beside)]);
    }
    table.print();
    Ok(wrong)
}
