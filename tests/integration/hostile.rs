//! A process that breaks the protocol ends with a reason, and nobody else notices.

use protocol::frame::{FrameKind, Header, encode_message};
use protocol::limits::MAX_MESSAGE;
use protocol::{CallId, ClientMessage, Domain, Errno, Kind, Refusal, Shutdown, SocketId};
use tests::{Client, Dial, local};

use crate::relay;

use crate::{flow::fill, pattern::pattern};

/// Lets a process of a lab misbehave, sees that it ends with a reason, and that its neighbour goes on. Returns the
/// reason.
async fn misbehave(deed: impl AsyncFnOnce(&mut Client)) -> String {
    let relay = relay().await;
    let lab = relay.lab();
    let mut neighbour = Client::join(&relay, &lab).await;
    let listener = neighbour.listener(8888).await;
    let mut client = Client::join(&relay, &lab).await;
    deed(&mut client).await;
    let Refusal::Protocol(reason) = client.refusal().await else {
        panic!("the process was ended for another reason")
    };
    assert_eq!(relay.metrics().refusals("protocol"), 1.0);
    drop(client);
    relay
        .until("the neighbour is alone", |metrics| {
            metrics.processes() == 1.0
        })
        .await;
    let connection = neighbour.connected(8888).await;
    let accepted = neighbour.accept(listener).await;
    neighbour.send(connection, b"still here").await.unwrap();
    assert_eq!(
        neighbour.recv_exactly(accepted, 10).await.unwrap(),
        b"still here"
    );
    reason
}

#[tokio::test]
async fn bytes_that_are_no_frame() {
    let reason = misbehave(async |client| client.say_bytes(&[9; 20])).await;
    assert_eq!(reason, "there is no frame of kind 9");
}

#[tokio::test]
async fn a_frame_that_does_not_end() {
    let reason = misbehave(async |client| client.say_bytes(&[1, 9, 0, 0, 1, 0, 0, 0, 7])).await;
    assert_eq!(reason, "the message ends within a frame");
}

#[tokio::test]
async fn more_than_the_credit() {
    let reason = misbehave(async |client| {
        let listener = client.listener(9000).await;
        let connection = client.connected(9000).await;
        client.accept(listener).await;
        // Nobody reads, so there comes a time when the relay grants nothing more.
        fill(client, connection, &pattern(64 << 20)).await;
        client.say_stream(connection, &[0]);
    })
    .await;
    assert!(reason.ends_with("1 bytes more than the credit"), "{reason}");
}

#[tokio::test]
async fn payload_for_a_socket_that_was_never_made() {
    let nobody = SocketId(77);
    let reason = misbehave(async |client| client.say_stream(nobody, b"x")).await;
    assert_eq!(reason, "there is no socket 77");
    let reason = misbehave(async |client| client.shutdown(nobody, Shutdown::Both)).await;
    assert_eq!(reason, "there is no socket 77");
}

/// A call may be sent before the answer to the accept that was to make its socket, so this is no breach.
#[tokio::test]
async fn a_call_on_a_socket_that_does_not_exist() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listener = client.listener(8888).await;
    let nobody = SocketId(77);
    assert_eq!(client.names(nobody).await, Err(Errno::EBADF));
    assert_eq!(client.bind(nobody, local(8889)).await, Err(Errno::EBADF));
    assert_eq!(client.connect(nobody, local(8888)).await, Err(Errno::EBADF));
    assert_eq!(client.option(nobody, 1, 2).await, Err(Errno::EBADF));
    assert_eq!(client.accept_now(nobody).await.unwrap_err(), Errno::EBADF);
    client.close(nobody);
    client.abort(nobody);
    client.say(&ClientMessage::Credit {
        socket: nobody,
        limit: u64::MAX,
    });
    assert_eq!(
        client.accept_now(listener).await.unwrap_err(),
        Errno::EAGAIN
    );
}

/// What was on its way to a socket when it was closed is nobody's.
#[tokio::test]
async fn payload_for_a_closed_socket() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    client.listener(8888).await;
    let connection = client.connected(8888).await;
    client.close(connection);
    client.say_stream(connection, b"late");
    client.shutdown(connection, Shutdown::Both);
    client.sync().await;
}

#[tokio::test]
async fn a_number_that_is_taken() {
    let reason = misbehave(async |client| {
        let socket = client.tcp();
        let (domain, kind) = (Domain::Inet, Kind::Stream);
        client.say(&ClientMessage::Socket {
            socket,
            domain,
            kind,
        });
    })
    .await;
    assert!(reason.contains('1'), "{reason}");
}

#[tokio::test]
async fn a_datagram_on_a_stream_and_a_stream_on_a_datagram_socket() {
    misbehave(async |client| {
        let socket = client.udp();
        client.say_stream(socket, b"x");
    })
    .await;
    misbehave(async |client| {
        let socket = client.tcp();
        let header = Header {
            kind: FrameKind::Datagram,
            length: 2,
            socket,
        };
        client.say_bytes(&header.encode());
        client.say_bytes(&[1, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_text_message() {
    let relay = relay().await;
    let mut wire = Dial::to(&relay, &relay.lab()).open().await.unwrap();
    wire.send_text("hello");
    wire.messages_to_the_end().await;
    relay.until_empty().await;
}

#[tokio::test]
async fn a_message_without_end() {
    let relay = relay().await;
    let mut wire = Dial::to(&relay, &relay.lab()).open().await.unwrap();
    wire.send(vec![0; MAX_MESSAGE + 1]);
    wire.messages_to_the_end().await;
    relay.until_empty().await;
}

/// Whatever 300 processes send, the relay lives on and keeps nothing of them.
#[tokio::test]
async fn noise() {
    let relay = relay().await;
    let lab = relay.lab();
    let noise = pattern(1 << 16);
    let mut valid = Vec::new();
    for message in [
        ClientMessage::Socket {
            socket: SocketId(1),
            domain: Domain::Inet,
            kind: Kind::Stream,
        },
        ClientMessage::Bind {
            call: CallId(1),
            socket: SocketId(1),
            address: local(8888),
        },
        ClientMessage::Listen {
            call: CallId(2),
            socket: SocketId(1),
            backlog: 5,
        },
        ClientMessage::Sync { call: CallId(3) },
    ] {
        encode_message(&message, &mut valid);
    }
    for (round, spoiled) in noise.chunks(200).enumerate().take(300) {
        let mut bytes = valid.clone();
        let at = round % bytes.len();
        bytes[at] ^= spoiled[0] | 1;
        bytes.extend_from_slice(&spoiled[..round % 200]);
        let mut client = Client::join(&relay, &lab).await;
        client.say_bytes(&bytes);
        client.flush();
    }
    relay.until_empty().await;
    Client::join(&relay, &lab).await.listener(8888).await;
}
