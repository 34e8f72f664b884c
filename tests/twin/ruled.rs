//! Profiles with rules of every class, by chance and as the twin reads them.

use super::events::{Does, EventRule, Join, Tells};
use super::json::{Number, Value};
use super::model::Event;
use super::rules::{Asked, Class, Field, Rules, path, pattern};
use super::shapes::{Rng, Shape, Style, spell};

/// The rules of a profile that names no roles, as TOML has them.
pub fn from_toml(text: &str) -> Rules {
    let table: toml::Table = text.parse().expect("the profile is TOML");
    let mut rules = Rules::generic();
    let all = |class: &str| -> Vec<toml::Table> {
        let list = table.get(class).and_then(|list| list.as_array()).cloned().unwrap_or_default();
        list.into_iter().map(|rule| rule.as_table().expect("a rule is a table").clone()).collect()
    };
    rules.null_equals_missing = table.get("equality").is_some();
    rules.ignore = all("ignore").iter().map(field).collect();
    rules.mask =
        all("mask").iter().map(|rule| (field(rule), rule["bits"].as_integer().expect("bits") as u64)).collect();
    for rule in all("tolerance") {
        let [absolute, relative] = ["absolute", "relative"].map(|key| rule.get(key).map(amount));
        let ulps = rule.get("ulps").map(|ulps| ulps.as_integer().expect("ulps") as u64);
        rules.others.push((field(&rule), Class::Tolerance { absolute, relative, ulps }));
    }
    for rule in all("unordered") {
        let by = rule.get("by").map(|by| path(by.as_str().expect("a path")));
        rules.others.push((field(&rule), Class::Unordered { by }));
    }
    for rule in all("spelling") {
        let is = |key: &str| rule.get(key).is_some();
        let width = rule.get("width").map(|width| width.as_integer().expect("a width") as u32);
        rules.others.push((field(&rule), Class::Spelling { hex: is("hex"), width, case: is("case") }));
    }
    for rule in all("offset") {
        let number = |key: &str| rule.get(key).map(|n| i128::from(n.as_integer().expect("an integer")));
        let (from, to) = (number("from").unwrap_or(0), number("to").unwrap_or(u64::MAX.into()));
        rules.others.push((field(&rule), Class::Offset { by: number("by").expect("by"), from, to }));
    }
    for class in ["drop", "fold", "join"] {
        for rule in all(class) {
            let texts = |key: &str| -> Vec<String> {
                let list = rule.get(key).and_then(|list| list.as_array()).cloned().unwrap_or_default();
                list.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
            };
            let paths = |key: &str| -> Vec<_> { texts(key).iter().map(|text| path(text)).collect() };
            let does = match class {
                "drop" => Does::Drop,
                "fold" => Does::Fold(paths("same")),
                _ => {
                    let all = [("first", Tells::First), ("concat", Tells::Concat), ("sum", Tells::Sum)];
                    let places = all.iter().flat_map(|(key, tells)| paths(key).into_iter().map(|path| (path, *tells)));
                    Does::Join(Join { then: texts("then"), places: places.collect() })
                }
            };
            rules.events.push(EventRule { kinds: kinds(&rule), when: when(&rule), does });
        }
    }
    rules
}

fn field(rule: &toml::Table) -> Field {
    Field { kinds: kinds(rule), path: pattern(rule["path"].as_str().expect("a path")), when: when(rule) }
}

fn kinds(rule: &toml::Table) -> Vec<String> {
    let kinds = rule.get("kinds").and_then(|kinds| kinds.as_array()).cloned().unwrap_or_default();
    kinds.iter().map(|kind| kind.as_str().expect("a kind").to_owned()).collect()
}

fn when(rule: &toml::Table) -> Vec<Asked> {
    let when = rule.get("when").and_then(|when| when.as_array()).cloned().unwrap_or_default();
    let asked = |asked: &toml::Value| Asked {
        path: path(asked["path"].as_str().expect("a path")),
        equals: asked["equals"].as_array().expect("a list").iter().map(scalar).collect(),
    };
    when.iter().map(asked).collect()
}

fn scalar(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::text(text),
        toml::Value::Integer(n) => Value::integer((*n).into()),
        toml::Value::Boolean(value) => Value::Bool(*value),
        other => panic!("no scalar: {other}"),
    }
}

fn amount(value: &toml::Value) -> Number {
    Number::parse(value.as_str().expect("an exact amount"))
}

/// Where rules of a random profile are: the base of their paths, the paths, and the kinds.
pub struct Ground {
    pub base: &'static str,
    pub paths: &'static [&'static str],
    pub arrays: &'static [&'static str],
    /// Where conditions look, and what they ask for.
    pub asked: &'static [(&'static str, &'static str)],
    pub kinds: &'static [&'static str],
}

