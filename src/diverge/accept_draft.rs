//! The divergences of a run as entries of a file of accepted ones, each with its reason still to be said.

use super::accept_file::{self, KINDS, UNSAID, VERSION};
use super::judge::passes_events;
use super::outcome::{Difference, Divergence, DivergenceKind, LaneFacts, Outcome, Pairing};
use crate::json::text::{quoted as json_quoted, quoted_wtf8};
use crate::profile::Fault;
use crate::scan::ThreadKey;

/// Up to so many differing fields of one pair are entries of their own; more are one entry for the whole pair.
const FIELDS_MAX: usize = 4;
/// Longer values are left out: the entry then accepts any.
const VALUE_BYTES_MAX: usize = 1024;

/// What a file becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The whole file.
    pub text: String,
    /// Entries that were added.
    pub added: usize,
}

/// A file's text with an entry for each divergence that it does not have yet; what it holds stays as it is, comments
/// included.
///
/// # Errors
/// The old text is unsound, or nothing can be appended to it.
pub fn draft(old: Option<&str>, file: &str, outcome: &Outcome) -> Result<Draft, Fault> {
    let mut text = old.map_or_else(head, str::to_owned);
    let mut known: Vec<_> = accept_file::read_draft(&text, file)?.into_iter().map(|entry| entry.what).collect();
    let mut added = 0;
    for entry in outcome.pairings.iter().flat_map(entries) {
        let read = accept_file::read_draft(&format!("version = {VERSION}\n{entry}"), file)?;
        let Some(what) = read.into_iter().map(|entry| entry.what).next().filter(|what| !known.contains(what)) else {
            continue;
        };
        known.push(what);
        added += 1;
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&entry);
    }
    // A file that holds its entries in brackets cannot be added to.
    accept_file::read_draft(&text, file)?;
    Ok(Draft { text, added })
}

fn head() -> String {
    format!(
        "# Divergences that forkpoint accepts: forkpoint diff --accept FILE. Say in each why it is tolerated.\n\
         version = {VERSION}\n"
    )
}

/// The entries for one pairing's divergences. What stands behind skipped lines may be an echo of them: it has none.
fn entries(pairing: &Pairing) -> Vec<String> {
    let found = pairing.divergence.iter().chain(&pairing.further).filter(|found| !found.after_fault);
    found.flat_map(|found| entries_of(pairing, found)).collect()
}

fn entries_of(pairing: &Pairing, found: &Divergence) -> Vec<String> {
    let listed = &found.differences;
    let each = listed.len() <= FIELDS_MAX && listed.len() as u64 == found.differences_total;
    if listed.is_empty() || !each {
        return vec![entry(pairing, found, None)];
    }
    listed.iter().map(|difference| entry(pairing, found, Some(difference))).collect()
}

fn entry(pairing: &Pairing, found: &Divergence, difference: Option<&Difference>) -> String {
    let (word, _) = KINDS.iter().find(|(_, kind)| *kind == found.kind).expect("every kind has a word");
    let mut lines = vec!["[[accept]]".to_owned(), format!("divergence = \"{word}\"")];
    lines.extend(found.event_kind.as_ref().map(|kind| format!("kind = {}", value(Some(kind)))));
    let lanes = [
        ("thread", "generation", &pairing.reference),
        ("candidate_thread", "candidate_generation", &pairing.candidate),
    ];
    // The candidate's thread may be called otherwise the next time: only where it is alone it must be named.
    let (thread_key, generation_key, lane) = lanes[usize::from(pairing.reference.is_none())];
    if let Some((lane, thread)) = lane.as_ref().and_then(|lane: &LaneFacts| Some((lane, thread(&lane.thread)?))) {
        lines.push(format!("{thread_key} = {thread}"));
        lines.extend((lane.generation > 0).then(|| format!("{generation_key} = {}", lane.generation)));
    }
    // A lane without a partner is told by its thread, if it has one.
    if found.kind != DivergenceKind::Unmatched || lane.as_ref().is_none_or(|lane| lane.thread == ThreadKey::Single) {
        lines.push(format!("position = {}", found.position));
    }
    if let Some(difference) = difference {
        lines.push(format!("path = {}", quoted(&difference.path.to_string())));
        let sides = [("reference", &difference.reference), ("candidate", &difference.candidate)];
        let is_short = |value: &Option<Vec<u8>>| value.as_ref().is_none_or(|value| value.len() <= VALUE_BYTES_MAX);
        if sides.iter().all(|(_, side)| is_short(side)) {
            lines.extend(sides.iter().map(|(key, side)| format!("{key} = {}", value(side.as_deref()))));
        }
    }
    let passed = found.resync.map(|resync| resync.after_reference.max(resync.after_candidate));
    let events = passed.filter(|_| passes_events(found.kind));
    lines.extend(events.map(|events| format!("events = {events}")));
    lines.push(format!("reason = \"{UNSAID}: why is this tolerated?\""));
    lines.join("\n") + "\n"
}

