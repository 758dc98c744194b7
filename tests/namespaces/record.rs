//! What hosts say to themselves, as it stands in the lab's record.

use std::num::NonZeroU32;
use std::time::Instant;

use protocol::event::{Card, Direction, Event, Outcome, Record};
use protocol::{Domain, Kind, Shutdown};
use relay::capture::record::{self, Device, What};
use relay::capture::{Again, Pace, Start};
use tests::{Ask, Client, TestRelay, Viewer, at, eventually, local};

use crate::links::{is_played_elsewhere, name};
use crate::relay;

/// The protocol numbers of IPv4.
const TCP: u8 = 6;
const UDP: u8 = 17;
const UDPLITE: u8 = 136;

/// A reader that takes everything.
const UNHURRIED: Pace = Pace {
    per_second: NonZeroU32::MAX,
    burst: NonZeroU32::MAX,
};

/// What a loopback's IPv4 frames of a protocol have behind their header.
fn said<'a>(records: &'a [record::Record], host: &str, protocol: u8) -> Vec<&'a [u8]> {
    let frames = records.iter().filter_map(|record| match &record.what {
        What::Frame {
            interface, bytes, ..
        } if interface.host == name(host) && interface.device == Device::Loopback => {
            let packet = bytes[12..].strip_prefix(&[8, 0])?;
            (packet[9] == protocol).then(|| &packet[20..])
        }
        _ => None,
    });
    frames.collect()
}

#[tokio::test]
async fn what_a_host_says_to_itself_is_in_the_record_once() {
    let test = "record::what_a_host_says_to_itself_is_in_the_record_once";
    if is_played_elsewhere(test).await {
        return;
    }
    let relay = relay().await;
    let (lab, links) = (relay.lab(), relay.links());
    let mut server = Client::join_as(&relay, &lab, "desk", "server").await;
    let mut client = Client::join_as(&relay, &lab, "desk", "client").await;
    // Another host, whose loopback is silent.
    let _bob = Client::join_as(&relay, &lab, "bob", "idle").await;
    let listener = server.listener(8888).await;
    let socket = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    client.send(socket, b"hello, desk").await.unwrap();
    server.recv_exactly(accepted, 11).await.unwrap();
    for (process, socket) in [(&mut client, socket), (&mut server, accepted)] {
        process.shutdown(socket, Shutdown::Write);
        process.sync().await;
    }
    let capture = links.capture(&lab).unwrap();
    let records = eventually(tests::DEADLINE, async || {
        let records = capture.snapshot().records;
        let ends = said(&records, "desk", TCP);
        (2 <= ends.iter().filter(|segment| segment[13] & 1 == 1).count()).then_some(records)
    });
    let records = client.listen_during(records).await.unwrap();
    let segments = said(&records, "desk", TCP);
    let flagged = |flag: u8| {
        let flags = segments.iter().filter(|segment| segment[13] & flag != 0);
        flags.count()
    };
    // SYN in both directions, and FIN.
    assert_eq!((flagged(2), flagged(1)), (2, 2), "{segments:?}");
    let payload = segments
        .iter()
        .map(|segment| &segment[usize::from(segment[12] >> 4) * 4..]);
    assert_eq!(payload.collect::<Vec<_>>().concat(), b"hello, desk");
    assert!(said(&records, "bob", TCP).is_empty());

    let file = format!("/api/v1/labs/{lab}/capture.pcapng");
    let file = Ask::to(&relay, "GET", &file).send(&relay).await.body;
    let part = b"desk:lo";
    assert!(file.windows(part.len()).any(|bytes| bytes == part));
}

/// The header's third field is how much the checksum covers (RFC 3828, section 3.1), where UDP has the length.
#[tokio::test]
async fn udplite_stands_in_the_record_as_it_was_sent() {
    let test = "record::udplite_stands_in_the_record_as_it_was_sent";
    if is_played_elsewhere(test).await {
        return;
    }
    let relay = relay().await;
    let (lab, links) = (relay.lab(), relay.links());
    let mut desk = Client::join_as(&relay, &lab, "desk", "both").await;
    let [receiver, sender] = [(); 2].map(|()| desk.socket(Domain::Inet, Kind::UdpLite));
    desk.bind(receiver, local(8888)).await.unwrap();
    for (coverage, payload) in [(0, &b"all of it"[..]), (12, b"some of it")] {
        desk.set_option(sender, i32::from(UDPLITE), 10, coverage)
            .await
            .unwrap();
        desk.send_to(sender, &local(8888), payload).await;
        assert_eq!(desk.recv_from(receiver).await.1, payload);
    }
    let capture = links.capture(&lab).unwrap();
    let seen = eventually(tests::DEADLINE, async || {
        let records = capture.snapshot().records;
        let seen = said(&records, "desk", UDPLITE);
        let parts = seen.iter().map(|it| (it[4..6].to_vec(), it[8..].to_vec()));
        let parts: Vec<_> = parts.collect();
        (parts.len() == 2).then_some(parts)
    });
    let parts = desk.listen_during(seen).await.unwrap();
    let expected = [
        (vec![0, 0], &b"all of it"[..]),
        (vec![0, 12], b"some of it"),
    ];
    assert_eq!(
        parts,
        expected.map(|(field, payload)| (field, payload.to_vec()))
    );
}

