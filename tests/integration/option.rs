//! Socket options, in Linux's numbers.

use protocol::Errno;
use tests::Client;

use crate::relay;

/// `SOL_SOCKET` (socket(7)).
const SOL_SOCKET: i32 = 1;
/// `SO_REUSEADDR` (socket(7)).
const SO_REUSEADDR: i32 = 2;
/// `SO_TYPE` (socket(7)).
const SO_TYPE: i32 = 3;
/// `SO_KEEPALIVE` (socket(7)).
const SO_KEEPALIVE: i32 = 9;
/// `SO_BINDTODEVICE` (socket(7)), which would lead out of the lab.
const SO_BINDTODEVICE: i32 = 25;
/// `IPPROTO_TCP` (tcp(7)).
const IPPROTO_TCP: i32 = 6;
/// `TCP_NODELAY` (tcp(7)).
const TCP_NODELAY: i32 = 1;

#[tokio::test]
async fn what_was_set_is_read_back() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let socket = client.tcp();
    for (level, name) in [
        (SOL_SOCKET, SO_REUSEADDR),
        (SOL_SOCKET, SO_KEEPALIVE),
        (IPPROTO_TCP, TCP_NODELAY),
    ] {
        assert_eq!(client.option(socket, level, name).await, Ok(0));
        client.set_option(socket, level, name, 1).await.unwrap();
        assert_eq!(client.option(socket, level, name).await, Ok(1));
    }
    // SOCK_STREAM and SOCK_DGRAM (socket(2)).
    assert_eq!(client.option(socket, SOL_SOCKET, SO_TYPE).await, Ok(1));
    let datagrams = client.udp();
    assert_eq!(client.option(datagrams, SOL_SOCKET, SO_TYPE).await, Ok(2));
}

#[tokio::test]
async fn an_option_that_is_not_allowed_is_refused() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let socket = client.tcp();
    assert_eq!(
        client.option(socket, SOL_SOCKET, SO_BINDTODEVICE).await,
        Err(Errno::ENOPROTOOPT)
    );
    assert_eq!(
        client
            .set_option(socket, SOL_SOCKET, SO_BINDTODEVICE, 1)
            .await,
        Err(Errno::ENOPROTOOPT)
    );
    assert_eq!(
        client.option(socket, 4242, 1).await,
        Err(Errno::ENOPROTOOPT)
    );
}
