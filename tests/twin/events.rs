//! Events that rules take out of a log before anything is compared.

use super::json::Value;
use super::lines::Log;
use super::opened::read;
use super::rules::{Asked, Path, Rules};

/// A rule on events.
#[derive(Clone, Debug)]
pub struct EventRule {
    /// None: every kind.
    pub kinds: Vec<String>,
    pub when: Vec<Asked>,
    /// Set: only what repeats an event of the same run, with the same values there, is taken out.
    pub same: Option<Vec<Path>>,
}

impl EventRule {
    fn is_met(&self, kind: &Value, line: Option<&Value>) -> bool {
        let serves =
            self.kinds.is_empty() || kind.as_str().is_some_and(|kind| self.kinds.iter().any(|own| own == kind));
        let reads = !self.when.is_empty() || self.same.as_ref().is_some_and(|same| !same.is_empty());
        serves && (!reads || line.is_some_and(|line| self.when.iter().all(|asked| asked.is_so(line))))
    }
}

/// What tells events of one run apart: the kind, and the values at the rule's places.
type Seen = (Value, Vec<Option<Value>>);

/// Takes events out of all lanes of a log; how many by each rule.
pub fn take_out(log: &mut Log, rules: &Rules) -> Vec<usize> {
    let mut counts = vec![0; rules.events.len()];
    if counts.is_empty() {
        return counts;
    }
    for lane in 0..log.lanes.len() {
        let mut kept = Vec::new();
        let mut run: Option<(usize, Vec<Seen>)> = None;
        for (place, at) in log.lanes[lane].events.clone().into_iter().enumerate() {
            let kind = log.events[at].kind.clone();
            let line = read(log.text(&log.events[at]), rules).ok();
            let met = rules.events.iter().position(|rule| rule.is_met(&kind, line.as_ref()));
            let goes = match met.map(|rule| (rule, &rules.events[rule].same)) {
                None => {
                    run = None;
                    false
                }
                Some((_, None)) => true,
                Some((rule, Some(same))) => {
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
            let gone = place - kept.len();
            if goes {
                counts[met.expect("a rule takes it")] += 1;
            } else {
                let event = &mut log.events[at];
                event.ordinal = event.ordinal.map(|ordinal| ordinal - gone as u64);
                kept.push(at);
            }
        }
        log.lanes[lane].events = kept;
    }
    counts
}
