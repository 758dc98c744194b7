//! Whose relay can make hosts of its own, and what it says where it cannot.

use protocol::Address;
use relay::{NetworkKind, Options};
use rustix::process::geteuid;
use tests::{Ask, Client, Standalone, TestRelay, at};
use tokio::process::Command;

/// Becomes an ordinary user for whom `/dev/net/tun` is as on most systems.
const ORDINARY: &str = r#"
mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec 9<"$0" &&
exec setpriv --reuid=65534 --regid=65534 --clear-groups -- /proc/self/fd/9 "$@"
"#;

/// Takes the TAP devices away.
const WITHOUT_TUN: &str = r#"mount -t tmpfs none /dev/net && exec "$0" "$@""#;

/// Runs the relay with these options by a script, in mounts of its own.
fn scripted(script: &str, rights: &[&str], network: NetworkKind) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(rights)
        .args(["--mount", "--", "sh", "-c", script]);
    command
        .arg(Standalone::path())
        .args(Standalone::flags(&Options {
            network,
            ..Options::default()
        }));
    command
}

#[tokio::test]
async fn an_ordinary_user_gets_real_hosts() {
    let mut command = if geteuid().is_root() {
        scripted(ORDINARY, &[], NetworkKind::Namespaces)
    } else {
        let mut command = Command::new(Standalone::path());
        command.args(["--listen", "127.0.0.1:0", "--network", "namespaces"]);
        command
    };
    let relay = TestRelay::of(Standalone::start(&mut command).await);
    let lab = relay.lab();
    let mut desk = Client::join_as(&relay, &lab, "desk", "client").await;
    let mut bob = Client::join_as(&relay, &lab, "bob", "server").await;
    let to = at(bob.welcome().addresses[0], 80);
    let listener = bob.tcp();
    bob.bind(listener, to.clone()).await.unwrap();
    bob.listen(listener, 1).await.unwrap();
    let socket = desk.tcp();
    desk.connect(socket, to).await.unwrap();
    let accepted = bob.accept(listener).await;
    let names = bob.names(accepted).await.unwrap();
    assert!(matches!(names.peer, Address::Inet { ip, .. } if ip.octets() == [10, 0, 0, 1]));
}

#[tokio::test]
async fn auto_takes_the_other_network_and_says_why() {
    let rights = ["--map-root-user"];
    let mut command = scripted(WITHOUT_TUN, &rights, NetworkKind::Auto);
    let mut program = Standalone::start(&mut command).await;
    program.ask_to_stop();
    let log = program.stopped().await;
    for part in [
        "--network portable",
        "/dev/net/tun cannot be opened",
        "load the module tun",
    ] {
        assert!(log.contains(part), "{log}");
    }
}

#[tokio::test]
async fn nothing_else_is_taken_when_namespaces_were_asked_for() {
    let rights = ["--map-root-user"];
    let mut command = scripted(WITHOUT_TUN, &rights, NetworkKind::Namespaces);
    let output = command.output().await.unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(log.contains("/dev/net/tun cannot be opened"), "{log}");
}

/// Lets its user namespace have only a few network namespaces.
const FEW_NETWORKS: &str = r#"echo 8 > /proc/sys/user/max_net_namespaces && exec "$0" "$@""#;

#[tokio::test]
async fn who_cannot_have_a_host_is_told_so_and_those_that_are_there_go_on() {
    let rights = ["--map-root-user"];
    let mut command = scripted(FEW_NETWORKS, &rights, NetworkKind::Namespaces);
    let relay = TestRelay::of(Standalone::start(&mut command).await);
    let lab = relay.lab();
    let mut processes = Vec::new();
    let refusal = loop {
        let host = format!("host{}", processes.len());
        match Client::try_join(&relay, &lab, &host, "program").await {
            Ok(process) => processes.push(process),
            Err(refusal) => break refusal,
        }
        assert!(processes.len() < 8, "more networks than there may be");
    };
    let sentence = "the relay is full: it could not make the host, for want of something that its operator has to look after";
    assert_eq!(refusal.to_string(), sentence);
    // The kernel takes networks away in its own time, such as the one that the relay tried at its start, and counts them
    // until then. So there may be room for another one by now, but not for eight.
    let mut others = 0;
    let answer = loop {
        let host = format!("/api/v1/labs/{lab}/hosts/another{others}");
        let answer = Ask::to(&relay, "PUT", &host).send(&relay).await;
        others += 1;
        if answer.status != 201 || others == 8 {
            break answer;
        }
    };
    assert_eq!(answer.status, 503);
    let detail = answer.value()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.starts_with("the relay is in trouble: it could not make the host"),
        "{detail}"
    );
    assert!(!processes.is_empty());
    for process in &mut processes {
        process.sync().await;
    }
}
