//! How processes end, and what is left of them.

use std::time::Duration;

use protocol::Refusal;
use protocol::{ClientMessage, Errno, Kind, ServerMessage, SocketId};
use relay::Options;

use crate::client::{Heard, LAB, Process, Running, at};

#[tokio::test]
async fn a_lost_process_leaves_nothing_behind() {
    let relay = Running::start(Options::default()).await;
    let mut process = Process::start(&relay, LAB, "desk").await;
    let mut other = Process::start(&relay, LAB, "desk").await;
    let port = process.serve(1, "127.0.0.1").await;
    other.make(1, Kind::Stream).await;
    other.dial(1, at("127.0.0.1", port)).await.unwrap();
    drop(process);
    // The connection waited to be accepted, so the kernel resets it.
    let failed = ServerMessage::Failed {
        socket: SocketId(1),
        errno: Errno::ECONNRESET,
    };
    assert_eq!(other.hear().await, Heard::Message(failed));
    assert!(relay.count("socketpad_sockets{kind=\"stream\"} 1"));
    relay.stop().await;
}

#[tokio::test]
async fn what_was_sent_is_delivered_after_goodbye() {
    let relay = Running::start(Options::default()).await;
    let mut server = Process::start(&relay, LAB, "desk").await;
    let mut client = Process::start(&relay, LAB, "desk").await;
    let port = server.serve(1, "127.0.0.1").await;
    client.make(1, Kind::Stream).await;
    client.dial(1, at("127.0.0.1", port)).await.unwrap();
    server.hear().await;
    server.accept(1, 2).await.unwrap();
    client.write(1, &[5; 65_536]).await;
    client.write(1, &[6; 65_536]).await;
    client.tell(ClientMessage::Goodbye).await;
    while client.hear().await != Heard::Closed {}
    assert_eq!(server.read_to_end(2).await.len(), 131_072);
    relay.stop().await;
}

#[tokio::test]
async fn a_process_that_breaks_the_protocol_is_told_why() {
    let relay = Running::start(Options::default()).await;
    let mut process = Process::start(&relay, LAB, "desk").await;
    process.write(7, b"?").await;
    let refused = ServerMessage::Refused(Refusal::Protocol(String::from("there is no socket 7")));
    assert_eq!(process.hear().await, Heard::Message(refused));
    assert_eq!(process.hear().await, Heard::Closed);
    assert!(relay.count("socketpad_refusals_total{reason=\"protocol\"} 1"));
    assert!(relay.count("socketpad_processes 0"));
    relay.stop().await;
}

#[tokio::test]
async fn a_silent_process_is_ended() {
    let relay = Running::start(Options {
        silence: Duration::from_millis(500),
        ..Options::default()
    })
    .await;
    let mut process = Process::start(&relay, LAB, "desk").await;
    let refused = ServerMessage::Refused(Refusal::Silent(1));
    assert_eq!(process.hear().await, Heard::Message(refused));
    relay.stop().await;
}

#[tokio::test]
async fn a_stopping_relay_says_so() {
    let relay = Running::start(Options::default()).await;
    let mut process = Process::start(&relay, LAB, "desk").await;
    let hearing = tokio::spawn(async move { process.hear().await });
    relay.stop().await;
    let refused = ServerMessage::Refused(Refusal::Shutdown);
    assert_eq!(hearing.await.unwrap(), Heard::Message(refused));
}
