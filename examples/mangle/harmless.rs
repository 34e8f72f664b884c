//! What logs may hold although few do: `check` must not name it.

use super::line::Shape;
use super::numbers::Random;
use super::piece::Planted;
use super::spot::{Spot, any_of, pick};

/// Numbers and tokens that other readers cannot hold.
pub fn odd_number(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let text = pick(
        random,
        &[
            "NaN",
            "Infinity",
            "-Infinity",
            "1e400",
            "-1E-400",
            "1234567890123456789012345678901234567890",
            "-0",
            "0.0e-0",
            "1e99999999999999999999",
            "0.1000000000000000055511151231257827021181583404541015625",
            "18446744073709551616",
        ],
    );
    let numbers = spot.tokens(|at, token| token.shape == Shape::Number && !spot.is_role(at));
    match any_of(random, numbers) {
        Some(at) => {
            let token = spot.line.tokens[at];
            spot.harmless(spot.line.with(token.start..token.end, text))
        }
        None => spot.harmless(spot.insert(random, text)?.bytes),
    }
}

/// A member more, in front or behind.
pub fn member(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let text =
        pick(random, &["null", "[]", "{}", "[[],{},\"]\"]", "\"\"", "{\"a\":{\"a\":{}}}", "-1.5e-3", "[1, 2 ,\t3]"]);
    match random.chance(0.5) {
        true => spot.harmless(spot.insert(random, text)?.bytes),
        false => spot.harmless(spot.append(text).0),
    }
}

/// Blanks between tokens.
pub fn spaced(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    let mut bytes = line.bytes.clone();
    for token in line.tokens[1..].iter().rev() {
        let blanks = pick(random, &["", "", " ", "\t", "\r", "  "]);
        bytes.splice(token.start..token.start, blanks.bytes());
    }
    spot.harmless(bytes)
}

/// Blanks around a line.
pub fn indented(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    let [before, behind] = [0, 1].map(|_| pick(random, &["", " ", "\t", "\r", "   \t"]));
    let bytes = [before.as_bytes(), &line.bytes[..line.end], behind.as_bytes(), line.ending()].concat();
    spot.harmless(bytes)
}

/// A line ends as other systems end theirs.
pub fn carriage_return(spot: &Spot<'_>, _: &mut Random) -> Option<Planted> {
    let line = spot.line;
    if line.ending() != b"\n" {
        return None;
    }
    spot.harmless(line.with(line.end..line.end, "\r"))
}

/// Nothing ends the last line, which is whole.
pub fn last_newline(spot: &Spot<'_>, _: &mut Random) -> Option<Planted> {
    let line = spot.line;
    if !spot.is_last || !line.bytes.ends_with(b"\n") {
        return None;
    }
    spot.harmless(line.bytes[..line.bytes.len() - 1].to_vec())
}
