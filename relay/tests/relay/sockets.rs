//! What sockets do, seen by the processes that have them.

use protocol::Address;
use protocol::{ClientMessage, Errno, Kind, ServerMessage, Shutdown, SocketId};
use relay::Options;

use crate::client::{Heard, LAB, Process, Running, at, local, peer};

#[tokio::test]
async fn a_server_and_a_client_meet_and_know_each_other() {
    let relay = Running::start(Options::default()).await;
    let mut server = Process::start(&relay, LAB, "desk").await;
    let mut client = Process::start(&relay, LAB, "desk").await;
    let port = server.serve(1, "127.0.0.1").await;
    client.make(1, Kind::Stream).await;
    let names = client.dial(1, at("127.0.0.1", port)).await.unwrap();
    assert_eq!(peer(&names), at("127.0.0.1", port));
    assert_eq!(
        server.hear().await,
        Heard::Message(ServerMessage::Acceptable {
            socket: SocketId(1)
        })
    );
    let accepted = server.accept(1, 2).await.unwrap();
    assert_eq!(peer(&accepted), local(&names));
    assert_eq!(local(&accepted), peer(&names));
    assert_eq!(server.accept(1, 3).await, Err(Errno::EAGAIN));
    client.write(1, b"hello").await;
    assert_eq!(
        server.hear().await,
        Heard::Stream(SocketId(2), b"hello".to_vec())
    );
    server.write(2, b"and goodbye").await;
    server
        .tell(ClientMessage::Close {
            socket: SocketId(2),
        })
        .await;
    assert_eq!(client.read_to_end(1).await, b"and goodbye");
    relay.stop().await;
}

#[tokio::test]
async fn bulk_goes_both_ways_within_the_credit() {
    const LENGTH: usize = 3_000_000;
    let relay = Running::start(Options::default()).await;
    let mut server = Process::start(&relay, LAB, "desk").await;
    let mut client = Process::start(&relay, LAB, "bob").await;
    let port = server.serve(1, "0.0.0.0").await;
    client.make(1, Kind::Stream).await;
    let names = client.dial(1, at("10.0.0.1", port)).await.unwrap();
    assert_eq!(local(&names).inet().unwrap().ip().octets(), [10, 0, 0, 2]);
    server.hear().await;
    let accepted = server.accept(1, 2).await.unwrap();
    assert_eq!(local(&accepted), at("10.0.0.1", port));
    assert_eq!(peer(&accepted), local(&names));
    let sent: Vec<u8> = (0..LENGTH)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    let expected = sent.clone();
    let sending = tokio::spawn(async move {
        let mut window = protocol::SendWindow::default();
        let mut rest = &sent[..];
        while !rest.is_empty() {
            let length = rest
                .len()
                .min(60_000)
                .min(usize::try_from(window.available()).unwrap());
            if length == 0 {
                match client.hear().await {
                    Heard::Message(ServerMessage::Credit { limit, .. }) => window.grant(limit),
                    other => panic!("{other:?}"),
                }
                continue;
            }
            window.spend(length as u64).unwrap();
            client.write(1, &rest[..length]).await;
            rest = &rest[length..];
        }
        let (socket, how) = (SocketId(1), Shutdown::Write);
        client.tell(ClientMessage::Shutdown { socket, how }).await;
        client
    });
    assert_eq!(server.read_to_end(2).await, expected);
    drop(sending.await.unwrap());
    relay.stop().await;
}

#[tokio::test]
async fn datagrams_keep_their_boundaries_and_addresses() {
    let relay = Running::start(Options::default()).await;
    let mut server = Process::start(&relay, LAB, "desk").await;
    let mut client = Process::start(&relay, LAB, "bob").await;
    server.make(1, Kind::Datagram).await;
    let port = local(&server.bind(1, at("0.0.0.0", 0)).await.unwrap())
        .inet()
        .unwrap()
        .port();
    client.make(1, Kind::Datagram).await;
    let own = local(&client.bind(1, at("10.0.0.2", 0)).await.unwrap());
    for payload in [&b"one"[..], b"", &[7; 65_507]] {
        client.send_to(1, at("10.0.0.1", port), payload).await;
        assert_eq!(
            server.hear().await,
            Heard::Datagram(SocketId(1), own.clone(), payload.to_vec())
        );
    }
    server.send_to(1, own, b"back").await;
    loop {
        match client.hear().await {
            Heard::Message(ServerMessage::Credit { .. }) => {}
            heard => {
                let from = at("10.0.0.1", port);
                assert_eq!(heard, Heard::Datagram(SocketId(1), from, b"back".to_vec()));
                break;
            }
        }
    }
    relay.stop().await;
}

