//! Offences against the grammar between strings: numbers, literals, brackets, commas, colons, keys.

use super::line::Shape;
use super::numbers::Random;
use super::piece::Planted;
use super::reasons;
use super::spot::{Spot, any_of, pick};

/// Containers around and within a value of a line, at most.
const DEPTH_MAX: usize = 1024;

/// A scalar becomes a text that no value is.
fn broken_scalar(spot: &Spot<'_>, random: &mut Random, texts: &[&str], reason: &str) -> Option<Planted> {
    let text = pick(random, texts);
    if random.chance(0.5) {
        let inserted = spot.insert(random, text)?;
        return spot.fault(inserted.bytes, inserted.value_at, reason);
    }
    let at = spot.scalar(random)?;
    let token = spot.line.tokens[at];
    spot.fault(spot.line.with(token.start..token.end, text), token.start, reason)
}

pub fn bad_number(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let texts = [
        "007", "00", "-01", "1.", "1.e5", "-", "--1", "1e", "1E+", "1e-", "0x10", "1.2.3", "12abc", "-nan", "0b1",
        "1e5.5", "1-2", "-.5", "1f",
    ];
    broken_scalar(spot, random, &texts, reasons::BAD_NUMBER)
}

pub fn bad_literal(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let texts = [
        "tru",
        "True",
        "TRUE",
        "falsey",
        "nul",
        "nulls",
        "None",
        "nil",
        "undefined",
        "+1",
        ".5",
        "'x'",
        "nan",
        "NAN",
        "NaN0",
        "inf",
        "-Inf",
        "Infinit",
        "-Infinityx",
        "(1)",
        "<1>",
        "$1",
        "#1",
        "/*1*/1",
        "\u{a0}1",
        "x",
    ];
    broken_scalar(spot, random, &texts, reasons::BAD_LITERAL)
}

pub fn value_missing(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    if random.chance(0.3) {
        let (text, at) = pick(random, &[("[,1]", 1), ("[1,]", 3), ("[1,,2]", 3), ("{\"a\":}", 5), ("[}", 1), (":", 0)]);
        let inserted = spot.insert(random, text)?;
        return spot.fault(inserted.bytes, inserted.value_at + at, reasons::VALUE_MISSING);
    }
    let line = spot.line;
    let is_value = |at: usize| at > 0 && line.tokens[at - 1].shape == Shape::Colon;
    let scalars = spot.tokens(|at, token| !matches!(token.shape, Shape::Open(_)) && is_value(at));
    let at = any_of(random, scalars)?;
    let token = line.tokens[at];
    let behind = line.tokens[at + 1].start - (token.end - token.start);
    spot.fault(line.with(token.start..token.end, ""), behind, reasons::VALUE_MISSING)
}

pub fn key_missing(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    match random.below(4) {
        // Something else where a key should begin.
        0 => {
            let object = spot.container(random, b'{')?;
            let at = line.tokens[object].end;
            let text = pick(random, &[",", "/* note */", "// note ", "1:1,", "null:0,", "[1]:2,", "a=1,", "'a':1,"]);
            spot.fault(line.with(at..at, text), at, reasons::KEY_MISSING)
        }
        // A comma behind the last member.
        1 => {
            let closes = |at: usize| line.tokens[at].shape == Shape::Close(b'}') && at > 1;
            let is_empty = |at: usize| matches!(line.tokens[at - 1].shape, Shape::Open(_));
            let at = any_of(random, spot.tokens(|at, _| closes(at) && !is_empty(at)))?;
            let brace = line.tokens[at].start;
            spot.fault(line.with(brace..brace, ","), brace + 1, reasons::KEY_MISSING)
        }
        // Two commas.
        2 => {
            let at = any_of(random, spot.tokens(|_, token| token.shape == Shape::Comma && token.in_object))?;
            let behind = line.tokens[at].end;
            spot.fault(line.with(behind..behind, ","), behind, reasons::KEY_MISSING)
        }
        // Another kind of quotes, or none.
        _ => {
            let is_word = |text: &[u8]| {
                text.len() > 2
                    && text[1..text.len() - 1].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            };
            let keys =
                spot.tokens(|_, token| token.shape == Shape::Key && is_word(&line.bytes[token.start..token.end]));
            let token = line.tokens[any_of(random, keys)?];
            let word = line.bytes[token.start + 1..token.end - 1].to_vec();
            let quote = pick(random, &["", "'", "`"]).as_bytes();
            let key = [quote, &word, quote].concat();
            spot.fault(line.with(token.start..token.end, key), token.start, reasons::KEY_MISSING)
        }
    }
}

