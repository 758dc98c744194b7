//! Labs are apart from each other and from everything else; the hosts of one lab are together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use protocol::Errno;
use tests::{Client, at, local};

use crate::relay;

#[tokio::test]
async fn two_labs_bind_the_same_port_and_never_meet() {
    let relay = relay().await;
    let (one_lab, other_lab) = (relay.lab(), relay.lab());
    let mut one = Client::join(&relay, &one_lab).await;
    let mut other = Client::join(&relay, &other_lab).await;
    let one_listener = one.listener(8888).await;
    let other_listener = other.listener(8888).await;
    assert_eq!(relay.metrics().labs(), 2.0);

    let mut visitor = Client::join(&relay, &one_lab).await;
    let connection = visitor.connected(8888).await;
    visitor.send(connection, b"to one").await.unwrap();
    one.accept(one_listener).await;
    other.sync().await;
    assert_eq!(other.times_acceptable(other_listener), 0);
    assert_eq!(
        other.accept_now(other_listener).await.unwrap_err(),
        Errno::EAGAIN
    );
}

#[tokio::test]
async fn a_lab_reaches_neither_the_relay_nor_its_machine() {
    let relay = relay().await;
    let machine = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Listens on all of 127.0.0.0/8 too, and so on the addresses that labs have.
    let everywhere = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listeners = [&machine, &everywhere].map(|listener| listener.local_addr().unwrap().port());
    for port in [relay.address().port(), listeners[0], listeners[1]] {
        for host in [[127, 0, 0, 1], [127, 1, 2, 3], [0, 0, 0, 0]] {
            let socket = client.tcp();
            let result = client.connect(socket, at(host.into(), port)).await;
            assert_eq!(result, Err(Errno::ECONNREFUSED), "{host:?}");
        }
    }
}

#[tokio::test]
async fn there_is_no_way_out() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    for host in [
        [192, 0, 2, 1],
        [8, 8, 8, 8],
        [10, 99, 99, 99],
        [169, 254, 169, 254],
    ] {
        let socket = client.tcp();
        let errno = client
            .connect(socket, at(host.into(), 80))
            .await
            .unwrap_err();
        let unreachable = [Errno::ENETUNREACH, Errno::EHOSTUNREACH];
        assert!(unreachable.contains(&errno), "{host:?}: {errno}");
    }
}

#[tokio::test]
async fn hosts_know_each_other_by_name() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let [bobs_address, bobs_inet6] = bob.welcome().addresses[..] else {
        panic!("bob has an address of each family")
    };
    assert_eq!((bobs_address.is_ipv4(), bobs_inet6.is_ipv6()), (true, true));
    let mut bobs = desk.resolve("bob").await.unwrap();
    bobs.sort();
    assert_eq!(bobs, [bobs_address, bobs_inet6]);
    let mut locals = desk.resolve("localhost").await.unwrap();
    locals.sort();
    assert_eq!(
        locals,
        [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST)
        ]
    );
    assert!(desk.resolve("nobody").await.unwrap().is_empty());
    for address in bobs {
        let name = desk.reverse(address).await.unwrap();
        assert_eq!(name.unwrap().as_str(), "bob");
    }
    let mut stranger = Client::join(&relay, &relay.lab()).await;
    assert!(stranger.resolve("bob").await.unwrap().is_empty());

    let listener = bob.tcp();
    bob.bind(listener, at([0, 0, 0, 0].into(), 8888))
        .await
        .unwrap();
    bob.listen(listener, 5).await.unwrap();
    let socket = desk.tcp();
    let names = desk.connect(socket, at(bobs_address, 8888)).await.unwrap();
    assert_eq!(names.peer, at(bobs_address, 8888));
    let accepted = bob.accept(listener).await;
    let names = bob.names(accepted).await.unwrap();
    let desks_address = desk.welcome().addresses[0];
    assert_eq!(names.local, at(bobs_address, 8888));
    assert_eq!(
        names.peer.inet().unwrap().ip(),
        &desks_address
            .to_string()
            .parse::<std::net::Ipv4Addr>()
            .unwrap()
    );
    desk.send(socket, b"hello, bob").await.unwrap();
    assert_eq!(bob.recv_exactly(accepted, 10).await.unwrap(), b"hello, bob");
}

#[tokio::test]
async fn every_host_has_a_localhost_of_its_own() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "server").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    desk.listener(8888).await;
    let socket = bob.tcp();
    assert_eq!(
        bob.connect(socket, local(8888)).await,
        Err(Errno::ECONNREFUSED)
    );
    bob.listener(8888).await;
    assert_eq!(relay.metrics().hosts(), 2.0);
    // Another process of the same host shares it.
    Client::join_as(&relay, &lab, "bob", "client")
        .await
        .connected(8888)
        .await;
}

#[tokio::test]
async fn a_datagram_between_hosts_bears_the_lab_address() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let receiver = bob.udp();
    bob.bind(receiver, at([0, 0, 0, 0].into(), 8888))
        .await
        .unwrap();
    let sender = desk.udp();
    let to = at(bob.welcome().addresses[0], 8888);
    desk.send_to(sender, &to, b"hello").await;
    let (from, payload) = bob.recv_from(receiver).await;
    assert_eq!(payload, b"hello");
    let port = desk.names(sender).await.unwrap().port();
    assert_eq!(from, at(desk.welcome().addresses[0], port));
    bob.send_to(receiver, &from, b"hello, desk").await;
    assert_eq!(desk.recv_from(sender).await, (to, b"hello, desk".to_vec()));
}
