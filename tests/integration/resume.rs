//! A lost connection is resumed, and nobody notices more than a pause.

use std::time::Duration;

use protocol::limits::{MAX_UNACKED, MAX_WINDOW};
use protocol::{ClientMessage, Refusal, Resume, ServerMessage, Shutdown, Token};
use relay::Options;
use tests::{Client, Detour, Dial, TestRelay, Way, local};

use crate::{http::kill, pattern::pattern};

/// A relay that soon gives up a connection or a process.
async fn hasty(grace: Duration) -> TestRelay {
    TestRelay::with(Options {
        silence: Duration::from_millis(600),
        ping: Duration::from_millis(200),
        grace,
        ..Options::default()
    })
    .await
}

const LONG: Duration = Duration::from_secs(600);

/// Sends everything that the credit allows, and then the rest, while reading what comes back.
async fn speak(client: &mut Client, connection: protocol::SocketId, bytes: &[u8]) -> Vec<u8> {
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
}

async fn echo(server: &mut Client, accepted: protocol::SocketId) {
    loop {
        let data = server.recv(accepted, usize::MAX).await.unwrap();
        if data.is_empty() {
            return server.close(accepted);
        }
        server.send(accepted, &data).await.unwrap();
    }
}

/// Cuts the way again and again until the deed is done: within the handshake, within a header, within a frame, and
/// where they meet.
async fn with_cuts<T>(detour: &Detour, deed: impl Future<Output = T>) -> T {
    let cutting = async {
        for round in 0_u64.. {
            let way = if round % 3 == 1 { Way::Up } else { Way::Down };
            let bytes = [700_000, 1, 100, 400, 1_000_000, 300, 65_000, 217, 250_007];
            let bytes = bytes[usize::try_from(round).unwrap() % bytes.len()] + round;
            let before = detour.cuts();
            detour.cut_after(way, bytes);
            let cut = async || (before < detour.cuts()).then_some(());
            tests::eventually(LONG, cut).await.unwrap();
        }
    };
    tokio::select! {
        done = deed => done,
        () = cutting => unreachable!("there is no last cut"),
    }
}

#[tokio::test]
async fn an_echo_goes_on_however_often_and_wherever_both_connections_are_cut() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let [near, far] = [Detour::to(&relay).await, Detour::to(&relay).await];
    let mut server = Client::join_by(&far, &lab).await;
    let mut client = Client::join_by(&near, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    let bytes = pattern(24 << 20);
    let back = {
        let talk = async {
            tokio::join!(
                speak(&mut client, connection, &bytes),
                echo(&mut server, accepted)
            )
            .0
        };
        Box::pin(with_cuts(&near, with_cuts(&far, talk))).await
    };
    assert!(back == bytes, "the echo differs");
    let metrics = relay.metrics();
    assert_eq!(metrics.bytes_sent(), 2.0 * bytes.len() as f64);
    assert_eq!(metrics.bytes_received(), 2.0 * bytes.len() as f64);
    assert!(
        10.0 < metrics.sum("socketpad_resumes_total", &[]),
        "{metrics:#?}"
    );
    assert_eq!(metrics.sum("socketpad_resume_failures_total", &[]), 0.0);
}

#[tokio::test]
async fn calls_are_answered_once_through_cuts() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let detour = Detour::to(&relay).await;
    let mut client = Client::join_by(&detour, &lab).await;
    // The client panics if a call is answered twice, and waits in vain if one is not.
    for port in 9000..9100 {
        detour.cut_after(
            if port % 2 == 0 { Way::Up } else { Way::Down },
            u64::from(port % 23),
        );
        let socket = client.udp();
        client.bind(socket, local(port)).await.unwrap();
        client.sync().await;
        client.close(socket);
    }
    assert!(10.0 < relay.metrics().sum("socketpad_resumes_total", &[]));
}

