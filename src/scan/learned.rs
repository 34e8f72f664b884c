//! The layouts learned so far, shared by all who scan one log.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::layout::{Fit, Layout};
use super::mould::{Leaves, Mould, Spelled};
use crate::json::leaf;

/// A log with more layouts than this is not regular: no more are learned.
const LAYOUTS_MAX: usize = 16;
/// Layouts tried on a line before it takes the exact way.
const TRIED_MAX: usize = 4;
/// Moulds are kept in so many drawers, by what their kind begins with, a few in each.
const DRAWERS: usize = 64;
const DRAWER_MAX: usize = 16;
/// Places at which moulds are looked up by kind and widths.
const PLACES: usize = 1024;
/// Bytes of a line, as long as nothing better is known.
const LINE_BYTES: usize = 128;

/// Layouts of one log.
#[derive(Debug, Default)]
pub struct Learned {
    layouts: RwLock<Vec<Arc<Layout>>>,
    /// What workers know that scan no window now.
    idle: Mutex<Vec<Known>>,
}

impl Learned {
    /// What is known now, to try lines against; give it back afterwards.
    pub(super) fn known(&self) -> Known {
        let known = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut known = known.unwrap_or_default();
        let layouts = self.layouts.read().unwrap_or_else(PoisonError::into_inner);
        if layouts.len() > known.layouts.len() {
            let news = layouts.iter().filter(|layout| !known.layouts.contains(layout)).cloned().collect::<Vec<_>>();
            known.layouts.extend(news);
        }
        known
    }

    /// Takes back what was lent.
    pub(super) fn give_back(&self, known: Known) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(known);
    }

    /// Whether another layout would be kept.
    fn has_room(&self) -> bool {
        self.layouts.read().unwrap_or_else(PoisonError::into_inner).len() < LAYOUTS_MAX
    }

    fn add(&self, layout: &Arc<Layout>) {
        let mut layouts = self.layouts.write().unwrap_or_else(PoisonError::into_inner);
        if layouts.len() < LAYOUTS_MAX && !layouts.contains(layout) {
            layouts.push(Arc::clone(layout));
        }
    }
}

/// Layouts and moulds as one worker tries them: what fitted last comes first.
#[derive(Debug)]
pub(super) struct Known {
    layouts: Vec<Arc<Layout>>,
    /// Empty until the first mould is made, as `places`.
    drawers: Vec<Vec<Arc<Mould>>>,
    /// The mould of a kind and of widths, by both together: most lines' widths are those of the
    /// line before.
    places: Vec<Option<Arc<Mould>>>,
    widths: u64,
    /// Where the kind stood in the line that was fitted step by step last.
    kind_at: usize,
    leaves: Leaves,
    /// The strings of the line that was fitted step by step last, and its layout.
    spelled: Option<(Arc<Layout>, Spelled)>,
    /// Bytes of a line on average, in the window scanned last.
    pub(super) line_bytes: usize,
}

impl Default for Known {
    fn default() -> Known {
        Known {
            layouts: Vec::new(),
            drawers: Vec::new(),
            places: Vec::new(),
            widths: 0,
            kind_at: 0,
            leaves: Leaves::default(),
            spelled: None,
            line_bytes: LINE_BYTES,
        }
    }
}

impl Known {
    /// The mould that a line most likely is of.
    #[inline(always)]
    pub(super) fn likeliest(&self, text: &[u8], start: usize) -> Option<&Mould> {
        self.places.get(place(self.kind(text, start), self.widths))?.as_deref()
    }

    /// The beginning of a line's kind, if it stands where it stood last.
    #[inline(always)]
    fn kind(&self, text: &[u8], start: usize) -> u64 {
        leaf::beginning(text, start + self.kind_at)
    }

    /// Takes a line apart by any mould or layout; `flags` tells what a fit is flagged with, or that
    /// the line must take the exact way after all.
    #[inline(never)]
    pub(super) fn fit(
        &mut self,
        text: &[u8],
        (start, end): (usize, usize),
        flags: impl Fn(&Fit) -> Option<u8>,
    ) -> Option<(Fit, u8)> {
        let drawer = drawer(self.kind(text, start));
        for at in 0..self.drawers.get(drawer).map_or(0, Vec::len) {
            if let Some(found) = self.drawers[drawer][at].fit(text, (start, end), &flags) {
                self.took(drawer, at, text, start);
                return Some(found);
            }
        }
        for at in 0..self.layouts.len().min(TRIED_MAX) {
            self.leaves.clear();
            let Some(fit) = self.layouts[at].fit(text, start, end, &mut self.leaves) else { continue };
            let flags = flags(&fit)?;
            self.layouts[..=at].rotate_right(1);
            self.keep_mould(text, (start, end), &fit, flags);
            return Some((fit, flags));
        }
        // So that all get their turn.
        if self.layouts.len() > TRIED_MAX {
            self.layouts[TRIED_MAX - 1..].rotate_left(1);
        }
        None
    }

    fn keep_mould(&mut self, text: &[u8], (start, end): (usize, usize), fit: &Fit, flags: u8) {
        self.kind_at = usize::from(fit.kind.0);
        self.drawers.resize(DRAWERS, Vec::new());
        // Perhaps the kind only stood where it was not looked for.
        let drawer = drawer(self.kind(text, start));
        let known = |mould: &Arc<Mould>| mould.fit(text, (start, end), |_| Some(flags)).is_some();
        if let Some(at) = self.drawers[drawer].iter().position(known) {
            return self.took(drawer, at, text, start);
        }
        let layout = &self.layouts[0];
        let spelled = self.spelled.replace((Arc::clone(layout), self.leaves.spelled(text)));
        let before = spelled.filter(|(of, _)| Arc::ptr_eq(of, layout)).map(|(_, spelled)| spelled).unwrap_or_default();
        let mould = Mould::new(layout, text, (start, end), (&self.leaves, &before), (fit, flags));
        let Some(mould) = mould.map(Arc::new) else { return };
        self.drawers[drawer].truncate(DRAWER_MAX - 1);
        self.drawers[drawer].insert(0, mould);
        self.took(drawer, 0, text, start);
    }

    /// A line was of this mould: the next ones probably are, too.
    fn took(&mut self, drawer: usize, at: usize, text: &[u8], start: usize) {
        let moulds = &mut self.drawers[drawer];
        moulds[..=at].rotate_right(1);
        self.widths = moulds[0].widths();
        let mould = Arc::clone(&moulds[0]);
        let place = place(self.kind(text, start), self.widths);
        self.places.resize(PLACES, None);
        self.places[place] = Some(mould);
    }

    /// Learns from a line that fitted none; `layout` is told whether there is much room for further ones.
    pub(super) fn learn(&mut self, learned: &Learned, layout: impl FnOnce(bool) -> Option<Layout>) {
        if !learned.has_room() {
            return;
        }
        let is_early = self.layouts.len() < LAYOUTS_MAX / 2;
        let Some(layout) = layout(is_early).map(Arc::new) else { return };
        learned.add(&layout);
        if !self.layouts.contains(&layout) {
            self.layouts.insert(0, layout);
        }
    }
}

/// A large odd number with its bits well mixed (2^64 over the golden ratio).
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

fn drawer(kind: u64) -> usize {
    (kind.wrapping_mul(MIX) >> 58) as usize % DRAWERS
}

#[inline(always)]
fn place(kind: u64, widths: u64) -> usize {
    ((kind ^ widths).wrapping_mul(MIX) >> 54) as usize % PLACES
}
