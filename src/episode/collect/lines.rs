//! Lines of a stream whose bytes come in any pieces.

/// Bytes that become lines.
#[derive(Debug)]
pub struct Lines {
    pending: Vec<u8>,
    /// How much of it was given out as lines.
    given: usize,
    /// How much behind that is known to have no end of a line.
    searched: usize,
    limit: usize,
    /// The line that is being read was too long, and was told so.
    is_skipping: bool,
}

/// A line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// All of it.
    Whole(Vec<u8>),
    /// It is longer than the limit, and not kept.
    TooLong,
}

impl Lines {
    /// No bytes so far; of lines longer than this nothing is kept.
    pub fn of_at_most(limit: usize) -> Lines {
        Lines { pending: Vec::new(), given: 0, searched: 0, limit, is_skipping: false }
    }

    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.drain(..self.given);
        self.given = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// The next line that has come to its end, or has become too long.
    pub fn take(&mut self) -> Option<Line> {
        loop {
            let open = &self.pending[self.given..];
            let Some(end) = memchr::memchr(b'\n', &open[self.searched..]).map(|end| end + self.searched) else {
                self.searched = open.len();
                return self.overlong();
            };
            let line = &open[..end];
            let whole = (!self.is_skipping && line.len() <= self.limit).then(|| Line::Whole(line.to_vec()));
            let was_told = std::mem::take(&mut self.is_skipping);
            self.given += end + 1;
            self.searched = 0;
            if !was_told {
                return Some(whole.unwrap_or(Line::TooLong));
            }
        }
    }

    /// Lets go of a line that grows beyond the limit; tells it once.
    fn overlong(&mut self) -> Option<Line> {
        if !self.is_skipping && self.searched <= self.limit {
            return None;
        }
        self.pending.clear();
        (self.given, self.searched) = (0, 0);
        let was_told = std::mem::replace(&mut self.is_skipping, true);
        (!was_told).then_some(Line::TooLong)
    }

    /// What has not come to its end.
    pub fn rest(&self) -> &[u8] {
        &self.pending[self.given..]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The obvious way: all bytes at once.
    fn split(bytes: &[u8], limit: usize) -> Vec<Line> {
        let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let open = lines.pop().unwrap();
        let whole = |line: &[u8]| if line.len() <= limit { Line::Whole(line.to_vec()) } else { Line::TooLong };
        let mut told: Vec<Line> = lines.into_iter().map(whole).collect();
        told.extend((open.len() > limit).then_some(Line::TooLong));
        told
    }

    proptest! {
        #[test]
        fn pieces_do_not_show(bytes in prop::collection::vec(prop::sample::select(b"ab\n".as_slice()), 0..60),
                              sizes in prop::collection::vec(1_usize..9, 60), limit in 0_usize..6) {
            let mut lines = Lines::of_at_most(limit);
            let (mut found, mut at) = (Vec::new(), 0);
            for size in sizes {
                let end = (at + size).min(bytes.len());
                lines.push(&bytes[at..end]);
                at = end;
                while let Some(line) = lines.take() {
                    found.push(line);
                }
            }
            prop_assert_eq!(found, split(&bytes, limit));
        }
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory() {
        let mut lines = Lines::of_at_most(10);
        for _ in 0..1000 {
            lines.push(&[b'x'; 100]);
            while lines.take().is_some() {}
        }
        assert!(lines.pending.capacity() < 1000);
        lines.push(b"\nnext\nopen");
        assert_eq!(lines.take(), Some(Line::Whole(b"next".to_vec())));
        assert_eq!((lines.take(), lines.rest()), (None, b"open".as_slice()));
    }
}
