//! Roles guessed from a log's first lines: for hints, never for comparing.
//!
//! A key is proposed only if both its name and its values speak for it. Lines are read with
//! serde_json, for a hint need not be exact.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

/// Names that threads, ordinals and kinds go by, the likeliest first.
const THREAD_NAMES: [&str; 14] = [
    "tid",
    "thread",
    "thread_id",
    "threadid",
    "cpu",
    "core",
    "hart",
    "vcpu",
    "warp",
    "cpu_id",
    "core_id",
    "lane",
    "task",
    "pid",
];
const ORDINAL_NAMES: [&str; 13] = [
    "tid_event_idx",
    "seq",
    "seqno",
    "sequence",
    "ordinal",
    "idx",
    "index",
    "event_idx",
    "step",
    "n",
    "i",
    "num",
    "id",
];
const KIND_NAMES: [&str; 10] =
    ["kind", "op", "event", "type", "ev", "event_type", "opcode", "name", "category", "syscall"];

/// More distinct values than this are no threads; as many kinds are no kinds either.
const DISTINCT_MAX: usize = 64;

/// The keys that seem to play a role; a role without one was not found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleGuess {
    /// The thread's key, or several for a composite one.
    pub thread: Vec<String>,
    /// The ordinal's key.
    pub ordinal: Option<String>,
    /// The kind's key.
    pub kind: Option<String>,
    /// The payload's key, only where it is named `payload` and holds an object on every line.
    pub payload: Option<String>,
}

impl RoleGuess {
    /// The guess as flags: `--profile generic --thread tid --ordinal seq --kind op`. All names that
    /// can be guessed are plain words, so a shell takes them as they are.
    pub fn flags(&self) -> String {
        let thread = (!self.thread.is_empty()).then(|| self.thread.join(","));
        let roles = [
            ("thread", thread.as_ref()),
            ("ordinal", self.ordinal.as_ref()),
            ("kind", self.kind.as_ref()),
            ("payload", self.payload.as_ref()),
        ];
        let mut flags = "--profile generic".to_owned();
        for (role, key) in roles {
            if let Some(key) = key {
                flags.push_str(&format!(" --{role} {key}"));
            }
        }
        flags
    }
}

/// Guesses roles from the first lines of a log. `None` if no line is a JSON object, or no key
/// seems to play any role.
pub fn suggest_roles(lines: &[&[u8]]) -> Option<RoleGuess> {
    let mut events: Vec<Map<String, Value>> =
        lines.iter().filter_map(|line| serde_json::from_slice(line).ok()).collect();
    // A header has other keys than the events behind it and would speak against every role.
    if events.len() > 2 && is_header(&events[0], &events[1..]) {
        events.remove(0);
    }
    let kind = find(&events, &KIND_NAMES, plays_kind);
    let mut thread: Vec<String> = find(&events, &THREAD_NAMES, plays_thread).into_iter().collect();
    if let [only] = &thread[..]
        && only != "pid"
        && let Some(pid) = find(&events, &["pid", "process", "process_id"], parts_processes)
    {
        thread.insert(0, pid);
    }
    let ordinal = find(&events, &ORDINAL_NAMES, |events, key| plays_ordinal(events, key, &thread));
    let payload = find(&events, &["payload"], |events, key| {
        events.iter().all(|event| event.get(key).is_some_and(Value::is_object))
    });
    let guess = RoleGuess { thread, ordinal, kind, payload };
    (guess != RoleGuess::default()).then_some(guess)
}

fn is_header(first: &Map<String, Value>, rest: &[Map<String, Value>]) -> bool {
    let shared = rest[0].keys().filter(|key| rest.iter().all(|event| event.contains_key(*key)));
    shared.filter(|key| !first.contains_key(*key)).count() > 0
}

/// The first of `names` that a key of the events bears, and that plays its role.
fn find(
    events: &[Map<String, Value>],
    names: &[&str],
    plays: impl Fn(&[Map<String, Value>], &str) -> bool,
) -> Option<String> {
    let keys = events.first()?.keys();
    let bears = |key: &&String, name: &str| key.to_ascii_lowercase().replace('-', "_") == name;
    let mut candidates = names.iter().filter_map(|name| keys.clone().find(|key| bears(key, name)));
    candidates.find(|key| plays(events, key)).cloned()
}