/// A profile of random rules, by their classes, in the spelling that [`from_toml`] knows.
pub fn profile(ground: &Ground, rng: &mut Rng) -> String {
    let mut out = String::from("version = 1\n");
    if rng.chance(30) {
        out.push_str("[equality]\nnull_equals_missing = true\n");
    }
    let mut number = 0;
    // Without conditions and arrays without order the short way judges.
    let by_leaves = rng.chance(50);
    for class in ["ignore", "mask", "tolerance", "unordered", "spelling", "offset"] {
        let most = if class == "ignore" { 2 } else { 4 };
        let most = if by_leaves && class == "unordered" { 0 } else { most };
        let least = usize::from(class == "unordered" && !by_leaves);
        for _ in 0..least.max(rng.below(most)) {
            number += 1;
            let own = own_keys(class, rng);
            let paths = if class == "unordered" { ground.arrays } else { ground.paths };
            // Nothing would be left to compare.
            let path = Some(rng.pick(paths)).filter(|path| class != "ignore" || *path != "/*").unwrap_or("/n");
            let path = format!("{}{path}", ground.base);
            out.push_str(&format!("[[{class}]]\nname = \"r{number}\"\npath = \"{path}\"\nreason = \"chance\"\n{own}"));
            if rng.chance(25) {
                out.push_str(&format!("kinds = [\"{}\"]\n", rng.pick(ground.kinds)));
            }
            if rng.chance(25) && !by_leaves {
                let one = |rng: &mut Rng| {
                    let (path, equals) = rng.pick(ground.asked);
                    let path = if path == "kind" { "/op".to_owned() } else { format!("{}{path}", ground.base) };
                    format!("{{ path = \"{path}\", equals = [{equals}] }}")
                };
                let mut all = one(rng);
                if rng.chance(20) {
                    all = format!("{all}, {}", one(rng));
                }
                out.push_str(&format!("when = [{all}]\n"));
            }
        }
    }
    out
}

/// Rules on events, to be added to a profile.
pub fn event_rules(ground: &Ground, rng: &mut Rng) -> String {
    let mut out = String::new();
    for number in 0..1 + rng.below(3) {
        let class = rng.pick(&["drop", "fold", "fold", "join", "join", "join"]);
        out.push_str(&format!("[[{class}]]\nname = \"e{number}\"\nreason = \"chance\"\n"));
        let by_kind = rng.chance(70);
        if by_kind {
            out.push_str(&format!("kinds = [\"{}\", \"{}\"]\n", rng.pick(ground.kinds), rng.pick(ground.kinds)));
        }
        if !by_kind || rng.chance(40) {
            let (path, equals) = rng.pick(ground.asked);
            let path = if path == "kind" { "/op".to_owned() } else { format!("{}{path}", ground.base) };
            out.push_str(&format!("when = [{{ path = \"{path}\", equals = [{equals}] }}]\n"));
        }
        if class == "fold" && rng.chance(50) {
            out.push_str(&format!("same = [\"{0}/n\", \"{0}/name\"]\n", ground.base));
        }
        if class == "join" {
            let tells = rng.pick(&[
                "sum = [\"BASE/n\"]",
                "sum = [\"BASE/n\"]",
                "sum = [\"BASE/n\"]\nfirst = [\"BASE/more\", \"/op\", \"/seq\"]",
                "concat = [\"BASE/args\"]\nsum = [\"BASE/ord\"]",
                "first = [\"BASE/name\"]",
                "concat = [\"BASE/name\", \"BASE/more/x\"]",
                "concat = [\"BASE/args/flags\"]\nfirst = [\"BASE/ord\"]\nsum = [\"BASE/args/size\"]",
            ]);
            out.push_str(&tells.replace("BASE", ground.base));
            out.push('\n');
            if rng.chance(30) {
                out.push_str(&format!("then = [\"{}\", \"{}\"]\n", rng.pick(ground.kinds), rng.pick(ground.kinds)));
            }
        }
    }
    out
}

