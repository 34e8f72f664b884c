//! How far apart the values of one place were, held in sums that do not depend on the order of sightings.

use std::collections::BTreeMap;

use crate::compare::alike::{Alike, word};
use crate::json::{Decimal, Kind};
use crate::profile::{Spelling, Width};

/// The spellings that are tried, the narrowest first.
const SPELLINGS: [Spelling; 6] = [
    Spelling { hex: true, width: None, case: false },
    Spelling { hex: false, width: None, case: true },
    Spelling { hex: false, width: Some(Width::W32), case: false },
    Spelling { hex: false, width: Some(Width::W64), case: false },
    Spelling { hex: true, width: Some(Width::W32), case: false },
    Spelling { hex: true, width: Some(Width::W64), case: false },
];

/// A value of one side: its kind and token.
pub type Value<'t> = (Kind, &'t [u8]);

/// What all pairs of differing values of one place have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Apart {
    /// Which of the spellings explain every pair.
    spelled: [bool; SPELLINGS.len()],
    /// Every pair is of two numbers, all of them integers.
    numbers: bool,
    integers: bool,
    /// The largest distance, and the largest as a part of the larger magnitude.
    distance: f64,
    part: f64,
    /// In how many pairs of each run the candidate's number is the smaller one, and the larger one.
    signs: BTreeMap<usize, [u64; 2]>,
    /// Every pair is of two integers from 0 to 2^64-1, or of two hex strings of such.
    words: bool,
    /// What the candidate's is ahead by, where that is always the same.
    offset: Option<i128>,
    /// Bits that differed in some pair.
    bits: u64,
    /// The least and the greatest value of the reference.
    range: [u64; 2],
    pairs: u64,
}

impl Default for Apart {
    fn default() -> Apart {
        Apart {
            spelled: [true; SPELLINGS.len()],
            numbers: true,
            integers: true,
            distance: 0.0,
            part: 0.0,
            signs: BTreeMap::new(),
            words: true,
            offset: None,
            bits: 0,
            range: [u64::MAX, 0],
            pairs: 0,
        }
    }
}

fn double((kind, token): Value<'_>) -> Option<f64> {
    let number = if kind == Kind::Number { std::str::from_utf8(token).ok()?.parse::<f64>().ok() } else { None };
    number.filter(|number| number.is_finite())
}

impl Apart {
    /// Takes two values that differ in a run.
    pub fn take(&mut self, run: usize, reference: Value<'_>, candidate: Value<'_>) {
        for (holds, spelling) in self.spelled.iter_mut().zip(SPELLINGS) {
            *holds = *holds && Alike::Spelled(spelling).holds(reference, candidate);
        }
        match (double(reference), double(candidate)) {
            (Some(a), Some(b)) => {
                let is_integer = |value: Value<'_>| Decimal::parse(value.1).is_some_and(|number| number.is_integer());
                self.integers &= is_integer(reference) && is_integer(candidate);
                self.distance = self.distance.max((a - b).abs());
                self.part = self.part.max((a - b).abs() / a.abs().max(b.abs()));
                self.signs.entry(run).or_default()[usize::from(b > a)] += 1;
            }
            _ => self.numbers = false,
        }
        match (word(reference), word(candidate)) {
            (Some((is_text, from)), Some((other_is_text, to))) if is_text == other_is_text => {
                let ahead = i128::from(to) - i128::from(from);
                self.offset = if self.pairs == 0 { Some(ahead) } else { self.offset.filter(|offset| *offset == ahead) };
                self.bits |= from ^ to;
                self.range = [self.range[0].min(from), self.range[1].max(from)];
            }
            _ => self.words = false,
        }
        self.pairs += 1;
    }

    /// Takes what another place has in common.
    pub fn merge(&mut self, other: &Apart) {
        if self.pairs == 0 || other.pairs == 0 {
            if self.pairs == 0 {
                *self = other.clone();
            }
            return;
        }
        for (holds, also) in self.spelled.iter_mut().zip(other.spelled) {
            *holds &= also;
        }
        self.numbers &= other.numbers;
        self.integers &= other.integers;
        self.distance = self.distance.max(other.distance);
        self.part = self.part.max(other.part);
        for (run, [smaller, larger]) in &other.signs {
            let signs = self.signs.entry(*run).or_default();
            (signs[0], signs[1]) = (signs[0] + smaller, signs[1] + larger);
        }
        self.words &= other.words;
        self.offset = self.offset.filter(|offset| other.offset == Some(*offset));
        self.bits |= other.bits;
        self.range = [self.range[0].min(other.range[0]), self.range[1].max(other.range[1])];
        self.pairs += other.pairs;
    }

    /// The narrowest spelling that explains every pair.
    pub fn spelling(&self) -> Option<Spelling> {
        let at = self.spelled.iter().position(|holds| *holds)?;
        (self.pairs > 0).then_some(SPELLINGS[at])
    }

