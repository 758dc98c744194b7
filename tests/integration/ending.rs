//! How processes end, and that nothing is left of them.

use std::time::Duration;

use protocol::{Errno, Refusal};
use relay::Options;
use tests::{Client, TestRelay, local};

use crate::pattern::pattern;
use crate::{options, relay};

/// The time after which the issue wants a dead process's sockets to be closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_closed_connection_closes_every_socket() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    server.receiver(9000).await;
    let connection = client.connected(8888).await;
    server.accept(listener).await;
    assert_eq!(relay.metrics().sockets(), 4.0);

    drop(server);
    let took = relay
        .until("only the client is left", |metrics| {
            metrics.sockets() == 1.0
        })
        .await;
    assert!(took < CLOSED_WITHIN, "it took {took:?}");
    assert_eq!(client.recv(connection, 10).await.unwrap_or_default(), b"");
    // The ports are free again.
    client.receiver(9000).await;
    drop(client);
    relay.until_empty().await;
    Client::join(&relay, &lab).await.listener(8888).await;
}

#[tokio::test]
async fn goodbye_delivers_what_was_sent() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    let bytes = pattern(3 << 20);
    let send = async move {
        client.send(connection, &bytes).await.unwrap();
        client.goodbye().await;
        bytes
    };
    let (received, bytes) = tokio::join!(server.recv_to_the_end(accepted), send);
    assert!(received.unwrap() == bytes);
}

/// The peer does not read before the process is gone.
#[tokio::test]
async fn goodbye_waits_for_a_slow_reader() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    let bytes = pattern(12 << 20);
    let mut sent = 0;
    // As much as the relay takes without the reader's help.
    for _ in 0..50 {
        sent += client.offer(connection, &bytes[sent..]).unwrap();
        client.sync().await;
    }
    assert!(sent < bytes.len());
    client.goodbye().await;
    let received = server.recv_to_the_end(accepted).await.unwrap();
    assert_eq!(received.len(), sent);
    assert!(received == bytes[..sent]);
    drop(server);
    relay.until_empty().await;
}

#[tokio::test]
async fn who_falls_silent_is_ended() {
    let relay = TestRelay::with(Options {
        silence: Duration::from_millis(500),
        ping: Duration::from_millis(100),
        grace: Duration::ZERO,
        ..options()
    })
    .await;
    let lab = relay.lab();
    let mut silent = Client::join(&relay, &lab).await;
    silent.listener(8888).await;
    let mut alive = Client::join(&relay, &lab).await;
    // It says nothing either, but it answers pings.
    let ended = relay.until("one is ended", |metrics| metrics.refusals("silent") == 1.0);
    alive.listen_during(ended).await;
    let gone = relay.until("its sockets are closed", |metrics| metrics.sockets() == 0.0);
    alive.listen_during(gone).await;
    alive.listener(8888).await;
    assert!(matches!(silent.refusal().await, Refusal::Silent(_)));
    assert_eq!(relay.metrics().processes(), 1.0);
}

#[tokio::test]
async fn a_relay_that_stops_says_so() {
    let mut relay = relay().await;
    let lab = relay.lab();
    let mut one = Client::join(&relay, &lab).await;
    let mut other = Client::join(&relay, &relay.lab()).await;
    one.listener(8888).await;
    relay.ask_to_stop();
    assert_eq!(one.refusal().await, Refusal::Shutdown);
    assert_eq!(other.refusal().await, Refusal::Shutdown);
    relay.stopped().await;
    assert_eq!(relay.metrics().sockets(), 0.0);
    assert!(
        tokio::net::TcpStream::connect(relay.address())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_connection_that_was_about_to_be_made_is_no_loss() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    // A backlog that is full makes further connects wait (listen(2)).
    let listener = server.tcp();
    server.bind(listener, local(8888)).await.unwrap();
    server.listen(listener, 0).await.unwrap();
    let mut client = Client::join(&relay, &lab).await;
    client.connected(8888).await;
    let waiting = client.tcp();
    let call = client.start_connect(waiting, local(8888));
    client.sync().await;
    assert!(!client.is_answered(call));
    drop(client);
    let took = relay
        .until("the client's sockets are closed", |metrics| {
            metrics.sockets() == 1.0
        })
        .await;
    assert!(took < CLOSED_WITHIN, "it took {took:?}");
    drop(server);
    relay.until_empty().await;
}

#[tokio::test]
async fn labs_come_and_go() {
    let relay = relay().await;
    let lab = relay.lab();
    for _ in 0..20 {
        let mut client = Client::join(&relay, &lab).await;
        let listener = client.listener(8888).await;
        assert_eq!(
            client.accept_now(listener).await.unwrap_err(),
            Errno::EAGAIN
        );
        client.goodbye().await;
        relay.until_empty().await;
    }
}
