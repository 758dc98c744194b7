//! What the relay serves beside WebSockets.

use protocol::LabId;
use tests::{Client, Metrics, TestRelay};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Asks for a path, and returns the head and the body of the answer.
async fn get(relay: &TestRelay, path: &str) -> (String, String) {
    ask(relay, "GET", path, &relay.address().to_string()).await
}

/// Asks the relay to kill a process, as a page of this host would, and returns the head of the answer.
pub(crate) async fn kill(relay: &TestRelay, lab: &LabId, pid: u32, from: &str) -> String {
    let path = format!("/api/v1/labs/{lab}/processes/{pid}");
    ask(relay, "DELETE", &path, from).await.0
}

async fn ask(relay: &TestRelay, method: &str, path: &str, from: &str) -> (String, String) {
    let mut stream = TcpStream::connect(relay.address()).await.unwrap();
    let host = relay.address();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{from}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

#[tokio::test]
async fn health() {
    let relay = TestRelay::start().await;
    let (head, body) = get(&relay, "/healthz").await;
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert_eq!(body.trim(), "ok");
}

#[tokio::test]
async fn the_counts_are_served_to_prometheus() {
    let relay = TestRelay::start().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    client.listener(8888).await;
    client.receiver(8888).await;
    let (head, body) = get(&relay, "/metrics").await;
    assert!(
        head.contains("content-type: application/openmetrics-text"),
        "{head}"
    );
    let metrics = Metrics::parse(&body);
    assert_eq!(metrics, relay.metrics());
    assert_eq!(metrics.sum("socketpad_sockets", &[("kind", "stream")]), 1.0);
    assert_eq!(
        metrics.sum("socketpad_sockets", &[("kind", "datagram")]),
        1.0
    );
    assert_eq!(metrics.processes(), 1.0);
}

#[tokio::test]
async fn a_process_needs_a_websocket() {
    let relay = TestRelay::start().await;
    let (head, _) = get(&relay, &format!("/labs/{}/process", relay.lab())).await;
    assert!(head.starts_with("http/1.1 4"), "{head}");
}

/// A page says so when it has killed a worker, because a browser may take its time to end it.
#[tokio::test]
async fn a_page_kills_a_process_of_its_lab() {
    let relay = TestRelay::start().await;
    let (lab, here) = (relay.lab(), relay.address().to_string());
    let mut victim = Client::join(&relay, &lab).await;
    let mut neighbour = Client::join(&relay, &lab).await;
    victim.listener(8888).await;
    let pid = victim.welcome().pid;

    let elsewhere = kill(&relay, &lab, pid, "elsewhere.example").await;
    assert!(elsewhere.starts_with("http/1.1 403 "), "{elsewhere}");
    let other_lab = kill(&relay, &relay.lab(), pid, &here).await;
    assert!(other_lab.starts_with("http/1.1 404 "), "{other_lab}");
    victim.sync().await;

    let killed = kill(&relay, &lab, pid, &here).await;
    assert!(killed.starts_with("http/1.1 204 "), "{killed}");
    relay
        .until("its sockets are closed", |metrics| metrics.sockets() == 0.0)
        .await;
    neighbour.listener(8888).await;
    let again = kill(&relay, &lab, pid, &here).await;
    assert!(again.starts_with("http/1.1 404 "), "{again}");
}
