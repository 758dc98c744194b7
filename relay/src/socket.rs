//! One socket of a process.
//!
//! Nothing here waits. A call or payload from the process is tried on the descriptor at once; what the kernel does not
//! take is queued, within the credit that was granted. What the kernel has to say comes through the socket's waker:
//! [`Socket::attend`] is then called and does what can be done, a bounded share of it.

mod datagram;
mod listener;
mod option;
mod stream;
mod turn;
mod urgent;
mod watch;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::Waker;

use protocol::{
    Address, CallId, Domain, Errno, Kind, Patience, Reply, SendWindow, ServerMessage, SocketId,
};
use tokio::io::unix::AsyncFd;

use crate::metrics::{Counted, Metrics, Traffic};
use crate::network::option::SOL_SOCKET;
use crate::network::{Detail, Endpoint, Inspector, Names, Plug};
use crate::session::{Intake, Ready, Row, Signal};

use self::datagram::Datagram;
pub(crate) use self::datagram::Envelope;
use self::listener::Listener;
use self::option::Wishes;
use self::stream::Stream;
pub(crate) use self::turn::{Attention, Turn, Violation};
pub(crate) use self::urgent::Urgency;

/// The most bytes that one socket may bring in one turn before others have theirs.
const SHARE: usize = 64 * 1024;

/// A socket.
#[derive(Debug)]
pub(crate) struct Socket {
    core: Core,
    role: Role,
}

/// What the kinds of socket have in common.
#[derive(Debug)]
struct Core {
    id: SocketId,
    domain: Domain,
    kind: Kind,
    /// Its place on the network. It goes first: nobody may be sent to a socket that is closed already.
    endpoint: Box<dyn Endpoint>,
    /// The registration with the event loop. It goes before the descriptor does.
    watch: Option<AsyncFd<Arc<OwnedFd>>>,
    descriptor: Arc<OwnedFd>,
    signal: Arc<Signal>,
    waker: Waker,
    /// How much may be sent to the process.
    window: SendWindow,
    /// How much the process may send.
    intake: Intake,
    wishes: Wishes,
    /// Whether control messages come with its datagrams.
    detail: Detail,
    _counted: Counted,
}

/// What a socket is. A stream that listens becomes a listener.
#[derive(Debug)]
enum Role {
    Stream(Stream),
    Listener(Listener),
    Datagram(Datagram),
}

impl Socket {
    /// Makes a socket of a fresh descriptor.
    pub(crate) fn new(
        id: SocketId,
        domain: Domain,
        kind: Kind,
        plug: Plug,
        ready: &Arc<Ready>,
        metrics: &Metrics,
    ) -> Result<Self, Errno> {
        let mut core = Core::new(id, (domain, kind), plug, ready, metrics);
        let role = match kind {
            Kind::Stream => Role::Stream(Stream::default()),
            Kind::Datagram | Kind::Raw { .. } | Kind::Ping | Kind::UdpLite => {
                core.watch()?;
                core.signal.queue();
                Role::Datagram(Datagram::default())
            }
        };
        Ok(Self { core, role })
    }

    /// Makes a socket of a descriptor that is connected already: one end of a pair.
    pub(crate) fn connected(
        id: SocketId,
        kind: Kind,
        plug: Plug,
        ready: &Arc<Ready>,
        metrics: &Metrics,
    ) -> Result<Self, Errno> {
        let mut socket = Self::new(id, Domain::Unix, kind, plug, ready, metrics)?;
        if kind == Kind::Stream {
            socket.core.watch()?;
            socket.core.signal.queue();
            socket.role = Role::Stream(Stream::connected());
        }
        Ok(socket)
    }

    /// Its family.
    pub(crate) fn domain(&self) -> Domain {
        self.core.domain
    }

    /// The waker of this socket.
    pub(crate) fn signal(&self) -> &Signal {
        &self.core.signal
    }

