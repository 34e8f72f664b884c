//! Damage of whole lines: torn, glued, foreign, twice, in another order.

use super::line::trimmed;
use super::log::BYTE_ORDER_MARK;
use super::numbers::Random;
use super::piece::{Piece, Planted, Says};
use super::reasons;
use super::spot::{FOREIGN, Spot, any_of, pick};

/// The rest of a line is lost, as in a crash that other threads survive. On the last line nothing ends it.
pub fn cut(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    let at = line.start + 1 + random.below((line.end - line.start - 1) as u64) as usize;
    let kept = trimmed(&line.bytes[..at]).1;
    // Behind a brace it might be taken for the whole line.
    if line.bytes[kept - 1] == b'}' || line.bytes[..kept].ends_with(b"},") {
        return None;
    }
    let ending: &[u8] = if spot.is_last { b"" } else { b"\n" };
    spot.fault([&line.bytes[..at], ending].concat(), kept - 1, reasons::NO_END)
}

pub fn comma_behind(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let end = spot.line.end;
    spot.fault(spot.line.with(end..end, pick(random, &[",", ", ", ",\t"])), end, reasons::COMMA_BEHIND)
}

/// Something else stands behind the object.
pub fn text_behind(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let text = pick(random, &[";", " // note", "]", "\0\0\0", "\u{1a}", ",,", "\u{c}", ".", "\u{2028}", "\u{feff}"]);
    let end = spot.line.end;
    spot.fault(spot.line.with(end..end, text), end + text.len() - 1, reasons::NO_END)
}

/// Something else stands in front of it.
pub fn text_before(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let texts =
        ["data: ", "2026-01-31 12:00:00 ", ",", "\u{1e}", "//", "}", "\u{c}", "INFO\t", "\u{a0}", "null", "\u{b}"];
    let start = spot.line.start;
    spot.fault(spot.line.with(start..start, pick(random, &texts)), start, reasons::NO_OBJECT)
}

pub fn byte_order_mark(spot: &Spot<'_>, _: &mut Random) -> Option<Planted> {
    // At the log's start it is allowed.
    let at = spot.line.start;
    (!spot.is_first).then(|| spot.fault(spot.line.with(at..at, BYTE_ORDER_MARK), at, reasons::BYTE_ORDER_MARK))?
}

pub fn array_style(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    match random.below(3) {
        0 => spot.fault(line.with(line.start..line.start, "["), line.start, reasons::ARRAY),
        1 => spot.fault([b"[", line.text(), b"]\n"].concat(), 0, reasons::ARRAY),
        _ => {
            let text = pick(random, &["[\n", "]\n", "],\n", "[1,2]\n", "[]\r\n", "[[[\n", "[null]\n"]);
            spot.in_front(Piece::fault(text.as_bytes().to_vec(), 0, reasons::ARRAY))
        }
    }
}

/// A line that is no object.
pub fn garbage(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let texts = [
        "garbage",
        "42",
        "\"x\"",
        "null",
        "true",
        "NaN",
        "}",
        "},",
        ":",
        "-- MARK --",
        "\\{\\}",
        "\u{0}",
        "'{}'",
        "\u{feff}x",
    ];
    let text = pick(random, &texts);
    let reason = if text.starts_with('\u{feff}') { reasons::BYTE_ORDER_MARK } else { reasons::NO_OBJECT };
    if spot.is_first && reason == reasons::BYTE_ORDER_MARK {
        return None;
    }
    let blanks = pick(random, &["", "", "  ", "\t"]);
    spot.in_front(Piece::fault(format!("{blanks}{text}\n").into_bytes(), blanks.len(), reason))
}

/// Bytes that were never written, as a crash of the machine leaves them.
pub fn nul_bytes(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let mut bytes = vec![0; 2 + random.below(600) as usize];
    if !random.chance(0.5) {
        bytes.push(b'\n');
        return spot.in_front(Piece::fault(bytes, 0, reasons::UTF_16));
    }
    // In front of a line that goes on.
    bytes.extend(spot.line.text());
    bytes.push(b'\n');
    spot.fault(bytes, 0, reasons::UTF_16)
}

