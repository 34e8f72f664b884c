//! What the rows of each collector mean: which numbers grow, which just are, and in what they are counted.

use super::metric::{Source, Unit};
use super::series::{Amount, Series};
use crate::episode::read::Row;
use crate::episode::read::lines::unescaped;
use crate::json::{Kind, Tape};

/// How a number is to be taken.
#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    /// It holds at its time.
    Gauge(Unit),
    /// It grows; each is so much of its unit.
    Counter(Unit, f64),
    /// It says nothing of what is observed.
    Nothing,
}

/// Nanoseconds in seconds.
const NANO: f64 = 1e-9;
/// Where a row of packets does not say how long it is about, it is this, in seconds: what all recorders so far have used.
const BUCKET_SECONDS: f64 = 0.1;
/// Deeper values are not looked into.
const DEPTH_MAX: usize = 16;

/// Takes the numbers of a collector's row.
pub(super) fn take(source: Source, row: &Row<'_>, series: &mut Series<'_>) {
    match source {
        Source::Episode => {}
        Source::Proc => process(row, series),
        Source::Qmp => machine(row, series),
        Source::Guest => guest(row, series),
        Source::Perf => intervals(row, series),
        Source::Netflow => packets(row, series),
    }
}

/// A row of perf, about the interval that ends with it.
fn intervals(row: &Row<'_>, series: &mut Series<'_>) {
    let told = row.tape.get(row.text, Tape::ROOT, b"interval_s").and_then(|node| amount(row, node));
    let Some(length) = told.map(Amount::value).filter(|length| *length > 0.0) else { return };
    let Some(counters) = row.tape.get(row.text, Tape::ROOT, b"counters") else { return };
    // A double far beyond any clock ends at its last time.
    let stretch = [row.time.saturating_sub((length * 1e9) as u64), row.time];
    counted(row, counters, stretch, series);
}

/// What a number of `/proc` is.
fn of_process(key: &str) -> Meaning {
    match key {
        "cpu_user_ns" | "cpu_system_ns" | "run_ns" | "wait_ns" | "tree_cpu_ns" => Meaning::Counter(Unit::Seconds, NANO),
        "read_bytes" | "write_bytes" | "read_chars" | "write_chars" | "cancelled_write_bytes" => {
            Meaning::Counter(Unit::Bytes, 1.0)
        }
        "timeslices"
        | "voluntary_switches"
        | "involuntary_switches"
        | "minor_faults"
        | "major_faults"
        | "read_calls"
        | "write_calls" => Meaning::Counter(Unit::Number, 1.0),
        // Whose process it is, and how well it was observed.
        "pid" | "ppid" | "tick" | "missed" | "t_mono_ns" | "t_wall_ns" | "start_time" => Meaning::Nothing,
        key if key.ends_with("_bytes") => Meaning::Gauge(Unit::Bytes),
        _ => Meaning::Gauge(Unit::Number),
    }
}

fn process(row: &Row<'_>, series: &mut Series<'_>) {
    for (key, node) in row.members() {
        if let Some(amount) = amount(row, node) {
            put(series, &key, of_process(&key), row.time, amount);
        }
    }
}

/// What a number of a block device is: all but a few only grow.
fn of_device(key: &str) -> Meaning {
    match key {
        key if key.contains("highest_offset") => Meaning::Gauge(Unit::Bytes),
        key if key.contains("idle") || key.contains("depth") => Meaning::Nothing,
        key if key.ends_with("_bytes") => Meaning::Counter(Unit::Bytes, 1.0),
        key if key.ends_with("_ns") => Meaning::Counter(Unit::Seconds, NANO),
        _ => Meaning::Counter(Unit::Number, 1.0),
    }
}

fn machine(row: &Row<'_>, series: &mut Series<'_>) {
    let Some(blocks) = row.tape.get(row.text, Tape::ROOT, b"blocks") else { return };
    numbers(row, blocks, &mut |path, amount| {
        let key = path.rsplit('.').next().unwrap_or(path);
        put(series, path, of_device(key), row.time, amount);
    });
}

fn guest(row: &Row<'_>, series: &mut Series<'_>) {
    let Some(told) = row.tape.get(row.text, Tape::ROOT, b"guest") else { return };
    numbers(row, told, &mut |path, amount| {
        let unit = if path.ends_with("_bytes") { Unit::Bytes } else { Unit::Number };
        put(series, path, Meaning::Gauge(unit), row.time, amount);
    });
}

