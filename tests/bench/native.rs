//! The ends that are no browser, and what stands between them.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, Result};
use protocol::SocketId;
use tests::program::Program;

use crate::{
    load::{Clock, Sample, Workload, measure, nothing},
    pipe::Plain,
    relay::Relay,
    role::{Role, start_peer},
    session::{Line, Session},
};

/// All of them. Each is a program of its own, except for the near end.
#[derive(Debug)]
pub(crate) struct Native {
    /// The relay.
    pub(crate) relay: Relay,
    /// Both proxies.
    pub(crate) between: Program,
    /// The far end, which the proxies lead to.
    pub(crate) peer: SocketAddr,
    /// One proxy before the far end.
    pub(crate) once: SocketAddr,
    /// Another before that.
    twice: SocketAddr,
    /// A process from which a far end outside can be reached.
    pub(crate) near: Outpost,
    /// A process, and the port of another one of its lab.
    pair: (Session, u16),
    _far: [Program; 3],
}

/// A process, its listener, and the port that it shares with a native program: nothing else outside can be reached.
#[derive(Debug)]
pub(crate) struct Outpost {
    /// The process.
    pub(crate) session: Session,
    listener: SocketId,
    port: u16,
}

impl Outpost {
    /// Starts the process, and the native program that can be reached from it.
    pub(crate) fn start(relay: &Relay, lab: u32) -> Result<(Self, Program)> {
        let mut session = Session::open(relay.address, &Relay::lab(lab)?)?;
        let (listener, port) = session.shared_listener()?;
        let (far, _) = start_peer(relay.real_address(port)?, port)?;
        let outpost = Self {
            session,
            listener,
            port,
        };
        Ok((outpost, far))
    }

    /// Connects to the native program.
    pub(crate) fn connect(&mut self) -> Result<SocketId> {
        Ok(self.connect_timed()?.0)
    }

    /// The same, and how long the call took.
    pub(crate) fn connect_timed(&mut self) -> Result<(SocketId, Duration)> {
        self.session.connect_outside(self.listener, self.port)
    }
}

impl Native {
    /// Starts everything.
    pub(crate) fn build() -> Result<Self> {
        let relay = Relay::start()?;
        let (far, peer) = start_peer(Ipv4Addr::LOCALHOST, 0)?;
        let peer = SocketAddr::from(peer);
        let (between, addresses) = Role::Proxy(peer).start()?;
        let (once, twice) = addresses.split_once(' ').context("two addresses")?;
        let (near, other_far) = Outpost::start(&relay, 1)?;
        let lab = Relay::lab(2)?;
        let (process, line) = Role::Process(relay.address, lab.clone()).start()?;
        let pair = (Session::open(relay.address, &lab)?, line.parse()?);
        Ok(Self {
            relay,
            between,
            peer,
            once: once.parse()?,
            twice: twice.parse()?,
            near,
            pair,
            _far: [far, other_far, process],
        })
    }

    /// Nothing between the ends.
    pub(crate) fn direct(&self, work: Workload) -> Result<Sample> {
        measure(&mut Plain::connect(self.peer)?, work, &nothing)
    }

    /// A bare proxy between them.
    pub(crate) fn proxy(&self, work: Workload) -> Result<Sample> {
        let clock = || self.between.processor_time();
        measure(&mut Plain::connect(self.once)?, work, &clock)
    }

    /// Two bare proxies between them.
    pub(crate) fn proxies(&self, work: Workload) -> Result<Sample> {
        let clock = || self.between.processor_time();
        measure(&mut Plain::connect(self.twice)?, work, &clock)
    }

    /// The relay between a process and a native program.
    pub(crate) fn relay(&mut self, work: Workload) -> Result<Sample> {
        let socket = self.near.connect()?;
        let clock = || self.relay.program.processor_time();
        over(&mut self.near.session, socket, work, &clock)
    }

    /// The relay between two processes.
    pub(crate) fn relays(&mut self, work: Workload) -> Result<Sample> {
        let (session, port) = &mut self.pair;
        let socket = session.connect(*port)?;
        let clock = || self.relay.program.processor_time();
        over(session, socket, work, &clock)
    }
}

/// Measures over a new connection of a process.
fn over(
    session: &mut Session,
    socket: SocketId,
    work: Workload,
    clock: Clock<'_>,
) -> Result<Sample> {
    let mut line = Line::new(session, socket);
    let sample = measure(&mut line, work, clock)?;
    line.close()?;
    Ok(sample)
}
