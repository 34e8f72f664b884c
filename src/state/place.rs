//! Where in a document a value stands, and the places that rules name.

use crate::json::pointer::{Part, push_dotted};
use crate::json::{pointer, text};

/// One step from a value to one below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The value of a key.
    Key(String),
    /// An element of a sequence, from 0.
    Position(usize),
    /// The member of a set in which `by` is `key`, the key as it is shown.
    Member { by: String, key: String },
}

/// The steps from a document's root to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    steps: Vec<Step>,
}

impl Place {
    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub fn pop(&mut self) {
        self.steps.pop();
    }

    /// The spelling for people: `objects[handle_semantic_id=7].details.name`, odd keys as `["a.b"]`.
    pub fn dotted(&self) -> String {
        let mut out = String::new();
        for step in &self.steps {
            match step {
                // A key of digits is no position.
                Step::Key(key) if pointer::is_index(key) => {
                    out.push('[');
                    out.push_str(&text::quoted(key));
                    out.push(']');
                }
                Step::Key(key) => push_dotted(&mut out, key),
                Step::Position(at) => push_dotted(&mut out, &at.to_string()),
                Step::Member { by, key } => {
                    out.push('[');
                    out.push_str(&odd(by));
                    out.push('=');
                    out.push_str(&odd(key));
                    out.push(']');
                }
            }
        }
        out
    }
}

/// A text between brackets: quoted where it could be mistaken.
fn odd(word: &str) -> String {
    let is_plain =
        !word.is_empty() && word.chars().all(|c| !c.is_control() && !matches!(c, '[' | ']' | '"' | '=' | '\\'));
    if is_plain { word.to_owned() } else { text::quoted(word) }
}

/// One step of a [`Selector`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// This key, or this position in decimal.
    Key(String),
    /// Any key, position or member.
    Any,
    /// The member of a set, spelled as [`Place::dotted`] does.
    Member(String),
}

/// The places that a rule, or a document's own list, names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// As it was written.
    pub text: String,
    steps: Vec<Wanted>,
    /// What is named stands at any depth.
    is_anywhere: bool,
    /// Keys that end so, at any depth.
    suffix: Option<String>,
}

impl Selector {
    /// A path from the document's root: `cvars.folder`, `heaps[*].base`, `objects[].details`, `/cvars/folder`.
    ///
    /// # Errors
    /// A sentence saying what is wrong; the root itself cannot be named.
    pub fn path(text: &str) -> Result<Selector, String> {
        let steps = steps(text)?;
        if steps.is_empty() {
            return Err("an empty path names the whole document; name a key".to_owned());
        }
        Ok(Selector { text: text.to_owned(), steps, is_anywhere: false, suffix: None })
    }

    /// A key at any depth: `raw_handle_id`, or all that end in something: `*_sha256`.
    ///
    /// # Errors
    /// It is empty, or `*` alone.
    pub fn leaf(name: &str) -> Result<Selector, String> {
        let suffix = name.strip_prefix('*').map(str::to_owned);
        if name.is_empty() || suffix.as_deref() == Some("") {
            return Err("an empty name stands for every key; name one".to_owned());
        }
        let steps = vec![Wanted::Key(name.to_owned())];
        Ok(Selector { text: name.to_owned(), steps, is_anywhere: true, suffix })
    }

    /// An entry of a document's own list of what to skip: a path, or, where it is one name, that at any depth.
    ///
    /// # Errors
    /// A sentence saying what is wrong.
    pub fn entry(text: &str) -> Result<Selector, String> {
        let mut selector = Selector::path(text)?;
        selector.is_anywhere = !text.starts_with('/') && !text.contains('.');
        Ok(selector)
    }

    /// Whether it names this very place.
    pub fn names(&self, place: &Place) -> bool {
        if let Some(suffix) = &self.suffix {
            return matches!(place.steps.last(), Some(Step::Key(key)) if key.ends_with(suffix.as_str()));
        }
        let from = if self.is_anywhere { place.steps.len().checked_sub(self.steps.len()) } else { Some(0) };
        from.is_some_and(|from| place.steps.len() == from + self.steps.len() && self.fits(&place.steps[from..]))
    }

    /// Whether it names this place or one around it.
    pub fn holds(&self, place: &Place) -> bool {
        if self.is_anywhere {
            return self.names(place);
        }
        place.steps.len() >= self.steps.len() && self.fits(&place.steps[..self.steps.len()])
    }

    fn fits(&self, steps: &[Step]) -> bool {
        self.steps.iter().zip(steps).all(|(wanted, step)| match (wanted, step) {
            (Wanted::Any, _) => true,
            (Wanted::Key(name), Step::Key(key)) => name == key,
            (Wanted::Key(name), Step::Position(at)) => *name == at.to_string(),
            (Wanted::Member(spelled), Step::Member { by, key }) => *spelled == format!("{}={}", odd(by), odd(key)),
            _ => false,
        })
    }
}

