//! From packed bytes to a log's bytes: the decoder that a format needs.

use std::path::Path;

use super::origin::Origin;
use super::{Format, OpenOptions, SourceError};

/// The unpacked bytes of an archive.
#[cfg(feature = "compressed")]
pub(super) fn unpack(
    path: &Path,
    format: Format,
    packed: Box<dyn Origin>,
    options: &OpenOptions,
) -> Result<Box<dyn Origin>, SourceError> {
    let feed = super::feed::Feed::new(packed);
    match format {
        Format::Gzip => Ok(Box::new(super::gzip::Gunzip::new(path.to_owned(), feed))),
        Format::Zstd => match super::zstandard::Unzstd::new(path, feed, options.zstd_window_log_max) {
            Ok(unpacked) => Ok(Box::new(unpacked)),
            Err(error) => Err(SourceError::Read { path: path.to_owned(), error }),
        },
    }
}

/// Nothing is unpacked by this build.
#[cfg(not(feature = "compressed"))]
pub(super) fn unpack(
    path: &Path,
    format: Format,
    _packed: Box<dyn Origin>,
    _options: &OpenOptions,
) -> Result<Box<dyn Origin>, SourceError> {
    Err(SourceError::Packed { path: path.to_owned(), format })
}