/// One line in UTF-16 among others.
pub fn utf_16(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let text = str::from_utf8(spot.line.text()).ok().filter(|text| text.is_ascii())?;
    let mut bytes: Vec<u8> = match random.below(4) {
        0 => [b"\xFF\xFE".to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(),
        1 => [b"\xFE\xFF".to_vec(), text.encode_utf16().flat_map(u16::to_be_bytes).collect()].concat(),
        2 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    };
    bytes.push(b'\n');
    spot.fault(bytes, 0, reasons::UTF_16)
}

/// What should end the line is not there, or is no line feed: two events in one line.
pub fn glued(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let (line, next) = (spot.line, spot.next?);
    let between = pick(random, &["", "", "\r", "\u{2028}", "\u{c}", "\0", ",", " ", "\u{1e}"]);
    let bytes = [&line.bytes[..line.end], between.as_bytes(), &next.bytes[next.start..]].concat();
    // Blanks may stand behind an object; but where it was walked to its end, that should be the line's.
    let blanks = if matches!(between, "\r" | " ") && !line.lacks_a_role { 1 } else { 0 };
    Some(Planted { takes: 2, gives: vec![Piece::fault(bytes, line.end + blanks, reasons::TRAILING)] })
}

/// An event is written over several lines.
pub fn pretty(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    let members: Vec<_> = line.members(0).collect();
    if members.is_empty() {
        return None;
    }
    let (indent, ending) = (pick(random, &["  ", "\t", ""]), pick(random, &["\n", "\r\n"]));
    let bracket = |text: &str, reason| Piece::fault(format!("{text}{ending}").into_bytes(), 0, reason);
    let mut gives = vec![bracket("{", reasons::NO_END)];
    for (at, (key, _, behind)) in members.iter().enumerate() {
        let comma = if at + 1 < members.len() { "," } else { "" };
        let member = &line.bytes[line.span(*key, *behind)];
        let bytes = [indent.as_bytes(), member, comma.as_bytes(), ending.as_bytes()].concat();
        gives.push(Piece::fault(bytes, indent.len(), reasons::NO_OBJECT));
    }
    gives.push(bracket("}", reasons::NO_OBJECT));
    Some(Planted { takes: 1, gives })
}

/// A line over the limit; the piece is judged by its length.
pub fn overlong(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let limit = usize::try_from(spot.max_line).ok()?;
    let room = limit + 1 + random.below(limit as u64 / 4 + 1) as usize;
    let inserted = spot.insert(random, format!("\"{}\"", "x".repeat(room)))?;
    spot.harmless(inserted.bytes)
}

/// As long as is allowed.
pub fn long(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let limit = usize::try_from(spot.max_line).ok()?;
    let around = spot.insert(random, "\"\"")?;
    let room = limit.checked_sub(around.bytes.len())?;
    let behind = around.value_at + 1;
    let mut bytes = around.bytes;
    bytes.splice(behind..behind, std::iter::repeat_n(b'x', room));
    spot.harmless(bytes)
}

/// A line is written twice.
pub fn twice(spot: &Spot<'_>, _: &mut Random) -> Option<Planted> {
    // A last line that nothing ends cannot stand in front of itself.
    if !spot.line.bytes.ends_with(b"\n") {
        return None;
    }
    spot.in_front(spot.itself())
}

/// Two lines change places.
pub fn swapped(spot: &Spot<'_>, _: &mut Random) -> Option<Planted> {
    let next = spot.next.filter(|next| next.bytes.ends_with(b"\n"))?;
    Some(Planted { takes: 2, gives: vec![Piece::event(next.bytes.clone(), next.event.clone()), spot.itself()] })
}

/// A line is lost.
pub fn lost(spot: &Spot<'_>, _: &mut Random) -> Option<Planted> {
    // Else the next one would be first, where a byte order mark is allowed.
    (!spot.is_first).then(|| Planted { takes: 1, gives: Vec::new() })
}

/// The log ends in a line that was never written to its end, behind the last whole one.
pub fn torn(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    if !spot.is_last || !line.bytes.ends_with(b"\n") {
        return None;
    }
    let from = line.tokens[any_of(random, spot.tokens(|at, _| at > 0))?].start;
    let (bytes, at, reason) = match random.below(3) {
        0 => (vec![0; 4096], 0, reasons::UTF_16),
        1 => (format!("{{{FOREIGN}\"to").into_bytes(), FOREIGN.len() + 3, reasons::NO_END),
        _ => {
            let kept = trimmed(&line.bytes[line.start..from]).1;
            let text = line.bytes[line.start..line.start + kept].to_vec();
            if text.ends_with(b"}") || text.ends_with(b"},") {
                return None;
            }
            (text, kept - 1, reasons::NO_END)
        }
    };
    Some(Planted { takes: 1, gives: vec![spot.itself(), Piece::fault(bytes, at, reason)] })
}

/// A blank line.
pub fn blank(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let text = pick(random, &["\n", "\r\n", "  \n", "\t \r\n", "\n\n\n", "\r\r\n"]);
    let mut gives: Vec<Piece> =
        text.split_inclusive('\n').map(|line| Piece { bytes: line.as_bytes().to_vec(), says: Says::Blank }).collect();
    gives.push(spot.itself());
    Some(Planted { takes: 1, gives })
}
