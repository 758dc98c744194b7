//! One socket, as the program's side of it stands.

use std::collections::VecDeque;

use protocol::limits::{DATAGRAM_COST, MAX_DATAGRAM, MAX_PACKET};
use protocol::{Address, Domain, Errno, Kind, ReceiveWindow, SendWindow, Shutdown, SocketId};

use super::inbox::{Chunk, Datagram, Placement, Stream};
use super::thresholds::Thresholds;

/// What poll(2) can report, in the numbers of Linux and Emscripten.
pub(crate) mod events {
    /// There is something to read, or to accept.
    pub(crate) const IN: i16 = 0x001;
    /// Writing would not block.
    pub(crate) const OUT: i16 = 0x004;
    /// An error is pending.
    pub(crate) const ERR: i16 = 0x008;
    /// Both directions have ended.
    pub(crate) const HUP: i16 = 0x010;
    /// The descriptor is not open.
    pub(crate) const NVAL: i16 = 0x020;
    /// There is urgent data.
    pub(crate) const PRI: i16 = 0x002;
    /// As `IN`.
    pub(crate) const RDNORM: i16 = 0x040;
    /// As `OUT`.
    pub(crate) const WRNORM: i16 = 0x100;
    /// The peer has shut down its writing half.
    pub(crate) const RDHUP: i16 = 0x2000;
    /// What is reported even if it was not asked for.
    pub(crate) const ALWAYS: i16 = ERR | HUP | NVAL;
}

/// The length of UDP's header, in bytes (RFC 768). IPv6 counts it among the 65,535 that it carries, but not its own.
const UDP_HEADER: usize = 8;

/// How far a socket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Neither listening nor connected.
    Idle,
    /// Listening.
    Listening {
        /// A connection is known to wait.
        acceptable: bool,
    },
    /// A connect is under way.
    Connecting,
    /// Connected.
    Connected {
        /// connect(2) has told the program so.
        told: bool,
    },
}

/// One socket.
#[derive(Debug)]
pub(crate) struct Socket<C> {
    /// Its family.
    pub(crate) domain: Domain,
    /// Its type.
    pub(crate) kind: Kind,
    /// How far it has come.
    pub(crate) phase: Phase,
    /// Its own address, if it is known here.
    pub(crate) local: Option<Address>,
    /// Its peer's address; [`Address::Unspecified`] if it has none.
    pub(crate) peer: Address,
    /// Bytes that came in, for a stream.
    pub(crate) stream: Stream<C>,
    /// Where a program reads urgent bytes (`SO_OOBINLINE`).
    pub(crate) placement: Placement,
    /// Datagrams that came in.
    pub(crate) datagrams: VecDeque<Datagram<C>>,
    /// What the relay may send.
    pub(crate) receive: ReceiveWindow,
    /// What the program may send.
    pub(crate) send: SendWindow,
    /// What calls wait for.
    pub(crate) thresholds: Thresholds,
    /// `SO_ERROR`.
    pub(crate) error: Option<Errno>,
    /// The peer has sent everything.
    pub(crate) finished: bool,
    /// The peer of a UNIX stream is gone: sending is `EPIPE`, but what it has sent still comes.
    pub(crate) hung_up: bool,
    /// The other end of a pair, while both are here.
    pub(crate) partner: Option<SocketId>,
    /// The connection has failed for good: sending is `EPIPE` from now on.
    pub(crate) broken: bool,
    /// `SHUT_RD` was called.
    pub(crate) read_shut: bool,
    /// `SHUT_WR` was called.
    pub(crate) write_shut: bool,
}

/// The address of a socket that was never bound.
fn unbound(domain: Domain) -> Option<Address> {
    Some(match domain {
        Domain::Inet => Address::Inet {
            ip: std::net::Ipv4Addr::UNSPECIFIED,
            port: 0,
        },
        Domain::Inet6 => Address::Inet6 {
            ip: std::net::Ipv6Addr::UNSPECIFIED,
            port: 0,
            flow: 0,
            scope: 0,
        },
        Domain::Unix => Address::Unix(Vec::new()),
    })
}

