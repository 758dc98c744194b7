//! A peer that resets the connection, at every stage of it. What the other side is told is what Linux says there.

use protocol::{Errno, Shutdown, SocketId};
use tests::{Client, TestRelay};

use crate::pattern::pattern;

/// A listener on a host and a connection to it that nobody has accepted yet.
struct Pair {
    relay: TestRelay,
    server: Client,
    listener: SocketId,
    client: Client,
    connection: SocketId,
}

impl Pair {
    async fn begin() -> Self {
        let relay = TestRelay::start().await;
        let lab = relay.lab();
        let mut server = Client::join(&relay, &lab).await;
        let mut client = Client::join(&relay, &lab).await;
        Self {
            listener: server.listener(8888).await,
            connection: client.connected(8888).await,
            relay,
            server,
            client,
        }
    }

    async fn accept(&mut self) -> SocketId {
        self.server.accept(self.listener).await
    }

    /// The client resets the connection, and the relay has done so.
    async fn reset(&mut self) {
        self.client.abort(self.connection);
        self.client.sync().await;
    }

    /// Sees that the server can go on.
    async fn go_on(mut self) {
        let connection = self.client.connected(8888).await;
        let accepted = self.server.accept(self.listener).await;
        self.client.send(connection, b"again").await.unwrap();
        let received = self.server.recv_exactly(accepted, 5).await.unwrap();
        assert_eq!(received, b"again");
        drop(self.client);
        drop(self.server);
        self.relay.until_empty().await;
    }
}

/// accept(2) on Linux gives the connection all the same, and reading tells.
#[tokio::test]
async fn before_it_is_accepted() {
    let mut pair = Pair::begin().await;
    pair.reset().await;
    let accepted = pair.accept().await;
    let received = pair.server.recv(accepted, 10).await;
    assert_eq!(received, Err(Errno::ECONNRESET));
    pair.go_on().await;
}

/// What had arrived before the reset can still be read.
#[tokio::test]
async fn before_it_is_accepted_with_data_on_the_way() {
    let mut pair = Pair::begin().await;
    pair.client.send(pair.connection, b"early").await.unwrap();
    pair.reset().await;
    let accepted = pair.accept().await;
    let received = pair.server.recv_exactly(accepted, 5).await;
    assert_eq!(received.unwrap(), b"early");
    let received = pair.server.recv(accepted, 10).await;
    assert_eq!(received, Err(Errno::ECONNRESET));
    pair.go_on().await;
}

#[tokio::test]
async fn after_it_was_accepted() {
    let mut pair = Pair::begin().await;
    let accepted = pair.accept().await;
    pair.reset().await;
    assert_eq!(pair.server.recv(accepted, 10).await, Err(Errno::ECONNRESET));
    pair.go_on().await;
}

#[tokio::test]
async fn with_data_that_was_not_read_yet() {
    let mut pair = Pair::begin().await;
    let accepted = pair.accept().await;
    pair.client.send(pair.connection, b"early").await.unwrap();
    assert_eq!(pair.server.recv(accepted, 2).await.unwrap(), b"ea");
    pair.reset().await;
    // What the process has, it has.
    assert_eq!(pair.server.recv(accepted, 10).await.unwrap(), b"rly");
    assert_eq!(pair.server.recv(accepted, 10).await, Err(Errno::ECONNRESET));
    pair.go_on().await;
}

/// The writer's queue on the relay is full, and nobody will ever read it.
#[tokio::test]
async fn during_a_transfer_to_it() {
    let mut pair = Pair::begin().await;
    let accepted = pair.accept().await;
    let bytes = pattern(64 << 20);
    crate::flow::fill(&mut pair.server, accepted, &bytes).await;
    pair.reset().await;
    assert_eq!(pair.server.failure(accepted).await, Errno::ECONNRESET);
    pair.go_on().await;
}

#[tokio::test]
async fn during_a_transfer_from_it() {
    let mut pair = Pair::begin().await;
    let accepted = pair.accept().await;
    let bytes = pattern(64 << 20);
    crate::flow::fill(&mut pair.client, pair.connection, &bytes).await;
    pair.reset().await;
    let mut received = Vec::new();
    let errno = loop {
        match pair.server.recv(accepted, usize::MAX).await {
            Ok(more) if more.is_empty() => panic!("a reset is no end of file"),
            Ok(more) => received.extend(more),
            Err(errno) => break errno,
        }
    };
    assert_eq!(errno, Errno::ECONNRESET);
    assert!(bytes.starts_with(&received));
    pair.go_on().await;
}

/// The peer has finished and then resets: reading has come to its end, so only writing can tell (`EPIPE` in tcp(7)'s
/// terms, because the connection waited to be closed from this side).
#[tokio::test]
async fn after_its_own_half_was_closed() {
    let mut pair = Pair::begin().await;
    let accepted = pair.accept().await;
    pair.client.shutdown(pair.connection, Shutdown::Write);
    pair.client.flush();
    assert_eq!(pair.server.recv(accepted, 10).await.unwrap(), b"");
    pair.reset().await;
    assert_eq!(pair.server.failure(accepted).await, Errno::EPIPE);
    pair.go_on().await;
}

#[tokio::test]
async fn after_the_other_half_was_closed() {
    let mut pair = Pair::begin().await;
    let accepted = pair.accept().await;
    pair.server.shutdown(accepted, Shutdown::Write);
    pair.server.flush();
    assert_eq!(pair.client.recv(pair.connection, 10).await.unwrap(), b"");
    pair.reset().await;
    assert_eq!(pair.server.recv(accepted, 10).await, Err(Errno::ECONNRESET));
    pair.go_on().await;
}

/// Nobody is left on this side to be told.
#[tokio::test]
async fn after_it_was_closed_with_data_to_deliver() {
    let mut pair = Pair::begin().await;
    let accepted = pair.accept().await;
    let bytes = pattern(64 << 20);
    crate::flow::fill(&mut pair.server, accepted, &bytes).await;
    pair.server.close(accepted);
    pair.server.sync().await;
    assert_eq!(pair.relay.metrics().sockets(), 3.0);
    pair.reset().await;
    let left = pair.relay.until("only the listener is left", |metrics| {
        metrics.sockets() == 1.0
    });
    left.await;
    pair.go_on().await;
}
