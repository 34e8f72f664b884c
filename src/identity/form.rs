//! Forms: an event that looks like one that was read need not be read.
//!
//! Programs write events of one kind alike: the same keys, in the same order, behind the same punctuation. A form is that
//! text, taken from an event that was read strictly and gave no key twice, and what stands between: scalars, any of them.
//! What decides whether an event says something at all (the values that conditions ask for, and what a size is told by)
//! is part of the text. So an event that fits a form is strictly valid, gives no key twice, meets the same conditions,
//! and says the same of other values.

use super::marks::{Mark, Says, number_of};
use crate::json::{Kind, Tape, leaf};
use crate::profile::Failure;

/// Forms of one kind that are known at a time.
const FORMS_MAX: usize = 8;
/// Events that are looked at before forms are given up.
const TRIED_MIN: u32 = 64;
/// Events with more scalars, or more text between them, have no form.
const LEAVES_MAX: usize = 48;
const TEXT_MAX: usize = 4 << 10;

/// What events of one kind have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    /// All texts between the scalars, one behind the other.
    text: Vec<u8>,
    /// Where each of them ends; one more than scalars.
    ends: Vec<u16>,
    /// What scalars say, in the order of the profile's rules.
    takes: Vec<Take>,
}

/// What one scalar says.
#[derive(Clone, Debug)]
pub(super) struct Take {
    leaf: usize,
    rule: u16,
    says: What,
}

/// What it says of its value.
#[derive(Clone, Debug)]
pub(super) enum What {
    Define { except: Failure, told: u64 },
    Release,
    Size { told: u64 },
}

/// A scalar's node that says something.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub node: usize,
    pub rule: u16,
    pub says: What,
}

/// The forms of one kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Forms {
    /// The one that fitted last in front.
    known: Vec<Form>,
    /// Events looked at, and how many of them fitted.
    tried: u32,
    fitted: u32,
}

impl Form {
    /// The form of a line that was read strictly and gives no key twice; scalars at `fixed` nodes are part of its text.
    /// `None` where it has too many scalars or too much text.
    fn of(tape: &Tape, line: &[u8], fixed: &[usize], told: &[Told]) -> Option<Form> {
        let mut leaves = Vec::new();
        scalars(tape, Tape::ROOT, &mut leaves);
        leaves.retain(|leaf| !fixed.contains(leaf));
        let mut form = Form::default();
        let mut from = 0;
        for leaf in &leaves {
            form.push(&line[from..tape.start(*leaf)])?;
            from = tape.start(*leaf) + tape.bytes(line, *leaf).len();
        }
        form.push(&line[from..])?;
        for Told { node, rule, says } in told {
            // What says something and is part of the text too is rare.
            let leaf = leaves.iter().position(|leaf| leaf == node)?;
            form.takes.push(Take { leaf, rule: *rule, says: says.clone() });
        }
        (leaves.len() <= LEAVES_MAX).then_some(form)
    }

    fn push(&mut self, text: &[u8]) -> Option<()> {
        self.text.extend_from_slice(text);
        self.ends.push(u16::try_from(self.text.len()).ok().filter(|end| usize::from(*end) <= TEXT_MAX)?);
        Some(())
    }

    /// Whether a line fits, and where its scalars lie.
    #[inline]
    fn fit(&self, line: &[u8], places: &mut [(u32, u32); LEAVES_MAX]) -> bool {
        let (mut at, mut from) = (0, 0);
        let Some((last, before)) = self.ends.split_last() else { return false };
        for (end, place) in before.iter().zip(places) {
            let text = &self.text[from..usize::from(*end)];
            if !line.get(at..).is_some_and(|rest| rest.starts_with(text)) {
                return false;
            }
            let start = at + text.len();
            let Some(end_of_leaf) = leaf::scalar_end(line, start) else { return false };
            (from, at) = (usize::from(*end), end_of_leaf);
            *place = (start as u32, at as u32);
        }
        line.get(at..) == Some(&self.text[from..usize::from(*last)])
    }
}

impl What {
    /// What it says of a value, if it says anything of that one.
    pub fn mark(&self, rule: u16, value: u64) -> Option<Mark> {
        let says = match self {
            What::Define { except, .. } if except.has(value) => return None,
            What::Define { told, .. } => Says::Defined { value, told: *told },
            What::Release => Says::Released { value },
            What::Size { told } => Says::Size { told: *told, size: value },
        };
        Some(Mark { rule, says })
    }
}

impl Forms {
    /// Tells what a line says that fits a form; false if it fits none.
    #[inline]
    pub fn tell(&mut self, line: &[u8], found: &mut impl FnMut(Mark)) -> bool {
        if self.are_of_no_use() {
            return false;
        }
        self.tried += 1;
        let mut places = [(0, 0); LEAVES_MAX];
        let Some(at) = self.known.iter().position(|form| form.fit(line, &mut places)) else { return false };
        self.fitted += 1;
        self.known.swap(0, at);
        for take in &self.known[0].takes {
            let (start, end) = places[take.leaf];
            let mark =
                number_of(&line[start as usize..end as usize]).and_then(|value| take.says.mark(take.rule, value));
            mark.into_iter().for_each(&mut *found);
        }
        true
    }

    /// How many are known.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Learns the form of a line that was read strictly and gives no key twice.
    pub fn learn(&mut self, tape: &Tape, line: &[u8], fixed: &[usize], told: &[Told]) {
        if self.are_of_no_use() {
            return;
        }
        if let Some(form) = Form::of(tape, line, fixed, told) {
            self.known.truncate(FORMS_MAX - 1);
            self.known.push(form);
        }
    }

    /// Where hardly an event looks like another one, looking costs more than it saves.
    fn are_of_no_use(&self) -> bool {
        self.tried >= TRIED_MIN && self.fitted < self.tried / 2
    }
}

/// The scalars at and below a node, in order of the text.
pub(super) fn scalars(tape: &Tape, node: usize, found: &mut Vec<usize>) {
    match tape.kind(node) {
        Kind::ObjectStart => tape.members(node).for_each(|(_, value)| scalars(tape, value, found)),
        Kind::ArrayStart => tape.elements(node).for_each(|element| scalars(tape, element, found)),
        _ => found.push(node),
    }
}
