//! The last line before a place that holds certain bytes, searched from there toward the log's beginning.
//!
//! Blocks are taken from the back, and each is searched forward, which the processor's vectors do faster; the last hit
//! whose line is accepted counts. How large blocks are, and how many are searched at a time, shows in no answer.

use std::ops::Range;

use memchr::{memchr, memmem, memrchr};
use rayon::prelude::*;

use super::mention::Needle;
use super::window::trim;
use crate::source::{Bytes, Log, SourceError};

/// Where to search, and how.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// Lines that begin here count; its end is the first byte of a line, or the log's end.
    pub range: Range<u64>,
    /// Longer lines are no events.
    pub line_bytes_max: u64,
    /// Bytes that are read at once.
    pub block_bytes: u64,
}

/// Bytes read at once where nothing else is asked for: what a processor's own cache holds.
pub const BLOCK_BYTES: u64 = 512 << 10;
/// Bytes of the first block: most values come from nearby.
const FIRST_BYTES: u64 = 64 << 10;
/// Bytes that are read to find the ends of a line.
const LINE_BYTES: u64 = 16 << 10;

/// A line that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLine {
    /// Of the physical line's first byte.
    pub offset: u64,
    /// The trimmed line.
    pub text: Vec<u8>,
}

/// The last line of a stretch that holds one of the needles and is accepted. The log is a file, or in memory.
///
/// # Errors
/// The log cannot be read, or changed.
pub fn last_line(
    log: &Log,
    stretch: &Stretch,
    needles: &[Needle],
    accept: &(dyn Fn(&[u8]) -> bool + Sync),
) -> Result<Option<FoundLine>, SourceError> {
    let Range { start: floor, end } = stretch.range;
    let finders: Vec<_> = needles.iter().map(|needle| (needle, memmem::Finder::new(&needle.bytes))).collect();
    let search = Search { log, stretch, finders: &finders, accept };
    let block = stretch.block_bytes.max(1);
    let (mut behind, mut size, mut blocks) = (end, block.min(FIRST_BYTES), 1);
    while behind > floor {
        let starts = (1..=blocks).map(|at| behind.saturating_sub(at * size).max(floor));
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for start in starts {
            let end = ranges.last().map_or(behind, |range| range.start);
            if start < end {
                ranges.push(start..end);
            }
        }
        behind = ranges.last().map_or(floor, |range| range.start);
        let found = ranges.par_iter().map(|range| search.block(range.clone()));
        let found: Vec<Option<FoundLine>> = found.collect::<Result<_, _>>()?;
        if let Some(found) = found.into_iter().flatten().next() {
            return Ok(Some(found));
        }
        (size, blocks) = (block, rayon::current_num_threads() as u64 * BLOCKS_A_WORKER);
    }
    Ok(None)
}

/// Blocks in flight for each worker, so that none waits for a slow neighbour.
const BLOCKS_A_WORKER: u64 = 4;

struct Search<'a> {
    log: &'a Log,
    stretch: &'a Stretch,
    finders: &'a [(&'a Needle, memmem::Finder<'a>)],
    accept: &'a (dyn Fn(&[u8]) -> bool + Sync),
}

