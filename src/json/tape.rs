//! A whole strict text taken apart: a flat list of nodes that point back into it.

use std::hash::{BuildHasher, Hasher};

use ahash::AHashMap;
use smallvec::SmallVec;

use super::cursor::{Cursor, Kind, check_utf8};
use super::grammar::{self, DEPTH_MAX, Fault};
use super::{Pointer, leaf, number, text};

/// One value or key of a [`Tape`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    pub kind: Kind,
    /// A key with an escape in it.
    escaped: bool,
    /// Bytes of the token or, for a container, from bracket to bracket.
    start: u32,
    end: u32,
    /// The index just past this node and all below it.
    next: u32,
}

/// A strict JSON text as a list of nodes in text order: a container's node stands before its
/// members', a key's before its value's. Buffers are reused from text to text.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    open: Vec<u32>,
}

/// Objects with more members than this are looked up through a map.
const SCAN_MEMBERS_MAX: usize = 16;

impl Tape {
    /// Takes `text` apart; `base` containers enclose it.
    ///
    /// # Errors
    /// The first offence against strict JSON or UTF-8; the tape is then of no use.
    pub fn parse(&mut self, text: &[u8], base: usize) -> Result<(), Fault> {
        check_utf8(text)?;
        if self.parse_valid(text, base).is_some() {
            return Ok(());
        }
        self.parse_by_cursor(text, base)
    }

    /// Token by token; says what is wrong, and where.
    fn parse_by_cursor(&mut self, text: &[u8], base: usize) -> Result<(), Fault> {
        self.nodes.clear();
        self.open.clear();
        let mut cursor = Cursor::new(text, base);
        while let Some(token) = cursor.next_token()? {
            match token.kind {
                Kind::ObjectEnd | Kind::ArrayEnd => self.close(token.end),
                Kind::ObjectStart | Kind::ArrayStart => self.open(token.kind, token.start),
                Kind::Key => self.push_key(text, token.start, token.end),
                kind => self.push(kind, token.start, token.end),
            }
        }
        Ok(())
    }

    /// Without keeping account of what is expected where: `None` if anything is wrong.
    fn parse_valid(&mut self, text: &[u8], base: usize) -> Option<()> {
        self.nodes.clear();
        self.open.clear();
        let mut at = grammar::skip_space(text, 0);
        loop {
            // A value stands at `at`.
            let (kind, end) = match *text.get(at)? {
                open @ (b'{' | b'[') => {
                    if base + self.open.len() >= DEPTH_MAX {
                        return None;
                    }
                    let is_object = open == b'{';
                    self.open(if is_object { Kind::ObjectStart } else { Kind::ArrayStart }, at);
                    at = grammar::skip_space(text, at + 1);
                    // Brackets of the two kinds lie two apart.
                    if *text.get(at)? != open + 2 {
                        at = if is_object { self.key(text, at)? } else { at };
                        continue;
                    }
                    self.close(at + 1);
                    at += 1;
                    if self.between(text, &mut at)? { continue } else { return Some(()) }
                }
                b'"' => (Kind::String, string_end(text, at)?),
                b't' => (Kind::True, grammar::scalar_end(text, at).ok()?),
                b'f' => (Kind::False, grammar::scalar_end(text, at).ok()?),
                b'n' => (Kind::Null, grammar::scalar_end(text, at).ok()?),
                _ => (Kind::Number, leaf::number_end(text, at).or_else(|| grammar::scalar_end(text, at).ok())?),
            };
            self.push(kind, at, end);
            at = end;
            if !self.between(text, &mut at)? {
                return Some(());
            }
        }
    }

    /// Goes on behind a value to the next; false at the text's end.
    #[inline(always)]
    fn between(&mut self, text: &[u8], at: &mut usize) -> Option<bool> {
        loop {
            *at = grammar::skip_space(text, *at);
            let Some(opened) = self.open.last() else { return (*at == text.len()).then_some(false) };
            let in_object = self.nodes[*opened as usize].kind == Kind::ObjectStart;
            match *text.get(*at)? {
                b',' => {
                    *at = grammar::skip_space(text, *at + 1);
                    if in_object {
                        *at = self.key(text, *at)?;
                    }
                    return Some(true);
                }
                b'}' if in_object => {}
                b']' if !in_object => {}
                _ => return None,
            }
            *at += 1;
            self.close(*at);
        }
    }

