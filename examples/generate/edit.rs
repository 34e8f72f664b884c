//! Changing a line where a divergence was asked for.

use super::lane::Side;
use super::options::EditKind;
use super::script::{Step, functions};

/// What to do with the event an edit has landed on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Leave the event out.
    Skip,
    /// End this side's lane before it.
    End(Side),
    /// Write one event more, then this one.
    Insert,
    /// Number this event and all later ones of the lane one higher.
    Renumber,
    /// Write it, then change its text.
    Rewrite,
    /// Write the next event before it.
    Swap,
    /// Leave it and what stands before it out, and number what follows as if they had been written.
    Late,
    /// Write it and further events like it, each with its text changed.
    Last,
}

/// Whether an event can carry an edit of this kind; if not, the next one is tried.
pub fn fits(kind: EditKind, step: Step) -> bool {
    match kind {
        EditKind::Nested => matches!(step, Step::Call { .. } | Step::Import { .. } | Step::Instruction { .. }),
        // Two successful allocations are equal whatever they return.
        EditKind::Value | EditKind::Type | EditKind::Absent | EditKind::Lasting => {
            !matches!(step, Step::Allocated { .. })
        }
        // Leaving out the last event would only make the lane end early.
        EditKind::Missing => !matches!(step, Step::Exit { .. } | Step::Instruction { last: true, .. }),
        // The end of a thread stays its end, and an allocation where its call says how large it is.
        EditKind::Swapped => {
            let is_plain = matches!(
                step,
                Step::WaitBegin { .. } | Step::WaitEnd { .. } | Step::Return { .. } | Step::Import { .. }
            );
            is_plain || matches!(step, Step::Instruction { last: false, .. })
        }
        EditKind::Kind | EditKind::Ordinal | EditKind::Extra | EditKind::Late => true,
        EditKind::EndedEarly | EditKind::Overlong | EditKind::Unmatched | EditKind::Stranger => true,
    }
}

pub fn action(kind: EditKind) -> Action {
    match kind {
        EditKind::Missing => Action::Skip,
        EditKind::EndedEarly | EditKind::Unmatched => Action::End(Side::Candidate),
        EditKind::Overlong | EditKind::Stranger => Action::End(Side::Reference),
        EditKind::Extra => Action::Insert,
        EditKind::Ordinal => Action::Renumber,
        EditKind::Swapped => Action::Swap,
        EditKind::Late => Action::Late,
        EditKind::Lasting => Action::Last,
        _ => Action::Rewrite,
    }
}

/// The field that an edit changes: an integer every engine must agree on.
fn field(kind: EditKind, step: Step) -> &'static str {
    match step {
        Step::Call { .. } | Step::Import { .. } if kind == EditKind::Nested => r#""flags":"#,
        Step::Call { .. } | Step::Import { .. } => r#""ord":"#,
        Step::Return { .. } | Step::Allocated { .. } => r#""return_value":"#,
        Step::HandleCreate { .. } | Step::HandleDestroy { .. } => r#""handle_semantic_id":"#,
        Step::WaitBegin { .. } => r#""timeout_us":"#,
        Step::WaitEnd { .. } => r#""wait_result":"#,
        Step::Exit { .. } => r#""exit_code":"#,
        Step::Instruction { .. } if kind == EditKind::Nested => r#""x":"#,
        Step::Instruction { .. } => r#""a":"#,
    }
}

/// An event that no story has.
pub fn odd(step: Step) -> Step {
    match step {
        Step::Instruction { .. } => Step::Instruction { pc: 0xDEAD_BEE0, rest: u16::MAX, last: false },
        _ => Step::Import { function: functions().len() - 1, address: 0xDEAD_BEE0, flags: 4095 },
    }
}

/// The changed text of one line.
pub fn rewrite(line: &str, kind: EditKind, step: Step) -> String {
    if kind == EditKind::Kind {
        let (key, other) = match step {
            Step::Instruction { .. } => (r#""op":""#, "nop"),
            Step::Call { .. } => (r#""kind":""#, "import.call"),
            _ => (r#""kind":""#, "kernel.call"),
        };
        let Some(at) = line.find(key) else { return line.to_owned() };
        let from = at + key.len();
        let end = line[from..].find('"').map_or(line.len(), |at| at + from);
        return format!("{}{other}{}", &line[..from], &line[end..]);
    }
    let key = field(kind, step);
    let Some(at) = line.find(key) else { return line.to_owned() };
    let from = at + key.len();
    let digits = line[from..].bytes().take_while(u8::is_ascii_digit).count();
    let (value, rest) = line[from..].split_at(digits);
    match kind {
        EditKind::Type => format!(r#"{}"{value}"{rest}"#, &line[..from]),
        EditKind::Absent => {
            // A lone key leaves with neither comma; else with the one that joins it.
            let rest = match (rest.strip_prefix(','), line[..at].strip_suffix(',')) {
                (Some(rest), _) => return format!("{}{rest}", &line[..at]),
                (None, Some(before)) => return format!("{before}{rest}"),
                (None, None) => rest,
            };
            format!("{}{rest}", &line[..at])
        }
        _ => {
            let changed = value.parse::<u64>().map_or(1, |value| value + 1);
            format!("{}{changed}{rest}", &line[..from])
        }
    }
}
