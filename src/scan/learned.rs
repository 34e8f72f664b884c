//! The layouts learned so far, shared by all who scan one log.

use std::sync::{Arc, PoisonError, RwLock};

use super::layout::{Fit, Layout};

/// A log with more layouts than this is not regular: no more are learned.
const LAYOUTS_MAX: usize = 16;
/// Layouts tried on a line before it takes the exact way.
const TRIED_MAX: usize = 4;

/// Layouts of one log.
#[derive(Debug, Default)]
pub struct Learned {
    layouts: RwLock<Vec<Arc<Layout>>>,
}

impl Learned {
    /// What is known now, to try lines against.
    pub(super) fn known(&self) -> Known {
        Known { layouts: self.layouts.read().unwrap_or_else(PoisonError::into_inner).clone() }
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

/// Layouts as one worker tries them: the one that fitted last comes first.
#[derive(Debug, Default)]
pub(super) struct Known {
    layouts: Vec<Arc<Layout>>,
}

impl Known {
    /// Takes a line apart by one of the layouts.
    #[inline(always)]
    pub(super) fn fit(&mut self, text: &[u8], start: usize, end: usize) -> Option<Fit> {
        let first = self.layouts.first()?.fit(text, start, end);
        if first.is_some() { first } else { self.fit_another(text, start, end) }
    }

    #[cold]
    fn fit_another(&mut self, text: &[u8], start: usize, end: usize) -> Option<Fit> {
        for at in 1..self.layouts.len().min(TRIED_MAX) {
            if let Some(fit) = self.layouts[at].fit(text, start, end) {
                self.layouts[..=at].rotate_right(1);
                return Some(fit);
            }
        }
        // So that all get their turn.
        if self.layouts.len() > TRIED_MAX {
            self.layouts[TRIED_MAX - 1..].rotate_left(1);
        }
        None
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
