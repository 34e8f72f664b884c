//! Why nothing was recorded, or nothing could be read.

use std::io;
use std::path::PathBuf;

/// Why there is no episode.
#[derive(Debug, thiserror::Error)]
pub enum EpisodeError {
    /// A file or folder of the episode's.
    #[error("{}: {error}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The process that was to be recorded.
    #[error("{0}")]
    Target(String),
    /// The phases.
    #[error("{0}")]
    Schedule(String),
    /// An event from outside.
    #[error("{0}")]
    Emit(String),
}

impl EpisodeError {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> EpisodeError {
        let path = path.into();
        move |error| EpisodeError::File { path, error }
    }
}
