//! Two documents side by side.

use std::cmp::Ordering;

use super::class::{Class, Kind};
use super::difference::{Difference, Differences};
use super::document::{Document, Member, Shape, Value, equal, text_order};
use super::place::{Place, Step};
use super::rules::{SetRule, StateRules};
use super::sets::{self, Match};
use super::skipping::{Skip, Skipping};
use crate::json::text;

/// A walk through two documents of one name.
pub struct Walk<'a> {
    rules: &'a StateRules,
    file: (usize, &'a str),
    documents: [&'a Document; 2],
    pub skipping: Skipping<'a>,
    place: Place,
    /// Within members of a set whose types are ranked: the rank.
    rank: u8,
    /// What lies below is not compared because of that entry.
    hiding: Option<usize>,
    out: &'a mut Differences,
    /// What is worth a word though it is no difference.
    pub remarks: Vec<String>,
    /// What could not be compared.
    pub faults: Vec<String>,
}

impl<'a> Walk<'a> {
    pub fn new(
        rules: &'a StateRules,
        file: (usize, &'a str),
        documents: [&'a Document; 2],
        out: &'a mut Differences,
    ) -> Walk<'a> {
        let skipping = Skipping::new(rules, file.1, documents);
        Walk {
            rules,
            file,
            documents,
            skipping,
            place: Place::default(),
            rank: u8::MAX,
            hiding: None,
            out,
            remarks: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Compares both documents.
    pub fn run(&mut self) {
        self.values(self.documents.map(Document::root));
    }

    fn bytes(&self, values: [Value; 2]) -> [&'a [u8]; 2] {
        [self.documents[0].bytes(values[0]), self.documents[1].bytes(values[1])]
    }

    /// Does something a step further down; what is skipped there is only looked through for what a document's own entry hides.
    fn below(&mut self, step: Step, work: impl FnOnce(&mut Walk<'a>)) {
        self.place.push(step);
        let skip = if self.hiding.is_none() { self.skipping.of(&self.place) } else { None };
        match skip {
            Some(Skip::ByRule) => {}
            Some(Skip::ByEntry(entry)) => {
                self.hiding = Some(entry);
                work(self);
                self.hiding = None;
            }
            None => work(self),
        }
        self.place.pop();
    }

    fn values(&mut self, values: [Value; 2]) {
        let [one, other] = self.bytes(values);
        if one == other {
            return;
        }
        match values.map(|value| value.shape) {
            [Shape::Object, Shape::Object] => self.objects(values),
            [Shape::Array, Shape::Array] => match self.rules.set(self.file.1, &self.place) {
                Some(rule) => self.sets(rule, values),
                None => self.sequences(values),
            },
            [a, b] if a != b => self.tell(Kind::TypeMismatch, values.map(Some)),
            _ if equal((self.documents[0], values[0]), (self.documents[1], values[1])) => {}
            _ => self.tell(Kind::Value, values.map(Some)),
        }
    }

    fn objects(&mut self, values: [Value; 2]) {
        let [one, other] = self.documents;
        let (mut left, mut right) =
            (one.sorted_members(values[0]).peekable(), other.sorted_members(values[1]).peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some(x), Some(y)) => text_order(one.key(*x), other.key(*y)),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return,
            };
            self.member([left.next_if(|_| order.is_le()), right.next_if(|_| order.is_ge())]);
        }
    }

    fn member(&mut self, members: [Option<Member>; 2]) {
        let values = members.map(|member| member.map(|member| member.value));
        if let [Some(one), Some(other)] = values
            && self.documents[0].bytes(one) == self.documents[1].bytes(other)
        {
            return;
        }
        let key = members.iter().zip(self.documents).find_map(|(member, document)| Some(document.key((*member)?)));
        let key = key.map(|key| String::from_utf8_lossy(&text::unescape(key)).into_owned()).unwrap_or_default();
        self.below(Step::Key(key), |walk| match values {
            [Some(one), Some(other)] => walk.values([one, other]),
            [Some(_), None] => walk.tell(Kind::MissingField, values),
            _ => walk.tell(Kind::ExtraField, values),
        });
    }

    fn sequences(&mut self, values: [Value; 2]) {
        let lengths = [0, 1].map(|side| self.documents[side].elements(values[side]).count());
        if lengths[0] != lengths[1] {
            self.tell_texts(Kind::SeqLength, || lengths.map(|length| Some(length.to_string().into_bytes())));
        }
        let (left, right) = (self.documents[0].elements(values[0]), self.documents[1].elements(values[1]));
        for (at, (one, other)) in left.zip(right).enumerate() {
            if self.documents[0].bytes(one) != self.documents[1].bytes(other) {
                self.below(Step::Position(at), |walk| walk.values([one, other]));
            }
        }
    }

    fn sets(&mut self, rule: &SetRule, values: [Value; 2]) {
        let Some(matches) = sets::pair(self.documents, values, &rule.by, &rule.otherwise) else {
            let (set, most) = (self.place.dotted(), sets::MEMBERS_MAX);
            self.faults.push(format!("{set}: sets of more than {most} members are not compared"));
            return;
        };
        for (side, whose) in ["reference", "candidate"].into_iter().enumerate() {
            let (set, by) = (self.place.dotted(), &rule.by);
            let told = |count: u64, one: &str, many: &str| match count {
                0 => None,
                1 => Some(format!("{set}: 1 member of the {whose} {one}; it is paired by what it holds")),
                count => {
                    Some(format!("{set}: {count} members of the {whose} {many}; they are paired by what they hold"))
                }
            };
            let doubles = [format!("has a {by} that another one has"), format!("have a {by} that another one has")];
            let keyless = [format!("has no {by}"), format!("have no {by}")];
            self.remarks.extend(told(matches.doubles[side], &doubles[0], &doubles[1]));
            self.remarks.extend(told(matches.keyless[side], &keyless[0], &keyless[1]));
        }
        for one in &matches.all {
            self.matched(rule, one.members(self.documents), one);
        }
    }

    fn matched(&mut self, rule: &SetRule, members: [Option<Value>; 2], one: &Match) {
        if let [Some(left), Some(right)] = members
            && self.documents[0].bytes(left) == self.documents[1].bytes(right)
        {
            return;
        }
        let mut both = members.iter().zip(self.documents);
        let key = both.find_map(|(member, document)| {
            let key = sets::key(document, (*member)?, &rule.by)?;
            Some(document.text(key).unwrap_or_else(|| String::from_utf8_lossy(document.bytes(key)).into_owned()))
        });
        let key = key.unwrap_or_else(|| "?".to_owned());
        let key = if one.nth > 0 { format!("{key}#{}", one.nth) } else { key };
        let rank = self.rank_of(rule, members);
        let before = std::mem::replace(&mut self.rank, rank);
        self.below(Step::Member { by: rule.by.clone(), key }, |walk| match members {
            [Some(left), Some(right)] => walk.values([left, right]),
            [Some(_), None] => walk.tell(Kind::MissingInCandidate, members),
            _ => walk.tell(Kind::ExtraInCandidate, members),
        });
        self.rank = before;
    }

    /// The rank of a member's type, the types that no rule names last.
    fn rank_of(&self, rule: &SetRule, members: [Option<Value>; 2]) -> u8 {
        let Some((by, order)) = &rule.ranked else { return self.rank };
        let of = |side: usize| {
            let document = self.documents[side];
            let word = document.text(document.get(members[side]?, by)?)?;
            order.iter().position(|known| known.eq_ignore_ascii_case(&word))
        };
        of(0).or(of(1)).unwrap_or(order.len()) as u8
    }

    fn tell(&mut self, kind: Kind, values: [Option<Value>; 2]) {
        let documents = self.documents;
        let text = |side: usize| values[side].map(|value| documents[side].bytes(value).to_vec());
        self.tell_texts(kind, || [text(0), text(1)]);
    }

    fn tell_texts(&mut self, kind: Kind, values: impl FnOnce() -> [Option<Vec<u8>>; 2]) {
        if let Some(entry) = self.hiding {
            return self.skipping.note(entry, &self.place);
        }
        let class = self.rules.class(self.file.1, &self.place, kind);
        let rank = if class == Class::Gamma { self.rank } else { u8::MAX };
        let (place, file) = (&self.place, self.file.0);
        self.out.push(class, || Difference {
            file,
            path: place.dotted(),
            kind,
            class,
            values: values(),
            rank,
            is_informational: false,
        });
    }
}
