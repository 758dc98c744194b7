//! Groups of IPv6 (RFC 4291, section 2.7).

use protocol::{Address, Domain, Errno, Kind, SocketId};
use tests::Client;

use super::{GROUP, IP_ADD_MEMBERSHIP, Number, Pair, SO_BROADCAST, member, next, set, set_number};

/// `IPV6_MULTICAST_IF` (ipv6(7)).
const IPV6_MULTICAST_IF: Number = (41, 17);
/// `IPV6_MULTICAST_HOPS` (ipv6(7)).
const IPV6_MULTICAST_HOPS: Number = (41, 18);
/// `IPV6_MULTICAST_LOOP` (ipv6(7)).
const IPV6_MULTICAST_LOOP: Number = (41, 19);
/// `IPV6_JOIN_GROUP` (ipv6(7)).
const IPV6_JOIN_GROUP: Number = (41, 20);
/// `IPV6_LEAVE_GROUP` (ipv6(7)).
const IPV6_LEAVE_GROUP: Number = (41, 21);
/// `IPV6_V6ONLY` (ipv6(7)).
const IPV6_V6ONLY: Number = (41, 26);

/// A group of the link.
const LINK: &str = "ff02::1:2:3";
/// A group of the site.
const SITE: &str = "ff05::1:2:3";

fn to(ip: &str, scope: u32) -> Address {
    Address::Inet6 {
        ip: ip.parse().unwrap(),
        port: 8888,
        flow: 0,
        scope,
    }
}

/// An `ipv6_mreq`: a group and the number of an interface, 0 for the one that a route leads to.
fn member6(group: &str, interface: u32) -> Vec<u8> {
    let group: std::net::Ipv6Addr = group.parse().unwrap();
    [&group.octets()[..], &interface.to_le_bytes()].concat()
}

async fn receiver(client: &mut Client, address: &str) -> SocketId {
    let socket = client.socket(Domain::Inet6, Kind::Datagram);
    client.bind(socket, to(address, 0)).await.unwrap();
    socket
}

#[tokio::test]
async fn a_group_reaches_the_hosts_that_are_in_it() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let socket = receiver(&mut bob, "::").await;
    let sender = desk.socket(Domain::Inet6, Kind::Datagram);
    for (group, interface, scope) in [
        (LINK, 0, 0),
        (LINK, 2, 2),
        (LINK, 0, 2),
        (SITE, 0, 0),
        (SITE, 2, 0),
    ] {
        let membership = member6(group, interface);
        set(&mut bob, socket, IPV6_JOIN_GROUP, &membership)
            .await
            .unwrap();
        let again = set(&mut bob, socket, IPV6_JOIN_GROUP, &membership).await;
        assert_eq!(again, Err(Errno::EADDRINUSE));
        desk.send_to(sender, &to(group, scope), group.as_bytes())
            .await;
        let from = next(&mut bob, socket, group.as_bytes()).await;
        assert!(matches!(from, Address::Inet6 { .. }), "{from:?}");
        // An answer reaches the sender.
        bob.send_to(socket, &from, b"answer").await;
        next(&mut desk, sender, b"answer").await;

        set(&mut bob, socket, IPV6_LEAVE_GROUP, &membership)
            .await
            .unwrap();
        desk.send_to(sender, &to(group, scope), b"to nobody").await;
        desk.send_to(sender, &to("fd00::2", 0), b"to bob").await;
        next(&mut bob, socket, b"to bob").await;
        let again = set(&mut bob, socket, IPV6_LEAVE_GROUP, &membership).await;
        assert_eq!(again, Err(Errno::EADDRNOTAVAIL));
    }
    // Every host is in this group, on every card.
    desk.send_to(sender, &to("ff02::1", 0), b"to all nodes")
        .await;
    next(&mut bob, socket, b"to all nodes").await;
}

#[tokio::test]
async fn a_sender_says_how_far_its_datagrams_go() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let far = receiver(&mut bob, "::").await;
    let near = receiver(&mut desk, "::").await;
    for (client, socket) in [(&mut bob, far), (&mut desk, near)] {
        set(client, socket, IPV6_JOIN_GROUP, &member6(SITE, 0))
            .await
            .unwrap();
    }
    let sender = desk.socket(Domain::Inet6, Kind::Datagram);
    for (option, value, payload) in [
        (IPV6_MULTICAST_LOOP, 0, "not to my own host"),
        (IPV6_MULTICAST_LOOP, 1, "to both"),
        (IPV6_MULTICAST_HOPS, 0, "to my own host"),
        (IPV6_MULTICAST_HOPS, 5, "to both again"),
    ] {
        set_number(&mut desk, sender, option, value).await;
        let told = desk.option(sender, option.0, option.1).await;
        assert_eq!(told, Ok(value));
        desk.send_to(sender, &to(SITE, 0), payload.as_bytes()).await;
    }
    desk.send_to(sender, &to("fd00::1", 0), b"to desk").await;
    desk.send_to(sender, &to("fd00::2", 0), b"to bob").await;
    for payload in ["to both", "to my own host", "to both again", "to desk"] {
        next(&mut desk, near, payload.as_bytes()).await;
    }
    for payload in ["not to my own host", "to both", "to both again", "to bob"] {
        next(&mut bob, far, payload.as_bytes()).await;
    }
    let (level, name) = IPV6_MULTICAST_IF;
    assert_eq!(desk.option(sender, level, name).await, Ok(0));
    set_number(&mut desk, sender, IPV6_MULTICAST_IF, 2).await;
    assert_eq!(desk.option(sender, level, name).await, Ok(2));
    desk.send_to(sender, &to(SITE, 0), b"by a card").await;
    next(&mut bob, far, b"by a card").await;
}

