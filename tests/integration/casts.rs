//! Datagrams for many: broadcast and groups (ip(7), ipv6(7)).

#[path = "casts/inet6.rs"]
mod inet6;
#[path = "casts/source.rs"]
mod source;

use protocol::{Address, Errno, SocketId};
use tests::{Client, TestRelay, at, local};

use crate::relay;

type Number = (i32, i32);

/// `SO_REUSEADDR` (socket(7)).
const SO_REUSEADDR: Number = (1, 2);
/// `SO_BROADCAST` (socket(7)).
const SO_BROADCAST: Number = (1, 6);
/// `SO_RCVBUF` (socket(7)).
const SO_RCVBUF: Number = (1, 8);
/// `IP_MULTICAST_IF` (ip(7)).
const IP_MULTICAST_IF: Number = (0, 32);
/// `IP_MULTICAST_TTL` (ip(7)).
const IP_MULTICAST_TTL: Number = (0, 33);
/// `IP_MULTICAST_LOOP` (ip(7)).
const IP_MULTICAST_LOOP: Number = (0, 34);
/// `IP_ADD_MEMBERSHIP` (ip(7)).
const IP_ADD_MEMBERSHIP: Number = (0, 35);
/// `IP_DROP_MEMBERSHIP` (ip(7)).
const IP_DROP_MEMBERSHIP: Number = (0, 36);
/// `IP_MULTICAST_ALL` (ip(7)).
const IP_MULTICAST_ALL: Number = (0, 49);

const DESK: [u8; 4] = [10, 0, 0, 1];
const BOB: [u8; 4] = [10, 0, 0, 2];
const ANY: [u8; 4] = [0; 4];
const GROUP: [u8; 4] = [239, 1, 2, 3];

/// Two hosts of a lab.
struct Pair {
    desk: Client,
    bob: Client,
    relay: TestRelay,
}

impl Pair {
    async fn meet() -> Self {
        let relay = relay().await;
        let lab = relay.lab();
        Self {
            desk: Client::join_as(&relay, &lab, "desk", "sender").await,
            bob: Client::join_as(&relay, &lab, "bob", "receiver").await,
            relay,
        }
    }
}

fn to(ip: [u8; 4]) -> Address {
    at(ip.into(), 8888)
}

async fn set(
    client: &mut Client,
    socket: SocketId,
    option: Number,
    value: &[u8],
) -> Result<(), Errno> {
    client
        .set_option_bytes(socket, option.0, option.1, value)
        .await
}

async fn set_number(client: &mut Client, socket: SocketId, option: Number, value: i32) {
    set(client, socket, option, &value.to_le_bytes())
        .await
        .unwrap();
}

/// A socket that hears what comes to the port at any of its host's addresses.
async fn bound(client: &mut Client) -> SocketId {
    let socket = client.udp();
    client.bind(socket, to(ANY)).await.unwrap();
    socket
}

/// A socket that shares its port, bound to an address.
async fn shared(client: &mut Client, address: Address) -> SocketId {
    let socket = client.udp();
    set_number(client, socket, SO_REUSEADDR, 1).await;
    client.bind(socket, address).await.unwrap();
    socket
}

/// A socket that may send to everybody.
async fn loud(client: &mut Client) -> SocketId {
    let socket = client.udp();
    set_number(client, socket, SO_BROADCAST, 1).await;
    socket
}

/// An `ip_mreq`: a group, then an address of the host.
fn member(group: [u8; 4], of: [u8; 4]) -> Vec<u8> {
    [group, of].concat()
}

/// Sees that this is the next thing that a socket receives.
async fn next(client: &mut Client, socket: SocketId, payload: &[u8]) -> Address {
    let (from, received) = client.recv_from(socket).await;
    assert_eq!(
        String::from_utf8_lossy(&received),
        String::from_utf8_lossy(payload)
    );
    from
}

