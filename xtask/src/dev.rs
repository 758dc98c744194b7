//! `cargo xtask dev`: Trunk serves the page and rebuilds it on change; the relay runs beside it and is rebuilt too.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    process::{Child, Command},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::{command, crossing::Crossing, fingerprint::Fingerprint, relay, setup, workspace};

/// Where the person finds the page.
const ADDRESS: SocketAddr = local(7070);

/// Where the relay listens.
const RELAY: SocketAddr = local(7071);

/// Where Trunk serves the page.
const PAGE: SocketAddr = local(7072);

/// How often the relay's sources are looked at.
const GLANCE: Duration = Duration::from_millis(500);

/// A program that ends with us.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self(child))
    }

    fn has_ended(&mut self) -> Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, as after a Ctrl-C that went to all of us.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves until Ctrl-C. The arguments go to the relay.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    setup::for_build()?;
    let stop = stop_signals()?;
    let listener =
        TcpListener::bind(ADDRESS).with_context(|| format!("cannot listen on {ADDRESS}"))?;
    Crossing {
        page: PAGE,
        relay: RELAY,
    }
    .open(listener);
    let start_relay = || -> Result<Running> {
        let binary = relay::debug()?;
        Running::start(
            command::program(binary)
                .args(["--listen", &RELAY.to_string()])
                .args(arguments),
        )
    };
    let mut sources = relay_sources()?;
    let mut relay = Some(start_relay()?);
    // Not into dist/, which holds the page that `serve` and `build` put into the binary.
    let mut trunk = command::program("trunk");
    trunk
        .arg("serve")
        .arg("--dist")
        .arg(workspace::target().join("dev"));
    trunk.args([
        "--address",
        &PAGE.ip().to_string(),
        "--port",
        &PAGE.port().to_string(),
    ]);
    let mut trunk = Running::start(&mut trunk)?;
    println!("as soon as the page is built, it is at http://{ADDRESS}");
    loop {
        match stop.recv_timeout(GLANCE) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        if trunk.has_ended()? {
            bail!("trunk has ended");
        }
        let now = relay_sources()?;
        if now != sources {
            sources = now;
            // The old one first, because the new one needs its port.
            drop(relay.take());
            match start_relay() {
                Ok(new) => relay = Some(new),
                Err(error) => eprintln!("the relay waits for the next change: {error:#}"),
            }
        }
    }
}

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Receives a message when the person presses Ctrl-C or the program is asked to end.
fn stop_signals() -> Result<mpsc::Receiver<()>> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            // The receiver is gone only when everything else is.
            let _ = sender.send(());
        }
    });
    Ok(receiver)
}

fn relay_sources() -> Result<Fingerprint> {
    Fingerprint::of_sources(
        ["Cargo.toml", "protocol", "relay"].map(|name| workspace::root().join(name)),
    )
}
