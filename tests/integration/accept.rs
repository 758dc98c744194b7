//! Listeners: the backlog stays in the kernel, and the process is told once when somebody waits.

use protocol::Errno;
use tests::{Client, local};

use crate::relay;

#[tokio::test]
async fn acceptable_is_said_once_per_need() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    server.sync().await;
    assert_eq!(server.times_acceptable(listener), 0);

    for _ in 0..3 {
        client.connected(8888).await;
    }
    server.until_acceptable(listener, 1).await;
    for accepted in 1..=3 {
        server.sync().await;
        assert_eq!(server.times_acceptable(listener), accepted);
        server.accept_now(listener).await.unwrap();
    }
    assert_eq!(server.accept_now(listener).await, Err(Errno::EAGAIN));
    server.sync().await;
    assert_eq!(server.times_acceptable(listener), 3);
    client.connected(8888).await;
    server.until_acceptable(listener, 4).await;
}

#[tokio::test]
async fn accept_gives_both_addresses() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listener = client.listener(8888).await;
    let connection = client.connected(8888).await;
    let names = client.names(connection).await.unwrap();
    let (accepted, accepted_names) = client.accept_now(listener).await.unwrap();
    assert_eq!(accepted_names.local, local(8888));
    assert_eq!(accepted_names.peer, names.local);
    assert_eq!(names.peer, local(8888));
    assert_eq!(client.names(accepted).await.unwrap(), accepted_names);
}

#[tokio::test]
async fn closing_a_listener_resets_who_waits() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    server.close(listener);
    server.flush();
    assert_eq!(client.recv(connection, 10).await, Err(Errno::ECONNRESET));
}

#[tokio::test]
async fn accepting_needs_a_listener() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let socket = client.tcp();
    assert_eq!(client.accept_now(socket).await, Err(Errno::EINVAL));
    let datagrams = client.udp();
    assert_eq!(client.listen(datagrams, 5).await, Err(Errno::EOPNOTSUPP));
}

/// After the answer to a sync, everything has arrived that was at the kernel before: no poll ever misses it.
#[tokio::test]
async fn sync_is_exact() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let receiver = server.receiver(8888).await;
    let sender = client.udp();
    for round in 1..=100 {
        let connection = client.connected(8888).await;
        client.send_to(sender, &local(8888), b"datagram").await;
        client.sync().await;
        server.sync().await;
        assert_eq!(server.times_acceptable(listener), round);
        assert_eq!(server.unread_datagrams(receiver), 1);
        server.recv_from(receiver).await;
        let (accepted, _) = server.accept_now(listener).await.unwrap();
        client.send(connection, b"stream").await.unwrap();
        client.sync().await;
        server.sync().await;
        assert_eq!(server.unread(accepted), 6);
        server.abort(accepted);
        client.close(connection);
    }
}