    /// Does what can be done now, a bounded share of it.
    pub(crate) fn attend(&mut self, turn: &mut Turn<'_>) -> Attention {
        let core = &mut self.core;
        match &mut self.role {
            Role::Stream(stream) => stream.attend(core, turn),
            Role::Listener(listener) => {
                listener.attend(core, turn);
                Attention::Later
            }
            Role::Datagram(datagram) => datagram.attend(core, turn),
        }
    }

    /// Reports all that the kernel has now, whatever the event loop knows of it, as far as there is room.
    pub(crate) fn probe(&mut self, turn: &mut Turn<'_>) -> Attention {
        let core = &mut self.core;
        match &mut self.role {
            Role::Stream(stream) => stream.probe(core, turn),
            Role::Listener(listener) => {
                listener.probe(core, turn);
                Attention::Later
            }
            Role::Datagram(datagram) => datagram.probe(core, turn),
        }
    }

    /// bind(2).
    pub(crate) fn bind(&mut self, address: &Address) -> Result<Reply, Errno> {
        let core = &mut self.core;
        core.endpoint.bind(core.descriptor.as_fd(), address)?;
        core.names()
    }

    /// listen(2).
    pub(crate) fn listen(&mut self, backlog: u32) -> Result<Reply, Errno> {
        let core = &mut self.core;
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        core.endpoint.listen(core.descriptor.as_fd(), backlog)?;
        if let Role::Stream(_) = self.role {
            core.watch()?;
            self.role = Role::Listener(Listener::default());
            core.signal.queue();
        }
        core.names()
    }

    /// accept(2). The new socket has the number `accepted`.
    pub(crate) fn accept(
        &mut self,
        accepted: SocketId,
        ready: &Arc<Ready>,
        metrics: &Metrics,
    ) -> Result<Self, Errno> {
        let core = &mut self.core;
        if core.kind.has_datagrams() {
            return Err(Errno::EOPNOTSUPP);
        }
        let plug = core.endpoint.accept(core.descriptor.as_fd())?;
        let mut core = Core::new(accepted, (core.domain, core.kind), plug, ready, metrics);
        core.wishes = self.core.wishes;
        core.watch()?;
        core.signal.queue();
        Ok(Self {
            core,
            role: Role::Stream(Stream::connected()),
        })
    }

    /// Notes that an accept was answered: the next connection that waits is news again.
    pub(crate) fn accept_answered(&mut self) {
        if let Role::Listener(listener) = &mut self.role {
            listener.answered();
            self.core.signal.queue();
        }
    }

    /// connect(2). None if it will be answered later.
    pub(crate) fn connect(
        &mut self,
        call: CallId,
        address: &Address,
        turn: &mut Turn<'_>,
    ) -> Option<Result<Reply, Errno>> {
        let core = &mut self.core;
        match &mut self.role {
            Role::Stream(stream) => stream.connect(core, call, address, turn),
            Role::Listener(_) => Some(Err(Errno::EISCONN)),
            Role::Datagram(_) => Some(
                core.endpoint
                    .connect(core.descriptor.as_fd(), address)
                    .and_then(|_| core.names()),
            ),
        }
    }

    /// getsockname(2) and getpeername(2).
    pub(crate) fn names(&self) -> Result<Reply, Errno> {
        self.core.names()
    }

    /// getsockopt(2).
    pub(crate) fn option(&self, level: i32, name: i32, length: u32) -> Result<Reply, Errno> {
        let core = &self.core;
        core.check_level(level)?;
        if let Some(number) = core.endpoint.option(core.fd(), (level, name)) {
            return number.map(|number| Reply::Option(option::cut(&[number], length)));
        }
        if core.domain == Domain::Unix && (level, name) == option::PEERCRED {
            let peer = core.endpoint.peer_process();
            return Ok(Reply::Option(option::credentials(peer, length)));
        }
        option::get(core.descriptor.as_fd(), &core.wishes, (level, name), length).map(Reply::Option)
    }

