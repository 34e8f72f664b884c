//! Values that mean other objects on the two sides, told in a sentence and for machines.

use super::doc::Doc;
use super::story::{Story, thread_name};
use super::visible::visible;
use crate::diverge::{ObjectName, ValueMeaning};
use crate::scan::ThreadKey;
use crate::source::Side;

/// Which objects the two sides mean at one place.
pub(crate) fn sentence(story: &Story, meaning: &ValueMeaning) -> String {
    let told = |side: Side| {
        let object = meaning.objects[side.index()].as_ref();
        let said = object.map_or_else(|| "no object alive there".to_owned(), object_text);
        format!("{} {said}", story.label(side))
    };
    let path = visible(&meaning.path.dotted());
    format!("{path} means another object: {}, {}.", told(Side::Reference), told(Side::Candidate))
}

/// "the 3rd of heap-addresses on thread 6 + 0x10"
fn object_text(object: &ObjectName) -> String {
    let offset = if object.offset > 0 { format!(" + {:#x}", object.offset) } else { String::new() };
    let thread = match &object.thread {
        ThreadKey::Single => String::new(),
        thread => format!(" on thread {}", thread_name(thread, object.generation)),
    };
    format!("the {} of {}{thread}{offset}", counted_off(object.number), visible(&object.rule))
}

/// A number from 0 as people count: 1st, 2nd, 3rd, 4th.
fn counted_off(number: u64) -> String {
    let number = u128::from(number) + 1;
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// The objects that both sides mean, as the JSON report has them.
pub(crate) fn doc(meaning: &ValueMeaning, tid: impl Fn(&ThreadKey) -> Doc) -> Doc {
    let side = |side: Side| match &meaning.objects[side.index()] {
        None => Doc::null(),
        Some(object) => Doc::object([
            ("rule", Doc::text(&object.rule)),
            ("tid", tid(&object.thread)),
            ("generation", Doc::number(object.generation)),
            ("number", Doc::number(object.number)),
            ("offset", Doc::number(object.offset)),
        ]),
    };
    Doc::object([("reference", side(Side::Reference)), ("candidate", side(Side::Candidate))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_people_count() {
        let told: Vec<String> = [0, 1, 2, 3, 10, 11, 12, 20, 21, 110, 111, 122].map(counted_off).into();
        assert_eq!(
            told,
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "111th", "112th", "123rd"]
        );
        assert_eq!(counted_off(u64::MAX), "18446744073709551616th");
    }
}