#[tokio::test]
async fn broadcast_reaches_every_host_and_needs_permission() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let own = desk.receiver(8888).await;
    let receiver = bound(&mut bob).await;
    let sender = desk.udp();
    for everybody in [[10, 0, 0, 255], [255; 4], [127, 255, 255, 255]] {
        desk.send_to(sender, &to(everybody), b"not allowed yet")
            .await;
        assert_eq!(desk.failure(sender).await, Errno::EACCES);
        let connected = desk.connect(sender, to(everybody)).await;
        assert_eq!(connected, Err(Errno::EACCES));
    }
    desk.close(own);
    let own = bound(&mut desk).await;
    let sender = loud(&mut desk).await;
    // The lab's broadcast address, the one of every network, and the group that every host is in (RFC 1112).
    for everybody in [[10, 0, 0, 255], [255; 4], [224, 0, 0, 1]] {
        desk.send_to(sender, &to(everybody), &everybody).await;
        let port = desk.names(sender).await.unwrap().port();
        for (client, socket) in [(&mut bob, receiver), (&mut desk, own)] {
            let (from, payload) = client.recv_from(socket).await;
            assert_eq!(
                (from, &payload[..]),
                (at(DESK.into(), port), &everybody[..])
            );
        }
    }
    // The loopback has a broadcast address too.
    desk.send_to(sender, &to([127, 255, 255, 255]), b"to myself")
        .await;
    let port = desk.names(sender).await.unwrap().port();
    assert_eq!(next(&mut desk, own, b"to myself").await, local(port));
    desk.send_to(sender, &to(BOB), b"to bob").await;
    next(&mut bob, receiver, b"to bob").await;
}

#[tokio::test]
async fn a_connected_socket_sends_to_everybody_and_hears_nobody() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let receiver = bound(&mut bob).await;
    let sender = loud(&mut desk).await;
    desk.bind(sender, at(ANY.into(), 8889)).await.unwrap();
    let names = desk.connect(sender, to([255; 4])).await.unwrap();
    assert_eq!(names.peer, to([255; 4]));
    desk.send_to(sender, &Address::Unspecified, b"to everybody")
        .await;
    let from = next(&mut bob, receiver, b"to everybody").await;
    assert_eq!(from, names.local);
    bob.send_to(receiver, &from, b"an answer").await;
    // It has come when what was sent after it has.
    let other = bound(&mut desk).await;
    bob.send_to(receiver, &to(DESK), b"a mark").await;
    next(&mut desk, other, b"a mark").await;
    desk.connect(sender, Address::Unspecified).await.unwrap();
    bob.send_to(receiver, &from, b"another").await;
    next(&mut desk, sender, b"another").await;
}

#[tokio::test]
async fn a_group_reaches_the_hosts_that_are_in_it() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let receiver = bound(&mut bob).await;
    for of in [BOB, ANY] {
        let membership = member(GROUP, of);
        set(&mut bob, receiver, IP_ADD_MEMBERSHIP, &membership)
            .await
            .unwrap();
        let again = set(&mut bob, receiver, IP_ADD_MEMBERSHIP, &membership).await;
        assert_eq!(again, Err(Errno::EADDRINUSE));

        let sender = desk.udp();
        set(&mut desk, sender, IP_MULTICAST_IF, &DESK)
            .await
            .unwrap();
        let (level, name) = IP_MULTICAST_IF;
        let told = desk.option_bytes(sender, level, name, 4).await;
        assert_eq!(told, Ok(DESK.to_vec()));
        desk.send_to(sender, &to(GROUP), b"to the group").await;
        next(&mut bob, receiver, b"to the group").await;

        // Who has left gets nothing: what is sent to the host alone comes first.
        set(&mut bob, receiver, IP_DROP_MEMBERSHIP, &membership)
            .await
            .unwrap();
        desk.send_to(sender, &to(GROUP), b"to nobody").await;
        desk.send_to(sender, &to(BOB), b"to bob").await;
        next(&mut bob, receiver, b"to bob").await;
        let again = set(&mut bob, receiver, IP_DROP_MEMBERSHIP, &membership).await;
        assert_eq!(again, Err(Errno::EADDRNOTAVAIL));
    }
}