    /// Takes a key and its colon; where the value begins.
    #[inline(always)]
    fn key(&mut self, text: &[u8], at: usize) -> Option<usize> {
        if text.get(at) != Some(&b'"') {
            return None;
        }
        let end = match leaf::plain_string_end(text, at) {
            Some(end) => {
                self.push(Kind::Key, at, end);
                end
            }
            None => {
                let end = grammar::string_end(text, at).ok()?;
                self.push_key(text, at, end);
                end
            }
        };
        let colon = grammar::skip_space(text, end);
        (text.get(colon) == Some(&b':')).then(|| grammar::skip_space(text, colon + 1))
    }

    #[inline(always)]
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, escaped: false, start: start as u32, end: end as u32, next });
    }

    fn push_key(&mut self, text: &[u8], start: usize, end: usize) {
        self.push(Kind::Key, start, end);
        if let Some(key) = self.nodes.last_mut() {
            key.escaped = text::has_escape(&text[start..end]);
        }
    }

    #[inline(always)]
    fn open(&mut self, kind: Kind, start: usize) {
        self.open.push(self.nodes.len() as u32);
        self.push(kind, start, start + 1);
    }

    #[inline(always)]
    fn close(&mut self, end: usize) {
        let opened = self.open.pop().expect("brackets are balanced") as usize;
        self.nodes[opened].end = end as u32;
        self.nodes[opened].next = self.nodes.len() as u32;
    }

    /// The text's own value, always the first node.
    pub const ROOT: usize = 0;

    /// The kind of a node.
    pub fn kind(&self, node: usize) -> Kind {
        self.nodes[node].kind
    }

    /// The bytes of a node in the text it was parsed from.
    pub fn bytes<'t>(&self, text: &'t [u8], node: usize) -> &'t [u8] {
        &text[self.nodes[node].start as usize..self.nodes[node].end as usize]
    }

    /// Where a node's bytes begin in the text.
    pub fn start(&self, node: usize) -> usize {
        self.nodes[node].start as usize
    }

    /// The node behind this one and all below it.
    pub fn behind(&self, node: usize) -> usize {
        self.nodes[node].next as usize
    }

    /// Whether a key is spelled with an escape.
    pub fn is_escaped(&self, key: usize) -> bool {
        self.nodes[key].escaped
    }

    /// The elements of an array.
    pub fn elements(&self, array: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes[array].next as usize;
        let first = Some(array + 1).filter(|node| *node < end);
        std::iter::successors(first, move |node| Some(self.nodes[*node].next as usize).filter(|node| *node < end))
    }

    /// The members of an object as (key, value) nodes, duplicates included, in text order.
    pub fn members(&self, object: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let end = self.nodes[object].next as usize;
        let first = Some(object + 1).filter(|node| *node < end);
        std::iter::successors(first, move |key| Some(self.nodes[*key + 1].next as usize).filter(|node| *node < end))
            .map(|key| (key, key + 1))
    }

    /// The members of an object with each key once: where its key stood first, with the value
    /// it was given last.
    pub fn distinct_members(&self, text: &[u8], object: usize) -> SmallVec<[(usize, usize); 16]> {
        let mut members: SmallVec<[(usize, usize); 16]> = SmallVec::new();
        if self.members(object).nth(SCAN_MEMBERS_MAX).is_none() {
            let mut escaped = false;
            for (key, value) in self.members(object) {
                let token = self.bytes(text, key);
                escaped |= self.is_escaped(key);
                // Without escapes, two spellings are two keys.
                let same = |seen: &[u8]| match escaped {
                    true => text::equal(seen, token),
                    false => seen.len() == token.len() && seen[1] == token[1] && seen == token,
                };
                match members.iter_mut().find(|(seen, _)| same(self.bytes(text, *seen))) {
                    Some(member) => member.1 = value,
                    None => members.push((key, value)),
                }
            }
            return members;
        }
        let mut places = AHashMap::with_hasher(fixed_state());
        for (key, value) in self.members(object) {
            match places.entry(text::unescape(self.bytes(text, key))) {
                std::collections::hash_map::Entry::Occupied(place) => {
                    let place: &usize = place.get();
                    members[*place].1 = value;
                }
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(members.len());
                    members.push((key, value));
                }
            }
        }
        members
    }

    /// Whether any object of the text gives a key twice.
    pub fn has_duplicate_keys(&self, text: &[u8]) -> bool {
        (0..self.nodes.len())
            .filter(|node| self.kind(*node) == Kind::ObjectStart)
            .any(|object| self.distinct_members(text, object).len() != self.members(object).count())
    }

    /// Whether any number of the text is `NaN` or an infinity.
    pub fn has_special_numbers(&self, text: &[u8]) -> bool {
        (0..self.nodes.len()).any(|node| {
            self.kind(node) == Kind::Number && matches!(self.bytes(text, node), b"NaN" | b"Infinity" | b"-Infinity")
        })
    }

    /// The value of a key (unescaped) in an object, the last given if it is given twice.
    pub fn get(&self, text: &[u8], object: usize, key: &[u8]) -> Option<usize> {
        if self.kind(object) != Kind::ObjectStart {
            return None;
        }
        self.members(object).filter(|(member, _)| key_is(self.bytes(text, *member), key)).last().map(|(_, value)| value)
    }

    /// The value of a key in an object, the first given if it is given twice: the rule for a
    /// line's own role keys.
    pub fn get_first(&self, text: &[u8], object: usize, key: &[u8]) -> Option<usize> {
        if self.kind(object) != Kind::ObjectStart {
            return None;
        }
        self.members(object).find(|(member, _)| key_is(self.bytes(text, *member), key)).map(|(_, value)| value)
    }

    /// The value at a path below `node`, array positions in decimal.
    pub fn at(&self, text: &[u8], node: usize, path: &Pointer) -> Option<usize> {
        path.tokens().iter().try_fold(node, |node, token| self.step(text, node, token))
    }

    /// The value below a container by one token of a pointer.
    pub fn step(&self, text: &[u8], node: usize, token: &str) -> Option<usize> {
        match self.kind(node) {
            Kind::ObjectStart => self.get(text, node, token.as_bytes()),
            Kind::ArrayStart => token.parse().ok().and_then(|index| self.elements(node).nth(index)),
            _ => None,
        }
    }
}

