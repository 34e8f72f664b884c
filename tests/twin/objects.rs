//! The objects that values mean, in one log: every definition kept, and looked through from the last one on.

use super::equal::{hex, names};
use super::json::{Reader, Value, parse_line};
use super::lines::Log;
use super::opened::read;
use super::rules::{Asked, Field, Path, Pattern, Rules, Step, path, pattern};
use std::collections::HashMap;

/// A rule on values that stand for objects.
#[derive(Clone, Debug)]
pub struct Identity {
    pub define: Vec<Define>,
    pub release: Vec<Release>,
    pub uses: Vec<Field>,
}

#[derive(Clone, Debug)]
pub struct Define {
    pub kind: String,
    pub when: Vec<Asked>,
    pub value: Path,
    /// Values that define nothing; with `errors` those of failed calls too.
    pub except: Vec<u64>,
    pub errors: bool,
    pub size: Option<Size>,
}

#[derive(Clone, Debug)]
pub struct Size {
    pub kind: String,
    pub path: Path,
    pub same: Option<Path>,
}

#[derive(Clone, Debug)]
pub struct Release {
    pub kind: String,
    pub when: Vec<Asked>,
    pub value: Pattern,
}

/// A definition.
#[derive(Clone, Debug)]
struct Defined {
    meant: Meant,
    start: u64,
    size: u64,
    from: usize,
    until: Option<usize>,
}

/// What a value means: the `number`-th object of a rule on a lane, and how far into it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meant {
    pub rule: usize,
    pub lane: usize,
    pub number: usize,
    pub offset: u64,
}

#[derive(Debug, Default)]
pub struct Objects {
    all: Vec<Defined>,
}

/// The integer that a value is, or spells behind `0x`.
pub fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(_) => u64::try_from(value.as_integer()?).ok(),
        value => {
            let text = value.as_str()?;
            (text.starts_with("0x") || text.starts_with("0X")).then_some(())?;
            u64::try_from(hex(value)?).ok()
        }
    }
}

/// Whether everything that is looked for in events of a kind lies in the payload.
fn looks_inside(kind: &Value, payload: &Path, rules: &Rules) -> bool {
    let is = |own: &str| kind.as_str() == Some(own);
    let path = |path: &Path| path.starts_with(payload);
    let when = |when: &[Asked]| when.iter().all(|asked| path(&asked.path));
    let pattern = |value: &Pattern| {
        value.len() >= payload.len() && value.iter().zip(payload).all(|(step, name)| step.as_ref() == Some(name))
    };
    rules.identity.iter().all(|rule| {
        let defines = rule.define.iter().all(|define| {
            let size = define.size.as_ref();
            let same = size.and_then(|size| size.same.as_ref()).is_none_or(path);
            (!is(&define.kind) || (when(&define.when) && path(&define.value) && same))
                && size.is_none_or(|size| {
                    let named: Vec<Asked> =
                        define.when.iter().filter(|asked| Some(&asked.path) == size.same.as_ref()).cloned().collect();
                    !is(&size.kind) || (path(&size.path) && same && when(&named))
                })
        });
        let releases = rule.release.iter().all(|one| !is(&one.kind) || (when(&one.when) && pattern(&one.value)));
        defines && releases
    })
}

/// Whether the payload that a tail begins with gives a key twice.
fn twice_in_payload(tail: &[u8]) -> bool {
    let mut reader = Reader { text: tail, at: 0, depth_max: usize::MAX, repeats: Vec::new() };
    reader.value(1).is_err() || !reader.repeats.is_empty()
}

