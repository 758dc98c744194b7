//! Urgent bytes of TCP: in their place, beside the stream, and never in the way of what comes after them.

use protocol::{Refusal, SocketId};
use tests::{Client, TestRelay};

use crate::pattern::pattern;
use crate::relay;

/// Two processes with a connection between them.
async fn pair(relay: &TestRelay) -> ((Client, SocketId), (Client, SocketId)) {
    let lab = relay.lab();
    let mut server = Client::join(relay, &lab).await;
    let mut client = Client::join(relay, &lab).await;
    let listener = server.listener(8888).await;
    let here = client.connected(8888).await;
    let there = server.accept(listener).await;
    ((client, here), (server, there))
}

#[tokio::test]
async fn an_urgent_byte_comes_in_its_place_both_ways() {
    let relay = relay().await;
    let ((mut client, here), (mut server, there)) = pair(&relay).await;
    client.send(here, b"abc").await.unwrap();
    client.send_urgent(here, b'!').await;
    client.send(here, b"def").await.unwrap();
    assert_eq!(server.recv_urgent(there).await, (3, b'!'));
    assert_eq!(server.recv_exactly(there, 6).await.unwrap(), b"abcdef");
    // Alone, it comes too.
    server.send_urgent(there, b'?').await;
    assert_eq!(client.recv_urgent(here).await, (0, b'?'));
    server.send(there, b"later").await.unwrap();
    assert_eq!(client.recv_exactly(here, 5).await.unwrap(), b"later");
}

/// What is read of a connection may end at an urgent byte though there is more. However the pieces meet the event loop,
/// every byte of the stream comes, and only an urgent byte that another one has overtaken may be in it.
#[tokio::test]
async fn nothing_waits_behind_an_urgent_byte() {
    let relay = relay().await;
    let ((mut client, here), (mut server, there)) = pair(&relay).await;
    let mut came = 0;
    for round in 0..300_u16 {
        client.say_stream(here, &round.to_be_bytes());
        client.say_urgent(here, b"!");
        client.say_stream(here, b"+");
        client.flush();
        assert_eq!(server.recv_urgent(there).await, (came + 2, b'!'));
        came += 4;
        let stream = server.recv_exactly(there, 3).await.unwrap();
        assert_eq!(stream, [&round.to_be_bytes()[..], b"+"].concat());
        server.send(there, b"x").await.unwrap();
        client.recv_exactly(here, 1).await.unwrap();
    }
}

/// Behind more than the kernel takes at once, the byte keeps its place.
#[tokio::test]
async fn an_urgent_byte_waits_its_turn_behind_what_was_sent_before() {
    let relay = relay().await;
    let ((mut client, here), (mut server, there)) = pair(&relay).await;
    let bulk = pattern(4 * 1024 * 1024);
    let mut sent = 0;
    // Until nobody takes any more: the peer, who does not read, the kernels between, and the relay.
    loop {
        client.sync().await;
        match client.offer(here, &bulk[sent..]).unwrap() {
            0 => break,
            length => sent += length,
        }
    }
    let (sender, receiver) = tokio::join!(
        async {
            client.send_urgent(here, b'!').await;
            client.send(here, b"after").await.unwrap();
            client
        },
        async {
            let bytes = server.recv_exactly(there, sent).await.unwrap();
            assert!(bytes == bulk[..sent]);
            assert_eq!(server.recv_urgent(there).await, (sent as u64, b'!'));
            assert_eq!(server.recv_exactly(there, 5).await.unwrap(), b"after");
            server
        }
    );
    drop((sender, receiver));
}

#[tokio::test]
async fn a_look_at_everything_passes_no_urgent_byte() {
    let relay = relay().await;
    let ((mut client, here), (mut server, there)) = pair(&relay).await;
    for _ in 0..100 {
        client.say_stream(here, b"ab");
        client.say_urgent(here, b"!");
        client.sync().await;
        server.sync().await;
        let (_, byte) = server.recv_urgent(there).await;
        assert_eq!(byte, b'!');
        assert_eq!(server.recv_exactly(there, 2).await.unwrap(), b"ab");
    }
}

#[tokio::test]
async fn urgent_is_one_byte_of_a_connection() {
    let relay = relay().await;
    for length in [0, 2] {
        let mut client = Client::join(&relay, &relay.lab()).await;
        let socket = client.tcp();
        client.say_urgent(socket, &b"ab"[..length]);
        let refusal = client.refusal().await;
        assert!(matches!(refusal, Refusal::Protocol(_)), "{refusal:?}");
    }
    let mut client = Client::join(&relay, &relay.lab()).await;
    let socket = client.udp();
    client.say_urgent(socket, b"!");
    let refusal = client.refusal().await;
    assert!(matches!(refusal, Refusal::Protocol(_)), "{refusal:?}");
}
