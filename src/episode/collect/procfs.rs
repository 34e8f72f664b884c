//! The texts of `/proc` as figures. Nothing is opened here; what a text does not say is none.

/// What `/proc/PID/stat` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// The process.
    pub pid: u32,
    /// The letter of its state: R, S, D, T, Z and others.
    pub state: char,
    /// Who is told of its end.
    pub parent: u32,
    /// Page faults that needed no disk.
    pub minor_faults: u64,
    /// Page faults that did.
    pub major_faults: u64,
    /// Clock ticks spent in its own code.
    pub user_ticks: u64,
    /// Clock ticks the system spent for it.
    pub system_ticks: u64,
    /// Both of those children whose end it has taken note of.
    pub reaped_ticks: u64,
    /// How many threads live.
    pub threads: u64,
    /// When it started, in clock ticks since the host did. Two processes of one number differ in it.
    pub start_time: u64,
    /// Addresses in use.
    pub vm_bytes: u64,
    /// Pages in memory.
    pub rss_pages: u64,
}

/// Reads `/proc/PID/stat`. The name may hold anything, so it ends at the last `)`.
pub fn stat(text: &[u8]) -> Option<Stat> {
    let (opened, closed) = (memchr::memchr(b'(', text)?, memchr::memrchr(b')', text)?);
    let pid = std::str::from_utf8(&text[..opened]).ok()?.trim().parse().ok()?;
    let fields: Vec<&str> = std::str::from_utf8(text.get(closed + 1..)?).ok()?.split_ascii_whitespace().collect();
    // The third field of proc(5) is the first behind the name.
    let field = |number: usize| fields.get(number - 3).copied();
    let amount = |number: usize| field(number)?.parse::<u64>().ok();
    // Signed in the kernel, though time given by children is never less than nothing.
    let reaped = |number: usize| Some(field(number)?.parse::<i64>().ok()?.max(0).unsigned_abs());
    Some(Stat {
        pid,
        state: field(3)?.chars().next()?,
        parent: field(4)?.parse().ok()?,
        minor_faults: amount(10)?,
        major_faults: amount(12)?,
        user_ticks: amount(14)?,
        system_ticks: amount(15)?,
        reaped_ticks: reaped(16)?.saturating_add(reaped(17)?),
        threads: amount(20)?,
        start_time: amount(22)?,
        vm_bytes: amount(23)?,
        rss_pages: amount(24)?,
    })
}

/// What `status` says of a process or of a thread. A process that has no memory any more says nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `VmHWM`.
    pub peak_rss_bytes: Option<u64>,
    /// `VmRSS`.
    pub rss_bytes: Option<u64>,
    /// `VmSwap`.
    pub swap_bytes: Option<u64>,
    /// How often the thread waited.
    pub voluntary_switches: Option<u64>,
    /// How often it was made to wait.
    pub involuntary_switches: Option<u64>,
}

/// Reads `/proc/PID/status`.
pub fn status(text: &[u8]) -> Status {
    let mut found = Status::default();
    for (key, value) in pairs(text) {
        match key {
            b"VmHWM" => found.peak_rss_bytes = kilobytes(value),
            b"VmRSS" => found.rss_bytes = kilobytes(value),
            b"VmSwap" => found.swap_bytes = kilobytes(value),
            b"voluntary_ctxt_switches" => found.voluntary_switches = number(value),
            b"nonvoluntary_ctxt_switches" => found.involuntary_switches = number(value),
            _ => {}
        }
    }
    found
}

/// What `/proc/PID/io` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Io {
    /// Bytes that calls read, wherever from.
    pub read_chars: u64,
    /// Bytes that calls wrote, wherever to.
    pub write_chars: u64,
    /// Bytes fetched from disks.
    pub read_bytes: u64,
    /// Bytes sent to disks.
    pub write_bytes: u64,
}

/// Reads `/proc/PID/io`.
pub fn io(text: &[u8]) -> Option<Io> {
    let of = |key: &[u8]| pairs(text).find(|(found, _)| *found == key).and_then(|(_, value)| number(value));
    Some(Io {
        read_chars: of(b"rchar")?,
        write_chars: of(b"wchar")?,
        read_bytes: of(b"read_bytes")?,
        write_bytes: of(b"write_bytes")?,
    })
}

/// What `schedstat` says of a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedstat {
    /// Time on a processor.
    pub run_ns: u64,
    /// Time ready for one.
    pub wait_ns: u64,
    /// How often it got one.
    pub timeslices: u64,
}

/// Reads `/proc/PID/task/TID/schedstat`.
pub fn schedstat(text: &[u8]) -> Option<Schedstat> {
    let mut figures = std::str::from_utf8(text).ok()?.split_ascii_whitespace().map(str::parse::<u64>);
    let mut figure = || figures.next()?.ok();
    Some(Schedstat { run_ns: figure()?, wait_ns: figure()?, timeslices: figure()? })
}

/// Reads `Pss` of `/proc/PID/smaps_rollup`: memory, what is shared with others in equal parts.
pub fn pss(text: &[u8]) -> Option<u64> {
    pairs(text).find(|(key, _)| *key == b"Pss").and_then(|(_, value)| kilobytes(value))
}

