//! The ring of `emit` under loom: the file of the program, built here upon atomics that show every order in which threads may
//! see each other's stores, each thread interrupted three times (`LOOM_MAX_PREEMPTIONS`).
//!
//! loom shows a load no store that comes after it, so it cannot show that a place is written anew before it was read: that
//! the tail is released and acquired is held by ThreadSanitizer's and the processor's word only (`tests/emit.rs`).

// The file takes its atomics from `super`.
use loom::sync::atomic;

#[allow(dead_code)]
#[path = "../src/emit/ring.rs"]
mod ring;

use std::collections::VecDeque;

use loom::thread;
use proptest::collection::vec;
use proptest::prelude::*;
use ring::{Consumer, Found, Loss, Producer, Published, ring};

fn in_every_order(scene: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(3));
    model.check(scene);
}

/// Publishes a line of so many bytes, all alike.
fn publish(producer: &mut Producer, byte: u8, bytes: usize) -> Published {
    let line = producer.line();
    line.resize(line.len() + bytes, byte);
    producer.publish()
}

/// What a look finds, and the bytes.
fn take(consumer: &mut Consumer) -> (Found, Vec<u8>) {
    let found = consumer.look();
    (found, rest(consumer))
}

fn rest(consumer: &mut Consumer) -> Vec<u8> {
    let mut block = [0; 128];
    let mut bytes = Vec::new();
    loop {
        match consumer.read(&mut block) {
            0 => return bytes,
            some => bytes.extend_from_slice(&block[..some]),
        }
    }
}

fn line(byte: u8, bytes: usize) -> Vec<u8> {
    vec![byte; bytes]
}

#[test]
fn what_is_seen_are_whole_lines_in_their_order() {
    in_every_order(|| {
        let (mut producer, mut consumer) = ring(64);
        let recording = thread::spawn(move || {
            // They share a word.
            assert_ne!(publish(&mut producer, b'a', 11), Published::Full);
            assert_ne!(publish(&mut producer, b'b', 7), Published::Full);
        });
        let (found, mut bytes) = take(&mut consumer);
        let lines = [line(b'a', 11), line(b'b', 7)];
        assert_eq!(bytes, lines[..found.events as usize].concat());
        assert!(!found.gone || found.events == 2, "who is gone has published all before");
        recording.join().unwrap();
        let (last, more) = take(&mut consumer);
        bytes.extend(more);
        assert_eq!((found.events + last.events, bytes), (2, lines.concat()));
        assert!(last.gone);
    });
}

#[test]
fn room_is_used_again_only_behind_who_reads() {
    in_every_order(|| {
        let (mut producer, mut consumer) = ring(64);
        assert_ne!(publish(&mut producer, b'a', 45), Published::Full);
        let reading = thread::spawn(move || {
            let mut bytes = take(&mut consumer).1;
            bytes.extend(take(&mut consumer).1);
            (bytes, consumer)
        });
        // It wraps around the end, and begins in the word that the line before ends in.
        let second = publish(&mut producer, b'b', 30);
        let (mut bytes, mut consumer) = reading.join().unwrap();
        bytes.extend(take(&mut consumer).1);
        let lines = [line(b'a', 45), if second == Published::Full { Vec::new() } else { line(b'b', 30) }];
        assert_eq!(bytes, lines.concat());
    });
}

#[test]
fn who_closes_knows_what_was_published() {
    in_every_order(|| {
        let (mut producer, mut consumer) = ring(64);
        let recording = thread::spawn(move || {
            let published = [b'a', b'b'].map(|byte| publish(&mut producer, byte, 9));
            published.iter().filter(|published| **published != Published::Closed).count()
        });
        let found = consumer.close();
        let bytes = rest(&mut consumer);
        let published = recording.join().unwrap();
        assert_eq!(found.events, published as u64);
        assert_eq!(bytes, [line(b'a', 9), line(b'b', 9)][..published].concat());
    });
}

#[test]
fn a_loss_is_told_once_by_the_marker_or_at_the_end() {
    in_every_order(|| {
        let (mut producer, mut consumer) = ring(64);
        assert_ne!(publish(&mut producer, b'a', 60), Published::Full);
        let recording = thread::spawn(move || {
            let mut lost = 0;
            for ordinal in 1..3 {
                // The text of a marker, if there is one, would stand before it.
                if matches!(publish(&mut producer, b'b', 20), Published::Full) {
                    producer.lose(ordinal);
                    lost += 1;
                } else {
                    break;
                }
            }
            (lost, producer.loss())
        });
        let (first, _) = take(&mut consumer);
        let (lost, pending) = recording.join().unwrap();
        let last = consumer.close();
        match pending {
            Some(loss) => {
                assert_eq!(loss, Loss { first: 1, events: lost });
                assert_eq!((consumer.loss(), first.events + last.events), (Some(loss), 1));
            }
            None => assert_eq!((consumer.loss(), first.events + last.events), (None, 2)),
        }
    });
}

#[test]
fn a_loss_that_is_read_while_it_grows_begins_where_it_did() {
    in_every_order(|| {
        let (mut producer, mut consumer) = ring(64);
        assert_ne!(publish(&mut producer, b'a', 60), Published::Full);
        let recording = thread::spawn(move || {
            producer.lose(7);
            producer.lose(8);
            producer
        });
        consumer.close();
        if let Some(loss) = consumer.loss() {
            assert!(loss.first == 7 && (1..=2).contains(&loss.events), "{loss:?}");
        }
        drop(recording.join().unwrap());
        assert_eq!(consumer.loss(), Some(Loss { first: 7, events: 2 }));
    });
}

/// What one of the two sides does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Publish(usize),
    Take(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![3 => (1..70_usize).prop_map(Step::Publish), 2 => (0..70_usize).prop_map(Step::Take)]
}

/// The ring beside a queue of bytes. There is room for a line exactly if the words from the first byte not taken to the
/// line's last are no more than the ring has.
fn in_turn(bytes: usize, steps: &[Step]) {
    let (mut producer, mut consumer) = ring(bytes);
    let mut queue = VecDeque::new();
    let (mut put, mut taken, mut lines, mut seen) = (0, 0, 0, 0);
    for (turn, step) in steps.iter().enumerate() {
        match *step {
            Step::Publish(length) => {
                let published = publish(&mut producer, turn as u8, length);
                let end = put + length;
                if (put % 8 + length).div_ceil(8) > bytes / 8 {
                    assert_eq!(published, Published::TooLong);
                } else if end.div_ceil(8) - taken / 8 > bytes / 8 {
                    assert_eq!(published, Published::Full, "{put} put, {taken} taken, and {length} more");
                } else {
                    assert!(matches!(published, Published::Yes | Published::Filling), "{published:?}");
                    queue.extend(std::iter::repeat_n(turn as u8, length));
                    (put, lines) = (end, lines + 1);
                }
            }
            Step::Take(most) => {
                seen += consumer.look().events;
                assert_eq!(seen, lines);
                let mut block = [0; 70];
                let length = consumer.read(&mut block[..most]);
                assert_eq!(length, most.min(queue.len()));
                taken += length;
                assert!(queue.drain(..length).eq(block[..length].iter().copied()));
            }
        }
    }
    seen += consumer.close().events;
    assert_eq!((seen, rest(&mut consumer)), (lines, Vec::from(queue)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn in_turn_it_is_a_queue_of_bytes(bytes in prop_oneof![Just(64_usize), Just(128)], steps in vec(step(), 1..40)) {
        loom::model(move || in_turn(bytes, &steps));
    }
}
