//! The program `socketpad`: a relay that is set up from the command line.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;

use clap::Parser;
use relay::{Options, Relay, shutdown};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing_subscriber::EnvFilter;

/// How many threads at most may make hosts, take them away and read files at a time. To make hosts is mostly to wait for
/// the kernel, which makes few at once.
const BLOCKING_THREADS: usize = 32;

/// Socketpad lets programs that run in a browser use real sockets.
///
/// It serves the page, and gives every program that is run there a place on a host of a lab: a small network of its
/// own, which cannot reach other labs, this machine or the internet.
///
/// Every option can also be set by an environment variable. /healthz says that the relay runs; /metrics counts labs,
/// hosts, processes, sockets and bytes for Prometheus. SIGINT (Ctrl-C) and SIGTERM end it in good order.
#[derive(Debug, Parser)]
#[command(name = "socketpad", version, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    options: Options,

    /// What to log to standard error: error, warn, info, debug, trace, or a filter such as relay=debug,warn.
    #[arg(
        long,
        env = "SOCKETPAD_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    log: EnvFilter,
}

fn main() -> ExitCode {
    let CommandLine { options, log } = CommandLine::parse();
    tracing_subscriber::fmt()
        .with_env_filter(log)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
    raise_descriptor_limit();
    // While there is one thread: a process with more of them cannot enter a user namespace.
    let listen = options.listen;
    let relay = match Relay::bind(options) {
        Ok(relay) => relay,
        Err(error) => {
            tracing::error!("could not start on {listen}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime could not be started");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(relay)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(relay: Relay) -> anyhow::Result<()> {
    use anyhow::Context;
    let requested = shutdown::requested().context("signals cannot be watched")?;
    // Somebody may wait for this line through a pipe.
    let mut out = stdout();
    writeln!(out, "Socketpad is at http://{}", relay.local_addr())?;
    out.flush()?;
    relay
        .serve(async {
            requested.await;
            tracing::info!("stopping");
        })
        .await
        .context("could not serve")
}

/// Allows as many descriptors as the system does: every connection and every socket is one.
fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit on descriptors stays as it is");
    }
}
