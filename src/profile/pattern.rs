//! The paths of rules: like a pointer, but `*` stands for any one key or position.
//!
//! A pattern is written `/payload/args/*/handle`, `payload.args[*].handle` or `payload.args.*.handle`. A key
//! that is really named `*` stands in quotes: `payload["*"]`.

use std::fmt;

use crate::json::pointer::{Part, PointerError, parts, push_dotted, push_escaped};
use crate::json::{Pointer, pointer};

/// One step of a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// This key, or this position of an array in decimal.
    Key(String),
    /// Any one key or position.
    Any,
}

/// The places at which a rule holds, from the line's root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    segments: Vec<Segment>,
}

impl Segment {
    /// Whether some key fits both.
    pub fn meets(&self, other: &Segment) -> bool {
        self == other || *self == Segment::Any || *other == Segment::Any
    }

    /// Whether this can be a position in an array and nothing else is meant by it.
    pub fn is_position(&self) -> bool {
        matches!(self, Segment::Key(key) if pointer::is_index(key))
    }
}

impl Pattern {
    /// Reads either spelling.
    ///
    /// # Errors
    /// As [`Pointer::parse`].
    pub fn parse(text: &str) -> Result<Pattern, PointerError> {
        let segment = |part| match part {
            Part::Bare(token) if token != "*" => Segment::Key(token),
            Part::Quoted(token) => Segment::Key(token),
            Part::Bare(_) | Part::Star => Segment::Any,
        };
        Ok(Pattern {
            segments: if text.is_empty() { Vec::new() } else { parts(text)?.into_iter().map(segment).collect() },
        })
    }

    /// A pattern of these segments, outermost first.
    pub fn new(segments: impl IntoIterator<Item = Segment>) -> Pattern {
        Pattern { segments: segments.into_iter().collect() }
    }

    /// The segments, outermost first.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// True for the pattern that names the whole line.
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// The one place that this names, if it has no `*`.
    pub fn pointer(&self) -> Option<Pointer> {
        let key = |segment: &Segment| match segment {
            Segment::Key(key) => Some(key.clone()),
            Segment::Any => None,
        };
        self.segments.iter().map(key).collect::<Option<Vec<_>>>().map(Pointer::new)
    }

    /// What is left of this pattern below `base`, or `None` where it names nothing below (or at) it.
    pub fn below(&self, base: &Pointer) -> Option<Pattern> {
        let base = Pattern::from(base);
        let (above, rest) = self.segments.split_at_checked(base.segments.len())?;
        let fits = above.iter().zip(&base.segments).all(|(one, other)| one.meets(other));
        fits.then(|| Pattern::new(rest.iter().cloned()))
    }

    /// Whether a place that this names is, or lies in or around, a place that the other names.
    pub fn touches(&self, other: &Pattern) -> bool {
        self.segments.iter().zip(&other.segments).all(|(one, other)| one.meets(other))
    }

    /// Whether all that the other names lies at or below what this names.
    pub fn holds_all_of(&self, other: &Pattern) -> bool {
        self.segments.len() <= other.segments.len()
            && self.segments.iter().zip(&other.segments).all(|(one, other)| *one == Segment::Any || one == other)
    }
}

impl From<&Pointer> for Pattern {
    fn from(pointer: &Pointer) -> Pattern {
        Pattern::new(pointer.tokens().iter().cloned().map(Segment::Key))
    }
}

/// The JSON Pointer spelling, or the dotted one where a key is named `*`; either reads back as this.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        let is_dotted = self.segments.iter().any(|segment| matches!(segment, Segment::Key(key) if key == "*"));
        for segment in &self.segments {
            match (segment, is_dotted) {
                (Segment::Key(key), false) => push_escaped(&mut out, key),
                (Segment::Any, false) => out.push_str("/*"),
                (Segment::Key(key), true) => push_dotted(&mut out, key),
                (Segment::Any, true) => out.push_str("[*]"),
            }
        }
        f.write_str(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_star_is_any_key_in_every_spelling_unless_quoted() {
        let any = pattern("/payload/args/*/handle");
        for spelling in ["payload.args[*].handle", "payload.args.*.handle", "[\"payload\"].args.*[\"handle\"]"] {
            assert_eq!(pattern(spelling), any, "{spelling}");
        }
        assert_eq!(any.to_string(), "/payload/args/*/handle");
        assert_eq!(pattern("*").segments(), [Segment::Any]);
        assert_eq!(pattern("/*").segments(), [Segment::Any]);
        let named = pattern("payload[\"*\"].x.*");
        assert_eq!(named.segments()[1], Segment::Key("*".into()));
        assert_eq!(named.to_string(), "payload[\"*\"].x[*]");
        assert_eq!(pattern("/a/*").pointer(), None);
        assert_eq!(pattern("a[\"*\"]").pointer(), Some(Pointer::new(["a", "*"])));
        assert!(Pattern::parse("a[x]").is_err());
    }

    #[test]
    fn what_lies_below_a_base_is_found_through_stars() {
        let base = Pointer::new(["payload"]);
        for (text, rest) in
            [("/payload/a", Some("/a")), ("/*/a/*", Some("/a/*")), ("/payload", Some("")), ("/a/payload", None)]
        {
            assert_eq!(pattern(text).below(&base), rest.map(pattern), "{text}");
        }
        assert_eq!(pattern("").below(&base), None);
    }

    #[test]
    fn patterns_touch_where_some_place_is_common() {
        for (one, other, touches, holds) in [
            ("/a/*", "/a/b", true, true),
            ("/a/b", "/a/*", true, false),
            ("/a", "/a/b/c", true, true),
            ("/a/b/c", "/a", true, false),
            ("/a/*/c", "/a/b/d", false, false),
            ("/*/b", "/a/*", true, false),
        ] {
            assert_eq!(pattern(one).touches(&pattern(other)), touches, "{one} {other}");
            assert_eq!(pattern(one).holds_all_of(&pattern(other)), holds, "{one} {other}");
        }
    }

    fn segment() -> impl Strategy<Value = Segment> {
        prop_oneof![
            Just(Segment::Any),
            Just(Segment::Key("*".into())),
            ".{0,5}".prop_map(Segment::Key),
            "[0-9]{1,2}".prop_map(Segment::Key)
        ]
    }

    proptest! {
        #[test]
        fn every_pattern_reads_back_from_its_spelling(segments in proptest::collection::vec(segment(), 0..5)) {
            let pattern = Pattern::new(segments);
            prop_assert_eq!(Pattern::parse(&pattern.to_string()).unwrap(), pattern);
        }
    }
}
