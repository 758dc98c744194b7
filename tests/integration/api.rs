//! The control plane.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::event::Event;
use protocol::{Domain, Kind};
use relay::{NetworkKind, Options};
use serde_json::{Value, json};
use tests::{Ask, Client, DEADLINE, TestRelay, Viewer, eventually, unix};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A relay that keeps labs which nobody uses.
async fn patient() -> TestRelay {
    let mut options = crate::options();
    options.limits.grace = Duration::from_secs(60);
    TestRelay::exactly(options).await
}

async fn ask(relay: &TestRelay, method: &str, path: &str) -> (u16, Value) {
    let answer = Ask::to(relay, method, path).send(relay).await;
    let value = if answer.body.is_empty() {
        Value::Null
    } else {
        answer.value()
    };
    (answer.status, value)
}

#[tokio::test]
async fn a_lab_is_made_looked_at_and_ended() {
    let relay = patient().await;
    let made = Ask::to(&relay, "POST", "/api/v1/labs").send(&relay).await;
    assert_eq!(made.status, 201);
    let path = made.headers["location"].clone();
    let id = made.value()["lab"].as_str().unwrap().to_owned();
    assert_eq!(path, format!("/api/v1/labs/{id}"));
    assert_eq!(id.len(), 26);

    let (status, host) = ask(&relay, "PUT", &format!("{path}/hosts/bob")).await;
    assert_eq!((status, &host["addresses"][0]), (201, &json!("10.0.0.1")));
    assert_eq!(
        ask(&relay, "PUT", &format!("{path}/hosts/bob")).await.0,
        200
    );
    let lab = protocol::LabId::new(id).unwrap();
    let mut client = Client::join_as(&relay, &lab, "desk", "server.py").await;
    let addresses = client.resolve("bob").await.unwrap();
    assert_eq!(addresses[0].to_string(), "10.0.0.1");

    let (status, seen) = ask(&relay, "GET", &path).await;
    assert_eq!(status, 200);
    assert_eq!(seen["hosts"][0]["host"], "bob");
    assert_eq!(seen["hosts"][1]["processes"], 1);
    assert_eq!(seen["processes"][0]["name"], "server.py");
    assert_eq!(seen["processes"][0]["pid"], client.welcome().pid);
    assert_eq!(
        ask(&relay, "GET", &format!("{path}/hosts")).await.1,
        seen["hosts"]
    );
    let (_, processes) = ask(&relay, "GET", &format!("{path}/processes")).await;
    assert_eq!(processes, seen["processes"]);
    let one = format!("{path}/processes/{}", client.welcome().pid);
    assert_eq!(ask(&relay, "GET", &one).await.1, processes[0]);

    assert_eq!(ask(&relay, "DELETE", &path).await.0, 204);
    assert_eq!(client.refusal().await, protocol::Refusal::Revoked);
    relay.until_empty().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_a_sentence() {
    let relay = crate::relay().await;
    let lab = relay.lab();
    for path in [
        format!("/api/v1/labs/{lab}"),
        format!("/api/v1/labs/{lab}/hosts"),
        format!("/api/v1/labs/{lab}/hosts/desk"),
        format!("/api/v1/labs/{lab}/processes"),
        format!("/api/v1/labs/{lab}/processes/1000"),
        format!("/api/v1/labs/{lab}/sockets"),
        format!("/api/v1/labs/{lab}/hosts/desk/link"),
        format!("/api/v1/labs/{lab}/capture.pcapng"),
        "/api/v1/labs/short".to_owned(),
        "/api/v1/nothing".to_owned(),
        "/api/v2/labs".to_owned(),
    ] {
        let answer = Ask::to(&relay, "GET", &path).send(&relay).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.value()["status"], 404, "{path}");
        assert!(answer.value()["detail"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn the_portable_network_has_no_links_to_set_and_no_frames_to_show() {
    let relay = TestRelay::with(Options {
        network: NetworkKind::Portable,
        ..Options::default()
    })
    .await;
    let lab = relay.lab();
    let _process = Client::join_as(&relay, &lab, "desk", "idle").await;
    for (method, path, status) in [
        ("GET", "hosts/desk/link", 409),
        ("PUT", "hosts/desk/link", 409),
        ("GET", "capture.pcapng", 409),
        ("GET", "hosts/bob/link", 404),
        ("PUT", "hosts/bob/link", 404),
    ] {
        let ask = Ask::to(&relay, method, &format!("/api/v1/labs/{lab}/{path}"));
        let answer = ask.json(&json!({})).send(&relay).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let sentence = answer.value()["detail"].as_str().unwrap().to_owned();
        let expected = if status == 409 {
            "--network namespaces"
        } else {
            "no such host"
        };
        assert!(sentence.contains(expected), "{sentence}");
    }
}

#[tokio::test]
async fn who_asks_the_portable_network_for_packets_is_told_why_there_are_none() {
    let relay = TestRelay::with(Options {
        network: NetworkKind::Portable,
        ..Options::default()
    })
    .await;
    let lab = relay.lab();
    let origin = format!("http://{}", relay.address());
    let viewer = Viewer::from(&relay, &lab, "?packets=64&format=json", &origin).await;
    let mut viewer = viewer.unwrap();
    let reason = viewer.until("a reason", |record| match &record.event {
        Event::Unrecorded { reason } => Some(reason.clone()),
        _ => None,
    });
    let reason = reason.await;
    assert!(reason.contains("--network namespaces"), "{reason}");
    // Everything else is told of as always.
    let client = Client::join(&relay, &lab).await;
    let started = viewer.until("a start", |record| match &record.event {
        Event::Started { pid, .. } => Some(*pid),
        _ => None,
    });
    assert_eq!(started.await, client.welcome().pid);
    let wrong = Viewer::from(&relay, &lab, "?packets=many", &origin).await;
    assert_eq!(wrong.unwrap_err(), 400);
}

#[tokio::test]
async fn a_full_relay_says_when_to_try_again() {
    let mut options = Options {
        labs: 1,
        hosts: 1,
        ..crate::options()
    };
    options.limits.viewers = 1;
    let relay = TestRelay::with(options).await;
    let lab = relay.lab();
    let _process = Client::join(&relay, &lab).await;
    let _viewer = Viewer::of(&relay, &lab).await;
    for (method, path) in [
        ("POST", "/api/v1/labs".to_owned()),
        ("PUT", format!("/api/v1/labs/{}", relay.lab())),
        ("PUT", format!("/api/v1/labs/{lab}/hosts/bob")),
    ] {
        let answer = Ask::to(&relay, method, &path).send(&relay).await;
        assert_eq!(answer.status, 429, "{path}");
        assert_eq!(answer.headers["retry-after"], "30");
        let sentence = answer.value()["detail"].as_str().unwrap().to_owned();
        assert!(sentence.contains("no room for another"), "{sentence}");
    }
    let origin = format!("http://{}", relay.address());
    let second = Viewer::from(&relay, &lab, "", &origin).await;
    assert_eq!(second.unwrap_err(), 429);
}

#[tokio::test]
async fn only_pages_that_are_allowed_may_ask() {
    let school = "https://school.example".to_owned();
    let relay = TestRelay::with(Options {
        origins: vec![school.clone()],
        ..crate::options()
    })
    .await;
    let lab = relay.lab();
    let mut client = Client::join(&relay, &lab).await;
    let foreign = Some("http://elsewhere.example");
    let path = format!("/api/v1/labs/{lab}");
    for method in ["GET", "PUT", "POST", "DELETE", "OPTIONS"] {
        let ask = Ask::to(&relay, method, &path).from(foreign);
        assert_eq!(ask.send(&relay).await.status, 403, "{method}");
    }
    let events = Viewer::from(&relay, &lab, "", "http://elsewhere.example").await;
    assert_eq!(events.unwrap_err(), 403);
    client.sync().await;

    let listed = Ask::to(&relay, "OPTIONS", &path).from(Some(&school));
    let answer = listed.send(&relay).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.headers["access-control-allow-origin"], school);
    assert!(answer.headers["access-control-allow-methods"].contains("DELETE"));
    let native = Ask::to(&relay, "GET", &path).from(None).send(&relay).await;
    assert_eq!(native.status, 200);
    assert!(!native.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn sockets_are_shown_as_the_kernel_sees_them() {
    let relay = crate::relay().await;
    let lab = relay.lab();
    let mut server = Client::join_as(&relay, &lab, "desk", "server").await;
    let mut client = Client::join_as(&relay, &lab, "desk", "client").await;
    let listener = server.listener(8888).await;
    let first = client.connected(8888).await;
    let _second = client.connected(8888).await;
    let _receiver = server.receiver(9999).await;
    let _fresh = client.tcp();
    client.sync().await;
    let path = format!("/api/v1/labs/{lab}/sockets");

    let sockets = rows(&relay, &path).await;
    assert_eq!(sockets.len(), 5);
    let by = |state: &str, local: &str| {
        let found = sockets
            .iter()
            .filter(|it| it["state"] == state && it["local"] == local);
        found.cloned().collect::<Vec<_>>()
    };
    let [listening] = &by("LISTEN", "127.0.0.1:8888")[..] else {
        panic!("{sockets:#?}")
    };
    assert_eq!(listening["pid"], server.welcome().pid);
    assert_eq!(listening["host"], "desk");
    // Both connections wait to be accepted.
    assert_eq!(listening["receive_queue"], 2);
    assert_eq!(listening["peer"], "*");
    let connected = sockets.iter().filter(|it| it["state"] == "ESTAB");
    let connected: Vec<_> = connected.collect();
    assert_eq!(connected.len(), 2);
    assert_eq!(connected[0]["peer"], "127.0.0.1:8888");
    assert_eq!(connected[0]["pid"], client.welcome().pid);
    assert_eq!(by("UNCONN", "127.0.0.1:9999").len(), 1);
    assert_eq!(by("UNCONN", "0.0.0.0:0").len(), 1);

    // What nobody reads waits in the kernel, once it is more than the credit of the one who does not read.
    let accepted = server.accept(listener).await;
    for _ in 0..6 {
        client.send(first, &[7; 65_536]).await.unwrap();
    }
    let waiting = eventually(DEADLINE, async || {
        let rows = rows(&relay, &path).await;
        let waits = |it: &&Value| it["state"] == "ESTAB" && it["receive_queue"] != 0;
        rows.iter().find(waits).cloned()
    });
    assert_eq!(waiting.await.unwrap()["pid"], server.welcome().pid);

    // The states of an end.
    server.close(listener);
    server.abort(accepted);
    server.sync().await;
    let states: BTreeSet<String> = rows(&relay, &path)
        .await
        .iter()
        .map(|it| it["state"].as_str().unwrap().to_owned())
        .collect();
    assert!(!states.contains("LISTEN"), "{states:?}");
}

#[tokio::test]
async fn unix_sockets_are_shown_with_their_names_and_states() {
    let relay = crate::relay().await;
    let lab = relay.lab();
    let mut server = Client::join_as(&relay, &lab, "desk", "server").await;
    let mut client = Client::join_as(&relay, &lab, "desk", "client").await;
    let listener = server.unix_listener("/tmp/s").await;
    let receiver = server.unix(Kind::Datagram);
    server.bind(receiver, unix("\0in")).await.unwrap();
    let path = format!("/api/v1/labs/{lab}/sockets");
    let shown = async || -> Vec<String> {
        let columns = ["family", "kind", "state", "local", "peer"];
        let line = |row: &Value| columns.map(|name| row[name].as_str().unwrap().to_owned());
        let rows = rows(&relay, &path).await;
        rows.iter().map(|row| line(row).join(" ")).collect()
    };
    let called = client.unix(Kind::Stream);
    client.connect(called, unix("/tmp/s")).await.unwrap();
    client.send(called, b"three").await.unwrap();
    client.tcp();
    client.socket(Domain::Inet6, Kind::Stream);
    client.sync().await;
    assert_eq!(
        shown().await,
        [
            "unix stream LISTEN /tmp/s *",
            "unix datagram UNCONN @in *",
            "unix stream ESTAB * /tmp/s",
            "inet stream UNCONN 0.0.0.0:0 *",
            "inet6 stream UNCONN [::]:0 *",
        ]
    );
    // One call waits at the listener.
    let waiting = |rows: &[Value]| rows[0]["receive_queue"].as_u64().unwrap();
    assert_eq!(waiting(&rows(&relay, &path).await), 1);
    server.accept(listener).await;
    assert_eq!(waiting(&rows(&relay, &path).await), 0);
    assert!(
        shown()
            .await
            .contains(&"unix stream ESTAB /tmp/s *".to_owned())
    );
    server.pair(Kind::Stream);
    server.sync().await;
    let is_of_pair = |row: &&String| *row == "unix stream ESTAB * *";
    assert_eq!(shown().await.iter().filter(is_of_pair).count(), 2);
}

async fn rows(relay: &TestRelay, path: &str) -> Vec<Value> {
    let (status, rows) = ask(relay, "GET", path).await;
    assert_eq!(status, 200);
    rows.as_array().unwrap().clone()
}

/// Every answer that the description promises a schema for is held against it, with a lab that has one of everything.
#[tokio::test]
async fn answers_are_what_the_description_says() {
    let relay = patient().await;
    let lab = relay.lab();
    let mut client = Client::join(&relay, &lab).await;
    client.listener(8888).await;
    let (_, description) = ask(&relay, "GET", "/api/v1/openapi.json").await;
    assert_eq!(description["openapi"], "3.1.0");
    let mut checked = 0;
    let paths = description["paths"].as_object().unwrap();
    for (path, methods) in paths {
        let known = path
            .replace("{lab}", lab.as_str())
            .replace("{host}", "desk")
            .replace("{pid}", &client.welcome().pid.to_string());
        let unknown = path
            .replace("{lab}", relay.lab().as_str())
            .replace("{host}", "nobody")
            .replace("{pid}", "1");
        for (method, operation) in methods.as_object().unwrap() {
            // What ends the lab comes last.
            if method == "delete" {
                continue;
            }
            for concrete in [&known, &unknown] {
                let mut asked = Ask::to(&relay, &method.to_uppercase(), concrete);
                if operation["requestBody"].is_object() {
                    asked = asked.json(&json!({}));
                }
                let answer = asked.send(&relay).await;
                let status = answer.status.to_string();
                let promised = &operation["responses"][&status];
                assert!(promised.is_object(), "{method} {concrete}: {status}");
                let content = promised["content"].as_object();
                for (kind, schema) in content.into_iter().flatten() {
                    if kind != "application/json" {
                        assert_eq!(&answer.headers["content-type"], kind);
                        continue;
                    }
                    let value = answer.value();
                    assert_fits(&value, &schema["schema"], &description, concrete);
                    checked += 1;
                }
            }
        }
    }
    assert!(paths.len() < checked, "{checked}");
}

/// Fails if a value does not have the shape that a schema says, or has more.
fn assert_fits(value: &Value, schema: &Value, description: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/components/schemas/");
        let schema = &description["components"]["schemas"][name];
        assert!(schema.is_object(), "{name}");
        return assert_fits(value, schema, description, &format!("{at}: {name}"));
    }
    if let Some(known) = schema["enum"].as_array() {
        assert!(known.contains(value), "{at}: {value} is none of {known:?}");
        return;
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let fits = |option: &Value| {
            let is_among = |it: &Vec<Value>| it.contains(value);
            let is_null = value.is_null() && option["type"] == "null";
            is_null || option["enum"].as_array().is_some_and(is_among)
        };
        assert!(options.iter().any(fits), "{at}: {value}");
        return;
    }
    let kinds = schema["type"].as_array();
    if let Some(kinds) = kinds.filter(|_| value.is_null()) {
        assert!(kinds.contains(&json!("null")), "{at}: {value}");
        return;
    }
    // Of several types, the first is the one that is not null.
    let kind = kinds.map_or(&schema["type"], |kinds| &kinds[0]);
    match kind.as_str() {
        Some("object") => {
            let object = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
            let properties = schema["properties"].as_object().unwrap();
            for (name, value) in object {
                let property = properties.get(name);
                let property = property.unwrap_or_else(|| panic!("{at}: {name} is not described"));
                assert_fits(value, property, description, &format!("{at}.{name}"));
            }
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(object.contains_key(name.as_str().unwrap()), "{at}.{name}");
            }
        }
        Some("array") => {
            let array = value.as_array().unwrap_or_else(|| panic!("{at}: {value}"));
            for value in array {
                assert_fits(value, &schema["items"], description, at);
            }
        }
        Some("string") => assert!(value.is_string(), "{at}: {value}"),
        Some("number") => assert!(value.is_number(), "{at}: {value}"),
        Some("integer") => assert!(value.is_u64() || value.is_i64(), "{at}: {value}"),
        other => panic!("{at}: the test does not know the type {other:?}"),
    }
}

#[tokio::test]
async fn a_relay_that_is_stopping_makes_no_file_any_more() {
    // A request whose second half comes when the relay is stopping already.
    let answered = eventually(DEADLINE, async || {
        let mut relay = crate::relay().await;
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        let path = format!("/api/v1/labs/{}/capture.pcapng", relay.lab());
        let half = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n");
        stream.write_all(half.as_bytes()).await.unwrap();
        // What came before this has been read, mostly.
        Ask::to(&relay, "GET", "/healthz").send(&relay).await;
        relay.ask_to_stop();
        while TcpStream::connect(relay.address()).await.is_ok() {}
        let mut answer = String::new();
        let rest = stream.write_all(b"\r\n").await;
        let read = stream.read_to_string(&mut answer).await;
        // Otherwise the relay had not read the first half, and let the connection go.
        let was_read = rest.is_ok() && read.is_ok() && !answer.is_empty();
        was_read.then_some(answer)
    });
    let answer = answered.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("the relay is stopping"), "{answer}");
}