fn own_keys(class: &str, rng: &mut Rng) -> String {
    let mut out = String::new();
    match class {
        "mask" => out.push_str(&format!("bits = {}\n", 1 + rng.below(255))),
        "tolerance" => {
            let which = 1 + rng.below(7);
            if which & 1 > 0 {
                out.push_str(&format!("absolute = \"{}\"\n", rng.pick(&["1", "0.5", "100", "1e-7", "1e399"])));
            }
            if which & 2 > 0 {
                out.push_str(&format!("relative = \"{}\"\n", rng.pick(&["0.5", "0.001", "1e-16"])));
            }
            if which & 4 > 0 {
                out.push_str(&format!("ulps = {}\n", rng.pick(&[0, 1, 4, 1i64 << 52])));
            }
        }
        "unordered" if rng.chance(50) => {
            out.push_str(&format!("by = \"{}\"\n", rng.pick(&["/id", "/id", "/id", "/x", "/x/x"])))
        }
        "spelling" => {
            let which = 1 + rng.below(7);
            out.push_str(if which & 1 > 0 { "hex = true\n" } else { "" });
            out.push_str(if which & 2 > 0 { "case = true\n" } else { "" });
            if which & 4 > 0 {
                out.push_str(&format!("width = {}\n", rng.pick(&[32, 64])));
            }
        }
        "offset" => {
            out.push_str(&format!("by = {}\n", rng.pick(&[-16i64, 1, 4096, 100])));
            if rng.chance(50) {
                out.push_str("from = 0\nto = 4096\n");
            }
        }
        _ => {}
    }
    out
}

/// Where the rules for the model's events are.
pub const MODEL: Ground = Ground {
    base: "",
    paths: &[
        "/n",
        "/ord",
        "/more",
        "/more/*",
        "/*",
        "/args/size",
        "/args/*",
        "/*/size",
        "/return_value",
        "/status",
        "/more/x",
        "/args/*/x",
        "/value",
        "/value/*",
        "/*/*",
        "/raw_handle_id",
    ],
    arrays: &["/args", "/more", "/value", "/*", "/args/*", "/more/x"],
    asked: &[
        ("/name", "\"NtClose\", \"KeWait\""),
        ("/n", "0, 100, true"),
        ("kind", "\"step\""),
        ("/args/size", "1"),
        ("/status", "\"0x0\""),
    ],
    kinds: &["step", "import.call", "kernel.return", "odd", "kernel.call"],
};

/// The same inside a payload of its own.
pub const MODEL_INSIDE: Ground = Ground { base: "/data", ..MODEL };

/// Changes values of events so that some rule may overlook it.
pub fn bend(events: &mut [Event], percent: usize, rng: &mut Rng) {
    for event in events {
        if let Some(payload) = event.payload.as_mut().filter(|_| rng.chance(percent)) {
            bend_shape(payload, rng);
        }
    }
}

/// Logs some events in two parts, each with its share of the number `n`.
pub fn split(events: &mut Vec<Event>, percent: usize, rng: &mut Rng) {
    let (mut out, mut ahead, mut last) = (Vec::new(), 0, 0);
    for mut event in events.drain(..) {
        if event.ordinal < last {
            ahead = 0;
        }
        last = event.ordinal;
        event.ordinal += ahead;
        let mut part = event.clone();
        let share = rng.below(3) as i128;
        let [one, next] = [&mut part, &mut event].map(|event| match &mut event.payload {
            Some(Shape::Map(members)) => members.iter_mut().find(|(key, _)| key == "n").map(|(_, value)| value),
            _ => None,
        });
        if let (Some(Shape::Int(one)), Some(Shape::Int(next))) = (one, next)
            && rng.chance(percent)
        {
            (*one, *next) = (share, *next - share);
            event.ordinal += 1;
            ahead += 1;
            out.push(part);
        }
        out.push(event);
    }
    *events = out;
}

fn bend_shape(shape: &mut Shape, rng: &mut Rng) {
    match shape {
        Shape::List(items) if rng.chance(40) => rng.shuffle(items),
        Shape::List(items) => items.iter_mut().for_each(|item| bend_shape(item, rng)),
        Shape::Map(members) => {
            for (_, value) in members {
                if rng.chance(50) {
                    bend_shape(value, rng);
                }
            }
        }
        Shape::Int(n) => {
            *shape = match rng.below(7) {
                0 => Shape::Int(*n + 1),
                1 | 2 => Shape::Int(*n + rng.pick(&[-16, 1, 4096, 100])),
                3 => Shape::Text(format!("0x{:X}", n.rem_euclid(1 << 32))),
                4 => Shape::Int(n.rem_euclid(1 << 32)),
                5 => Shape::Raw(format!("{n}.{}", rng.pick(&["5", "0000001", "50000000000000000001"]))),
                _ => return,
            }
        }
        Shape::Text(text) if rng.chance(50) => *text = text.to_ascii_uppercase(),
        Shape::Text(text) => {
            let digits = text.trim_start_matches("0x").trim_start_matches("0X");
            if let Ok(n) = u64::from_str_radix(digits, 16) {
                *shape = if rng.chance(50) { Shape::Int(n.into()) } else { Shape::Text(format!("{n:06x}")) };
            }
        }
        Shape::Raw(_) => {}
    }
}