pub fn colon_missing(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    let at = any_of(random, spot.tokens(|_, token| token.shape == Shape::Colon))?;
    let (colon, behind) = (line.tokens[at], line.tokens[at + 1].start);
    let text = pick(random, &["", " ", "=", ";", "=>", ","]);
    let place = match text {
        "" => behind - 1,
        " " => behind,
        _ => colon.start,
    };
    // What stands before the colon's place may be blank.
    spot.fault(line.with(colon.start..colon.end, text), place, reasons::COLON_MISSING)
}

pub fn comma_missing(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    match random.below(3) {
        // Brackets of two kinds.
        0 => {
            let (text, at) = pick(random, &[("[1}", 2), ("{\"a\":1]", 6), ("[[1]}", 4), ("[1 2]", 3), ("[1;2]", 2)]);
            let inserted = spot.insert(random, text)?;
            spot.fault(inserted.bytes, inserted.value_at + at, reasons::COMMA_MISSING)
        }
        // A value goes on.
        1 => {
            let text = pick(random, &["\"a\"b", "true:1", "1_000", "{}{}", "[]0", "\"a\"\"b\"", "null=1", "1\"2\""]);
            let at = match text.as_bytes()[0] {
                b'"' => 3,
                b't' | b'n' => 4,
                b'1' => 1,
                _ => 2,
            };
            let inserted = spot.insert(random, text)?;
            spot.fault(inserted.bytes, inserted.value_at + at, reasons::COMMA_MISSING)
        }
        _ => {
            let at = any_of(random, spot.tokens(|_, token| token.shape == Shape::Comma))?;
            let (comma, behind) = (line.tokens[at], line.tokens[at + 1].start);
            let text = pick(random, &[" ", ";", "|", ":", "&"]);
            let place = if text == " " { behind } else { comma.start };
            spot.fault(line.with(comma.start..comma.end, text), place, reasons::COMMA_MISSING)
        }
    }
}

/// The last brace is lost, and another one ends the line.
pub fn unclosed(spot: &Spot<'_>, _: &mut Random) -> Option<Planted> {
    let line = spot.line;
    let before = line.tokens[line.tokens.len() - 2];
    if before.shape != Shape::Close(b'}') {
        return None;
    }
    spot.fault(line.with(before.end..line.end, ""), before.end, reasons::ENDS_EARLY)
}

/// Something stands behind the object, and a brace behind that.
pub fn trailing(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let text =
        pick(random, &["}", "}}", "]}", "{}", "x}", "null{}", ":{}", "/* {} */ {}", "\0}", "\u{b}{}", "\u{a0}{}"]);
    let end = spot.line.end;
    spot.fault(spot.line.with(end..end, text), end, reasons::TRAILING)
}

/// So many containers, one in the other, each an array or an object; where the `asked`th opens.
fn nested(random: &mut Random, containers: usize, asked: usize) -> (Vec<u8>, usize) {
    let (mut opening, mut closing, mut asked_at) = (Vec::new(), Vec::new(), 0);
    for at in 0..containers {
        if at + 1 == asked {
            asked_at = opening.len();
        }
        let is_object = random.chance(0.3);
        // The innermost one is empty.
        let is_last = at + 1 == containers;
        opening.extend_from_slice(match (is_object, is_last) {
            (true, false) => b"{\"d\":",
            (true, true) => b"{",
            (false, _) => b"[",
        });
        closing.push(if is_object { b'}' } else { b']' });
    }
    opening.extend(closing.iter().rev());
    (opening, asked_at)
}

pub fn too_deep(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let object = spot.container(random, b'{')?;
    let room = DEPTH_MAX - spot.line.tokens[object].depth - 1;
    let more = pick(random, &[1, 2, 100, 4000]);
    let (text, at) = nested(random, room + more, room + 1);
    let inserted = spot.insert_into(object, text)?;
    spot.fault(inserted.bytes, inserted.value_at + at, reasons::TOO_DEEP)
}

/// As deep as is allowed.
pub fn deep(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let object = spot.container(random, b'{')?;
    let room = DEPTH_MAX - spot.line.tokens[object].depth - 1;
    let (text, _) = nested(random, room, 0);
    spot.harmless(spot.insert_into(object, text)?.bytes)
}
