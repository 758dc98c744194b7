//! The relay that is measured: the release binary, as a program of its own.

use std::{
    env,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::PathBuf,
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use protocol::LabId;

use crate::program::Program;

/// The state of a socket that listens, in /proc/net/tcp (the kernel's `TCP_LISTEN`).
const LISTENING: &str = "0A";

/// How hosts are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// As addresses of the loopback.
    Portable,
    /// As network namespaces.
    Namespaces,
}

impl Network {
    /// As the command line calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Namespaces => "namespaces",
        }
    }
}

/// A running relay.
#[derive(Debug)]
pub(crate) struct Relay {
    /// The program.
    pub(crate) program: Program,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// The release binary: what `SOCKETPAD_BINARY` names, or what `cargo xtask build` makes.
pub(crate) fn path() -> PathBuf {
    match env::var_os("SOCKETPAD_BINARY") {
        Some(path) => path.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/release/socketpad"),
    }
}

impl Relay {
    /// Starts it on a free port. Nobody is pinged, too silent, too fast or one too many, so that nothing but the load is
    /// measured.
    pub(crate) fn start() -> Result<Self> {
        Self::start_with(Network::Portable)
    }

    /// The same on a network of choice.
    pub(crate) fn start_with(network: Network) -> Result<Self> {
        let mut command = Command::new(path());
        command
            .args(["--listen", "127.0.0.1:0", "--network", network.name()])
            .args([
                "--max-rate",
                "0",
                "--max-labs-per-client",
                "1000",
                "--lab-grace",
                "0",
            ])
            .args(["--ping", "86400", "--silence", "86400", "--log", "error"]);
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

    /// A lab that nobody else has.
    pub(crate) fn lab(number: u32) -> Result<LabId> {
        Ok(LabId::new(format!("benchlab{number:018}"))?)
    }

    /// The address on this machine's loopback at which somebody listens on a port for a host of a lab: of the portable
    /// network, which hides it from processes.
    pub(crate) fn real_address(&self, port: u16) -> Result<Ipv4Addr> {
        let table = self.program.read("net/tcp")?;
        let listeners = table.lines().filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let (local, _, state) = (fields.next()?, fields.next()?, fields.next()?);
            let (ip, number) = local.split_once(':')?;
            let is_it = state == LISTENING && u16::from_str_radix(number, 16).ok()? == port;
            // The kernel prints the four bytes as the machine's one number.
            let ip = Ipv4Addr::from(u32::from_str_radix(ip, 16).ok()?.to_ne_bytes());
            (is_it && ip.is_loopback() && ip != Ipv4Addr::LOCALHOST).then_some(ip)
        });
        let found: Vec<Ipv4Addr> = listeners.collect();
        ensure!(
            found.len() == 1,
            "{} hosts listen on port {port}",
            found.len()
        );
        Ok(found[0])
    }
}

/// An address that a program has printed.
pub(crate) fn parse(line: &str) -> Result<SocketAddrV4> {
    line.parse()
        .with_context(|| format!("{line:?} is no address"))
}
