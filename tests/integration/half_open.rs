//! Clients that stop in the middle of something and leave the connection open.
//!
//! Time is paused where a time-out is waited for: it then passes at once when nothing else is to be done.

use protocol::{Refusal, ServerMessage};
use relay::Options;
use tests::{Client, Opcode, Raw, TestRelay};

#[tokio::test(start_paused = true)]
async fn a_request_head_that_does_not_end_is_given_up() {
    let relay = TestRelay::start().await;
    let mut silent = Raw::connect(&relay).await;
    silent.rest().await;
    let mut slow = Raw::connect(&relay).await;
    let request = Raw::request(&relay, &relay.lab());
    slow.write(&request.as_bytes()[..request.len() - 2])
        .await
        .unwrap();
    slow.rest().await;
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_a_hello_is_given_up_with_a_reason() {
    let relay = TestRelay::start().await;
    let frames = Raw::frames(&[Raw::hello()]);
    let hello = Raw::seal(Opcode::Binary, &frames);
    for end in [0, 1, hello.len() - 1] {
        let mut raw = Raw::open(&relay, &relay.lab()).await;
        raw.write(&hello[..end]).await.unwrap();
        let refused = raw.messages().await.unwrap();
        assert_eq!(refused, [ServerMessage::Refused(Refusal::NoHello)], "{end}");
        raw.rest().await;
    }
    relay.until_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_does_not_end_is_given_up_with_a_reason() {
    let relay = TestRelay::start().await;
    let mut raw = Raw::open(&relay, &relay.lab()).await;
    let hello = Raw::seal(Opcode::Binary, &Raw::frames(&[Raw::hello()]));
    raw.write(&hello).await.unwrap();
    raw.write(&hello[..9]).await.unwrap();
    let mut last = None;
    while let Some(messages) = raw.messages().await {
        last = messages.into_iter().last();
    }
    let silence = u32::try_from(Options::default().silence.as_secs()).unwrap();
    assert_eq!(last, Some(ServerMessage::Refused(Refusal::Silent(silence))));
    relay.until_empty().await;
}

#[tokio::test]
async fn clients_that_stop_in_the_middle_keep_nobody_else_out() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let request = Raw::request(&relay, &lab);
    let hello = Raw::seal(Opcode::Binary, &Raw::frames(&[Raw::hello()]));
    let mut stopped = Vec::new();
    for _ in 0..30 {
        stopped.push(Raw::connect(&relay).await);
        let mut head = Raw::connect(&relay).await;
        head.write(&request.as_bytes()[..40]).await.unwrap();
        stopped.push(head);
        stopped.push(Raw::open(&relay, &lab).await);
        let mut frame = Raw::open(&relay, &lab).await;
        frame.write(&hello).await.unwrap();
        frame.write(&hello[..9]).await.unwrap();
        stopped.push(frame);
    }
    let mut client = Client::join(&relay, &lab).await;
    let listener = client.listener(8888).await;
    client.connected(8888).await;
    client.accept(listener).await;
    drop(client);
    drop(stopped);
    relay.until_empty().await;
}
