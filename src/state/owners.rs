//! Whose an address is.

use std::collections::BTreeSet;
use std::ops::Range;

/// A stretch of addresses and what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub range: Range<u64>,
    /// "section .text", "heap main".
    pub name: String,
}

/// Stretches that may lie inside each other: of several the smallest counts, of equal ones the first.
#[derive(Debug, Default)]
pub struct Owners {
    owners: Vec<Owner>,
    /// Where one begins or ends, and from there on whose it is.
    edges: Vec<(u128, Option<usize>)>,
}

impl Owners {
    pub fn new(owners: Vec<Owner>) -> Owners {
        let owners: Vec<Owner> = owners.into_iter().filter(|owner| !owner.range.is_empty()).collect();
        let mut turns: Vec<(u128, usize)> = owners
            .iter()
            .enumerate()
            .flat_map(|(at, owner)| [(owner.range.start.into(), at), (owner.range.end.into(), at)])
            .collect();
        turns.sort_unstable();
        let mut open: BTreeSet<(u64, usize)> = BTreeSet::new();
        let mut edges: Vec<(u128, Option<usize>)> = Vec::new();
        for (place, at) in turns {
            let range = &owners[at].range;
            let key = (range.end - range.start, at);
            if !open.remove(&key) {
                open.insert(key);
            }
            let whose = open.first().map(|(_, at)| *at);
            match edges.last_mut().filter(|(last, _)| *last == place) {
                Some(last) => last.1 = whose,
                None => edges.push((place, whose)),
            }
        }
        edges.dedup_by_key(|edge| edge.1);
        Owners { owners, edges }
    }

    /// A range cut where owners change, each piece with whose it is. Images may reach beyond the last address.
    pub fn pieces(&self, range: Range<u128>) -> impl Iterator<Item = (Range<u128>, Option<&Owner>)> {
        let mut next = self.edges.partition_point(|(place, _)| *place <= range.start);
        let mut start = range.start;
        std::iter::from_fn(move || {
            if start >= range.end {
                return None;
            }
            let whose = next.checked_sub(1).and_then(|at| self.edges[at].1);
            let end = self.edges.get(next).map_or(range.end, |(place, _)| (*place).min(range.end));
            let piece = (start..end, whose.map(|at| &self.owners[at]));
            (start, next) = (end, next + 1);
            Some(piece)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_smallest_counts_and_pieces_fill_the_range() {
        let owner = |range, name: &str| Owner { range, name: name.into() };
        let owners = Owners::new(vec![
            owner(10..40, "section"),
            owner(20..25, "slot"),
            owner(25..30, "slot"),
            owner(50..50, "none"),
        ]);
        let told: Vec<_> =
            owners.pieces(5..45).map(|(range, owner)| (range, owner.map(|owner| owner.name.as_str()))).collect();
        assert_eq!(
            told,
            [
                (5..10, None),
                (10..20, Some("section")),
                (20..25, Some("slot")),
                (25..30, Some("slot")),
                (30..40, Some("section")),
                (40..45, None)
            ]
        );
        assert_eq!(
            Owners::default().pieces(1..3).map(|(range, owner)| (range, owner.is_none())).collect::<Vec<_>>(),
            [(1..3, true)]
        );
    }

    proptest! {
        #[test]
        fn every_address_is_whose_a_look_at_all_says(ranges in prop::collection::vec((0u64..60, 0u64..20), 0..8), from in 0u64..70, len in 0u64..20) {
            let all: Vec<Owner> = ranges.iter().enumerate().map(|(at, (from, len))| Owner { range: *from..from + len, name: at.to_string() }).collect();
            let owners = Owners::new(all.clone());
            let mut next = from;
            for (piece, owner) in owners.pieces(from.into()..(from + len).into()) {
                prop_assert_eq!(piece.start, u128::from(next));
                for address in piece.start as u64..piece.end as u64 {
                    let least = all.iter().filter(|owner| owner.range.contains(&address)).min_by_key(|owner| owner.range.end - owner.range.start);
                    prop_assert_eq!(owner.map(|owner| &owner.name), least.map(|owner| &owner.name), "{}", address);
                }
                next = piece.end as u64;
            }
            prop_assert_eq!(next, from + len);
        }
    }
}
