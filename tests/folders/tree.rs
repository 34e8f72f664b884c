//! JSON as a tree whose numbers keep their spelling.

use std::cmp::Ordering;

use super::Draw;

#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    pub fn object<const N: usize>(members: [(&str, Tree); N]) -> Tree {
        Tree::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    pub fn get(&self, key: &str) -> Option<&Tree> {
        match self {
            Tree::Object(members) => members.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Writes the tree as text; with `turns`, keys in another order and numbers spelled otherwise.
    pub fn spell(&self, out: &mut String, mut turns: Option<Draw>) {
        match self {
            Tree::Null => out.push_str("null"),
            Tree::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Tree::Number(number) => {
                out.push_str(number);
                let is_whole = number.bytes().all(|byte| byte.is_ascii_digit());
                if let Some(draw) = turns.as_mut().filter(|_| is_whole) {
                    out.push_str(["", ".0", "e0", ".00E+0"][draw(4) as usize]);
                }
            }
            Tree::Text(text) => out.push_str(&serde_json::to_string(text).unwrap()),
            Tree::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    item.spell(out, again(&mut turns));
                }
                out.push(']');
            }
            Tree::Object(members) => {
                let mut members: Vec<&(String, Tree)> = members.iter().collect();
                if let Some(draw) = turns.as_mut() {
                    shuffle(&mut members, draw);
                }
                out.push('{');
                for (at, (key, value)) in members.into_iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    out.push_str(&serde_json::to_string(key).unwrap());
                    out.push_str(": ");
                    value.spell(out, again(&mut turns));
                }
                out.push('}');
            }
        }
    }

    /// The same document with the members of its sets in another order.
    pub fn turned(&self, file: &str, draw: &mut dyn FnMut(u64) -> u64) -> Tree {
        self.turned_at(file, "", draw)
    }

    fn turned_at(&self, file: &str, last: &str, draw: &mut dyn FnMut(u64) -> u64) -> Tree {
        match self {
            Tree::List(items) => {
                let mut items: Vec<Tree> = items.iter().map(|item| item.turned_at(file, "[]", draw)).collect();
                if super::naive::set_key(file, last).is_some() {
                    shuffle(&mut items, draw);
                }
                Tree::List(items)
            }
            Tree::Object(members) => Tree::Object(
                members.iter().map(|(key, value)| (key.clone(), value.turned_at(file, key, draw))).collect(),
            ),
            leaf => leaf.clone(),
        }
    }

    /// A text that two trees share if they are equal, and no others.
    pub fn canonical(&self) -> String {
        match self {
            Tree::Number(number) if number == "NaN" => "NaN".to_owned(),
            // All numbers that are drawn are exact as doubles.
            Tree::Number(number) => format!("#{}", number.parse::<f64>().unwrap()),
            Tree::Text(text) => serde_json::to_string(text).unwrap(),
            Tree::List(items) => format!("[{}]", items.iter().map(Tree::canonical).collect::<Vec<_>>().join(",")),
            Tree::Object(_) => {
                let mut members: Vec<String> = self
                    .keys()
                    .iter()
                    .map(|key| {
                        format!("{}:{}", serde_json::to_string(key).unwrap(), self.get(key).unwrap().canonical())
                    })
                    .collect();
                members.sort();
                format!("{{{}}}", members.join(","))
            }
            other => {
                let mut text = String::new();
                other.spell(&mut text, None);
                text
            }
        }
    }

    /// The keys of an object, sorted, each once.
    pub fn keys(&self) -> Vec<String> {
        let Tree::Object(members) = self else { return Vec::new() };
        let mut keys: Vec<String> = members.iter().map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Which type it is: all numbers are of one.
    pub fn shape(&self) -> u8 {
        match self {
            Tree::Null => 0,
            Tree::Bool(_) => 1,
            Tree::Number(_) => 2,
            Tree::Text(_) => 3,
            Tree::List(_) => 4,
            Tree::Object(_) => 5,
        }
    }

    /// An order of values: by type, then numbers by value, texts by characters.
    pub fn order(&self, other: &Tree) -> Ordering {
        self.shape().cmp(&other.shape()).then_with(|| match (self, other) {
            (Tree::Number(one), Tree::Number(other)) => match (one.parse::<f64>(), other.parse::<f64>()) {
                (Ok(x), Ok(y)) if !x.is_nan() && !y.is_nan() => x.partial_cmp(&y).unwrap(),
                (Ok(x), Ok(y)) => x.is_nan().cmp(&y.is_nan()),
                _ => Ordering::Equal,
            },
            (Tree::Text(one), Tree::Text(other)) => one.cmp(other),
            (one, other) => one.canonical().cmp(&other.canonical()),
        })
    }
}

fn again<'a>(turns: &'a mut Option<Draw>) -> Option<Draw<'a>> {
    match turns {
        Some(draw) => Some(&mut **draw),
        None => None,
    }
}

fn shuffle<T>(items: &mut [T], draw: &mut dyn FnMut(u64) -> u64) {
    for at in (1..items.len()).rev() {
        items.swap(at, draw(at as u64 + 1) as usize);
    }
}
