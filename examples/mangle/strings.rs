//! Offences inside strings.

use super::line::Shape;
use super::numbers::Random;
use super::piece::Planted;
use super::reasons;
use super::spot::{FOREIGN, Spot, any_of, pick};

/// Bytes put into a string, just behind its first quote or before its last one; they are the offence.
fn spoilt(spot: &Spot<'_>, random: &mut Random, bytes: &[u8], keys: bool, reason: &str) -> Option<Planted> {
    let line = spot.line;
    let strings = spot.tokens(|at, token| match token.shape {
        Shape::String => true,
        Shape::Key => keys || !spot.leads_to_a_role(at),
        _ => false,
    });
    let token = line.tokens[any_of(random, strings)?];
    let at = if random.chance(0.5) { token.start + 1 } else { token.end - 1 };
    spot.fault(line.with(at..at, bytes), at, reason)
}

pub fn control_character(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let bytes: &[&[u8]] = &[b"\0", b"\0\0\0\0", b"\x01", b"\t", b"\r", b"\x1b[31m", b"\x1f", b"\x08"];
    let chosen = pick(random, bytes);
    spoilt(spot, random, chosen, true, reasons::CONTROL_CHARACTER)
}

pub fn bad_escape(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let text =
        pick(random, &["\\x41", "\\'", "\\a", "\\0", "\\U0041", "\\u00g1", "\\u{41}", "\\ ", "\\N", "\\u+123", "\\v"]);
    spoilt(spot, random, text.as_bytes(), true, reasons::BAD_ESCAPE)
}

/// Not in keys on the way to a role: such a key would not be found, and that is told first.
pub fn invalid_utf8(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let bytes: &[&[u8]] = &[
        b"\xff",
        b"\x80",
        b"\xc0\x80",
        b"\xc3",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x9f\x98",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"caf\xe9",
    ];
    let chosen = pick(random, bytes);
    let sound = chosen.iter().take_while(|byte| byte.is_ascii()).count();
    let planted = spoilt(spot, random, chosen, false, reasons::INVALID_UTF8)?;
    Some(planted.later(sound))
}

/// A string whose last quote is lost.
pub fn string_open(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    if random.chance(0.5) {
        let (bytes, at) = spot.append(pick(random, &["\"open", "\"", "\"open \\\\", "\"a\\\"", "[1,\"x]"]));
        let end = line.end + (bytes.len() - line.bytes.len());
        debug_assert!(at < end);
        return spot.fault(bytes, end, reasons::STRING_OPEN);
    }
    // It then reaches to the next key's first quote, and that key follows without a comma.
    let is_word = |at: usize| line.bytes[line.tokens[at].start + 1].is_ascii_alphanumeric();
    let goes_on = |at: usize| line.tokens.get(at + 1).is_some_and(|next| next.shape == Shape::Comma);
    let top = |at: usize| line.tokens[at].shape == Shape::String && line.tokens[at].depth == 1;
    let at = any_of(random, spot.tokens(|at, _| top(at) && goes_on(at) && is_word(at + 2)))?;
    let quote = line.tokens[at].end - 1;
    spot.fault(line.with(quote..quote + 1, ""), line.tokens[at + 2].start, reasons::COMMA_MISSING)
}

/// Surrogates by themselves, noncharacters, separators of Unicode, DEL, long escapes: all of it is allowed.
pub fn odd_text(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let text = pick(
        random,
        &[
            "\\ud800",
            "\\udfff",
            "\\uDC00\\uD800",
            "\\u0000",
            "\\u001f",
            "\u{7f}",
            "\u{2028}",
            "\u{feff}",
            "\u{fffe}",
            "\u{10ffff}",
            "\\ud83d\\ude00",
            "\\/",
            "\u{85}",
            "}{",
            "],[",
            "//",
        ],
    );
    let at = any_of(random, spot.tokens(|at, token| token.shape == Shape::String && !spot.is_role(at)));
    let Some(at) = at else {
        return spot.harmless(spot.insert(random, format!("\"{text}\""))?.bytes);
    };
    let behind = spot.line.tokens[at].start + 1;
    spot.harmless(spot.line.with(behind..behind, text))
}

/// A key twice where no role is meant: the last one counts.
pub fn key_twice(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let value = format!("0,{FOREIGN}{}", pick(random, &["1", "{}", "null", "\"x\""]));
    spot.harmless(spot.insert(random, value)?.bytes)
}