impl Objects {
    /// All definitions of a log. Events that are dropped at their lane's start, lines that are malformed and lines
    /// that give a key twice say nothing.
    pub fn of(log: &Log, rules: &Rules) -> Objects {
        let mut objects = Objects::default();
        let mut sizes: HashMap<String, u64> = HashMap::new();
        let mut lanes = vec![None; log.events.len()];
        for (lane, events) in log.lanes.iter().enumerate() {
            events.said.iter().for_each(|at| lanes[*at] = Some(lane));
        }
        for (event, lane) in log.events.iter().zip(lanes) {
            let (Some(lane), Ok((line, repeats))) = (lane, parse_line(log.written(event))) else { continue };
            // Of kinds of which only the payload is looked at it alone must give no key twice, and the line no role's.
            let is_told = match rules.payload.as_ref().filter(|payload| looks_inside(&event.kind, payload, rules)) {
                Some(_) => read(log.written(event), rules).is_ok() && !twice_in_payload(log.written_tail(event)),
                None => repeats.is_empty(),
            };
            if is_told {
                objects.take(event.line, lane, &event.kind, &line, rules, &mut sizes);
            }
        }
        objects
    }

    fn take(
        &mut self,
        at: usize,
        lane: usize,
        kind: &Value,
        line: &Value,
        rules: &Rules,
        sizes: &mut HashMap<String, u64>,
    ) {
        let is = |own: &str| kind.as_str() == Some(own);
        let all_so = |when: &[Asked]| when.iter().all(|asked| asked.is_so(line));
        for (rule, identity) in rules.identity.iter().enumerate() {
            for (nth, define) in identity.define.iter().enumerate() {
                let told = |size: &Size| {
                    let same = match &size.same {
                        Some(same) => format!("{:?}", line.at(same)?),
                        None => String::new(),
                    };
                    Some(format!("{lane} {rule} {nth} {same}"))
                };
                if let Some(size) = define.size.as_ref().filter(|size| is(&size.kind)) {
                    let mut named = define.when.iter().filter(|asked| Some(&asked.path) == size.same.as_ref());
                    if named.all(|asked| asked.is_so(line))
                        && let (Some(told), Some(size)) = (told(size), line.at(&size.path).and_then(number))
                    {
                        sizes.insert(told, size);
                    }
                }
                if !is(&define.kind) || !all_so(&define.when) {
                    continue;
                }
                let Some(start) = line.at(&define.value).and_then(number) else { continue };
                let error = (0xC000_0001..=0xC000_FFFF).contains(&start) && start % 0x1000 != 0;
                if define.except.contains(&start) || define.errors && error {
                    continue;
                }
                let mut size = 1;
                if let Some(asked) = &define.size {
                    let Some(told) = told(asked) else { continue };
                    size = sizes.remove(&told).unwrap_or(1).max(1);
                }
                let number = self.all.iter().filter(|d| (d.meant.rule, d.meant.lane) == (rule, lane)).count();
                let meant = Meant { rule, lane, number, offset: 0 };
                self.all.push(Defined { meant, start, size, from: at, until: None });
            }
            for release in identity.release.iter().filter(|release| is(&release.kind) && all_so(&release.when)) {
                let mut values = Vec::new();
                each(line, &release.value, &mut values);
                for start in values.into_iter().filter_map(number) {
                    let held = |d: &&mut Defined| d.meant.rule == rule && d.start == start && d.until.is_none();
                    if let Some(defined) = self.all.iter_mut().rev().find(held) {
                        defined.until = Some(at);
                    }
                }
            }
        }
    }

    /// What a value on a line means, among the objects of these rules; with `own`, definitions on the line count.
    pub fn meant(&self, value: u64, line: usize, own: bool, rules: &[usize]) -> Option<Meant> {
        let holds = |d: &&Defined| {
            (d.from < line || own && d.from == line)
                && d.until.is_none_or(|until| until >= line)
                && rules.contains(&d.meant.rule)
                && value >= d.start
                && value - d.start < d.size
        };
        let found = self.all.iter().rev().find(holds)?;
        Some(Meant { offset: value - found.start, ..found.meant })
    }
}

