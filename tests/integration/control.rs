//! Control messages of datagrams (cmsg(3), ip(7), ipv6(7)).

use std::net::{Ipv4Addr, Ipv6Addr};

use protocol::{Address, Control, Domain, Errno, Kind, SocketId};
use tests::{Client, TestRelay, at, local};

use crate::relay;

type Number = (i32, i32);

/// `SO_TIMESTAMPNS` (socket(7)).
const SO_TIMESTAMPNS: Number = (1, 35);
/// `IP_TOS`, `IP_TTL` and `IP_PKTINFO` (ip(7)).
const TOS: Number = (0, 1);
const TTL: Number = (0, 2);
const PACKET_INFO: Number = (0, 8);
/// `IP_RECVTTL` and `IP_RECVTOS` (ip(7)).
const RECEIVE_TTL: Number = (0, 12);
const RECEIVE_TOS: Number = (0, 13);
/// `IP_ADD_MEMBERSHIP` (ip(7)).
const JOIN: Number = (0, 35);
/// `IPV6_RECVPKTINFO` and what it brings (ipv6(7)).
const RECEIVE_PACKET_INFO6: Number = (41, 49);
const PACKET_INFO6: Number = (41, 50);
/// `IPV6_RECVHOPLIMIT` and what it brings.
const RECEIVE_HOP_LIMIT: Number = (41, 51);
const HOP_LIMIT: Number = (41, 52);
/// `IPV6_RECVTCLASS` and what it brings.
const RECEIVE_CLASS: Number = (41, 66);
const CLASS: Number = (41, 67);

const LOOPBACK: u32 = 1;
const ETHERNET: u32 = 2;
const DESK: [u8; 4] = [10, 0, 0, 1];
const BOB: [u8; 4] = [10, 0, 0, 2];
const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

fn control((level, kind): Number, value: &[u8]) -> Control {
    let value = value.to_vec();
    Control { level, kind, value }
}

fn number(number: Number, value: i32) -> Control {
    control(number, &value.to_le_bytes())
}

fn info(index: u32, own: [u8; 4], to: [u8; 4]) -> Control {
    let value = [index.to_le_bytes(), own, to].concat();
    control(PACKET_INFO, &value)
}

async fn ask(client: &mut Client, socket: SocketId, options: &[Number]) {
    for &(level, name) in options {
        client.set_option(socket, level, name, 1).await.unwrap();
        assert_eq!(client.option(socket, level, name).await, Ok(1));
    }
}

/// Two hosts of a lab, and a socket of the second one that asks for these.
async fn pair(options: &[Number]) -> (TestRelay, Client, Client, SocketId) {
    let relay = relay().await;
    let lab = relay.lab();
    let desk = Client::join_as(&relay, &lab, "desk", "sender").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "receiver").await;
    let receiver = bob.udp();
    ask(&mut bob, receiver, options).await;
    bob.bind(receiver, at(ANY.into(), 8888)).await.unwrap();
    (relay, desk, bob, receiver)
}

#[tokio::test]
async fn a_datagram_says_where_it_came_in() {
    let (_relay, mut desk, mut bob, receiver) =
        pair(&[PACKET_INFO, RECEIVE_TTL, RECEIVE_TOS]).await;
    let sender = desk.udp();
    desk.send_to(sender, &at(BOB.into(), 8888), b"from desk")
        .await;
    let (from, controls, payload) = bob.recv_message(receiver).await;
    let port = desk.names(sender).await.unwrap().port();
    assert_eq!(
        (from, &payload[..]),
        (at(DESK.into(), port), &b"from desk"[..])
    );
    let usual = [number(TTL, 64), control(TOS, &[0])];
    assert_eq!(controls[0], info(ETHERNET, BOB, BOB));
    assert_eq!(controls[1..], usual);

    let own = bob.udp();
    for (to, card) in [(Ipv4Addr::LOCALHOST, LOOPBACK), (BOB.into(), ETHERNET)] {
        bob.send_to(own, &at(to.into(), 8888), b"from bob").await;
        let (_, controls, _) = bob.recv_message(receiver).await;
        assert_eq!(controls[0], info(card, to.octets(), to.octets()));
        assert_eq!(controls[1..], usual);
    }
}

#[tokio::test]
async fn a_datagram_takes_with_it_what_its_sender_says() {
    let (_relay, mut desk, mut bob, receiver) = pair(&[RECEIVE_TTL, RECEIVE_TOS]).await;
    let sender = desk.udp();
    let to = at(BOB.into(), 8888);
    let said = [number(TTL, 5), control(TOS, &[0x20])];
    desk.send_message(sender, &to, &said, b"once").await;
    desk.send_to(sender, &to, b"again").await;
    assert_eq!(bob.recv_message(receiver).await.1, said);
    let usual = [number(TTL, 64), control(TOS, &[0])];
    assert_eq!(bob.recv_message(receiver).await.1, usual);

    desk.connect(sender, to).await.unwrap();
    desk.send_message(sender, &Address::Unspecified, &said, b"connected")
        .await;
    assert_eq!(bob.recv_message(receiver).await.1, said);
}

