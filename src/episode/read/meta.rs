//! What `meta.json` says of an episode, as far as it says it: those of other tools and of older versions lack members.

use std::io;
use std::path::Path;

use serde_json::Value;

use crate::disk::PlainFile;
use crate::episode::META;

/// Longer ones are none.
const META_BYTES_MAX: u64 = 16 << 20;

/// What an episode says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    value: Value,
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A command, in words.
    Command(Vec<String>),
    /// A process that ran before.
    Process(u64),
    /// That is not said.
    Unknown,
}

impl Meta {
    /// Reads the one of a folder; none where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is no object; the text names the file.
    pub fn read(folder: &Path) -> Result<Option<Meta>, String> {
        let path = folder.join(META);
        let file = match PlainFile::open(&path) {
            Ok(file) => file,
            Err(error) if error.error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        if file.len() > META_BYTES_MAX {
            return Err(format!("{}: more than {} MiB say nothing", path.display(), META_BYTES_MAX >> 20));
        }
        let text = file.read_whole().map_err(|error| error.to_string())?;
        match serde_json::from_slice(&text) {
            Ok(value @ Value::Object(_)) => Ok(Some(Meta { value })),
            Ok(_) => Err(format!("{}: is no JSON object", path.display())),
            Err(error) => Err(format!("{}:{}: {error}", path.display(), error.line())),
        }
    }

    /// All of it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What stands at a JSON Pointer, unless it is null.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer).filter(|value| !value.is_null())
    }

    /// A text that stands there.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.at(pointer).and_then(Value::as_str)
    }

    /// The texts of a list that stands there.
    pub fn texts(&self, pointer: &str) -> Vec<String> {
        let list = self.at(pointer).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|one| one.as_str().map(str::to_owned)).collect()
    }

    /// Whether it says what came of the episode.
    pub fn has_result(&self) -> bool {
        self.at("/result").is_some_and(Value::is_object)
    }

    /// Whether it says that the episode is less than what was asked for.
    pub fn is_degraded(&self) -> bool {
        self.text("/result/outcome") == Some("degraded")
    }

    /// What was recorded.
    pub fn subject(&self) -> Subject {
        let words = self.texts("/target/command");
        let number = |pointer| self.at(pointer).and_then(Value::as_u64);
        match self.text("/target/command") {
            Some(command) => Subject::Command(vec![command.to_owned()]),
            None if !words.is_empty() => Subject::Command(words),
            None => match number("/target/pid").or_else(|| number("/vm/target_pid")) {
                Some(process) => Subject::Process(process),
                None => Subject::Unknown,
            },
        }
    }

    /// How long it took, in seconds, once it is over.
    pub fn seconds(&self) -> Option<f64> {
        self.at("/result/duration_observed_s").and_then(Value::as_f64).filter(|seconds| *seconds >= 0.0)
    }

    /// How many rows it says a collector brought.
    pub fn rows(&self, collector: &str) -> Option<u64> {
        self.at("/result").and_then(|result| result.get(format!("rows_{collector}"))).and_then(Value::as_u64)
    }

    /// When it began, as it says it, and in seconds since 1970 where that is a time.
    pub fn started(&self) -> Option<(&str, Option<i64>)> {
        let text = self.text("/started_at_wall")?;
        Some((text, text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn meta(value: Value) -> Meta {
        Meta { value }
    }

    #[test]
    fn what_was_recorded_is_a_command_or_a_process() {
        for (value, subject) in [
            (json!({"target": {"command": ["sleep", "1"]}}), Subject::Command(vec!["sleep".into(), "1".into()])),
            (json!({"target": {"command": "sleep 1"}}), Subject::Command(vec!["sleep 1".into()])),
            (json!({"target": {"command": null, "pid": 7}, "vm": {"target_pid": 8}}), Subject::Process(7)),
            (json!({"vm": {"target_pid": 8}}), Subject::Process(8)),
            (json!({"vm": {"target_pid": -8}}), Subject::Unknown),
            (json!({"target": 5}), Subject::Unknown),
        ] {
            assert_eq!(meta(value.clone()).subject(), subject, "{value}");
        }
    }

    #[test]
    fn members_of_another_kind_are_as_if_they_were_not_there() {
        let odd = meta(json!({"result": [], "started_at_wall": 5, "host_fingerprint": "x"}));
        assert!(!odd.has_result() && !odd.is_degraded() && odd.started().is_none() && odd.rows("proc").is_none());
        let some = meta(json!({"result": {"rows_proc": 5, "duration_observed_s": 1.5, "outcome": "degraded"},
            "started_at_wall": "2026-11-23T00:36:27.5+00:00"}));
        assert!(some.has_result() && some.is_degraded());
        assert_eq!((some.rows("proc"), some.rows("qmp"), some.seconds()), (Some(5), None, Some(1.5)));
        assert_eq!(some.started(), Some(("2026-11-23T00:36:27.5+00:00", Some(1_795_394_187))));
        assert_eq!(meta(json!({"started_at_wall": "soon"})).started(), Some(("soon", None)));
    }

    #[test]
    fn a_file_that_is_no_object_is_told_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Meta::read(folder.path()), Ok(None));
        for (text, why) in [("[]", "meta.json: is no JSON object"), ("{\"a\":\n", "meta.json:2: EOF"), ("", "EOF")] {
            std::fs::write(folder.path().join(META), text).unwrap();
            let error = Meta::read(folder.path()).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
