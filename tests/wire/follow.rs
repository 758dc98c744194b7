//! tshark follows a lab's record while it grows, as `curl -N … | tshark -r -` does.

use std::env;
use std::process::Stdio;

use protocol::{Address, SocketId};
use relay::{NetworkKind, Options};
use tests::{Ask, Client, DEADLINE, TestRelay, at};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

use super::shark::complaints;

/// A tshark that reads what a relay says as long as it says something.
struct Tail {
    tshark: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Tail {
    /// Begins to read the body of an answer.
    async fn of(relay: &TestRelay, path: &str) -> Self {
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        // With HTTP/1.0 the body comes as it is, and ends with the connection.
        let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", relay.address());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.0 200"), "{head}");
        assert!(head.contains("application/x-pcapng"), "{head}");
        let tshark = env::var_os("TSHARK")
            .expect("TSHARK names tshark; `cargo xtask test --only wire` sets it");
        let fields = [
            "frame.interface_name",
            "ip.dst_host",
            "data.text",
            "frame.comment",
        ];
        let mut tshark = Command::new(tshark)
            .args(["-l", "-N", "n", "-o", "data.show_as_text:TRUE"])
            .args(["-o", "nameres.use_external_name_resolver:FALSE"])
            .args(["-r", "-", "-Y", "udp.dstport == 8888", "-T", "fields"])
            .args(fields.iter().flat_map(|field| ["-e", field]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = tshark.stdin.take().unwrap();
        tokio::spawn(async move { tokio::io::copy(&mut stream, &mut stdin).await });
        let lines = BufReader::new(tshark.stdout.take().unwrap()).lines();
        Self { tshark, lines }
    }

    /// The next line that tshark prints; none at the end.
    async fn line(&mut self) -> Option<String> {
        let line = tokio::time::timeout(DEADLINE, self.lines.next_line()).await;
        line.expect("tshark prints").unwrap()
    }
}

/// Two hosts of a lab.
struct Pair {
    desk: Client,
    bob: Client,
    sender: SocketId,
    receiver: SocketId,
    to: Address,
}

impl Pair {
    /// Sends something, which arrives.
    async fn say(&mut self, text: &str) {
        self.desk
            .send_to(self.sender, &self.to, text.as_bytes())
            .await;
        let (_, heard) = self.bob.recv_from(self.receiver).await;
        assert_eq!(heard, text.as_bytes());
    }
}

#[tokio::test]
async fn tshark_reads_a_record_while_it_grows_until_the_lab_ends() {
    let relay = TestRelay::with(Options {
        network: NetworkKind::Namespaces,
        ..Options::default()
    })
    .await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let to = at([10, 0, 0, 2].into(), 8888);
    let receiver = bob.udp();
    bob.bind(receiver, to.clone()).await.unwrap();
    let sender = desk.udp();
    let mut pair = Pair {
        desk,
        bob,
        sender,
        receiver,
        to,
    };
    pair.say("before").await;
    let path = format!("/api/v1/labs/{lab}");
    let mut tail = Tail::of(&relay, &format!("{path}/capture.pcapng?follow=1")).await;
    assert_eq!(
        tail.line().await.unwrap().trim_end(),
        "desk:eth0\tbob\tbefore"
    );
    for text in ["while", "it", "grows"] {
        pair.say(text).await;
        let line = tail.line().await.unwrap();
        assert_eq!(line.trim_end(), format!("desk:eth0\tbob\t{text}"));
    }
    // What is lost is in it too, with what became of it.
    let link = serde_json::json!({ "from_host": { "loss": 1.0 } });
    let set = Ask::to(&relay, "PUT", &format!("{path}/hosts/desk/link"));
    assert_eq!(set.json(&link).send(&relay).await.status, 200);
    pair.desk.send_to(sender, &pair.to, b"lost").await;
    pair.desk.sync().await;
    assert_eq!(
        tail.line().await.unwrap(),
        "desk:eth0\tbob\tlost\tlost on the way from desk"
    );
    let ended = Ask::to(&relay, "DELETE", &path).send(&relay).await;
    assert_eq!(ended.status, 204);
    assert_eq!(tail.line().await, None);
    let output = tail.tshark.wait_with_output().await.unwrap();
    assert!(output.status.success());
    assert_eq!(complaints(&output.stderr), [""; 0]);
}