#[tokio::test]
async fn peers_notice_nothing_while_a_process_is_away() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let detour = Detour::to(&relay).await;
    let mut away = Client::join_by(&detour, &lab).await;
    let listener = away.listener(8888).await;
    let mailbox = away.receiver(9000).await;
    let mut peer = Client::join(&relay, &lab).await;
    let before = peer.connected(8888).await;
    let first = away.accept(listener).await;
    detour.shut();
    detour.cut();
    relay.until("the process is away", is_waiting).await;
    let during = peer.connected(8888).await;
    let bytes = pattern(100_000);
    peer.send(before, &bytes).await.unwrap();
    peer.send(during, b"you were away").await.unwrap();
    peer.sync().await;
    assert_eq!(relay.metrics().sockets(), 5.0);
    assert_eq!(relay.metrics().processes(), 2.0);
    detour.open();
    let second = away.accept(listener).await;
    assert!(away.recv_exactly(first, bytes.len()).await.unwrap() == bytes);
    assert_eq!(
        away.recv_exactly(second, 13).await.unwrap(),
        b"you were away"
    );
    assert_eq!(relay.metrics().sum("socketpad_processes_waiting", &[]), 0.0);
    away.close(mailbox);
}

fn is_waiting(metrics: &tests::Metrics) -> bool {
    metrics.sum("socketpad_processes_waiting", &[]) == 1.0
}

fn failures(relay: &TestRelay, reason: &str) -> f64 {
    relay
        .metrics()
        .sum("socketpad_resume_failures_total", &[("reason", reason)])
}

#[tokio::test]
async fn after_the_grace_time_everything_is_gone() {
    let relay = hasty(Duration::from_millis(300)).await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    client.listener(8888).await;
    assert_eq!(client.session().unwrap().grace_seconds, 1);
    client.cut();
    relay.until("the process is away", is_waiting).await;
    assert_eq!(relay.metrics().sockets(), 1.0);
    relay.until_empty().await;
    assert_eq!(failures(&relay, "late"), 1.0);
    assert_eq!(client.resume().await, Err(Refusal::Gone));
    assert_eq!(failures(&relay, "unknown"), 1.0);
}

#[tokio::test]
async fn without_a_grace_time_a_lost_process_ends_at_once() {
    let relay = TestRelay::with(Options {
        grace: Duration::ZERO,
        ..Options::default()
    })
    .await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    client.listener(8888).await;
    assert_eq!(client.session(), None);
    client.cut();
    relay.until_empty().await;
    assert_eq!(failures(&relay, "late"), 0.0);
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_changes_nothing() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let mut client = Client::join(&relay, &lab).await;
    let listener = client.listener(8888).await;
    let wrong = client.resumption(Some(Token([0; 16])));
    for lab in [&lab, &relay.lab()] {
        let mut wire = Dial::to(&relay, lab).open().await.unwrap();
        wire.send_message(&wrong);
        let said = wire.messages_to_the_end().await;
        assert_eq!(said, [ServerMessage::Refused(Refusal::Gone)]);
    }
    assert_eq!(failures(&relay, "token"), 1.0);
    assert_eq!(failures(&relay, "unknown"), 1.0);
    client.connected(8888).await;
    client.accept(listener).await;
}

#[tokio::test]
async fn a_killed_process_does_not_come_back() {
    let relay = hasty(LONG).await;
    let lab = relay.lab();
    let mut client = Client::join(&relay, &lab).await;
    client.listener(8888).await;
    client.cut();
    relay.until("the process is away", is_waiting).await;
    let own = relay.address().to_string();
    let answer = kill(&relay, &lab, client.welcome().pid, &own).await;
    assert!(answer.starts_with("http/1.1 204 "), "{answer}");
    let took = relay.until_empty().await;
    assert!(took < Duration::from_secs(1), "it took {took:?}");
    assert_eq!(client.resume().await, Err(Refusal::Gone));
}

