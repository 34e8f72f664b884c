//! What kind of divergence it is: a bounded look ahead for the place where both sides agree again.

use std::collections::BTreeSet;

/// Events a side that are looked at, the divergent ones included.
pub const LOOK_AHEAD: usize = 256;
/// Equal events that make an agreement, and different ones among them.
pub const RUN_MIN: usize = 4;

/// Where the two sides agree again, counted from the divergent events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resync {
    pub reference: usize,
    pub candidate: usize,
    pub run: usize,
}

/// Two look-aheads of which it is known which events are equal.
pub struct Ahead<'a> {
    table: Vec<Vec<bool>>,
    digests: &'a [String],
    candidate: usize,
    /// There is more of a side behind its look-ahead.
    goes_on: [bool; 2],
}

impl<'a> Ahead<'a> {
    pub fn new(
        digests: &'a [Vec<String>; 2],
        goes_on: [bool; 2],
        mut equal: impl FnMut(usize, usize) -> bool,
    ) -> Ahead<'a> {
        let sizes = [digests[0].len(), digests[1].len()];
        let table = (0..sizes[0]).map(|i| (0..sizes[1]).map(|j| equal(i, j)).collect()).collect();
        Ahead { table, digests: &digests[0], candidate: sizes[1], goes_on }
    }

    fn run_at(&self, i: usize, j: usize) -> usize {
        (0..).take_while(|n| i + n < self.digests.len() && j + n < self.candidate && self.table[i + n][j + n]).count()
    }

    /// Whether a run ends where a side's look-ahead ends, of sides that go on there or of those that do not.
    fn to_an_end(&self, i: usize, j: usize, goes_on: bool) -> bool {
        let run = self.run_at(i, j);
        self.goes_on[0] == goes_on && i + run == self.digests.len()
            || self.goes_on[1] == goes_on && j + run == self.candidate
    }

    fn different(&self, of: &Resync) -> usize {
        self.digests[of.reference..of.reference + of.run].iter().collect::<BTreeSet<_>>().len()
    }

    /// Runs that tell where the sides agree: long and various enough, and longer than all that begin at either event.
    fn evidence(&self) -> Vec<Resync> {
        let mut found = Vec::new();
        for i in 0..self.digests.len() {
            for j in 0..self.candidate {
                let run = self.run_at(i, j);
                let of = Resync { reference: i, candidate: j, run };
                if run < RUN_MIN || i > 0 && j > 0 && self.table[i - 1][j - 1] {
                    continue;
                }
                // Of a run whose end nobody sees it is enough that it is half as long.
                let fits = |i: usize, j: usize| {
                    let other = self.run_at(i, j);
                    other >= run || other >= RUN_MIN && 2 * other >= run && self.to_an_end(i, j, true)
                };
                let fits_elsewhere = (0..self.digests.len()).any(|other| other != i && fits(other, j))
                    || (0..self.candidate).any(|other| other != j && fits(i, other));
                if !fits_elsewhere && (self.to_an_end(i, j, false) || self.different(&of) >= RUN_MIN) {
                    found.push(of);
                }
            }
        }
        found
    }

    /// All agreements that no richer one contradicts, the nearest first.
    pub fn agreements(&self) -> Vec<Resync> {
        let evidence = self.evidence();
        let behind = |a: &Resync, b: &Resync| a.reference + a.run <= b.reference && a.candidate + a.run <= b.candidate;
        let mut left = evidence.clone();
        left.retain(|one| {
            let contradicts = |other: &&Resync| !behind(one, other) && !behind(other, one);
            evidence.iter().filter(contradicts).all(|other| self.different(other) <= self.different(one))
        });
        left.sort_by_key(|found| (found.reference + found.candidate, found.reference));
        left
    }

    /// The same number of events on both sides, each with a partner, before an agreement; and where the partners stand.
    pub fn reordered(&self) -> Option<(Resync, Vec<usize>)> {
        let agreements = self.agreements();
        let first = *agreements.first()?;
        for found in agreements.into_iter().filter(|found| found.reference == found.candidate && found.reference > 1) {
            let mut order: Vec<usize> = Vec::new();
            for j in 0..found.candidate {
                order.extend((0..found.reference).find(|i| self.table[*i][j] && !order.contains(i)));
            }
            if order.len() == found.candidate {
                // What was moved is missing at one end of the stretch, and extra at the other.
                let inside =
                    first.reference + first.run <= found.reference && first.candidate + first.run <= found.candidate;
                return (first == found || inside).then_some((found, order));
            }
        }
        None
    }
}