impl<C: Chunk> Socket<C> {
    /// A new socket, neither bound nor connected.
    pub(crate) fn new(domain: Domain, kind: Kind) -> Self {
        Self {
            domain,
            kind,
            phase: Phase::Idle,
            local: unbound(domain),
            peer: Address::Unspecified,
            stream: Stream::default(),
            placement: Placement::default(),
            datagrams: VecDeque::new(),
            receive: ReceiveWindow::default(),
            send: SendWindow::default(),
            thresholds: Thresholds::default(),
            error: None,
            finished: false,
            hung_up: false,
            partner: None,
            broken: false,
            read_shut: false,
            write_shut: false,
        }
    }

    /// Whether there can be urgent data: it is a socket of TCP.
    pub(crate) fn has_urgent_data(&self) -> bool {
        self.kind == Kind::Stream && self.domain != Domain::Unix
    }

    /// How long a datagram may be that it sends (udp(7), raw(7)).
    pub(crate) fn longest_datagram(&self) -> usize {
        match (self.kind, self.domain) {
            (Kind::Raw { .. } | Kind::Ping, _) => MAX_PACKET,
            (_, Domain::Inet6) => MAX_PACKET - UDP_HEADER,
            (_, Domain::Inet | Domain::Unix) => MAX_DATAGRAM,
        }
    }

    /// Whether it has a peer.
    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected { .. })
    }

    /// Whether recv(2) has something to say now: enough bytes, an error, or the end.
    pub(crate) fn is_readable(&self) -> bool {
        let has_something = if self.kind.has_datagrams() {
            !self.datagrams.is_empty()
        } else {
            let readable = self.stream.readable(self.placement);
            // What comes before an urgent byte is enough; and UNIX streams tell of every byte (`unix_poll` in Linux).
            let enough = if self.stream.has_mark() || self.domain == Domain::Unix {
                1
            } else {
                self.thresholds.low_water()
            };
            enough <= readable || self.finished
        };
        has_something || self.error.is_some() || self.read_shut
    }

    /// What poll(2) reports (tcp(7), udp(7); Linux `tcp_poll` for the corner cases).
    pub(crate) fn readiness(&self) -> i16 {
        let mut ready = 0;
        if self.error.is_some() {
            ready |= events::ERR;
        }
        if self.kind.has_datagrams() {
            if self.is_readable() {
                ready |= events::IN | events::RDNORM;
            }
            if DATAGRAM_COST < self.send.available() {
                ready |= events::OUT | events::WRNORM;
            }
            return ready;
        }
        match self.phase {
            Phase::Listening { acceptable: true } => ready | events::IN | events::RDNORM,
            Phase::Listening { acceptable: false } | Phase::Connecting => ready,
            // Linux says so of a stream socket that was never connected, and of one whose connect has failed.
            Phase::Idle => {
                ready |= events::OUT | events::WRNORM | events::HUP;
                if self.error.is_some() || self.broken {
                    ready |= events::IN | events::RDNORM | events::RDHUP;
                }
                ready
            }
            Phase::Connected { .. } => {
                if self.is_readable() {
                    ready |= events::IN | events::RDNORM;
                }
                if self.stream.has_urgent() {
                    ready |= events::PRI;
                }
                if self.finished || self.read_shut {
                    ready |= events::RDHUP;
                }
                let is_over = self.broken || self.hung_up;
                if is_over || self.write_shut || 0 < self.send.available() {
                    ready |= events::OUT | events::WRNORM;
                }
                if is_over || (self.write_shut && (self.finished || self.read_shut)) {
                    ready |= events::HUP;
                }
                ready
            }
        }
    }

    /// Notes that the connection stands.
    pub(crate) fn connected(&mut self, local: Address, peer: Address) {
        self.phase = Phase::Connected { told: false };
        self.local = Some(local);
        self.peer = peer;
    }

    /// Notes that the socket has failed.
    pub(crate) fn fail(&mut self, errno: Errno) {
        self.error = Some(errno);
        if self.kind == Kind::Stream {
            self.broken = true;
            self.finished = true;
        }
    }

    /// Notes that halves of the connection were shut down by the program.
    pub(crate) fn shut(&mut self, how: Shutdown) {
        self.read_shut |= matches!(how, Shutdown::Read | Shutdown::Both);
        self.write_shut |= matches!(how, Shutdown::Write | Shutdown::Both);
    }

    /// Whether closing it now must reset the connection: data that came in was never read.
    pub(crate) fn has_unread(&self) -> bool {
        self.kind == Kind::Stream && !self.stream.is_empty()
    }
}
