//! Binding, and what stands in the way.

use protocol::{Address, Errno};
use relay::Options;
use tests::{Client, TestRelay, at, local};

use crate::{options, relay};

/// `SOL_SOCKET` (socket(7)).
const SOL_SOCKET: i32 = 1;
/// `SO_REUSEADDR` (socket(7)).
const SO_REUSEADDR: i32 = 2;

#[tokio::test]
async fn a_port_belongs_to_one() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut one = Client::join(&relay, &lab).await;
    let mut other = Client::join(&relay, &lab).await;
    let listener = one.listener(8888).await;
    let socket = other.tcp();
    assert_eq!(
        other.bind(socket, local(8888)).await,
        Err(Errno::EADDRINUSE)
    );
    other
        .set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1)
        .await
        .unwrap();
    assert_eq!(
        other.bind(socket, local(8888)).await,
        Err(Errno::EADDRINUSE)
    );
    // TCP and UDP have ports of their own.
    other.receiver(8888).await;
    one.close(listener);
    one.sync().await;
    other.bind(socket, local(8888)).await.unwrap();
}

#[tokio::test]
async fn a_port_is_remembered_unless_told_otherwise() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listener = client.tcp();
    client
        .set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1)
        .await
        .unwrap();
    client.bind(listener, local(8888)).await.unwrap();
    client.listen(listener, 1).await.unwrap();
    let connection = client.connected(8888).await;
    let accepted = client.accept(listener).await;
    // The side that closes first goes to TIME_WAIT.
    client.close(accepted);
    assert_eq!(client.recv(connection, 10).await.unwrap(), b"");
    client.close(connection);
    client.close(listener);
    let socket = client.tcp();
    assert_eq!(
        client.bind(socket, local(8888)).await,
        Err(Errno::EADDRINUSE)
    );
    client
        .set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1)
        .await
        .unwrap();
    client.bind(socket, local(8888)).await.unwrap();
    client.listen(socket, 1).await.unwrap();
}

#[tokio::test]
async fn port_zero_is_chosen_by_the_system() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let bound = client.tcp();
    let names = client.bind(bound, local(0)).await.unwrap();
    assert_ne!(names.port(), 0);
    assert_eq!(names.local, local(names.port()));
    assert_eq!(names.peer, Address::Unspecified);
    // A listener that was never bound gets a port too.
    let unbound = client.tcp();
    let names = client.listen(unbound, 5).await.unwrap();
    assert_eq!(names.local, at([0, 0, 0, 0].into(), names.port()));
    client.connected(names.port()).await;
    client.accept(unbound).await;
}

#[tokio::test]
async fn addresses_of_nobody_here() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let socket = client.tcp();
    let elsewhere = at([192, 0, 2, 1].into(), 8888);
    assert_eq!(
        client.bind(socket, elsewhere).await,
        Err(Errno::EADDRNOTAVAIL)
    );
    client.bind(socket, local(8888)).await.unwrap();
    assert_eq!(client.bind(socket, local(8889)).await, Err(Errno::EINVAL));
    assert_eq!(client.names(socket).await.unwrap().local, local(8888));
    let fresh = client.tcp();
    assert_eq!(
        client.names(fresh).await.unwrap().local,
        at([0, 0, 0, 0].into(), 0)
    );
}

#[tokio::test]
async fn one_socket_too_many() {
    let relay = TestRelay::with(Options {
        sockets: 4,
        ..options()
    })
    .await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    assert_eq!(client.welcome().limits.sockets, 4);
    let listener = client.listener(8888).await;
    let first = client.connected(8888).await;
    let second = client.connected(8888).await;
    client.accept(listener).await;
    assert_eq!(
        client.accept_now(listener).await.unwrap_err(),
        Errno::EMFILE
    );
    let fifth = client.tcp();
    assert_eq!(client.bind(fifth, local(0)).await, Err(Errno::EMFILE));
    assert_eq!(relay.metrics().sockets(), 4.0);
    client.close(fifth);
    client.close(first);
    client.accept(listener).await;
    client.close(second);
    let again = client.tcp();
    client.bind(again, local(0)).await.unwrap();
}