/// Whether a key token spells `key`.
#[inline]
pub fn key_is(token: &[u8], key: &[u8]) -> bool {
    let inner = &token[1..token.len() - 1];
    // An escape is longer than what it stands for.
    if inner.len() <= key.len() {
        return inner.len() == key.len() && inner == key && !inner.contains(&b'\\');
    }
    // What begins with neither an escape nor the key's first byte spells another.
    let begins = inner[0] == b'\\' || key.first() == Some(&inner[0]);
    begins && inner.contains(&b'\\') && *text::unescape(token) == *key
}

/// The end of a string; UTF-8 was checked.
#[inline(always)]
fn string_end(text: &[u8], at: usize) -> Option<usize> {
    leaf::plain_string_end(text, at).or_else(|| grammar::string_end(text, at).ok())
}

/// The hasher behind every digest of this process; its values are never stored or shown.
pub fn fixed_state() -> ahash::RandomState {
    ahash::RandomState::with_seeds(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344)
}

/// Whether two values are equal (BEHAVIOUR 3.2, 3.3): the definition every shortcut is held to.
/// Recursion is bounded by the depth limit of reading.
pub fn equal(a: (&Tape, &[u8], usize), b: (&Tape, &[u8], usize)) -> bool {
    let ((tape_a, text_a, node_a), (tape_b, text_b, node_b)) = (a, b);
    let (bytes_a, bytes_b) = (tape_a.bytes(text_a, node_a), tape_b.bytes(text_b, node_b));
    if bytes_a == bytes_b {
        return true;
    }
    match (tape_a.kind(node_a), tape_b.kind(node_b)) {
        (Kind::Number, Kind::Number) => number::equal(bytes_a, bytes_b),
        (Kind::String, Kind::String) => text::equal(bytes_a, bytes_b),
        (Kind::ArrayStart, Kind::ArrayStart) => {
            let (mut left, mut right) = (tape_a.elements(node_a), tape_b.elements(node_b));
            loop {
                match (left.next(), right.next()) {
                    (Some(x), Some(y)) if equal((tape_a, text_a, x), (tape_b, text_b, y)) => {}
                    (None, None) => return true,
                    _ => return false,
                }
            }
        }
        (Kind::ObjectStart, Kind::ObjectStart) => {
            let (left, right) = (tape_a.distinct_members(text_a, node_a), tape_b.distinct_members(text_b, node_b));
            let partners = pair_members((tape_a, text_a), &left, (tape_b, text_b), &right);
            left.len() == right.len()
                && left.iter().zip(partners).all(|((_, x), partner)| {
                    partner.is_some_and(|y| equal((tape_a, text_a, *x), (tape_b, text_b, right[y].1)))
                })
        }
        _ => false,
    }
}

