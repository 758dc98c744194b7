//! A relay of a test's own.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use protocol::LabId;
use relay::{Options, Relay};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    Metrics,
    wait::{DEADLINE, eventually},
};

/// A relay on a free port. It stops when this is dropped.
#[derive(Debug)]
pub struct TestRelay {
    address: SocketAddr,
    metrics: relay::Metrics,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl TestRelay {
    /// Starts a relay as an operator would who sets nothing.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// Starts a relay with these options, on a free port. Labs go with their last process, so that a test sees at once
    /// whether anything is left.
    pub async fn with(mut options: Options) -> Self {
        options.limits.grace = Duration::ZERO;
        Self::exactly(options).await
    }

    /// Starts a relay with these options to the letter, but for the port.
    pub async fn exactly(options: Options) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let relay = Relay::bind(Options { listen, ..options }).await.unwrap();
        let address = relay.local_addr();
        let metrics = relay.metrics();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            relay.serve(shutdown).await.expect("the relay serves");
        });
        Self {
            address,
            metrics,
            stop: Some(stop),
            serving,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A lab that no other test has.
    pub fn lab(&self) -> LabId {
        static LABS: AtomicU64 = AtomicU64::new(0);
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        LabId::new(format!("testlab{number:019}")).unwrap()
    }

    /// Its counts now.
    pub fn metrics(&self) -> Metrics {
        Metrics::parse(&self.metrics.render())
    }

    /// Waits until the counts are as they should be, and says how long that took.
    pub async fn until(&self, what: &str, condition: impl Fn(&Metrics) -> bool) -> Duration {
        let begin = Instant::now();
        let waited = eventually(DEADLINE, async || condition(&self.metrics()).then_some(())).await;
        match waited {
            Ok(()) => begin.elapsed(),
            Err(_) => panic!("waited in vain until {what}: {:#?}", self.metrics()),
        }
    }

    /// Waits until no process is left, nor anything that was made for one.
    pub async fn until_empty(&self) -> Duration {
        self.until("nothing is left", |metrics| {
            metrics.sockets() + metrics.processes() + metrics.hosts() + metrics.labs() == 0.0
        })
        .await
    }

    /// Asks it to stop, as Ctrl-C does.
    pub fn ask_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until it has stopped.
    pub async fn stopped(&mut self) {
        let stopped = tokio::time::timeout(DEADLINE, &mut self.serving).await;
        stopped.expect("the relay stops").expect("no panic");
    }
}

impl Drop for TestRelay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
