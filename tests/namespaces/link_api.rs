//! Links as the control plane shows and sets them, and a lab's frames as it hands them out.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Answer, Ask, Client, TestRelay, at, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::relay;

async fn ask(relay: &TestRelay, path: &str) -> Answer {
    Ask::to(relay, "GET", path).send(relay).await
}

async fn set(relay: &TestRelay, path: &str, conditions: &Value) -> Answer {
    let ask = Ask::to(relay, "PUT", path).json(conditions);
    ask.send(relay).await
}

#[tokio::test]
async fn datagrams_vanish_on_a_link_that_is_set_to_lose_all_and_arrive_when_it_is_set_back() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "sender").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "receiver").await;
    let to = at(bob.welcome().addresses[0], 8888);
    let receiver = bob.udp();
    bob.bind(receiver, to.clone()).await.unwrap();
    let path = format!("/api/v1/labs/{lab}/hosts/desk/link");

    let bad = json!({"seed": 7, "from_host": {"loss": 1.0}});
    let answer = set(&relay, &path, &bad).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let conditions = &answer.value()["conditions"];
    assert_eq!(conditions["from_host"]["loss"], 1.0);
    assert_eq!(conditions["to_host"]["loss"], 0.0);
    let sender = desk.udp();
    for number in 1..=3 {
        desk.send_to(sender, &to, &[number]).await;
    }
    let lost = eventually(tests::DEADLINE, async || {
        let link = ask(&relay, &path).await.value();
        (link["counts"]["from_host"]["lost"] == 3).then_some(link)
    });
    let link = desk.listen_during(lost).await.unwrap();
    assert_eq!(&link["conditions"], conditions);

    assert_eq!(set(&relay, &path, &json!({})).await.status, 200);
    desk.send_to(sender, &to, b"hello, bob").await;
    // None of those before comes first.
    assert_eq!(bob.recv_from(receiver).await.1, b"hello, bob");
    let link = ask(&relay, &path).await.value();
    assert_eq!(link["conditions"]["from_host"]["loss"], 0.0);
    assert_eq!(link["counts"]["from_host"]["lost"], 3);
    assert!(
        0 < link["counts"]["from_host"]["passed_frames"]
            .as_u64()
            .unwrap()
    );

    let file = ask(&relay, &format!("/api/v1/labs/{lab}/capture.pcapng")).await;
    assert_eq!(file.status, 200);
    assert_eq!(file.headers["content-type"], "application/x-pcapng");
    let name = &file.headers["content-disposition"];
    assert_eq!(name, "attachment; filename=\"socketpad-testla.pcapng\"");
    assert_eq!(file.headers["content-length"], file.body.len().to_string());
    // The block that every such file begins with.
    assert!(file.body.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]));
    let from_desk_to_bob = [10, 0, 0, 1, 10, 0, 0, 2];
    let name_of_bob = *b"\x0a\x00\x00\x02bob\0";
    for part in [
        &from_desk_to_bob[..],
        &name_of_bob,
        b"hello, bob",
        b"desk:eth0",
        b"lost on the way from desk",
    ] {
        let holds = file.body.windows(part.len()).any(|bytes| bytes == part);
        assert!(holds, "{part:?}");
    }
}

