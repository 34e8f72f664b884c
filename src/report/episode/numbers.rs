//! Amounts and times, spelled for people.

use super::super::visible::{bytes, grouped};
use crate::episode::measure::Unit;

/// A value in its unit: `2.40 s`, `1.29 MB/s`, `1,250/s`.
pub(super) fn value(unit: &Unit, value: f64) -> String {
    match unit {
        Unit::Seconds => seconds(value),
        Unit::SecondsPerSecond => format!("{} s/s", digits(value)),
        Unit::Bytes => many_bytes(value),
        Unit::BytesPerSecond => format!("{}/s", many_bytes(value)),
        Unit::PerSecond => format!("{}/s", digits(value)),
        Unit::Number => digits(value),
        Unit::NamedPerSecond(name) => format!("{} {}/s", digits(value), super::super::visible(name)),
    }
}

fn many_bytes(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", bytes(value.abs().round() as u64))
}

/// A number with three digits that count, or as it is if it is whole and not long.
pub(super) fn digits(value: f64) -> String {
    const UNITS: [(f64, &str); 3] = [(1e12, " T"), (1e9, " G"), (1e6, " M")];
    let size = value.abs();
    if size < 1e6 && value.fract() == 0.0 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", grouped(size as u64));
    }
    if size >= 1e15 {
        return format!("{value:.2e}");
    }
    if let Some((unit, word)) = UNITS.into_iter().find(|(unit, _)| size >= *unit) {
        return format!("{}{word}", three(value / unit));
    }
    three(value)
}

/// Three digits that count.
fn three(value: f64) -> String {
    match value.abs() {
        size if size >= 999.5 => format!("{}{}", if value < 0.0 { "-" } else { "" }, grouped(size.round() as u64)),
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.9995 => format!("{value:.2}"),
        size if size >= 0.0005 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}

/// A length of time: `350 µs`, `12.3 ms`, `2.40 s`, `3 min 20 s`, `2 h 5 min`.
pub(super) fn seconds(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0 s".to_owned()
    } else if size < 0.0009995 {
        format!("{} µs", three(value * 1e6))
    } else if size < 0.9995 {
        format!("{} ms", three(value * 1e3))
    } else if size < 119.95 {
        format!("{} s", three(value))
    } else if size < 7170.0 {
        let whole = value.round() as i64;
        format!("{} min {} s", whole / 60, (whole % 60).abs())
    } else {
        let whole = (value / 60.0).round() as i64;
        format!("{} h {} min", whole / 60, (whole % 60).abs())
    }
}

/// A time of an episode's clock in seconds, with milliseconds: `12.345`.
pub(super) fn clock(nanoseconds: u64) -> String {
    format!("{}.{:03}", nanoseconds / 1_000_000_000, nanoseconds / 1_000_000 % 1_000)
}

/// How much more, as a part: `+20.1 %`, or beyond tenfold, how many times: `×12.0`.
pub(super) fn change(part: Option<f64>) -> String {
    match part {
        None => "from 0".to_owned(),
        Some(part) if part.abs() >= 9.0 => format!("×{}", digits_of_times(part + 1.0)),
        Some(part) => {
            let percent = format!("{:+.1} %", part * 100.0);
            if percent == "-0.0 %" { "+0.0 %".to_owned() } else { percent }
        }
    }
}

fn digits_of_times(times: f64) -> String {
    if times.abs() >= 1000.0 { digits(times.round()) } else { three(times) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_three_digits_that_count() {
        for (amount, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-12_345.0, "-12,345"),
            (0.98765, "0.988"),
            (0.99999, "1.00"),
            (2.4, "2.40"),
            (12.345, "12.3"),
            (123.45, "123"),
            (1234.5, "1,235"),
            (0.000_012, "1.2e-5"),
            (12_345_678.0, "12.3 M"),
            (2_500_000_000.0, "2.50 G"),
            (1e18, "1.00e18"),
        ] {
            assert_eq!(digits(amount), text);
        }
        assert_eq!(value(&Unit::BytesPerSecond, 1_290_000.4), "1.29 MB/s");
        assert_eq!(value(&Unit::Bytes, -5.0), "-5 bytes");
        assert_eq!(value(&Unit::NamedPerSecond("msec".into()), 98.7), "98.7 msec/s");
    }

    #[test]
    fn times_read_well() {
        for (time, text) in [
            (0.0, "0 s"),
            (0.000_35, "350 µs"),
            (0.0123, "12.3 ms"),
            (2.4, "2.40 s"),
            (100.04, "100 s"),
            (200.2, "3 min 20 s"),
            (7500.0, "2 h 5 min"),
        ] {
            assert_eq!(seconds(time), text);
        }
        assert_eq!(clock(12_345_678_901), "12.345");
    }

    #[test]
    fn changes_are_parts_or_times() {
        assert_eq!(
            [Some(0.2), Some(-0.1734), Some(-0.0), Some(-0.0001), Some(11.0), Some(4999.4), None].map(change),
            ["+20.0 %", "-17.3 %", "+0.0 %", "+0.0 %", "×12.0", "×5,000", "from 0"]
        );
    }
}