    /// What all values lie apart by, if values of more than one size were seen.
    pub fn offset(&self) -> Option<i128> {
        self.offset.filter(|_| self.words && self.pairs >= OFFSET_PAIRS_MIN && self.range[0] < self.range[1])
    }

    /// The largest distance between numbers, whether all are integers, and the largest part; nothing where a run as a
    /// whole lies on one side: that is a clock, or another base, and the next run may lie anywhere.
    pub fn distance(&self) -> Option<(f64, bool, f64)> {
        let both: u64 = self.signs.values().map(|[smaller, larger]| *smaller.min(larger)).sum();
        let goes_both_ways = both > 0 && both * BOTH_WAYS_PART >= self.pairs;
        (self.numbers && goes_both_ways).then_some((self.distance, self.integers, self.part))
    }

    /// The bits that may differ where the low ones never did: where something was loaded depends on the run, its place
    /// in the page does not.
    pub fn pages(&self) -> Option<u64> {
        // Of a few runs one more bit may stay the same by chance, so only sizes that systems load at count.
        let low = self.bits.trailing_zeros();
        let page = PAGE_BITS.into_iter().find(|bits| (*bits..u64::BITS).contains(&low))?;
        (self.words && self.pairs >= MASK_PAIRS_MIN).then(|| !0 << page)
    }

    /// The bits that may differ, where they are few and values of more than one size were seen: what is one value for a
    /// whole run, like a process id, may be any other in the next.
    pub fn flags(&self) -> Option<u64> {
        let few = (1..=FLAGS_MAX).contains(&self.bits.count_ones());
        let varies = self.range[0] < self.range[1];
        (self.words && self.pairs >= MASK_PAIRS_MIN && few && varies).then_some(self.bits)
    }
}

/// Bits that an address keeps wherever what it lies in is loaded: by 64 KiB, or by pages of 4 KiB.
const PAGE_BITS: [u32; 2] = [16, 12];
/// More bits than these are no flags.
const FLAGS_MAX: u32 = 4;
/// One in so many pairs of each run must differ the other way.
const BOTH_WAYS_PART: u64 = 10;
/// Fewer pairs say nothing of a constant offset, or of bits that stay the same.
const OFFSET_PAIRS_MIN: u64 = 4;
const MASK_PAIRS_MIN: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pairs: &[(&str, &str)]) -> Apart {
        let value =
            |token: &'static str| (if token.starts_with('"') { Kind::String } else { Kind::Number }, token.as_bytes());
        let mut apart = Apart::default();
        for (x, y) in pairs {
            apart.take(1, value(x.to_string().leak()), value(y.to_string().leak()));
        }
        apart
    }

    #[test]
    fn what_all_pairs_have_in_common_is_seen() {
        let hex = Spelling { hex: true, width: None, case: false };
        assert_eq!(seen(&[("\"0x10\"", "16"), ("3", "\"3\"")]).spelling(), Some(hex));
        assert_eq!(seen(&[("\"0x10\"", "16"), ("3", "\"4\"")]).spelling(), None);
        assert_eq!(seen(&[("100", "110"), ("2", "1")]).distance(), Some((10.0, true, 0.5)));
        assert_eq!(seen(&[("100", "110"), ("1", "2")]).distance(), None, "a clock goes one way");
        assert_eq!(seen(&[("100", "110"), ("2", "1"), ("1", "\"2\"")]).distance(), None);
        let far: Vec<(&str, &str)> = vec![("4096", "8192"), ("5000", "9096"), ("6000", "10096"), ("7000", "11096")];
        assert_eq!(seen(&far).offset(), Some(4096));
        assert_eq!(seen(&far[..3]).offset(), None);
        assert_eq!(seen(&[("4096", "8192"); 9]).offset(), None);
        assert_eq!(seen(&[("\"0x7000\"", "\"0x5000\""); 9]).flags(), None, "one value a run");
        let flags = [("\"0x7000\"", "\"0x5000\""), ("\"0x1\"", "\"0x2001\"")].repeat(4);
        assert_eq!(seen(&flags).flags(), Some(0x2000));
        let pages = [("28688", "77840"), ("4112", "1052688"), ("65552", "16")].repeat(3);
        assert_eq!(seen(&[("57360", "73744")].repeat(8)).pages(), Some(!0xfff));
        assert_eq!(seen(&pages).pages(), Some(!0xfff));
        let noise = seen(&[("1", "30"), ("77", "1000"), ("4", "9")].repeat(3));
        assert_eq!((noise.pages(), noise.flags()), (None, None));
    }

    #[test]
    fn the_order_of_sightings_does_not_matter() {
        let pairs = [("1", "2"), ("\"0x10\"", "16"), ("5000", "9096"), ("1.5", "1.25"), ("7", "8")];
        for cut in 0..=pairs.len() {
            let (front, back) = pairs.split_at(cut);
            let mut one = seen(back);
            one.merge(&seen(front));
            assert_eq!(one, seen(&pairs), "{cut}");
        }
    }
}
