//! What strangers may use up, and what they are told when it is used up.

use std::time::{Duration, Instant};

use protocol::{Errno, Refusal};
use relay::{Limits, Options};
use tests::{Ask, Client, Dial, TestRelay, local};

fn limits(change: impl FnOnce(&mut Limits)) -> Options {
    let mut options = Options::default();
    change(&mut options.limits);
    options
}

#[tokio::test]
async fn one_client_cannot_take_all_labs() {
    let mut options = limits(|limits| limits.labs_per_client = 1);
    options.access.proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let relay = TestRelay::with(options).await;
    let (first, second) = (relay.lab(), relay.lab());
    let dial = |lab, client: &str| Dial {
        headers: vec![("X-Forwarded-For".to_owned(), client.to_owned())],
        ..Dial::to(&relay, lab)
    };
    let _own = Client::begin(dial(&first, "192.0.2.1"), "desk", "one")
        .await
        .unwrap();
    let further = Client::begin(dial(&second, "192.0.2.1"), "desk", "two").await;
    let Refusal::Full(sentence) = further.unwrap_err() else {
        panic!("another refusal")
    };
    assert!(sentence.contains("your address"), "{sentence}");
    // A forged first entry changes nothing, and another client is not concerned.
    let forged = Client::begin(dial(&second, "127.0.0.1, 192.0.2.1"), "desk", "x").await;
    assert!(forged.is_err());
    Client::begin(dial(&second, "192.0.2.2"), "desk", "three")
        .await
        .unwrap();
    assert_eq!(relay.metrics().refusals("full"), 2.0);
}

#[tokio::test]
async fn who_is_no_trusted_proxy_is_not_believed() {
    let relay = TestRelay::with(limits(|limits| limits.labs_per_client = 1)).await;
    let (first, second) = (relay.lab(), relay.lab());
    let _own = Client::join(&relay, &first).await;
    let dial = Dial {
        headers: vec![("X-Forwarded-For".to_owned(), "192.0.2.1".to_owned())],
        ..Dial::to(&relay, &second)
    };
    let refused = Client::begin(dial, "desk", "two").await;
    assert!(matches!(refused.unwrap_err(), Refusal::Full(_)));
}

#[tokio::test]
async fn a_lab_that_holds_enough_has_no_room_for_another_socket() {
    let room = protocol::limits::INITIAL_CREDIT;
    let relay = TestRelay::with(limits(|limits| limits.lab_buffer = 4 * room)).await;
    let lab = relay.lab();
    let mut one = Client::join(&relay, &lab).await;
    let mut other = Client::join(&relay, &lab).await;
    let listener = one.listener(8888).await;
    let first = other.connected(8888).await;
    let second = other.connected(8888).await;
    let accepted = one.accept(listener).await;
    let full = one.tcp();
    assert_eq!(one.bind(full, local(0)).await, Err(Errno::ENOBUFS));
    assert_eq!(one.accept_now(listener).await.unwrap_err(), Errno::ENOBUFS);
    // What is there goes on, and another lab is not concerned.
    other.send(first, b"still here").await.unwrap();
    assert_eq!(one.recv_exactly(accepted, 10).await.unwrap(), b"still here");
    Client::join(&relay, &relay.lab())
        .await
        .listener(8888)
        .await;
    other.close(second);
    other.sync().await;
    one.accept(listener).await;
    // However a process ends, its part is free again.
    drop(other);
    relay
        .until("the process is gone", |metrics| metrics.processes() == 1.0)
        .await;
    let again = one.tcp();
    one.bind(again, local(0)).await.unwrap();
}

#[tokio::test]
async fn a_fast_process_is_slowed_down_and_loses_nothing() {
    const RATE: u64 = 4 * 1024 * 1024;
    let relay = TestRelay::with(limits(|limits| limits.rate = RATE)).await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let listener = client.listener(8888).await;
    let sender = client.connected(8888).await;
    let receiver = client.accept(listener).await;
    let begin = Instant::now();
    let piece: Vec<u8> = (0..64 * 1024).map(|at| (at % 251) as u8).collect();
    // Every byte counts twice: on its way in, and on its way out.
    for _ in 0..48 {
        client.send(sender, &piece).await.unwrap();
        let echoed = client.recv_exactly(receiver, piece.len()).await.unwrap();
        assert!(echoed == piece);
    }
    // 6 MiB at 4 MiB a second, less what may be saved up for a burst of a quarter of a second.
    assert!(Duration::from_millis(1200) < begin.elapsed());
    assert!(0.0 < relay.metrics().sum("socketpad_pauses_total", &[]));
}

