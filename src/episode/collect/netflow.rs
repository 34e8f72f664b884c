//! A capture as figures for each tenth of a second. Bytes of a file in the classic format come in any pieces; nothing is opened here.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use pcap_file::pcap::PcapParser;
use pcap_file::{PcapError, TsResolution};

use super::packet::{self, Endpoint, Packet, Protocol};
use crate::episode::rows::{Fields, fields};

/// How long a bucket is.
pub const BUCKET_NS: u64 = 100_000_000;
/// How many buckets stay open for packets that come late: their order is that of the queues they came through.
const OPEN: usize = 20;
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
    /// What the wall's clock showed when the episode's was at zero.
    zero_ns: i128,
    parser: Option<PcapParser>,
    pending: Vec<u8>,
    open: BTreeMap<u64, Bucket>,
    /// The first bucket that may still be told.
    next: u64,
    packets: u64,
    late: u64,
}

impl Netflow {
    /// Nothing is read yet. Directions are those of an address; the two clocks showed these times at one moment.
    pub fn new(address: Option<IpAddr>, wall_ns: u64, clock_ns: u64) -> Netflow {
        Netflow {
            address,
            zero_ns: i128::from(wall_ns) - i128::from(clock_ns),
            parser: None,
            pending: Vec::new(),
            open: BTreeMap::new(),
            next: 0,
            packets: 0,
            late: 0,
        }
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
        let clock_ns = u64::try_from((time_ns - self.zero_ns).max(0)).unwrap_or(u64::MAX);
        let mut number = clock_ns / BUCKET_NS;
        if number < self.next {
            // Its bucket was told already.
            self.late += 1;
            number = self.next;
        }
        self.open.entry(number).or_default().add(self.address, length, packet);
    }

    /// The oldest bucket that no more is expected for, with its number; at the end, all are such.
    pub fn take(&mut self, is_end: bool) -> Option<(u64, Bucket)> {
        let is_whole = is_end || self.open.len() > OPEN;
        let (number, bucket) = if is_whole { self.open.pop_first()? } else { return None };
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

    /// The times of a bucket's beginning: of the episode's clock, and of the wall's as it was when the capture began.
    pub fn times(&self, number: u64) -> (u64, u64) {
        let clock_ns = number.saturating_mul(BUCKET_NS);
        (clock_ns, u64::try_from(self.zero_ns + i128::from(clock_ns)).unwrap_or_default())
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
