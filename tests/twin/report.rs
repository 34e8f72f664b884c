//! The twin's outcome in the shape of the JSON report, as far as the twin knows it.

use super::diff::{Divergence, Outcome, Pairing};
use super::json::Value;
use super::lines::Fault;
use std::collections::BTreeSet;

pub fn object(members: Vec<(&str, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.as_bytes().to_vec(), value)).collect())
}

fn number(n: usize) -> Value {
    Value::integer(n as i128)
}

fn or_null<T>(value: Option<T>, shown: impl FnOnce(T) -> Value) -> Value {
    value.map_or(Value::Null, shown)
}

/// NaN and infinities stand in objects of their own; everything else as it is.
fn shown(value: &Value) -> Value {
    match value {
        Value::Token(token) => object(vec![("token", Value::text(token))]),
        Value::Array(items) => Value::Array(items.iter().map(shown).collect()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, inner)| (key.clone(), shown(inner))).collect())
        }
        other => other.clone(),
    }
}

impl Outcome<'_> {
    /// The report.
    pub fn report(&self) -> Value {
        let [reference, candidate] = [0, 1].map(|side| self.log(side));
        let faults: Vec<Value> = [0, 1].iter().flat_map(|&side| faults(side, &self.faults[side])).collect();
        let faults_total = number(faults.len());
        object(vec![
            ("verdict", Value::text(self.verdict)),
            ("validated", Value::text(if self.twin.choices.strict { "full" } else { "opened" })),
            ("reference", reference),
            ("candidate", candidate),
            ("first", or_null(self.first, number)),
            ("pairings", Value::Array(self.pairings.iter().map(|pairing| self.pairing(pairing)).collect())),
            ("coverage", self.coverage()),
            ("faults_total", faults_total),
            // So many are listed.
            ("faults", Value::Array(faults.into_iter().take(100).collect())),
            ("rule_flags", self.broad()),
            ("accepted", self.accepted()),
        ])
    }

    fn log(&self, side: usize) -> Value {
        let log = &self.twin.logs[side];
        object(vec![
            ("events", number(log.events.len())),
            ("threads", number(log.threads())),
            // Lines that could not be opened, and those that could not be read.
            ("lines_skipped", number(if self.twin.choices.skip_malformed { self.faults[side].len() } else { 0 })),
            ("cut", Value::Bool(self.cut[side])),
        ])
    }

    fn coverage(&self) -> Value {
        let of = &self.coverage;
        object(vec![
            ("events_compared", number(of.compared)),
            ("equal_by_bytes", number(of.equal_by_bytes)),
            ("read", number(of.read)),
            ("unverified", number(of.unverified)),
            ("skipped_nondeterministic", number(of.skipped_nondeterministic)),
            ("overlooked", Value::Array(of.overlooked.values().map(|&n| number(n)).collect())),
            ("differed_in_bytes", number(of.differed)),
            ("taken_out", Value::Array(of.taken_out[0].iter().zip(&of.taken_out[1]).map(taken_out).collect())),
        ])
    }

    fn accepted(&self) -> Value {
        let total = self.pairings.iter().map(|pairing| pairing.accepted).sum();
        let counts = (0..self.twin.choices.accept.len()).map(|at| self.accepted.get(&at).copied().unwrap_or(0));
        let entries = counts.map(|count| object(vec![("accepted", number(count))])).collect();
        object(vec![("total", number(total)), ("entries", Value::Array(entries))])
    }

    /// How often each rule had its say that hid more than half of all pairs.
    fn broad(&self) -> Value {
        let counts = self.coverage.overlooked.values();
        Value::Array(counts.filter(|&&n| 2 * n > self.coverage.compared).map(|&n| number(n)).collect())
    }

    fn lane(&self, side: usize, lane: usize) -> Value {
        let found = &self.twin.logs[side].lanes[lane];
        let tid = match found.thread.as_slice() {
            [] => Value::Null,
            [only] => only.clone(),
            parts => Value::Array(parts.to_vec()),
        };
        object(vec![("tid", tid), ("generation", number(found.generation)), ("events", number(found.events.len()))])
    }

    fn pairing(&self, pairing: &Pairing) -> Value {
        let [reference, candidate] = [0, 1].map(|side| or_null(pairing.lanes[side], |lane| self.lane(side, lane)));
        let evidence =
            or_null(pairing.common, |[common, of]| object(vec![("common", number(common)), ("of", number(of))]));
        object(vec![
            ("reference", reference),
            ("candidate", candidate),
            ("matched_by", Value::text(pairing.by)),
            ("ambiguous", Value::Bool(pairing.ambiguous)),
            ("evidence", evidence),
            ("status", Value::text(pairing.status)),
            ("compared", number(pairing.compared)),
            ("divergence", or_null(pairing.divergence.as_ref(), |divergence| self.divergence(divergence))),
            ("accepted", number(pairing.accepted)),
            (
                "late_start",
                or_null(pairing.late_start, |(side, events)| {
                    let side = Value::text(["reference", "candidate"][side]);
                    object(vec![("side", side), ("events", number(events))])
                }),
            ),
            ("further", Value::Array(pairing.further.iter().map(|further| self.divergence(further)).collect())),
            (
                "pool",
                or_null(pairing.pool, |[group, members]| {
                    object(vec![("group", number(group)), ("members", number(members))])
                }),
            ),
        ])
    }

    fn event(&self, side: usize, at: usize) -> Value {
        let event = self.twin.event(side, at);
        let mut members = vec![
            ("line", number(event.line)),
            ("offset", number(event.offset)),
            ("ordinal", or_null(event.written, |n| Value::integer(n.into()))),
        ];
        if let Some((text, _)) = &event.joined {
            members.extend([("joined", number(event.parts)), ("text", Value::Text(text.clone()))]);
        }
        object(members)
    }

    fn divergence(&self, of: &Divergence) -> Value {
        let [reference, candidate] = [0, 1].map(|side| or_null(of.events[side], |at| self.event(side, at)));
        let differences = of.differences.iter().map(|difference| {
            let path: String =
                difference.path.iter().map(|t| format!("/{}", t.replace('~', "~0").replace('/', "~1"))).collect();
            let mut members = vec![("path", Value::text(&path))];
            for (side, name) in ["reference", "candidate"].into_iter().enumerate() {
                members.extend(difference.sides[side].as_ref().map(|value| (name, shown(value))));
            }
            object(members)
        });
        let after = |side: usize| Value::Array(of.after[side].iter().map(|&at| self.event(side, at)).collect());
        // With events stepped over on one side there are two places to choose from.
        let position = (self.coverage.unverified == 0).then(|| ("position", number(of.position)));
        let mut members = vec![
            ("kind", Value::text(of.kind)),
            ("rank", number(of.rank)),
            ("after_fault", Value::Bool(of.after_fault)),
            ("reference", reference),
            ("candidate", candidate),
            ("differences", Value::Array(differences.take(64).collect())),
            ("differences_total", number(of.differences.len())),
            (
                "resync",
                or_null(of.resync, |(found, shift)| {
                    object(vec![
                        ("after_reference", number(found.reference)),
                        ("after_candidate", number(found.candidate)),
                        ("equal_run", number(found.run)),
                        ("ordinal_shift", or_null(shift, Value::integer)),
                    ])
                }),
            ),
            (
                "before",
                Value::Array(
                    of.before
                        .iter()
                        .map(|pair| {
                            object(vec![("reference", self.event(0, pair[0])), ("candidate", self.event(1, pair[1]))])
                        })
                        .collect(),
                ),
            ),
            ("after", object(vec![("reference", after(0)), ("candidate", after(1))])),
            (
                "reordered",
                or_null(of.order.as_ref(), |order| {
                    let events =
                        |side: usize| Value::Array(of.reordered[side].iter().map(|&at| self.event(side, at)).collect());
                    let order = Value::Array(order.iter().map(|&at| number(at)).collect());
                    object(vec![("order", order), ("reference", events(0)), ("candidate", events(1))])
                }),
            ),
            ("healed_after", or_null(of.healed_after, number)),
        ];
        members.extend(position);
        object(members)
    }
}

fn faults(side: usize, faults: &BTreeSet<Fault>) -> Vec<Value> {
    faults
        .iter()
        .map(|fault| {
            object(vec![
                ("side", number(side)),
                ("line", number(fault.line)),
                ("offset", number(fault.offset)),
                ("reason", Value::text(fault.why)),
            ])
        })
        .collect()
}

/// How many events of each side a rule took out.
fn taken_out((reference, candidate): (&usize, &usize)) -> Value {
    object(vec![("reference", number(*reference)), ("candidate", number(*candidate))])
}