#[tokio::test]
async fn a_program_that_does_nothing_is_ended_though_its_browser_answers_pings() {
    let relay = TestRelay::with(Options {
        ping: Duration::from_millis(50),
        ..limits(|limits| limits.idle = Duration::from_millis(400))
    })
    .await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    client.listener(8888).await;
    assert_eq!(client.refusal().await, Refusal::Idle(1));
    assert_eq!(relay.metrics().refusals("idle"), 1.0);
    relay.until_empty().await;
}

#[tokio::test]
async fn a_lab_is_ended_when_its_time_is_up() {
    let relay = TestRelay::with(limits(|limits| {
        limits.lab_life = Duration::from_millis(300);
    }))
    .await;
    let lab = relay.lab();
    let mut one = Client::join_as(&relay, &lab, "desk", "one").await;
    let mut other = Client::join_as(&relay, &lab, "bob", "other").await;
    assert!(matches!(one.refusal().await, Refusal::Expired(_)));
    assert!(matches!(other.refusal().await, Refusal::Expired(_)));
    relay.until_empty().await;
}

#[tokio::test]
async fn a_lab_outlives_its_last_process_for_the_time_of_grace() {
    let relay = TestRelay::exactly(limits(|limits| limits.grace = Duration::from_secs(60))).await;
    let lab = relay.lab();
    let first = Client::join_as(&relay, &lab, "bob", "first").await;
    let address = first.welcome().addresses.clone();
    first.goodbye().await;
    relay
        .until("the process is gone", |metrics| metrics.processes() == 0.0)
        .await;
    assert_eq!(
        (relay.metrics().labs(), relay.metrics().hosts()),
        (1.0, 1.0)
    );
    let mut second = Client::join_as(&relay, &lab, "desk", "second").await;
    assert_eq!(second.resolve("bob").await.unwrap(), address);

    let brief = TestRelay::exactly(limits(|limits| limits.grace = Duration::from_millis(50))).await;
    drop(Client::join(&brief, &brief.lab()).await);
    brief.until_empty().await;
}

#[tokio::test]
async fn a_hello_may_not_take_long() {
    let relay = TestRelay::with(limits(|limits| limits.hello = Duration::from_millis(50))).await;
    let mut wire = Dial::to(&relay, &relay.lab()).open().await.unwrap();
    assert_eq!(
        wire.messages_to_the_end().await,
        [protocol::ServerMessage::Refused(Refusal::NoHello)]
    );
}

#[tokio::test]
async fn a_request_may_not_take_long() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let relay = TestRelay::with(limits(|limits| limits.head = Duration::from_millis(50))).await;
    let mut stream = tokio::net::TcpStream::connect(relay.address())
        .await
        .unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut answer = Vec::new();
    // The relay hangs up.
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 2"));
}

#[tokio::test]
async fn a_lab_is_revoked_with_all_its_processes() {
    let relay = TestRelay::start().await;
    let (lab, other) = (relay.lab(), relay.lab());
    let mut one = Client::join_as(&relay, &lab, "desk", "one").await;
    let mut two = Client::join_as(&relay, &lab, "bob", "two").await;
    let mut neighbour = Client::join(&relay, &other).await;
    let revoke = Ask::to(&relay, "DELETE", &format!("/api/v1/labs/{lab}"));
    let foreign = revoke.clone().from(Some("http://elsewhere.example"));
    assert_eq!(foreign.send(&relay).await.status, 403);
    assert_eq!(revoke.send(&relay).await.status, 204);
    assert_eq!(one.refusal().await, Refusal::Revoked);
    assert_eq!(two.refusal().await, Refusal::Revoked);
    relay
        .until("the lab is gone", |metrics| metrics.labs() == 1.0)
        .await;
    assert_eq!(revoke.send(&relay).await.status, 404);
    neighbour.listener(8888).await;
}
