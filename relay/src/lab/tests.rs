//! How labs come and go.

use std::io;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::config::NetworkKind;
use crate::network;

fn labs(quotas: Quotas) -> Arc<Labs> {
    let network = network::make(NetworkKind::Portable).unwrap();
    Arc::new(Labs::new(network, quotas, Metrics::default()))
}

fn lab(letter: char) -> LabId {
    LabId::new(letter.to_string().repeat(16)).unwrap()
}

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn client(last: u8) -> Client {
    Client::from(IpAddr::from([192, 0, 2, last]))
}

const GRACE: Duration = Duration::from_secs(30);

const WIDE: Quotas = Quotas {
    labs: 9,
    labs_per_client: 9,
    hosts: 9,
    processes: 9,
    viewers: 2,
    events: 1000,
    buffer: 1 << 20,
    life: Duration::ZERO,
    grace: Duration::ZERO,
};

#[tokio::test]
async fn without_grace_labs_and_hosts_last_as_long_as_their_processes() {
    let labs = labs(WIDE);
    let first = labs
        .join(&lab('a'), &host("desk"), client(1))
        .await
        .unwrap();
    let second = labs
        .join(&lab('a'), &host("desk"), client(1))
        .await
        .unwrap();
    assert_eq!((first.pid(), second.pid()), (1000, 1001));
    assert_eq!(first.host().addresses(), second.host().addresses());
    drop(first);
    assert!(labs.metrics.render().contains("socketpad_hosts 1\n"));
    drop(second);
    assert!(labs.metrics.render().contains("socketpad_hosts 0\n"));
    assert!(labs.metrics.render().contains("socketpad_labs 0\n"));
}

#[tokio::test]
async fn within_the_grace_a_process_finds_its_lab_as_it_was() {
    let labs = labs(Quotas {
        grace: GRACE,
        ..WIDE
    });
    drop(labs.join(&lab('a'), &host("bob"), client(1)).await.unwrap());
    let bob = labs
        .join(&lab('a'), &host("desk"), client(1))
        .await
        .unwrap();
    assert_eq!(bob.pid(), 1001);
    let bobs = bob.host().resolve("bob");
    assert!(bobs.contains(&IpAddr::from([10, 0, 0, 1])), "{bobs:?}");
    let left = Instant::now();
    assert!(labs.sweep(left).next.unwrap() <= left + GRACE);
    assert!(labs.sweep(left + GRACE).next.is_none());
    assert!(bob.host().resolve("bob").is_empty());
    drop(bob);
    labs.sweep(Instant::now() + GRACE);
    assert!(labs.lock().is_empty());
}

#[tokio::test]
async fn quotas_hold_and_leave_nothing_behind() {
    let full = labs(Quotas {
        labs: 1,
        hosts: 1,
        processes: 2,
        ..WIDE
    });
    let join = async |id, name| full.join(&lab(id), &host(name), client(1)).await;
    let _first = join('a', "desk").await.unwrap();
    assert_eq!(join('b', "desk").await.unwrap_err(), JoinError::Labs);
    assert_eq!(join('a', "bob").await.unwrap_err(), JoinError::Hosts);
    let _second = join('a', "desk").await.unwrap();
    assert_eq!(join('a', "desk").await.unwrap_err(), JoinError::Processes);
    let none = labs(Quotas { hosts: 0, ..WIDE });
    assert!(
        none.join(&lab('a'), &host("desk"), client(1))
            .await
            .is_err()
    );
    assert!(none.lock().is_empty());
}

