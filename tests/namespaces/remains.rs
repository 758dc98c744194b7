//! Labs and hosts come and go, and nothing of them stays.

use std::time::Duration;

use tests::{Client, Standalone, TestRelay, at, eventually};
use tokio::process::Command;

use crate::options;

/// How many labs come and go.
const LABS: usize = 1000;

/// How many of them are there at the same time.
const BATCH: usize = 50;

/// How much memory the process may have beyond what it had after the first labs, in bytes: allocators keep some. A
/// lab that left only one of its buffers behind would be far beyond it after a thousand.
const MARGIN: u64 = 8 << 20;

/// How many network namespaces the relay may have, of the 2,100 that it makes: those of this batch, and those that the
/// kernel is still taking apart. It fails if the kernel keeps them.
const LIMITED: &str = r#"echo 1000 > /proc/sys/user/max_net_namespaces && exec "$0" "$@""#;

#[tokio::test]
async fn a_thousand_labs_leave_nothing_behind() {
    // A program of its own, so that no other test opens anything in it.
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--", "sh", "-c", LIMITED]);
    let mut options = options();
    options.limits.grace = Duration::ZERO;
    command
        .arg(Standalone::path())
        .args(Standalone::flags(&options));
    let relay = TestRelay::of(Standalone::start(&mut command).await);
    // What is made once is made now.
    batch(&relay).await;
    let (descriptors, memory) = (relay.descriptors(), relay.memory());
    for _ in 0..LABS / BATCH {
        batch(&relay).await;
    }
    let after = eventually(tests::DEADLINE, async || {
        let now = relay.descriptors();
        // Fewer, if a connection of the first batch was not quite closed when they were counted.
        let left = now.all <= descriptors.all
            && now.namespaces <= descriptors.namespaces
            && now.taps <= descriptors.taps;
        left.then_some(())
    });
    if after.await.is_err() {
        panic!("{descriptors:?} have become {:?}", relay.descriptors());
    }
    let grown = relay.memory().saturating_sub(memory);
    assert!(grown < MARGIN, "{grown} more bytes");
}

/// Makes labs of two hosts that speak with each other, and lets them go.
async fn batch(relay: &TestRelay) {
    let mut clients = Vec::new();
    for _ in 0..BATCH {
        let lab = relay.lab();
        let mut desk = Client::join_as(relay, &lab, "desk", "client").await;
        let mut bob = Client::join_as(relay, &lab, "bob", "server").await;
        let to = at(bob.welcome().addresses[0], 8888);
        let receiver = bob.udp();
        bob.bind(receiver, to.clone()).await.unwrap();
        let sender = desk.udp();
        desk.send_to(sender, &to, b"hello").await;
        assert_eq!(bob.recv_from(receiver).await.1, b"hello");
        clients.extend([desk, bob]);
    }
    let alive = relay.descriptors();
    assert!(
        2 * BATCH <= alive.taps && 2 * BATCH <= alive.namespaces,
        "{alive:?}"
    );
    drop(clients);
    relay.until_empty().await;
}
