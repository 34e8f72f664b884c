//! Lanes as people type them: `6`, `"6"`, `worker`, `6#1`, `[1,"a"]`, and the pairs of `--map`.

use crate::align::{LaneName, MapChoice};
use crate::scan::ThreadKey;

/// Reads `auto`, `same`, or pairs such as `6=1,7=2`.
///
/// # Errors
/// A sentence naming the pair that is wrong, also where one lane stands in two pairs.
pub fn parse_map(text: &str) -> Result<MapChoice, String> {
    match text.trim() {
        "auto" => return Ok(MapChoice::Auto),
        "same" => return Ok(MapChoice::Same),
        _ => {}
    }
    let mut pairs: Vec<(LaneName, LaneName)> = Vec::new();
    for token in split_outside(text, ',') {
        if token.trim().is_empty() {
            continue;
        }
        let sides = split_outside(token, '=');
        let [reference, candidate] = sides[..] else {
            return Err(format!("{:?} is no pair of threads; write REFERENCE=CANDIDATE, as in 6=1", token.trim()));
        };
        let pair = (parse_lane(reference)?, parse_lane(candidate)?);
        if pairs.iter().any(|known| known.0 == pair.0) {
            return Err(format!("thread {} of the reference is named twice", lane_argument(&pair.0)));
        }
        if pairs.iter().any(|known| known.1 == pair.1) {
            return Err(format!("thread {} of the candidate is named twice", lane_argument(&pair.1)));
        }
        pairs.push(pair);
    }
    if pairs.is_empty() {
        return Err("no pair is named; write REFERENCE=CANDIDATE, as in 6=1, or auto, or same".to_owned());
    }
    Ok(MapChoice::Given(pairs))
}

