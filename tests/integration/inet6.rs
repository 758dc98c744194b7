//! IPv6, and sockets that take both families.

use std::net::IpAddr;

use protocol::{Address, Domain, Errno, Kind};
use tests::{Client, TestRelay, at, local};

/// `IPPROTO_IPV6` (ipv6(7)).
const IPPROTO_IPV6: i32 = 41;
/// `IPV6_V6ONLY` (ipv6(7)).
const IPV6_V6ONLY: i32 = 26;
/// `SOL_SOCKET` and `SO_DOMAIN` (socket(7)).
const SO_DOMAIN: (i32, i32) = (1, 39);

fn at6(ip: &str, port: u16) -> Address {
    at(ip.parse::<IpAddr>().unwrap(), port)
}

/// An address without its port.
fn ip(address: &Address) -> IpAddr {
    match *address {
        Address::Inet { ip, .. } => ip.into(),
        Address::Inet6 { ip, .. } => ip.into(),
        Address::Unspecified | Address::Unix(_) => panic!("{address:?} is of no host"),
    }
}

async fn listener6(client: &mut Client, address: Address) -> protocol::SocketId {
    let socket = client.socket(Domain::Inet6, Kind::Stream);
    client.bind(socket, address).await.unwrap();
    client.listen(socket, 5).await.unwrap();
    socket
}

#[tokio::test]
async fn a_connection_over_the_ipv6_loopback() {
    let relay = TestRelay::start().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listener = listener6(&mut client, at6("::1", 8888)).await;
    let socket = client.socket(Domain::Inet6, Kind::Stream);
    let names = client.connect(socket, at6("::1", 8888)).await.unwrap();
    assert_eq!(names.peer, at6("::1", 8888));
    assert_eq!(names.local, at6("::1", names.port()));
    let accepted = client.accept(listener).await;
    let seen = client.names(accepted).await.unwrap();
    assert_eq!((seen.local, seen.peer), (names.peer, names.local));
    client.send(socket, b"hello").await.unwrap();
    assert_eq!(client.recv_exactly(accepted, 5).await.unwrap(), b"hello");
    let domain = client.option(socket, SO_DOMAIN.0, SO_DOMAIN.1).await;
    assert_eq!(domain, Ok(10));
}

#[tokio::test]
async fn a_dual_stack_listener_sees_ipv4_callers_mapped() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "program").await;
    let listener = listener6(&mut server, at6("::", 8888)).await;
    for (domain, dialled, from, to) in [
        (
            Domain::Inet,
            "127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:127.0.0.1",
        ),
        (Domain::Inet6, "::1", "::1", "::1"),
        (Domain::Inet6, "::", "::1", "::1"),
        (
            Domain::Inet6,
            "::ffff:127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:127.0.0.1",
        ),
    ] {
        let caller = server.socket(domain, Kind::Stream);
        server.connect(caller, at6(dialled, 8888)).await.unwrap();
        let (_, names) = server.accept_now(listener).await.unwrap();
        assert_eq!(
            (ip(&names.peer), ip(&names.local)),
            (from.parse().unwrap(), to.parse().unwrap()),
            "{dialled}"
        );
    }
    for (domain, dialled, from, to) in [
        (
            Domain::Inet,
            "10.0.0.1",
            "::ffff:10.0.0.2",
            "::ffff:10.0.0.1",
        ),
        (Domain::Inet6, "fd00::1", "fd00::2", "fd00::1"),
    ] {
        let caller = bob.socket(domain, Kind::Stream);
        bob.connect(caller, at6(dialled, 8888)).await.unwrap();
        let (_, names) = server.accept_now(listener).await.unwrap();
        assert_eq!(
            (ip(&names.peer), ip(&names.local)),
            (from.parse().unwrap(), to.parse().unwrap()),
            "{dialled}"
        );
    }
}

#[tokio::test]
async fn an_ipv6_only_listener_leaves_the_ipv4_port_to_another() {
    let relay = TestRelay::start().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let only = client.socket(Domain::Inet6, Kind::Stream);
    let v6only = |value| (IPPROTO_IPV6, IPV6_V6ONLY, value);
    assert_eq!(client.option(only, IPPROTO_IPV6, IPV6_V6ONLY).await, Ok(0));
    let (level, name, value) = v6only(1);
    client.set_option(only, level, name, value).await.unwrap();
    client.bind(only, at6("::", 8888)).await.unwrap();
    client.listen(only, 5).await.unwrap();
    assert_eq!(
        client.set_option(only, level, name, 0).await,
        Err(Errno::EINVAL)
    );
    let caller = client.tcp();
    assert_eq!(
        client.connect(caller, local(8888)).await,
        Err(Errno::ECONNREFUSED)
    );
    let other = client.tcp();
    client.bind(other, at6("0.0.0.0", 8888)).await.unwrap();
    client.listen(other, 5).await.unwrap();
    let caller = client.tcp();
    client.connect(caller, local(8888)).await.unwrap();
    client.accept(other).await;
    let caller = client.socket(Domain::Inet6, Kind::Stream);
    client.connect(caller, at6("::1", 8888)).await.unwrap();
    client.accept(only).await;
    let mapped = at6("::ffff:127.0.0.1", 8888);
    let caller = client.socket(Domain::Inet6, Kind::Stream);
    client.set_option(caller, level, name, 1).await.unwrap();
    assert_eq!(
        client.connect(caller, mapped.clone()).await,
        Err(Errno::ENETUNREACH)
    );
    assert_eq!(client.bind(caller, mapped).await, Err(Errno::EINVAL));
}