    /// setsockopt(2).
    pub(crate) fn set_option(
        &mut self,
        level: i32,
        name: i32,
        value: &[u8],
    ) -> Result<Reply, Errno> {
        let core = &mut self.core;
        core.check_level(level)?;
        let descriptor = core.descriptor.as_fd();
        match core.endpoint.set_option(descriptor, (level, name), value) {
            Some(done) => done?,
            None => option::set(descriptor, &mut core.wishes, (level, name), value)?,
        }
        if option::asks_for_controls((level, name)) {
            core.detail = Detail::Controls;
        }
        Ok(Reply::Nothing)
    }

    /// shutdown(2).
    pub(crate) fn shutdown(&mut self, how: protocol::Shutdown, turn: &mut Turn<'_>) {
        let core = &mut self.core;
        match &mut self.role {
            Role::Stream(stream) => stream.shutdown(core, how, turn),
            Role::Listener(_) => {
                // A shut listener counts as readable, and accept then says what is the matter.
                let _ = rustix::net::shutdown(&core.descriptor, how_of(how));
                core.signal.queue();
            }
            Role::Datagram(datagram) => {
                let done = rustix::net::shutdown(&core.descriptor, how_of(how));
                if done.is_ok() && how != protocol::Shutdown::Write {
                    datagram.finish(core, turn);
                }
            }
        }
    }

    /// The process sends bytes on a stream.
    pub(crate) fn write(
        &mut self,
        payload: &[u8],
        urgency: Urgency,
        turn: &mut Turn<'_>,
    ) -> Result<(), Violation> {
        let core = &mut self.core;
        match &mut self.role {
            Role::Stream(stream) => stream.write(core, (payload, urgency), turn),
            Role::Listener(_) | Role::Datagram(_) => {
                Err(Violation(format!("socket {} is no connection", core.id.0)))
            }
        }
    }

