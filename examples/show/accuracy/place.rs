//! An event in a pair of logs, what a tool says of it, and what is true.

use serde_json::Value;

/// What a tool says of a pair.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Nothing differs.
    Same,
    /// The first event, by the line on which it stands on the reference's and on the candidate's side.
    Parts { lines: [Option<u64>; 2], kind: Option<String> },
    /// No answer, and why.
    Nothing(String),
}

impl Said {
    /// The answer of a script: `{"reference": LINE, "candidate": LINE, "kind": NAME}` with what there is of it, `{}` where
    /// nothing differs.
    pub fn of_script(line: &str) -> Said {
        match serde_json::from_str::<Value>(line) {
            Ok(Value::Object(answer)) if answer.is_empty() => Said::Same,
            Ok(Value::Object(answer)) => Said::Parts {
                lines: ["reference", "candidate"].map(|side| answer.get(side).and_then(Value::as_u64)),
                kind: answer.get("kind").and_then(Value::as_str).map(str::to_owned),
            },
            _ => Said::Nothing(format!("printed {line:?}")),
        }
    }
}

/// The event where two runs really part.
#[derive(Clone, Debug)]
pub struct First {
    /// The lines on the reference's and on the candidate's side under which it may be named: one, or those of several
    /// threads that live alike; none where that side has no such event.
    pub lines: [Vec<u64>; 2],
    pub kind: String,
}

/// A thread of one log: its tid as JSON, and which of several it is.
pub type LaneName = (String, u64);

impl First {
    /// Whether these lines are those of the event: the reference's, where one is named. What is named beside it on the
    /// candidate's side is only looked at where threads live alike and it alone tells them apart.
    pub fn is_at(&self, lines: [Option<u64>; 2]) -> bool {
        match lines {
            [Some(reference), candidate] => {
                let is_open = self.lines[0].len() > 1 && !self.lines[1].is_empty();
                let is_other = is_open && candidate.is_some_and(|line| !self.lines[1].contains(&line));
                self.lines[0].contains(&reference) && !is_other
            }
            [None, Some(candidate)] => self.lines[1].contains(&candidate),
            [None, None] => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(reference: &[u64], candidate: &[u64]) -> First {
        First { lines: [reference.to_vec(), candidate.to_vec()], kind: "value".into() }
    }

    #[test]
    fn scripts_are_read() {
        assert_eq!(Said::of_script("{}"), Said::Same);
        let parts = Said::Parts { lines: [Some(7), None], kind: Some("extra".into()) };
        assert_eq!(Said::of_script(r#"{"reference":7,"kind":"extra"}"#), parts);
        assert!(matches!(Said::of_script("no idea"), Said::Nothing(_)));
        assert!(matches!(Said::of_script("[]"), Said::Nothing(_)));
    }

    #[test]
    fn an_event_is_named_by_either_line() {
        let one = first(&[9], &[4]);
        assert!(one.is_at([Some(9), None]) && one.is_at([None, Some(4)]) && one.is_at([Some(9), Some(5)]));
        assert!(!one.is_at([Some(8), Some(4)]) && !one.is_at([None, Some(5)]) && !one.is_at([None, None]));
        // Threads that live alike are told apart by the candidate's line.
        let alike = first(&[9, 12], &[4]);
        assert!(first(&[], &[4, 6]).is_at([None, Some(6)]));
        assert!(alike.is_at([Some(12), Some(4)]) && alike.is_at([Some(12), None]) && !alike.is_at([Some(12), Some(5)]));
    }
}
