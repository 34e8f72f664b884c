//! What collectors read is read without a panic, and in whatever pieces it comes the same.
#![no_main]

use forkpoint::episode::collect::intervals::{self, Intervals};
use forkpoint::episode::collect::lines::{Line, Lines};
use forkpoint::episode::collect::netflow::{Bucket, Netflow};
use forkpoint::episode::collect::procfs;
use libfuzzer_sys::fuzz_target;

/// The wall's clock where the episode's is at zero; seeds are of this time.
const WALL: u64 = 1_700_000_000_000_000_000;

fuzz_target!(|data: &[u8]| {
    let Some((choice, text)) = data.split_first() else { return };
    match choice % 3 {
        0 => texts_of_processes(text),
        1 => lines(text, usize::from(*choice)),
        _ => packets(text, usize::from(*choice)),
    }
});

fn texts_of_processes(text: &[u8]) {
    if let Some(stat) = procfs::stat(text) {
        // The name may be anything, and says nothing.
        let closed = text.iter().rposition(|byte| *byte == b')').expect("a stat has a name");
        let again = [format!("{} (a) b)", stat.pid).as_bytes(), &text[closed + 1..]].concat();
        assert_eq!(procfs::stat(&again), Some(stat));
    }
    let (_, _, _) = (procfs::status(text), procfs::io(text), procfs::schedstat(text));
    let (_, _) = (procfs::pss(text), procfs::pids(text));
}

fn lines(text: &[u8], size: usize) {
    let split = |size: usize| {
        let mut lines = Lines::of_at_most(100);
        let mut found = Vec::new();
        for piece in text.chunks(size + 1) {
            lines.push(piece);
            found.extend(std::iter::from_fn(|| lines.take()));
        }
        found
    };
    let found = split(size);
    assert_eq!(found, split(text.len()));
    let (mut intervals, mut count, mut told) = (Intervals::default(), 0, 0);
    for line in found {
        let Line::Whole(line) = line else { continue };
        let Some((end, counter)) = intervals::line(&line) else { continue };
        assert_eq!(counter.value.is_none(), counter.why.is_some());
        count += 1;
        told += intervals.push(end, counter).map_or(0, |interval| interval.row().len());
    }
    told += intervals.close().map_or(0, |interval| interval.row().len());
    assert_eq!(count, told);
}

fn packets(bytes: &[u8], size: usize) {
    let read = |size: usize| -> (bool, Vec<(u64, Bucket)>, u64) {
        let mut netflow = Netflow::new(Some([127, 0, 0, 1].into()), WALL, 0);
        let is_sound = bytes.chunks(size + 1).all(|piece| netflow.push(piece).is_ok());
        let buckets: Vec<(u64, Bucket)> = std::iter::from_fn(|| netflow.take_any()).collect();
        (is_sound, buckets, netflow.packets())
    };
    let (is_sound, buckets, count) = read(size);
    assert_eq!((is_sound, buckets.clone(), count), read(bytes.len()));
    assert_eq!(buckets.iter().map(|(_, bucket)| bucket.all.packets).sum::<u64>(), count);
    for (_, bucket) in &buckets {
        let row = bucket.row();
        let of = |key: &str| row[key].as_u64().expect("it is a number");
        assert_eq!(of("packets"), of("packets_in") + of("packets_out") + of("packets_unknown"));
        assert_eq!(of("bytes"), of("tcp_bytes") + of("udp_bytes") + of("icmp_bytes") + of("other_bytes"));
    }
}
