//! tcpdump on an interface of the test's own, and scripts that behave like one that cannot, dies or hangs.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use forkpoint::episode::collect::Capture;
use serde_json::Value;

use super::harness::{Episode, HANG, Told, inside, installed, is_inside, is_root};

const FILE: &str = "netflow.jsonl";
const LISTENS: &str = "echo 'tcpdump: listening on lo, link-type EN10MB (Ethernet), snapshot length 256 bytes' >&2";

fn collector(program: PathBuf, iface: &str) -> Capture {
    Capture { program, iface: iface.to_owned(), ip: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), snaplen: 256 }
}

/// A capture file of raw packets that the wall's clock sees now, each but its headers cut off.
fn file(path: &Path, packets: usize) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut bytes = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 256, 101] {
        bytes.extend(word.to_le_bytes());
    }
    for _ in 0..packets {
        let mut packet = Vec::new();
        let builder = etherparse::PacketBuilder::ipv4([127, 0, 0, 1], [10, 0, 0, 2], 64);
        builder.udp(5, 6).write(&mut packet, &[0; 900]).unwrap();
        for word in [now.as_secs() as u32, now.subsec_micros(), 100, packet.len() as u32] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(&packet[..100]);
    }
    std::fs::write(path, bytes).unwrap();
}

/// Waits until so much was captured.
fn wait_for_bytes(episode: &Episode, length: u64) {
    let until = Instant::now() + HANG;
    while std::fs::metadata(episode.folder().join("network.pcap")).unwrap().len() < length {
        assert!(Instant::now() < until, "nothing is captured");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn sum(rows: &[Value], key: &str) -> u64 {
    rows.iter().map(|row| row[key].as_u64().unwrap()).sum()
}

#[test]
fn packets_are_counted_and_their_file_stays() {
    let episode = Episode::begin();
    file(&episode.path("packets"), 60);
    let said = "echo '60 packets captured\n60 packets received by filter\n0 packets dropped by kernel' >&2; exit 0";
    let script = format!(
        "trap \"{said}\" INT\n{LISTENS}\ncat \"${{0%/*}}/packets\"\necho \"$*\" > \"$0.said\"\nwhile :; do sleep 0.05; done"
    );
    let program = episode.script(&script);
    let running = episode.start(collector(program.clone(), "lo"));
    // It has packets before anything ends.
    episode.wait_for("pcap_started");
    wait_for_bytes(&episode, 24 + 60 * 116);
    let told = episode.end(running, FILE);
    assert_eq!(
        (sum(&told.rows, "packets"), sum(&told.rows, "packets_out"), sum(&told.rows, "udp_bytes")),
        (60, 60, 60 * 928)
    );
    assert_eq!(
        told.names(),
        ["episode_start", "pcap_started", "pcap_stopped", "netflow_first_row", "netflow_finished"]
    );
    let stopped = told.event("pcap_stopped");
    assert_eq!(
        (stopped["rc"].as_i64(), stopped["pcap_bytes"].as_u64(), stopped["captured"].as_u64()),
        (Some(0), Some(24 + 60 * 116), Some(60))
    );
    assert_eq!(told.collected.counts.get("pcap_bytes"), Some(&(24 + 60 * 116)));
    assert_eq!(told.collected.counts.get("netflow"), Some(&told.collected.rows));
    assert_eq!((told.collected.lacks.as_deref(), told.event("netflow_finished")["packets"].as_u64()), (None, Some(60)));
    assert_eq!(told.rows[0]["t_mono_ns"].as_u64().unwrap() % 100_000_000, 0);
    let said = std::fs::read_to_string(told.path("program.said")).unwrap();
    assert_eq!(said.trim(), "-n -U --immediate-mode -s 256 -i lo -w -");
}

fn unavailable(script: &str) -> Told {
    let episode = Episode::begin();
    let program = episode.script(script);
    let told = episode.run_to(collector(program, "lo"), "pcap_unavailable", FILE);
    assert!(!told.path("episode/network.pcap").exists() && !told.has("pcap_started"));
    told
}

#[test]
fn one_that_cannot_begin_is_unavailable() {
    let episode = Episode::begin();
    let absent = episode.path("absent");
    let told = episode.run_to(collector(absent, "lo"), "pcap_unavailable", FILE);
    let event = told.event("pcap_unavailable");
    assert!(event["iface"] == "lo" && event["error"].as_str().unwrap().contains("No such file"), "{event}");
    let refused = "tcpdump: lo: You don't have permission to perform this capture on that device";
    let told = unavailable(&format!("echo \"{refused}\n(socket: Operation not permitted)\" >&2; exit 1"));
    assert_eq!(
        told.event("pcap_unavailable")["error"],
        format!("exit status: 1: {refused}; (socket: Operation not permitted)")
    );
    let told = unavailable("exec sleep 600");
    assert!(told.lacks().contains("did not listen in time"), "{}", told.lacks());
}

#[test]
fn one_that_dies_midway_has_failed_and_what_it_has_written_is_counted() {
    let episode = Episode::begin();
    file(&episode.path("packets"), 3);
    let why = "tcpdump: Unable to write output: No space left on device";
    let script = format!("{LISTENS}\nhead -c 300 \"${{0%/*}}/packets\"\necho '{why}' >&2\nexit 1");
    let program = episode.script(&script);
    let told = episode.run_to(collector(program, "lo"), "pcap_failed", FILE);
    assert!(told.lacks().starts_with("failed: tcpdump ended by itself, exit status: 1") && told.lacks().contains(why));
    assert_eq!(
        (sum(&told.rows, "packets"), told.event("netflow_finished")["torn_bytes"].as_u64()),
        (2, Some(300 - 24 - 232))
    );
    assert!(told.has("pcap_stopped"));
}

#[test]
fn one_that_hangs_at_the_end_is_ended() {
    let episode = Episode::begin();
    file(&episode.path("packets"), 5);
    let program = episode.script(&format!("trap '' INT\n{LISTENS}\ncat \"${{0%/*}}/packets\"\nsleep 600\nsleep 600"));
    let running = episode.start(collector(program, "lo"));
    episode.wait_for("pcap_started");
    wait_for_bytes(&episode, 24 + 5 * 116);
    let told = episode.end(running, FILE);
    assert!(told.lacks().contains("had to be killed"), "{}", told.lacks());
    assert_eq!((told.event("pcap_stopped")["rc"].as_i64(), sum(&told.rows, "packets")), (Some(-9), 5));
}

#[test]
fn what_is_no_capture_fails_the_counting_alone() {
    let episode = Episode::begin();
    let program = episode.script(&format!(
        "trap 'exit 0' INT\n{LISTENS}\necho 'this is no capture at all, but text'\nwhile :; do sleep 0.05; done"
    ));
    let running = episode.start(collector(program, "lo"));
    episode.wait_for("pcap_started");
    wait_for_bytes(&episode, 1);
    let told = episode.end(running, FILE);
    assert!(told.event("netflow_failed")["error"].as_str().unwrap().contains("no capture"));
    assert!(told.has("pcap_stopped") && !told.has("pcap_failed") && !told.has("netflow_finished"));
    assert!(told.lacks().starts_with("netflow: no capture"), "{}", told.lacks());
    assert!(told.collected.counts["pcap_bytes"] > 0);
}

#[test]
fn packets_that_the_kernel_dropped_are_lacking_and_so_are_all() {
    for (packets, dropped, lacks) in [(5, 3, "the kernel dropped 3 packets"), (0, 0, "no packets")] {
        let episode = Episode::begin();
        file(&episode.path("packets"), packets);
        let said = format!("echo '{dropped} packets dropped by kernel' >&2; exit 0");
        let program = episode.script(&format!(
            "trap \"{said}\" INT\n{LISTENS}\ncat \"${{0%/*}}/packets\"\nwhile :; do sleep 0.05; done"
        ));
        let running = episode.start(collector(program, "lo"));
        episode.wait_for("pcap_started");
        wait_for_bytes(&episode, 24 + packets as u64 * 116);
        assert_eq!(episode.end(running, FILE).lacks(), lacks);
    }
}

#[test]
fn packets_that_were_seen_and_not_written_are_a_failure() {
    let episode = Episode::begin();
    file(&episode.path("packets"), 5);
    let said = "echo '7 packets captured' >&2; exit 0";
    let program = episode
        .script(&format!("trap \"{said}\" INT\n{LISTENS}\ncat \"${{0%/*}}/packets\"\nwhile :; do sleep 0.05; done"));
    let running = episode.start(collector(program, "lo"));
    episode.wait_for("pcap_started");
    wait_for_bytes(&episode, 24 + 5 * 116);
    let told = episode.end(running, FILE);
    assert!(told.lacks().contains("saw 7 packets and wrote 5"), "{}", told.lacks());
    assert!(told.has("pcap_failed"));
}

/// An interface of one's own: a network without anybody else.
fn alone(test: &str) {
    if installed("tcpdump").is_none() || installed("ip").is_none() {
        return;
    }
    // tcpdump, started by root, becomes a user of its own, which no namespace of a single user has.
    let unshare: &[&str] =
        if is_root() { &["unshare", "-nm"] } else { &["unshare", "--map-current-user", "--keep-caps", "-nm"] };
    inside(unshare, test);
}

#[test]
fn the_real_one_sees_what_was_sent() {
    alone("collecting::capture::inside_a_network");
}

#[test]
#[ignore = "it runs in a network of its own, started by the test above"]
fn inside_a_network() {
    if !is_inside() {
        return;
    }
    assert!(Command::new(installed("ip").unwrap()).args(["link", "set", "lo", "up"]).status().unwrap().success());
    let tcpdump = installed("tcpdump").unwrap();
    let episode = Episode::begin();
    let running = episode.start(collector(tcpdump.clone(), "lo"));
    episode.wait_for("pcap_started");
    speak();
    // What was sent last may take a moment to be seen.
    let path = episode.folder().join("network.pcap");
    let until = Instant::now() + HANG;
    while read_back(&tcpdump, &path, "udp port 7777") < 40 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = episode.end(running, FILE);
    assert_eq!(told.collected.lacks, None);
    let path = told.path("episode/network.pcap");
    let filters = [
        ("packets", ""),
        ("tcp_packets", "tcp"),
        ("udp_packets", "udp"),
        ("icmp_packets", "icmp or icmp6"),
        ("other_packets", "not tcp and not udp and not icmp and not icmp6"),
        ("tcp_syn", "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn"),
        ("tcp_fin", "tcp[tcpflags] & tcp-fin != 0"),
        ("tcp_rst", "tcp[tcpflags] & tcp-rst != 0"),
    ];
    for (key, filter) in filters {
        assert_eq!(sum(&told.rows, key), read_back(&tcpdump, &path, filter), "{key}");
    }
    assert!(sum(&told.rows, "udp_packets") >= 40 && sum(&told.rows, "tcp_syn") == 1);
    // 127.0.0.1 is the address; what is for 127.0.0.2 has a direction.
    assert_eq!(sum(&told.rows, "packets_out"), read_back(&tcpdump, &path, "src host 127.0.0.1 and dst host 127.0.0.2"));
    assert_eq!(sum(&told.rows, "packets_in"), read_back(&tcpdump, &path, "dst host 127.0.0.1 and src host 127.0.0.2"));
    assert_eq!(sum(&told.rows, "unreadable"), 0);
    assert_eq!(told.event("pcap_stopped")["captured"].as_u64(), Some(sum(&told.rows, "packets")));
    interface_missing(tcpdump.clone());
    disk_full(tcpdump);
}

/// Datagrams longer than what is kept of a packet, and a connection.
fn speak() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let mut one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut other, _) = listener.accept().unwrap();
    for _ in 0..20 {
        socket.send_to(&[7; 1000], "127.0.0.1:7777").unwrap();
        one.write_all(&[1; 5000]).unwrap();
        other.read_exact(&mut [0; 5000]).unwrap();
    }
    drop((one, other));
    for _ in 0..20 {
        socket.send_to(&[7; 1000], "127.0.0.1:7777").unwrap();
    }
}

/// How many packets tcpdump finds in a file.
fn read_back(tcpdump: &Path, file: &Path, filter: &str) -> u64 {
    let output = Command::new(tcpdump).args(["-n", "-t", "-r"]).arg(file).arg(filter).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().count() as u64
}

fn interface_missing(tcpdump: PathBuf) {
    let told = Episode::begin().run_to(collector(tcpdump, "absent0"), "pcap_unavailable", FILE);
    assert!(told.event("pcap_unavailable")["error"].as_str().unwrap().contains("absent0"));
}

/// A disk for a few packets.
fn disk_full(tcpdump: PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("small");
    std::fs::create_dir(&folder).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16k", "tmpfs"]).arg(&folder).status().unwrap();
    assert!(mounted.success());
    let episode = Episode::begin_in(scratch, folder);
    let running = episode.start(collector(tcpdump, "lo"));
    episode.wait_for("pcap_started");
    for _ in 0..10 {
        speak();
    }
    // tcpdump goes on as if nothing were.
    let told = episode.end(running, FILE);
    assert!(
        told.lacks().contains("No space left on device") || told.lacks().contains("is the disk full"),
        "{}",
        told.lacks()
    );
    assert!(told.has("pcap_stopped") && told.has("pcap_failed"));
}
