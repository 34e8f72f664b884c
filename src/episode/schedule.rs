//! The phases of an episode, and how they are written: `clean:5s`, `boot:until=session_open,max=30s`, or a JSON file.

use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use super::error::EpisodeError;

/// One phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What it is called.
    pub name: String,
    /// When it ends.
    pub length: Length,
}

/// When a phase ends, unless all ends before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Length {
    /// After so long.
    For(Duration),
    /// When an event of this name comes, or after so long.
    Until {
        /// The event's name.
        event: String,
        /// How long is waited for it.
        max: Option<Duration>,
    },
}

/// What labels an episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// One label, `clean`: so long at most, or until the target ends.
    Clean(Option<Duration>),
    /// These phases, one after the other.
    Phases(Vec<Phase>),
}

impl Schedule {
    /// These phases.
    ///
    /// # Errors
    /// There are none.
    pub fn phases(phases: Vec<Phase>) -> Result<Schedule, EpisodeError> {
        if phases.is_empty() {
            return Err(EpisodeError::Schedule("a schedule without phases".to_owned()));
        }
        Ok(Schedule::Phases(phases))
    }

    /// Reads a JSON file's text: an array of `["NAME", SECONDS]`, of `"NAME:5s"`, or of objects with `phase` and `seconds`, or `phase`, `until` and
    /// perhaps `max_seconds`; what `meta.json` says under `schedule.phase_schedule` is of this form.
    ///
    /// # Errors
    /// It is nothing of that kind; which phase is told.
    pub fn from_json(text: &str) -> Result<Schedule, EpisodeError> {
        let value: Value = serde_json::from_str(text).map_err(|error| EpisodeError::Schedule(error.to_string()))?;
        let Value::Array(phases) = value else {
            return Err(EpisodeError::Schedule("an array of phases is wanted".to_owned()));
        };
        let read = phases.iter().enumerate().map(|(at, phase)| {
            phase_of(phase).map_err(|why| EpisodeError::Schedule(format!("phase {}: {why}", at + 1)))
        });
        Schedule::phases(read.collect::<Result<_, _>>()?)
    }

    /// As `meta.json` says it: null for one label.
    pub fn to_json(&self) -> Value {
        let Schedule::Phases(phases) = self else { return Value::Null };
        let written = phases.iter().map(|phase| match &phase.length {
            Length::For(time) => json!([phase.name, time.as_secs_f64()]),
            Length::Until { event, max: None } => json!({ "phase": phase.name, "until": event }),
            Length::Until { event, max: Some(max) } => {
                json!({ "phase": phase.name, "until": event, "max_seconds": max.as_secs_f64() })
            }
        });
        Value::Array(written.collect())
    }

    /// How long it takes, if that is known before.
    pub fn time(&self) -> Option<Duration> {
        match self {
            Schedule::Clean(time) => *time,
            Schedule::Phases(phases) => phases.iter().try_fold(Duration::ZERO, |sum, phase| match phase.length {
                Length::For(time) => sum.checked_add(time),
                Length::Until { .. } => None,
            }),
        }
    }
}

fn phase_of(value: &Value) -> Result<Phase, String> {
    match value {
        Value::String(text) => text.parse().map_err(|error: EpisodeError| error.to_string()),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(name), seconds] => {
                Ok(Phase { name: named(name)?, length: Length::For(seconds_of(seconds)?) })
            }
            _ => Err("[NAME, SECONDS] is wanted".to_owned()),
        },
        Value::Object(members) => {
            let known = ["phase", "seconds", "until", "max_seconds"];
            if let Some(other) = members.keys().find(|key| !known.contains(&key.as_str())) {
                return Err(format!("unknown key {other}; {} are known", known.join(", ")));
            }
            let text = |key: &str| match members.get(key) {
                None => Ok(None),
                Some(Value::String(text)) => Ok(Some(text.clone())),
                Some(_) => Err(format!("{key} is no string")),
            };
            let time = |key: &str| members.get(key).map(seconds_of).transpose();
            let name = named(&text("phase")?.ok_or("phase is missing")?)?;
            let length = match (time("seconds")?, text("until")?, time("max_seconds")?) {
                (Some(time), None, None) => Length::For(time),
                (None, Some(event), max) => Length::Until { event, max },
                _ => return Err("either seconds, or until and perhaps max_seconds".to_owned()),
            };
            Ok(Phase { name, length })
        }
        _ => Err("no phase".to_owned()),
    }
}

