//! The layouts learned so far, shared by all who scan one log.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::layout::{Fit, Layout};
use super::mould::{Leaves, Mould};

/// A log with more layouts than this is not regular: no more are learned.
const LAYOUTS_MAX: usize = 16;
/// Layouts tried on a line before it takes the exact way.
const TRIED_MAX: usize = 4;
/// Moulds are kept in so many drawers, by what their kind begins with, a few in each.
const DRAWERS: usize = 64;
const DRAWER_MAX: usize = 4;

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
#[derive(Debug, Default)]
pub(super) struct Known {
    layouts: Vec<Arc<Layout>>,
    drawers: Vec<Vec<Box<Mould>>>,
    /// Where the kind stood in the line that was fitted step by step last.
    kind_at: usize,
    leaves: Leaves,
}

impl Known {
    /// Takes a line apart by a mould or layout; `flags` tells what a fit is flagged with, or
    /// that the line must take the exact way after all.
    #[inline(always)]
    pub(super) fn fit(
        &mut self,
        text: &[u8],
        place: (usize, usize),
        flags: impl Fn(&Fit) -> Option<u8>,
    ) -> Option<(Fit, u8)> {
        let drawer = self.drawer(text, place.0);
        if let Some(mould) = self.drawers.get(drawer).and_then(|moulds| moulds.first())
            && let Some(found) = mould.fit(text, place, &flags)
        {
            return Some(found);
        }
        self.fit_otherwise(text, place, drawer, flags)
    }

    /// The drawer of a line, by the first bytes of its kind.
    #[inline(always)]
    fn drawer(&self, text: &[u8], start: usize) -> usize {
        let at = start + self.kind_at;
        let bytes = text.get(at..).and_then(<[u8]>::first_chunk::<8>).copied().unwrap_or_default();
        (u64::from_le_bytes(bytes).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize % DRAWERS
    }

    #[inline(never)]
    fn fit_otherwise(
        &mut self,
        text: &[u8],
        (start, end): (usize, usize),
        drawer: usize,
        flags: impl Fn(&Fit) -> Option<u8>,
    ) -> Option<(Fit, u8)> {
        if let Some(moulds) = self.drawers.get_mut(drawer) {
            for at in 1..moulds.len() {
                if let Some(found) = moulds[at].fit(text, (start, end), &flags) {
                    moulds[..=at].rotate_right(1);
                    return Some(found);
                }
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

    fn keep_mould(&mut self, text: &[u8], place: (usize, usize), fit: &Fit, flags: u8) {
        let Some(mould) = Mould::new(&self.layouts[0], text, place, &self.leaves, fit, flags) else { return };
        self.kind_at = usize::from(fit.kind.0) + 1;
        let drawer = self.drawer(text, place.0);
        self.drawers.resize_with(DRAWERS, Vec::new);
        let moulds = &mut self.drawers[drawer];
        moulds.truncate(DRAWER_MAX - 1);
        moulds.insert(0, Box::new(mould));
    }

    /// Learns from a line that fitted none.
    pub(super) fn learn(&mut self, learned: &Learned, layout: impl FnOnce() -> Option<Layout>) {
        if !learned.has_room() {
            return;
        }
        let Some(layout) = layout().map(Arc::new) else { return };
        learned.add(&layout);
        if !self.layouts.contains(&layout) {
            self.layouts.insert(0, layout);
        }
    }
}
