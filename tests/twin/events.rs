//! Events that rules take out of a log, or join, before anything is compared.

use super::json::{Number, Reader, Value};
use super::lines::Log;
use super::opened::{open, read};
use super::rules::{Asked, Path, Rules};
use std::ops::Range;

/// A rule on events.
#[derive(Clone, Debug)]
pub struct EventRule {
    /// None: every kind.
    pub kinds: Vec<String>,
    pub when: Vec<Asked>,
    pub does: Does,
}

#[derive(Clone, Debug)]
pub enum Does {
    Drop,
    /// Only what repeats an event of the same run, with the same values there, is taken out.
    Fold(Vec<Path>),
    Join(Join),
}

/// What follows, and what becomes of values.
#[derive(Clone, Debug)]
pub struct Join {
    pub then: Vec<String>,
    pub places: Vec<(Path, Tells)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tells {
    First,
    Concat,
    Sum,
}

impl EventRule {
    fn is_met(&self, kind: &Value, line: Option<&Value>) -> bool {
        let serves = self.kinds.is_empty() || is_among(kind, &self.kinds);
        let reads = !self.when.is_empty() || matches!(&self.does, Does::Fold(same) if !same.is_empty());
        serves && (!reads || line.is_some_and(|line| self.when.iter().all(|asked| asked.is_so(line))))
    }
}

fn is_among(kind: &Value, kinds: &[String]) -> bool {
    kind.as_str().is_some_and(|kind| kinds.iter().any(|own| own == kind))
}

/// What tells events of one run apart: the kind, and the values at the rule's places.
type Seen = (Value, Vec<Option<Value>>);

/// Takes events out of all lanes of a log, and joins what is left; how many are gone by each rule.
pub fn take_out(log: &mut Log, rules: &Rules) -> Vec<usize> {
    let mut counts = vec![0; rules.events.len()];
    for lane in 0..log.lanes.len() {
        let events = log.lanes[lane].events.clone();
        if rules.events.is_empty() {
            log.lanes[lane].said = events.into_iter().skip(rules.skip_start).collect();
            continue;
        }
        let kept = less_taken_out(log, rules, &events, &mut counts);
        let (left, said) = joined(log, rules, lane, &kept, &mut counts);
        let mut before = events.iter().enumerate();
        for (place, at) in left.iter().enumerate() {
            let (there, _) = before.find(|(_, event)| *event == at).expect("it was there, in this order");
            let event = &mut log.events[*at];
            event.ordinal = event.ordinal.map(|ordinal| ordinal - (there - place) as u64);
        }
        (log.lanes[lane].events, log.lanes[lane].said) = (left, said);
    }
    counts
}

/// The events that are neither dropped nor repetitions, and the rule that each meets.
fn less_taken_out(log: &Log, rules: &Rules, events: &[usize], counts: &mut [usize]) -> Vec<(usize, Option<usize>)> {
    let mut kept = Vec::new();
    let mut run: Option<(usize, Vec<Seen>)> = None;
    for &at in events {
        let kind = log.events[at].kind.clone();
        let line = read(log.written(&log.events[at]), rules).ok();
        let met = rules.events.iter().position(|rule| rule.is_met(&kind, line.as_ref()));
        let goes = match met.map(|rule| (rule, &rules.events[rule].does)) {
            None | Some((_, Does::Join(_))) => {
                run = None;
                false
            }
            Some((_, Does::Drop)) => true,
            Some((rule, Does::Fold(same))) => {
                let value = |path: &Path| line.as_ref().and_then(|line| line.at(path)).cloned();
                let event = (kind, same.iter().map(value).collect::<Vec<_>>());
                match &mut run {
                    Some((held, seen)) if *held == rule => {
                        let repeats = seen.contains(&event);
                        if !repeats {
                            seen.push(event);
                        }
                        repeats
                    }
                    _ => {
                        run = Some((rule, vec![event]));
                        false
                    }
                }
            }
        };
        match met.filter(|_| goes) {
            Some(rule) => counts[rule] += 1,
            None => kept.push((at, met)),
        }
    }
    kept
}

/// A lane's events with parts joined, each by its last one; and those that say something of objects.
fn joined(
    log: &mut Log,
    rules: &Rules,
    lane: usize,
    kept: &[(usize, Option<usize>)],
    counts: &mut [usize],
) -> (Vec<usize>, Vec<usize>) {
    let (mut left, mut said) = (Vec::new(), Vec::new());
    let mut waiting: Vec<usize> = Vec::new();
    let mut by = None;
    for &(at, met) in kept {
        let begins = met.filter(|rule| matches!(rules.events[*rule].does, Does::Join(_)));
        if let Some(rule) = by.take() {
            let parts: Vec<usize> = waiting.iter().copied().chain([at]).collect();
            match as_one(log, rules, rule, &parts) {
                None => left.push(release(log, rules, rule, &std::mem::take(&mut waiting), at)),
                Some(_) => {
                    counts[rule] += 1;
                    if left.len() >= rules.skip_start {
                        said.push(at);
                    }
                    waiting = parts;
                    match begins == Some(rule) {
                        true => by = Some(rule),
                        false => left.push(release(log, rules, rule, &std::mem::take(&mut waiting), at)),
                    }
                    continue;
                }
            }
        }
        if left.len() >= rules.skip_start {
            said.push(at);
        }
        match begins.filter(|rule| as_one(log, rules, *rule, &[at]).is_some()) {
            Some(rule) => (by, waiting) = (Some(rule), vec![at]),
            None => left.push(at),
        }
    }
    if let Some(rule) = by {
        let time = log.lanes[lane].ended.unwrap_or(log.events.len()) - 1;
        left.push(release(log, rules, rule, &waiting, time));
    }
    (left, said)
}

/// Makes the last of some parts what they are together, which came to its lane at a time.
fn release(log: &mut Log, rules: &Rules, rule: usize, parts: &[usize], time: usize) -> usize {
    let text = as_one(log, rules, rule, parts).expect("they go together");
    let last = *parts.last().expect("there are some");
    log.events[last].time = time;
    if parts.len() > 1 {
        let tail = open(&text, rules, false).expect("it opens as its parts do").tail;
        log.events[last].parts = parts.len();
        log.events[last].joined = Some((text, tail));
    }
    last
}

/// The line that some events are together, if a rule joins them all.
fn as_one(log: &Log, rules: &Rules, rule: usize, parts: &[usize]) -> Option<Vec<u8>> {
    let Does::Join(join) = &rules.events[rule].does else { return None };
    let kind = |at: &usize| &log.events[*at].kind;
    let text = |at: &usize| log.written(&log.events[*at]);
    let (first, last) = (parts.first()?, parts.last()?);
    let follows = |at: &usize| match join.then.is_empty() {
        true => kind(at) == kind(first),
        false => is_among(kind(at), &join.then),
    };
    if !parts[1..].iter().all(follows)
        || parts.len() > 1 && parts.iter().map(|at| text(at).len()).sum::<usize>() > 1 << 20
    {
        return None;
    }
    let mut out = text(last).to_vec();
    let heads = rules.thread.iter().chain(&rules.ordinal).chain(&rules.kind);
    for (path, tells) in &join.places {
        if heads.clone().any(|head| head.starts_with(path) || path.starts_with(head)) {
            continue;
        }
        let mut told: Option<Vec<u8>> = None;
        for at in parts {
            let line = read(text(at), rules).ok()?;
            let token = text(at)[place(text(at), path)?].to_vec();
            fits(*tells, line.at(path)?).then_some(())?;
            told = Some(match told {
                None => token,
                Some(told) => together(*tells, &told, &token)?,
            });
        }
        let range = place(&out, path)?;
        out.splice(range, told?);
    }
    parts.iter().all(|at| read(text(at), rules).is_ok()).then_some(out)
}

fn fits(tells: Tells, value: &Value) -> bool {
    match tells {
        Tells::First => true,
        Tells::Concat => matches!(value, Value::Text(_) | Value::Array(_)),
        Tells::Sum => value.as_integer().is_some_and(|n| n.unsigned_abs() <= u64::MAX.into()),
    }
}

fn together(tells: Tells, told: &[u8], token: &[u8]) -> Option<Vec<u8>> {
    let text = |token: &[u8]| String::from_utf8(token.to_vec()).expect("it was read");
    let (told, token) = (text(told), text(token));
    let within = |token: &str| token[1..token.len() - 1].to_owned();
    let out = match tells {
        Tells::First => told,
        Tells::Sum => (Number::parse(&told).integer()? + Number::parse(&token).integer()?).to_string(),
        Tells::Concat if told.starts_with('"') && token.starts_with('"') => {
            let digits = |text: &str| {
                let digits = text.strip_prefix("0x").or(text.strip_prefix("0X"))?;
                digits.chars().all(|c| c.is_ascii_hexdigit()).then(|| digits.to_owned())
            };
            let (told, token) = (within(&told), within(&token));
            let both = digits(&told).and(digits(&token));
            format!("\"{told}{}\"", both.unwrap_or(token))
        }
        Tells::Concat if told.starts_with('[') && token.starts_with('[') => {
            let lists: Vec<String> = [told, token].iter().map(|list| within(list).trim().to_owned()).collect();
            let filled: Vec<&str> = lists.iter().map(String::as_str).filter(|list| !list.is_empty()).collect();
            format!("[{}]", filled.join(","))
        }
        Tells::Concat => return None,
    };
    Some(out.into_bytes())
}

/// Where the value at a path stands in a line: of a key given twice the last one counts.
fn place(text: &[u8], path: &[String]) -> Option<Range<usize>> {
    let mut reader = Reader { text, at: 0, depth_max: usize::MAX, repeats: Vec::new() };
    let mut range = 0..text.len();
    for token in path {
        reader.at = range.start;
        let is_object = reader.peek() == Some(b'{');
        let is_list = reader.peek() == Some(b'[');
        (is_object || is_list).then_some(())?;
        reader.at += 1;
        let (mut found, mut number) = (None, 0);
        loop {
            reader.blanks();
            if matches!(reader.peek()?, b'}' | b']') {
                break;
            }
            let is_it = match is_object {
                true => {
                    let key = reader.string().ok()?;
                    reader.blanks();
                    reader.take(b':');
                    key == token.as_bytes()
                }
                false => token.parse() == Ok(number),
            };
            number += 1;
            reader.blanks();
            let start = reader.at;
            reader.value(1).ok()?;
            if is_it {
                found = Some(start..reader.at);
            }
            reader.blanks();
            reader.take(b',');
        }
        range = found?;
    }
    Some(range)
}