#[tokio::test]
async fn a_socket_of_both_families_hears_groups_of_both() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let both = receiver(&mut bob, "::").await;
    set(&mut bob, both, IP_ADD_MEMBERSHIP, &member(GROUP, [0; 4]))
        .await
        .unwrap();
    set(&mut bob, both, IPV6_JOIN_GROUP, &member6(SITE, 0))
        .await
        .unwrap();
    let sender = desk.socket(Domain::Inet6, Kind::Datagram);
    set_number(&mut desk, sender, SO_BROADCAST, 1).await;
    for group in ["::ffff:239.1.2.3", SITE, "::ffff:255.255.255.255"] {
        desk.send_to(sender, &to(group, 0), group.as_bytes()).await;
        let Address::Inet6 { ip, .. } = next(&mut bob, both, group.as_bytes()).await else {
            panic!("the sender is not of IPv6")
        };
        let mapped = ip.to_ipv4_mapped().is_some();
        assert_eq!(mapped, group != SITE, "{ip}");
    }
    let alone = bob.socket(Domain::Inet6, Kind::Datagram);
    set_number(&mut bob, alone, IPV6_V6ONLY, 1).await;
    bob.bind(
        alone,
        Address::Inet6 {
            ip: [0; 8].into(),
            port: 8889,
            flow: 0,
            scope: 0,
        },
    )
    .await
    .unwrap();
    for group in ["::ffff:239.1.2.3", SITE] {
        let mut address = to(group, 0);
        if let Address::Inet6 { port, .. } = &mut address {
            *port = 8889;
        }
        desk.send_to(sender, &address, group.as_bytes()).await;
    }
    next(&mut bob, alone, SITE.as_bytes()).await;
}

#[tokio::test]
async fn a_socket_that_is_bound_to_a_group_hears_only_the_group() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let socket = receiver(&mut bob, SITE).await;
    let (ip, other) = (to(SITE, 0), "ff05::9");
    assert_eq!(bob.names(socket).await.unwrap().local, ip);
    for group in [SITE, other] {
        set(&mut bob, socket, IPV6_JOIN_GROUP, &member6(group, 0))
            .await
            .unwrap();
    }
    let sender = desk.socket(Domain::Inet6, Kind::Datagram);
    for address in ["fd00::2", other, SITE] {
        desk.send_to(sender, &to(address, 0), address.as_bytes())
            .await;
    }
    next(&mut bob, socket, SITE.as_bytes()).await;
}

#[tokio::test]
async fn what_cannot_be_said_of_groups_is_refused_as_the_kernel_does() {
    let Pair {
        desk: _desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let socket = bob.socket(Domain::Inet6, Kind::Datagram);
    let stream = bob.socket(Domain::Inet6, Kind::Stream);
    let (join, leave, card) = (IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, IPV6_MULTICAST_IF);
    for (socket, option, value, expected) in [
        (socket, join, member6("fd00::1", 0), Err(Errno::EINVAL)),
        (socket, join, member6(SITE, 9), Err(Errno::ENODEV)),
        (socket, join, vec![0; 16], Err(Errno::EINVAL)),
        (socket, leave, member6("fd00::1", 0), Err(Errno::EINVAL)),
        (socket, leave, member6(SITE, 0), Err(Errno::EADDRNOTAVAIL)),
        (socket, join, member6(SITE, 1), Ok(())),
        (socket, join, member6(SITE, 2), Ok(())),
        (socket, leave, member6(SITE, 1), Ok(())),
        (socket, leave, member6(SITE, 0), Ok(())),
        (stream, join, member6(SITE, 0), Err(Errno::EPROTO)),
        (socket, card, vec![9, 0, 0, 0], Err(Errno::ENODEV)),
    ] {
        let done = set(&mut bob, socket, option, &value).await;
        assert_eq!(done, expected, "{option:?} {value:?}");
    }
    // A group of the link is bound to, or connected with, on a link.
    let unclear = to(LINK, 0);
    assert_eq!(bob.bind(socket, unclear.clone()).await, Err(Errno::EINVAL));
    let bound = bob.bind(socket, to(LINK, 2)).await.unwrap();
    assert_eq!(bound.local, to(LINK, 2));
    let other = bob.socket(Domain::Inet6, Kind::Datagram);
    assert_eq!(bob.connect(other, unclear).await, Err(Errno::EINVAL));
}