/// Integers or texts, on every line, of which few are distinct.
fn plays_thread(events: &[Map<String, Value>], key: &str) -> bool {
    let is_key = |value: &Value| value.is_i64() || value.is_u64() || value.is_string();
    let values: Option<HashSet<String>> =
        events.iter().map(|event| event.get(key).filter(|value| is_key(value)).map(Value::to_string)).collect();
    // Where each line has a value of its own, it numbers the lines.
    values.is_some_and(|values| values.len() <= DISTINCT_MAX && (values.len() < events.len() || events.len() == 1))
}

/// A thread's key whose values differ: the number of the only process would part nothing, and
/// seldom is the same in two runs.
fn parts_processes(events: &[Map<String, Value>], key: &str) -> bool {
    plays_thread(events, key) && events.iter().any(|event| event.get(key) != events[0].get(key))
}

/// Integers of 0 to 2^64-1, on every line, that grow strictly on each thread.
fn plays_ordinal(events: &[Map<String, Value>], key: &str, thread: &[String]) -> bool {
    let mut last: HashMap<String, u64> = HashMap::new();
    events.iter().all(|event| {
        let lane: Vec<String> =
            thread.iter().map(|key| event.get(key).map_or_else(String::new, Value::to_string)).collect();
        let Some(ordinal) = event.get(key).and_then(Value::as_u64) else { return false };
        last.insert(lane.join(","), ordinal).is_none_or(|before| before < ordinal)
    })
}

/// Texts, on every line, of which few are distinct.
fn plays_kind(events: &[Map<String, Value>], key: &str) -> bool {
    let values: Option<HashSet<&str>> = events.iter().map(|event| event.get(key).and_then(Value::as_str)).collect();
    values.is_some_and(|values| values.len() <= DISTINCT_MAX && (values.len() < events.len() || events.len() < 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(lines: &[&str]) -> Option<String> {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        suggest_roles(&lines).map(|guess| guess.flags())
    }

    #[test]
    fn an_ordinary_log_gets_a_whole_command() {
        let guess = flags(&[
            r#"{"tid":1,"seq":0,"op":"read","v":3}"#,
            r#"{"tid":2,"seq":0,"op":"read","v":3}"#,
            r#"{"tid":1,"seq":1,"op":"write","v":4}"#,
            r#"{"tid":2,"seq":1,"op":"read","v":"#,
            r#"{"tid":2,"seq":5,"op":"read","v":9}"#,
        ]);
        assert_eq!(guess.as_deref(), Some("--profile generic --thread tid --ordinal seq --kind op"));
    }

    #[test]
    fn a_header_and_a_process_key_are_understood() {
        let guess = flags(&[
            r#"{"kind":"header","version":2}"#,
            r#"{"pid":7,"TID":1,"n":4,"kind":"a"}"#,
            r#"{"pid":8,"TID":1,"n":1,"kind":"a"}"#,
            r#"{"pid":7,"TID":1,"n":5,"kind":"b"}"#,
            r#"{"pid":7,"TID":1,"n":6,"kind":"b"}"#,
        ]);
        assert_eq!(guess.as_deref(), Some("--profile generic --thread pid,TID --ordinal n --kind kind"));
    }

    #[test]
    fn the_only_process_is_left_out_and_a_payload_is_named() {
        let guess = flags(&[
            r#"{"pid":7,"tid":1,"host_ns":5,"payload":{}}"#,
            r#"{"pid":7,"tid":2,"host_ns":9,"payload":{"a":1}}"#,
            r#"{"pid":7,"tid":2,"host_ns":11,"payload":{"a":1}}"#,
        ]);
        assert_eq!(guess.as_deref(), Some("--profile generic --thread tid --payload payload"));
    }

    #[test]
    fn values_that_contradict_a_name_speak_louder() {
        // The `tid` numbers lines, `seq` falls on its lane, `op` is no text.
        assert_eq!(flags(&[r#"{"tid":1,"seq":5,"op":3}"#, r#"{"tid":2,"seq":4,"op":3}"#]), None);
        assert_eq!(flags(&[r#"{"tid":[1],"seq":-5}"#, r#"{"tid":[1],"seq":-4}"#]), None);
        assert_eq!(flags(&[r#"{"seq":1.5}"#, r#"{"seq":2.5}"#]), None);
    }

    #[test]
    fn what_is_no_log_gets_no_guess() {
        assert_eq!(flags(&[]), None);
        assert_eq!(flags(&["[", "garbage", "7"]), None);
        assert_eq!(flags(&[r#"{"a":1}"#]), None);
    }
}