#[tokio::test]
async fn a_port_of_both_families_belongs_to_one() {
    let relay = TestRelay::start().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    listener6(&mut client, at6("::", 8888)).await;
    for (domain, address) in [
        (Domain::Inet, "0.0.0.0"),
        (Domain::Inet, "127.0.0.1"),
        (Domain::Inet6, "::1"),
        (Domain::Inet6, "::"),
    ] {
        let socket = client.socket(domain, Kind::Stream);
        let bound = client.bind(socket, at6(address, 8888)).await;
        assert_eq!(bound, Err(Errno::EADDRINUSE), "{address}");
    }
    client.listener(8889).await;
    let socket = client.socket(Domain::Inet6, Kind::Stream);
    assert_eq!(
        client.bind(socket, at6("::", 8889)).await,
        Err(Errno::EADDRINUSE)
    );
    client.bind(socket, at6("::1", 8889)).await.unwrap();
}

#[tokio::test]
async fn datagrams_of_both_families_reach_one_socket() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "program").await;
    let receiver = server.socket(Domain::Inet6, Kind::Datagram);
    server.bind(receiver, at6("::", 8888)).await.unwrap();
    for (domain, to, from, back) in [
        (Domain::Inet, "10.0.0.1", "::ffff:10.0.0.2", "10.0.0.1"),
        (Domain::Inet6, "fd00::1", "fd00::2", "fd00::1"),
        (
            Domain::Inet6,
            "::ffff:10.0.0.1",
            "::ffff:10.0.0.2",
            "::ffff:10.0.0.1",
        ),
    ] {
        let sender = bob.socket(domain, Kind::Datagram);
        bob.send_to(sender, &at6(to, 8888), b"ping").await;
        let (peer, payload) = server.recv_from(receiver).await;
        assert_eq!(
            (ip(&peer), &payload[..]),
            (from.parse().unwrap(), &b"ping"[..])
        );
        server.send_to(receiver, &peer, b"pong").await;
        let (peer, payload) = bob.recv_from(sender).await;
        assert_eq!((peer, &payload[..]), (at6(back, 8888), &b"pong"[..]));
    }
}

#[tokio::test]
async fn a_socket_that_is_connected_first_finds_whoever_comes() {
    let relay = TestRelay::start().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let sender = client.socket(Domain::Inet6, Kind::Datagram);
    client.connect(sender, at6("::1", 8888)).await.unwrap();
    client.send_to(sender, &Address::Unspecified, b"?").await;
    assert_eq!(client.failure(sender).await, Errno::ECONNREFUSED);
    let receiver = client.socket(Domain::Inet6, Kind::Datagram);
    client.bind(receiver, at6("::", 8888)).await.unwrap();
    client
        .send_to(sender, &Address::Unspecified, b"hello")
        .await;
    let (from, payload) = client.recv_from(receiver).await;
    assert_eq!(payload, b"hello");
    client.send_to(receiver, &from, b"welcome").await;
    assert_eq!(
        client.recv_from(sender).await,
        (at6("::1", 8888), b"welcome".to_vec())
    );
}

#[tokio::test]
async fn ipv6_addresses_of_nobody_here() {
    let relay = TestRelay::start().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    for (address, errno) in [
        ("2001:db8::1", Errno::EADDRNOTAVAIL),
        ("fd00::2", Errno::EADDRNOTAVAIL),
        ("fe80::1", Errno::EINVAL),
    ] {
        let socket = client.socket(Domain::Inet6, Kind::Stream);
        let bound = client.bind(socket, at6(address, 8888)).await;
        assert_eq!(bound, Err(errno), "{address}");
    }
    for address in [
        "2001:db8::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fd00::2",
        "::127.0.0.1",
    ] {
        let socket = client.socket(Domain::Inet6, Kind::Stream);
        let connected = client.connect(socket, at6(address, 8888)).await;
        assert_eq!(connected, Err(Errno::ENETUNREACH), "{address}");
    }
}
