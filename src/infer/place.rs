//! Where a difference lies: the kind of event, and the path from the line's root.

use crate::json::{self, Pointer, pointer};
use crate::profile::{Pattern, Profile, Segment};

/// A place in events of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The kind's name; `None` where the kind is no string, or there is none.
    pub kind: Option<String>,
    /// From the line's root; `*` stands for positions in arrays whose order does not count.
    pub path: Pattern,
}

/// The kinds whose arrays have no order, and where those lie.
#[derive(Clone, Debug, Default)]
pub struct Unordered(Vec<(Vec<String>, Pattern)>);

impl Unordered {
    /// The arrays without order of a profile.
    pub fn of(profile: &Profile) -> Unordered {
        Unordered(profile.unordered.iter().map(|rule| (rule.kinds.clone(), rule.path.clone())).collect())
    }

    /// The place of a difference: elements of arrays without order have no positions.
    pub fn place(&self, kind: Option<&str>, path: &Pointer) -> Place {
        self.without_positions(&Place { kind: kind.map(str::to_owned), path: path.into() })
    }

    /// The same place, less the positions of elements of arrays without order.
    pub fn without_positions(&self, place: &Place) -> Place {
        let mut segments = place.path.segments().to_vec();
        for (kinds, array) in &self.0 {
            let serves = kinds.is_empty() || place.kind.as_ref().is_some_and(|kind| kinds.contains(kind));
            let at = array.segments().len();
            let reaches = segments.len() > at && array.segments().iter().zip(&segments).all(|(a, b)| a.meets(b));
            if serves && reaches && segments[at].is_position() {
                segments[at] = Segment::Any;
            }
        }
        Place { kind: place.kind.clone(), path: Pattern::new(segments) }
    }
}

impl Place {
    /// Whether all that the other place names is named by this one.
    pub fn holds(&self, other: &Place) -> bool {
        self.kind == other.kind
            && self.path.segments().len() == other.path.segments().len()
            && self.path.holds_all_of(&other.path)
    }

    /// The path as far as it names one place only.
    pub fn certain_part(&self) -> Pointer {
        let keys = self.path.segments().iter().map_while(|segment| match segment {
            Segment::Key(key) => Some(key.clone()),
            Segment::Any => None,
        });
        Pointer::new(keys)
    }

    /// The same with one segment made any.
    #[must_use]
    pub fn any_at(&self, at: usize) -> Place {
        let mut segments = self.path.segments().to_vec();
        segments[at] = Segment::Any;
        Place { kind: self.kind.clone(), path: Pattern::new(segments) }
    }

    /// For people: `payload.args[0]`.
    pub fn dotted(&self) -> String {
        let mut out = String::new();
        for segment in self.path.segments() {
            match segment {
                Segment::Key(key) => pointer::push_dotted(&mut out, key),
                Segment::Any => out.push_str("[*]"),
            }
        }
        out
    }
}

/// The name that a kind's token spells, if it is a string.
pub fn kind_name(token: &[u8]) -> Option<String> {
    let is_text = token.first() == Some(&b'"');
    is_text.then(|| String::from_utf8_lossy(&json::text::unescape(token)).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::parse;

    #[test]
    fn elements_without_order_have_no_positions() {
        let text = "version = 1\n[roles]\nkind = \"/k\"\npayload = \"/p\"\n[[unordered]]\nname = \"u\"\npath = \"/p/*/set\"\nkinds = [\"a\"]\nreason = \"r\"\n";
        let unordered = Unordered::of(&parse(text, "t.toml").unwrap());
        for (kind, path, seen) in [
            (Some("a"), "/p/x/set/3/y", "/p/x/set/*/y"),
            (Some("b"), "/p/x/set/3/y", "/p/x/set/3/y"),
            (Some("a"), "/p/x/set", "/p/x/set"),
            (None, "/p/x/set/3", "/p/x/set/3"),
            (Some("a"), "/p/x/list/3", "/p/x/list/3"),
        ] {
            let place = unordered.place(kind, &Pointer::parse(path).unwrap());
            assert_eq!(place.path, Pattern::parse(seen).unwrap(), "{path}");
        }
        assert_eq!(kind_name(b"\"\\u0061\"").as_deref(), Some("a"));
        assert_eq!(kind_name(b"7"), None);
    }
}
