//! One packet of a capture: who sent what to whom, as far as what was kept of it says.

use std::net::IpAddr;

use etherparse::{EtherType, IpNumber, LaxNetSlice, LaxSlicedPacket, TransportSlice};

/// What a packet carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, of either version.
    Icmp,
    /// Anything else, and what could not be read so far.
    #[default]
    Other,
}

/// An address and a port; no port is 0.
pub type Endpoint = (IpAddr, u16);

/// What is known of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// What it carries.
    pub protocol: Protocol,
    /// From whom to whom.
    pub endpoints: Option<(Endpoint, Endpoint)>,
    /// It asks for a connection: SYN without ACK.
    pub is_syn: bool,
    /// It ends one.
    pub is_fin: bool,
    /// It refuses or breaks one.
    pub is_rst: bool,
    /// A header is damaged, cut off, or of an unknown kind of link.
    pub is_unreadable: bool,
}

/// Kinds of links, as <https://www.tcpdump.org/linktypes.html> numbers them.
mod link {
    pub const LOOPBACK: u32 = 0;
    pub const ETHERNET: u32 = 1;
    pub const RAW_BSD: u32 = 12;
    pub const RAW_OPENBSD: u32 = 14;
    pub const RAW: u32 = 101;
    pub const LOOPBACK_OPENBSD: u32 = 108;
    pub const LINUX_COOKED: u32 = 113;
    pub const IPV4: u32 = 228;
    pub const IPV6: u32 = 229;
    pub const LINUX_COOKED_2: u32 = 276;
}

/// Reads a packet of such a link.
pub fn read(kind: u32, bytes: &[u8]) -> Packet {
    let unreadable = Packet { is_unreadable: true, ..Packet::default() };
    match kind {
        link::ETHERNET => LaxSlicedPacket::from_ethernet(bytes).map_or(unreadable, |sliced| known(&sliced)),
        link::RAW | link::RAW_BSD | link::RAW_OPENBSD | link::IPV4 | link::IPV6 => internet(bytes),
        // Four bytes say which family, in the order of bytes of whoever captured it; the version is in the packet as well.
        link::LOOPBACK | link::LOOPBACK_OPENBSD => bytes.get(4..).map_or(unreadable, internet),
        link::LINUX_COOKED => cooked(bytes, 14, 16),
        link::LINUX_COOKED_2 => cooked(bytes, 0, 20),
        _ => unreadable,
    }
}

fn internet(bytes: &[u8]) -> Packet {
    let unreadable = Packet { is_unreadable: true, ..Packet::default() };
    LaxSlicedPacket::from_ip(bytes).map_or(unreadable, |sliced| known(&sliced))
}

/// A header that Linux made up, with the protocol at some place of it.
fn cooked(bytes: &[u8], protocol: usize, header: usize) -> Packet {
    match (bytes.get(protocol..protocol + 2), bytes.get(header..)) {
        (Some(kind), Some(payload)) => {
            let kind = EtherType(u16::from_be_bytes([kind[0], kind[1]]));
            known(&LaxSlicedPacket::from_ether_type(kind, payload))
        }
        _ => Packet { is_unreadable: true, ..Packet::default() },
    }
}

