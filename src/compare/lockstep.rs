//! Two texts walked side by side along learned layouts.

use super::leaves::{Allocators, Leaves};
use super::paths::RulePaths;
use super::plan::{Plan, Step};
use super::trie::Trie;
use super::walk::Overlooked;

/// Where a leaf stands in its text.
pub(super) type Span = (u32, u32);

/// What walking two texts along the layouts found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// Both are valid, and equal under the rules.
    Equal(Overlooked),
    /// They seem to differ.
    Undecided,
    /// A text fits no layout.
    Unknown,
    /// It is not known how texts of these layouts are compared.
    NoPlan(u16, u16),
}

/// Walks both texts; `spans` are buffers.
pub(super) fn walk(
    trie: &Trie,
    reference: &[u8],
    candidate: &[u8],
    allocators: Allocators<'_>,
    spans: &mut [Vec<Span>; 2],
) -> Walked {
    match walk_together(trie, reference, candidate, allocators) {
        Some(walked) => walked,
        None => walk_apart(trie, reference, candidate, allocators, spans),
    }
}

/// Walks two texts of one layout; `None` where the candidate leaves the reference's.
fn walk_together(trie: &Trie, x: &[u8], y: &[u8], allocators: Allocators<'_>) -> Option<Walked> {
    let mut leaves = Leaves::default();
    let (mut place, mut left, mut right) = (trie.root(), 0, 0);
    // So many bytes from here on are the same in both.
    let mut same = common(x, y);
    loop {
        let Some(met) = trie.step(place, x, left) else { return Some(Walked::Unknown) };
        place = met.place;
        let len = met.end - left;
        if len < same {
            // The byte behind the leaf is the same too, so the candidate's leaf ends there as well.
            if place.leaf.says != 0 {
                leaves.say(0, place.leaf.says, &x[met.start..met.end]);
                leaves.say(1, place.leaf.says, &y[right + met.start - left..right + len]);
            }
            same -= len;
            (left, right) = (met.end, right + len);
            continue;
        }
        let other = trie.fit(place, y, right)?;
        if place.ends.is_some() {
            return Some(match leaves.settle(allocators) {
                true => Walked::Equal(leaves.overlooked),
                false => Walked::Undecided,
            });
        }
        let (a, b) = (&x[met.start..met.end], &y[other.start..other.end]);
        leaves.say(0, place.leaf.says, a);
        leaves.say(1, place.leaf.says, b);
        if !leaves.judge(place.leaf.duty, allocators.paths, a, b) {
            return Some(Walked::Undecided);
        }
        (left, right) = (met.end, other.end);
        same = common(&x[left..], &y[right..]);
    }
}

/// Walks each text along its own layout, then compares leaf by leaf as the plan says.
fn walk_apart(
    trie: &Trie,
    reference: &[u8],
    candidate: &[u8],
    allocators: Allocators<'_>,
    spans: &mut [Vec<Span>; 2],
) -> Walked {
    spans.iter_mut().for_each(Vec::clear);
    let mut leaves = Leaves::default();
    let mut fit = |side: usize, text| {
        trie.fit_whole(text, |met| {
            leaves.say(side, met.place.leaf.says, &text[met.start..met.end]);
            spans[side].push((met.start as u32, met.end as u32));
        })
    };
    let (Some(x), Some(y)) = (fit(0, reference), fit(1, candidate)) else { return Walked::Unknown };
    match trie.plan((x, y)) {
        None => Walked::NoPlan(x, y),
        Some(Some(plan))
            if follow(plan, allocators.paths, [(reference, &spans[0]), (candidate, &spans[1])], &mut leaves) =>
        {
            match leaves.settle(allocators) {
                true => Walked::Equal(leaves.overlooked),
                false => Walked::Undecided,
            }
        }
        Some(_) => Walked::Undecided,
    }
}

/// Compares leaf by leaf; false where the texts seem to differ.
fn follow<'t>(plan: &Plan, paths: &RulePaths, sides: [(&'t [u8], &[Span]); 2], leaves: &mut Leaves<'t>) -> bool {
    let token = |side: usize, leaf: u16| {
        let (text, spans) = sides[side];
        let (start, end) = spans[leaf as usize];
        &text[start as usize..end as usize]
    };
    leaves.overlooked.clone_from(&plan.always);
    plan.steps.iter().all(|step| match *step {
        Step::Both { reference, candidate, duty } => {
            let (a, b) = (token(0, reference), token(1, candidate));
            a == b || leaves.judge(duty, paths, a, b)
        }
        Step::Alone { side, leaf, ignore } => leaves.judge_alone(ignore, token(side, leaf)),
    })
}

/// How many bytes two texts have in common from their beginning.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    const WIDE: usize = 16;
    let len = a.len().min(b.len());
    let (a, b) = (&a[..len], &b[..len]);
    let wide = a.as_chunks::<WIDE>().0.iter().zip(b.as_chunks::<WIDE>().0);
    let from = wide.take_while(|(x, y)| x == y).count() * WIDE;
    let (a, b) = (&a[from..], &b[from..]);
    let mut at = 0;
    for (x, y) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        let differs = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differs != 0 {
            return from + at + differs.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    from + at + a[at..].iter().zip(&b[at..]).take_while(|(x, y)| x == y).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_beginning_ends_at_the_first_difference() {
        let text: Vec<u8> = (0..70).collect();
        for at in 0..70 {
            let mut other = text.clone();
            other[at] = 255;
            assert_eq!(common(&text, &other), at);
            assert_eq!(common(&text, &text[..at]), at);
        }
        assert_eq!(common(&text, &text), 70);
    }
}