#[tokio::test]
async fn every_socket_that_shares_a_port_gets_a_copy() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let first = shared(&mut bob, to(ANY)).await;
    let second = shared(&mut bob, to(ANY)).await;
    let grouped = shared(&mut bob, to(GROUP)).await;
    assert_eq!(bob.names(grouped).await.unwrap().local, to(GROUP));
    set(&mut bob, first, IP_ADD_MEMBERSHIP, &member(GROUP, ANY))
        .await
        .unwrap();
    let sender = loud(&mut desk).await;
    desk.send_to(sender, &to(GROUP), b"to the group").await;
    for socket in [first, second, grouped] {
        next(&mut bob, socket, b"to the group").await;
    }
    // A socket that wants to hear only of its own groups hears less.
    set_number(&mut bob, second, IP_MULTICAST_ALL, 0).await;
    desk.send_to(sender, &to(GROUP), b"once more").await;
    desk.send_to(sender, &to([255; 4]), b"to everybody").await;
    next(&mut bob, first, b"once more").await;
    next(&mut bob, first, b"to everybody").await;
    next(&mut bob, second, b"to everybody").await;
    next(&mut bob, grouped, b"once more").await;
    desk.send_to(sender, &to(GROUP), b"the last").await;
    next(&mut bob, grouped, b"the last").await;
}

#[tokio::test]
async fn a_sender_says_how_far_its_datagrams_go() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let far = bound(&mut bob).await;
    let near = bound(&mut desk).await;
    for (client, socket) in [(&mut bob, far), (&mut desk, near)] {
        set(client, socket, IP_ADD_MEMBERSHIP, &member(GROUP, ANY))
            .await
            .unwrap();
    }
    let sender = desk.udp();
    for (option, value, payload) in [
        (IP_MULTICAST_LOOP, 0, "not to my own host"),
        (IP_MULTICAST_LOOP, 1, "to both"),
        (IP_MULTICAST_TTL, 0, "to my own host"),
        (IP_MULTICAST_TTL, 1, "to both again"),
    ] {
        set_number(&mut desk, sender, option, value).await;
        let told = desk.option(sender, option.0, option.1).await;
        assert_eq!(told, Ok(value));
        desk.send_to(sender, &to(GROUP), payload.as_bytes()).await;
    }
    // The loopback is a network of its own.
    set(&mut desk, sender, IP_MULTICAST_IF, &[127, 0, 0, 1])
        .await
        .unwrap();
    desk.send_to(sender, &to(GROUP), b"on the loopback").await;
    desk.send_to(sender, &to(DESK), b"to desk").await;
    desk.send_to(sender, &to(BOB), b"to bob").await;
    for payload in ["to both", "to my own host", "to both again", "to desk"] {
        next(&mut desk, near, payload.as_bytes()).await;
    }
    for payload in ["not to my own host", "to both", "to both again", "to bob"] {
        next(&mut bob, far, payload.as_bytes()).await;
    }
    set(
        &mut desk,
        near,
        IP_ADD_MEMBERSHIP,
        &member(GROUP, [127, 0, 0, 1]),
    )
    .await
    .unwrap();
    desk.send_to(sender, &to(GROUP), b"on the loopback").await;
    let port = desk.names(sender).await.unwrap().port();
    let from = next(&mut desk, near, b"on the loopback").await;
    assert_eq!(from, local(port));
}

