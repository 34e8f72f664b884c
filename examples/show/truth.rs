//! What a diff of a pair must find, and a report held against it.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{Hindered, Table};

/// Where two lanes part.
struct Parting {
    position: u64,
    /// The kinds under which it may be reported; several where the edit leaves it open.
    kinds: &'static [&'static str],
    /// Of the reference, of the candidate, if known.
    lines: [Option<u64>; 2],
}

/// One thread of the story.
struct Thread {
    /// (tid, generation) and number of events of the reference, of the candidate.
    lanes: [(Value, u64); 2],
    events: [u64; 2],
    parting: Option<Parting>,
}

pub struct Truth {
    threads: Vec<Thread>,
    /// Where a lane stands in `threads`, for each side: its tid as JSON, and its generation.
    places: [HashMap<(String, u64), usize>; 2],
    /// The thread that parts first, if the truth says so.
    first: Option<usize>,
    /// From this thread on all live the same life: which of them is paired with which is open.
    pub workers_from: Option<usize>,
}

/// Reported kinds by name; static, because a truth says what may be said.
fn kinds(name: &str) -> &'static [&'static str] {
    match name {
        "payload" | "nested" | "type" | "absent" | "value" => &["value"],
        "kind" => &["kind"],
        "ordinal" | "gap" => &["ordinal"],
        "missing" | "drop" => &["missing"],
        "insert" | "alloc" => &["extra"],
        "truncate" | "ended-early" => &["ended-early"],
        // Two events that change places are no single event missing; how they are told is open.
        "swap" => &["value", "kind", "missing", "extra", "reordered"],
        _ => &[],
    }
}

impl Truth {
    /// Of our own generator.
    pub fn generated(truth: &Value) -> Result<Truth, Hindered> {
        let number = |value: &Value| value.as_u64().ok_or("truth.json: a number is missing");
        let mut threads = Vec::new();
        for thread in truth["threads"].as_array().ok_or("truth.json: no threads")? {
            let side = |side: &str| -> Result<((Value, u64), u64), Hindered> {
                let lane = &thread[side];
                if lane.is_null() {
                    return Err("truth.json: only one side has a thread; `make accuracy` knows such pairs".into());
                }
                Ok(((lane["tid"].clone(), number(&lane["generation"])?), number(&lane["events"])?))
            };
            let (reference, candidate) = (side("reference")?, side("candidate")?);
            let parted = &thread["divergence"];
            let parting = match parted["kind"].as_str() {
                None => None,
                Some(kind) => Some(Parting {
                    position: number(&parted["position"])?,
                    kinds: if kind == "extra" { &["extra"] } else { kinds(kind) },
                    lines: ["reference_line", "candidate_line"].map(|key| parted[key].as_u64()),
                }),
            };
            threads.push(Thread { lanes: [reference.0, candidate.0], events: [reference.1, candidate.1], parting });
        }
        let first = truth["first"].as_u64().and_then(|first| usize::try_from(first).ok());
        Ok(Truth::of(threads, first))
    }

    /// Of the original generator: `tid_map` and the first edit of each thread that can be seen.
    pub fn original(truth: &Value) -> Result<Truth, Hindered> {
        let map: BTreeMap<&str, &str> = truth["tid_map"]
            .as_str()
            .ok_or("truth.json: no tid_map")?
            .split(',')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        let mut threads = Vec::new();
        for thread in truth["threads"].as_array().ok_or("truth.json: no threads")? {
            let number = |key: &str| thread[key].as_u64().ok_or(format!("truth.json: a thread without {key}"));
            let (reference, candidate) = (number("canary_tid")?, number("ours_tid")?);
            if map.get(reference.to_string().as_str()) != Some(&candidate.to_string().as_str()) {
                return Err(format!("truth.json: tid_map and threads disagree about {reference}").into());
            }
            let edits = thread["edits"].as_array().map(Vec::as_slice).unwrap_or_default();
            let seen = edits.iter().filter(|edit| edit["applied"] == true).filter_map(|edit| {
                let how = edit["how"].as_str()?;
                // A field more is a value that differs; in our generator `extra` is an event.
                let kinds = if how == "extra" { &["value"] } else { kinds(how) };
                (!kinds.is_empty()).then_some(Parting { position: edit["index"].as_u64()?, kinds, lines: [None; 2] })
            });
            threads.push(Thread {
                lanes: [(reference.into(), 0), (candidate.into(), 0)],
                events: [number("canary_events")?, number("ours_events")?],
                parting: seen.min_by_key(|parting| parting.position),
            });
        }
        Ok(Truth::of(threads, None))
    }