impl Search<'_> {
    fn read(&self, range: Range<u64>) -> Result<Bytes, SourceError> {
        self.log.reread(range.start, (range.end - range.start) as usize)
    }

    /// The last accepted line with a hit that begins in a block.
    fn block(&self, range: Range<u64>) -> Result<Option<FoundLine>, SourceError> {
        let overlap = self.finders.iter().map(|(needle, _)| needle.bytes.len()).max().unwrap_or(1) as u64 - 1;
        let block = self.read(range.start..(range.end + overlap).min(self.stretch.range.end))?;
        let len = (range.end - range.start) as usize;
        let mut hits: Vec<usize> = Vec::new();
        for (needle, finder) in self.finders {
            let mut at = 0;
            while let Some(hit) = finder.find(&block[at..]).map(|hit| at + hit).filter(|hit| *hit < len) {
                if needle.may_be(&block, hit) {
                    hits.push(hit);
                }
                // One hit may reach into the next.
                at = hit + 1;
            }
        }
        hits.sort_unstable();
        let mut seen = u64::MAX;
        while let Some(hit) = hits.pop() {
            if range.start + hit as u64 >= seen {
                continue;
            }
            let Some(line) = self.line_around(&block, range.start, hit)? else { continue };
            seen = line.offset;
            if (self.accept)(&line.text) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// The line around a byte of a block, `None` where it begins before the stretch, or is too long.
    fn line_around(&self, block: &Bytes, base: u64, hit: usize) -> Result<Option<FoundLine>, SourceError> {
        let place = base + hit as u64;
        let start = match memrchr(b'\n', &block[..hit]) {
            Some(feed) => Some(base + feed as u64 + 1),
            None => self.start_before(base, place)?,
        };
        let Some(start) = start.filter(|start| *start >= self.stretch.range.start) else { return Ok(None) };
        let end = match memchr(b'\n', &block[hit..]) {
            Some(feed) => Some(place + feed as u64),
            None => self.end_behind(base + block.len() as u64, place)?,
        };
        let Some(end) = end.filter(|end| end - start <= self.stretch.line_bytes_max) else { return Ok(None) };
        let is_within = start >= base && end <= base + block.len() as u64;
        let line = match is_within {
            true => block.slice((start - base) as usize..(end - base) as usize),
            false => self.read(start..end)?,
        };
        let lead = if start == 0 && line.starts_with(BOM) { BOM.len() } else { 0 };
        let (from, to) = trim(&line, lead, line.len());
        Ok(Some(FoundLine { offset: start, text: line[from..to.max(from)].to_vec() }))
    }

    /// The first byte of the line whose part before `at` has no line feed up to `place`.
    fn start_before(&self, mut at: u64, place: u64) -> Result<Option<u64>, SourceError> {
        let mut step = LINE_BYTES;
        // The byte before the stretch tells whether a line begins with it.
        let lowest = self.stretch.range.start.saturating_sub(1);
        while at > lowest {
            let from = at.saturating_sub(step).max(lowest);
            if let Some(feed) = memrchr(b'\n', &self.read(from..at)?) {
                return Ok(Some(from + feed as u64 + 1));
            }
            if place - from > self.stretch.line_bytes_max {
                return Ok(None);
            }
            (at, step) = (from, step * 4);
        }
        Ok((lowest == 0 && self.stretch.range.start == 0).then_some(0))
    }

    /// The end of the line whose part from `place` to `at` has no line feed.
    fn end_behind(&self, mut at: u64, place: u64) -> Result<Option<u64>, SourceError> {
        let (mut step, end) = (LINE_BYTES, self.stretch.range.end);
        while at < end {
            let to = (at + step).min(end);
            if let Some(feed) = memchr(b'\n', &self.read(at..to)?) {
                return Ok(Some(at + feed as u64));
            }
            if to - place > self.stretch.line_bytes_max {
                return Ok(None);
            }
            (at, step) = (to, step * 4);
        }
        Ok(Some(end))
    }
}

/// A byte order mark, which may stand at a log's start.
const BOM: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;
    use crate::profile::builtin;
    use crate::scan::mention::{Compared, Mention};
    use crate::source::OpenOptions;
    use proptest::prelude::*;

    /// All lines from the front: the last that begins in the range and is accepted.
    fn by_all_lines(text: &[u8], stretch: &Stretch, accept: impl Fn(&[u8]) -> bool) -> Option<FoundLine> {
        let (mut offset, mut found) = (0, None);
        for line in text[..stretch.range.end as usize].split_inclusive(|byte| *byte == b'\n') {
            let whole = line.strip_suffix(b"\n").unwrap_or(line);
            let lead = if offset == 0 && whole.starts_with(BOM) { BOM.len() } else { 0 };
            let (from, to) = trim(whole, lead, whole.len());
            let (here, trimmed) = (offset, &whole[from..to.max(from)]);
            offset += line.len() as u64;
            let counts = here >= stretch.range.start && whole.len() as u64 <= stretch.line_bytes_max;
            if counts && accept(trimmed) {
                found = Some(FoundLine { offset: here, text: trimmed.to_vec() });
            }
        }
        found
    }

    fn both_ways(text: &str, value: &str, stretch: &Stretch) -> [Option<FoundLine>; 2] {
        let mention = Mention::of(value.as_bytes()).unwrap();
        let compared = Compared::new(&builtin("generic").unwrap());
        let accept = |line: &[u8]| compared.mentions(line, &mention, &mut Tape::default());
        let log = Log::from_bytes("test", text.as_bytes().to_vec(), &OpenOptions::default());
        let fast = last_line(&log, stretch, mention.needles(), &accept).unwrap();
        [fast, by_all_lines(text.as_bytes(), stretch, accept)]
    }

    fn stretch(range: Range<u64>, block_bytes: u64) -> Stretch {
        Stretch { range, line_bytes_max: 1 << 20, block_bytes }
    }

    #[test]
    fn the_last_mention_before_the_place_is_found_by_any_block() {
        let text =
            "\u{feff}{\"a\":4660}\n{\"a\":\"0x1234\"}\r\n  {\"b\":[1,{\"c\":4660.0}]}\n{\"a\":14660}\n{\"4660\":1}\n";
        let behind = text.len() as u64;
        let third = text.find("  {").unwrap() as u64;
        let second = text.find("{\"a\":\"0x").unwrap() as u64;
        for block in 1..80 {
            for (end, wanted) in [(behind, Some(third)), (third, Some(second)), (second, Some(0)), (0, None)] {
                let [fast, slow] = both_ways(text, "4660", &stretch(0..end, block));
                assert_eq!(fast.as_ref().map(|found| found.offset), wanted, "{block} {end}");
                assert_eq!(fast, slow);
            }
            // A line that begins before the stretch is not in it.
            for (start, wanted) in [(second, Some(second)), (second + 1, None)] {
                let [fast, slow] = both_ways(text, "4660", &stretch(start..third, block));
                assert_eq!(fast.as_ref().map(|found| found.offset), wanted, "{block} {start}");
                assert_eq!(fast, slow);
            }
        }
    }

    #[test]
    fn a_line_over_the_limit_is_no_event() {
        let long = format!("{{\"a\":4660,\"b\":\"{}\"}}\n", "x".repeat(100_000));
        let text = format!("{{\"a\":4660}}\n{long}{long}{{\"c\":1}}\n");
        let end = text.len() as u64 - 8;
        for (line_bytes_max, offset) in [(1 << 20, 11 + long.len() as u64), (50_000, 0)] {
            for block_bytes in [100, 5_000, 1 << 20] {
                let stretch = Stretch { range: 0..end, line_bytes_max, block_bytes };
                let [fast, slow] = both_ways(&text, "4660", &stretch);
                assert_eq!(fast.as_ref().map(|found| found.offset), Some(offset), "{line_bytes_max} {block_bytes}");
                assert_eq!(fast, slow);
            }
        }
    }

    #[test]
    fn a_file_that_shrank_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{\"a\":4660}\n".repeat(10_000)).unwrap();
        let log = Log::open(file.path(), &OpenOptions::default()).unwrap();
        let size = log.len_at_open().unwrap();
        file.as_file().set_len(size / 2).unwrap();
        let mention = Mention::of(b"4661").unwrap();
        let error = last_line(&log, &stretch(0..size, 4096), mention.needles(), &|_| true).unwrap_err();
        assert!(error.to_string().contains("shrank"), "{error}");
    }

    /// Values that are mentioned, and what is like them.
    fn value() -> impl Strategy<Value = String> {
        let spelled = ["4660", "4660.0", "-4660", "14660", "46600", "4660e0", "\"4660\"", "\"0x1234\"", "\"0X01234\""];
        let others =
            ["\"0xabc\"", "\"0xABC\"", "2748", "\",1,\"", "1", "\"a\\\"4660\"", "\"\u{e9}4660\"", "0.4660", "null"];
        proptest::sample::select([&spelled[..], &others[..]].concat()).prop_map(str::to_owned)
    }

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => proptest::collection::vec(value(), 0..4).prop_map(|values| format!("{{\"a\":[{}]}}\n", values.join(","))),
            1 => (value(), value()).prop_map(|(a, b)| format!(" {{ \"4660\" : {a}, \"b\":{{\"c\": {b}}} }}\r\n")),
            1 => value().prop_map(|value| format!("{{\"torn\":{value}\n")),
            1 => Just("\n".to_owned()),
        ]
    }

    proptest! {
        #[test]
        fn backward_finds_what_reading_all_lines_finds(
            lines in proptest::collection::vec(line(), 0..24),
            sought in proptest::sample::select(&["4660", "\"0x1234\"", "2748", "\",1,\"", "-4660", "0.466", "4660e0"][..]),
            last in 0usize..25,
            floor in 0u64..200,
            block in 1u64..300,
            line_bytes_max in prop_oneof![Just(1u64 << 20), 5u64..40],
        ) {
            let text = lines.concat();
            let end: u64 = lines.iter().take(last).map(|line| line.len() as u64).sum();
            let stretch = Stretch { range: floor.min(end)..end, line_bytes_max, block_bytes: block };
            let [fast, slow] = both_ways(&text, sought, &stretch);
            prop_assert_eq!(fast, slow, "{}", text);
        }
    }
}