/// A JSON token in TOML, nothing of it lost.
fn value(token: Option<&[u8]>) -> String {
    let Some(token) = token else { return "{ absent = true }".to_owned() };
    let text = &*String::from_utf8_lossy(token);
    match text.as_bytes().first() {
        Some(b't' | b'f') => text.to_owned(),
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(string) => quoted(&string),
            // Half a surrogate pair is no text.
            Err(_) => json(text),
        },
        Some(b'-' | b'0'..=b'9') if text.parse::<i64>().is_ok_and(|number| number.to_string() == text) => {
            text.to_owned()
        }
        _ => json(text),
    }
}

fn json(text: &str) -> String {
    format!("{{ json = {} }}", quoted(text))
}

/// A TOML basic string: JSON's escapes are TOML's.
fn quoted(text: &str) -> String {
    json_quoted(text)
}

/// A thread's key in TOML; none where the profile names no thread.
fn thread(key: &ThreadKey) -> Option<String> {
    Some(match key {
        ThreadKey::Integer(number) => number.to_string(),
        ThreadKey::BigInteger(digits) => json(digits),
        ThreadKey::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => quoted(text),
            Err(_) => json(&quoted_wtf8(text)),
        },
        ThreadKey::Composite(parts) => {
            let parts: Option<Vec<String>> = parts.iter().map(thread).collect();
            format!("[{}]", parts?.join(", "))
        }
        ThreadKey::Single => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::outcome::{MatchedBy, Resync, Status};
    use super::*;
    use crate::json::Pointer;
    use proptest::prelude::*;

    fn lane(thread: ThreadKey, generation: u32) -> Option<LaneFacts> {
        Some(LaneFacts { thread, generation, events: 9, first_line: 1 })
    }

    fn outcome(kind: DivergenceKind, differences: Vec<Difference>) -> Outcome {
        let divergence = Divergence {
            position: 41,
            kind,
            event_kind: Some(b"\"call\"".to_vec()),
            rank: 1,
            after_fault: false,
            reference: None,
            candidate: None,
            meanings: vec![],
            differences_total: differences.len() as u64,
            differences,
            resync: Some(Resync { after_reference: 2, after_candidate: 0, equal_run: 9, ordinal_shift: None }),
            reordered: None,
            healed_after: None,
            follows: None,
            before: Vec::new(),
            after_reference: Vec::new(),
            after_candidate: Vec::new(),
            overlooked: Vec::new(),
        };
        let pairing = Pairing {
            reference: lane(ThreadKey::Integer(6), 1),
            candidate: lane(ThreadKey::Integer(1), 0),
            matched_by: MatchedBy::Order,
            ambiguous: false,
            evidence: None,
            status: Status::Diverged,
            compared: 41,
            divergence: Some(divergence),
            accepted: 0,
            late_start: None,
            further: Vec::new(),
            pool: None,
        };
        Outcome { pairings: vec![pairing], ..Outcome::default() }
    }

    #[test]
    fn a_new_file_reads_like_this() {
        let fields = vec![
            Difference::at("/payload/x", Some("0"), Some("1.50")),
            Difference::at("/payload/y", Some("\"a\""), None),
        ];
        let draft = draft(None, "known.toml", &outcome(DivergenceKind::Value, fields)).unwrap();
        assert_eq!(draft.added, 2);
        assert_eq!(
            draft.text,
            "# Divergences that forkpoint accepts: forkpoint diff --accept FILE. Say in each why it is tolerated.\n\
             version = 1\n\n[[accept]]\ndivergence = \"value\"\nkind = \"call\"\nthread = 6\ngeneration = 1\nposition = 41\n\
             path = \"/payload/x\"\nreference = 0\ncandidate = { json = \"1.50\" }\nreason = \"TODO: why is this tolerated?\"\n\n\
             [[accept]]\ndivergence = \"value\"\nkind = \"call\"\nthread = 6\ngeneration = 1\nposition = 41\n\
             path = \"/payload/y\"\nreference = \"a\"\ncandidate = { absent = true }\nreason = \"TODO: why is this tolerated?\"\n"
        );
    }

    #[test]
    fn what_a_file_holds_stays_and_is_not_added_again() {
        let old = "version = 1 # ours\n\n# the clock\n[[accept]]\nreason = \"known\"\nlink = \"l\"\nthread = 6\ngeneration = 1\n\
            kind = \"call\"\nposition = 41\nevents = 2\ndivergence = \"missing\"";
        let again = draft(Some(old), "known.toml", &outcome(DivergenceKind::Missing, Vec::new())).unwrap();
        assert_eq!((again.text.as_str(), again.added), (old, 0));
        let more = draft(Some(old), "known.toml", &outcome(DivergenceKind::Extra, Vec::new())).unwrap();
        assert!(more.text.starts_with(&format!("{old}\n\n[[accept]]\ndivergence = \"extra\"\n")), "{}", more.text);
        assert!(more.text.contains("\nevents = 2\n") && more.added == 1);
        let twice = draft(Some(&more.text), "known.toml", &outcome(DivergenceKind::Extra, Vec::new())).unwrap();
        assert_eq!((twice.text, twice.added), (more.text, 0));
    }

    #[test]
    fn what_cannot_be_added_to_is_told_and_left_alone() {
        let of = |old: &str| draft(Some(old), "known.toml", &outcome(DivergenceKind::Missing, Vec::new())).unwrap_err();
        assert_eq!(of("version = 1\nacept = []").line, 2);
        assert!(of("version = 1\naccept = []").to_string().contains("known.toml:"));
    }

    #[test]
    fn many_fields_are_one_entry_and_long_values_are_left_out() {
        let fields =
            |count: usize| (0..count).map(|at| Difference::at(&format!("/payload/{at}"), Some("0"), None)).collect();
        let entries = |outcome: &Outcome| entries(&outcome.pairings[0]);
        assert_eq!(entries(&outcome(DivergenceKind::Value, fields(4))).len(), 4);
        let many = entries(&outcome(DivergenceKind::Value, fields(5)));
        assert!(many.len() == 1 && !many[0].contains("path"), "{many:?}");
        let long = format!("\"{}\"", "x".repeat(2000));
        let long = entries(&outcome(DivergenceKind::Value, vec![Difference::at("/x", Some(&long), Some("1"))]));
        assert!(long[0].contains("path = ") && !long[0].contains("candidate"), "{long:?}");
        let mut doubtful = outcome(DivergenceKind::Value, fields(1));
        doubtful.pairings[0].divergence.as_mut().unwrap().after_fault = true;
        assert!(entries(&doubtful).is_empty());
    }

    #[test]
    fn a_lane_without_a_partner_is_told_by_its_thread() {
        let mut alone = outcome(DivergenceKind::Unmatched, Vec::new());
        alone.pairings[0].reference = None;
        let entries_of = |outcome: &Outcome| entries(&outcome.pairings[0]).remove(0);
        assert!(entries_of(&alone).contains("\ncandidate_thread = 1\nreason"), "{}", entries_of(&alone));
        alone.pairings[0].candidate = lane(ThreadKey::Single, 0);
        assert!(entries_of(&alone).contains("\nposition = 41\n"));
    }

    proptest! {
        #[test]
        fn any_thread_path_and_value_reads_back(
            text in "\\PC{0,9}", control in any::<char>(), number in any::<i128>(), which in 0usize..5,
        ) {
            let text = format!("{text}{control}");
            let thread = match which {
                0 => ThreadKey::Integer(number as i64),
                1 => ThreadKey::of_token(number.to_string().as_bytes()).unwrap(),
                2 => ThreadKey::Text(text.as_bytes().into()),
                3 => ThreadKey::Text(b"half \xed\xa0\x80".as_slice().into()),
                _ => ThreadKey::Composite([ThreadKey::Integer(1), ThreadKey::Text(text.as_bytes().into())].into()),
            };
            let token = crate::json::text::quoted(&text);
            let path = Pointer::new(["payload", text.as_str()]);
            let difference = Difference { path: path.clone(), reference: Some(token.into_bytes()), candidate: Some(number.to_string().into_bytes()), meant: None };
            let mut found = outcome(DivergenceKind::Value, vec![difference.clone()]);
            found.pairings[0].reference = lane(thread.clone(), 0);
            let draft = draft(None, "known.toml", &found).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
            let entry = accept_file::read_draft(&draft.text, "known.toml").unwrap().remove(0).what;
            prop_assert_eq!(&entry.lanes[0].as_ref().unwrap().thread, &thread);
            prop_assert_eq!(entry.path, Some(path));
            let json = |bytes: &Option<Vec<u8>>| bytes.clone().map(super::super::acceptance::Value::Json);
            prop_assert_eq!(entry.values, [json(&difference.reference), json(&difference.candidate)]);
        }
    }
}