    fn of(threads: Vec<Thread>, first: Option<usize>) -> Truth {
        let places = [0, 1].map(|side| {
            let lane = |(at, thread): (usize, &Thread)| {
                let (tid, generation) = &thread.lanes[side];
                ((tid.to_string(), *generation), at)
            };
            threads.iter().enumerate().map(lane).collect()
        });
        Truth { threads, places, first, workers_from: None }
    }

    /// Whether anything differs.
    pub fn parts(&self) -> bool {
        self.threads.iter().any(|thread| thread.parting.is_some())
    }

    pub fn events(&self) -> u64 {
        self.threads.iter().map(|thread| thread.events[0]).sum()
    }

    fn thread_of(&self, side: usize, lane: &Value) -> Option<usize> {
        let generation = lane["generation"].as_u64()?;
        self.places[side].get(&(lane["tid"].to_string(), generation)).copied()
    }

    /// The threads as `--map` takes them: 6=1,7=2.
    pub fn map(&self) -> String {
        let pair = |thread: &Thread| format!("{}={}", thread.lanes[0].0, thread.lanes[1].0);
        self.threads.iter().map(pair).collect::<Vec<_>>().join(",")
    }

    /// The earliest line of the reference at which a thread parts.
    pub fn first_line(&self) -> Option<u64> {
        self.threads.iter().filter_map(|thread| thread.parting.as_ref()?.lines[0]).min()
    }

    /// Lines `TID POSITION`, or `TID -` where nothing differs: none if they are right, else what is not.
    pub fn hold_positions(&self, told: &str) -> Option<String> {
        let told: BTreeMap<&str, &str> = told.lines().filter_map(|line| line.trim().split_once(' ')).collect();
        let wrong = self.threads.iter().find_map(|thread| {
            let tid = thread.lanes[0].0.to_string();
            let must = thread.parting.as_ref().map_or("-".to_owned(), |parting| parting.position.to_string());
            let is = told.get(tid.as_str()).copied().unwrap_or("nothing");
            (is != must).then(|| format!("no: thread {tid} at {must}, {is} told"))
        });
        wrong.or_else(|| (told.len() != self.threads.len()).then(|| format!("no: {} threads told", told.len())))
    }

    /// Whatever in a report is not as it must be.
    pub fn hold(&self, report: &Value) -> Vec<String> {
        let none = Vec::new();
        let pairings = report["pairings"].as_array().unwrap_or(&none);
        let mut wrong = Vec::new();
        let mut seen = 0;
        for pairing in pairings {
            let threads = ["reference", "candidate"].map(|side| &pairing[side]);
            let found = [self.thread_of(0, threads[0]), self.thread_of(1, threads[1])];
            let ([Some(reference), _], [_, Some(candidate)]) = (found, found) else {
                wrong.push(format!("a lane that is not paired: {} → {}", threads[0], threads[1]));
                continue;
            };
            let worker = |thread: usize| self.workers_from.is_some_and(|from| thread >= from);
            if reference != candidate && !(worker(reference) && worker(candidate)) {
                wrong.push(format!("paired wrongly: {} → {}", threads[0], threads[1]));
                continue;
            }
            seen += 1;
            let name = format!("{} → {}", threads[0]["tid"], threads[1]["tid"]);
            self.hold_pairing(reference, pairing).into_iter().for_each(|why| wrong.push(format!("{name}: {why}")));
        }
        if seen != self.threads.len() {
            wrong.push(format!("{seen} of {} threads are paired rightly", self.threads.len()));
        }
        let first = report["first"].as_u64().and_then(|at| pairings.get(usize::try_from(at).ok()?));
        let first = first.and_then(|pairing| self.thread_of(0, &pairing["reference"]));
        let must = self.first.or_else(|| self.first_by_line(pairings));
        if must.is_some() && first != must {
            wrong.push(format!("thread {must:?} parts first, thread {first:?} is reported"));
        }
        wrong
    }

