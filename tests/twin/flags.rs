//! The command line's flags as the twin's rules and choices.

use super::json::{Value, parse};
use super::ruled::from_toml;
use super::rules::{Choices, Field, Map, Rules, path};

/// Rules and choices that these flags of `forkpoint diff` stand for; flags that change no answer are overlooked.
pub fn understand(flags: &[String]) -> (Rules, Choices) {
    let mut rules = Rules::schema_v1();
    let mut choices = Choices::default();
    let mut flags = flags.iter().map(String::as_str);
    let pointer = |dotted: &str| path(&format!("/{}", dotted.replace('.', "/")));
    while let Some(flag) = flags.next() {
        let mut given = || flags.next().expect("the flag has a value");
        match flag {
            "--profile" => {
                rules = match given() {
                    "generic" => Rules::generic(),
                    "schema-v1" => Rules::schema_v1(),
                    text => from_toml(text),
                }
            }
            "--thread" => rules.thread = given().split(',').map(pointer).collect(),
            "--ordinal" => rules.ordinal = Some(given()).filter(|&name| name != "none").map(pointer),
            "--kind" => rules.kind = Some(given()).filter(|&name| name != "none").map(pointer),
            "--payload" => rules.payload = Some(given()).filter(|&name| name != "*").map(pointer),
            "--ignore" => rules.ignore.push(Field::new(&[], &format!("/{}", given().replace('.', "/")))),
            "--mask" => {
                let (place, bits) = given().split_once("=0x").expect("a mask has bits");
                let bits = u64::from_str_radix(bits, 16).expect("bits in hex");
                let field = Field::new(&[], &format!("/{}", place.replace('.', "/")));
                // Masks for the same path take the bits too; one that always holds is enough.
                let same = |rule: &Field| rule.path == field.path;
                rules.mask.iter_mut().filter(|(rule, _)| same(rule)).for_each(|(_, own)| *own |= bits);
                let always = |rule: &Field| same(rule) && rule.kinds.is_empty() && rule.when.is_empty();
                if !rules.mask.iter().any(|(rule, _)| always(rule)) {
                    rules.mask.push((field, bits));
                }
            }
            "--without" => match given() {
                "allocator-returns" => rules.allocator = None,
                "null-equals-missing" => rules.null_equals_missing = false,
                "raw-handle" => rules.ignore.retain(|rule| !rule.path.ends_with(&[Some("raw_handle_id".to_owned())])),
                "wait-duration" => {
                    rules.ignore.retain(|rule| !rule.path.ends_with(&[Some("wait_duration_cycles".to_owned())]))
                }
                other => panic!("no rule {other}"),
            },
            "--skip-start" => rules.skip_start = given().parse().expect("a number"),
            "--malformed" => choices.skip_malformed = given() == "skip",
            "--continue" => choices.further = given().parse().expect("a number"),
            "--strict" => choices.strict = true,
            "--skip-nondeterministic" => choices.skip_nondeterministic = true,
            "--prefix" => choices.prefix = true,
            "--ignore-unmatched" => choices.ignore_unmatched = true,
            "--map" => {
                choices.map = match given() {
                    "auto" => Map::Auto,
                    "same" => Map::Same,
                    list => Map::Given(list.split(',').map(named_pair).collect()),
                }
            }
            "--accept" => {
                let text = std::fs::read_to_string(given()).expect("the file is there");
                choices.accept.extend(super::accept::entries(&text));
            }
            "--jobs" | "--window" => drop(given()),
            "--no-mmap" => {}
            other => panic!("the twin knows no {other}"),
        }
    }
    rules.leave_behind();
    (rules, choices)
}

fn named_pair(text: &str) -> [(Value, usize); 2] {
    let (reference, candidate) = text.split_once('=').expect("two lanes");
    [reference, candidate].map(|name| {
        let (thread, generation) = name.split_once('#').unwrap_or((name, "0"));
        (parse(thread.as_bytes()).expect("a number or string"), generation.parse().expect("a number"))
    })
}
