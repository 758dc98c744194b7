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
/// `SO_SNDBUF` (socket(7)).
const SO_SNDBUF: i32 = 7;
/// `SO_RCVBUF` (socket(7)).
const SO_RCVBUF: i32 = 8;
/// `SO_KEEPALIVE` (socket(7)).
const SO_KEEPALIVE: i32 = 9;
/// `SO_BINDTODEVICE` (socket(7)), which would lead out of the lab.
const SO_BINDTODEVICE: i32 = 25;
/// `IPPROTO_TCP` (tcp(7)).
const IPPROTO_TCP: i32 = 6;
/// `TCP_NODELAY` (tcp(7)).
const TCP_NODELAY: i32 = 1;
/// `TCP_INFO` (tcp(7)).
const TCP_INFO: i32 = 11;
/// `TCP_CONGESTION` (tcp(7)).
const TCP_CONGESTION: i32 = 13;
/// `TCP_USER_TIMEOUT` (tcp(7)).
const TCP_USER_TIMEOUT: i32 = 18;
/// `IPPROTO_IP` (ip(7)).
const IPPROTO_IP: i32 = 0;
/// `IP_TTL` (ip(7)).
const IP_TTL: i32 = 2;

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

#[tokio::test]
async fn values_are_the_kernels_own_bytes() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    client.listener(8888).await;
    let socket = client.connected(8888).await;
    let info = client
        .option_bytes(socket, IPPROTO_TCP, TCP_INFO, 104)
        .await
        .unwrap();
    // `tcpi_state` comes first, and 1 is TCP_ESTABLISHED.
    assert_eq!((info.len(), info.first()), (104, Some(&1)));
    let info = client.option_bytes(socket, IPPROTO_TCP, TCP_INFO, 8).await;
    assert_eq!(info.map(|info| info.len()), Ok(8));

    let set = |name: &'static [u8]| (IPPROTO_TCP, TCP_CONGESTION, name);
    let (level, name, reno) = set(b"reno");
    client
        .set_option_bytes(socket, level, name, reno)
        .await
        .unwrap();
    let told = client.option_bytes(socket, level, name, 16).await.unwrap();
    assert_eq!(told.split(|&byte| byte == 0).next(), Some(reno));
    // What the kernel would load a module for is not to be had.
    let (level, name, pigeon) = set(b"pigeon");
    assert_eq!(
        client.set_option_bytes(socket, level, name, pigeon).await,
        Err(Errno::ENOENT)
    );
}

#[tokio::test]
async fn the_kernel_says_what_it_made_of_a_number() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    client.listener(8888).await;
    let socket = client.connected(8888).await;
    // The kernel doubles the size of a buffer (socket(7)).
    for name in [SO_SNDBUF, SO_RCVBUF] {
        client
            .set_option(socket, SOL_SOCKET, name, 20_000)
            .await
            .unwrap();
        assert_eq!(client.option(socket, SOL_SOCKET, name).await, Ok(40_000));
    }
    client
        .set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000)
        .await
        .unwrap();
    assert_eq!(
        client.option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT).await,
        Ok(5000)
    );
    assert_eq!(
        client.set_option(socket, IPPROTO_IP, IP_TTL, 256).await,
        Err(Errno::EINVAL)
    );
    assert_eq!(
        client
            .set_option_bytes(socket, SOL_SOCKET, SO_KEEPALIVE, &[])
            .await,
        Err(Errno::EINVAL)
    );
    // What can only be got cannot be set, and an option of TCP is none of UDP's.
    assert_eq!(
        client.set_option(socket, SOL_SOCKET, SO_TYPE, 1).await,
        Err(Errno::ENOPROTOOPT)
    );
    let datagrams = client.udp();
    assert_eq!(
        client
            .set_option(datagrams, IPPROTO_TCP, TCP_NODELAY, 1)
            .await,
        Err(Errno::ENOPROTOOPT)
    );
}
