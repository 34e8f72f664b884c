//! What is not compared: by the rules, or because a document itself asks for it.

use std::collections::BTreeSet;

use super::document::{Document, Shape, Value};
use super::place::{Place, Selector};
use super::rules::StateRules;

/// An entry of a document's own list of what to skip, and what it hid.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As the document spells it.
    pub text: String,
    /// Which sides ask for it.
    pub asked: [bool; 2],
    /// Differences that were not told because of it.
    pub hidden: u64,
    /// Where the first of them would have been.
    pub first: Option<String>,
    /// Why it is not honoured.
    pub refused: Option<String>,
    selector: Option<Selector>,
}

/// What is not compared in one pair of documents.
#[derive(Debug)]
pub struct Skipping<'r> {
    rules: &'r StateRules,
    file: &'r str,
    pub entries: Vec<Entry>,
}

/// Why a place is not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    ByRule,
    /// By that entry of a document's own list.
    ByEntry(usize),
}

impl<'r> Skipping<'r> {
    pub fn new(rules: &'r StateRules, file: &'r str, documents: [&Document; 2]) -> Skipping<'r> {
        let [reference, candidate] = documents.map(|document| own_entries(rules, document));
        let all: BTreeSet<&Own> = reference.iter().chain(&candidate).collect();
        let entry = |own: &&Own| {
            let read = match own {
                // One name may be what a rule skips anyway; it does no harm.
                Own::Text(text) => Selector::entry(text),
                Own::Other(_) => Err("it is no text".to_owned()),
            };
            let (selector, refused) = read.map_or_else(|why| (None, Some(why)), |selector| (Some(selector), None));
            let (Own::Text(text) | Own::Other(text)) = own;
            let asked = [reference.contains(*own), candidate.contains(*own)];
            Entry { text: text.clone(), asked, hidden: 0, first: None, refused, selector }
        };
        Skipping { rules, file, entries: all.iter().map(entry).collect() }
    }

    /// Whether a place, and all below it, is not compared.
    pub fn of(&self, place: &Place) -> Option<Skip> {
        if self.rules.skips(self.file, place) {
            return Some(Skip::ByRule);
        }
        let names = |entry: &Entry| entry.selector.as_ref().is_some_and(|selector| selector.names(place));
        self.entries.iter().position(names).map(Skip::ByEntry)
    }

    /// Notes what an entry hid.
    pub fn note(&mut self, entry: usize, place: &Place) {
        let entry = &mut self.entries[entry];
        entry.hidden += 1;
        entry.first.get_or_insert_with(|| place.dotted());
    }
}

/// An entry of a document's own list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Own {
    Text(String),
    /// What is no text, as it stands.
    Other(String),
}

fn own_entries(rules: &StateRules, document: &Document) -> BTreeSet<Own> {
    let Some(key) = &rules.skip_list else { return BTreeSet::new() };
    let list = document.get(document.root(), key).filter(|list| list.shape == Shape::Array);
    let entries = list.into_iter().flat_map(|list| document.elements(list));
    let own = |entry: Value| match document.text(entry) {
        Some(text) => Own::Text(text),
        None => Own::Other(String::from_utf8_lossy(document.bytes(entry)).into_owned()),
    };
    entries.map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::place::Step;

    #[test]
    fn both_lists_count_and_nothing_may_ask_for_everything() {
        let rules = StateRules { skip_list: Some("skip".into()), ..StateRules::default() };
        let [one, other] = [r#"{"skip":["a","", 7]}"#, r#"{"skip":["b.c","/","a"]}"#]
            .map(|text| Document::parse(text.as_bytes().to_vec()).unwrap());
        let mut skipping = Skipping::new(&rules, "x.json", [&one, &other]);
        let told: Vec<_> =
            skipping.entries.iter().map(|entry| (&*entry.text, entry.asked, entry.refused.is_some())).collect();
        assert_eq!(
            told,
            [
                ("", [true, false], true),
                ("/", [false, true], false),
                ("a", [true, true], false),
                ("b.c", [false, true], false),
                ("7", [true, false], true)
            ]
        );
        let mut place = Place::default();
        assert_eq!(skipping.of(&place), None);
        place.push(Step::Key("b".into()));
        assert_eq!(skipping.of(&place), None);
        place.push(Step::Key("c".into()));
        assert_eq!(skipping.of(&place), Some(Skip::ByEntry(3)));
        skipping.note(3, &place);
        assert_eq!((skipping.entries[3].hidden, skipping.entries[3].first.as_deref()), (1, Some("b.c")));
    }
}