fn steps(path: &str) -> Result<Vec<Wanted>, String> {
    if path.starts_with('/') {
        return parsed(path);
    }
    // What stands in brackets is looked at first: an empty pair, and members of sets, are no parts of other paths.
    let mut steps = Vec::new();
    let mut rest = path;
    while let Some(open) = member_start(rest) {
        let (before, from) = rest.split_at(open);
        let end = from.find(']').ok_or_else(|| format!("{path:?} is no path: a bracket does not close"))?;
        let inner = &from[1..end];
        steps.extend(parsed(before)?);
        steps.push(if inner.is_empty() { Wanted::Any } else { Wanted::Member(inner.to_owned()) });
        rest = &from[end + 1..];
        // The dot behind a bracket belongs to it.
        if let Some(behind) = rest.strip_prefix('.') {
            if behind.is_empty() {
                return Err(format!("{path:?} is no path: a part is empty"));
            }
            rest = behind;
        } else if !rest.is_empty() && !rest.starts_with('[') {
            return Err(format!("{path:?} is no path: after a bracket comes a dot"));
        }
    }
    steps.extend(parsed(rest)?);
    Ok(steps)
}

/// Where the first `[]` or `[key=value]` opens, outside quotes.
fn member_start(path: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(open) = path[from..].find('[').map(|at| at + from) {
        let inner = &path[open + 1..];
        let is_other = inner.starts_with('"') || inner.starts_with('*');
        let end = inner.find(']');
        if !is_other && end.is_some_and(|end| end == 0 || inner[..end].contains('=')) {
            return Some(open);
        }
        // A quoted key may hold anything: what follows it is looked at from behind its closing bracket.
        from = open + 1 + if inner.starts_with('"') { inner.find("\"]").unwrap_or(inner.len()) } else { 0 };
    }
    None
}

fn parsed(path: &str) -> Result<Vec<Wanted>, String> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = |part| match part {
        Part::Bare(token) if token == "*" => Wanted::Any,
        Part::Bare(token) | Part::Quoted(token) => Wanted::Key(token),
        Part::Star => Wanted::Any,
    };
    Ok(pointer::parts(path).map_err(|error| error.to_string())?.into_iter().map(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(steps: &[&str]) -> Place {
        let step = |text: &&str| match text.strip_prefix('#') {
            Some(at) => Step::Position(at.parse().unwrap()),
            None => match text.split_once('=') {
                Some((by, key)) => Step::Member { by: by.into(), key: key.into() },
                None => Step::Key((*text).into()),
            },
        };
        Place { steps: steps.iter().map(step).collect() }
    }

    #[test]
    fn places_are_spelled_so_that_nothing_is_mistaken() {
        for (steps, spelled) in [
            (&["a", "b"][..], "a.b"),
            (&["regions", "#3", "size"], "regions[3].size"),
            (&["objects", "id=sem:1", "details", "x"], "objects[id=sem:1].details.x"),
            (&["objects", "id=a]b"], "objects[id=\"a]b\"]"),
            (&["a.b", "c[d"], "[\"a.b\"][\"c[d\"]"),
            (&["7"], "[\"7\"]"),
            (&[], ""),
        ] {
            assert_eq!(place(steps).dotted(), spelled);
        }
    }

    #[test]
    fn entries_are_paths_or_names_at_any_depth() {
        let names = |entry: &str, steps: &[&str]| Selector::entry(entry).unwrap().names(&place(steps));
        assert!(names("raw", &["raw"]) && names("raw", &["objects", "id=1", "raw"]));
        assert!(!names("raw", &["raw", "below"]), "what lies below is not looked at any more");
        assert!(
            names("objects[].raw", &["objects", "id=1", "raw"]) && names("objects[].raw", &["objects", "#4", "raw"])
        );
        assert!(!names("objects[].raw", &["deep", "objects", "#4", "raw"]));
        assert!(names("objects[]", &["deep", "objects", "#4"]) && !names("objects", &["objects", "#4"]));
        assert!(
            names("objects[4].raw", &["objects", "#4", "raw"]) && !names("objects[4].raw", &["objects", "#5", "raw"])
        );
        assert!(names("objects[id=7].raw", &["objects", "id=7", "raw"]));
        assert!(names("[\"a.b\"].c", &["a.b", "c"]) && names("/a.b/c", &["a.b", "c"]));
        assert!(names("x[\"k]\"].c", &["x", "k]", "c"]));
        assert!(!names("/a", &["b", "a"]));
        for wrong in ["", "a..b", "a[", "a[].", "a[]b", "a[x]", "/~7"] {
            assert!(Selector::entry(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rules_hold_for_what_lies_below_their_paths() {
        let heaps = Selector::path("heaps[*].base").unwrap();
        assert!(heaps.names(&place(&["heaps", "base=4096", "base"])));
        let listing = Selector::path("listing").unwrap();
        assert!(listing.holds(&place(&["listing", "#1", "size"])) && !listing.holds(&place(&["x", "listing"])));
        let hashes = Selector::leaf("*_sha256").unwrap();
        assert!(hashes.holds(&place(&["a", "image_sha256"])) && !hashes.holds(&place(&["a", "image_sha256", "b"])));
        assert!(Selector::leaf("").is_err() && Selector::leaf("*").is_err() && Selector::path("").is_err());
    }
}