fn seconds_of(value: &Value) -> Result<Duration, String> {
    value
        .as_f64()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("{value} are no seconds"))
}

fn named(name: &str) -> Result<String, String> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(format!("{name:?} is no name of a phase"));
    }
    Ok(name.to_owned())
}

impl FromStr for Phase {
    type Err = EpisodeError;

    /// Reads `NAME:5s`, `NAME:until=EVENT` or `NAME:until=EVENT,max=30s`.
    fn from_str(text: &str) -> Result<Phase, EpisodeError> {
        let wrong = |why: String| EpisodeError::Schedule(format!("{text:?}: {why}"));
        let (name, length) =
            text.split_once(':').ok_or_else(|| wrong("NAME:TIME or NAME:until=EVENT,max=TIME is wanted".to_owned()))?;
        let length = match length.strip_prefix("until=") {
            None => Length::For(parse_time(length).map_err(wrong)?),
            Some(event) => {
                let (event, max) = match event.rsplit_once(",max=") {
                    Some((event, max)) => (event, Some(parse_time(max).map_err(wrong)?)),
                    None => (event, None),
                };
                if event.is_empty() {
                    return Err(wrong("until which event?".to_owned()));
                }
                Length::Until { event: event.to_owned(), max }
            }
        };
        Ok(Phase { name: named(name).map_err(wrong)?, length })
    }
}

/// Reads a length of time, as in `5s`, `100ms`, `1m30s`, `1.5h`.
///
/// # Errors
/// It is none, or a negative one.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let time: jiff::SignedDuration =
        text.parse().map_err(|_| format!("{text:?} is no time, as 5s, 100ms or 1m30s are"))?;
    Duration::try_from(time).map_err(|_| format!("{text:?} is a time before now"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(text: &str) -> Result<Phase, String> {
        text.parse().map_err(|error: EpisodeError| error.to_string())
    }

    #[test]
    fn phases_are_written_as_a_name_and_when_they_end() {
        let seconds = Duration::from_secs;
        let of = |name: &str, length| Ok(Phase { name: name.to_owned(), length });
        let until = |event: &str, max| Length::Until { event: event.to_owned(), max };
        assert_eq!(phase("clean:5s"), of("clean", Length::For(seconds(5))));
        assert_eq!(phase("x y:1m30s"), of("x y", Length::For(seconds(90))));
        assert_eq!(phase("a:100ms"), of("a", Length::For(Duration::from_millis(100))));
        assert_eq!(phase("boot:until=up,max=30s"), of("boot", until("up", Some(seconds(30)))));
        assert_eq!(phase("boot:until=a,b:c"), of("boot", until("a,b:c", None)));
        for (text, why) in [
            ("clean", "NAME:TIME"),
            ("clean:5", "is no time"),
            ("clean:-5s", "before now"),
            (":5s", "is no name"),
            ("a:until=", "until which event?"),
            ("a:until=x,max=soon", "is no time"),
        ] {
            let error = phase(text).unwrap_err();
            assert!(error.contains(why) && error.starts_with(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn a_schedule_is_an_array_in_any_of_three_spellings_and_comes_back() {
        let text = r#"[["clean", 5], "load:2.5s", {"phase": "boot", "until": "up", "max_seconds": 30}, {"phase": "z", "until": "e"}, {"phase": "y", "seconds": 0.25}]"#;
        let schedule = Schedule::from_json(text).unwrap();
        let Schedule::Phases(phases) = &schedule else { panic!() };
        assert_eq!(phases.len(), 5);
        assert_eq!(phases[1], phase("load:2500ms").unwrap());
        assert_eq!(phases[2], phase("boot:until=up,max=30s").unwrap());
        assert_eq!(schedule.time(), None);
        assert_eq!(Schedule::from_json(&schedule.to_json().to_string()).unwrap(), schedule);
        for (text, why) in [
            ("[]", "without phases"),
            ("{}", "an array of phases"),
            ("[5]", "phase 1: no phase"),
            (r#"[["a", 1], ["b"]]"#, "phase 2: [NAME, SECONDS]"),
            (r#"[["a", -1]]"#, "-1 are no seconds"),
            (r#"[{"phase": "a"}]"#, "either seconds"),
            (r#"[{"phase": "a", "second": 1}]"#, "unknown key second"),
            (r#"[{"seconds": 1}]"#, "phase is missing"),
            ("[", "EOF"),
        ] {
            let error = Schedule::from_json(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