    /// The process sends a datagram.
    pub(crate) fn send(
        &mut self,
        envelope: Envelope,
        payload: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<(), Violation> {
        let core = &mut self.core;
        match &mut self.role {
            Role::Datagram(datagram) => datagram.send(core, envelope, payload, turn),
            Role::Stream(_) | Role::Listener(_) => Err(Violation(format!(
                "socket {} takes no datagrams",
                core.id.0
            ))),
        }
    }

    /// What became of the datagrams that were sent. None if it will be answered later.
    pub(crate) fn delivered(
        &mut self,
        call: CallId,
        patience: Patience,
        turn: &mut Turn<'_>,
    ) -> Option<Result<Reply, Errno>> {
        let core = &mut self.core;
        match &mut self.role {
            Role::Datagram(datagram) if core.domain == Domain::Unix => {
                datagram.delivered(core, call, patience, turn)
            }
            Role::Datagram(_) | Role::Stream(_) | Role::Listener(_) => Some(Err(Errno::EOPNOTSUPP)),
        }
    }

    /// The process takes more.
    pub(crate) fn grant(&mut self, limit: u64) {
        self.core.window.grant(limit);
        self.core.signal.queue();
    }

    /// close(2): says whether something is still to be delivered, and the socket must be kept until it is.
    pub(crate) fn close(&mut self, turn: &mut Turn<'_>) -> bool {
        let busy = match &mut self.role {
            Role::Stream(stream) => stream.close(turn),
            Role::Listener(_) => false,
            Role::Datagram(datagram) => datagram.close(turn),
        };
        // A UNIX socket does not linger.
        if self.core.domain != Domain::Unix && self.core.wishes.resets_on_close() {
            self.reset();
            return false;
        }
        busy
    }

    /// Makes closing reset the connection, whatever is still to be delivered.
    pub(crate) fn reset(&mut self) {
        self.core.endpoint.reset(self.core.fd());
    }

    /// Whether nothing is left to be delivered after [`close`](Self::close).
    pub(crate) fn is_drained(&self) -> bool {
        match &self.role {
            Role::Stream(stream) => stream.is_drained(),
            Role::Listener(_) => true,
            Role::Datagram(datagram) => datagram.is_drained(),
        }
    }

    /// How it stands, for whoever looks from outside.
    pub(crate) fn row(&self, inspector: Option<&Inspector>) -> Row {
        let core = &self.core;
        let (local, peer) = match core.endpoint.names(core.fd()) {
            Ok(Names { local, peer }) => (local, peer),
            Err(_) => (Address::Unspecified, Address::Unspecified),
        };
        let sight = core.endpoint.sight(core.fd());
        let mut sight = sight
            .or_else(|| inspector?.look(core.fd(), core.kind))
            .unwrap_or_default();
        let held = u32::try_from(core.endpoint.held()).unwrap_or(u32::MAX);
        sight.receive = sight.receive.saturating_add(held);
        Row {
            socket: core.id,
            domain: core.domain,
            kind: core.kind,
            sight,
            held: core.intake.held(),
            local,
            peer,
        }
    }

    /// What it took of the session's budget, to be given back.
    pub(crate) fn intake(&self) -> &Intake {
        &self.core.intake
    }
}

impl Core {
    fn new(
        id: SocketId,
        (domain, kind): (Domain, Kind),
        plug: Plug,
        ready: &Arc<Ready>,
        metrics: &Metrics,
    ) -> Self {
        let signal = Signal::new(id, ready);
        let waker = Waker::from(Arc::clone(&signal));
        let mut endpoint = plug.endpoint;
        endpoint.hear(&waker);
        Self {
            id,
            domain,
            kind,
            watch: None,
            descriptor: plug.descriptor,
            endpoint,
            waker,
            signal,
            window: SendWindow::default(),
            intake: Intake::default(),
            wishes: Wishes::default(),
            detail: Detail::default(),
            _counted: metrics.count_socket(kind),
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// A UNIX socket has no options but those of every socket.
    fn check_level(&self, level: i32) -> Result<(), Errno> {
        match self.domain {
            Domain::Unix if level != SOL_SOCKET => Err(Errno::EOPNOTSUPP),
            Domain::Unix | Domain::Inet | Domain::Inet6 => Ok(()),
        }
    }

    /// Takes `SO_ERROR`, in which the kernel does not have what a UNIX peer's program left unread.
    fn take_error(&self) -> Option<Errno> {
        if self.endpoint.was_reset() {
            return Some(Errno::ECONNRESET);
        }
        match rustix::net::sockopt::socket_error(&self.descriptor) {
            Ok(Ok(())) => None,
            Ok(Err(error)) | Err(error) => Some(crate::network::errno(error)),
        }
    }

    fn names(&self) -> Result<Reply, Errno> {
        let Names { local, peer } = self.endpoint.names(self.fd())?;
        Ok(Reply::Names { local, peer })
    }

    fn failed(&self, errno: Errno, turn: &mut Turn<'_>) {
        let socket = self.id;
        turn.outbox
            .message(&ServerMessage::Failed { socket, errno });
    }

    /// Counts payload that left the relay, and grants more if it is time.
    fn consume(&mut self, bytes: u64, turn: &mut Turn<'_>) {
        if let Some(limit) = turn.budget.consume(&mut self.intake, bytes) {
            let socket = self.id;
            turn.outbox
                .message(&ServerMessage::Credit { socket, limit });
        }
    }

    fn traffic<'a>(&self, metrics: &'a Metrics) -> &'a Traffic {
        metrics.traffic(self.kind)
    }
}

/// A number as the other systems call it.
fn how_of(how: protocol::Shutdown) -> rustix::net::Shutdown {
    match how {
        protocol::Shutdown::Read => rustix::net::Shutdown::Read,
        protocol::Shutdown::Write => rustix::net::Shutdown::Write,
        protocol::Shutdown::Both => rustix::net::Shutdown::Both,
    }
}
