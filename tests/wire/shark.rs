//! tshark reads what was recorded, without a complaint.

use std::env;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use protocol::HostName;
use relay::capture::pcapng::{File, View};
use relay::capture::record::{Device, Interface, Record, What};

use super::lab::{self, NAMES, Remains};
use super::tcp::{CLIENT, SERVER};

/// What tshark always says to root.
const TO_ROOT: &str = "Running as user \"root\" and group \"root\". This could be dangerous.";

/// The packets with a wrong checksum.
const WRONG: &str = "tcp.checksum.status == 0 || ip.checksum.status == 0";

/// The fields of every packet that passes a filter, one line each.
fn read(remains: &Remains, view: View, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let names: Vec<(IpAddr, HostName)> = (1..)
        .zip(NAMES)
        .map(|(number, name)| {
            (
                Ipv4Addr::new(10, 0, 0, number).into(),
                HostName::new(name).unwrap(),
            )
        })
        .collect();
    let file: Vec<u8> = File::new(&remains.snapshot, view, &names)
        .flatten()
        .collect();
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path: PathBuf =
        env::temp_dir().join(format!("socketpad-{}-{number}.pcapng", std::process::id()));
    fs::write(&path, file).unwrap();
    let tshark =
        env::var_os("TSHARK").expect("TSHARK names tshark; `cargo xtask test --only wire` sets it");
    let mut command = Command::new(tshark);
    // Names come from the file alone, and checksums are looked at.
    command.args([
        "-N",
        "n",
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "nameres.use_external_name_resolver:FALSE",
    ]);
    command
        .arg("-r")
        .arg(&path)
        .args(["-Y", filter, "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark can be started");
    fs::remove_file(&path).unwrap();
    let complaints = complaints(&output.stderr);
    assert!(
        output.status.success() && complaints.is_empty(),
        "tshark complains: {complaints:?}"
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| line.split('\t').map(String::from).collect())
        .collect()
}

/// What tshark has said that it should not.
pub(super) fn complaints(stderr: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(stderr);
    let lines = text.lines();
    let lines = lines.filter(|line| *line != TO_ROOT && !line.is_empty());
    lines.map(String::from).collect()
}

#[test]
fn tshark_sees_a_connection_from_its_first_segment_to_its_last() {
    let remains = lab::run(["{}", "{}"], [CLIENT, SERVER]);
    let fields = [
        "frame.interface_name",
        "ip.src",
        "ip.dst_host",
        "tcp.flags.str",
        "tcp.len",
        "tcp.seq",
        "frame.packet_flags_direction",
    ];
    let packets = read(&remains, View::Network, "tcp", &fields);
    let is_flagged = |packet: &Vec<String>, flag: &str| packet[3].contains(flag);
    let opening = packets
        .iter()
        .rfind(|packet| is_flagged(packet, "S") && !is_flagged(packet, "A"))
        .unwrap();
    assert_eq!(opening[..3], ["alice:eth0", "10.0.0.1", "bob"]);
    assert_eq!(opening[6], "0x00000002", "it goes out");
    // The last segment says how much came before it, however often it was sent.
    let payload = |sender: &str| -> u64 {
        let from = format!("{sender}:eth0");
        let is_last = |packet: &&Vec<String>| packet[0] == from && is_flagged(packet, "F");
        let last = packets.iter().find(is_last).unwrap();
        last[4..6]
            .iter()
            .map(|part| part.parse::<u64>().unwrap())
            .sum::<u64>()
            - 1
    };
    assert_eq!((payload("alice"), payload("bob")), (256 << 10, 6));
    // Each frame once where it was sent, and once where it arrived.
    let twice = read(&remains, View::Hosts, "tcp", &["frame.packet_id"]);
    assert_eq!(twice.len(), 2 * packets.len());
    let wrong = read(&remains, View::Hosts, WRONG, &["frame.number"]);
    assert_eq!(wrong.len(), 0);
}

#[test]
fn tshark_shows_what_became_of_frames_and_finds_what_was_sent_again() {
    let bad = lab::sends(
        r#""loss":0.05,"corrupt":0.05,"duplicate":0.05"#,
        NonZeroU32::new(5).unwrap(),
    );
    let remains = lab::run([&bad, "{}"], [CLIENT, SERVER]);
    let counts = remains.counts[0].from_host;
    let comments = read(&remains, View::Network, "frame.comment", &["frame.comment"]);
    let with = |words: &str| {
        comments
            .iter()
            .filter(|packet| packet[0].contains(words))
            .count() as u64
    };
    assert_eq!(with("lost on the way from alice"), counts.lost);
    assert_eq!(with("corrupted on the way from alice"), counts.corrupted);
    assert_eq!(with("duplicated on the way from alice"), counts.doubled);
    assert!(0 < counts.lost && 0 < counts.corrupted && 0 < counts.doubled);
    let again = read(
        &remains,
        View::Network,
        "tcp.analysis.retransmission",
        &["frame.number"],
    );
    assert!(!again.is_empty());
    // As bob's card sees it, what was corrupted has a wrong checksum.
    let at_bob = "frame.interface_name == \"bob:eth0\" && frame.packet_flags_direction == 1";
    let seen = read(
        &remains,
        View::Hosts,
        &format!("{at_bob} && ({WRONG})"),
        &["frame.number"],
    );
    assert!(!seen.is_empty());
}

#[test]
fn tshark_sees_what_a_host_says_to_itself() {
    let talk = "
with socket.create_server(('127.0.0.1', 5001)) as listener:
    caller = socket.create_connection(('127.0.0.1', 5001))
    callee, _ = listener.accept()
    caller.sendall(b'hello')
    caller.close()
    assert callee.makefile().read() == 'hello'
    callee.close()
";
    let mut remains = lab::run(["{}", "{}"], [talk, ""]);
    // How many frames were left out stands in the file too, and nobody complains.
    let last = remains.snapshot.records.last().unwrap();
    let left_out = Record {
        number: last.number + 1,
        at: last.at,
        what: What::LeftOut {
            interface: Arc::new(Interface {
                host: HostName::new("bob").unwrap(),
                device: Device::Loopback,
            }),
            count: 5,
        },
    };
    remains.snapshot.records.push(left_out);
    let fields = ["frame.interface_name", "tcp.flags.str", "tcp.payload"];
    let packets = read(&remains, View::Network, "ip.addr == 127.0.0.1", &fields);
    assert!(packets.iter().all(|packet| packet[0] == "alice:lo"));
    let flags = |flag: char| {
        packets
            .iter()
            .filter(|packet| packet[1].contains(flag))
            .count()
    };
    assert_eq!((flags('S'), flags('F')), (2, 2));
    let payload: Vec<&str> = packets
        .iter()
        .map(|packet| packet[2].as_str())
        .filter(|payload| !payload.is_empty())
        .collect();
    assert_eq!(payload, ["68656c6c6f"]);
}