#[tokio::test]
async fn datagrams_for_many_and_for_one_keep_their_order() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let receiver = bound(&mut bob).await;
    let sender = loud(&mut desk).await;
    // Once they know each other, nothing for one waits until the other's card is found (RFC 826).
    desk.send_to(sender, &to(BOB), b"hello").await;
    next(&mut bob, receiver, b"hello").await;
    for round in 0..20 {
        for (kind, ip) in [("one", BOB), ("all", [255; 4]), ("host", BOB)] {
            desk.send_to(sender, &to(ip), format!("{kind} {round}").as_bytes())
                .await;
        }
        // Now and then everything is read.
        if round % 7 == 6 {
            desk.sync().await;
            bob.sync().await;
        }
    }
    for round in 0..20 {
        for kind in ["one", "all", "host"] {
            next(&mut bob, receiver, format!("{kind} {round}").as_bytes()).await;
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_into_the_receive_buffer_is_lost_and_the_rest_is_in_order() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join(&relay, &lab).await;
    let mut other = Client::join(&relay, &lab).await;
    let receiver = other.udp();
    set_number(&mut other, receiver, SO_RCVBUF, 20_000).await;
    other.bind(receiver, to(ANY)).await.unwrap();
    let sender = loud(&mut desk).await;
    const FLOOD: u32 = 5_000;
    for number in 0..FLOOD {
        let mut payload = vec![0; 1000];
        payload[..4].copy_from_slice(&number.to_le_bytes());
        let everybody = [[10, 0, 0, 255], DESK][number as usize % 2];
        desk.send_to(sender, &to(everybody), &payload).await;
    }
    desk.sync().await;
    let (mut last, mut count) = (None, 0);
    loop {
        other.sync().await;
        if other.unread_datagrams(receiver) == 0 {
            break;
        }
        let (_, payload) = other.recv_from(receiver).await;
        assert_eq!(payload.len(), 1000);
        let number = u32::from_le_bytes(payload[..4].try_into().unwrap());
        assert!(last < Some(number), "{number} after {last:?}");
        (last, count) = (Some(number), count + 1);
    }
    assert!(0 < count && count < FLOOD, "{count}");
}

#[tokio::test]
async fn what_cannot_be_said_of_groups_is_refused_as_the_kernel_does() {
    let relay = relay().await;
    let mut desk = Client::join(&relay, &relay.lab()).await;
    let socket = desk.udp();
    let stream = desk.tcp();
    let (add, drop, card) = (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, IP_MULTICAST_IF);
    let stranger = [192, 0, 2, 1];
    let ifindex = |index: u8| [&GROUP[..], &ANY, &[index, 0, 0, 0]].concat();
    for (socket, option, value, expected) in [
        (socket, add, member(GROUP, stranger), Err(Errno::ENODEV)),
        (socket, add, member(BOB, ANY), Err(Errno::EINVAL)),
        (socket, add, GROUP.to_vec(), Err(Errno::EINVAL)),
        (socket, add, ifindex(9), Err(Errno::ENODEV)),
        (socket, add, ifindex(2), Ok(())),
        (socket, add, member(GROUP, DESK), Err(Errno::EADDRINUSE)),
        (socket, add, ifindex(1), Ok(())),
        (stream, add, member(GROUP, ANY), Err(Errno::EPROTO)),
        (
            socket,
            drop,
            member([239, 1, 2, 4], ANY),
            Err(Errno::EADDRNOTAVAIL),
        ),
        (socket, drop, ifindex(9), Err(Errno::EADDRNOTAVAIL)),
        (socket, drop, ifindex(1), Ok(())),
        (socket, drop, ifindex(1), Err(Errno::EADDRNOTAVAIL)),
        (socket, drop, member(GROUP, ANY), Ok(())),
        (socket, card, stranger.to_vec(), Err(Errno::EADDRNOTAVAIL)),
        (socket, card, ifindex(9), Err(Errno::EADDRNOTAVAIL)),
        (socket, card, vec![1, 2], Err(Errno::EINVAL)),
        (socket, card, DESK.to_vec(), Ok(())),
        (socket, card, ANY.to_vec(), Ok(())),
    ] {
        let done = set(&mut desk, socket, option, &value).await;
        assert_eq!(done, expected, "{option:?} {value:?}");
    }
    let told = desk.option_bytes(socket, card.0, card.1, 4).await;
    assert_eq!(told, Ok(ANY.to_vec()));
    // The kernel keeps a socket from being in more than twenty groups (ip(7)).
    for number in 0..21 {
        let done = set(&mut desk, socket, add, &member([239, 2, 0, number], ANY)).await;
        let full = Err(Errno::ENOBUFS);
        assert_eq!(done, if number < 20 { Ok(()) } else { full }, "{number}");
    }
}

#[tokio::test]
async fn a_socket_that_is_closed_is_in_no_group() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let receiver = bound(&mut bob).await;
    let member_only = bob.udp();
    set(
        &mut bob,
        member_only,
        IP_ADD_MEMBERSHIP,
        &member(GROUP, ANY),
    )
    .await
    .unwrap();
    let sender = desk.udp();
    desk.send_to(sender, &to(GROUP), b"to the group").await;
    // It is the host that is in the group; what is bound to the port gets it (ip(7), `IP_MULTICAST_ALL`).
    next(&mut bob, receiver, b"to the group").await;
    bob.close(member_only);
    bob.sync().await;
    desk.send_to(sender, &to(GROUP), b"to nobody").await;
    desk.send_to(sender, &to(BOB), b"to bob").await;
    next(&mut bob, receiver, b"to bob").await;
}
