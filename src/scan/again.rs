//! Lines of a log that is read a second time.

use crate::source::{Log, SourceError, Window};

/// Whole lines from the beginning of one on: about so many bytes of them, or one that is longer, but none that is longer
/// than `most`. Nothing at the log's end.
///
/// # Errors
/// The log cannot be read again.
pub fn lines_from(log: &Log, offset: u64, bytes: usize, most: usize) -> Result<Option<Window>, SourceError> {
    let left = log.bytes_read().saturating_sub(offset);
    let mut wanted = bytes.max(1);
    while left > 0 && wanted <= most.max(bytes) {
        let read = log.reread(offset, left.min(wanted as u64) as usize)?;
        let whole = match memchr::memrchr(b'\n', &read) {
            _ if read.len() as u64 == left => Some(read.len()),
            feed => feed.map(|at| at + 1),
        };
        if let Some(whole) = whole {
            return Ok(Some(Window { offset, bytes: read.slice(0..whole), overlong: None }));
        }
        wanted *= 2;
    }
    Ok(None)
}

/// The same lines in pieces of at least so many bytes each, but for the last.
pub fn pieces(lines: &Window, bytes: usize) -> Vec<Window> {
    let all = &lines.bytes;
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < all.len() {
        let to = (from + bytes).min(all.len());
        let to = memchr::memchr(b'\n', &all[to..]).map_or(all.len(), |at| to + at + 1);
        pieces.push(Window { offset: lines.offset + from as u64, bytes: all.slice(from..to), overlong: None });
        from = to;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::OpenOptions;

    #[test]
    fn lines_come_whole_and_all_of_them() {
        let text = b"a\nbb\n\nccccccccccccccccccccccc\ndd";
        let mut log = Log::from_bytes("log", text.to_vec(), &OpenOptions::default());
        while log.next_window().unwrap().is_some() {}
        for bytes in 1..40 {
            let (mut offset, mut told) = (0, Vec::new());
            while let Some(lines) = lines_from(&log, offset, bytes, 1 << 20).unwrap() {
                for piece in pieces(&lines, bytes.div_ceil(2)) {
                    assert_eq!(piece.offset, told.len() as u64);
                    assert!(piece.bytes.ends_with(b"\n") || told.len() + piece.bytes.len() == text.len());
                    told.extend_from_slice(&piece.bytes);
                }
                offset = told.len() as u64;
            }
            assert_eq!(told, text, "{bytes} bytes");
        }
        assert!(lines_from(&log, 6, 4, 8).unwrap().is_none(), "a line that is too long");
        assert!(lines_from(&log, text.len() as u64, 4, 8).unwrap().is_none());
    }
}