#[tokio::test]
async fn what_is_too_much_on_a_loopback_is_left_out_and_counted() {
    /// More than the kernel keeps for the record, and less than the record does: so it is the kernel that drops, however
    /// slow the machine is.
    const BURST: u64 = 40;
    /// In the longest frames, of which the kernel keeps the fewest.
    static PAYLOAD: [u8; 60_000] = [b'x'; 60_000];
    let test = "record::what_is_too_much_on_a_loopback_is_left_out_and_counted";
    if is_played_elsewhere(test).await {
        return;
    }
    let relay = relay().await;
    let (lab, links) = (relay.lab(), relay.links());
    let mut desk = Client::join_as(&relay, &lab, "desk", "both").await;
    let mut reader = links
        .capture(&lab)
        .unwrap()
        .subscribe(Start::Next, UNHURRIED);
    // What is not read there is dropped by the kernel, after it went over the loopback.
    desk.receiver(9999).await;
    let to = local(9999);
    let sender = desk.udp();
    let (mut sent, mut seen, mut left_out) = (0, 0, 0);
    while left_out == 0 {
        for _ in 0..BURST {
            desk.send_to(sender, &to, &PAYLOAD).await;
        }
        desk.sync().await;
        sent += BURST;
        while seen + left_out < sent {
            let portion = reader.read(Instant::now());
            assert_eq!(
                portion.left_out, 0,
                "the ring is long enough for this reader"
            );
            seen += said(&portion.records, "desk", UDP).len() as u64;
            for record in &portion.records {
                if let What::LeftOut { interface, count } = &record.what {
                    assert_eq!(interface.to_string(), "desk:lo");
                    left_out += count;
                }
            }
            let more = tokio::time::timeout(tests::DEADLINE, reader.more());
            if portion.again == Again::WhenWritten && seen + left_out < sent {
                desk.listen_during(more)
                    .await
                    .expect("all are accounted for");
            }
        }
    }
    assert_eq!(seen + left_out, sent);
}

/// A link on which every frame that desk sends is lost.
const LOSSY: &str = r#"{"from_host":{"loss":1.0}}"#;

#[tokio::test]
async fn a_viewer_who_asks_for_packets_is_told_of_each_and_what_became_of_it() {
    let relay = relay().await;
    let lab = relay.lab();
    let origin = format!("http://{}", relay.address());
    let mut viewer = Viewer::from(&relay, &lab, "?packets=64", &origin)
        .await
        .unwrap();
    let mut other = Viewer::of(&relay, &lab).await;
    let mut desk = Client::join_as(&relay, &lab, "desk", "sender").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "receiver").await;
    let to = at(bob.welcome().addresses[0], 8888);
    let receiver = bob.udp();
    bob.bind(receiver, to.clone()).await.unwrap();
    let sender = desk.udp();
    let datagram = [b'x'; 200];
    desk.send_to(sender, &to, &datagram).await;
    bob.recv_from(receiver).await;
    // Headers of Ethernet, IPv4 and UDP, and what was asked for of the rest.
    let (number, at) = viewer
        .until("a packet", packet("desk", Card::Ethernet, 242))
        .await;
    let fate = viewer.until("its fate", fate_of(number)).await;
    assert_eq!(
        fate,
        ("bob".to_owned(), Direction::Received, Outcome::Passed)
    );

    let link = format!("/api/v1/labs/{lab}/hosts/desk/link");
    let lossy = Ask::to(&relay, "PUT", &link).json(&serde_json::from_str(LOSSY).unwrap());
    assert_eq!(lossy.send(&relay).await.status, 200);
    desk.send_to(sender, &to, &datagram).await;
    let (number, later) = viewer
        .until("a packet", packet("desk", Card::Ethernet, 242))
        .await;
    assert!(at <= later, "{later}");
    let fate = viewer.until("its fate", fate_of(number)).await;
    assert_eq!(fate, ("desk".to_owned(), Direction::Sent, Outcome::Lost));

    desk.receiver(9999).await;
    desk.send_to(sender, &local(9999), &datagram).await;
    viewer
        .until("a packet", packet("desk", Card::Loopback, 242))
        .await;
    desk.goodbye().await;
    let mut is_over = false;
    while !is_over {
        let record = other.next().await.unwrap();
        assert!(
            !matches!(record.event, Event::Packet { .. } | Event::Fate { .. }),
            "{record:?}"
        );
        is_over = matches!(record.event, Event::Exited { .. });
    }
}

/// Looks for a packet; gives its number and time.
fn packet(by: &str, over: Card, long: u32) -> impl FnMut(&Record) -> Option<(u64, u64)> {
    move |record| match &record.event {
        Event::Packet {
            number,
            host,
            card,
            length,
            bytes,
        } => {
            assert!(bytes.len() <= 64);
            let is_it = host.as_str() == by && *card == over && *length == long;
            is_it.then_some((*number, record.at))
        }
        _ => None,
    }
}

fn fate_of(number: u64) -> impl FnMut(&Record) -> Option<(String, Direction, Outcome)> {
    move |record| match &record.event {
        Event::Fate {
            packet,
            host,
            direction,
            outcome,
        } if *packet == number => Some((host.as_str().to_owned(), *direction, *outcome)),
        _ => None,
    }
}

#[tokio::test]
async fn a_viewer_that_is_too_slow_for_the_packets_is_told_how_many_it_missed() {
    let mut options = crate::options();
    options.limits.events = 10;
    let relay = TestRelay::with(options).await;
    let lab = relay.lab();
    let origin = format!("http://{}", relay.address());
    let mut viewer = Viewer::from(&relay, &lab, "?packets=0", &origin)
        .await
        .unwrap();
    let mut desk = Client::join_as(&relay, &lab, "desk", "both").await;
    let receiver = desk.receiver(9999).await;
    let sender = desk.udp();
    for _ in 0..200 {
        desk.send_to(sender, &local(9999), b"x").await;
        desk.recv_from(receiver).await;
    }
    let count = viewer.until("a gap", |record| match &record.event {
        Event::LeftOut { host: None, count } => Some(*count),
        _ => None,
    });
    assert!((1..=500).contains(&count.await));
}
