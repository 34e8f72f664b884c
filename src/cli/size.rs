//! Sizes as people type them (`4096`, `4K`, `64KiB`, `8M`, `1GB`), and how many of a list are shown (`20`, `all`).

/// How many of a list are shown; the greatest number stands for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub usize);

impl Limit {
    pub const ALL: Limit = Limit(usize::MAX);
}

/// Reads how many are shown.
///
/// # Errors
/// What may be written instead.
pub fn parse_limit(text: &str) -> Result<Limit, String> {
    match text {
        "all" => Ok(Limit::ALL),
        number => number.parse().map(Limit).map_err(|_| "write a number, or all".to_owned()),
    }
}

/// Reads a size in bytes. `K`, `M`, `G` and `KiB`, `MiB`, `GiB` count in steps of 1024, `KB`, `MB`, `GB` in
/// steps of 1000, as in GNU tools.
///
/// # Errors
/// A sentence naming what is wrong.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    let complaint = || "write bytes as 4096, 64KiB, 8M or 1GB".to_owned();
    let number: u64 = digits.parse().map_err(|_| complaint())?;
    let factor: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(complaint()),
    };
    match number.checked_mul(factor) {
        Some(0) => Err("must be more than 0".to_owned()),
        Some(bytes) if bytes <= i64::MAX as u64 => Ok(bytes),
        _ => Err("is more than any file holds".to_owned()),
    }
}

/// Writes a number of bytes for people: `512 B`, `1.3 GB`.
pub fn show_bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// Writes a count with commas between thousands: `1,250,000`.
pub fn show_count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_usual_spelling() {
        for (text, bytes) in [
            ("1", 1),
            ("4096", 4096),
            ("4K", 4096),
            ("4k", 4096),
            ("64KiB", 65536),
            ("8M", 8 << 20),
            ("1GiB", 1 << 30),
            ("1GB", 1_000_000_000),
            ("2 MB", 2_000_000),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "K", "0", "0K", "-1", "1.5M", "4X", "99999999999999999999", "9999999999G"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_have_commas_and_bytes_have_units() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1000, 1_234_567].map(show_count)[..]);
        assert_eq!(["0 B", "999 B", "1.0 kB", "1.3 GB"], [0, 999, 1000, 1_290_000_000].map(show_bytes)[..]);
    }
}
