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
            Err(error) => Err(SourceError::Read { path: path.to_owned(), at: Some(0), error }),
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

#[cfg(all(test, not(feature = "compressed")))]
mod tests {
    use super::super::Log;
    use super::*;

    #[test]
    fn an_archive_is_refused_by_name() {
        let bytes = std::io::Cursor::new(b"\x1F\x8B\x08\x00".to_vec());
        let mut log = Log::open_reader("run.gz", Box::new(bytes), &OpenOptions::default()).unwrap();
        assert_eq!(
            log.next_window().unwrap_err().to_string(),
            "run.gz is a gzip archive, which this build of forkpoint cannot unpack (feature `compressed`)"
        );
    }
}