#[tokio::test]
async fn a_sender_may_choose_its_address() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let receiver = client.udp();
    client.bind(receiver, at(ANY.into(), 8888)).await.unwrap();
    let sender = client.udp();
    for own in [[127, 0, 0, 1], DESK] {
        let said = [info(0, own, [0; 4])];
        client.send_message(sender, &local(8888), &said, b"x").await;
        let (from, controls, _) = client.recv_message(receiver).await;
        let port = client.names(sender).await.unwrap().port();
        assert_eq!((from, controls), (at(own.into(), port), Vec::new()));
    }
    client
        .send_message(
            sender,
            &local(8888),
            &[info(LOOPBACK, [0; 4], [0; 4])],
            b"x",
        )
        .await;
    let (from, ..) = client.recv_message(receiver).await;
    assert_eq!(from, local(client.names(sender).await.unwrap().port()));
}

#[tokio::test]
async fn what_makes_no_sense_is_an_error_and_nothing_is_sent() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let receiver = client.receiver(8888).await;
    let sender = client.udp();
    for (said, errno) in [
        (number(TTL, 0), Errno::EINVAL),
        (number(TTL, 256), Errno::EINVAL),
        (control(TTL, &[1]), Errno::EINVAL),
        (control(PACKET_INFO, &[0; 4]), Errno::EINVAL),
        (info(77, [0; 4], [0; 4]), Errno::ENODEV),
        (info(0, [10, 9, 8, 7], [0; 4]), Errno::ENETUNREACH),
        (control((0, 4242), &[]), Errno::EINVAL),
        (control((1, 1), &3_i32.to_le_bytes()), Errno::EINVAL),
    ] {
        client
            .send_message(sender, &local(8888), &[said], b"x")
            .await;
        assert_eq!(client.failure(sender).await, errno);
    }
    client
        .send_message(sender, &local(8888), &[control((4242, 1), &[])], b"last")
        .await;
    assert_eq!(client.recv_from(receiver).await.1, b"last");
}

#[tokio::test]
async fn who_does_not_ask_any_more_gets_none() {
    let (_relay, mut desk, mut bob, receiver) = pair(&[SO_TIMESTAMPNS]).await;
    let sender = desk.udp();
    let to = at(BOB.into(), 8888);
    desk.send_to(sender, &to, b"now").await;
    let (_, controls, _) = bob.recv_message(receiver).await;
    let [stamp] = &controls[..] else {
        panic!("{controls:?}")
    };
    assert_eq!((stamp.level, stamp.kind), SO_TIMESTAMPNS);
    let seconds = i64::from_le_bytes(*stamp.value.first_chunk().unwrap());
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(now.abs_diff(seconds.unsigned_abs()) < 600, "{seconds}");
    let (level, name) = SO_TIMESTAMPNS;
    bob.set_option(receiver, level, name, 0).await.unwrap();
    desk.send_to(sender, &to, b"later").await;
    let (_, controls, payload) = bob.recv_message(receiver).await;
    assert_eq!((controls, &payload[..]), (Vec::new(), &b"later"[..]));
}

#[tokio::test]
async fn a_datagram_for_a_group_says_so() {
    let (_relay, mut desk, mut bob, receiver) =
        pair(&[PACKET_INFO, RECEIVE_TTL, RECEIVE_TOS]).await;
    let group = [239, 1, 2, 3];
    let request = [group, [0; 4]].concat();
    bob.set_option_bytes(receiver, JOIN.0, JOIN.1, &request)
        .await
        .unwrap();
    let sender = desk.udp();
    let said = [number(TTL, 3), number(TOS, 0x10)];
    desk.send_message(sender, &at(group.into(), 8888), &said, b"all")
        .await;
    let (_, controls, _) = bob.recv_message(receiver).await;
    let came = [
        info(ETHERNET, BOB, group),
        number(TTL, 3),
        control(TOS, &[0x10]),
    ];
    assert_eq!(controls, came);
}

#[tokio::test]
async fn ipv6_says_the_same_in_its_own_words() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let receiver = client.socket(Domain::Inet6, Kind::Datagram);
    ask(
        &mut client,
        receiver,
        &[RECEIVE_PACKET_INFO6, RECEIVE_HOP_LIMIT, RECEIVE_CLASS],
    )
    .await;
    let inet6 = |ip: Ipv6Addr, port| Address::Inet6 {
        ip,
        port,
        flow: 0,
        scope: 0,
    };
    let any = inet6(Ipv6Addr::UNSPECIFIED, 8888);
    client.bind(receiver, any).await.unwrap();
    let info = |to: Ipv6Addr| {
        let value = [&to.octets()[..], &LOOPBACK.to_le_bytes()].concat();
        control(PACKET_INFO6, &value)
    };
    let sender = client.socket(Domain::Inet6, Kind::Datagram);
    let to = inet6(Ipv6Addr::LOCALHOST, 8888);
    client.send_to(sender, &to, b"usual").await;
    let usual = [
        info(Ipv6Addr::LOCALHOST),
        number(HOP_LIMIT, 64),
        number(CLASS, 0),
    ];
    assert_eq!(client.recv_message(receiver).await.1, usual);
    let said = [number(HOP_LIMIT, 5), number(CLASS, 0x20)];
    client.send_message(sender, &to, &said, b"said").await;
    assert_eq!(client.recv_message(receiver).await.1[1..], said);
    let four = client.udp();
    client.send_to(four, &local(8888), b"mapped").await;
    let mapped = [info(Ipv4Addr::LOCALHOST.to_ipv6_mapped())];
    assert_eq!(client.recv_message(receiver).await.1, mapped);
}
