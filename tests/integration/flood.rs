//! Much of what is small, and answers that nobody reads.

use protocol::frame::{FrameKind, HEADER, Header};
use protocol::limits::MAX_MESSAGE;
use protocol::{CallId, ClientMessage, ServerMessage, SocketId};
use tests::{Client, Opcode, Raw, TestRelay};

use crate::pattern::pattern;

/// How many of the smallest frames go into one message: as many as it may hold.
const BATCH: usize = MAX_MESSAGE / (HEADER + 1);

/// A connection over which a reader gets what a writer sends.
async fn connection(relay: &TestRelay) -> (Client, SocketId, Client, SocketId) {
    let lab = relay.lab();
    let mut reader = Client::join(relay, &lab).await;
    let mut writer = Client::join(relay, &lab).await;
    let listener = reader.listener(8888).await;
    let connection = writer.connected(8888).await;
    let accepted = reader.accept(listener).await;
    (reader, accepted, writer, connection)
}

#[tokio::test]
async fn frames_of_one_byte_arrive_in_order() {
    let relay = TestRelay::start().await;
    let (mut reader, accepted, mut writer, connection) = connection(&relay).await;
    let bytes = pattern(130_000);
    for bytes in bytes.chunks(BATCH) {
        for byte in bytes {
            writer.say_stream(connection, &[*byte]);
        }
        writer.flush();
    }
    let received = reader.recv_exactly(accepted, bytes.len()).await.unwrap();
    assert!(received == bytes);
    // Frames without a byte are no end of file.
    for _ in 0..BATCH {
        writer.say_stream(connection, &[]);
    }
    writer.send(connection, b"x").await.unwrap();
    assert_eq!(reader.recv(accepted, 10).await.unwrap(), b"x");
}

#[tokio::test]
async fn messages_of_one_byte_arrive_in_order() {
    let relay = TestRelay::start().await;
    let (mut reader, accepted, mut writer, connection) = connection(&relay).await;
    let bytes = pattern(20_000);
    for byte in &bytes {
        writer.say_stream(connection, &[*byte]);
        writer.flush();
    }
    let received = reader.recv_exactly(accepted, bytes.len()).await.unwrap();
    assert!(received == bytes);
}

#[tokio::test]
async fn a_message_in_fragments_of_one_byte_is_one_message() {
    let relay = TestRelay::start().await;
    let mut raw = Raw::open(&relay, &relay.lab()).await;
    let frames = Raw::frames(&[Raw::hello(), ClientMessage::Sync { call: CallId(7) }]);
    let mut bytes = Raw::seal(Opcode::BinaryBegin, &[]);
    for byte in frames {
        bytes.extend(Raw::seal(Opcode::Continuation, &[]));
        bytes.extend(Raw::seal(Opcode::Ping, b"between"));
        bytes.extend(Raw::seal(Opcode::Continuation, &[byte]));
    }
    bytes.extend(Raw::seal(Opcode::ContinuationEnd, &[]));
    raw.write(&bytes).await.unwrap();
    let mut answered = false;
    while !answered {
        let messages = raw.messages().await.unwrap();
        answered = messages.iter().any(
            |message| matches!(message, ServerMessage::Done { call, .. } if *call == CallId(7)),
        );
    }
}

/// An answer to the latest ping may stand for all before it (RFC 6455, section 5.5.3), so a flood is no amplifier.
#[tokio::test]
async fn pings_are_answered_and_never_more_than_they_are() {
    let relay = TestRelay::start().await;
    let mut raw = Raw::open(&relay, &relay.lab()).await;
    let hello = Raw::frames(&[Raw::hello()]);
    raw.write(&Raw::seal(Opcode::Binary, &hello)).await.unwrap();
    const PINGS: u32 = 50_000;
    let mut pings = Vec::new();
    for number in 1..=PINGS {
        pings.extend(Raw::seal(Opcode::Ping, &number.to_be_bytes()));
        pings.extend(Raw::seal(Opcode::Pong, b"nobody asked"));
    }
    raw.write(&pings).await.unwrap();
    let mut last = 0;
    while last < PINGS {
        let (first, payload) = raw.read().await.unwrap();
        if first == Opcode::Pong as u8 {
            let number = u32::from_be_bytes(payload[..].try_into().unwrap());
            assert!(last < number, "{number} after {last}");
            last = number;
        }
    }
}

/// The relay stops reading from who does not read, so calls wait in the network and not in its memory; none is lost.
#[tokio::test]
async fn calls_whose_answers_nobody_reads_wait_outside() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let mut raw = Raw::open(&relay, &lab).await;
    let hello = Raw::frames(&[Raw::hello()]);
    raw.write(&Raw::seal(Opcode::Binary, &hello)).await.unwrap();
    let mut neighbour = Client::join(&relay, &lab).await;
    let listener = neighbour.listener(8888).await;

    // An answer is longer than its call, so the network cannot take many calls more than it takes answers.
    let (mut calls, mut in_vain) = (0, 0);
    while in_vain < 50 {
        let before = raw.offer();
        if before == 0 {
            let batch: Vec<ClientMessage> = (calls + 1..=calls + 1000)
                .map(|call| ClientMessage::Resolve {
                    call: CallId(call),
                    name: "localhost".to_owned(),
                })
                .collect();
            calls += 1000;
            raw.put(&Raw::seal(Opcode::Binary, &Raw::frames(&batch)));
            assert!(calls < 10_000_000, "the relay takes everything");
        }
        // The neighbour's round trips are the measure of time, and it notices nothing.
        let connection = neighbour.connected(8888).await;
        let accepted = neighbour.accept(listener).await;
        neighbour.abort(accepted);
        neighbour.close(connection);
        in_vain = if raw.offer() == before {
            in_vain + 1
        } else {
            0
        };
    }

    let mut next = 1;
    while next <= calls {
        for message in raw.messages().await.unwrap() {
            match message {
                ServerMessage::Done { call, result } => {
                    assert_eq!(call, CallId(next));
                    result.unwrap();
                    next += 1;
                }
                ServerMessage::Welcome(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Frames for sockets that were closed are nobody's, however many there are.
#[tokio::test]
async fn payload_for_nobody_is_dropped() {
    let relay = TestRelay::start().await;
    let (mut reader, accepted, mut writer, connection) = connection(&relay).await;
    let closed = writer.tcp();
    writer.close(closed);
    let header = Header {
        kind: FrameKind::Stream,
        length: 1000,
        socket: closed,
    };
    for round in 0..10_000 {
        writer.say_bytes(&header.encode());
        writer.say_bytes(&[0; 1000]);
        // A message must not be longer than the protocol allows.
        if round % 1000 == 999 {
            writer.flush();
        }
    }
    writer.sync().await;
    writer.send(connection, b"x").await.unwrap();
    assert_eq!(reader.recv(accepted, 10).await.unwrap(), b"x");
}