    /// The thread that parts on the earliest line of the reference, if every one that parts shows that line.
    fn first_by_line(&self, pairings: &[Value]) -> Option<usize> {
        let parted = pairings.iter().filter(|pairing| {
            let kind = &pairing["divergence"]["kind"];
            kind.is_string() && *kind != "ended-early"
        });
        let lines: Option<Vec<_>> = parted
            .map(|pairing| Some((pairing["divergence"]["reference"]["line"].as_u64()?, &pairing["reference"])))
            .collect();
        lines?.into_iter().min_by_key(|(line, _)| *line).and_then(|(_, lane)| self.thread_of(0, lane))
    }

    fn hold_pairing(&self, thread: usize, pairing: &Value) -> Vec<String> {
        let thread = &self.threads[thread];
        let mut wrong = Vec::new();
        for (side, events) in ["reference", "candidate"].iter().zip(thread.events) {
            if pairing[side]["events"] != events {
                wrong.push(format!("{side} has {events} events, reported {}", pairing[side]["events"]));
            }
        }
        let divergence = &pairing["divergence"];
        let Some(parting) = &thread.parting else {
            if !divergence.is_null() || pairing["status"] != "identical" {
                wrong.push(format!(
                    "nothing differs, reported {} at {} ({})",
                    divergence["kind"], divergence["position"], pairing["status"]
                ));
            }
            return wrong;
        };
        let kind = divergence["kind"].as_str().unwrap_or("nothing");
        if !parting.kinds.contains(&kind) {
            wrong.push(format!("{} is the kind, reported {kind}", parting.kinds.join(" or ")));
        }
        let position = parting.position;
        if divergence["position"] != position || pairing["compared"] != position {
            wrong.push(format!(
                "parts at {position}, reported {} after {} equal pairs",
                divergence["position"], pairing["compared"]
            ));
        }
        for (side, line) in ["reference", "candidate"].iter().zip(parting.lines) {
            let reported = divergence[side]["line"].as_u64();
            if let (Some(line), Some(reported)) = (line, reported)
                && line != reported
            {
                wrong.push(format!("line {line} of the {side}, reported {reported}"));
            }
        }
        wrong
    }

    /// How many pairings are the very ones of the story; equal workers may be paired otherwise.
    pub fn paired_as_told(&self, report: &Value) -> usize {
        let none = Vec::new();
        let pairings = report["pairings"].as_array().unwrap_or(&none);
        let same = |pairing: &&Value| {
            let thread = self.thread_of(0, &pairing["reference"]);
            thread.is_some() && thread == self.thread_of(1, &pairing["candidate"])
        };
        pairings.iter().filter(same).count()
    }

    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// What the report says beside what is true, for those threads that part.
    pub fn print(&self, report: &Value) {
        let mut table = Table::new(&["thread", "part at", "as", "reported at", "as", "compared"]);
        let none = Vec::new();
        for pairing in report["pairings"].as_array().unwrap_or(&none) {
            let Some(thread) = self.thread_of(0, &pairing["reference"]) else { continue };
            let divergence = &pairing["divergence"];
            let parting = &self.threads[thread].parting;
            if parting.is_none() && divergence.is_null() {
                continue;
            }
            let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            table.row([
                format!("{} → {}", pairing["reference"]["tid"], pairing["candidate"]["tid"]),
                parting.as_ref().map_or("-".to_owned(), |parting| parting.position.to_string()),
                parting.as_ref().map_or("-".to_owned(), |parting| parting.kinds.join("/")),
                plain(&divergence["position"]),
                plain(&divergence["kind"]),
                plain(&pairing["compared"]),
            ]);
        }
        table.print();
    }
}