fn counted(row: &Row<'_>, counters: usize, stretch: [u64; 2], series: &mut Series<'_>) {
    let number = |node| amount(row, node).map(Amount::value);
    let member = |node, key: &str| row.tape.get(row.text, node, key.as_bytes());
    if row.tape.kind(counters) != Kind::ObjectStart {
        return;
    }
    for (key, node) in row.tape.distinct_members(row.text, counters) {
        let name = unescaped(row.tape.bytes(row.text, key));
        if row.tape.kind(node) != Kind::ObjectStart {
            continue;
        }
        // What was not counted has no value, and says why.
        let Some(value) = member(node, "value").and_then(number) else { continue };
        let unit = member(node, "unit").filter(|unit| row.tape.kind(*unit) == Kind::String);
        let unit = unit.map(|unit| unescaped(row.tape.bytes(row.text, unit))).unwrap_or_default();
        let unit = if unit.is_empty() { Unit::PerSecond } else { Unit::NamedPerSecond(unit) };
        series.counted(&name, &unit, stretch, value);
    }
}

fn packets(row: &Row<'_>, series: &mut Series<'_>) {
    let number = |key: &str| {
        let node = row.tape.get(row.text, Tape::ROOT, key.as_bytes())?;
        amount(row, node).map(Amount::value).filter(|value| *value > 0.0)
    };
    let told = number("bucket_ms").map(|told| told / 1e3).or_else(|| number("interval_s"));
    let stretch = [row.time, row.time.saturating_add((told.unwrap_or(BUCKET_SECONDS) * 1e9) as u64)];
    for (key, node) in row.members() {
        let is_about = ["t_mono_ns", "t_wall_ns", "bucket_ms", "interval_s"].contains(&key.as_str());
        if let Some(amount) = amount(row, node).filter(|_| !is_about) {
            match key.as_str() {
                // One that lasts is in many buckets.
                "flows" => series.gauge(&key, &Unit::Number, row.time, amount.value()),
                key if key.contains("bytes") => series.counted(key, &Unit::BytesPerSecond, stretch, amount.value()),
                key => series.counted(key, &Unit::PerSecond, stretch, amount.value()),
            }
        }
    }
}

fn put(series: &mut Series<'_>, name: &str, meaning: Meaning, time: u64, amount: Amount) {
    match meaning {
        Meaning::Gauge(unit) => series.gauge(name, &unit, time, amount.value()),
        Meaning::Counter(unit, scale) => series.counter(name, unit, scale, time, amount),
        Meaning::Nothing => {}
    }
}

fn amount(row: &Row<'_>, node: usize) -> Option<Amount> {
    (row.tape.kind(node) == Kind::Number).then(|| Amount::read(row.tape.bytes(row.text, node)))?
}

/// All numbers below a value, each with the path to it: `cpu.0.user`.
fn numbers(row: &Row<'_>, node: usize, take: &mut impl FnMut(&str, Amount)) {
    below(row, node, &mut String::new(), 0, take);
}