/// The scalars at the places that a pattern names.
fn each<'v>(value: &'v Value, pattern: &[Option<String>], out: &mut Vec<&'v Value>) {
    let Some((step, rest)) = pattern.split_first() else {
        if !matches!(value, Value::Object(_) | Value::Array(_)) {
            out.push(value);
        }
        return;
    };
    match value {
        Value::Object(members) => {
            let fits = |key: &[u8]| step.as_ref().is_none_or(|step| step.as_bytes() == key);
            members.iter().filter(|(key, _)| fits(key)).for_each(|(_, value)| each(value, rest, out));
        }
        Value::Array(items) => {
            let fits = |at: usize| step.as_ref().is_none_or(|step| *step == at.to_string());
            items.iter().enumerate().filter(|(at, _)| fits(*at)).for_each(|(_, value)| each(value, rest, out));
        }
        _ => {}
    }
}

/// What is asked before rules hold, the rules, and whether the event's own definition counts.
pub type Meaning<'r> = (Option<&'r [Asked]>, Vec<usize>, bool);

/// The rules whose objects the value at a place may mean, those that always hold together.
pub fn meanings<'r>(rules: &'r Rules, kind: &Value, place: &[Step]) -> Vec<Meaning<'r>> {
    let mut always: (Vec<usize>, bool) = (Vec::new(), false);
    let mut found = Vec::new();
    let mut add = |when: &'r [Asked], rule: usize, own: bool| {
        if when.is_empty() {
            always.0.push(rule);
            always.1 |= own;
        } else {
            found.push((Some(when), vec![rule], own));
        }
    };
    for (rule, identity) in rules.identity.iter().enumerate() {
        let defines = |define: &Define| kind.as_str() == Some(&define.kind) && names(place) == define.value;
        let own = identity.define.iter().any(defines);
        for used in identity.uses.iter().filter(|used| used.applies(kind) && used.reaches(place)) {
            add(&used.when, rule, own);
        }
    }
    if !always.0.is_empty() {
        found.push((None, always.0, always.1));
    }
    found
}

/// The rules of schema-v1.
pub fn schema_v1() -> Vec<Identity> {
    let named = |names: &[&str]| {
        let equals = names.iter().map(|name| Value::text(name)).collect();
        vec![Asked { path: path("/payload/name"), equals }]
    };
    let size = || {
        let (kind, path_, same) = ("kernel.call".into(), path("/payload/args/size"), Some(path("/payload/name")));
        Some(Size { kind, path: path_, same })
    };
    let returned = |names: &[&str], errors: bool| Define {
        kind: "kernel.return".into(),
        when: named(names),
        value: path("/payload/return_value"),
        except: vec![0],
        errors,
        size: size(),
    };
    let simple = |kind: &str, value: &str| {
        let (kind, value) = (kind.into(), path(value));
        Define { kind, when: vec![], value, except: vec![0], errors: false, size: None }
    };
    let uses = |places: &[&str]| -> Vec<Field> {
        places.iter().map(|at| Field::new(&["kernel.call", "import.call"], at)).collect()
    };
    let frees = ["MmFreePhysicalMemory", "RtlFreeHeap", "NtFreeVirtualMemory", "MmDeleteKernelStack"];
    vec![
        Identity {
            define: vec![
                returned(
                    &[
                        "MmAllocatePhysicalMemoryEx",
                        "MmAllocatePhysicalMemory",
                        "RtlAllocateHeap",
                        "MmCreateKernelStack",
                    ],
                    false,
                ),
                returned(&["NtAllocateVirtualMemory"], true),
            ],
            release: vec![Release {
                kind: "kernel.call".into(),
                when: named(&frees),
                value: pattern("/payload/args/*"),
            }],
            uses: uses(&["/payload/args/*"]),
        },
        Identity {
            define: vec![simple("handle.create", "/payload/raw_handle_id")],
            release: vec![Release {
                kind: "handle.destroy".into(),
                when: vec![],
                value: pattern("/payload/raw_handle_id"),
            }],
            uses: uses(&["/payload/args/handle", "/payload/args/handles/*"]),
        },
        Identity {
            define: vec![simple("thread.create", "/payload/tid")],
            release: vec![Release { kind: "thread.exit".into(), when: vec![], value: pattern("/tid") }],
            uses: [
                vec![Field::new(&["thread.create"], "/payload/tid")],
                uses(&["/payload/args/tid", "/payload/args/thread_id"]),
            ]
            .concat(),
        },
    ]
}
