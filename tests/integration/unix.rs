//! UNIX sockets: paths and abstract names of a host, connections, datagrams, pairs.

use protocol::{Act, Address, Errno, Kind, Patience, Shutdown};
use tests::{Client, unix};

use crate::pattern::pattern;
use crate::relay;

/// `SOL_SOCKET` and `SO_PEERCRED` (unix(7)).
const PEERCRED: (i32, i32) = (1, 17);

/// An address of nothing.
fn unnamed() -> Address {
    unix("")
}

#[tokio::test]
async fn processes_of_a_host_meet_at_a_path() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.unix_listener("/tmp/s").await;
    let socket = client.unix(Kind::Stream);
    let names = client.connect(socket, unix("/tmp/s")).await.unwrap();
    assert_eq!((names.local, names.peer), (unnamed(), unix("/tmp/s")));
    let (connection, names) = server.accept_now(listener).await.unwrap();
    assert_eq!((names.local, names.peer), (unix("/tmp/s"), unnamed()));

    let bytes = pattern(1_000_000);
    let sent = bytes.clone();
    let (received, ()) = tokio::join!(
        async { server.recv_exactly(connection, bytes.len()).await.unwrap() },
        async {
            client.send(socket, &sent).await.unwrap();
            client.shutdown(socket, Shutdown::Write);
            client.flush();
        }
    );
    assert!(received == bytes);
    assert_eq!(server.recv(connection, 1).await, Ok(Vec::new()));
    server.send(connection, b"answer").await.unwrap();
    assert_eq!(client.recv_exactly(socket, 6).await.unwrap(), b"answer");

    let (level, name) = PEERCRED;
    let pids = [client.welcome().pid, server.welcome().pid];
    let [client_pid, server_pid] = pids.map(|pid| Ok(i32::try_from(pid).unwrap()));
    assert_eq!(server.option(connection, level, name).await, client_pid);
    assert_eq!(client.option(socket, level, name).await, server_pid);
}

#[tokio::test]
async fn other_hosts_and_labs_have_paths_of_their_own() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    server.unix_listener("/tmp/s").await;
    server.unix_listener("\0s").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "program").await;
    let mut stranger = Client::join(&relay, &relay.lab()).await;
    for client in [&mut bob, &mut stranger] {
        let socket = client.unix(Kind::Stream);
        assert_eq!(
            client.connect(socket, unix("/tmp/s")).await,
            Err(Errno::ENOENT)
        );
        assert_eq!(
            client.connect(socket, unix("\0s")).await,
            Err(Errno::ECONNREFUSED)
        );
        client.unix_listener("/tmp/s").await;
        client.unix_listener("\0s").await;
    }
}

#[tokio::test]
async fn a_path_outlives_its_socket_until_it_is_unlinked() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.unix_listener("/tmp/s").await;
    let node = client.node("/tmp/s", Act::Look).await.unwrap();
    assert_eq!(node.mode, 0o755);
    client.node("/tmp/s", Act::Mode(0o600)).await.unwrap();
    assert_eq!(server.node("/tmp/s", Act::Look).await.unwrap().mode, 0o600);
    server.close(listener);
    server.sync().await;
    let late = client.unix(Kind::Stream);
    assert_eq!(
        client.connect(late, unix("/tmp/s")).await,
        Err(Errno::ECONNREFUSED)
    );
    let second = client.unix(Kind::Stream);
    assert_eq!(
        client.bind(second, unix("/tmp/s")).await,
        Err(Errno::EADDRINUSE)
    );
    client.node("/tmp/s", Act::Unlink).await.unwrap();
    assert_eq!(server.node("/tmp/s", Act::Look).await, Err(Errno::ENOENT));
    client.bind(second, unix("/tmp/s")).await.unwrap();
    let again = server.node("/tmp/s", Act::Look).await.unwrap();
    assert_ne!(again.inode, node.inode);
    assert_eq!(
        client.bind(second, unix("/tmp/t")).await,
        Err(Errno::EINVAL)
    );
}

