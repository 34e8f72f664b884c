//! Damaged lines of schema-v1 logs.

use super::pairs::tear;
use super::shapes::Rng;

/// Damages one to three places of one log, or the same place of both.
pub fn damage(lines: &mut [Vec<Vec<u8>>; 2], rng: &mut Rng) {
    for _ in 0..1 + rng.below(3) {
        let both = rng.chance(20);
        let side = rng.below(2);
        let how = rng.below(HOWS);
        let place = rng.below(lines[side].len() + 1);
        damage_one(&mut lines[side], place, how, rng);
        if both {
            damage_one(&mut lines[1 - side], place, how, rng);
        }
    }
    if rng.chance(10) {
        let side = rng.below(2);
        tear(&mut lines[side], rng);
    }
    if rng.chance(3) {
        lines[rng.below(2)].clear();
    }
}

const HOWS: usize = 44;

/// Replaces the first of `from` that the line has.
fn replace(line: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    if let Some(at) = line.windows(from.len()).position(|window| window == from) {
        line.splice(at..at + from.len(), to.iter().copied());
    }
}

/// Replaces the value after a key by another text.
fn value_of(line: &mut Vec<u8>, key: &str, to: &str) {
    let quoted = format!("\"{key}\":");
    let Some(at) = line.windows(quoted.len()).position(|window| window == quoted.as_bytes()) else { return };
    let from = at + quoted.len();
    let to_end = line[from..].iter().position(|byte| matches!(byte, b',' | b'}')).map_or(line.len(), |n| from + n);
    line.splice(from..to_end, to.bytes());
}

fn damage_one(lines: &mut Vec<Vec<u8>>, place: usize, how: usize, rng: &mut Rng) {
    let at = if how < 3 { place.min(lines.len()) } else { place.clamp(1.min(lines.len()), lines.len()) };
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    if at >= lines.len() || matches!(how, 0..=5) {
        let fresh: &[u8] = rng.pick(&[
            &b"\n"[..],
            b"   \r\n",
            b"garbage\n",
            b"[1,2]\n",
            b"42\n",
            b"{\"kind\":\"schema_version\",\"schema_version\":1}\n",
            b"\0\0\n",
            b"{}\n",
        ]);
        lines.insert(at.min(lines.len()), fresh.to_vec());
        return;
    }
    let next = lines.get(at + 1).cloned();
    let line = &mut lines[at];
    match how {
        6 => value_of(line, "tid", "null"),
        7 => value_of(line, "tid", "1.5"),
        8 => value_of(line, "tid", "true"),
        9 => value_of(line, "tid", "[1]"),
        10 => replace(line, b"\"tid\":", b"\"tod\":"),
        11 => value_of(line, "tid", "\"\\ud800\""),
        12 => value_of(line, "tid_event_idx", "\"0\""),
        13 => value_of(line, "tid_event_idx", "-1"),
        14 => value_of(line, "tid_event_idx", "1180591620717411303424"),
        15 => value_of(line, "tid_event_idx", "0"),
        16 => value_of(line, "tid_event_idx", "1"),
        17 => replace(line, b"\"tid_event_idx\":", b"\"x\":"),
        18 => value_of(line, "kind", "{}"),
        19 => value_of(line, "kind", "[\"a\"]"),
        20 => replace(line, b"\"kind\":", b"\"no\":"),
        21 => replace(line, b"{", b"{\"tid\":1,"),
        22 => replace(line, b"}", b",\"payload\":1}"),
        23 => replace(line, b"\"payload\":{", b"\"payload\":{\"bad\":\"\xff\","),
        24 => replace(line, b"{", b"{\"bad\":\"\xff\","),
        25 => replace(line, b"\"payload\":{", b"\"payload\":{\"bad\":\"\x01\","),
        26 => replace(line, b"{", b"{\"bad\":\"\x01\","),
        27 => replace(line, b"{", b"{\"b\xff\":1,"),
        28 => replace(line, b"\"payload\":{", format!("\"payload\":{{\"d\":{},", deep(1023)).as_bytes()),
        29 => replace(line, b"{", format!("{{\"d\":{},", deep(1024)).as_bytes()),
        30 => replace(line, b"\"payload\":{", format!("\"payload\":{{\"d\":{},", deep(1022)).as_bytes()),
        31 => value_of(line, "host_ns", "007"),
        32 => value_of(line, "host_ns", "tru"),
        33 => replace(line, b"\"payload\":{", b"\"payload\":{\"x\":tru,"),
        34 => replace(line, b"\"payload\":{", b"\"payload\":{\"x\":]],"),
        35 => replace(line, b"\"payload\":", b"\"payload\":,"),
        36 => {
            let ending = line.iter().rposition(|&byte| byte == b'}').map_or(line.len(), |brace| brace + 1);
            line.truncate(ending);
            line.extend(next.unwrap_or_default());
        }
        37 => {
            let half = rng.below(line.len());
            line.truncate(half);
            line.push(b'\n');
        }
        38 => drop(line.splice(0..0, *b"\xef\xbb\xbf")),
        39 => replace(line, b"}", b",}"),
        40 => replace(line, b"{", b"{\"dup\":1,\"dup\":{\"a\":[1}],"),
        41 => replace(line, b"\"payload\":{", b"\"payload\":{\"x\":1,\"x\":2,"),
        42 => drop(lines.remove(at)),
        _ => {
            let again = line.clone();
            lines.insert(at, again);
        }
    }
}