#[tokio::test]
async fn what_is_no_condition_is_refused_with_a_sentence_and_changes_nothing() {
    let relay = relay().await;
    let lab = relay.lab();
    let _desk = Client::join_as(&relay, &lab, "desk", "idle").await;
    let path = format!("/api/v1/labs/{lab}/hosts/desk/link");
    let before = json!({"from_host": {"latency_us": 1000}});
    let set_before = set(&relay, &path, &before).await.value();
    for (body, status, part) in [
        (r#"{"to_host":{"loss":1.5}}"#, 422, "from 0 to 1"),
        (r#"{"to_host":{"latency_us":10000001}}"#, 422, "10 seconds"),
        (r#"{"to_host":{"los":0.5}}"#, 422, "unknown field"),
        (r#"{"to_host":"#, 400, "JSON"),
        (&" ".repeat(20_000), 413, "limit"),
    ] {
        let mut ask = Ask::to(&relay, "PUT", &path).json(&json!({}));
        ask.body = body.to_owned();
        let answer = ask.send(&relay).await;
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let sentence = answer.value()["detail"].as_str().unwrap().to_owned();
        assert!(sentence.contains(part), "{sentence}");
    }
    let untyped = Ask::to(&relay, "PUT", &path).send(&relay).await;
    assert_eq!(untyped.status, 415);
    let foreign = Ask::to(&relay, "PUT", &path).json(&json!({}));
    let foreign = foreign.from(Some("http://elsewhere.example"));
    assert_eq!(foreign.send(&relay).await.status, 403);
    let after = ask(&relay, &path).await.value();
    assert_eq!(after["conditions"], set_before["conditions"]);
}

#[tokio::test]
async fn conditions_that_do_not_come_are_not_waited_for() {
    let mut options = crate::options();
    options.limits.head = Duration::from_millis(100);
    let relay = TestRelay::with(options).await;
    let lab = relay.lab();
    let _desk = Client::join_as(&relay, &lab, "desk", "idle").await;
    let path = format!("/api/v1/labs/{lab}/hosts/desk/link");
    let mut stream = TcpStream::connect(relay.address()).await.unwrap();
    // More is announced than is said.
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let answered = tokio::time::timeout(tests::DEADLINE, stream.read_to_end(&mut answer));
    answered.await.expect("an answer in time").unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("the conditions did not come"), "{answer}");
}

#[tokio::test]
async fn a_file_on_its_way_counts_as_what_its_lab_makes_the_relay_hold() {
    const BUFFER: u64 = 64 << 10;
    let mut options = crate::options();
    options.limits.grace = Duration::from_secs(60);
    options.limits.lab_buffer = BUFFER;
    let relay = TestRelay::exactly(options.clone()).await;
    let host = format!("/api/v1/labs/{}/hosts/desk", relay.lab());
    let file = host.replace("hosts/desk", "capture.pcapng");
    let made = Ask::to(&relay, "PUT", &host).send(&relay).await;
    assert_eq!(made.status, 201);
    // More in all than may be held at once: each is given back.
    let mut bytes = 0;
    while bytes <= BUFFER {
        let answer = ask(&relay, &file).await;
        assert_eq!(answer.status, 200, "after {bytes} bytes");
        bytes += answer.body.len() as u64;
    }

    options.limits.lab_buffer = 1;
    let relay = TestRelay::exactly(options).await;
    let made = Ask::to(&relay, "PUT", &host).send(&relay).await;
    assert_eq!(made.status, 201);
    for path in [&file, &file, &format!("{file}?follow=1")] {
        let answer = ask(&relay, path).await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.headers["retry-after"], "30");
    }
}

/// Asks for a file that grows, and says with what status it begins.
async fn follow(relay: &TestRelay, path: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(relay.address()).await.unwrap();
    let request = format!("GET {path}?follow=1 HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    let status = String::from_utf8_lossy(&status[9..]).into_owned();
    (stream, status)
}

#[tokio::test]
async fn who_follows_a_record_takes_of_what_its_lab_may_make_the_relay_hold_and_gives_it_back() {
    let mut options = crate::options();
    options.limits.grace = Duration::from_secs(60);
    // As much as one who follows takes.
    options.limits.lab_buffer = 384 << 10;
    let relay = TestRelay::exactly(options).await;
    let host = format!("/api/v1/labs/{}/hosts/desk", relay.lab());
    let file = host.replace("hosts/desk", "capture.pcapng");
    let made = Ask::to(&relay, "PUT", &host).send(&relay).await;
    assert_eq!(made.status, 201);
    for _ in 0..3 {
        let (first, status) = follow(&relay, &file).await;
        assert_eq!(status, "200");
        assert_eq!(follow(&relay, &file).await.1, "429");
        drop(first);
        let again = eventually(tests::DEADLINE, async || {
            let (_, status) = follow(&relay, &file).await;
            (status == "200").then_some(())
        });
        again.await.expect("what the first one took is given back");
        // The last one goes now, too.
        let free = eventually(tests::DEADLINE, async || {
            (relay.metrics().sum("socketpad_viewers", &[]) == 0.0).then_some(())
        });
        free.await.expect("nobody follows any more");
    }
}
