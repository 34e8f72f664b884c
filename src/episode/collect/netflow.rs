//! A capture as figures for each tenth of a second. Bytes of a file in the classic format come in any pieces; nothing is opened here.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use pcap_file::pcap::PcapParser;
use pcap_file::{PcapError, TsResolution};

use super::packet::{self, Endpoint, Packet, Protocol};
use crate::episode::rows::{Fields, fields};

/// How long a bucket is.
pub const BUCKET_NS: u64 = 100_000_000;
/// The header of a file.
const HEADER: usize = 24;
/// No packet is longer: captures are of 262,144 bytes a packet at most.
const LONGEST: usize = 16 << 20;

/// A flow: what it carries and whose it is, whichever way.
type Flow = (Protocol, Endpoint, Endpoint);

/// Packets and their bytes on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub packets: u64,
    /// How much, what was not kept included.
    pub bytes: u64,
}

/// What came in a tenth of a second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// All.
    pub all: Amount,
    /// To the address.
    pub received: Amount,
    /// From the address.
    pub sent: Amount,
    /// By [`Protocol`], in its order.
    pub protocols: [Amount; 4],
    /// Who spoke with whom.
    pub flows: HashSet<Flow>,
    /// SYN without ACK, FIN, RST.
    pub tcp_flags: [u64; 3],
    /// Packets with a header that could not be read.
    pub unreadable: u64,
}

/// Why a file is no capture, or is one no more.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// As the reader tells.
    #[error("no capture: {0}")]
    Header(String),
    /// As the reader tells.
    #[error("a damaged record behind {0} packets")]
    Record(u64),
}

/// A capture that is being read.
#[derive(Debug)]
pub struct Netflow {
    address: Option<IpAddr>,
    /// What the wall's clock shows less what the episode's does.
    ahead_ns: i128,
    parser: Option<PcapParser>,
    pending: Vec<u8>,
    open: BTreeMap<u64, Bucket>,
    /// The first bucket that may still be told.
    next: u64,
    packets: u64,
    late: u64,
}

impl Netflow {
    /// Nothing is read yet, and nothing came before this moment. Directions are those of an address.
    pub fn new(address: Option<IpAddr>, wall_ns: u64, clock_ns: u64) -> Netflow {
        let mut netflow = Netflow {
            address,
            ahead_ns: 0,
            parser: None,
            pending: Vec::new(),
            open: BTreeMap::new(),
            next: clock_ns / BUCKET_NS,
            packets: 0,
            late: 0,
        };
        netflow.set_clocks(wall_ns, clock_ns);
        netflow
    }

    /// What both clocks show at one moment. The wall's, by which packets are dated, is put right now and then: so this is to be said again
    /// before more packets are read.
    pub fn set_clocks(&mut self, wall_ns: u64, clock_ns: u64) {
        self.ahead_ns = i128::from(wall_ns) - i128::from(clock_ns);
    }

