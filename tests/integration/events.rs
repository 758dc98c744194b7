//! What a viewer is told of a lab.

use std::time::{Duration, Instant, SystemTime};

use protocol::event::{Call, CallReport, Direction, Event, Record, Report, Watch};
use protocol::{Address, ClientMessage, Errno, SocketId};
use tests::{Ask, Client, TestRelay, Viewer, at, local};

/// Looks for a call of a process.
fn call_of(pid: u32, wanted: Call) -> impl FnMut(&Record) -> Option<(i64, Address, SocketId)> {
    move |record| match &record.event {
        Event::Called {
            pid: by,
            call,
            result,
            address,
            socket,
            ..
        } if *by == pid && *call == wanted => Some((*result, address.clone(), *socket)),
        _ => None,
    }
}

fn start_of(record: &Record) -> Option<(u32, String)> {
    match &record.event {
        Event::Started { pid, name, .. } => Some((*pid, name.as_str().to_owned())),
        _ => None,
    }
}

#[tokio::test]
async fn a_viewer_sees_processes_calls_and_bytes() {
    let relay = crate::relay().await;
    let lab = relay.lab();
    let before = Client::join_as(&relay, &lab, "bob", "before").await;
    let mut viewer = Viewer::of(&relay, &lab).await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let anchor = viewer.next().await.unwrap();
    let Event::Anchor { unix_micros } = anchor.event else {
        panic!("{anchor:?}")
    };
    let apart = u128::from(unix_micros + anchor.at).abs_diff(now.unwrap().as_micros());
    assert!(apart < 5_000_000, "{apart}");
    let started = viewer.until("a start", start_of).await;
    assert_eq!(started, (before.welcome().pid, "before".to_owned()));

    let mut server = Client::join_as(&relay, &lab, "desk", "server").await;
    let started = viewer.until("a start", start_of).await;
    let pid = server.welcome().pid;
    assert_eq!(started, (pid, "server".to_owned()));
    let listener = server.listener(8888).await;
    viewer.until("socket", call_of(pid, Call::Socket)).await;
    let bound = viewer.until("bind", call_of(pid, Call::Bind)).await;
    assert_eq!(bound, (0, local(8888), listener));
    viewer.until("listen", call_of(pid, Call::Listen)).await;

    let mut client = Client::join_as(&relay, &lab, "desk", "client").await;
    let caller = client.welcome().pid;
    let refused = client.tcp();
    client.connect(refused, local(1)).await.unwrap_err();
    let (result, address, _) = viewer
        .until("connect", call_of(caller, Call::Connect))
        .await;
    assert_eq!(result, -i64::from(Errno::ECONNREFUSED.0));
    assert_eq!(address, local(1));
    let socket = client.connected(8888).await;
    let accepted = server.accept(listener).await;
    let (result, peer, _) = viewer.until("accept", call_of(pid, Call::Accept)).await;
    assert_eq!(result, 0);
    assert!(matches!(peer, Address::Inet { .. }), "{peer:?}");

    client.send(socket, &[b'x'; 1000]).await.unwrap();
    server.recv_exactly(accepted, 1000).await.unwrap();
    for (by, way, of) in [
        (caller, Direction::Sent, socket),
        (pid, Direction::Received, accepted),
    ] {
        let seen = viewer.until("bytes", |record| match &record.event {
            Event::Carried {
                pid,
                socket,
                direction,
                bytes,
                preview,
                ..
            } if (*pid, *socket, *direction) == (by, of, way) => Some((*bytes, preview.clone())),
            _ => None,
        });
        assert_eq!(seen.await, (1000, vec![b'x'; 64]));
    }

    let receiver = server.receiver(9999).await;
    let sender = client.udp();
    let to = at([127, 0, 0, 1].into(), 9999);
    client.send_to(sender, &to, b"datagram").await;
    server.recv_from(receiver).await;
    let seen = viewer.until("a datagram", |record| match &record.event {
        Event::Carried {
            direction: Direction::Sent,
            address,
            preview,
            socket,
            ..
        } if *socket == sender => Some((address.clone(), preview.clone())),
        _ => None,
    });
    assert_eq!(seen.await, (to, b"datagram".to_vec()));

    client.goodbye().await;
    let ended = viewer.until("an exit", |record| match &record.event {
        Event::Exited { pid, reason } => Some((*pid, reason.clone())),
        _ => None,
    });
    assert_eq!(ended.await, (caller, None));
    let path = format!("/api/v1/labs/{lab}");
    Ask::to(&relay, "DELETE", &path).send(&relay).await;
    // The stream ends with the lab.
    while viewer.next().await.is_some() {}
    drop((server, before));
    relay.until_empty().await;
}