#[tokio::test]
async fn an_unlinked_listener_lives_on() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listener = client.unix_listener("/tmp/s").await;
    let socket = client.unix(Kind::Stream);
    client.connect(socket, unix("/tmp/s")).await.unwrap();
    client.node("/tmp/s", Act::Unlink).await.unwrap();
    let accepted = client.accept(listener).await;
    client.send(socket, b"still").await.unwrap();
    assert_eq!(client.recv_exactly(accepted, 5).await.unwrap(), b"still");
    let late = client.unix(Kind::Stream);
    assert_eq!(
        client.connect(late, unix("/tmp/s")).await,
        Err(Errno::ENOENT)
    );
}

#[tokio::test]
async fn relative_paths_begin_at_the_working_directory() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    server.change_directory("/home/user");
    server.unix_listener("s").await;
    client.change_directory("/home");
    let socket = client.unix(Kind::Stream);
    let names = client.connect(socket, unix("./user/../user/s")).await;
    // The peer is called as it was bound, wherever that began.
    assert_eq!(names.unwrap().peer, unix("s"));
    assert!(client.node("/home/user/s", Act::Look).await.is_ok());
}

#[tokio::test]
async fn an_abstract_name_is_free_with_its_socket() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listener = client.unix_listener("\0lab").await;
    let second = client.unix(Kind::Stream);
    assert_eq!(
        client.bind(second, unix("\0lab")).await,
        Err(Errno::EADDRINUSE)
    );
    client.close(listener);
    let names = client.bind(second, unix("\0lab")).await.unwrap();
    assert_eq!(names.local, unix("\0lab"));
    let drawn = client.unix(Kind::Stream);
    let names = client.bind(drawn, unnamed()).await.unwrap();
    let Address::Unix(name) = names.local else {
        panic!("{names:?}")
    };
    assert_eq!((name[0], name.len()), (0, 6));
}

#[tokio::test]
async fn a_full_backlog_is_told_and_emptied_in_order() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listener = client.unix(Kind::Stream);
    client.bind(listener, unix("/s")).await.unwrap();
    client.listen(listener, 0).await.unwrap();
    let first = client.unix(Kind::Stream);
    client.bind(first, unix("/first")).await.unwrap();
    client.connect(first, unix("/s")).await.unwrap();
    let second = client.unix(Kind::Stream);
    assert_eq!(client.connect(second, unix("/s")).await, Err(Errno::EAGAIN));
    let (_, names) = client.accept_now(listener).await.unwrap();
    assert_eq!(names.peer, unix("/first"));
    client.connect(second, unix("/s")).await.unwrap();
    let (_, names) = client.accept_now(listener).await.unwrap();
    assert_eq!(names.peer, unnamed());
}

#[tokio::test]
async fn datagrams_tell_who_sent_them_even_after_the_sender_is_gone() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let receiver = server.unix(Kind::Datagram);
    server.bind(receiver, unix("/in")).await.unwrap();
    let unnamed = client.unix(Kind::Datagram);
    let named = client.unix(Kind::Datagram);
    client.bind(named, unix("\0named")).await.unwrap();
    for (sender, payload) in [(unnamed, &b"one"[..]), (named, b""), (named, b"three")] {
        let to = unix("/in");
        let sent = client.deliver(sender, &to, payload, Patience::Wait).await;
        assert_eq!(sent, Ok(()));
    }
    client.close(named);
    client.sync().await;
    for (from, payload) in [
        (Address::Unspecified, &b"one"[..]),
        (unix("\0named"), b""),
        (unix("\0named"), b"three"),
    ] {
        assert_eq!(server.recv_from(receiver).await, (from, payload.to_vec()));
    }
}

#[tokio::test]
async fn a_datagram_that_nobody_takes_says_why() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let sender = client.unix(Kind::Datagram);
    let mut sent = Vec::new();
    for to in [unix("/nobody"), unix("\0nobody"), Address::Unspecified] {
        sent.push(client.deliver(sender, &to, b"x", Patience::Wait).await);
    }
    assert_eq!(
        sent,
        [
            Err(Errno::ENOENT),
            Err(Errno::ECONNREFUSED),
            Err(Errno::ENOTCONN)
        ]
    );
    client.unix_listener("/stream").await;
    let to = unix("/stream");
    let sent = client.deliver(sender, &to, b"x", Patience::Wait).await;
    assert_eq!(sent, Err(Errno::EPROTOTYPE));
}