#[tokio::test]
async fn a_connected_datagram_socket_hears_of_a_closed_port_again_and_again() {
    let relay = Running::start(Options::default()).await;
    let mut process = Process::start(&relay, LAB, "desk").await;
    process.make(1, Kind::Datagram).await;
    process.dial(1, at("127.0.0.1", 9)).await.unwrap();
    for _ in 0..3 {
        process.send_to(1, Address::Unspecified, b"anyone?").await;
        assert_eq!(
            process.hear().await,
            Heard::Message(ServerMessage::Failed {
                socket: SocketId(1),
                errno: Errno::ECONNREFUSED
            })
        );
    }
    relay.stop().await;
}

#[tokio::test]
async fn errors_are_those_of_linux() {
    let relay = Running::start(Options::default()).await;
    let mut process = Process::start(&relay, LAB, "desk").await;
    process.make(1, Kind::Stream).await;
    assert_eq!(
        process.dial(1, at("127.0.0.1", 9)).await,
        Err(Errno::ECONNREFUSED)
    );
    assert_eq!(
        process.dial(1, at("8.8.8.8", 53)).await,
        Err(Errno::ENETUNREACH)
    );
    assert_eq!(process.bind(9, at("127.0.0.1", 0)).await, Err(Errno::EBADF));
    let port = process.serve(2, "127.0.0.1").await;
    process.make(3, Kind::Stream).await;
    assert_eq!(
        process.bind(3, at("10.9.9.9", 0)).await,
        Err(Errno::EADDRNOTAVAIL)
    );
    assert_eq!(
        process.bind(3, at("127.0.0.1", port)).await,
        Err(Errno::EADDRINUSE)
    );
    assert_eq!(
        process.dial(3, at("10.0.0.1", port)).await,
        Err(Errno::ECONNREFUSED)
    );
    assert!(process.dial(3, at("127.0.0.1", port)).await.is_ok());
    relay.stop().await;
}

#[tokio::test]
async fn two_labs_never_meet() {
    let relay = Running::start(Options::default()).await;
    let mut here = Process::start(&relay, LAB, "desk").await;
    let mut there = Process::start(&relay, "bbbbbbbbbbbbbbbb", "desk").await;
    let port = here.serve(1, "127.0.0.1").await;
    there.make(1, Kind::Stream).await;
    assert!(there.bind(1, at("127.0.0.1", port)).await.is_ok());
    there.make(2, Kind::Stream).await;
    assert_eq!(
        there.dial(2, at("127.0.0.1", port)).await,
        Err(Errno::ECONNREFUSED)
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_reset_shows_at_once_also_after_the_end_of_file() {
    let relay = Running::start(Options::default()).await;
    let mut server = Process::start(&relay, LAB, "desk").await;
    let mut client = Process::start(&relay, LAB, "desk").await;
    let port = server.serve(1, "127.0.0.1").await;
    client.make(1, Kind::Stream).await;
    client.dial(1, at("127.0.0.1", port)).await.unwrap();
    server.hear().await;
    server.accept(1, 2).await.unwrap();
    let (socket, how) = (SocketId(2), Shutdown::Write);
    server.tell(ClientMessage::Shutdown { socket, how }).await;
    assert!(client.read_to_end(1).await.is_empty());
    server.tell(ClientMessage::Abort { socket }).await;
    let failed = ServerMessage::Failed {
        socket: SocketId(1),
        errno: Errno::EPIPE,
    };
    assert_eq!(client.hear().await, Heard::Message(failed));
    relay.stop().await;
}

#[tokio::test]
async fn a_sync_reports_everything_before_it_is_done() {
    let relay = Running::start(Options::default()).await;
    let mut process = Process::start(&relay, LAB, "desk").await;
    let port = process.serve(1, "127.0.0.1").await;
    for socket in 2..6 {
        process.make(socket, Kind::Stream).await;
        process.dial(socket, at("127.0.0.1", port)).await.unwrap();
        process.accept(1, socket + 10).await.unwrap();
        process.write(socket, &[9; 60_000]).await;
    }
    process
        .call(|call| ClientMessage::Sync { call })
        .await
        .unwrap();
    let mut bytes = 0;
    while let Some(heard) = process.read.pop_front() {
        if let Heard::Stream(_, payload) = heard {
            bytes += payload.len();
        }
    }
    assert_eq!(bytes, 4 * 60_000);
    relay.stop().await;
}
