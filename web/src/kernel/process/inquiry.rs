//! Names, options, poll, name resolution.

use std::net::IpAddr;

use protocol::{Address, ClientMessage, Errno, HostName, Kind, Reply, SocketId};

use super::super::inbox::Chunk;
use super::super::socket::{Phase, events};
use super::super::wait::{Object, Signals, Wait, Wake};
use super::{Attempt, Process, Step, Try};

/// `SOL_SOCKET`.
const SOL_SOCKET: i32 = 1;
/// `SO_ERROR`.
const SO_ERROR: i32 = 4;

/// One descriptor of a poll(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PollEntry {
    /// What the descriptor is.
    pub(crate) target: PollTarget,
    /// What was asked for.
    pub(crate) events: i16,
}

/// What a polled descriptor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PollTarget {
    /// A socket.
    Socket(SocketId),
    /// A stream that the kernel does not keep, and what it is ready for.
    Stream {
        /// Its file system node.
        node: u32,
        /// What it is ready for.
        ready: i16,
    },
    /// To be passed over: a negative descriptor.
    None,
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// The addresses of a name.
    Hosts(Vec<IpAddr>),
    /// The name of an address.
    Name(Option<HostName>),
}

impl<C: Chunk> Process<C> {
    /// getsockname(2).
    pub(crate) fn local(&mut self, attempt: Attempt, id: SocketId) -> Try<Address> {
        match self.get(id)?.local.clone() {
            Some(address) => Ok(Step::Ready(address)),
            None => self.names(attempt, id, |local, _| local),
        }
    }

    /// getpeername(2).
    pub(crate) fn peer(&mut self, attempt: Attempt, id: SocketId) -> Try<Address> {
        let socket = self.get(id)?;
        let peer = match socket.phase {
            // The kernel may have finished the handshake already.
            Phase::Connecting => match self.names(attempt, id, |_, peer| peer)? {
                Step::Ready(peer) => peer,
                Step::Blocked(wait) => return Ok(Step::Blocked(wait)),
            },
            Phase::Connected { .. } if !socket.broken => socket.peer.clone(),
            Phase::Idle | Phase::Listening { .. } | Phase::Connected { .. } => Address::Unspecified,
        };
        match peer {
            Address::Unspecified => Err(Errno::ENOTCONN),
            peer => Ok(Step::Ready(peer)),
        }
    }

    fn names(
        &mut self,
        mut attempt: Attempt,
        id: SocketId,
        choose: fn(Address, Address) -> Address,
    ) -> Try<Address> {
        match attempt.answer() {
            Some(Ok(Reply::Names { local, peer })) => {
                self.get_mut(id)?.local = Some(local.clone());
                Ok(Step::Ready(choose(local, peer)))
            }
            Some(Ok(_)) => Err(Errno::EPROTO),
            Some(Err(errno)) => Err(errno),
            None => self.call(&attempt, Signals::Hold, |call| ClientMessage::Names {
                call,
                socket: id,
            }),
        }
    }

    /// getsockopt(2): the value's bytes.
    pub(crate) fn option(
        &mut self,
        mut attempt: Attempt,
        id: SocketId,
        level: i32,
        name: i32,
        length: u32,
    ) -> Try<Vec<u8>> {
        let socket = self.get_mut(id)?;
        if (level, name) == (SOL_SOCKET, SO_ERROR) {
            // In the interpreter's numbers, for its C code compares it; the Python layer translates for the program.
            let error = socket
                .error
                .take()
                .map_or(0, super::super::emscripten::number);
            return Ok(Step::Ready(error.to_le_bytes().to_vec()));
        }
        if level == SOL_SOCKET
            && let Some(value) = socket.thresholds.get(name, length)
        {
            return Ok(Step::Ready(value));
        }
        match attempt.answer() {
            Some(Ok(Reply::Option(value))) => Ok(Step::Ready(value)),
            Some(Ok(_)) => Err(Errno::EPROTO),
            Some(Err(errno)) => Err(errno),
            None => self.call(&attempt, Signals::Hold, |call| ClientMessage::GetOption {
                call,
                socket: id,
                level,
                name,
                length,
            }),
        }
    }