/// For each member of `left` the index of the member of `right` with the same key. Both lists
/// hold each key once.
pub fn pair_members(
    (tape_a, text_a): (&Tape, &[u8]),
    left: &[(usize, usize)],
    (tape_b, text_b): (&Tape, &[u8]),
    right: &[(usize, usize)],
) -> SmallVec<[Option<usize>; 16]> {
    let same = |x: usize, y: usize| text::equal(tape_a.bytes(text_a, left[x].0), tape_b.bytes(text_b, right[y].0));
    if left.len() <= SCAN_MEMBERS_MAX || right.len() <= SCAN_MEMBERS_MAX {
        // Most often the keys stand in the same order: try the same place first.
        return (0..left.len())
            .map(|x| if x < right.len() && same(x, x) { Some(x) } else { (0..right.len()).find(|y| same(x, *y)) })
            .collect();
    }
    let mut places = AHashMap::with_capacity_and_hasher(right.len(), fixed_state());
    for (at, (key, _)) in right.iter().enumerate() {
        places.insert(text::unescape(tape_b.bytes(text_b, *key)), at);
    }
    left.iter().map(|(key, _)| places.get(&text::unescape(tape_a.bytes(text_a, *key))).copied()).collect()
}

/// A digest of a value: equal values have equal digests.
pub fn digest(tape: &Tape, text: &[u8], node: usize) -> u64 {
    let mut state = fixed_state().build_hasher();
    let bytes = tape.bytes(text, node);
    match tape.kind(node) {
        Kind::Number => {
            state.write_u8(1);
            number::hash(bytes, &mut state);
        }
        Kind::String => {
            state.write_u8(2);
            text::hash(bytes, &mut state);
        }
        Kind::ArrayStart => {
            state.write_u8(3);
            tape.elements(node).for_each(|element| state.write_u64(digest(tape, text, element)));
        }
        Kind::ObjectStart => {
            state.write_u8(4);
            let members = tape.distinct_members(text, node);
            // A sum, so that the order of the keys does not count.
            let sum = members.iter().fold(0u64, |sum, (key, value)| {
                sum.wrapping_add(member_digest(tape.bytes(text, *key), digest(tape, text, *value)))
            });
            state.write_u64(sum);
            state.write_usize(members.len());
        }
        Kind::True => state.write_u8(5),
        Kind::False => state.write_u8(6),
        Kind::Null => state.write_u8(7),
        Kind::Key | Kind::ObjectEnd | Kind::ArrayEnd => unreachable!("not a value"),
    }
    state.finish()
}

