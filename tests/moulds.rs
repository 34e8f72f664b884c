//! Pairs judged by moulds, held against the exact way byte by byte.
//!
//! `FORKPOINT_CASES` sets how many random traces are weighed both ways.

use forkpoint::align::event_of;
use forkpoint::compare::{Comparer, Event, Overlooked, Scratch, Weighed};
use forkpoint::json::Pointer;
use forkpoint::profile::{IgnoreRule, MaskRule, Pattern, Profile, builtin};
use forkpoint::scan::{Opener, reopen};

/// A small seeded generator (splitmix64).
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

fn pointer(text: &str) -> Pointer {
    Pointer::parse(text).expect("a pointer")
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).expect("a path")
}

/// A trace's profile: columns that are ignored, and columns of which the bits 0x30 are masked.
fn traced(ignored: &[&str], masked: &[&str]) -> Profile {
    let mut profile = builtin("generic").expect("it is built in");
    profile.roles.ordinal = Some(pointer("/n"));
    profile.roles.kind = Some(pointer("/op"));
    let (kinds, reason) = (Vec::new(), String::new());
    profile.ignore.extend(ignored.iter().map(|path| IgnoreRule {
        name: (*path).to_owned(),
        kinds: kinds.clone(),
        path: pattern(path),
        when: Vec::new(),
        reason: reason.clone(),
    }));
    profile.mask.extend(masked.iter().map(|path| MaskRule {
        name: (*path).to_owned(),
        kinds: kinds.clone(),
        path: pattern(path),
        when: Vec::new(),
        bits: 0x30,
        reason: reason.clone(),
    }));
    profile
}

fn event<'l>(opener: &Opener, line: &'l [u8]) -> Option<Event<'l>> {
    let span = reopen(opener, line, 0).ok()?;
    Some(event_of(&span, span.line_of(line), 1))
}

