//! What the relay holds at a time: by /proc, and by what it says itself.

use std::{net::SocketAddr, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use tests::{Metrics, figures::figure, program::Program};
use tokio::time::{Instant, sleep};

use crate::{binary, plan::Plan};

/// How often it is looked at until something is so.
const EVERY: Duration = Duration::from_millis(100);

/// The relay that has to bear it.
#[derive(Debug)]
pub(crate) struct Relay {
    program: Program,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Relay {
    /// Starts it with room for the plan.
    pub(crate) fn start(plan: &Plan) -> Result<Self> {
        let mut command = Command::new(binary()?);
        let labs = plan.labs.to_string();
        let processes = (2 * plan.pairs).to_string();
        command
            .args(["--listen", "127.0.0.1:0", "--log", "warn"])
            .args(["--max-labs", &labs, "--max-labs-per-client", &labs])
            .args([
                "--max-processes",
                &processes,
                "--max-rate",
                "0",
                "--lab-grace",
                "1",
            ]);
        let (program, line) = Program::start(&mut command)?;
        let address = line
            .rsplit_once("http://")
            .context("the relay says no address")?
            .1;
        Ok(Self {
            address: address.parse()?,
            program,
        })
    }

    /// Looks at it.
    pub(crate) async fn look(&self) -> Result<Sample> {
        let address = self.address;
        let metrics = tokio::task::spawn_blocking(move || Metrics::ask(address)).await??;
        Ok(Sample {
            memory: self.program.memory()?,
            descriptors: self.program.descriptors()?,
            namespaces: self.program.namespaces()?,
            metrics,
        })
    }

    /// Looks at it until it is so, or the time is up.
    pub(crate) async fn look_until(
        &self,
        time: Duration,
        condition: impl Fn(&Sample) -> bool,
    ) -> Result<Sample> {
        let end = Instant::now() + time;
        loop {
            let sample = self.look().await?;
            if condition(&sample) || end < Instant::now() {
                return Ok(sample);
            }
            sleep(EVERY).await;
        }
    }
}

/// One look.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The proportional set size, in bytes.
    pub(crate) memory: u64,
    /// Open descriptors, the one of the connection included that asked for the counts, if it still was.
    pub(crate) descriptors: usize,
    /// Network namespaces that it keeps alive.
    pub(crate) namespaces: usize,
    /// Its own counts.
    pub(crate) metrics: Metrics,
}

impl Sample {
    /// Whether it says that nobody is there.
    pub(crate) fn is_empty(&self) -> bool {
        let metrics = &self.metrics;
        metrics.labs() + metrics.hosts() + metrics.processes() + metrics.sockets() == 0.0
    }

    /// As a row of the table.
    pub(crate) fn row(&self, name: &str) -> Vec<String> {
        let metrics = &self.metrics;
        vec![
            name.to_owned(),
            #[expect(clippy::cast_precision_loss, reason = "three figures of it are shown")]
            figure(Some(self.memory as f64 / 1e6)),
            self.descriptors.to_string(),
            self.namespaces.to_string(),
            metrics.labs().to_string(),
            metrics.hosts().to_string(),
            metrics.processes().to_string(),
            metrics.sockets().to_string(),
            figure(Some(
                (metrics.bytes_sent() + metrics.bytes_received()) / 1e9,
            )),
        ]
    }
}
