//! UDP-Lite (RFC 3828, udplite(7)): datagrams with ports of their own, whose checksums cover what the sender says.

use std::net::IpAddr;

use protocol::{Address, Domain, Errno, Kind, SocketId};
use serde_json::Value;
use tests::{Ask, Client, TestRelay, at, local};

use crate::relay;

type Number = (i32, i32);

/// `SO_BROADCAST` (socket(7)).
const SO_BROADCAST: Number = (1, 6);
/// `SO_PROTOCOL` (socket(7)).
const SO_PROTOCOL: Number = (1, 38);
/// `UDPLITE_SEND_CSCOV` (udplite(7)).
const SEND_COVERAGE: Number = (136, 10);
/// `UDPLITE_RECV_CSCOV` (udplite(7)).
const RECEIVE_COVERAGE: Number = (136, 11);

/// Two hosts of a lab.
async fn hosts(relay: &TestRelay) -> (Client, Client) {
    let lab = relay.lab();
    let desk = Client::join_as(relay, &lab, "desk", "server").await;
    let bob = Client::join_as(relay, &lab, "bob", "client").await;
    (desk, bob)
}

/// A bound receiver of this kind.
async fn receiver(client: &mut Client, kind: Kind, ip: IpAddr, port: u16) -> SocketId {
    let domain = match ip {
        IpAddr::V4(_) => Domain::Inet,
        IpAddr::V6(_) => Domain::Inet6,
    };
    let socket = client.socket(domain, kind);
    client.bind(socket, at(ip, port)).await.unwrap();
    socket
}

async fn set(client: &mut Client, socket: SocketId, (level, name): Number, value: i32) {
    client.set_option(socket, level, name, value).await.unwrap();
}

async fn get(client: &mut Client, socket: SocketId, (level, name): Number) -> Result<i32, Errno> {
    client.option(socket, level, name).await
}

#[tokio::test]
async fn its_ports_are_not_those_of_udp() {
    let relay = relay().await;
    let (mut desk, mut bob) = hosts(&relay).await;
    for ip in desk.welcome().addresses.clone() {
        let lite = receiver(&mut desk, Kind::UdpLite, ip, 8888).await;
        let udp = receiver(&mut desk, Kind::Datagram, ip, 8888).await;
        let taken = desk.socket(Domain::Inet, Kind::UdpLite);
        if ip.is_ipv4() {
            let again = desk.bind(taken, at(ip, 8888)).await;
            assert_eq!(again, Err(Errno::EADDRINUSE));
        }
        let domain = if ip.is_ipv4() {
            Domain::Inet
        } else {
            Domain::Inet6
        };
        for (kind, there, payload) in [
            (Kind::UdpLite, lite, &b"of UDP-Lite"[..]),
            (Kind::Datagram, udp, b"of UDP"),
        ] {
            let sender = bob.socket(domain, kind);
            bob.send_to(sender, &at(ip, 8888), payload).await;
            let (from, received) = desk.recv_from(there).await;
            assert_eq!(received, payload);
            desk.send_to(there, &from, b"answer").await;
            let answer = bob.recv_from(sender).await;
            assert_eq!(answer, (at(ip, 8888), b"answer".to_vec()));
        }
        desk.sync().await;
        assert_eq!(desk.unread_datagrams(lite), 0);
        assert_eq!(desk.unread_datagrams(udp), 0);
    }
}

#[tokio::test]
async fn a_connected_socket_is_told_that_nobody_is_there() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    // Somebody is there, but of UDP.
    client.receiver(8888).await;
    let socket = client.socket(Domain::Inet, Kind::UdpLite);
    let names = client.connect(socket, local(8888)).await.unwrap();
    assert_eq!(names.peer, local(8888));
    client
        .send_to(socket, &Address::Unspecified, b"anybody?")
        .await;
    assert_eq!(client.failure(socket).await, Errno::ECONNREFUSED);
    let dissolved = client.connect(socket, Address::Unspecified).await;
    assert_eq!(dissolved.unwrap().peer, Address::Unspecified);
}

#[tokio::test]
async fn a_receiver_says_how_much_must_be_covered() {
    let relay = relay().await;
    let (mut desk, mut bob) = hosts(&relay).await;
    for ip in desk.welcome().addresses.clone() {
        let there = receiver(&mut desk, Kind::UdpLite, ip, 8888).await;
        let domain = if ip.is_ipv4() {
            Domain::Inet
        } else {
            Domain::Inet6
        };
        let sender = bob.socket(domain, Kind::UdpLite);
        assert_eq!(get(&mut bob, sender, SO_PROTOCOL).await, Ok(136));
        assert_eq!(get(&mut bob, sender, SEND_COVERAGE).await, Ok(0));
        // The header is always covered.
        set(&mut bob, sender, SEND_COVERAGE, 3).await;
        assert_eq!(get(&mut bob, sender, SEND_COVERAGE).await, Ok(8));
        set(&mut desk, there, RECEIVE_COVERAGE, 20).await;
        assert_eq!(get(&mut desk, there, RECEIVE_COVERAGE).await, Ok(20));
        bob.send_to(sender, &at(ip, 8888), b"only the header of this is covered")
            .await;
        set(&mut bob, sender, SEND_COVERAGE, 20).await;
        bob.send_to(sender, &at(ip, 8888), b"more of this is covered")
            .await;
        let (_, received) = desk.recv_from(there).await;
        assert_eq!(received, b"more of this is covered");
    }
    let udp = bob.udp();
    let (level, name) = SEND_COVERAGE;
    assert_eq!(
        bob.set_option(udp, level, name, 8).await,
        Err(Errno::ENOPROTOOPT)
    );
}

#[tokio::test]
async fn a_broadcast_reaches_those_of_its_own_protocol() {
    let relay = relay().await;
    let (mut desk, mut bob) = hosts(&relay).await;
    let any = IpAddr::from([0; 4]);
    let lite = receiver(&mut desk, Kind::UdpLite, any, 8888).await;
    let udp = receiver(&mut desk, Kind::Datagram, any, 8888).await;
    let sender = bob.socket(Domain::Inet, Kind::UdpLite);
    set(&mut bob, sender, SO_BROADCAST, 1).await;
    bob.send_to(sender, &at([255; 4].into(), 8888), b"to all")
        .await;
    assert_eq!(desk.recv_from(lite).await.1, b"to all");
    let address = desk.welcome().addresses.clone();
    let own = address.into_iter().find(IpAddr::is_ipv4).unwrap();
    let one = bob.udp();
    bob.send_to(one, &at(own, 8888), b"to one").await;
    assert_eq!(desk.recv_from(udp).await.1, b"to one");
}

#[tokio::test]
async fn it_is_listed_by_its_name() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut client = Client::join(&relay, &lab).await;
    let socket = receiver(&mut client, Kind::UdpLite, [127, 0, 0, 1].into(), 8888).await;
    client.connect(socket, local(8888)).await.unwrap();
    let path = format!("/api/v1/labs/{lab}/sockets");
    let ask = Ask::to(&relay, "GET", &path);
    let answer = client.listen_during(ask.send(&relay)).await;
    let listed: Value = serde_json::from_slice(&answer.body).unwrap();
    let [row] = &listed.as_array().unwrap()[..] else {
        panic!("{listed:#}")
    };
    assert_eq!(
        (&row["kind"], &row["state"], &row["local"]),
        (&"udplite".into(), &"ESTAB".into(), &"127.0.0.1:8888".into())
    );
}