fn known(sliced: &LaxSlicedPacket<'_>) -> Packet {
    let mut packet = Packet { is_unreadable: sliced.stop_err.is_some(), ..Packet::default() };
    let (source, destination): (IpAddr, IpAddr) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(net)) => (net.header().source_addr().into(), net.header().destination_addr().into()),
        Some(LaxNetSlice::Ipv6(net)) => (net.header().source_addr().into(), net.header().destination_addr().into()),
        Some(LaxNetSlice::Arp(_)) | None => return packet,
    };
    // What a fragment carries is known although only the first has ports, and no fragment's are read.
    packet.protocol = match sliced.ip_payload().map(|payload| payload.ip_number) {
        Some(IpNumber::TCP) => Protocol::Tcp,
        Some(IpNumber::UDP) => Protocol::Udp,
        Some(IpNumber::ICMP | IpNumber::IPV6_ICMP) => Protocol::Icmp,
        _ => Protocol::Other,
    };
    let (from, to) = match &sliced.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            packet.is_syn = tcp.syn() && !tcp.ack();
            (packet.is_fin, packet.is_rst) = (tcp.fin(), tcp.rst());
            (tcp.source_port(), tcp.destination_port())
        }
        Some(TransportSlice::Udp(udp)) => (udp.source_port(), udp.destination_port()),
        _ => (0, 0),
    };
    packet.endpoints = Some(((source, from), (destination, to)));
    packet
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

    const HERE: [u8; 4] = [10, 0, 0, 1];
    const THERE: [u8; 4] = [10, 0, 0, 2];

    fn syn() -> Vec<u8> {
        let mut bytes = Vec::new();
        PacketBuilder::ipv4(HERE, THERE, 64).tcp(4000, 80, 1, 100).syn().write(&mut bytes, &[]).unwrap();
        bytes
    }

    fn expected() -> Packet {
        let endpoints = Some(((IpAddr::from(HERE), 4000), (IpAddr::from(THERE), 80)));
        Packet { protocol: Protocol::Tcp, endpoints, is_syn: true, ..Packet::default() }
    }

    fn behind(head: &[u8], bytes: &[u8]) -> Vec<u8> {
        [head, bytes].concat()
    }

    #[test]
    fn one_packet_on_every_kind_of_link() {
        let ethernet = [[7; 12].as_slice(), &[8, 0]].concat();
        // A VLAN inside another.
        let tagged = [[7; 12].as_slice(), &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0]].concat();
        let cooked = [[0; 14].as_slice(), &[8, 0]].concat();
        let cooked_tagged = [[0; 14].as_slice(), &[0x81, 0, 0, 2, 8, 0]].concat();
        let cooked_2 = [[8, 0].as_slice(), &[0; 18]].concat();
        let heads: [(u32, &[u8]); 10] = [
            (1, &ethernet),
            (1, &tagged),
            (113, &cooked),
            (113, &cooked_tagged),
            (276, &cooked_2),
            (0, &[2, 0, 0, 0]),
            (108, &[0, 0, 0, 2]),
            (101, &[]),
            (12, &[]),
            (228, &[]),
        ];
        for (kind, head) in heads {
            assert_eq!(read(kind, &behind(head, &syn())), expected(), "link {kind}");
            // Without its head it is no packet.
            assert!(head.is_empty() || read(kind, &head[..head.len() - 1]).is_unreadable, "link {kind}");
        }
        assert!(read(147, &syn()).is_unreadable);
    }

    #[test]
    fn a_packet_that_was_cut_off_tells_what_is_left() {
        let whole = syn();
        for length in 0..whole.len() {
            let found = read(101, &whole[..length]);
            assert!(found.is_unreadable, "{length} bytes");
            if length >= 20 {
                assert_eq!(found.protocol, Protocol::Tcp);
                assert_eq!(found.endpoints.map(|(from, to)| (from.0, to.0)), Some((HERE.into(), THERE.into())));
            }
        }
        // What is behind the headers may be missing.
        let mut bytes = Vec::new();
        PacketBuilder::ipv4(HERE, THERE, 64).udp(53, 53).write(&mut bytes, &[0; 900]).unwrap();
        let found = read(101, &bytes[..60]);
        assert_eq!((found.protocol, found.is_unreadable), (Protocol::Udp, false));
    }

    #[test]
    fn the_newer_internet_protocol_and_what_is_neither() {
        let mut bytes = Vec::new();
        PacketBuilder::ipv6([1; 16], [2; 16], 64).icmpv6_echo_request(1, 2).write(&mut bytes, &[1, 2]).unwrap();
        let found = read(229, &bytes);
        assert_eq!(found.protocol, Protocol::Icmp);
        assert_eq!(found.endpoints, Some(((IpAddr::from([1; 16]), 0), (IpAddr::from([2; 16]), 0))));
        let spanning_tree = [[7; 12].as_slice(), &[0, 0x26, 0x42, 0x42, 3]].concat();
        assert_eq!(read(1, &spanning_tree), Packet::default());
    }
}
