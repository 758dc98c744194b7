//! What only hosts with a network of their own can do.

use std::net::{IpAddr, Ipv6Addr};

use protocol::{Address, Domain, Errno, Kind, SocketId, limits::MAX_DATAGRAM};
use tests::{Client, at, local};

use crate::pattern::pattern;
use crate::relay;

fn at6(ip: Ipv6Addr, port: u16) -> Address {
    Address::Inet6 {
        ip,
        port,
        flow: 0,
        scope: 0,
    }
}

/// The addresses of a host: one of each family.
fn addresses(client: &Client) -> (IpAddr, Ipv6Addr) {
    let [v4, IpAddr::V6(v6)] = client.welcome().addresses[..] else {
        panic!("{:?}", client.welcome().addresses)
    };
    (v4, v6)
}

/// Listens on one address of a family.
async fn listen(client: &mut Client, domain: Domain, address: Address) -> SocketId {
    let listener = client.socket(domain, Kind::Stream);
    client.bind(listener, address).await.unwrap();
    client.listen(listener, 5).await.unwrap();
    listener
}

#[tokio::test]
async fn port_80_is_free_for_everybody() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "browser").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let listener = listen(&mut bob, Domain::Inet, at([0, 0, 0, 0].into(), 80)).await;
    let socket = desk.tcp();
    let to = at(addresses(&bob).0, 80);
    desk.connect(socket, to).await.unwrap();
    let accepted = bob.accept(listener).await;
    desk.send(socket, b"GET /").await.unwrap();
    assert_eq!(bob.recv_exactly(accepted, 5).await.unwrap(), b"GET /");
}

#[tokio::test]
async fn each_address_of_a_host_has_ports_of_its_own() {
    let relay = relay().await;
    let mut desk = Client::join(&relay, &relay.lab()).await;
    let (own, _) = addresses(&desk);
    let inside = listen(&mut desk, Domain::Inet, local(8888)).await;
    let outside = listen(&mut desk, Domain::Inet, at(own, 8888)).await;
    for (address, listener) in [(local(8888), inside), (at(own, 8888), outside)] {
        let socket = desk.tcp();
        let names = desk.connect(socket, address.clone()).await.unwrap();
        let (_, accepted) = desk.accept_now(listener).await.unwrap();
        assert_eq!((accepted.local, accepted.peer), (address, names.local));
    }
}

#[tokio::test]
async fn ipv6_works_on_a_host_and_between_hosts() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let (_, desks) = addresses(&desk);
    let (_, bobs) = addresses(&bob);
    assert_eq!(
        (desks, bobs),
        ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap())
    );
    let any = at6(Ipv6Addr::UNSPECIFIED, 8888);
    let listener = listen(&mut bob, Domain::Inet6, any).await;

    let socket = bob.socket(Domain::Inet6, Kind::Stream);
    let names = bob
        .connect(socket, at6(Ipv6Addr::LOCALHOST, 8888))
        .await
        .unwrap();
    assert_eq!(names.peer, at6(Ipv6Addr::LOCALHOST, 8888));
    bob.accept(listener).await;

    let socket = desk.socket(Domain::Inet6, Kind::Stream);
    let names = desk.connect(socket, at6(bobs, 8888)).await.unwrap();
    let accepted = bob.accept(listener).await;
    let seen = bob.names(accepted).await.unwrap();
    assert_eq!((&seen.local, &seen.peer), (&names.peer, &names.local));
    desk.send(socket, b"hello, bob").await.unwrap();
    assert_eq!(bob.recv_exactly(accepted, 10).await.unwrap(), b"hello, bob");

    // Dual-stack (ipv6(7)): the listener hears IPv4 too.
    let socket = desk.tcp();
    desk.connect(socket, at([10, 0, 0, 2].into(), 8888))
        .await
        .unwrap();
    let accepted = bob.accept(listener).await;
    let seen = bob.names(accepted).await.unwrap();
    let Address::Inet6 { ip, .. } = seen.peer else {
        panic!("{:?}", seen.peer)
    };
    assert_eq!(ip, "::ffff:10.0.0.1".parse::<Ipv6Addr>().unwrap());

    let alone = desk.socket(Domain::Inet6, Kind::Stream);
    assert_eq!(
        desk.connect(alone, at6(Ipv6Addr::LOCALHOST, 8888)).await,
        Err(Errno::ECONNREFUSED)
    );
    let outside = "2001:db8::1".parse().unwrap();
    assert_eq!(
        desk.connect(alone, at6(outside, 80)).await,
        Err(Errno::ENETUNREACH)
    );
}

#[tokio::test]
async fn names_have_addresses_of_both_families() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let (v4, v6) = addresses(&bob);
    assert_eq!(desk.resolve("bob").await.unwrap(), [v4, IpAddr::V6(v6)]);
    let localhost = [IpAddr::from([127, 0, 0, 1]), Ipv6Addr::LOCALHOST.into()];
    assert_eq!(desk.resolve("localhost").await.unwrap(), localhost);
    for ip in [v4, v6.into()] {
        assert_eq!(desk.reverse(ip).await.unwrap().unwrap().as_str(), "bob");
    }
    drop(bob);
    relay
        .until("bob is gone", |metrics| metrics.hosts() == 1.0)
        .await;
    assert!(desk.resolve("bob").await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_longer_than_a_frame_arrives_whole() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let to = at(addresses(&bob).0, 8888);
    let receiver = bob.udp();
    bob.bind(receiver, to.clone()).await.unwrap();
    let sender = desk.udp();
    let largest = pattern(MAX_DATAGRAM);
    desk.send_to(sender, &to, &largest).await;
    assert!(bob.recv_from(receiver).await.1 == largest);

    let listener = listen(&mut bob, Domain::Inet, to.clone()).await;
    let socket = desk.tcp();
    desk.connect(socket, to).await.unwrap();
    let accepted = bob.accept(listener).await;
    let bytes = pattern(8 << 20);
    let send = async {
        desk.send(socket, &bytes).await.unwrap();
        desk.close(socket);
        desk.flush();
    };
    let (received, ()) = tokio::join!(bob.recv_to_the_end(accepted), send);
    assert!(received.unwrap() == bytes, "what arrived differs");
}

#[tokio::test]
async fn a_datagram_to_a_closed_port_of_another_host_is_answered() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let to = at(addresses(&bob).0, 8888);
    let socket = desk.tcp();
    assert_eq!(
        desk.connect(socket, to.clone()).await,
        Err(Errno::ECONNREFUSED)
    );
    let sender = desk.udp();
    desk.connect(sender, to).await.unwrap();
    desk.send_to(sender, &Address::Unspecified, b"anybody?")
        .await;
    assert_eq!(desk.failure(sender).await, Errno::ECONNREFUSED);
}
