//! What the conditions of a link do to real sockets, and what the lab's record says of them.

use std::time::{Duration, Instant};

use protocol::{HostName, Shutdown};
use relay::capture::Snapshot;
use relay::capture::pcapng::{File, View};
use relay::capture::record::{Device, What};
use relay::switch::conditions::{Cable, Conditions};
use relay::{Link, LinkError, NetworkKind, NoLinks, Options};
use rustix::process::geteuid;
use tests::{Client, TestRelay, at, eventually};
use tokio::process::Command;

use crate::pattern::pattern;
use crate::relay;

/// The protocol numbers of IPv4.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// How many datagrams are sent.
const DATAGRAMS: u8 = 100;

/// Plays a test again as root of a user namespace and of a network in it, unless it is played by root: links are
/// reached in the relay's own process, and only root's can go on without entering a namespace.
pub(super) async fn is_played_elsewhere(test: &str) -> bool {
    if geteuid().is_root() {
        return false;
    }
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--", "sh", "-c"]);
    command.arg(r#"ip link set lo up && exec "$0" --exact "$@""#);
    command.arg(std::env::current_exe().unwrap());
    let output = command.arg(test).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{output:?}");
    true
}

pub(super) fn name(host: &str) -> HostName {
    HostName::new(host).unwrap()
}

fn conditions(text: &str) -> Conditions {
    serde_json::from_str(text).unwrap()
}

/// The IPv4 packets of a protocol that desk sent over its cable.
fn sent(snapshot: &Snapshot, protocol: u8) -> Vec<&[u8]> {
    let frames = snapshot.records.iter().filter_map(|record| {
        let What::Frame {
            interface, bytes, ..
        } = &record.what
        else {
            return None;
        };
        let is_desks = interface.host == name("desk") && interface.device == Device::Ethernet;
        let packet = bytes[12..].strip_prefix(&[8, 0])?;
        (is_desks && packet[9] == protocol).then_some(packet)
    });
    frames.collect()
}

/// Which of the datagrams arrive that are sent over a bad link.
async fn arrived(seed: u32) -> Vec<u8> {
    let relay = relay().await;
    let (lab, links) = (relay.lab(), relay.links());
    let mut desk = Client::join_as(&relay, &lab, "desk", "sender").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "receiver").await;
    let to = at(bob.welcome().addresses[0], 8888);
    let receiver = bob.udp();
    bob.bind(receiver, to.clone()).await.unwrap();
    let bad = conditions(&format!(r#"{{"seed":{seed},"from_host":{{"loss":0.3}}}}"#));
    links.set(&lab, &name("desk"), &bad).unwrap();
    let sender = desk.udp();
    for number in 1..=DATAGRAMS {
        desk.send_to(sender, &to, &[number]).await;
    }
    let capture = links.capture(&lab).unwrap();
    let all_sent = eventually(tests::DEADLINE, async || {
        let sent = sent(&capture.snapshot(), UDP).len();
        (sent == usize::from(DATAGRAMS)).then_some(())
    });
    desk.listen_during(all_sent).await.unwrap();
    let Link { conditions, counts } = links.link(&lab, &name("desk")).unwrap();
    assert_eq!(conditions, bad);
    links
        .set(&lab, &name("desk"), &Conditions::default())
        .unwrap();
    desk.send_to(sender, &to, &[0]).await;
    let mut seen = Vec::new();
    loop {
        match bob.recv_from(receiver).await.1[..] {
            [0] => break,
            ref datagram => seen.extend_from_slice(datagram),
        }
    }
    assert_eq!(
        counts.from_host.lost + seen.len() as u64,
        u64::from(DATAGRAMS)
    );
    seen
}

#[tokio::test]
async fn the_same_datagrams_are_lost_again_with_the_same_seed() {
    if is_played_elsewhere("links::the_same_datagrams_are_lost_again_with_the_same_seed").await {
        return;
    }
    let first = arrived(7).await;
    assert!((50..90).contains(&first.len()), "{first:?}");
    assert_eq!(arrived(7).await, first);
    assert_ne!(arrived(8).await, first);
}

#[tokio::test]
async fn a_transfer_through_loss_and_latency_is_slow_sends_again_and_arrives_whole() {
    let test = "links::a_transfer_through_loss_and_latency_is_slow_sends_again_and_arrives_whole";
    if is_played_elsewhere(test).await {
        return;
    }
    let relay = relay().await;
    let (lab, links) = (relay.lab(), relay.links());
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let bad = conditions(r#"{"seed":5,"from_host":{"loss":0.05,"latency_us":50000}}"#);
    links.set(&lab, &name("desk"), &bad).unwrap();
    let to = at(bob.welcome().addresses[0], 8888);
    let listener = bob.tcp();
    bob.bind(listener, to.clone()).await.unwrap();
    bob.listen(listener, 1).await.unwrap();
    let begin = Instant::now();
    let socket = desk.tcp();
    desk.connect(socket, to).await.unwrap();
    assert!(Duration::from_millis(50) <= begin.elapsed());
    let accepted = bob.accept(listener).await;
    let bytes = pattern(256 << 10);
    let send = async {
        desk.send(socket, &bytes).await.unwrap();
        desk.shutdown(socket, Shutdown::Write);
        desk.flush();
    };
    let (received, ()) = tokio::join!(bob.recv_to_the_end(accepted), send);
    assert!(received.unwrap() == bytes, "what arrived differs");
    let counts = links.link(&lab, &name("desk")).unwrap().counts;
    assert!(0 < counts.from_host.lost, "{counts:?}");
    let snapshot = links.capture(&lab).unwrap().snapshot();
    let payload = |packet: &&[u8]| {
        let header = usize::from(packet[0] & 15) * 4;
        let offset = usize::from(packet[header + 12] >> 4) * 4;
        usize::from(u16::from_be_bytes([packet[2], packet[3]])) - header - offset
    };
    let all: usize = sent(&snapshot, TCP).iter().map(payload).sum();
    assert!(bytes.len() < all, "nothing was sent again");
}

#[tokio::test]
async fn a_cable_can_be_pulled_and_plugged_in_again() {
    if is_played_elsewhere("links::a_cable_can_be_pulled_and_plugged_in_again").await {
        return;
    }
    let relay = relay().await;
    let (lab, links) = (relay.lab(), relay.links());
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let to = at(bob.welcome().addresses[0], 8888);
    let listener = bob.tcp();
    bob.bind(listener, to.clone()).await.unwrap();
    bob.listen(listener, 1).await.unwrap();
    let pulled = Conditions {
        cable: Cable::Down,
        ..Conditions::default()
    };
    links.set(&lab, &name("bob"), &pulled).unwrap();
    let socket = desk.tcp();
    let call = desk.start_connect(socket, to);
    desk.flush();
    let met = eventually(tests::DEADLINE, async || {
        let counts = links.link(&lab, &name("bob")).unwrap().counts;
        (0 < counts.to_host.cable_down).then_some(())
    });
    desk.listen_during(met).await.unwrap();
    assert!(!desk.is_answered(call));
    links
        .set(&lab, &name("bob"), &Conditions::default())
        .unwrap();
    desk.names_of(call).await.unwrap();
    bob.accept(listener).await;
}

#[tokio::test]
async fn the_record_of_an_exchange_is_a_file_with_the_addresses_of_the_lab() {
    let test = "links::the_record_of_an_exchange_is_a_file_with_the_addresses_of_the_lab";
    if is_played_elsewhere(test).await {
        return;
    }
    let relay = relay().await;
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "sender").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "receiver").await;
    let address = bob.welcome().addresses[0];
    let to = at(address, 8888);
    let receiver = bob.udp();
    bob.bind(receiver, to.clone()).await.unwrap();
    let sender = desk.udp();
    desk.send_to(sender, &to, b"hello, bob").await;
    bob.recv_from(receiver).await;
    let snapshot = relay.links().capture(&lab).unwrap().snapshot();
    let names = [(address, name("bob"))];
    let file: Vec<u8> = File::new(&snapshot, View::Network, &names)
        .flatten()
        .collect();
    // The block that every such file begins with.
    assert!(file.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]));
    let from_desk_to_bob = [10, 0, 0, 1, 10, 0, 0, 2];
    for part in [&from_desk_to_bob[..], b"hello, bob", b"desk:eth0"] {
        assert!(
            file.windows(part.len()).any(|bytes| bytes == part),
            "{part:?}"
        );
    }
}

#[tokio::test]
async fn the_portable_network_says_that_it_has_no_links_and_what_has() {
    let relay = TestRelay::with(Options {
        network: NetworkKind::Portable,
        ..Options::default()
    })
    .await;
    let (lab, links) = (relay.lab(), relay.links());
    assert_eq!(links.link(&lab, &name("desk")), Err(LinkError::Lab));
    let _desk = Client::join(&relay, &lab).await;
    assert_eq!(links.link(&lab, &name("bob")), Err(LinkError::Host));
    let none = LinkError::NoLinks(NoLinks);
    assert_eq!(links.link(&lab, &name("desk")), Err(none));
    let set = links.set(&lab, &name("desk"), &Conditions::default());
    assert_eq!(set, Err(none));
    assert_eq!(links.capture(&lab).unwrap_err(), none);
    let said = none.to_string();
    assert!(said.contains("--network namespaces"), "{said}");
}
