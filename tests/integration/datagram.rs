//! UDP between processes.

use protocol::{Address, Errno, limits::MAX_DATAGRAM};
use tests::{Client, local};

use crate::pattern::pattern;
use crate::relay;

#[tokio::test]
async fn boundaries_and_addresses_are_kept() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let receiver = server.receiver(8888).await;
    let sender = client.udp();
    let largest = pattern(MAX_DATAGRAM);

    for payload in [&b"one"[..], b"", b"three", &largest] {
        client.send_to(sender, &local(8888), payload).await;
        let (from, received) = server.recv_from(receiver).await;
        assert!(received == payload, "{} bytes", payload.len());
        let port = client.names(sender).await.unwrap().port();
        assert_eq!(from, local(port));
        server.send_to(receiver, &from, payload).await;
        let (from, echo) = client.recv_from(sender).await;
        assert_eq!(from, local(8888));
        assert!(echo == payload);
    }
}

#[tokio::test]
async fn datagrams_sent_together_are_received_apart() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let receiver = server.receiver(8888).await;
    let sender = client.udp();
    for number in 0..50_u8 {
        client.send_to(sender, &local(8888), &[number]).await;
    }
    for number in 0..50_u8 {
        assert_eq!(server.recv_from(receiver).await.1, [number]);
    }
}

#[tokio::test]
async fn a_connected_socket_hears_only_its_peer() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let receiver = client.receiver(8888).await;
    let peer = client.receiver(8889).await;
    let stranger = client.receiver(8890).await;
    let names = client.connect(receiver, local(8889)).await.unwrap();
    assert_eq!(names.peer, local(8889));
    client.send_to(stranger, &local(8888), b"stranger").await;
    client.send_to(peer, &local(8888), b"peer").await;
    assert_eq!(
        client.recv_from(receiver).await,
        (local(8889), b"peer".to_vec())
    );
    client
        .send_to(receiver, &Address::Unspecified, b"answer")
        .await;
    assert_eq!(
        client.recv_from(peer).await,
        (local(8888), b"answer".to_vec())
    );

    client
        .connect(receiver, Address::Unspecified)
        .await
        .unwrap();
    assert_eq!(
        client.names(receiver).await.unwrap().peer,
        Address::Unspecified
    );
    client.send_to(stranger, &local(8888), b"welcome").await;
    assert_eq!(client.recv_from(receiver).await.1, b"welcome");
}

#[tokio::test]
async fn a_connected_socket_learns_that_nobody_is_there() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let sender = client.udp();
    client.connect(sender, local(8888)).await.unwrap();
    client
        .send_to(sender, &Address::Unspecified, b"anybody?")
        .await;
    assert_eq!(client.failure(sender).await, Errno::ECONNREFUSED);
}

/// Past the credit, datagrams wait in the kernel and overflow there. What arrives is in order and whole.
#[tokio::test]
async fn a_flood_overflows_in_the_kernel() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let receiver = server.receiver(8888).await;
    let sender = client.udp();
    const FLOOD: u32 = 20_000;
    for number in 0..FLOOD {
        let mut payload = vec![0; 1000];
        payload[..4].copy_from_slice(&number.to_le_bytes());
        client.send_to(sender, &local(8888), &payload).await;
    }
    client.sync().await;
    assert!(relay.metrics().bytes_received() < f64::from(FLOOD) * 1000.0);
    let mut last = None;
    let mut count = 0;
    loop {
        server.sync().await;
        if server.unread_datagrams(receiver) == 0 {
            break;
        }
        let (_, payload) = server.recv_from(receiver).await;
        assert_eq!(payload.len(), 1000);
        let number = u32::from_le_bytes(payload[..4].try_into().unwrap());
        assert!(last < Some(number), "{number} after {last:?}");
        last = Some(number);
        count += 1;
    }
    assert!((1..FLOOD).contains(&count), "{count} arrived");
}