/// Reads numbers of processes, as in `/proc/PID/task/TID/children`.
pub fn pids(text: &[u8]) -> Vec<u32> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The lines `key: value`.
fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}

fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn kilobytes(value: &[u8]) -> Option<u64> {
    number(value.strip_suffix(b"kB")?.trim_ascii_end())?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_stat_is_read_whatever_the_name(
            pid in any::<u32>(), parent in any::<u32>(), name in prop::collection::vec(any::<u8>(), 0..16),
            state in prop::sample::select(vec!['R', 'S', 'D', 'Z', 'T', 't', 'X', 'I']),
            figures in prop::collection::vec(0..=u64::MAX, 20), given in (0..i64::MAX, i64::MIN..0),
        ) {
            let mut fields: Vec<String> = vec![state.to_string(), parent.to_string()];
            // Fields 5 to 24.
            fields.extend(figures.iter().map(u64::to_string));
            (fields[16 - 3], fields[17 - 3]) = (given.0.to_string(), given.1.to_string());
            let mut text = format!("{pid} (").into_bytes();
            text.extend(&name);
            text.extend(format!(") {} 0 0\n", fields.join(" ")).into_bytes());
            let of = |number: usize| figures[number - 5];
            prop_assert_eq!(stat(&text), Some(Stat {
                pid, state, parent, minor_faults: of(10), major_faults: of(12), user_ticks: of(14), system_ticks: of(15),
                reaped_ticks: given.0.unsigned_abs(), threads: of(20), start_time: of(22), vm_bytes: of(23), rss_pages: of(24),
            }));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let (_, _, _, _, _, _) = (stat(&text), status(&text), io(&text), schedstat(&text), pss(&text), pids(&text));
        }

        #[test]
        fn a_text_that_was_cut_says_no_other_figures(cut in 0_usize..STAT.len()) {
            // A last figure may have lost digits; all before it are there or the whole is none.
            let whole = stat(STAT.as_bytes()).unwrap();
            if let Some(part) = stat(&STAT.as_bytes()[..cut]) {
                prop_assert_eq!(Stat { rss_pages: whole.rss_pages, ..part }, whole);
            }
        }

        #[test]
        fn a_status_is_read_whatever_its_order(peak in 0..u64::MAX / 1024, rss in 0..u64::MAX / 1024, swap in 0..u64::MAX / 1024,
                                               switches in any::<(u64, u64)>(), turn in 0_usize..7) {
            let mut lines = [
                format!("VmHWM:\t{peak:>8} kB"), format!("VmRSS:\t{rss:>8} kB"), format!("VmSwap:\t{swap:>8} kB"),
                format!("voluntary_ctxt_switches:\t{}", switches.0), format!("nonvoluntary_ctxt_switches:\t{}", switches.1),
                "Name:\tVmRSS: 7 kB".to_owned(), "Groups:\t ".to_owned(),
            ];
            lines.rotate_left(turn);
            let found = status(lines.join("\n").as_bytes());
            prop_assert_eq!(found, Status {
                peak_rss_bytes: Some(peak * 1024), rss_bytes: Some(rss * 1024), swap_bytes: Some(swap * 1024),
                voluntary_switches: Some(switches.0), involuntary_switches: Some(switches.1),
            });
        }
    }

    const STAT: &str =
        "26231 (a) b (c)) S 1 26231 26231 0 -1 4194560 1234 99 7 3 50 20 8 9 20 0 4 0 6711906 3133440 393";

    #[test]
    fn a_name_with_brackets_ends_at_the_last() {
        let read = stat(STAT.as_bytes()).unwrap();
        assert_eq!((read.pid, read.state, read.parent, read.threads), (26231, 'S', 1, 4));
        assert_eq!((read.user_ticks, read.system_ticks, read.reaped_ticks), (50, 20, 17));
        assert_eq!((read.start_time, read.vm_bytes, read.rss_pages), (6_711_906, 3_133_440, 393));
        assert_eq!(stat(b"1 )( S"), None);
        assert_eq!(stat(b""), None);
    }

    #[test]
    fn the_other_texts_are_read() {
        let text = b"rchar: 7278\nwchar: 302\nsyscr: 12\nsyscw: 1\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 0\n";
        assert_eq!(io(text), Some(Io { read_chars: 7278, write_chars: 302, read_bytes: 4096, write_bytes: 8192 }));
        assert_eq!(io(b"rchar: 7278\n"), None);
        assert_eq!(
            schedstat(b"1012560 52338 1\n"),
            Some(Schedstat { run_ns: 1_012_560, wait_ns: 52_338, timeslices: 1 })
        );
        assert_eq!(schedstat(b"1012560 52338\n"), None);
        let rollup = b"564e08e6c000-7ffc19196000 ---p 00000000 00:00 0  [rollup]\nRss:  1752 kB\nPss:   354 kB\nPss_Dirty: 116 kB\n";
        assert_eq!(pss(rollup), Some(354 * 1024));
        assert_eq!(pids(b"12 5 99 "), [12, 5, 99]);
        assert_eq!(status(b"State:\tZ (zombie)\n"), Status::default());
    }
}
