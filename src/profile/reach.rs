//! Where rules can reach: inside the payload, and not at positions of an array without order.

use super::fault::nearest;
use super::overrides::allocator_paths;
use super::pattern::{Pattern, Segment};
use super::rules::*;
use crate::json::Pointer;

/// Whether a rule at `path` can ever be asked; if not, why, with the path that was likely meant.
pub(super) fn inside_payload(path: &Pattern, payload: &PayloadRole) -> Result<(), String> {
    let PayloadRole::At(payload) = payload else { return Ok(()) };
    if path.below(payload).is_some() {
        return Ok(());
    }
    let meant = meant_path(path, payload);
    Err(format!("{path} lies outside the payload {payload}, where nothing is compared; did you mean {meant}?"))
}

/// The payload's own name with a slip in it, or else a path that forgot to name it.
fn meant_path(path: &Pattern, payload: &Pointer) -> Pattern {
    let (given, named) = (path.segments(), payload.tokens());
    let is_slip = |(given, named): (&Segment, &String)| match given {
        Segment::Key(given) => nearest(given, [named.as_str()]).is_some(),
        Segment::Any => true,
    };
    let slipped = given.len() > named.len() && given.iter().zip(named).all(is_slip);
    let inner = if slipped { &given[named.len()..] } else { given };
    Pattern::new(Pattern::from(payload).segments().iter().chain(inner).cloned())
}

/// Ignoring the payload itself would leave a comparison of nothing.
pub(super) fn below_payload(path: &Pattern, payload: &PayloadRole) -> Result<(), String> {
    let is_payload = match payload {
        PayloadRole::At(payload) => path.below(payload).is_some_and(|rest| rest.is_root()),
        // Whatever stands in the line.
        PayloadRole::Whole => *path.segments() == [Segment::Any],
    };
    match is_payload {
        true => Err(format!("{path} is the whole payload; ignoring it would leave nothing to compare")),
        false => Ok(()),
    }
}

/// The names of those rules that a payload's place leaves nothing to do, for all or a part of theirs lies outside it.
pub(super) fn out_of_reach(profile: &Profile, payload: &PayloadRole) -> Vec<String> {
    let outside = |path: &Pattern| inside_payload(path, payload).is_err();
    let whole = |path: &Pattern| below_payload(path, payload).is_err();
    let values = profile
        .value_rules()
        .filter(|(_, rule)| outside(rule.path) || matches!(rule.does, Does::Ignore) && whole(rule.path));
    let allocators = profile.allocator.iter().filter(|rule| allocator_paths(rule).any(|path| outside(&path.into())));
    let identities = profile.identity.iter().filter(|rule| {
        rule.define.iter().any(|define| outside(&(&define.value).into()))
            || rule.uses.iter().any(|used| outside(&used.path))
    });
    (values.map(|(_, rule)| rule.name))
        .chain(allocators.map(|rule| rule.name.as_str()))
        .chain(identities.map(|rule| rule.name.as_str()))
        .map(str::to_owned)
        .collect()
}

/// A rule for one position of an array whose order does not count, and why that is refused: which
/// element it would be for depends on the order.
pub(super) fn position_in_unordered(profile: &Profile) -> Option<(&str, String)> {
    let rules = || profile.value_rules().map(|(_, rule)| rule);
    let arrays = || rules().filter(|rule| matches!(rule.does, Does::Unordered(_)));
    let told = |name: &str, path: &Pattern, array: &ValueRule<'_>| {
        format!(
            "{path} names a position of {}, whose order does not count by the rule {}; write * there: {name}",
            array.path, array.name
        )
    };
    rules().find_map(|rule| {
        let array = arrays().find(|array| {
            let at = array.path.segments().len();
            array.path.touches(rule.path)
                && array.shares_a_kind_with(&rule)
                && rule.path.segments().get(at).is_some_and(Segment::is_position)
        })?;
        Some((rule.name, told(rule.name, rule.path, &array)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_the_name_of_the_payload_is_mended() {
        let payload = Pointer::parse("/payload").unwrap();
        for (path, meant) in [("/paylaod/size", "/payload/size"), ("/size", "/payload/size"), ("/pay", "/payload/pay")]
        {
            assert_eq!(meant_path(&Pattern::parse(path).unwrap(), &payload).to_string(), meant);
        }
    }
}