#[tokio::test]
async fn one_client_leaves_room_for_others() {
    let labs = labs(Quotas {
        labs_per_client: 1,
        ..WIDE
    });
    let _own = labs
        .join(&lab('a'), &host("desk"), client(1))
        .await
        .unwrap();
    let further = labs.join(&lab('b'), &host("desk"), client(1)).await;
    assert_eq!(further.unwrap_err(), JoinError::Client);
    let _guest = labs
        .join(&lab('a'), &host("desk"), client(2))
        .await
        .unwrap();
    let _other = labs
        .join(&lab('b'), &host("desk"), client(2))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_nobody_uses_makes_way() {
    let labs = labs(Quotas {
        labs: 1,
        hosts: 1,
        grace: GRACE,
        ..WIDE
    });
    drop(
        labs.join(&lab('a'), &host("desk"), client(1))
            .await
            .unwrap(),
    );
    let other = labs
        .join(&lab('b'), &host("desk"), client(1))
        .await
        .unwrap();
    assert_eq!(other.pid(), 1000);
    drop(other);
    labs.join(&lab('b'), &host("bob"), client(1)).await.unwrap();
    assert!(labs.metrics.render().contains("socketpad_hosts 1\n"));
}

#[tokio::test]
async fn a_lab_whose_time_is_up_lets_nobody_in_and_goes_with_its_last_process() {
    let life = Duration::from_secs(60);
    let labs = labs(Quotas {
        life,
        grace: GRACE,
        ..WIDE
    });
    let last = labs
        .join(&lab('a'), &host("desk"), client(1))
        .await
        .unwrap();
    let end = Instant::now() + life;
    assert!(labs.sweep(last.commons().events.begun()).expired.is_empty());
    assert_eq!(labs.sweep(end).expired, [lab('a')]);
    assert!(labs.sweep(end).expired.is_empty());
    let late = labs.join(&lab('a'), &host("desk"), client(1)).await;
    assert_eq!(late.unwrap_err(), JoinError::Ending);
    drop(last);
    assert!(labs.lock().is_empty());
}

#[tokio::test]
async fn a_revoked_lab_is_gone_when_nobody_is_in_it() {
    let labs = labs(Quotas {
        grace: GRACE,
        ..WIDE
    });
    drop(
        labs.join(&lab('a'), &host("desk"), client(1))
            .await
            .unwrap(),
    );
    assert!(labs.revoke(&lab('a')));
    assert!(!labs.revoke(&lab('a')));
    assert!(labs.lock().is_empty());
}

#[tokio::test]
async fn a_viewer_keeps_a_lab_and_there_is_no_room_for_many() {
    let labs = labs(WIDE);
    let first = labs.view(&lab('a'), client(1)).unwrap();
    let second = labs.view(&lab('a'), client(2)).unwrap();
    let third = labs.view(&lab('a'), client(3));
    assert_eq!(third.unwrap_err(), JoinError::Viewers);
    drop(
        labs.join(&lab('a'), &host("desk"), client(1))
            .await
            .unwrap(),
    );
    drop(first);
    assert!(labs.look(&lab('a')).is_some());
    drop(second);
    assert!(labs.look(&lab('a')).is_none());
}

/// Hosts of the portable network, of which those called `slow` are made when the test lets them.
#[derive(Debug)]
struct Slow {
    inner: Arc<dyn Network>,
    begun: Sender<()>,
    /// Open when nobody holds the other end.
    gate: Arc<Mutex<Receiver<()>>>,
}

#[derive(Debug)]
struct SlowLab {
    inner: Arc<dyn LabNetwork>,
    begun: Sender<()>,
    /// Open when nobody holds the other end.
    gate: Arc<Mutex<Receiver<()>>>,
}

impl Network for Slow {
    fn lab(&self) -> Arc<dyn LabNetwork> {
        Arc::new(SlowLab {
            inner: self.inner.lab(),
            begun: self.begun.clone(),
            gate: Arc::clone(&self.gate),
        })
    }
}

impl LabNetwork for SlowLab {
    fn join(&self, name: &HostName) -> io::Result<Arc<dyn network::Host>> {
        if name.as_str() == "slow" {
            self.begun.send(()).unwrap();
            self.gate.lock().unwrap().recv().unwrap_err();
        }
        self.inner.join(name)
    }
}

#[tokio::test]
async fn a_host_that_takes_long_delays_only_those_who_want_it() {
    let (shut, gate) = channel();
    let (begun, beginnings) = channel();
    let network = Slow {
        inner: network::make(NetworkKind::Portable).unwrap(),
        begun,
        gate: Arc::new(Mutex::new(gate)),
    };
    let labs = Arc::new(Labs::new(Arc::new(network), WIDE, Metrics::default()));
    let join = async |id, name| labs.join(&lab(id), &host(name), client(1)).await.unwrap();
    let waiting = [(); 2].map(|()| {
        let labs = Arc::clone(&labs);
        tokio::spawn(async move { labs.join(&lab('a'), &host("slow"), client(1)).await })
    });
    let begins = tokio::task::spawn_blocking(move || beginnings.recv());
    begins.await.unwrap().unwrap();
    // The lab is there, the host is not yet, and everything else goes on.
    assert!(labs.look(&lab('a')).unwrap().hosts.is_empty());
    let _elsewhere = join('b', "desk").await;
    let beside = join('a', "desk").await;
    assert!(beside.host().resolve("slow").is_empty());
    assert!(labs.metrics.render().contains("socketpad_hosts 3\n"));
    drop(shut);
    let mut processes = Vec::new();
    for waiting in waiting {
        let process = waiting.await.unwrap().unwrap();
        assert_eq!(process.host().addresses(), beside.host().resolve("slow"));
        processes.push(process);
    }
    drop(processes);
    assert!(beside.host().resolve("slow").is_empty());
}