/// Reads one lane: a thread key, and after `#` its generation.
///
/// # Errors
/// A sentence naming what is wrong.
pub fn parse_lane(text: &str) -> Result<LaneName, String> {
    let text = text.trim();
    let (key, generation) = match text.rsplit_once('#') {
        Some((key, digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            (key, digits.parse().map_err(|_| format!("{digits} is more generations than a thread has"))?)
        }
        _ => (text, 0),
    };
    Ok(LaneName { thread: parse_thread(key.trim())?, generation })
}

/// Reads a thread key: a bare number is the integer, anything quoted a string, `[…]` and `(…)` a composite key,
/// `-` the only lane of a log without threads, any other word a string.
fn parse_thread(text: &str) -> Result<ThreadKey, String> {
    if text.is_empty() {
        return Err("a thread is missing".to_owned());
    }
    if text == "-" {
        return Ok(ThreadKey::Single);
    }
    let composite = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let composite = composite.or_else(|| text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')));
    if let Some(inner) = composite {
        let parts = split_outside(inner, ',').into_iter().map(|part| parse_thread(part.trim()));
        return Ok(ThreadKey::Composite(parts.collect::<Result<_, _>>()?));
    }
    if text.starts_with('"') {
        let string: String =
            serde_json::from_str(text).map_err(|error| format!("{text} is no JSON string: {error}"))?;
        return Ok(ThreadKey::Text(string.into_bytes().into()));
    }
    Ok(parse_integer(text).unwrap_or_else(|| ThreadKey::Text(text.as_bytes().into())))
}

fn parse_integer(text: &str) -> Option<ThreadKey> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return i64::from_str_radix(&format!("{sign}{hex}"), 16).ok().map(ThreadKey::Integer);
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(match text.parse() {
        Ok(number) => ThreadKey::Integer(number),
        Err(_) => ThreadKey::BigInteger(format!("{sign}{}", digits.trim_start_matches('0')).into()),
    })
}

/// Splits at a character where it stands outside quotes and brackets.
fn split_outside(text: &str, at: char) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            c if c == at && depth == 0 => {
                parts.push(&text[start..index]);
                start = index + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A map as [`parse_map`] reads it back.
pub fn map_argument(map: &MapChoice) -> String {
    let pair = |(reference, candidate): &(LaneName, LaneName)| {
        format!("{}={}", lane_argument(reference), lane_argument(candidate))
    };
    match map {
        MapChoice::Auto => "auto".to_owned(),
        MapChoice::Same => "same".to_owned(),
        MapChoice::Given(pairs) => pairs.iter().map(pair).collect::<Vec<_>>().join(","),
    }
}

/// A lane as [`parse_lane`] reads it back.
pub fn lane_argument(lane: &LaneName) -> String {
    let key = thread_argument(&lane.thread);
    if lane.generation == 0 { key } else { format!("{key}#{}", lane.generation) }
}

fn thread_argument(key: &ThreadKey) -> String {
    match key {
        ThreadKey::Text(text) => {
            let text = String::from_utf8_lossy(text);
            let bare =
                !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':'));
            if bare && parse_integer(&text).is_none() {
                text.into_owned()
            } else {
                serde_json::to_string(&text).expect("a string is always JSON")
            }
        }
        ThreadKey::Composite(parts) => {
            let parts: Vec<_> = parts.iter().map(thread_argument).collect();
            format!("[{}]", parts.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(number: i64) -> LaneName {
        LaneName { thread: ThreadKey::Integer(number), generation: 0 }
    }

    fn text(word: &str) -> ThreadKey {
        ThreadKey::Text(word.as_bytes().into())
    }

    #[test]
    fn maps_are_words_or_pairs() {
        assert_eq!(parse_map("auto"), Ok(MapChoice::Auto));
        assert_eq!(parse_map("same"), Ok(MapChoice::Same));
        let expected = MapChoice::Given(vec![(integer(6), integer(1)), (integer(7), integer(2))]);
        assert_eq!(parse_map("6=1,7=2"), Ok(expected.clone()));
        assert_eq!(parse_map(" 6 = 1 ,, 0x7=2,"), Ok(expected));
    }

    #[test]
    fn every_kind_of_lane_can_be_named() {
        for (typed, thread, generation) in [
            ("6", ThreadKey::Integer(6), 0),
            ("-6", ThreadKey::Integer(-6), 0),
            ("\"6\"", text("6"), 0),
            ("6#1", ThreadKey::Integer(6), 1),
            ("\"a,b=c\"#12", text("a,b=c"), 12),
            ("main", text("main"), 0),
            ("main#x", text("main#x"), 0),
            ("-", ThreadKey::Single, 0),
            ("18446744073709551616", ThreadKey::BigInteger("18446744073709551616".into()), 0),
            ("[1,\"a\"]", ThreadKey::Composite(vec![ThreadKey::Integer(1), text("a")].into()), 0),
            ("(1, \"a\")#2", ThreadKey::Composite(vec![ThreadKey::Integer(1), text("a")].into()), 2),
        ] {
            let lane = parse_lane(typed).unwrap();
            assert_eq!((&lane.thread, lane.generation), (&thread, generation), "{typed}");
            assert_eq!(parse_lane(&lane_argument(&lane)), Ok(lane), "{typed} typed again");
        }
    }

    #[test]
    fn quotes_and_brackets_protect_commas_and_signs() {
        let Ok(MapChoice::Given(pairs)) = parse_map("\"a=b,c\"=[1,2],x=y") else { panic!() };
        assert_eq!(pairs.len(), 2);
        assert_eq!(pairs[0].0.thread, text("a=b,c"));
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        for (typed, reason) in [
            ("6", "no pair of threads"),
            ("6=1=2", "no pair of threads"),
            ("", "no pair is named"),
            ("6=1,6=2", "of the reference is named twice"),
            ("6=1,7=1", "of the candidate is named twice"),
            ("=1", "a thread is missing"),
            ("\"6=1", "no pair of threads"),
            ("\"\\q\"=1", "no JSON string"),
        ] {
            let error = parse_map(typed).unwrap_err();
            assert!(error.contains(reason), "{typed}: {error}");
        }
    }
}
