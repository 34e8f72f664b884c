//! Room `source`: bytes of a log, as windows of whole lines.

mod keep;
mod log;
mod side;
mod window;

pub use keep::{Keep, KeptText};
pub use log::{Log, OpenOptions, SourceError};
pub use side::Side;
pub use window::{Bytes, Overlong, Window};
