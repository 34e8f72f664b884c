//! Offences against the roles: threads, ordinals and kinds that are none, keys that stand twice, second headers.

use super::line::{Place, Shape};
use super::numbers::Random;
use super::piece::{Event, Piece, Planted};
use super::reasons;
use super::roles::Role;
use super::spot::{Spot, any_of, pick};

impl Spot<'_> {
    /// Any place of a role in whose value no other role stands.
    fn role(&self, random: &mut Random, role: Role) -> Option<Place> {
        let places = &self.line.places;
        let is_alone = |place: &Place| {
            let within = |other: &&Place| (place.value..place.behind).contains(&other.value);
            places.iter().filter(within).count() == 1
        };
        any_of(random, places.iter().filter(|place| place.role == role && is_alone(place)).copied())
    }

    /// The line with a role's value replaced.
    fn replaced(&self, place: Place, value: &str) -> (Vec<u8>, usize) {
        let span = self.line.span(place.value, place.behind);
        (self.line.with(span.clone(), value), span.start)
    }

    /// The line with a role's own key renamed.
    fn renamed(&self, place: Place) -> Vec<u8> {
        let token = self.line.tokens[place.key];
        self.line.with(token.start..token.end, "\"mangled\"")
    }
}

pub fn thread_missing(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let place = spot.role(random, Role::Thread)?;
    let reason = format!("the thread key {} is missing", spot.roles.thread_name);
    spot.fault(spot.renamed(place), spot.line.start, reason)
}

pub fn odd_thread(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let place = spot.role(random, Role::Thread)?;
    let texts = ["null", "true", "false", "6.5", "[6]", "[]", "{}", "{\"id\":6}", "NaN", "-Infinity", "1e-1", "0.1e0"];
    let (bytes, at) = spot.replaced(place, pick(random, &texts));
    spot.fault(bytes, at, format!("the thread key {} is neither integer nor string", spot.roles.thread_name))
}

pub fn ordinal_missing(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let place = spot.role(random, Role::Ordinal)?;
    let reason = format!("the ordinal {} is missing", spot.roles.ordinal_name);
    spot.fault(spot.renamed(place), spot.line.start, reason)
}

pub fn odd_ordinal(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let place = spot.role(random, Role::Ordinal)?;
    let texts = [
        "\"3\"",
        "\"\"",
        "-1",
        "0.5",
        "null",
        "true",
        "[]",
        "[3]",
        "{}",
        "NaN",
        "Infinity",
        "18446744073709551616",
        "1180591620717411303424",
        "1e400",
        "1234567890123456789012345678901234567890",
        "-1e0",
        "1e-1",
        "3.0000000000000000001",
    ];
    let (bytes, at) = spot.replaced(place, pick(random, &texts));
    let name = &spot.roles.ordinal_name;
    spot.fault(bytes, at, format!("the ordinal {name} is no integer from 0 to 2^64-1"))
}

pub fn odd_kind(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let place = spot.role(random, Role::Kind)?;
    let (bytes, at) = spot.replaced(place, pick(random, &["{}", "[]", "[\"a\"]", "{\"name\":\"a\"}", "[[]]"]));
    spot.fault(bytes, at, reasons::ODD_KIND)
}

/// One of the line's own role keys stands twice.
pub fn role_twice(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    let place = any_of(random, line.places.iter().copied())?;
    let (_, value, behind) = line.members(0).find(|(key, ..)| *key == place.top)?;
    let key = line.tokens[place.top];
    let name: String = serde_json::from_slice(&line.bytes[key.start..key.end]).ok()?;
    let is_plain = name.chars().next().is_some_and(|first| first.is_ascii_alphanumeric());
    let spelled = match is_plain && random.chance(0.3) {
        true => format!("\"\\u{:04x}{}\"", u32::from(name.chars().next()?), &name[1..]),
        false => String::from_utf8(line.bytes[key.start..key.end].to_vec()).ok()?,
    };
    let brace = line.tokens[0].end;
    let (bytes, at) = if random.chance(0.5) {
        // The first one counts, so it says the same.
        let value = &line.bytes[line.span(value, behind)];
        let member = [spelled.as_bytes(), b":", value, b","].concat();
        let moved = member.len();
        (line.with(brace..brace, member), key.start + moved)
    } else {
        let end = line.end - 1;
        let value = pick(random, &["1", "null", "\"x\"", "{}"]);
        (line.with(end..end, format!(",{spelled}:{value}")), end + 1)
    };
    spot.fault(bytes, at, reasons::twice(&name))
}

/// A second run is written into the same log.
pub fn second_header(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let kind = spot.roles.header.as_ref()?.kind.as_ref()?;
    if random.chance(0.5) {
        let text = [spot.header?.trim_ascii(), b"\n"].concat();
        return spot.in_front(Piece::fault(text, 0, reasons::SECOND_RUN));
    }
    let place = spot.role(random, Role::Kind)?;
    let (bytes, _) = spot.replaced(place, &serde_json::Value::from(kind.as_str()).to_string());
    spot.fault(bytes, spot.line.start, reasons::SECOND_RUN)
}