fn below(row: &Row<'_>, node: usize, path: &mut String, depth: usize, take: &mut impl FnMut(&str, Amount)) {
    let length = path.len();
    let mut step = |key: &str, node: usize| {
        if length > 0 {
            path.push('.');
        }
        path.push_str(key);
        below(row, node, path, depth + 1, take);
        path.truncate(length);
    };
    match row.tape.kind(node) {
        Kind::ObjectStart if depth < DEPTH_MAX => {
            for (key, value) in row.tape.distinct_members(row.text, node) {
                step(&unescaped(row.tape.bytes(row.text, key)), value);
            }
        }
        Kind::ArrayStart if depth < DEPTH_MAX => {
            for (at, element) in row.tape.elements(node).enumerate() {
                step(&at.to_string(), element);
            }
        }
        Kind::Number => {
            if let Some(amount) = amount(row, node) {
                take(path, amount);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::measure::metric::Metric;
    use crate::episode::measure::run::Measured;
    use crate::episode::read::{Phases, Span};

    /// What rows of a collector come to in one phase of ten seconds.
    fn taken(source: Source, rows: &[&str]) -> Vec<(Metric, Measured)> {
        let end = Some(10_000_000_000);
        let spans = vec![Span { phase: 0, start: 0, end }];
        let phases = Phases { names: vec!["all".to_owned()], spans, ..Phases::default() };
        let mut series = Series::new(source, &phases);
        let mut tape = Tape::default();
        for (at, text) in rows.iter().enumerate() {
            tape.parse(text.as_bytes(), 0).unwrap();
            let time = 1_000_000_000 * (at as u64 + 1);
            take(source, &Row { tape: &tape, text: text.as_bytes(), time }, &mut series);
        }
        let mut found = Vec::new();
        series.finish(|_, metric, measured| found.push((metric, measured)));
        found
    }

    fn medians(source: Source, rows: &[&str]) -> Vec<(String, f64)> {
        taken(source, rows).into_iter().map(|(metric, measured)| (metric.name, measured.values.median)).collect()
    }

    #[test]
    fn counters_become_rates_and_begin_anew_where_they_fall() {
        let big = u64::MAX - 5;
        let rows = [
            format!(r#"{{"minor_faults": {big}, "threads": 2, "state": "R", "pid": 7, "run_ns": null}}"#),
            format!(r#"{{"minor_faults": {}, "threads": 4, "run_ns": 0}}"#, big + 5),
            r#"{"minor_faults": 3, "threads": 4}"#.to_owned(),
            r#"{"minor_faults": 10, "threads": true, "run_ns": 1e9}"#.to_owned(),
        ];
        let found = taken(Source::Proc, &rows.each_ref().map(String::as_str));
        let told: Vec<_> = found
            .iter()
            .map(|(metric, measured)| (metric.name.as_str(), measured.values.count, measured.whole))
            .collect();
        // Of 5 and 7 in two seconds; what lies between was another counter. Half of two seconds ran.
        assert_eq!(told, [("minor_faults", 2, 6.0), ("threads", 3, 4.0), ("run_ns", 1, 0.5)]);
    }

    #[test]
    fn what_perf_counted_is_told_by_the_length_of_its_interval() {
        let row = |seconds: f64, value: &str| {
            format!(
                r#"{{"interval_s": {seconds}, "counters": {{"x": {{"value": {value}, "unit": ""}}, "y": 5, "z": {{"value": 1, "unit": "msec"}}}}}}"#
            )
        };
        // The last one was cut short.
        let rows = [row(1.0, "9"), row(1.0, "2"), row(1.0, "null"), row(0.5, "4")];
        let found = taken(Source::Perf, &rows.each_ref().map(String::as_str));
        let told: Vec<_> = found
            .iter()
            .map(|(metric, measured)| (metric.told(), metric.unit.word(), measured.values.count, measured.whole))
            .collect();
        assert_eq!(
            told,
            [("perf x".to_owned(), "/s".to_owned(), 3, 6.0), ("perf z".to_owned(), "msec/s".to_owned(), 4, 4.0 / 3.5)]
        );
        for odd in [
            r#"{"counters": {}}"#,
            r#"{"interval_s": "1", "counters": []}"#,
            r#"{"interval_s": 1, "counters": 7}"#,
            r#"{"interval_s": 0, "counters": {"x": {"value": 1}}}"#,
            "{}",
        ] {
            assert!(taken(Source::Perf, &[odd, odd, odd]).is_empty());
        }
    }

    #[test]
    fn what_a_guest_tells_is_named_by_its_path() {
        let row = r#"{"guest": {"cpu": [{"user": 1}, {"user": 2.5}], "up": true, "mem": {"free_bytes": 4096}, "a.b": {"": 7}}}"#;
        let found = medians(Source::Guest, &[row]);
        let told: Vec<_> = found.iter().map(|(name, median)| (name.as_str(), *median)).collect();
        assert_eq!(told, [("cpu.0.user", 1.0), ("cpu.1.user", 2.5), ("mem.free_bytes", 4096.0), ("a.b.", 7.0)]);
        let deep = format!("{{\"guest\": {}1{}}}", "[".repeat(100), "]".repeat(100));
        assert!(medians(Source::Guest, &[&deep, r#"{"guest": 5}"#]).len() == 1);
    }

    #[test]
    fn more_metrics_than_are_summed_up_are_left_out() {
        let row = |from: usize| {
            let members: Vec<String> = (from..from + 1500).map(|at| format!("\"n{at}\": 1")).collect();
            format!("{{\"guest\": {{{}}}}}", members.join(","))
        };
        assert_eq!(medians(Source::Guest, &[&row(0), &row(700)]).len(), 1000);
    }
}
