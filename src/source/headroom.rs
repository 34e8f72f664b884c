//! Whether memory is left: asked before work begins that takes some, because an allocation that fails in the middle
//! of it would end the process without a word.
//!
//! What a limit on the process (`ulimit -v`, `ulimit -d`) or on the whole machine (no overcommitting) still lets be had
//! is found out by having it for a moment: mapped, never touched, given back. A limit that kills instead of refusing
//! (control groups) cannot be asked.

use std::io;

use memmap2::MmapOptions;

/// Whether so many bytes could be had now.
pub fn has_headroom(bytes: usize) -> bool {
    // Not through the allocator: what is free in one thread's heap is of no use to the others.
    MmapOptions::new().len(bytes.max(1)).map_anon().is_ok()
}

/// An empty buffer with room for so many bytes.
///
/// # Errors
/// There is not so much memory.
pub(super) fn buffer(bytes: usize) -> io::Result<Vec<u8>> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(bytes).map_err(|_| refused(bytes))?;
    Ok(buffer)
}

/// A buffer of so many zeros.
///
/// # Errors
/// There is not so much memory.
pub fn zeros(bytes: usize) -> io::Result<Vec<u8>> {
    let mut zeros = buffer(bytes)?;
    zeros.resize(bytes, 0);
    Ok(zeros)
}

/// Adds bytes to the end of a buffer, for which there may be no room.
pub(super) fn append(buffer: &mut Vec<u8>, more: &[u8]) -> io::Result<()> {
    buffer.try_reserve(more.len()).map_err(|_| refused(more.len()))?;
    buffer.extend_from_slice(more);
    Ok(())
}

/// The error of memory that is not there.
fn refused(bytes: usize) -> io::Error {
    io::Error::new(io::ErrorKind::OutOfMemory, format!("{bytes} bytes of memory cannot be had"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_is_there_and_more_than_any_machine_has_is_not() {
        assert!(has_headroom(0) && has_headroom(1 << 20));
        assert!(!has_headroom(usize::MAX / 4));
        assert!(buffer(1 << 10).unwrap().capacity() >= 1 << 10);
        assert_eq!(buffer(1 << 60).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    }
}
