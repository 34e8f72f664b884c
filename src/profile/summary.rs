//! Events told in one line, by templates like `{name|ord}` or `sid={handle_semantic_id}`.
//!
//! Braces hold a path inside the payload, dotted or as a JSON Pointer; `|` parts alternatives, of
//! which the first that is present and neither null nor an empty string is shown, or `?`. The bare
//! word `payload` is the whole payload (a key of that name: `{/payload}`). `{{` and `}}` are braces.

use std::collections::HashMap;

use super::rules::{Profile, SummaryRule};
use crate::json::Pointer;

/// A summary, taken apart once and rendered for many events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The alternatives; the empty pointer is the whole payload.
    Field(Vec<Pointer>),
}

/// A text that is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template {text:?} is wrong: {why}")]
pub struct TemplateError {
    text: String,
    why: String,
}

impl Template {
    /// Takes a template apart.
    ///
    /// # Errors
    /// A brace without its partner, an empty alternative, or a bad path.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let fail = |why: String| TemplateError { text: text.to_owned(), why };
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if rest.starts_with("{{") || rest.starts_with("}}") {
                literal.push(c);
                rest = &rest[2..];
            } else if let Some(inner) = rest.strip_prefix('{') {
                let end = find_unquoted(inner, '}').ok_or_else(|| fail("a { has no }; a lone brace is {{".into()))?;
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(Part::Field(parse_field(&inner[..end]).map_err(fail)?));
                rest = &inner[end + 1..];
            } else if c == '}' {
                return Err(fail("a } has no {; a lone brace is }}".into()));
            } else {
                literal.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Template { parts })
    }

    /// The template that shows the whole payload.
    pub fn whole_payload() -> Template {
        Template { parts: vec![Part::Field(vec![Pointer::default()])] }
    }

    /// The summary of one event. `lookup` gets a path inside the payload (empty: all of it) and
    /// returns the raw JSON text there. Control characters are left for the painter to escape.
    pub fn render(&self, lookup: &mut dyn FnMut(&Pointer) -> Option<Vec<u8>>) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(alternatives) => {
                    let shown = alternatives.iter().find_map(|path| lookup(path).as_deref().and_then(shown));
                    out.push_str(shown.as_deref().unwrap_or("?"));
                }
            }
        }
        out
    }
}

fn parse_field(inner: &str) -> Result<Vec<Pointer>, String> {
    let mut alternatives = Vec::new();
    let mut rest = inner;
    loop {
        let end = find_unquoted(rest, '|').unwrap_or(rest.len());
        alternatives.push(match rest[..end].trim() {
            "" => return Err("an alternative is empty; {payload} is the whole payload".to_owned()),
            "payload" => Pointer::default(),
            path => Pointer::parse(path).map_err(|error| error.to_string())?,
        });
        match rest.get(end + 1..) {
            Some(next) => rest = next,
            None => return Ok(alternatives),
        }
    }
}

/// Where `wanted` first stands outside double quotes.
pub(super) fn find_unquoted(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == wanted && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// What people see of a value, or `None` for null and the empty string.
fn shown(raw: &[u8]) -> Option<String> {
    let raw = raw.trim_ascii();
    if raw.is_empty() || raw == b"null" || raw == b"\"\"" {
        return None;
    }
    let text = String::from_utf8_lossy(raw);
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return Some(text.into_owned());
    };
    Some(serde_json::from_str(&text).unwrap_or_else(|_| unescape_lossily(inner)))
}