    /// setsockopt(2).
    pub(crate) fn set_option(
        &mut self,
        mut attempt: Attempt,
        id: SocketId,
        level: i32,
        name: i32,
        value: Vec<u8>,
    ) -> Try<()> {
        let socket = self.get_mut(id)?;
        if level == SOL_SOCKET
            && let Some(done) = socket.thresholds.set(name, &value)
        {
            done?;
            // What was too little to be told of may be enough now.
            self.news(Object::Socket(id));
            return Ok(Step::Ready(()));
        }
        match attempt.answer() {
            Some(result) => {
                result?;
                self.note_option(id, (level, name), &value);
                Ok(Step::Ready(()))
            }
            None => self.call(&attempt, Signals::Hold, |call| ClientMessage::SetOption {
                call,
                socket: id,
                level,
                name,
                value,
            }),
        }
    }

    /// Looks up a host name in the lab.
    pub(crate) fn resolve(&mut self, mut attempt: Attempt, name: String) -> Try<Resolved> {
        match attempt.answer() {
            Some(result) => resolved(result?),
            None => self.call(&attempt, Signals::Hold, |call| ClientMessage::Resolve {
                call,
                name,
            }),
        }
    }

    /// Looks up the name of an address in the lab.
    pub(crate) fn reverse(&mut self, mut attempt: Attempt, ip: IpAddr) -> Try<Resolved> {
        match attempt.answer() {
            Some(result) => resolved(result?),
            None => self.call(&attempt, Signals::Hold, |call| ClientMessage::Reverse {
                call,
                ip,
            }),
        }
    }

    /// poll(2): what each descriptor is ready for. `timeout` is in milliseconds, negative for none.
    pub(crate) fn poll(
        &mut self,
        attempt: &Attempt,
        entries: &[PollEntry],
        timeout: i32,
    ) -> Try<Vec<i16>> {
        let ready: Vec<_> = entries.iter().map(|entry| self.ready(entry)).collect();
        let woken = attempt.wait.as_ref();
        // A poll that does not wait must tell what the kernel has now, which the relay may not have told yet.
        let is_stale = timeout == 0 && woken.is_none() && self.lost.is_none();
        let has_idle_socket = entries.iter().zip(&ready).any(|(entry, &events)| {
            matches!(entry.target, PollTarget::Socket(_)) && events & entry.events == 0
        });
        if is_stale && has_idle_socket {
            return self.call(attempt, Signals::Hold, |call| ClientMessage::Sync { call });
        }
        let asks_nothing = timeout == 0 && entries.is_empty();
        if asks_nothing || ready.iter().any(|&events| events != 0) {
            return Ok(Step::Ready(ready));
        }
        match woken.and_then(|wait| wait.wake.as_ref()) {
            Some(Wake::Interrupted) => return Err(Errno::EINTR),
            Some(Wake::TimedOut | Wake::Answered(_)) => return Ok(Step::Ready(ready)),
            Some(Wake::Ready | Wake::Made(_)) | None => {}
        }
        let objects = entries.iter().filter_map(|entry| match entry.target {
            PollTarget::Socket(id) => Some(Object::Socket(id)),
            PollTarget::Stream { node, .. } => Some(Object::Stream(node)),
            PollTarget::None => None,
        });
        let limit = (0 <= timeout).then(|| attempt.now + f64::from(timeout));
        let wait = Wait {
            deadline: attempt.deadline.or(limit),
            ..Wait::on(attempt.thread, objects.collect())
        };
        Ok(Step::Blocked(self.wait_until(wait, attempt.now)))
    }

    fn ready(&self, entry: &PollEntry) -> i16 {
        let asked = entry.events | events::ALWAYS;
        match entry.target {
            PollTarget::Socket(id) => self
                .sockets
                .get(&id)
                .map_or(events::NVAL, |socket| socket.readiness() & asked),
            PollTarget::Stream { ready, .. } => ready & asked,
            PollTarget::None => 0,
        }
    }

    /// What the page is told of a socket that can be reached: its kind and its address.
    pub(crate) fn reachable(&self, id: SocketId) -> Option<(Kind, Address)> {
        let socket = self.sockets.get(&id)?;
        Some((socket.kind, socket.local.clone()?))
    }
}

fn resolved(reply: Reply) -> Try<Resolved> {
    match reply {
        Reply::Hosts(hosts) => Ok(Step::Ready(Resolved::Hosts(hosts))),
        Reply::HostName(name) => Ok(Step::Ready(Resolved::Name(name))),
        Reply::Nothing
        | Reply::Names { .. }
        | Reply::Option(_)
        | Reply::Node { .. }
        | Reply::Entries(_) => Err(Errno::EPROTO),
    }
}