#[tokio::test]
async fn time_only_goes_forward() {
    let relay = crate::relay().await;
    let lab = relay.lab();
    let mut viewer = Viewer::of(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    for port in 8000..8020 {
        client.listener(port).await;
    }
    client.goodbye().await;
    let mut last = 0;
    while let Some(record) = viewer.next().await {
        assert!(last <= record.at, "{record:?}");
        last = record.at;
        if matches!(record.event, Event::Exited { .. }) {
            return;
        }
    }
    panic!("the stream ended early")
}

#[tokio::test]
async fn people_may_have_json() {
    let relay = crate::relay().await;
    let lab = relay.lab();
    let origin = format!("http://{}", relay.address());
    let viewer = Viewer::from(&relay, &lab, "?format=json", &origin).await;
    let mut viewer = viewer.unwrap();
    let mut client = Client::join(&relay, &lab).await;
    client.listener(8888).await;
    let pid = client.welcome().pid;
    viewer.until("listen", call_of(pid, Call::Listen)).await;
    let other = Viewer::from(&relay, &lab, "?format=xml", &origin).await;
    assert_eq!(other.unwrap_err(), 400);
}

#[tokio::test]
async fn a_process_is_asked_to_report_only_while_somebody_watches() {
    let relay = crate::relay().await;
    let lab = relay.lab();
    let mut client = Client::join(&relay, &lab).await;
    client.sync().await;
    assert_eq!(client.watched(), Watch::Off);
    let mut viewer = Viewer::of(&relay, &lab).await;
    while client.watched() == Watch::Off {
        client.sync().await;
    }
    // From the first report on, the process's own view is told, and not the relay's beside it.
    client.say(&ClientMessage::Report(Report::default()));
    let listener = client.listener(8888).await;
    client.say(&ClientMessage::Report(Report {
        calls: vec![CallReport {
            socket: listener,
            call: Call::Accept,
            ago: 0,
            micros: 2_000_000,
            result: -4,
        }],
        missed: 3,
    }));
    client.sync().await;
    let mut calls = Vec::new();
    let waited = viewer.until("the accept", |record| match &record.event {
        Event::Called {
            call: Call::Accept,
            micros,
            result,
            ..
        } => Some((*micros, *result)),
        Event::Called { call, .. } => {
            calls.push(*call);
            None
        }
        _ => None,
    });
    assert_eq!(waited.await, (2_000_000, -4));
    assert!(!calls.contains(&Call::Bind), "{calls:?}");
    assert_eq!(viewer.missed(), 3);
    drop(viewer);
    while client.watched() == Watch::On {
        client.sync().await;
    }
}

#[tokio::test]
async fn a_report_that_is_too_long_ends_its_process() {
    let relay = crate::relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let call = CallReport {
        socket: SocketId(0),
        call: Call::Poll,
        ago: u64::MAX,
        micros: u64::MAX,
        result: i64::MIN,
    };
    let _viewer = Viewer::of(&relay, &relay.lab()).await;
    client.say(&ClientMessage::Report(Report {
        calls: vec![call; protocol::event::MAX_REPORTS],
        missed: u64::MAX,
    }));
    client.sync().await;
    client.say(&ClientMessage::Report(Report {
        calls: vec![call; protocol::event::MAX_REPORTS + 1],
        missed: 0,
    }));
    let refusal = client.refusal().await;
    assert!(matches!(refusal, protocol::Refusal::Protocol(_)));
}

/// A viewer that reads nothing while another process sends a lot.
#[tokio::test]
async fn a_viewer_that_does_not_read_slows_nobody_and_is_told_what_it_missed() {
    let mut options = crate::options();
    options.limits.events = 1_000_000;
    let relay = TestRelay::with(options).await;
    let lab = relay.lab();
    let mut viewer = Viewer::of(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let receiver = client.receiver(9999).await;
    let sender = client.udp();
    let begin = Instant::now();
    let to = at([127, 0, 0, 1].into(), 9999);
    // Far more events than the ring keeps, the network takes and a viewer may be behind.
    for _ in 0..40_000 {
        client.send_to(sender, &to, &[b'x'; 64]).await;
        client.recv_from(receiver).await;
    }
    assert!(begin.elapsed() < Duration::from_secs(60));
    client.goodbye().await;
    let mut seen = 0;
    while let Some(record) = viewer.next().await {
        match record.event {
            Event::Carried { .. } => seen += 1,
            Event::Exited { .. } => break,
            _ => {}
        }
    }
    assert!(0 < viewer.missed(), "nothing was left out of {seen}");
    let total = seen + viewer.missed();
    assert!(
        (80_000..80_100).contains(&total),
        "{seen} + {}",
        viewer.missed()
    );
}

#[tokio::test]
async fn what_is_over_the_quota_of_events_is_counted() {
    let mut options = crate::options();
    options.limits.events = 50;
    let relay = TestRelay::with(options).await;
    let lab = relay.lab();
    let mut viewer = Viewer::of(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    for port in 8000..8100 {
        client.listener(port).await;
    }
    let count = viewer.until("a gap", |record| match record.event {
        Event::Missed { count } => Some(count),
        _ => None,
    });
    assert!(0 < count.await);
    let dropped = relay.metrics().sum("socketpad_events_dropped_total", &[]);
    assert!(0.0 < dropped, "{dropped}");
    assert_eq!(relay.metrics().sum("socketpad_viewers", &[]), 1.0);
}
