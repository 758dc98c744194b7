//! Ten thousand sockets, opened and dropped: over one process and over many.

use protocol::{ClientMessage, Errno, Kind};
use tests::{Client, TestRelay, local};

/// How many sockets the issue names.
const SOCKETS: usize = 10_000;

/// How many of them one of many processes has.
const EACH: usize = 200;

#[tokio::test]
async fn ten_thousand_sockets_over_one_process() {
    let relay = TestRelay::start().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    for round in 0..SOCKETS {
        let kind = [Kind::Stream, Kind::Datagram][round % 2];
        let socket = client.socket(protocol::Domain::Inet, kind);
        client.bind(socket, local(0)).await.unwrap();
        client.close(socket);
    }
    client.sync().await;
    assert_eq!(relay.metrics().sockets(), 0.0);
    // Nor do those count that were closed before anything was heard of them.
    for _ in 0..SOCKETS {
        let socket = client.tcp();
        client.close(socket);
    }
    client.sync().await;
    assert_eq!(relay.metrics().sockets(), 0.0);
}

#[tokio::test]
async fn five_thousand_connections_over_one_process() {
    let relay = TestRelay::start().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listener = client.listener(8888).await;
    for round in 0..SOCKETS / 2 {
        let connection = client.connected(8888).await;
        let accepted = client.accept(listener).await;
        client.send(connection, b"x").await.unwrap();
        assert_eq!(client.recv(accepted, 10).await.unwrap(), b"x");
        // A reset leaves no port behind, which thousands of orderly ends would.
        match round % 2 {
            0 => client.abort(connection),
            _ => client.abort(accepted),
        }
        let other = [accepted, connection][round % 2];
        client.close(other);
    }
    client.sync().await;
    assert_eq!(relay.metrics().sockets(), 1.0);
    assert_eq!(
        client.accept_now(listener).await.unwrap_err(),
        Errno::EAGAIN
    );
}

#[tokio::test]
async fn ten_thousand_sockets_over_many_processes() {
    let relay = TestRelay::start().await;
    for round in 0..SOCKETS / EACH {
        let mut client = Client::join(&relay, &relay.lab()).await;
        for number in 0..EACH {
            let kind = [Kind::Stream, Kind::Datagram][number % 2];
            let socket = client.socket(protocol::Domain::Inet, kind);
            if number % 3 == 0 {
                client.bind(socket, local(0)).await.unwrap();
            }
        }
        client.sync().await;
        // Each process ends as processes do: some say so, some are gone.
        match round % 2 {
            0 => client.goodbye().await,
            _ => drop(client),
        }
    }
    relay.until_empty().await;
}

#[tokio::test]
async fn a_thousand_labs_that_come_and_go_at_once() {
    let relay = TestRelay::start().await;
    for _ in 0..10 {
        let mut clients = Vec::new();
        for _ in 0..100 {
            let lab = relay.lab();
            let mut client = Client::join(&relay, &lab).await;
            client.say(&ClientMessage::Socket {
                socket: protocol::SocketId(1),
                domain: protocol::Domain::Inet,
                kind: Kind::Datagram,
            });
            client.flush();
            clients.push(client);
        }
        relay
            .until("a hundred labs", |metrics| metrics.labs() == 100.0)
            .await;
        drop(clients);
        relay.until_empty().await;
    }
}
