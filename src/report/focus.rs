//! Where two values part, and a window around that place.

use super::visible::columns_of;

/// A value (or the part of it that fits) with its differing part marked, in columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Focus {
    /// Pieces before, in and behind the differing part.
    pub before: String,
    pub marked: String,
    pub behind: String,
}

impl Focus {
    /// The whole text shown.
    pub(crate) fn text(&self) -> String {
        format!("{}{}{}", self.before, self.marked, self.behind)
    }
}

/// The common beginning and end of two texts, in characters; they do not overlap.
fn common(a: &[char], b: &[char]) -> (usize, usize) {
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let room = a.len().min(b.len()) - prefix;
    let suffix = a.iter().rev().zip(b.iter().rev()).take(room).take_while(|(x, y)| x == y).count();
    (prefix, suffix)
}

/// Both texts with what differs marked, each cut to `width` columns around its differing part.
pub(crate) fn focus(a: &str, b: &str, width: usize) -> [Focus; 2] {
    let [a, b]: [Vec<char>; 2] = [a, b].map(|text| text.chars().collect());
    let (prefix, suffix) = common(&a, &b);
    [a, b].map(|text| window(&text[..prefix], &text[prefix..text.len() - suffix], &text[text.len() - suffix..], width))
}

/// One text alone: all of it is the differing part.
pub(crate) fn alone(text: &str, width: usize) -> Focus {
    let text: Vec<char> = text.chars().collect();
    window(&[], &text, &[], width)
}

fn window(before: &[char], marked: &[char], behind: &[char], width: usize) -> Focus {
    let total = cols(before) + cols(marked) + cols(behind);
    if total <= width {
        return Focus { before: join(before), marked: join(marked), behind: join(behind) };
    }
    // A quarter of the width leads up to the difference; more if little follows it.
    let lead = (width / 4).max(width.saturating_sub(cols(marked) + cols(behind) + 1));
    let before = tail(before, lead);
    let rest = width.saturating_sub(super::visible::columns(&before));
    let marked_text = head(marked, rest);
    let rest = rest.saturating_sub(super::visible::columns(&marked_text));
    let behind = if cols(marked) > super::visible::columns(&marked_text) { String::new() } else { head(behind, rest) };
    Focus { before, marked: marked_text, behind }
}

fn cols(chars: &[char]) -> usize {
    chars.iter().map(|&c| columns_of(c)).sum()
}

fn join(chars: &[char]) -> String {
    chars.iter().collect()
}

/// The end of a text in at most so many columns, an ellipsis before it where cut.
fn tail(chars: &[char], width: usize) -> String {
    if cols(chars) <= width {
        return join(chars);
    }
    let mut used = 1;
    let kept = chars.iter().rev().take_while(|&&c| {
        used += columns_of(c);
        used <= width
    });
    let kept = kept.count();
    format!("…{}", join(&chars[chars.len() - kept..]))
}

/// The beginning of a text in at most so many columns, an ellipsis behind it where cut.
fn head(chars: &[char], width: usize) -> String {
    if cols(chars) <= width {
        return join(chars);
    }
    if width == 0 {
        return String::new();
    }
    let mut used = 1;
    let kept = chars.iter().take_while(|&&c| {
        used += columns_of(c);
        used <= width
    });
    let kept = kept.count();
    format!("{}…", join(&chars[..kept]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_differing_part_is_found() {
        let [a, b] = focus("\"0x00000000\"", "\"0xC0000034\"", 40);
        assert_eq!((a.before.as_str(), a.marked.as_str(), a.behind.as_str()), ("\"0x", "00000000", "\""));
        assert_eq!((b.before.as_str(), b.marked.as_str(), b.behind.as_str()), ("\"0x", "C0000034", "\""));
        let [a, b] = focus("aa", "aaa", 40);
        assert_eq!((a.marked.as_str(), b.marked.as_str()), ("", "a"));
    }

    #[test]
    fn long_values_are_shown_around_their_difference() {
        let long = |middle: &str| format!("{}{middle}{}", "x".repeat(5000), "y".repeat(5000));
        let [a, b] = focus(&long("one"), &long("TWO"), 30);
        for (side, mark) in [(a, "one"), (b, "TWO")] {
            assert_eq!(side.marked, mark);
            assert!(super::super::visible::columns(&side.text()) <= 30, "{}", side.text());
            assert!(side.before.starts_with('…') && side.behind.ends_with('…'));
        }
    }

    #[test]
    fn every_width_is_kept() {
        for width in 1..40 {
            for (a, b) in [
                ("日本語日本語日本語x", "日本語日本語日本語y"),
                ("", "abcdefghijklmnopqrstuvwxyz"),
                ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1", "a"),
            ] {
                for side in focus(a, b, width) {
                    assert!(super::super::visible::columns(&side.text()) <= width.max(2), "{width} {side:?}");
                }
            }
        }
    }
}
