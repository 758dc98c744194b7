//! A WebSocket that is cut: by the network, in the middle of anything.

use protocol::{CallId, ClientMessage, Domain, Kind, ServerMessage, SocketId};
use tests::{Client, Opcode, Raw, TestRelay, local};

/// What a process says that begins to listen.
fn listening() -> [ClientMessage; 4] {
    let socket = SocketId(1);
    [
        Raw::hello(),
        ClientMessage::Socket {
            socket,
            domain: Domain::Inet,
            kind: Kind::Stream,
        },
        ClientMessage::Bind {
            call: CallId(1),
            socket,
            address: local(9000),
        },
        ClientMessage::Listen {
            call: CallId(2),
            socket,
            backlog: 5,
        },
    ]
}

/// The same as bytes of a WebSocket: a message, and one in two fragments with a ping between them.
fn bytes() -> Vec<u8> {
    let frames = Raw::frames(&listening());
    let (hello, rest) = frames.split_at(Raw::frames(&listening()[..1]).len());
    let (head, tail) = rest.split_at(rest.len() / 2);
    [
        Raw::seal(Opcode::Binary, hello),
        Raw::seal(Opcode::BinaryBegin, head),
        Raw::seal(Opcode::Ping, b"there?"),
        Raw::seal(Opcode::ContinuationEnd, tail),
    ]
    .concat()
}

#[tokio::test]
async fn a_connection_cut_at_any_byte_ends_its_process_and_no_other() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let mut neighbour = Client::join(&relay, &lab).await;
    let listener = neighbour.listener(8888).await;
    let bytes = bytes();
    for end in 0..bytes.len() {
        let mut raw = Raw::open(&relay, &lab).await;
        raw.write(&bytes[..end]).await.unwrap();
        // The network ends some connections in order and some not.
        match end % 2 {
            0 => drop(raw),
            _ => raw.reset(),
        }
    }
    relay
        .until("the neighbour is alone", |metrics| {
            (metrics.processes(), metrics.sockets()) == (1.0, 1.0)
        })
        .await;
    let connection = neighbour.connected(8888).await;
    let accepted = neighbour.accept(listener).await;
    neighbour.send(connection, b"still here").await.unwrap();
    let received = neighbour.recv_exactly(accepted, 10).await.unwrap();
    assert_eq!(received, b"still here");
    // What the last of them was about to do can be done.
    neighbour.listener(9000).await;
}

#[tokio::test]
async fn a_request_cut_at_any_byte_opens_nothing() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let request = Raw::request(&relay, &lab);
    for end in 0..request.len() {
        let mut raw = Raw::connect(&relay).await;
        raw.write(&request.as_bytes()[..end]).await.unwrap();
    }
    let mut client = Client::join(&relay, &lab).await;
    client.listener(8888).await;
    assert_eq!(relay.metrics().processes(), 1.0);
}

#[tokio::test]
async fn bytes_that_come_one_by_one_are_read_as_if_they_came_together() {
    let relay = TestRelay::start().await;
    let mut raw = Raw::open(&relay, &relay.lab()).await;
    for byte in bytes() {
        raw.write(&[byte]).await.unwrap();
    }
    let mut done = 0;
    while done < 2 {
        for message in raw.messages().await.unwrap() {
            match message {
                ServerMessage::Done { result, .. } => {
                    result.unwrap();
                    done += 1;
                }
                ServerMessage::Welcome(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(relay.metrics().sockets(), 1.0);
}