/// The share of one member in the digest of its object.
pub fn member_digest(key: &[u8], value: u64) -> u64 {
    let mut state = fixed_state().build_hasher();
    text::hash(key, &mut state);
    state.write_u64(value);
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn parse(text: &str) -> Tape {
        let mut tape = Tape::default();
        tape.parse(text.as_bytes(), 0).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        tape
    }

    fn same(a: &str, b: &str) -> bool {
        let (tape_a, tape_b) = (parse(a), parse(b));
        let verdict = equal((&tape_a, a.as_bytes(), 0), (&tape_b, b.as_bytes(), 0));
        let digests = digest(&tape_a, a.as_bytes(), 0) == digest(&tape_b, b.as_bytes(), 0);
        assert_eq!(verdict, digests, "{a} {b}");
        verdict
    }

    #[test]
    fn equality_is_the_contracts() {
        assert!(same(r#"{"a":1,"b":[1,2]}"#, r#"{ "b":[1.0,2e0], "\u0061":1 }"#));
        assert!(same(r#"{"a":1,"a":2}"#, r#"{"a":2}"#));
        assert!(!same(r#"{"a":1,"a":2}"#, r#"{"a":1}"#));
        assert!(!same(r#"{"a":null}"#, r#"{}"#));
        assert!(!same("[1,2]", "[2,1]"));
        assert!(!same("[1,2]", "[1,2,3]"));
        assert!(!same("1", "true"));
        assert!(same("[NaN]", "[NaN]"));
        assert!(!same("\"1\"", "1"));
    }

    #[test]
    fn wide_objects_take_the_map_and_agree() {
        let wide = |order: &mut dyn Iterator<Item = usize>| {
            format!("{{{}}}", order.map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(","))
        };
        let (up, down) = (wide(&mut (0..100)), wide(&mut (0..100).rev()));
        assert!(same(&up, &down));
        assert!(!same(&up, &wide(&mut (0..99))));
        let twice = format!("{},\"k3\":4}}", &up[..up.len() - 1]);
        assert!(!same(&up, &twice));
        assert!(parse(&twice).has_duplicate_keys(twice.as_bytes()));
        assert!(!parse(&up).has_duplicate_keys(up.as_bytes()));
    }

    #[test]
    fn places_are_found() {
        let text = r#"{"a":{"b":[10,{"c":"x"}]},"a\u0062":7,"d":1,"d":2}"#;
        let tape = parse(text);
        let at = |path: &str| {
            tape.at(text.as_bytes(), Tape::ROOT, &Pointer::parse(path).unwrap())
                .map(|node| std::str::from_utf8(tape.bytes(text.as_bytes(), node)).unwrap())
        };
        assert_eq!(at("/a/b/1/c"), Some("\"x\""));
        assert_eq!(at("/a/b"), Some("[10,{\"c\":\"x\"}]"));
        assert_eq!(at("/ab"), Some("7"));
        assert_eq!(at("/d"), Some("2"));
        assert_eq!(at("/a/x"), None);
        assert_eq!(tape.get_first(text.as_bytes(), 0, b"d").map(|n| tape.bytes(text.as_bytes(), n)), Some(&b"1"[..]));
        let list = tape.at(text.as_bytes(), Tape::ROOT, &Pointer::parse("/a/b").unwrap()).unwrap();
        assert_eq!(tape.get(text.as_bytes(), list, b"c"), None);
        assert_eq!(tape.get_first(text.as_bytes(), list, b"c"), None);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3i64..3).prop_map(Value::from),
            "[ab\\\\\"é]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[ab]{1}", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn both_ways_of_parsing_agree(
            value in value(),
            pretty: bool,
            broken in proptest::option::of((0usize..60, "[\\[\\]{},:\"0-1eE.tn\\\\ \n-]{0,2}")),
            base in prop_oneof![Just(0), Just(DEPTH_MAX - 2), Just(DEPTH_MAX)],
        ) {
            let mut text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            if let Some((at, with)) = broken {
                let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                let end = (at + 1..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
                text.replace_range(at..end, &with);
            }
            let (mut short, mut exact) = (Tape::default(), Tape::default());
            let told = exact.parse_by_cursor(text.as_bytes(), base);
            prop_assert_eq!(short.parse_valid(text.as_bytes(), base).is_some(), told.is_ok(), "{}", text);
            if told.is_ok() {
                prop_assert_eq!(&short.nodes, &exact.nodes);
            }
        }

        #[test]
        fn equality_is_serde_jsons_on_plain_values(a in value(), b in value()) {
            prop_assert_eq!(same(&a.to_string(), &b.to_string()), a == b);
            let pretty = serde_json::to_string_pretty(&a).unwrap();
            prop_assert!(same(&a.to_string(), &pretty));
        }
    }
}