/// The receiver's credit is used up, then its queue on the relay's machine; from then on senders wait.
#[tokio::test]
async fn a_full_receiver_makes_the_sender_wait() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let receiver = server.unix(Kind::Datagram);
    server.bind(receiver, unix("/in")).await.unwrap();
    let sender = client.unix(Kind::Datagram);
    let to = unix("/in");
    let mut count = 0_u32;
    loop {
        let mut payload = vec![0; 4096];
        payload[..4].copy_from_slice(&count.to_le_bytes());
        match client.deliver(sender, &to, &payload, Patience::Now).await {
            Ok(()) => count += 1,
            Err(errno) => break assert_eq!(errno, Errno::EAGAIN),
        }
        assert!(count < 1000, "nothing stops the sender");
    }
    let last = async {
        let payload = [&count.to_le_bytes()[..], &[0; 4092]].concat();
        client.deliver(sender, &to, &payload, Patience::Wait).await
    };
    let read = async {
        for number in 0..=count {
            let (_, payload) = server.recv_from(receiver).await;
            assert_eq!(payload[..4], number.to_le_bytes());
        }
    };
    let (sent, ()) = tokio::join!(last, read);
    assert_eq!(sent, Ok(()));
}

#[tokio::test]
async fn a_datagram_that_waits_can_be_withdrawn() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let [sender, receiver] = client.pair(Kind::Datagram);
    let to = Address::Unspecified;
    let mut sent = 0;
    while client.deliver(sender, &to, b"full", Patience::Now).await == Ok(()) {
        sent += 1;
        assert!(sent < 10_000, "nothing stops the sender");
    }
    let waiting = client.begin_delivery(sender, &to, b"late").await;
    let withdrawn = client.delivered(sender, Patience::Now).await;
    assert_eq!(withdrawn, Err(Errno::EAGAIN));
    assert_eq!(client.nothing(waiting).await, Err(Errno::EAGAIN));
    for _ in 0..sent {
        assert_eq!(client.recv_from(receiver).await.1, b"full");
    }
    let delivered = client.deliver(sender, &to, b"next", Patience::Wait).await;
    assert_eq!(delivered, Ok(()));
    assert_eq!(client.recv_from(receiver).await.1, b"next");
}

#[tokio::test]
async fn a_pair_is_connected_without_a_round_trip() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let [one, other] = client.pair(Kind::Stream);
    client.send(one, b"hello").await.unwrap();
    assert_eq!(client.recv_exactly(other, 5).await.unwrap(), b"hello");
    client.send(other, b"you").await.unwrap();
    assert_eq!(client.recv_exactly(one, 3).await.unwrap(), b"you");
    let names = client.names(one).await.unwrap();
    assert_eq!((names.local, names.peer), (unnamed(), unnamed()));
    client.close(one);
    assert_eq!(client.recv(other, 1).await, Ok(Vec::new()));
    client.until_hung_up(other).await;

    let [one, other] = client.pair(Kind::Datagram);
    let to = Address::Unspecified;
    for payload in [&b"a"[..], b"", b"bc"] {
        let sent = client.deliver(one, &to, payload, Patience::Wait).await;
        assert_eq!(sent, Ok(()));
        assert_eq!(client.recv_from(other).await.1, payload);
    }
    client.close(other);
    let sent = client.deliver(one, &to, b"x", Patience::Wait).await;
    assert_eq!(sent, Err(Errno::ECONNREFUSED));
}

#[tokio::test]
async fn what_was_sent_before_the_peer_went_is_still_read() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let [one, other] = client.pair(Kind::Stream);
    let bytes = pattern(100_000);
    client.send(one, &bytes).await.unwrap();
    client.close(one);
    client.sync().await;
    // Nobody reads it, which must not spoil what is there.
    client.send(other, b"anybody?").await.unwrap();
    client.until_hung_up(other).await;
    assert!(client.recv_to_the_end(other).await.unwrap() == bytes);
}

