//! What a list tells of an episode, without a look at its telemetry.

use super::kept::Kept;
use super::phases::Phases;
use super::timeline::Timeline;

/// An episode in a line.
#[derive(Clone, Debug)]
pub struct Brief {
    /// The folder.
    pub kept: Kept,
    /// How long it took, or has taken so far, in seconds; none where nothing is known of that.
    pub seconds: Option<f64>,
    /// Its phases, in the order in which they first were.
    pub phases: Vec<String>,
}

impl Brief {
    /// Looks at what the episode says of itself, and, where it does not, at its events and labels.
    pub fn of(kept: Kept) -> Brief {
        if let Some(seconds) = kept.meta.seconds() {
            let mut phases: Vec<String> = Vec::new();
            for phase in kept.meta.texts("/result/phases_observed") {
                if !phases.contains(&phase) {
                    phases.push(phase);
                }
            }
            return Brief { seconds: Some(seconds), phases, kept };
        }
        let phases = Phases::read(kept.path());
        let events = Timeline::read(kept.path(), u64::MAX, false);
        let last = (events.total > 0).then_some(events.account.last.max(phases.account.last));
        Brief { seconds: last.map(|last| last as f64 / 1e9), phases: phases.names, kept }
    }

    /// By when it began; those that do not say it come first.
    pub fn order(&self) -> (Option<i64>, String) {
        (self.kept.meta.started().and_then(|(_, second)| second), self.kept.id())
    }
}
