//! Raw sockets and those of ICMP, on hosts that are real.

use std::net::{IpAddr, Ipv6Addr};

use protocol::limits::{INITIAL_CREDIT, MAX_DATAGRAM, MAX_PACKET};
use protocol::{Address, Domain, Errno, Kind, SocketId};
use relay::Options;
use tests::{Ask, Client, TestRelay, at, local};

use crate::relay;

/// `IPPROTO_IP` and `SOL_SOCKET`, `IP_TTL`, `IP_HDRINCL` and `SO_TYPE` (ip(7), socket(7)).
const IPPROTO_IP: i32 = 0;
const IP_TTL: i32 = 2;
const IP_HDRINCL: i32 = 3;
const SOL_SOCKET: i32 = 1;
const SO_TYPE: i32 = 3;

const ICMP: Kind = Kind::Raw { protocol: 1 };
const TCP: Kind = Kind::Raw { protocol: 6 };
const UDP: Kind = Kind::Raw { protocol: 17 };
const ICMPV6: Kind = Kind::Raw { protocol: 58 };

/// An echo request with its checksum (RFC 792, RFC 1071).
fn echo_request(sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![8, 0, 0, 0, 0x12, 0x34];
    packet.extend(sequence.to_be_bytes());
    packet.extend(payload);
    let pairs = packet
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = pairs.sum();
    while 0xffff < sum {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let checksum = !u16::try_from(sum).unwrap();
    packet[2..4].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// A UDP datagram with an IP header from this address.
fn forged(from: [u8; 4], to: [u8; 4], port: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(28 + payload.len()).unwrap();
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend(from);
    packet.extend(to);
    packet.extend(4321_u16.to_be_bytes());
    packet.extend(port.to_be_bytes());
    packet.extend((length - 20).to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(payload);
    packet
}

fn inet(ip: [u8; 4]) -> Address {
    at(ip.into(), 0)
}

async fn pair(relay: &TestRelay) -> (Client, Client) {
    let lab = relay.lab();
    let desk = Client::join_as(relay, &lab, "desk", "client").await;
    let bob = Client::join_as(relay, &lab, "bob", "server").await;
    (desk, bob)
}

const DESK: [u8; 4] = [10, 0, 0, 1];
const BOB: [u8; 4] = [10, 0, 0, 2];

#[tokio::test]
async fn a_ping_by_hand_is_answered_by_another_host_and_by_the_own() {
    let relay = relay().await;
    let (mut desk, _bob) = pair(&relay).await;
    let socket = desk.socket(Domain::Inet, ICMP);
    // A raw socket's port is its protocol.
    assert_eq!(
        desk.names(socket).await.unwrap().local,
        at([0; 4].into(), 1)
    );
    assert_eq!(desk.option(socket, SOL_SOCKET, SO_TYPE).await, Ok(3));
    for (sequence, to) in [(1, BOB), (2, [127, 0, 0, 1])] {
        let request = echo_request(sequence, b"a payload");
        desk.send_to(socket, &inet(to), &request).await;
        let reply = loop {
            let (from, packet) = desk.recv_from(socket).await;
            assert_eq!(from, inet(to));
            // On its own host the request is seen as well.
            if packet[20] == 0 {
                break packet;
            }
        };
        assert_eq!((reply[0], reply[9]), (0x45, 1));
        assert_eq!(reply[12..16], to);
        assert_eq!(reply[24..], request[4..]);
    }
}

/// As traceroute(8) finds the end of the way: all hosts of a lab are one hop apart.
#[tokio::test]
async fn a_closed_port_of_another_host_answers_with_what_it_was_sent() {
    let relay = relay().await;
    let (mut desk, _bob) = pair(&relay).await;
    let listener = desk.socket(Domain::Inet, ICMP);
    desk.names(listener).await.unwrap();
    let probe = desk.udp();
    desk.set_option(probe, IPPROTO_IP, IP_TTL, 1).await.unwrap();
    desk.send_to(probe, &at(BOB.into(), 33434), b"").await;
    let (from, packet) = desk.recv_from(listener).await;
    assert_eq!(from, inet(BOB));
    // Port unreachable (RFC 792), and after eight bytes the packet that it is about.
    assert_eq!(packet[20..22], [3, 3]);
    let about = &packet[28..];
    assert_eq!((about[8], about[9]), (1, 17));
    assert_eq!(about[22..24], 33434_u16.to_be_bytes());
}

#[tokio::test]
async fn icmpv6_goes_between_hosts() {
    let relay = relay().await;
    let (mut desk, bob) = pair(&relay).await;
    let IpAddr::V6(ip) = bob.welcome().addresses[1] else {
        panic!("{:?}", bob.welcome().addresses)
    };
    let to = at(ip.into(), 0);
    let socket = desk.socket(Domain::Inet6, ICMPV6);
    let request = [128, 0, 0, 0, 0, 7, 0, 1, 42];
    desk.send_to(socket, &to, &request).await;
    loop {
        let (from, packet) = desk.recv_from(socket).await;
        match packet[0] {
            129 => {
                assert_eq!(from, to);
                assert_eq!(packet[4..], [0, 7, 0, 1, 42]);
                break;
            }
            // The neighbour was not found in time, as on a busy machine (RFC 4443, section 3.1).
            1 => desk.send_to(socket, &to, &request).await,
            // Neighbour discovery is seen, too.
            _ => {}
        }
    }
}

#[tokio::test]
async fn everybody_may_ping_without_a_raw_socket() {
    let relay = relay().await;
    let (mut desk, _bob) = pair(&relay).await;
    let socket = desk.socket(Domain::Inet, Kind::Ping);
    assert_eq!(desk.option(socket, SOL_SOCKET, SO_TYPE).await, Ok(2));
    desk.send_to(socket, &inet(BOB), &echo_request(9, b"hello"))
        .await;
    let (from, packet) = desk.recv_from(socket).await;
    assert_eq!(from, inet(BOB));
    assert_eq!((packet[0], &packet[6..]), (0, &b"\0\x09hello"[..]));
    let six = desk.socket(Domain::Inet6, Kind::Ping);
    let own = at(Ipv6Addr::LOCALHOST.into(), 0);
    desk.send_to(six, &own, &[128, 0, 0, 0, 0, 0, 0, 1]).await;
    let (_, packet) = desk.recv_from(six).await;
    assert_eq!((packet[0], &packet[6..]), (129, &[0, 1][..]));
}

#[tokio::test]
async fn a_sniffer_sees_what_comes_to_its_host_and_nothing_else() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let mut eve = Client::join_as(&relay, &lab, "eve", "sniffer").await;
    let sniffer = bob.socket(Domain::Inet, TCP);
    let elsewhere = eve.socket(Domain::Inet, TCP);
    // Their names are known once they are there.
    bob.names(sniffer).await.unwrap();
    eve.names(elsewhere).await.unwrap();
    let listener = bob.tcp();
    bob.bind(listener, at([0; 4].into(), 8888)).await.unwrap();
    bob.listen(listener, 5).await.unwrap();
    let socket = desk.tcp();
    desk.connect(socket, at(BOB.into(), 8888)).await.unwrap();
    let (from, packet) = bob.recv_from(sniffer).await;
    assert_eq!(from, inet(DESK));
    assert_eq!(packet[22..24], 8888_u16.to_be_bytes());
    assert_eq!(packet[33], 0x02, "a SYN");
    eve.sync().await;
    assert_eq!(eve.unread_datagrams(elsewhere), 0);
}

#[tokio::test]
async fn a_header_of_ones_own_may_name_anybody_of_the_lab() {
    let relay = relay().await;
    let (mut desk, mut bob) = pair(&relay).await;
    let receiver = bob.udp();
    bob.bind(receiver, at([0; 4].into(), 8888)).await.unwrap();
    let by_option = desk.socket(Domain::Inet, UDP);
    desk.set_option(by_option, IPPROTO_IP, IP_HDRINCL, 1)
        .await
        .unwrap();
    let option = desk.option(by_option, IPPROTO_IP, IP_HDRINCL).await;
    assert_eq!(option, Ok(1));
    let by_protocol = desk.socket(Domain::Inet, Kind::Raw { protocol: 255 });
    for (socket, from) in [(by_option, [10, 0, 0, 77]), (by_protocol, [10, 0, 0, 78])] {
        let packet = forged(from, BOB, 8888, b"from nobody");
        desk.send_to(socket, &inet(BOB), &packet).await;
        let (sender, payload) = bob.recv_from(receiver).await;
        assert_eq!(sender, at(from.into(), 4321));
        assert_eq!(payload, b"from nobody");
    }
}

#[tokio::test]
async fn no_packet_leaves_the_lab() {
    let relay = relay().await;
    let mut desk = Client::join(&relay, &relay.lab()).await;
    let outside = [192, 0, 2, 1];
    let icmp = desk.socket(Domain::Inet, ICMP);
    desk.send_to(icmp, &inet(outside), &echo_request(1, b""))
        .await;
    assert_eq!(desk.failure(icmp).await, Errno::ENETUNREACH);
    let own = desk.socket(Domain::Inet, Kind::Raw { protocol: 255 });
    desk.send_to(own, &inet(outside), &forged(DESK, outside, 53, b"x"))
        .await;
    assert_eq!(desk.failure(own).await, Errno::ENETUNREACH);
    // The address of the call decides, not the one in the header: this stays on the host.
    desk.send_to(own, &inet([127, 0, 0, 1]), &forged(DESK, outside, 53, b"x"))
        .await;
    desk.sync().await;
    // What is no packet is refused.
    desk.send_to(own, &inet([127, 0, 0, 1]), b"E").await;
    assert_eq!(desk.failure(own).await, Errno::EINVAL);
}

#[tokio::test]
async fn they_count_and_show_like_any_socket() {
    let mut options: Options = crate::options();
    options.sockets = 2;
    let relay = TestRelay::with(options).await;
    let lab = relay.lab();
    let mut desk = Client::join(&relay, &lab).await;
    let raw = desk.socket(Domain::Inet, ICMP);
    let ping = desk.socket(Domain::Inet, Kind::Ping);
    let further = desk.socket(Domain::Inet, ICMP);
    assert_eq!(desk.names(further).await, Err(Errno::EMFILE));
    desk.connect(raw, local(5)).await.unwrap();
    let (name, kinds) = ("socketpad_sockets", ["raw", "ping"]);
    for kind in kinds {
        assert_eq!(relay.metrics().sum(name, &[("kind", kind)]), 1.0);
    }
    desk.names(ping).await.unwrap();
    let path = format!("/api/v1/labs/{lab}/sockets");
    let shown = Ask::to(&relay, "GET", &path).send(&relay).await.value();
    let seen = |at: usize, field: &str| shown[at][field].as_str().unwrap().to_owned();
    assert_eq!([seen(0, "kind"), seen(1, "kind")], kinds);
    assert_eq!(seen(0, "state"), "ESTAB");
    assert_eq!(seen(0, "peer"), "127.0.0.1:5");
    assert_eq!(seen(1, "state"), "UNCONN");
    desk.close(raw);
    desk.close(ping);
    desk.sync().await;
    assert_eq!(relay.metrics().sockets(), 0.0);
}

/// What a program does not read waits in the kernel's buffer of the socket, as far as it has room.
#[tokio::test]
async fn what_comes_in_is_bounded_by_credit() {
    let relay = relay().await;
    let (mut desk, mut bob) = pair(&relay).await;
    let sniffer = bob.socket(Domain::Inet, UDP);
    bob.names(sniffer).await.unwrap();
    let sender = desk.udp();
    let to = at(BOB.into(), 8888);
    for _ in 0..400 {
        desk.send_to(sender, &to, &[7; 1400]).await;
    }
    desk.sync().await;
    bob.sync().await;
    let held: usize = {
        let mut held = 0;
        while 0 < bob.unread_datagrams(sniffer) {
            held += bob.recv_from(sniffer).await.1.len();
        }
        held
    };
    assert!(0 < held && held as u64 <= INITIAL_CREDIT, "{held} bytes");
    // With credit the rest comes.
    bob.recv_from(sniffer).await;
}

#[tokio::test]
async fn the_longest_packets_come_whole_and_hold_nothing_up() {
    let relay = relay().await;
    let mut desk = Client::join(&relay, &relay.lab()).await;
    let sniffer = desk.socket(Domain::Inet, UDP);
    desk.names(sniffer).await.unwrap();
    let receiver = desk.receiver(8888).await;
    let sender = desk.udp();
    for _ in 0..8 {
        desk.send_to(sender, &local(8888), &[7; MAX_DATAGRAM]).await;
        let (_, packet) = desk.recv_from(sniffer).await;
        assert_eq!(packet.len(), MAX_PACKET);
        assert_eq!(packet[2..4], u16::MAX.to_be_bytes());
        assert_eq!(packet[28..], [7; MAX_DATAGRAM]);
        desk.recv_from(receiver).await;
    }
}

#[tokio::test]
async fn the_longest_packets_are_sent_as_they_are() {
    let relay = relay().await;
    let mut desk = Client::join(&relay, &relay.lab()).await;
    let receiver = desk.udp();
    desk.bind(receiver, local(8888)).await.unwrap();
    let raw = desk.socket(Domain::Inet, UDP);
    desk.set_option(raw, IPPROTO_IP, IP_HDRINCL, 1)
        .await
        .unwrap();
    let here = [127, 0, 0, 1];
    let packet = forged(here, here, 8888, &[5; MAX_DATAGRAM]);
    assert_eq!(packet.len(), MAX_PACKET);
    for _ in 0..4 {
        desk.send_to(raw, &inet(here), &packet).await;
        let (_, payload) = desk.recv_from(receiver).await;
        assert_eq!(payload, [5; MAX_DATAGRAM]);
        // Its own copy of what it sends.
        let (_, heard) = desk.recv_from(raw).await;
        assert_eq!(heard.len(), MAX_PACKET);
    }
}

#[tokio::test]
async fn a_datagram_of_ipv6_may_be_longer_than_one_of_ipv4() {
    let relay = relay().await;
    let mut desk = Client::join(&relay, &relay.lab()).await;
    let to = |port| Address::Inet6 {
        ip: Ipv6Addr::LOCALHOST,
        port,
        flow: 0,
        scope: 0,
    };
    let receiver = desk.socket(Domain::Inet6, Kind::Datagram);
    desk.bind(receiver, to(8888)).await.unwrap();
    let sender = desk.socket(Domain::Inet6, Kind::Datagram);
    let longest = vec![3; MAX_PACKET - 8];
    desk.send_to(sender, &to(8888), &longest).await;
    assert_eq!(desk.recv_from(receiver).await.1, longest);
    desk.send_to(sender, &to(8888), &[3; MAX_PACKET - 7]).await;
    assert_eq!(desk.failure(sender).await, Errno::EMSGSIZE);
}

/// `SOL_RAW` and `ICMP_FILTER` (raw(7)).
const SOL_RAW: i32 = 255;
const ICMP_FILTER: i32 = 1;

#[tokio::test]
async fn a_filter_keeps_kinds_of_icmp_out() {
    let relay = relay().await;
    let mut desk = Client::join(&relay, &relay.lab()).await;
    let (all, filtered) = (
        desk.socket(Domain::Inet, ICMP),
        desk.socket(Domain::Inet, ICMP),
    );
    // Each bit keeps a kind out; replies are kind 0.
    let filter = !1;
    desk.set_option(filtered, SOL_RAW, ICMP_FILTER, filter)
        .await
        .unwrap();
    assert_eq!(
        desk.option(filtered, SOL_RAW, ICMP_FILTER).await,
        Ok(filter)
    );
    let here = inet([127, 0, 0, 1]);
    desk.send_to(all, &here, &echo_request(1, b"hello")).await;
    let kinds = [desk.recv_from(all).await, desk.recv_from(all).await];
    assert_eq!(kinds.map(|(_, packet)| packet[20]), [8, 0]);
    assert_eq!(desk.recv_from(filtered).await.1[20], 0);
    desk.sync().await;
    assert_eq!(desk.unread_datagrams(filtered), 0);
    let udp = desk.udp();
    let refused = desk.set_option(udp, SOL_RAW, ICMP_FILTER, filter).await;
    assert_eq!(refused, Err(Errno::ENOPROTOOPT));
    let other = desk.socket(Domain::Inet, UDP);
    let refused = desk.set_option(other, SOL_RAW, ICMP_FILTER, filter).await;
    assert_eq!(refused, Err(Errno::EOPNOTSUPP));
}

#[tokio::test]
async fn what_is_no_kind_of_socket_is_refused() {
    let relay = relay().await;
    let mut desk = Client::join(&relay, &relay.lab()).await;
    let nothing: SocketId = desk.socket(Domain::Inet, Kind::Raw { protocol: 0 });
    assert_eq!(desk.names(nothing).await, Err(Errno::EPROTONOSUPPORT));
    let raw = desk.socket(Domain::Inet, ICMP);
    assert_eq!(desk.listen(raw, 1).await, Err(Errno::EOPNOTSUPP));
    assert_eq!(desk.accept_now(raw).await.err(), Some(Errno::EOPNOTSUPP));
}
