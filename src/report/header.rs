//! Header fields in which the two logs differ: told, never compared.

use super::tree::taken_apart;
use crate::diverge::{Difference, Outcome};
use crate::json::{Pointer, Tape, tape, text};

/// The differing top-level fields, in the reference's key order, then those only the candidate has.
pub(crate) fn header_differences(outcome: &Outcome) -> Vec<Difference> {
    let (Some(reference), Some(candidate)) = (&outcome.reference.header, &outcome.candidate.header) else {
        return Vec::new();
    };
    let (Some(left), Some(right)) = (taken_apart(reference), taken_apart(candidate)) else { return Vec::new() };
    let path = |token: &[u8]| Pointer::new([String::from_utf8_lossy(&text::unescape(token)).into_owned()]);
    let value = |tape: &Tape, text: &[u8], node: usize| tape.bytes(text, node).to_vec();
    let mut found = Vec::new();
    for (key, node) in left.distinct_members(reference, Tape::ROOT) {
        let token = left.bytes(reference, key);
        let partner = right.get(candidate, Tape::ROOT, &text::unescape(token));
        if partner.is_some_and(|partner| tape::equal((&left, reference, node), (&right, candidate, partner))) {
            continue;
        }
        found.push(Difference {
            path: path(token),
            reference: Some(value(&left, reference, node)),
            candidate: partner.map(|partner| value(&right, candidate, partner)),
            meant: None,
        });
    }
    for (key, node) in right.distinct_members(candidate, Tape::ROOT) {
        let token = right.bytes(candidate, key);
        if left.get(reference, Tape::ROOT, &text::unescape(token)).is_none() {
            found.push(Difference {
                path: path(token),
                reference: None,
                candidate: Some(value(&right, candidate, node)),
                meant: None,
            });
        }
    }
    found
}