#[tokio::test]
async fn the_newest_connection_is_the_sessions() {
    let relay = hasty(LONG).await;
    let lab = relay.lab();
    let detour = Detour::to(&relay).await;
    let mut client = Client::join_by(&detour, &lab).await;
    let listener = client.listener(8888).await;
    // Nobody tells the relay that the old connection leads nowhere.
    detour.fall_silent();
    client.move_to(relay.address(), &lab);
    client.resume().await.unwrap();
    client.connected(8888).await;
    client.accept(listener).await;
    let metrics = relay.metrics();
    assert_eq!(metrics.sum("socketpad_resumes_total", &[]), 1.0);
    assert_eq!(metrics.processes(), 1.0);
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_lost_and_can_be_resumed() {
    let relay = hasty(LONG).await;
    let lab = relay.lab();
    let detour = Detour::to(&relay).await;
    let mut client = Client::join_by(&detour, &lab).await;
    let listener = client.listener(8888).await;
    detour.fall_silent();
    relay.until("the process is away", is_waiting).await;
    detour.open();
    client.connected(8888).await;
    client.accept(listener).await;
    assert_eq!(relay.metrics().refusals("silent"), 0.0);
}

#[tokio::test]
async fn what_is_not_acknowledged_is_bounded_and_kept() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    client.never_acknowledge();
    let bytes = pattern(24 << 20);
    let send = async {
        server.send(accepted, &bytes).await.unwrap();
        server.shutdown(accepted, Shutdown::Write);
        server.flush();
    };
    let receive = async {
        // It reads and grants as it should, but says nothing of what has arrived.
        let first = client
            .recv_exactly(connection, MAX_UNACKED - 500_000)
            .await
            .unwrap();
        let mut calm = 0;
        let mut carried = relay.metrics().bytes_received();
        while calm < 50 {
            client.sync().await;
            let now = relay.metrics().bytes_received();
            calm = if now == carried { calm + 1 } else { 0 };
            carried = now;
        }
        assert!(carried < (MAX_UNACKED + 100_000) as f64, "{carried}");
        // Coming back says what has arrived.
        let mut back = first;
        while back.len() < bytes.len() {
            client.resume().await.unwrap();
            let wanted = (bytes.len() - back.len()).min(usize::try_from(MAX_WINDOW).unwrap());
            back.extend(client.recv_exactly(connection, wanted).await.unwrap());
        }
        back
    };
    let ((), back) = tokio::join!(send, receive);
    assert!(back == bytes, "what arrived differs");
}

#[tokio::test]
async fn what_was_sent_before_goodbye_is_delivered_through_cuts() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let detour = Detour::to(&relay).await;
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join_by(&detour, &lab).await;
    let listener = server.listener(8888).await;
    let connection = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    let bytes = pattern(3 << 20);
    let send = with_cuts(&detour, async {
        client.send(connection, &bytes).await.unwrap();
        client.goodbye().await;
    });
    let (received, ()) = tokio::join!(server.recv_to_the_end(accepted), send);
    assert!(received.unwrap() == bytes);
}

#[tokio::test]
async fn a_count_that_cannot_be_ends_the_process() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let mut client = Client::join(&relay, &lab).await;
    client.listener(8888).await;
    let ClientMessage::Resume(resume) = client.resumption(None) else {
        unreachable!()
    };
    let mut wire = Dial::to(&relay, &lab).open().await.unwrap();
    wire.send_message(&ClientMessage::Resume(Resume {
        received: u64::MAX,
        ..resume
    }));
    let said = wire.messages_to_the_end().await;
    assert!(
        matches!(said[..], [ServerMessage::Refused(Refusal::Protocol(_))]),
        "{said:?}"
    );
    relay.until_empty().await;
}

#[tokio::test]
async fn a_relay_that_stops_waits_for_nobody() {
    let mut relay = hasty(LONG).await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    client.listener(8888).await;
    client.cut();
    relay.until("the process is away", is_waiting).await;
    relay.ask_to_stop();
    relay.stopped().await;
    assert_eq!(relay.metrics().sockets(), 0.0);
}

#[tokio::test]
async fn a_connection_that_is_left_for_another_is_no_end() {
    let relay = hasty(LONG).await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listener = client.listener(8888).await;
    client.leave();
    relay.until("the process is away", is_waiting).await;
    client.resume().await.unwrap();
    client.connected(8888).await;
    client.accept(listener).await;
}

#[tokio::test]
async fn a_connection_of_an_earlier_attempt_changes_nothing() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let mut client = Client::join(&relay, &lab).await;
    let listener = client.listener(8888).await;
    let overtaken = client.resumption(None);
    client.resume().await.unwrap();
    let mut late = Dial::to(&relay, &lab).open().await.unwrap();
    late.send_message(&overtaken);
    assert_eq!(late.messages_to_the_end().await, []);
    client.connected(8888).await;
    client.accept(listener).await;
    assert_eq!(relay.metrics().sum("socketpad_resumes_total", &[]), 1.0);
}