/// Linux tells a peer of data that was never read, after what it was sent itself (`unix_release_sock`).
#[tokio::test]
async fn closing_with_unread_data_resets_the_peer() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.unix_listener("/s").await;
    for (server_goes, says_goodbye) in [(true, false), (true, true), (false, false)] {
        let called = client.unix(Kind::Stream);
        client.connect(called, unix("/s")).await.unwrap();
        let accepted = server.accept(listener).await;
        let (gone, left) = match server_goes {
            true => ((&mut server, accepted), (&mut client, called)),
            false => ((&mut client, called), (&mut server, accepted)),
        };
        let ((goer, going), (stayer, staying)) = (gone, left);
        goer.send(going, b"last words").await.unwrap();
        if says_goodbye {
            goer.shutdown(going, Shutdown::Write);
            goer.sync().await;
            let heard = stayer.recv_to_the_end(staying).await.unwrap();
            assert_eq!(heard, b"last words");
            goer.abort(going);
            goer.sync().await;
            assert_eq!(stayer.failure(staying).await, Errno::ECONNRESET);
        } else {
            goer.abort(going);
            goer.sync().await;
            let heard = stayer.recv_exactly(staying, 10).await.unwrap();
            assert_eq!(heard, b"last words");
            let end = stayer.recv(staying, 1).await;
            assert_eq!(end, Err(Errno::ECONNRESET));
        }
        stayer.until_hung_up(staying).await;
    }
}

#[tokio::test]
async fn an_end_of_a_pair_that_leaves_data_resets_the_other() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let [one, other] = client.pair(Kind::Stream);
    client.abort(one);
    assert_eq!(client.recv(other, 1).await, Err(Errno::ECONNRESET));
}

#[tokio::test]
async fn a_directory_tells_its_sockets() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    server.change_directory("/run");
    for name in ["b", "a", "deep/c", "/run2/d", "\0abstract"] {
        server.unix_listener(name).await;
    }
    assert_eq!(client.entries("/run").await, ["a", "b"]);
    assert_eq!(client.entries("/run/").await, ["a", "b"]);
    assert_eq!(server.entries("deep").await, ["c"]);
    assert_eq!(client.entries("/").await, [""; 0]);
    let mut bob = Client::join_as(&relay, &lab, "bob", "program").await;
    assert_eq!(bob.entries("/run").await, [""; 0]);
}

#[tokio::test]
async fn a_renamed_path_leads_to_the_same_socket() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    server.unix_listener("/old").await;
    let listener = server.unix_listener("/new").await;
    client.change_directory("/");
    let to = Act::Rename(b"old".to_vec());
    let node = client.node("new", to).await.unwrap();
    assert_eq!(client.entries("/").await, ["old"]);
    assert_eq!(
        server.node("/old", Act::Look).await.unwrap().inode,
        node.inode
    );
    let socket = client.unix(Kind::Stream);
    let names = client.connect(socket, unix("/old")).await.unwrap();
    // A name is what the socket was bound to, wherever its path went.
    assert_eq!(names.peer, unix("/new"));
    server.accept(listener).await;
    let long = Act::Rename([b'x'; 109].to_vec());
    assert_eq!(client.node("/old", long).await, Err(Errno::ENAMETOOLONG));
}

#[tokio::test]
async fn options_of_other_levels_are_not_supported() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let sockets = [client.unix(Kind::Stream), client.unix(Kind::Datagram)];
    for socket in sockets {
        // `IP_TTL`, `TCP_NODELAY`, `IPV6_V6ONLY`, and a level that there is not.
        for (level, name) in [(0, 2), (6, 1), (41, 26), (7777, 1)] {
            let got = client.option(socket, level, name).await;
            assert_eq!(got, Err(Errno::EOPNOTSUPP));
            let set = client.set_option(socket, level, name, 1).await;
            assert_eq!(set, Err(Errno::EOPNOTSUPP));
        }
        let (level, unknown) = (1, 7777);
        let got = client.option(socket, level, unknown).await;
        assert_eq!(got, Err(Errno::ENOPROTOOPT));
    }
}
