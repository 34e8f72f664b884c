//! The lines of `perf stat -j -I` as intervals.

use serde_json::{Map, Value, json};

/// A figure of a counter over an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Counter {
    /// The event's name as perf tells it.
    pub name: String,
    /// None where it was not counted.
    pub value: Option<f64>,
    /// What it is counted in; empty for events.
    pub unit: String,
    /// For how much of the time it was counted, in percent.
    pub running_pct: Option<f64>,
    /// Why there is no value: `not supported`, `not counted`, or what else perf says.
    pub why: Option<String>,
}

/// All counters of an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// The interval's end in seconds since perf began.
    pub end_s: f64,
    /// In perf's order.
    pub counters: Vec<Counter>,
}

impl Interval {
    /// How many counters have a value.
    pub fn populated(&self) -> usize {
        self.counters.iter().filter(|counter| counter.value.is_some()).count()
    }

    /// The counters by name; one name twice, as on processors of two kinds, gets a number.
    pub fn row(&self) -> Map<String, Value> {
        let mut counters = Map::new();
        for counter in &self.counters {
            let mut name = counter.name.clone();
            let mut turn = 1;
            while counters.contains_key(&name) {
                turn += 1;
                name = format!("{}#{turn}", counter.name);
            }
            let (value, why) = (counter.value.map(figure), &counter.why);
            let told = json!({ "value": value, "unit": counter.unit, "running_pct": counter.running_pct, "why": why });
            counters.insert(name, told);
        }
        counters
    }
}

/// A whole number without a point, as perf writes it.
fn figure(value: f64) -> Value {
    // All whole numbers below 2^53 have their own double.
    if value.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&value) {
        json!(value as u64)
    } else {
        json!(value)
    }
}

/// Reads a line; none if it is no counter's.
pub fn line(text: &[u8]) -> Option<(f64, Counter)> {
    let object: Map<String, Value> = serde_json::from_slice(text).ok()?;
    let number = |key: &str| object.get(key).and_then(finite);
    let word = |key: &str| object.get(key).and_then(Value::as_str);
    let counted = object.get("counter-value")?;
    let value = finite(counted).filter(|value| *value >= 0.0);
    let reason = counted.as_str().unwrap_or("no number").trim_matches(|char| matches!(char, '<' | '>' | ' '));
    let counter = Counter {
        name: word("event").filter(|name| !name.is_empty())?.to_owned(),
        value,
        unit: word("unit").unwrap_or_default().to_owned(),
        running_pct: number("pcnt-running"),
        why: value.is_none().then(|| reason.to_owned()),
    };
    Some((number("interval")?, counter))
}

/// Some of perf's versions put numbers between quotes, some not.
fn finite(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    number.is_finite().then_some(number)
}

/// Lines that become intervals: one is whole when the next begins.
#[derive(Debug, Default)]
pub struct Intervals {
    open: Option<Interval>,
}

impl Intervals {
    /// Takes a counter; the interval before, if this one begins another.
    pub fn push(&mut self, end_s: f64, counter: Counter) -> Option<Interval> {
        if let Some(open) = &mut self.open
            && open.end_s.total_cmp(&end_s).is_eq()
        {
            open.counters.push(counter);
            return None;
        }
        self.open.replace(Interval { end_s, counters: vec![counter] })
    }

    /// The interval that is open; nothing more belongs to it.
    pub fn close(&mut self) -> Option<Interval> {
        self.open.take()
    }

    /// How many counters the open one has.
    pub fn pending(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.counters.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spelled(interval: &str, value: &str, event: &str) -> String {
        format!(
            "{{\"interval\" : {interval}, \"counter-value\" : \"{value}\", \"unit\" : \"msec\", \"event\" : \"{event}\", \
             \"event-runtime\" : 0, \"pcnt-running\" : 100.00, \"metric-value\" : 0.000000, \"metric-unit\" : \"\"}}"
        )
    }

    #[test]
    fn a_value_is_a_number_or_a_reason() {
        let (end, counter) = line(spelled("0.100230249", "0.781648", "task-clock").as_bytes()).unwrap();
        assert_eq!((end, counter.value, counter.unit.as_str()), (0.100_230_249, Some(0.781_648), "msec"));
        assert_eq!((counter.running_pct, counter.why), (Some(100.0), None));
        for (spelling, why) in [("<not counted>", "not counted"), ("<not supported>", "not supported"), ("nan", "nan")]
        {
            let (_, counter) = line(spelled("0.1", spelling, "cycles").as_bytes()).unwrap();
            assert_eq!((counter.value, counter.why.as_deref()), (None, Some(why)));
        }
        assert_eq!(line(b"{\"interval\" : 0.1, \"metric-value\" : 3, \"metric-unit\" : \"CPUs\"}"), None);
        assert_eq!(line(b"started on Mon Nov 23"), None);
    }

    #[test]
    fn a_row_names_each_counter_once() {
        let of = |value: Option<f64>, why: Option<&str>| Counter {
            name: "cycles".to_owned(),
            value,
            unit: String::new(),
            running_pct: Some(50.0),
            why: why.map(str::to_owned),
        };
        let interval = Interval { end_s: 0.1, counters: vec![of(Some(12.0), None), of(None, Some("not counted"))] };
        assert_eq!(interval.populated(), 1);
        assert_eq!(
            Value::Object(interval.row()),
            json!({
                "cycles": { "value": 12, "unit": "", "running_pct": 50.0, "why": null },
                "cycles#2": { "value": null, "unit": "", "running_pct": 50.0, "why": "not counted" },
            })
        );
    }

    proptest! {
        #[test]
        fn each_interval_is_one_whatever_was_counted(sizes in prop::collection::vec(1_usize..5, 0..20)) {
            let (mut intervals, mut found) = (Intervals::default(), Vec::new());
            for (number, size) in sizes.iter().enumerate() {
                for counter in 0..*size {
                    let text = spelled(&format!("{number}.5"), "<not counted>", &format!("e{counter}"));
                    let (end, counter) = line(text.as_bytes()).unwrap();
                    found.extend(intervals.push(end, counter));
                }
            }
            found.extend(intervals.close());
            prop_assert_eq!(found.iter().map(|interval| interval.counters.len()).collect::<Vec<_>>(), sizes);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = line(&text);
        }
    }
}
