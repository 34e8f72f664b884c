//! Many patterns as one tree of places, in which each key leads to one place.
//!
//! A place has a child for every key that some pattern names there, and one for all other keys; a pattern with
//! `*` goes on in all of them. Nothing has to be tried twice on the way through a value, at the price of
//! more places where patterns with `*` overlap.

use super::pattern::{Pattern, Segment};

/// A place in a [`PatternTree`].
#[derive(Clone, Debug, Default)]
pub struct PatternNode {
    /// The patterns that end here, by their number, in order.
    pub ends: Vec<u16>,
    /// The places below for the keys that are named here.
    pub keys: Vec<(String, u32)>,
    /// The place below for every other key.
    pub other: Option<u32>,
}

/// The tree; its first place is the root.
#[derive(Clone, Debug)]
pub struct PatternTree {
    /// All places, each before those below it.
    pub nodes: Vec<PatternNode>,
}

/// So many places are enough for a profile; more come only of many overlapping `*`.
pub const NODES_MAX: usize = 1 << 14;

impl PatternTree {
    /// The tree of patterns, the first of which is number 0; `None` where it has more than `limit` places.
    pub fn grow<'p>(patterns: impl IntoIterator<Item = &'p Pattern>, limit: usize) -> Option<PatternTree> {
        let patterns: Vec<&[Segment]> = patterns.into_iter().map(Pattern::segments).collect();
        // What still has to be met of the patterns that lead to each place.
        let mut open: Vec<Vec<(u16, &[Segment])>> =
            vec![patterns.into_iter().enumerate().map(|(number, rest)| (number as u16, rest)).collect()];
        let mut nodes: Vec<PatternNode> = Vec::new();
        while let Some(here) = open.get_mut(nodes.len()).map(std::mem::take) {
            let mut node = PatternNode::default();
            let mut add = |rests: Vec<(u16, &'p [Segment])>| {
                open.push(rests);
                open.len() as u32 - 1
            };
            let mut others = Vec::new();
            for (number, rest) in &here {
                match rest {
                    [] => node.ends.push(*number),
                    [Segment::Any, rest @ ..] => others.push((*number, rest)),
                    [Segment::Key(key), ..] if node.keys.iter().any(|(known, _)| known == key) => {}
                    [Segment::Key(key), ..] => node.keys.push((key.clone(), add(behind(&here, key)))),
                }
            }
            if !others.is_empty() {
                node.other = Some(add(others));
            }
            nodes.push(node);
            if open.len() > limit {
                return None;
            }
        }
        Some(PatternTree { nodes })
    }
}

/// What is left of the patterns behind a key.
fn behind<'p>(here: &[(u16, &'p [Segment])], key: &str) -> Vec<(u16, &'p [Segment])> {
    let step = |(number, rest): &(u16, &'p [Segment])| match rest.split_first() {
        Some((Segment::Any, rest)) => Some((*number, rest)),
        Some((Segment::Key(named), rest)) if named == key => Some((*number, rest)),
        _ => None,
    };
    here.iter().filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grown(texts: &[&str]) -> Option<PatternTree> {
        let patterns: Vec<Pattern> = texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        PatternTree::grow(&patterns, NODES_MAX)
    }

    /// The patterns that end at a path.
    fn ends(tree: &PatternTree, path: &[&str]) -> Vec<u16> {
        let step = |node: u32, key: &&str| {
            let node = &tree.nodes[node as usize];
            node.keys.iter().find(|(known, _)| known == key).map(|(_, below)| *below).or(node.other)
        };
        path.iter().try_fold(0, step).map_or(Vec::new(), |node| tree.nodes[node as usize].ends.clone())
    }

    #[test]
    fn a_star_goes_on_below_named_keys_too() {
        let tree = grown(&["/a/*/x", "/a/b/x", "/*/b", "/a"]).unwrap();
        assert_eq!(ends(&tree, &["a", "b", "x"]), [0, 1]);
        assert_eq!(ends(&tree, &["a", "c", "x"]), [0]);
        assert_eq!(ends(&tree, &["a", "b"]), [2]);
        assert_eq!(ends(&tree, &["z", "b"]), [2]);
        assert_eq!(ends(&tree, &["a"]), [3]);
        assert_eq!(ends(&tree, &["z"]), [0; 0]);
    }

    #[test]
    fn too_many_overlaps_have_no_tree() {
        let row = |at: usize| (0..16).map(|n| if n == at { "/a" } else { "/*" }).collect::<String>();
        let rows: Vec<String> = (0..16).map(row).collect();
        assert!(grown(&rows.iter().map(String::as_str).collect::<Vec<_>>()).is_none());
        assert!(grown(&rows[..4].iter().map(String::as_str).collect::<Vec<_>>()).is_some());
    }

    proptest! {
        #[test]
        fn each_path_ends_where_its_patterns_say(
            patterns in proptest::collection::vec(proptest::collection::vec(proptest::sample::select(&["a", "b", "*"][..]), 0..4), 0..6),
            path in proptest::collection::vec(proptest::sample::select(&["a", "b", "c"][..]), 0..4),
        ) {
            let text = |parts: &Vec<&str>| parts.iter().map(|part| format!("/{part}")).collect::<String>();
            let texts: Vec<String> = patterns.iter().map(text).collect();
            let tree = grown(&texts.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
            let fits = |parts: &Vec<&str>| parts.len() == path.len() && parts.iter().zip(&path).all(|(a, b)| *a == "*" || a == b);
            let wanted: Vec<u16> = (0..).zip(&patterns).filter(|(_, parts)| fits(parts)).map(|(number, _)| number).collect();
            prop_assert_eq!(ends(&tree, &path), wanted);
        }
    }
}