    /// Takes more of the file.
    ///
    /// # Errors
    /// It is no capture. What was read before counts.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), CaptureError> {
        self.pending.extend_from_slice(bytes);
        let mut pending = std::mem::take(&mut self.pending);
        let read = self.read(&pending);
        if let Ok(length) = read {
            pending.drain(..length);
            self.pending = pending;
        }
        read.map(|_| ())
    }

    /// Reads all whole records; how many bytes these are.
    fn read(&mut self, bytes: &[u8]) -> Result<usize, CaptureError> {
        let mut left = bytes;
        if self.parser.is_none() {
            if bytes.len() < HEADER {
                return Ok(0);
            }
            let (rest, parser) = PcapParser::new(bytes).map_err(|error| CaptureError::Header(error.to_string()))?;
            self.parser = Some(parser);
            left = rest;
        }
        let Some(parser) = self.parser.take() else { return Ok(0) };
        let (header, mut read) = (parser.header(), Ok(()));
        let unit = if header.ts_resolution == TsResolution::NanoSecond { 1 } else { 1000 };
        loop {
            // Whole packets are longer than what is kept of them, which the checked way of reading takes for damage.
            match parser.next_raw_packet(left) {
                Ok((rest, record)) => {
                    let time = i128::from(record.ts_sec) * 1_000_000_000 + i128::from(record.ts_frac) * unit;
                    // The upper bits say something of check sums.
                    let kind = u32::from(header.datalink) & 0x0fff_ffff;
                    self.packet(time, u64::from(record.orig_len), packet::read(kind, &record.data));
                    left = rest;
                }
                Err(PcapError::IncompleteBuffer) if left.len() <= LONGEST => break,
                Err(_) => {
                    read = Err(CaptureError::Record(self.packets));
                    break;
                }
            }
        }
        self.parser = Some(parser);
        read.map(|()| bytes.len() - left.len())
    }

    fn packet(&mut self, time_ns: i128, length: u64, packet: Packet) {
        self.packets += 1;
        let clock_ns = u64::try_from((time_ns - self.ahead_ns).max(0)).unwrap_or(u64::MAX);
        let mut number = clock_ns / BUCKET_NS;
        if number < self.next {
            // Its bucket was told already.
            self.late += 1;
            number = self.next;
        }
        self.open.entry(number).or_default().add(self.address, length, packet);
    }

    /// The next bucket that begins before a time of the episode's clock, if nothing came in it too.
    pub fn take(&mut self, until_ns: u64) -> Option<(u64, Bucket)> {
        let number = self.next;
        if number.saturating_mul(BUCKET_NS) >= until_ns {
            return None;
        }
        self.next += 1;
        Some((number, self.open.remove(&number).unwrap_or_default()))
    }

    /// The next bucket in which something came, whenever that was: by a clock that was put right wrongly, it may be far away.
    pub fn take_any(&mut self) -> Option<(u64, Bucket)> {
        let (number, bucket) = self.open.pop_first()?;
        self.next = number + 1;
        Some((number, bucket))
    }

    /// How many packets were read.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// How many came after their bucket was told, and count in a later one.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Bytes of a last record that is not whole.
    pub fn torn(&self) -> usize {
        self.pending.len()
    }

    /// The times of a bucket's beginning, of the episode's clock and of the wall's.
    pub fn times(&self, number: u64) -> (u64, u64) {
        let clock_ns = number.saturating_mul(BUCKET_NS);
        (clock_ns, u64::try_from(self.ahead_ns + i128::from(clock_ns)).unwrap_or_default())
    }
}

impl Bucket {
    fn add(&mut self, address: Option<IpAddr>, length: u64, packet: Packet) {
        self.all.add(length);
        self.protocols[packet.protocol as usize].add(length);
        self.unreadable += u64::from(packet.is_unreadable);
        for (count, is_set) in self.tcp_flags.iter_mut().zip([packet.is_syn, packet.is_fin, packet.is_rst]) {
            *count += u64::from(is_set);
        }
        let Some((from, to)) = packet.endpoints else { return };
        self.flows.insert((packet.protocol, from.min(to), from.max(to)));
        // What an address sends to itself has no direction.
        match (Some(from.0) == address, Some(to.0) == address) {
            (true, false) => self.sent.add(length),
            (false, true) => self.received.add(length),
            _ => {}
        }
    }

    /// Its figures. What has no direction is neither from the address nor to it, or both.
    pub fn row(&self) -> Fields {
        let [tcp, udp, icmp, other] = self.protocols;
        let [syn, fin, rst] = self.tcp_flags;
        let told = |of: fn(Amount) -> u64| of(self.all) - of(self.received) - of(self.sent);
        fields! {
            "packets" => self.all.packets, "bytes" => self.all.bytes,
            "packets_in" => self.received.packets, "bytes_in" => self.received.bytes,
            "packets_out" => self.sent.packets, "bytes_out" => self.sent.bytes,
            "packets_unknown" => told(|amount| amount.packets), "bytes_unknown" => told(|amount| amount.bytes),
            "tcp_packets" => tcp.packets, "tcp_bytes" => tcp.bytes,
            "udp_packets" => udp.packets, "udp_bytes" => udp.bytes,
            "icmp_packets" => icmp.packets, "icmp_bytes" => icmp.bytes,
            "other_packets" => other.packets, "other_bytes" => other.bytes,
            "flows" => self.flows.len(),
            "tcp_syn" => syn, "tcp_fin" => fin, "tcp_rst" => rst,
            "unreadable" => self.unreadable,
        }
    }
}

impl Amount {
    fn add(&mut self, length: u64) {
        self.packets += 1;
        self.bytes = self.bytes.saturating_add(length);
    }
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;
    use proptest::prelude::*;

    use super::*;

    /// The wall's clock at the episode's zero.
    const ZERO: u64 = 1_700_000_000_000_000_000;
    const HERE: [u8; 4] = [10, 0, 0, 1];
    /// When tests end.
    const END: u64 = 15 * BUCKET_NS;

    /// A packet of a test: when, from and to which last number, how long on the wire.
    type Sent = (u64, u8, u8, u32);

    #[derive(Clone, Copy, Debug)]
    struct Form {
        is_big: bool,
        is_nano: bool,
    }