/// One line of a trace: what is compared comes from `n`, what is not from `noise`.
fn trace(n: usize, noise: usize, flags: usize, style: usize) -> String {
    let (a, op) = (n * 37 % 256, ["lda", "ldx", "b, c", "mulhwu"][n % 4]);
    match style {
        0 => format!(
            r#"{{"n":{n},"pc":"0x{:08x}","op":"{op}","a":{a},"flags":"0x{flags:02x}","cycles":{noise}}}"#,
            n * 4
        ),
        1 => format!(r#"{{"n":{n},"op":"{op}","cycles":{noise},"flags":{flags}}}"#),
        2 => format!(
            r#"{{ "n" : {n}, "op" : "{op}", "x":-{a}.{a}, "cycles":{noise}.25, "s":[{{"t":true,"u":null}},"{op}"], "flags":"{flags:04x}", "long":"{}" }}"#,
            "ab ".repeat(40)
        ),
        _ => format!(r#"{{"n":{n},"op":"{op}","s":"~ÿ","e":1e{a},"cycles":{noise},"flags":{flags}}}"#),
    }
}

/// Weighs equal pairs of a trace; the rules of the last pair, and how many pairs moulds judged.
fn by_mould(profile: &Profile, pairs: usize, lines: impl Fn(usize) -> [String; 2]) -> (Overlooked, u64) {
    let (opener, comparer) = (Opener::new(profile, false), Comparer::new(profile, false));
    let mut scratch = Scratch::default();
    let mut last = Overlooked::new();
    for n in 0..pairs {
        let lines = lines(n);
        let [x, y] = [0, 1].map(|side| event(&opener, lines[side].as_bytes()).expect("a sound line"));
        match comparer.weigh(&x, &y, &mut scratch) {
            Weighed::EqualRead(rules) => last = rules,
            other => panic!("{other:?}: {}", lines[0]),
        }
    }
    assert!(scratch.pairs_by_layout() >= pairs as u64 - 1);
    (last, scratch.pairs_by_mould())
}

#[test]
fn nearly_all_pairs_of_a_noisy_trace_have_a_mould() {
    for style in 0..3 {
        let ignored = traced(&["/cycles"], &[]);
        let (rules, pairs) =
            by_mould(&ignored, 4000, |n| [trace(n, 100_000 + n * 3, 0x41, style), trace(n, 200_000 + n, 0x41, style)]);
        assert_eq!((rules.as_slice(), pairs > 3800), (&[1][..], true), "style {style}: {pairs} pairs");
        let masked = traced(&[], &["/flags"]);
        let (rules, pairs) =
            by_mould(&masked, 4000, |n| [trace(n, 7, 0x40 + n % 4, style), trace(n, 7, 0x50 + n % 4, style)]);
        assert_eq!((rules.as_slice(), pairs > 3800), (&[1][..], true), "style {style}: {pairs} pairs");
    }
}

#[test]
fn exponents_and_other_widths_have_no_mould() {
    let profile = traced(&["/cycles"], &[]);
    let (_, pairs) = by_mould(&profile, 30, |n| [trace(n, 10 + n, 0, 3), trace(n, 60 + n, 0, 3)]);
    assert_eq!(pairs, 0);
    let (_, pairs) = by_mould(&profile, 50, |n| [trace(n, 10 + n, 0, 0), trace(n, 170 + n, 0, 0)]);
    assert_eq!(pairs, 0);
}

/// Puts other bytes into a line, mostly where they do harm.
fn mutate(line: &mut [u8], rng: &mut Rng) {
    const BYTES: &[u8] = b"\"\\0019-.e,:x{}[] \x01\x1f\x7f\x80\xc3\xff~tn";
    for _ in 0..1 + rng.below(2) {
        // Ends are looked at by blocks of their own.
        let at = if rng.chance(20) { line.len() - 1 - rng.below(12.min(line.len())) } else { rng.below(line.len()) };
        line[at] = match rng.below(3) {
            0 => line[at] ^ 1 << rng.below(8),
            1 => b'0' + rng.below(10) as u8,
            _ => BYTES[rng.below(BYTES.len())],
        };
    }
}

/// Weighs a trace with changed bytes both ways; returns how many pairs moulds judged.
fn hold(seed: u64) -> u64 {
    let rng = &mut Rng(seed);
    let columns = ["/cycles", "/flags", "/a", "/x", "/s", "/pc", "/s/0/t", "/long"];
    let some = |rng: &mut Rng| -> Vec<&str> { columns.into_iter().filter(|_| rng.chance(30)).collect() };
    let mut ignored = some(rng);
    ignored.push("/cycles");
    let profile = traced(&ignored, &some(rng));
    let opener = Opener::new(&profile, false);
    let (short, exact) = (Comparer::new(&profile, false), Comparer::new(&profile, false).with_layouts(false));
    let (mut kept, mut other) = (Scratch::default(), Scratch::default());
    let style = rng.below(4);
    for n in 100..160 {
        let noise = 1000 + rng.below(9000);
        let mut lines = [noise, 1000 + rng.below(9000)]
            .map(|noise| trace(n - n % 3, noise, 0x40 + 0x10 * rng.below(4), style).into_bytes());
        if rng.chance(10) {
            lines[1] = trace(n, noise, 0x41, style).into_bytes();
        }
        let both = rng.chance(50);
        if rng.chance(60) {
            let seed = rng.below(1 << 30) as u64;
            // The same change on both sides, or one on one side.
            mutate(&mut lines[0], &mut Rng(seed));
            if both {
                mutate(&mut lines[1], &mut Rng(seed));
            }
        }
        if rng.chance(50) {
            lines.swap(0, 1);
        }
        let [x, y] = [0, 1].map(|side| event(&opener, &lines[side]));
        let (Some(x), Some(y)) = (x, y) else { continue };
        let sorted = |mut weighed| {
            if let Weighed::EqualRead(rules) = &mut weighed {
                rules.sort_unstable();
            }
            weighed
        };
        let wanted = sorted(exact.weigh(&x, &y, &mut other));
        for _ in 0..2 {
            let found = sorted(short.weigh(&x, &y, &mut kept));
            let told = [x.line, y.line].map(String::from_utf8_lossy);
            assert_eq!(found, wanted, "seed {seed}\n{}\n{}\n{profile:#?}", told[0], told[1]);
        }
    }
    kept.pairs_by_mould()
}

#[test]
fn moulds_answer_as_the_exact_way_whatever_byte_is_changed() {
    let cases = std::env::var("FORKPOINT_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let judged: u64 = (1..=cases).map(hold).sum();
    assert!(judged > 10 * cases, "moulds are used: {judged} pairs");
}
