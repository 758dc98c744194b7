//! TCP between processes.

use protocol::{Errno, Shutdown};
use tests::{Client, local};

use crate::pattern::pattern;
use crate::relay;

#[tokio::test]
async fn an_echo_between_two_processes() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join_as(&relay, &lab, "desk", "server").await;
    let mut client = Client::join_as(&relay, &lab, "desk", "client").await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;

    client.send(connection, "你好".as_bytes()).await.unwrap();
    let received = server.recv(accepted, 1024).await.unwrap();
    assert_eq!(received, "你好".as_bytes());
    server.send(accepted, &received).await.unwrap();
    assert_eq!(client.recv(connection, 3).await.unwrap(), "你".as_bytes());
    assert_eq!(
        client.recv(connection, 1024).await.unwrap(),
        "好".as_bytes()
    );

    server.close(accepted);
    server.flush();
    assert_eq!(client.recv(connection, 1024).await.unwrap(), b"");
}

#[tokio::test]
async fn thirty_two_mebibytes_there_and_back() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    let bytes = pattern(32 << 20);

    let echo = async {
        loop {
            let data = server.recv(accepted, usize::MAX).await.unwrap();
            if data.is_empty() {
                return server.close(accepted);
            }
            server.send(accepted, &data).await.unwrap();
        }
    };
    let speak = async {
        let (mut sent, mut back) = (0, Vec::with_capacity(bytes.len()));
        while back.len() < bytes.len() {
            sent += client.offer(connection, &bytes[sent..]).unwrap();
            client.flush();
            if sent == bytes.len() || client.unread(connection) != 0 {
                back.extend(client.recv(connection, usize::MAX).await.unwrap());
            } else {
                client.until_movable(connection).await;
            }
        }
        client.shutdown(connection, Shutdown::Write);
        client.flush();
        back
    };
    let ((), back) = tokio::join!(echo, speak);
    assert!(back == bytes, "the echo differs");
    let metrics = relay.metrics();
    assert_eq!(metrics.bytes_sent(), 2.0 * bytes.len() as f64);
    assert_eq!(metrics.bytes_received(), 2.0 * bytes.len() as f64);
}

#[tokio::test]
async fn half_close_keeps_the_other_direction() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    let question = pattern(100_000);

    client.send(connection, &question).await.unwrap();
    client.shutdown(connection, Shutdown::Write);
    client.flush();
    assert!(server.recv_to_the_end(accepted).await.unwrap() == question);
    server.send(accepted, b"answer").await.unwrap();
    server.shutdown(accepted, Shutdown::Both);
    server.flush();
    assert_eq!(client.recv_to_the_end(connection).await.unwrap(), b"answer");
}

#[tokio::test]
async fn an_abort_resets_the_connection() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    server.abort(accepted);
    server.flush();
    assert_eq!(client.recv(connection, 10).await, Err(Errno::ECONNRESET));
}

#[tokio::test]
async fn a_close_with_unread_data_in_the_kernel_resets_the_connection() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    // More than the server's credit, so that some of it has to stay in the kernel.
    client.send(connection, &pattern(400_000)).await.unwrap();
    client.sync().await;
    server.close(accepted);
    server.flush();
    assert_eq!(client.recv(connection, 10).await, Err(Errno::ECONNRESET));
}

#[tokio::test]
async fn a_send_to_a_closed_peer_fails() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    server.close(accepted);
    server.flush();
    assert_eq!(client.recv(connection, 10).await.unwrap(), b"");
    client.send(connection, b"x").await.unwrap();
    assert_eq!(client.failure(connection).await, Errno::EPIPE);
}

#[tokio::test]
async fn nobody_listens() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let socket = client.tcp();
    assert_eq!(
        client.connect(socket, local(8888)).await,
        Err(Errno::ECONNREFUSED)
    );
}

#[tokio::test]
async fn a_second_connect_is_told_so() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    client.listener(8888).await;
    let socket = client.connected(8888).await;
    assert_eq!(
        client.connect(socket, local(8888)).await,
        Err(Errno::EISCONN)
    );
}
/// As a blocking connect(2) leaves the socket on Linux. A program that waits for its server tries again and again.
#[tokio::test]
async fn a_refused_socket_may_try_again() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let socket = client.tcp();
    for _ in 0..3 {
        let refused = client.connect(socket, local(8888)).await;
        assert_eq!(refused, Err(Errno::ECONNREFUSED));
    }
    let listener = client.listener(8888).await;
    client.connect(socket, local(8888)).await.unwrap();
    client.accept(listener).await;
}