/// An object that has none of the roles.
pub fn foreign_object(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let text =
        pick(random, &["{}\n", "{ }\n", "{\"mangled\":1}\n", "{\"mangled\":{\"deep\":[]}}\n", "{\"\":null}\r\n"]);
    let bytes = text.as_bytes().to_vec();
    let reason = match (spot.roles.has(Role::Thread), spot.roles.has(Role::Ordinal)) {
        (true, _) => format!("the thread key {} is missing", spot.roles.thread_name),
        (false, true) => format!("the ordinal {} is missing", spot.roles.ordinal_name),
        // Any object is an event then.
        (false, false) => return None,
    };
    spot.in_front(Piece::fault(bytes, 0, reason))
}

/// Ordinals in the wrong order; what must be named, only the lane knows.
fn ordinal(
    spot: &Spot<'_>,
    random: &mut Random,
    other: impl FnOnce(&mut Random, u64) -> Option<u64>,
) -> Option<Planted> {
    let (place, now) = (spot.role(random, Role::Ordinal)?, spot.line.event.ordinal?);
    let ordinal = other(random, now).filter(|other| *other != now)?;
    let (bytes, _) = spot.replaced(place, &ordinal.to_string());
    spot.says(bytes, Event { ordinal: Some(ordinal), ..spot.line.event.clone() })
}

pub fn ordinal_back(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    ordinal(spot, random, |random, now| now.checked_sub(1 + random.below(3.min(now.max(1)))))
}

pub fn ordinal_ahead(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    ordinal(spot, random, |random, now| now.checked_add(pick(random, &[1, 2, 5])))
}

pub fn ordinal_anew(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    ordinal(spot, random, |_, _| Some(0))
}

/// An event becomes another thread's.
pub fn thread_swapped(spot: &Spot<'_>, _: &mut Random) -> Option<Planted> {
    let next = spot.next.filter(|next| next.event.thread != spot.line.event.thread)?;
    let [mine, theirs] = [spot.line, next].map(|line| line.places.iter().filter(|place| place.role == Role::Thread));
    // One part of the key is exchanged; with several parts the others may differ too.
    let (place, other) = mine.zip(theirs).next()?;
    if spot.line.places.iter().filter(|place| place.role == Role::Thread).count() > 1 {
        return None;
    }
    let value = &next.bytes[next.span(other.value, other.behind)];
    let span = spot.line.span(place.value, place.behind);
    spot.says(spot.line.with(span, value), Event { thread: next.event.thread.clone(), ..spot.line.event.clone() })
}

/// A kind that is none of the known ones, or not there at all: allowed, but nothing ends with it.
pub fn kind_lost(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let place = spot.role(random, Role::Kind)?;
    let event = Event { ends: false, ..spot.line.event.clone() };
    if random.chance(0.3) {
        return spot.says(spot.renamed(place), event);
    }
    let (bytes, _) = spot.replaced(place, pick(random, &["null", "3", "true", "\"\"", "\"mangled\"", "NaN", "1e999"]));
    spot.says(bytes, event)
}

/// A payload that is no object, or not there at all: allowed.
pub fn payload_lost(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let place = spot.role(random, Role::Payload)?;
    if random.chance(0.3) {
        return spot.harmless(spot.renamed(place));
    }
    let (bytes, _) =
        spot.replaced(place, pick(random, &["null", "[1]", "\"x\"", "NaN", "-0", "{}", "true", "[[],{}]"]));
    spot.harmless(bytes)
}

/// Roles spelled in another way that says the same.
pub fn respelled(spot: &Spot<'_>, random: &mut Random) -> Option<Planted> {
    let line = spot.line;
    let place = any_of(random, line.places.iter().copied())?;
    if random.chance(0.4) {
        let key = line.tokens[place.key];
        let text = &line.bytes[key.start + 1..key.end - 1];
        let first = text.first().filter(|byte| byte.is_ascii_alphanumeric())?;
        return spot.harmless(line.with(key.start + 1..key.start + 2, format!("\\u{:04X}", u32::from(*first))));
    }
    let token = line.tokens[place.value];
    let text = str::from_utf8(&line.bytes[token.start..token.end]).ok()?;
    let other = match token.shape {
        Shape::Number if text.bytes().all(|byte| byte.is_ascii_digit()) => match random.below(5) {
            0 => format!("{text}.0"),
            1 => format!("{text}e0"),
            2 => format!("{text}.000E+00"),
            _ if text == "0" => "-0".to_owned(),
            3 => format!("{text}0e-1"),
            _ => format!("{text}00.0e-2"),
        },
        Shape::String if text.as_bytes()[1].is_ascii_alphanumeric() => {
            format!("\"\\u{:04x}{}", u32::from(text.as_bytes()[1]), &text[2..])
        }
        _ => return None,
    };
    spot.harmless(line.with(token.start..token.end, other))
}