/// Where the rules for single events are.
pub const EVENT: Ground = Ground {
    base: "",
    paths: &[
        "/a", "/b", "/a/*", "/b/*", "/*/*", "/*/x", "/a/b", "/b/*/x", "/b/*/id", "/*", "/*/*/*", "/a/*/*", "/b/*/b/*",
    ],
    arrays: &["/a", "/b", "/*", "/*", "/b/*/b", "/a/*", "/*/*"],
    asked: &[
        ("/n", "0, 1"),
        ("/n", "2"),
        ("kind", "\"step\""),
        ("/a", "\"0x10\", true, 16"),
        ("/b/x", "16"),
        ("/s", "\"Ab\""),
    ],
    kinds: &["step", "odd"],
};

/// The same inside a payload of its own.
pub const EVENT_INSIDE: Ground = Ground { base: "/data", ..EVENT };

/// Two lines of one kind, mostly alike under some rule.
pub fn lines(inside: bool, rng: &mut Rng) -> [String; 2] {
    let mut members = vec![("n".to_owned(), Shape::Int(rng.below(3) as i128)), ("s".to_owned(), text(rng))];
    for key in ["a", "b"] {
        members.push((key.to_owned(), some_value(rng, 3)));
    }
    let reference = Shape::Map(members);
    let mut candidate = reference.clone();
    for _ in 0..rng.below(4) {
        nudge(&mut candidate, rng);
    }
    let kind = rng.pick(&["step", "odd", "other"]);
    [reference, candidate].map(|payload| {
        let style = if rng.chance(50) { Style::PLAIN } else { Style::random(rng) };
        let mut members = vec![("op".to_owned(), Shape::text(kind))];
        match payload {
            payload if inside => members.push(("data".to_owned(), payload)),
            Shape::Map(inner) => members.extend(inner),
            _ => {}
        }
        let mut out = String::new();
        // A key given twice would be a fault among the line's own.
        spell(&Shape::Map(members), Style { twice: 0, ..style }, rng, &mut out);
        out
    })
}

/// Changes one value, somewhere.
fn nudge(shape: &mut Shape, rng: &mut Rng) {
    match shape {
        Shape::List(items) if items.is_empty() || rng.chance(40) => rng.shuffle(items),
        Shape::List(items) => {
            let at = rng.below(items.len());
            nudge(&mut items[at], rng);
        }
        Shape::Map(members) if members.is_empty() => {}
        Shape::Map(members) => {
            let at = rng.below(members.len());
            nudge(&mut members[at].1, rng);
        }
        scalar => bend_shape(scalar, rng),
    }
}

fn text(rng: &mut Rng) -> Shape {
    Shape::text(rng.pick(&["Ab", "aB", "0x10", "0X0010", "ffffffff", "0xffffffff80000000", "x"]))
}

fn some_value(rng: &mut Rng, depth: usize) -> Shape {
    match if depth == 3 && rng.chance(50) { 8 } else { rng.below(if depth > 0 { 12 } else { 6 }) } {
        0 | 1 => Shape::Int(rng.pick(&[0, 1, 2, 16, 100, 4096, -1, -2_147_483_648, 4_294_967_295])),
        2 => Shape::raw(rng.pick(&[
            "0.5",
            "1e-7",
            "1e400",
            "0.1",
            "NaN",
            "-0.0",
            "1e99999999999999999999",
            "null",
            "true",
        ])),
        3..=5 => text(rng),
        6 | 7 => Shape::List((0..rng.below(5)).map(|_| some_value(rng, 0)).collect()),
        8 | 9 => {
            let distinct = rng.chance(70);
            let element = |at: usize, rng: &mut Rng| {
                let id = if distinct { at } else { rng.below(3) };
                let mut members = vec![("id".to_owned(), Shape::Int(id as i128)), ("x".to_owned(), some_value(rng, 0))];
                members.truncate(if rng.chance(95) { 2 } else { 0 });
                if rng.chance(30) {
                    members.push(("b".to_owned(), some_value(rng, depth - 1)));
                }
                Shape::Map(members)
            };
            Shape::List((0..rng.below(5)).map(|at| element(at, rng)).collect())
        }
        10 => Shape::List((0..rng.below(3)).map(|_| some_value(rng, depth - 1)).collect()),
        _ => Shape::Map(
            ["x", "b", "id"]
                .iter()
                .take(rng.below(4))
                .map(|key| ((*key).to_owned(), some_value(rng, depth - 1)))
                .collect(),
        ),
    }
}
