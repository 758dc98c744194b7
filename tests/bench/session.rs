//! A process on the relay that is no browser and costs next to nothing itself.
//!
//! The tests' client keeps queues and tasks, which cost more than what is to be measured. This one reads from its
//! WebSocket and writes to it as the other ends do to TCP: one call at a time. Frames of bulk data are masked once and
//! sent again and again.

mod duo;
mod line;
mod wire;

use std::{
    collections::HashMap,
    env,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
pub(crate) use duo::Duo;
pub(crate) use line::Line;
use protocol::{
    Address, CallId, ClientMessage, Domain, Errno, Hello, HostName, Kind, LabId, MINOR_VERSION,
    ProcessName, Reply, ServerMessage, SocketId, frame,
};
use wire::{Event, Wire};

/// How many connections may wait at a listener.
const BACKLOG: u32 = 4096;

/// How often a connection is tried that may go to either of two listeners.
const TRIES: u32 = 64;

/// Linux's numbers of what makes a port one that can be shared (socket(7)).
const SOL_SOCKET: i32 = 1;
const SO_REUSEPORT: i32 = 15;

/// A process.
#[derive(Debug)]
pub(crate) struct Session {
    wire: Wire,
    /// Its host's addresses in the lab.
    addresses: Vec<IpAddr>,
    /// Control frames that are to be sent.
    out: Vec<u8>,
    calls: u32,
    sockets: u32,
    done: HashMap<CallId, Result<Reply, Errno>>,
    /// Credit that came for each socket.
    credit: HashMap<SocketId, u64>,
    /// Whether a connection waits at the listener.
    acceptable: bool,
    /// The connection whose peer has finished.
    finished: Option<SocketId>,
}

impl Session {
    /// Starts a process on the host `desk` of this lab.
    pub(crate) fn open(relay: SocketAddr, lab: &LabId) -> Result<Self> {
        Self::open_on(relay, lab, "desk")
    }

    /// Starts a process on a host of this lab.
    pub(crate) fn open_on(relay: SocketAddr, lab: &LabId, host: &str) -> Result<Self> {
        let mut session = Self {
            wire: Wire::open(relay, lab)?,
            addresses: Vec::new(),
            out: Vec::new(),
            calls: 0,
            sockets: 0,
            done: HashMap::new(),
            credit: HashMap::new(),
            acceptable: false,
            finished: None,
        };
        session.say(&ClientMessage::Hello(Hello {
            minor: MINOR_VERSION,
            host: HostName::new(host)?,
            process: ProcessName::new("bench")?,
        }));
        session.flush()?;
        match session.wire.event()? {
            Event::Message(ServerMessage::Welcome(welcome)) => {
                session.addresses = welcome.addresses;
            }
            other => bail!("the relay welcomes with {other:?}"),
        }
        // The relay reads the variable too: without a grace time there is nothing to acknowledge.
        if env::var("SOCKETPAD_GRACE").as_deref() != Ok("0") {
            match session.wire.event()? {
                Event::Message(ServerMessage::Session(_)) => session.wire.acknowledge(),
                other => bail!("after the welcome comes {other:?}"),
            }
        }
        session.wire.rest()?;
        Ok(session)
    }

    /// Collects a message.
    fn say(&mut self, message: &ClientMessage) {
        frame::encode_message(message, &mut self.out);
    }

    /// Sends what was collected.
    fn flush(&mut self) -> Result<()> {
        if !self.out.is_empty() {
            self.wire.send(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    /// Makes a socket.
    pub(crate) fn socket(&mut self, kind: Kind) -> SocketId {
        let socket = self.number();
        self.say(&ClientMessage::Socket {
            socket,
            domain: Domain::Inet,
            kind,
        });
        socket
    }

    fn number(&mut self) -> SocketId {
        self.sockets += 1;
        SocketId(self.sockets)
    }

    /// Begins a call.
    fn begin(&mut self, message: impl FnOnce(CallId) -> ClientMessage) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls);
        self.say(&message(call));
        call
    }

    /// Waits for the end of a call.
    pub(crate) fn finish(&mut self, call: CallId) -> Result<Result<Reply, Errno>> {
        self.flush()?;
        loop {
            if let Some(result) = self.done.remove(&call) {
                return Ok(result);
            }
            self.advance()?;
        }
    }

    /// Makes many calls, all of which must succeed, and waits for their answers together.
    pub(crate) fn all(&mut self, count: u32, begin: impl Fn(&mut Self) -> CallId) -> Result<()> {
        let calls: Vec<CallId> = (0..count).map(|_| begin(self)).collect();
        for call in calls {
            self.finish(call)??;
        }
        self.wire.rest()?;
        Ok(())
    }

    /// The IPv4 address of its host in the lab.
    pub(crate) fn ip(&self) -> Result<Ipv4Addr> {
        let mut addresses = self.addresses.iter();
        let found = addresses.find_map(|ip| match ip {
            IpAddr::V4(ip) => Some(*ip),
            IpAddr::V6(_) => None,
        });
        found.context("the host has no IPv4 address")
    }

    /// Binds a socket to any port of every address of its host, and begins to listen.
    pub(crate) fn public_listener(&mut self) -> Result<(SocketId, u16)> {
        let socket = self.socket(Kind::Stream);
        let address = Address::Inet {
            ip: Ipv4Addr::UNSPECIFIED,
            port: 0,
        };
        let call = self.begin(|call| ClientMessage::Bind {
            call,
            socket,
            address,
        });
        self.finish(call)??;
        self.listen(socket)
    }

    /// A TCP connection to an address of the lab.
    pub(crate) fn connect_to(&mut self, ip: Ipv4Addr, port: u16) -> Result<SocketId> {
        let socket = self.socket(Kind::Stream);
        let address = Address::Inet { ip, port };
        let call = self.begin(|call| ClientMessage::Connect {
            call,
            socket,
            address,
        });
        self.finish(call)??;
        Ok(socket)
    }

    /// Begins to bind a socket to any port.
    pub(crate) fn begin_bind(&mut self, socket: SocketId) -> CallId {
        let address = local(0);
        self.begin(|call| ClientMessage::Bind {
            call,
            socket,
            address,
        })
    }

    /// Begins to listen.
    pub(crate) fn begin_listen(&mut self, socket: SocketId) -> CallId {
        self.begin(|call| ClientMessage::Listen {
            call,
            socket,
            backlog: BACKLOG,
        })
    }

    /// Begins to connect a socket to a port of the host.
    pub(crate) fn begin_connect(&mut self, socket: SocketId, port: u16) -> CallId {
        let address = local(port);
        self.begin(|call| ClientMessage::Connect {
            call,
            socket,
            address,
        })
    }

    /// A TCP socket that listens, and its port.
    pub(crate) fn listener(&mut self) -> Result<(SocketId, u16)> {
        let socket = self.socket(Kind::Stream);
        self.listen(socket)
    }

    /// A TCP socket that listens on a port which it shares with whoever on this machine wants to.
    pub(crate) fn shared_listener(&mut self) -> Result<(SocketId, u16)> {
        let socket = self.socket(Kind::Stream);
        let call = self.begin(|call| ClientMessage::SetOption {
            call,
            socket,
            level: SOL_SOCKET,
            name: SO_REUSEPORT,
            value: 1_i32.to_le_bytes().to_vec(),
        });
        self.finish(call)??;
        self.listen(socket)
    }

    fn listen(&mut self, socket: SocketId) -> Result<(SocketId, u16)> {
        let call = self.begin_listen(socket);
        match self.finish(call)?? {
            Reply::Names { local, .. } => {
                let address = local.inet().context("no IPv4 address")?;
                Ok((socket, address.port()))
            }
            other => bail!("listen was answered with {other:?}"),
        }
    }

    /// A TCP connection to a port of the host.
    pub(crate) fn connect(&mut self, port: u16) -> Result<SocketId> {
        let socket = self.socket(Kind::Stream);
        let call = self.begin_connect(socket, port);
        self.finish(call)??;
        Ok(socket)
    }

    /// A TCP connection to the native program that shares this listener's port, and how long the call took.
    pub(crate) fn connect_outside(
        &mut self,
        listener: SocketId,
        port: u16,
    ) -> Result<(SocketId, Duration)> {
        for _ in 0..TRIES {
            let begin = Instant::now();
            let near = self.connect(port)?;
            let time = begin.elapsed();
            // Whom of the two the kernel gives a connection depends on its addresses, which differ each time.
            let Some(far) = self.accept_now(listener)? else {
                return Ok((near, time));
            };
            self.close(far);
            self.close(near);
        }
        bail!("no connection out of {TRIES} went to the native program")
    }

    /// Waits for a connection and accepts it.
    pub(crate) fn accept(&mut self, listener: SocketId) -> Result<SocketId> {
        loop {
            self.acceptable = false;
            if let Some(accepted) = self.accept_now(listener)? {
                return Ok(accepted);
            }
            while !self.acceptable {
                self.advance()?;
            }
        }
    }

    /// Accepts a connection, if one waits.
    fn accept_now(&mut self, listener: SocketId) -> Result<Option<SocketId>> {
        let accepted = self.number();
        let call = self.begin(|call| ClientMessage::Accept {
            call,
            socket: listener,
            accepted,
        });
        match self.finish(call)? {
            Ok(_) => Ok(Some(accepted)),
            Err(Errno::EAGAIN) => Ok(None),
            Err(errno) => bail!("accept: {errno}"),
        }
    }

    /// Gives back what memory it does not need while it is idle.
    pub(crate) fn rest(&mut self) -> Result<()> {
        self.wire.rest()
    }

    /// Lets the relay send up to this offset.
    pub(crate) fn grant(&mut self, socket: SocketId, limit: u64) -> Result<()> {
        self.say(&ClientMessage::Credit { socket, limit });
        self.flush()
    }

    /// Closes a socket, together with whatever is said next.
    pub(crate) fn close(&mut self, socket: SocketId) {
        self.say(&ClientMessage::Close { socket });
    }

    /// Waits for the next message of the relay and notes what it says.
    fn advance(&mut self) -> Result<()> {
        match self.wire.event()? {
            Event::Message(message) => self.take(message),
            Event::Payload(_, length) => bail!("{length} bytes came that nobody reads"),
        }
    }

    fn take(&mut self, message: ServerMessage) -> Result<()> {
        match message {
            ServerMessage::Done { call, result } => {
                self.done.insert(call, result);
            }
            ServerMessage::Credit { socket, limit } => {
                self.credit.insert(socket, limit);
            }
            ServerMessage::Acceptable { .. } => self.acceptable = true,
            ServerMessage::Finished { socket } => self.finished = Some(socket),
            ServerMessage::Failed { socket, errno } => bail!("{socket:?}: {errno}"),
            ServerMessage::HungUp { socket } => bail!("the peer of {socket:?} is gone"),
            ServerMessage::Refused(refusal) => bail!("{refusal}"),
            ServerMessage::Watch(_) => {}
            ServerMessage::Ack { .. } => {}
            other @ (ServerMessage::Welcome(_)
            | ServerMessage::Session(_)
            | ServerMessage::Resumed { .. }) => bail!("a second greeting: {other:?}"),
        }
        Ok(())
    }
}

/// A port of the process's own host.
fn local(port: u16) -> Address {
    Address::Inet {
        ip: Ipv4Addr::LOCALHOST,
        port,
    }
}