/// For strings that strict JSON refuses, such as those with half a surrogate pair.
fn unescape_lossily(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // As many escapes as make sense together: a pair of surrogates, else one.
        let end = [12, 6, 2].into_iter().find_map(|length| {
            let piece = rest.get(..length)?;
            let text: String = serde_json::from_str(&format!("\"{piece}\"")).ok()?;
            (piece.starts_with("\\u") == (length > 2)).then_some((length, text))
        });
        let (length, text) = end.unwrap_or_else(|| match rest.get(..6) {
            Some(lone) if lone.starts_with("\\u") => (6, "\u{fffd}".to_owned()),
            _ => (1, "\\".to_owned()),
        });
        out.push_str(&text);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The summaries of a profile, all taken apart once.
#[derive(Clone, Debug)]
pub struct Templates {
    exact: HashMap<String, Template>,
    /// `handle.*`, kept without its star; the first that fits counts.
    prefixes: Vec<(String, Template)>,
    fallback: Template,
}

impl Templates {
    /// Takes apart the templates of `rules`. A kind's first rule counts; a rule without kinds
    /// serves those without one of their own, and where there is none the whole payload is shown.
    pub fn new(rules: &[SummaryRule]) -> Templates {
        let mut templates =
            Templates { exact: HashMap::new(), prefixes: Vec::new(), fallback: Template::whole_payload() };
        let mut fallback = None;
        for rule in rules {
            // Profiles from files have been checked; one built in code may hold anything.
            let template = Template::parse(&rule.template).unwrap_or_else(|_| Template::whole_payload());
            if rule.kinds.is_empty() {
                fallback.get_or_insert(template.clone());
            }
            for kind in &rule.kinds {
                match kind.strip_suffix('*') {
                    Some(prefix) => templates.prefixes.push((prefix.to_owned(), template.clone())),
                    None => {
                        templates.exact.entry(kind.clone()).or_insert_with(|| template.clone());
                    }
                }
            }
        }
        templates.fallback = fallback.unwrap_or(templates.fallback);
        templates
    }

    /// The template for events of `kind`.
    pub fn for_kind(&self, kind: Option<&str>) -> &Template {
        let Some(kind) = kind else { return &self.fallback };
        let by_prefix = || self.prefixes.iter().find(|(prefix, _)| kind.starts_with(prefix.as_str()));
        self.exact.get(kind).or_else(|| by_prefix().map(|(_, template)| template)).unwrap_or(&self.fallback)
    }
}

impl Profile {
    /// All summaries, taken apart; keep it where many events are told.
    pub fn templates(&self) -> Templates {
        Templates::new(&self.summaries)
    }

    /// The template for events of one kind.
    pub fn template_for(&self, kind: Option<&str>) -> Template {
        self.templates().for_kind(kind).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn render(template: &str, payload: serde_json::Value) -> String {
        Template::parse(template).unwrap().render(&mut |path| {
            let value = payload.pointer(&path.to_string())?;
            Some(value.to_string().into_bytes())
        })
    }

    #[test]
    fn the_first_alternative_that_says_something_is_shown() {
        let payload = serde_json::json!({"name": null, "ord": 207, "empty": "", "args": {"a.b": [1, "x"]}});
        for (template, line) in [
            ("{name|ord}", "207"),
            ("{empty|ord}", "207"),
            ("sid={sid}", "sid=?"),
            ("{args[\"a.b\"][1]} {/args/a.b/0}", "x 1"),
            ("{{{ord}}}", "{207}"),
            ("{missing | args[\"a.b\"]}", "[1,\"x\"]"),
            ("{payload}", "{\"args\":{\"a.b\":[1,\"x\"]},\"empty\":\"\",\"name\":null,\"ord\":207}"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(render(template, payload.clone()), line, "{template}");
        }
    }

    #[test]
    fn wrong_templates_are_refused_with_their_reason() {
        for (template, why) in [
            ("{name", "a { has no }"),
            ("name}", "a } has no {"),
            ("{}", "an alternative is empty"),
            ("{a|}", "an alternative is empty"),
            ("{a..b}", "a part is empty"),
        ] {
            let error = Template::parse(template).unwrap_err().to_string();
            assert!(error.contains(why), "{template}: {error}");
        }
    }

    #[test]
    fn strings_that_strict_json_refuses_are_shown_all_the_same() {
        for (raw, text) in [
            (&b"\"a\\ud800b\\n\""[..], "a\u{fffd}b\n"),
            (b"\"\\ud83d\\ude00\\udc00\"", "\u{1f600}\u{fffd}"),
            (b"\"\xff\"", "\u{fffd}"),
            (b"\"bad \\x\"", "bad \\x"),
            (b" NaN ", "NaN"),
        ] {
            assert_eq!(shown(raw).as_deref(), Some(text));
        }
    }

    #[test]
    fn kinds_find_their_template() {
        let rule = |kinds: &[&str], template: &str| SummaryRule {
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            template: template.to_owned(),
        };
        let rules = [rule(&["handle.*"], "h"), rule(&[], "other"), rule(&["handle.close"], "c"), rule(&[], "late")];
        let templates = Templates::new(&rules);
        let line = |kind| templates.for_kind(kind).render(&mut |_| None);
        assert_eq!(line(Some("handle.create")), "h");
        assert_eq!(line(Some("handle.close")), "c");
        assert_eq!(line(Some("handle")), "other");
        assert_eq!(line(None), "other");
        assert_eq!(Templates::new(&[]).for_kind(None), &Template::whole_payload());
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_or_refused_and_any_value_shown(text in "[{}|\"\\\\a./\\[\\]]{0,12}", raw in any::<Vec<u8>>()) {
            if let Ok(template) = Template::parse(&text) {
                template.render(&mut |_| Some(raw.clone()));
            }
        }

        #[test]
        fn escaped_braces_give_the_literal_back(text in ".{0,20}") {
            let template = Template::parse(&text.replace('{', "{{").replace('}', "}}")).unwrap();
            prop_assert_eq!(template.render(&mut |_| None), text);
        }
    }
}