    fn words(form: Form, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| if form.is_big { word.to_be_bytes() } else { word.to_le_bytes() }).collect()
    }

    fn file(form: Form, sent: &[Sent]) -> Vec<u8> {
        let versions = if form.is_big { 0x0002_0004 } else { 0x0004_0002 };
        let magic = if form.is_nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        let mut bytes = words(form, &[magic, versions, 0, 0, 64, 101]);
        for (at, from, to, length) in sent {
            let mut packet = Vec::new();
            let builder = PacketBuilder::ipv4([10, 0, 0, *from], [10, 0, 0, *to], 64);
            builder.tcp(1000 + u16::from(*from), 80, 1, 1).syn().write(&mut packet, &[]).unwrap();
            let time = ZERO + at;
            let (seconds, rest) = ((time / 1_000_000_000) as u32, (time % 1_000_000_000) as u32);
            bytes.extend(words(
                form,
                &[seconds, if form.is_nano { rest } else { rest / 1000 }, packet.len() as u32, *length],
            ));
            bytes.extend(packet);
        }
        bytes
    }

    fn all(netflow: &mut Netflow, pieces: &[&[u8]]) -> Vec<(u64, Bucket)> {
        let mut found = Vec::new();
        for piece in pieces {
            netflow.push(piece).unwrap();
        }
        found.extend(std::iter::from_fn(|| netflow.take(END)));
        found.extend(std::iter::from_fn(|| netflow.take_any()));
        found
    }

    /// The obvious way: a bucket at a time, all packets looked at for each.
    fn naive(sent: &[Sent]) -> Vec<(u64, u64, u64, u64, usize)> {
        let mut numbers: Vec<u64> = sent.iter().map(|packet| packet.0 / BUCKET_NS).collect();
        // Until the end, nothing is worth a row as well.
        numbers.extend(0..END / BUCKET_NS);
        numbers.sort_unstable();
        numbers.dedup();
        let of = |number: u64| -> (u64, u64, u64, u64, usize) {
            let inside: Vec<&Sent> = sent.iter().filter(|packet| packet.0 / BUCKET_NS == number).collect();
            let bytes = inside.iter().map(|packet| u64::from(packet.3)).sum();
            let sent = inside.iter().filter(|packet| packet.1 == 1 && packet.2 != 1).count() as u64;
            // Ports follow the sender here, so the way back is another flow, but for one with itself.
            let mut flows: Vec<(u8, u8)> = inside.iter().map(|packet| (packet.1, packet.2)).collect();
            flows.sort_unstable();
            flows.dedup();
            (number, inside.len() as u64, bytes, sent, flows.len())
        };
        numbers.into_iter().map(of).collect()
    }

    proptest! {
        #[test]
        fn buckets_are_those_of_the_obvious_way(
            sent in prop::collection::vec((0..3_000_000_u64, 1_u8..4, 1_u8..4, 40..2000_u32), 0..40),
            is_big in any::<bool>(), is_nano in any::<bool>(), size in 1_usize..300,
        ) {
            // Whole microseconds.
            let sent: Vec<Sent> = sent.into_iter().map(|(at, from, to, length)| (at * 1000, from, to, length)).collect();
            let bytes = file(Form { is_big, is_nano }, &sent);
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            let mut netflow = Netflow::new(Some(HERE.into()), ZERO, 0);
            let found: Vec<_> = all(&mut netflow, &pieces).into_iter().map(|(number, bucket)| {
                let unknown = bucket.all.packets - bucket.sent.packets - bucket.received.packets;
                assert_eq!(bucket.row()["packets_unknown"], unknown);
                assert_eq!(bucket.protocols[0], bucket.all);
                assert_eq!(bucket.tcp_flags, [bucket.all.packets, 0, 0]);
                (number, bucket.all.packets, bucket.all.bytes, bucket.sent.packets, bucket.flows.len())
            }).collect();
            prop_assert_eq!(found, naive(&sent));
            prop_assert_eq!((netflow.packets(), netflow.late(), netflow.torn()), (sent.len() as u64, 0, 0));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(head in any::<bool>(), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut netflow = Netflow::new(None, ZERO, 0);
            let start = if head { file(Form { is_big: false, is_nano: false }, &[]) } else { Vec::new() };
            let _ = netflow.push(&start).and_then(|()| netflow.push(&bytes));
            while netflow.take_any().is_some() {}
        }

        #[test]
        fn a_file_that_was_cut_gives_what_is_whole(cut in 24_usize..24 + 3 * 56) {
            let bytes = file(Form { is_big: false, is_nano: true }, &[(0, 1, 2, 40), (1, 2, 1, 40), (2, 1, 2, 40)]);
            let mut netflow = Netflow::new(None, ZERO, 0);
            netflow.push(&bytes[..cut]).unwrap();
            prop_assert_eq!((netflow.packets(), netflow.torn()), ((cut as u64 - 24) / 56, (cut - 24) % 56));
        }
    }

    #[test]
    fn directions_are_those_of_the_address() {
        let bytes =
            file(Form { is_big: false, is_nano: false }, &[(0, 1, 2, 100), (0, 2, 1, 50), (0, 2, 3, 7), (0, 1, 1, 9)]);
        let mut netflow = Netflow::new(Some(HERE.into()), ZERO, 0);
        let row = all(&mut netflow, &[&bytes])[0].1.row();
        let of = |key: &str| row[key].as_u64().unwrap();
        assert_eq!((of("packets_out"), of("bytes_out"), of("packets_in"), of("bytes_in")), (1, 100, 1, 50));
        assert_eq!((of("packets_unknown"), of("bytes_unknown"), of("bytes")), (2, 16, 166));
        let mut nobody = Netflow::new(None, ZERO, 0);
        assert_eq!(all(&mut nobody, &[&bytes])[0].1.row()["packets_unknown"], 4);
    }

    #[test]
    fn what_has_no_address_is_of_a_protocol_too() {
        let form = Form { is_big: false, is_nano: false };
        let mut bytes = file(form, &[(0, 1, 2, 40)]);
        bytes.extend(words(form, &[(ZERO / 1_000_000_000) as u32, 0, 20, 60]));
        bytes.extend([0; 20]);
        let row = all(&mut Netflow::new(Some(HERE.into()), ZERO, 0), &[&bytes])[0].1.row();
        let told = ["packets", "tcp_packets", "other_packets", "other_bytes", "packets_unknown", "flows"];
        assert_eq!(told.map(|key| row[key].as_u64().unwrap()), [2, 1, 1, 60, 1, 1]);
    }

    #[test]
    fn what_comes_too_late_counts_in_the_next_bucket_and_is_told() {
        let form = Form { is_big: true, is_nano: true };
        let mut netflow = Netflow::new(None, ZERO, 0);
        netflow.push(&file(form, &[(0, 1, 2, 40)])).unwrap();
        let before: Vec<_> = std::iter::from_fn(|| netflow.take(3 * BUCKET_NS)).collect();
        assert_eq!(
            before.iter().map(|(number, bucket)| (*number, bucket.all.packets)).collect::<Vec<_>>(),
            [(0, 1), (1, 0), (2, 0)]
        );
        netflow.push(&file(form, &[(5, 1, 2, 40), (3 * BUCKET_NS, 1, 2, 40)])[24..]).unwrap();
        assert_eq!((netflow.late(), netflow.take(END).unwrap().1.all.packets), (1, 2));
    }

    #[test]
    fn times_are_of_both_clocks_however_they_are_put_right() {
        let second = 1_000_000_000;
        let mut netflow = Netflow::new(None, ZERO + 5 * second, 5 * second);
        assert_eq!(netflow.times(3), (300_000_000, ZERO + 300_000_000));
        let form = Form { is_big: false, is_nano: false };
        netflow.push(&file(form, &[(5 * second, 1, 2, 40)])).unwrap();
        // The wall's clock was an hour late.
        netflow.set_clocks(ZERO + 3606 * second, 6 * second);
        netflow.push(&file(form, &[(3606 * second, 1, 2, 40)])[24..]).unwrap();
        let found: Vec<_> = std::iter::from_fn(|| netflow.take_any()).map(|(number, _)| number).collect();
        assert_eq!((found, netflow.late()), (vec![50, 60], 0));
        assert_eq!(netflow.times(60), (6 * second, ZERO + 3606 * second));
    }

    #[test]
    fn what_is_no_capture_is_refused() {
        let mut netflow = Netflow::new(None, ZERO, 0);
        netflow.push(b"not a").unwrap();
        let error = netflow.push(b" capture, but some text").unwrap_err();
        assert!(error.to_string().starts_with("no capture: "), "{error}");
        let mut netflow = Netflow::new(None, ZERO, 0);
        let form = Form { is_big: false, is_nano: false };
        let mut bytes = file(form, &[(0, 1, 2, 40)]);
        bytes.extend(words(form, &[0, 0, u32::MAX, u32::MAX]));
        let more = vec![0; LONGEST];
        netflow.push(&bytes).unwrap();
        assert_eq!(netflow.push(&more).unwrap_err().to_string(), "a damaged record behind 1 packets");
        assert_eq!(netflow.take_any().unwrap().1.all.packets, 1);
    }
}
