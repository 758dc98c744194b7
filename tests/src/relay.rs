//! A relay of a test's own.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use protocol::LabId;
use relay::{Links, NetworkKind, Options, Relay};
use rustix::process::geteuid;
use tokio::{process::Command, sync::oneshot, task::JoinHandle};

use crate::{
    Descriptors, Metrics, Standalone,
    standalone::memory_of,
    wait::{DEADLINE, eventually},
};

/// A relay on a free port. It stops when this is dropped.
#[derive(Debug)]
pub struct TestRelay {
    address: SocketAddr,
    form: Form,
}

/// Where a relay runs.
#[derive(Debug)]
enum Form {
    /// Within the test.
    Here {
        metrics: relay::Metrics,
        links: Links,
        stop: Option<oneshot::Sender<()>>,
        serving: JoinHandle<()>,
    },
    /// As a program of its own.
    Standalone(Standalone),
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
        if options.network != NetworkKind::Portable && !geteuid().is_root() {
            let mut command = Command::new(Standalone::path());
            command.args(Standalone::flags(&options));
            return Self::of(Standalone::start(&mut command).await);
        }
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let relay = Relay::bind(Options { listen, ..options }).unwrap();
        let address = relay.local_addr();
        let metrics = relay.metrics();
        let links = relay.links();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            relay.serve(shutdown).await.expect("the relay serves");
        });
        let stop = Some(stop);
        Self {
            address,
            form: Form::Here {
                metrics,
                links,
                stop,
                serving,
            },
        }
    }

    /// Uses a relay that was started as a program.
    pub fn of(program: Standalone) -> Self {
        Self {
            address: program.address(),
            form: Form::Standalone(program),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The links of its hosts.
    ///
    /// # Panics
    ///
    /// When it runs as a program of its own.
    pub fn links(&self) -> Links {
        match &self.form {
            Form::Here { links, .. } => links.clone(),
            Form::Standalone(_) => panic!("the links of a program are out of reach"),
        }
    }

    /// A lab that no other test has.
    pub fn lab(&self) -> LabId {
        static LABS: AtomicU64 = AtomicU64::new(0);
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        LabId::new(format!("testlab{number:019}")).unwrap()
    }

    /// Its counts now.
    pub fn metrics(&self) -> Metrics {
        Metrics::parse(&match &self.form {
            Form::Here { metrics, .. } => metrics.render(),
            Form::Standalone(program) => program.metrics(),
        })
    }

    /// The open descriptors of the process that it runs in.
    pub fn descriptors(&self) -> Descriptors {
        match &self.form {
            Form::Here { .. } => Descriptors::of("self"),
            Form::Standalone(program) => program.descriptors(),
        }
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

    /// How much memory that process holds, in bytes (`VmRSS` in proc_pid_status(5)).
    pub fn memory(&self) -> u64 {
        match &self.form {
            Form::Here { .. } => memory_of("self"),
            Form::Standalone(program) => program.memory(),
        }
    }

    /// Asks it to stop, as Ctrl-C does.
    pub fn ask_to_stop(&mut self) {
        match &mut self.form {
            Form::Here { stop, .. } => drop(stop.take()),
            Form::Standalone(program) => program.ask_to_stop(),
        }
    }

    /// Waits until it has stopped.
    pub async fn stopped(&mut self) {
        match &mut self.form {
            Form::Here { serving, .. } => {
                let stopped = tokio::time::timeout(DEADLINE, serving).await;
                stopped.expect("the relay stops").expect("no panic");
            }
            Form::Standalone(program) => drop(program.stopped().await),
        }
    }
}

impl Drop for TestRelay {
    fn drop(&mut self) {
        match &self.form {
            Form::Here { serving, .. } => serving.abort(),
            // Its child is killed.
            Form::Standalone(_) => {}
        }
    }
}
