//! bind, listen, accept, connect, shutdown, close.

use protocol::{Address, ClientMessage, Domain, Errno, Kind, Reply, Shutdown, SocketId};

use super::super::inbox::Chunk;
use super::super::socket::{Phase, Socket};
use super::super::thresholds::Way;
use super::super::wait::{Object, Signals, Wait, WaitId, Wake};
use super::{Attempt, Caller, Effect, Mode, Process, Step, Try};

/// The progress of a connect(2) that found another under way. It moves no bytes.
const SECOND: usize = 1;

/// What kind of socket a listener hands out.
fn child<C: Chunk>(listener: &Socket<C>, local: Address, peer: Address) -> Socket<C> {
    let mut socket = Socket::new(listener.domain, listener.kind);
    socket.placement = listener.placement;
    // One of UNIX is made by connect(2), which knows nothing of the listener's.
    if listener.domain != Domain::Unix {
        socket.thresholds = listener.thresholds;
    }
    socket.connected(local, peer);
    socket.phase = Phase::Connected { told: true };
    socket
}

impl<C: Chunk> Process<C> {
    /// socket(2): the new socket.
    ///
    /// One that needs a right, or a protocol that the relay's machine may lack, must fail at once, so the relay is asked
    /// for its name, which every socket has from the beginning.
    pub(crate) fn open(
        &mut self,
        mut attempt: Attempt,
        domain: Domain,
        kind: Kind,
    ) -> Try<SocketId> {
        if let Some(&Wake::Made(socket)) = attempt.wake() {
            return Ok(Step::Ready(socket));
        }
        if let Some(answer) = attempt.answer() {
            return Err(answer.err().unwrap_or(Errno::EPROTO));
        }
        let socket = self.socket(domain, kind);
        match kind {
            Kind::Stream | Kind::Datagram => Ok(Step::Ready(socket)),
            Kind::Raw { .. } | Kind::Ping | Kind::UdpLite => {
                let caller = |wait| Caller::Open { wait, socket };
                self.call_for(&attempt, Signals::Hold, caller, |call| {
                    ClientMessage::Names { call, socket }
                })
            }
        }
    }

    /// The relay has answered how a new socket is called.
    pub(super) fn opened(&mut self, socket: SocketId, result: Result<Reply, Errno>) -> Wake {
        match result.and_then(|reply| self.named(socket, reply)) {
            Ok(()) => Wake::Made(socket),
            Err(errno) => {
                self.close(socket);
                Wake::Answered(Err(errno))
            }
        }
    }

    /// bind(2).
    pub(crate) fn bind(&mut self, mut attempt: Attempt, id: SocketId, address: Address) -> Try<()> {
        if let Some(answer) = attempt.answer() {
            self.named(id, answer?)?;
            if matches!(self.get(id)?.kind, Kind::Datagram | Kind::UdpLite) {
                self.effects.push(Effect::Reachable(id));
            }
            return Ok(Step::Ready(()));
        }
        self.get(id)?;
        self.call(&attempt, Signals::Hold, |call| ClientMessage::Bind {
            call,
            socket: id,
            address,
        })
    }

    /// listen(2).
    pub(crate) fn listen(&mut self, mut attempt: Attempt, id: SocketId, backlog: i32) -> Try<()> {
        if let Some(answer) = attempt.answer() {
            self.named(id, answer?)?;
            let socket = self.get_mut(id)?;
            if socket.phase == Phase::Idle {
                socket.phase = Phase::Listening { acceptable: false };
            }
            self.effects.push(Effect::Reachable(id));
            return Ok(Step::Ready(()));
        }
        let socket = self.get(id)?;
        match (socket.kind, socket.phase) {
            (kind, _) if kind.has_datagrams() => return Err(Errno::EOPNOTSUPP),
            (_, Phase::Connecting | Phase::Connected { .. }) => {
                return Err(Errno::EINVAL);
            }
            (_, Phase::Idle | Phase::Listening { .. }) => {}
        }
        self.call(&attempt, Signals::Hold, |call| ClientMessage::Listen {
            call,
            socket: id,
            // Linux takes a negative backlog for the largest.
            backlog: u32::try_from(backlog).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn named(&mut self, id: SocketId, reply: Reply) -> Result<(), Errno> {
        let Reply::Names { local, peer } = reply else {
            return Err(Errno::EPROTO);
        };
        let socket = self.get_mut(id)?;
        socket.local = Some(local);
        socket.peer = peer;
        Ok(())
    }

    /// accept(2): the new socket.
    ///
    /// The connection stays in the kernel's backlog until the program wants it. Only an accept that finds one is
    /// answered with it, so a signal never loses one.
    pub(crate) fn accept(
        &mut self,
        mut attempt: Attempt,
        id: SocketId,
        mode: Mode,
    ) -> Try<SocketId> {
        if let Some(&Wake::Made(accepted)) = attempt.wake() {
            return Ok(Step::Ready(accepted));
        }
        attempt.check(Errno::EAGAIN)?;
        let listener = self.get(id)?;
        let Phase::Listening { acceptable } = listener.phase else {
            return Err(if listener.kind.has_datagrams() {
                Errno::EOPNOTSUPP
            } else {
                Errno::EINVAL
            });
        };
        match attempt.answer() {
            // Another thread or nobody: the peer may have gone again.
            Some(Err(Errno::EAGAIN)) if mode == Mode::Blocking => {}
            Some(Err(errno)) => return Err(errno),
            Some(Ok(_)) | None => {}
        }
        if mode == Mode::Blocking && !acceptable {
            return self.block(&attempt, id, 0, Way::Receive);
        }
        if let Phase::Listening { acceptable } = &mut self.get_mut(id)?.phase {
            *acceptable = false;
        }
        let accepted = self.next_socket();
        let caller = |wait| Caller::Accept {
            wait,
            listener: id,
            accepted,
        };
        self.call_for(&attempt, Signals::Hold, caller, |call| {
            ClientMessage::Accept {
                call,
                socket: id,
                accepted,
            }
        })
    }

    /// The relay has answered an accept. The new socket is made now, before the program hears of it: what its peer has
    /// sent may come in the same message.
    pub(super) fn accepted(
        &mut self,
        wait: WaitId,
        listener: SocketId,
        accepted: SocketId,
        result: Result<Reply, Errno>,
    ) -> Wake {
        let (local, peer) = match result {
            Ok(Reply::Names { local, peer }) => (local, peer),
            Ok(_) => return Wake::Answered(Err(Errno::EPROTO)),
            Err(errno) => return Wake::Answered(Err(errno)),
        };
        match self.sockets.get(&listener) {
            Some(listener) if self.waits.contains(wait) => {
                let socket = child(listener, local, peer);
                self.sockets.insert(accepted, socket);
                Wake::Made(accepted)
            }
            // Nobody is there any more to take it.
            Some(_) | None => {
                let close = ClientMessage::Close { socket: accepted };
                self.effects.push(Effect::Send(close));
                Wake::Answered(Err(Errno::EBADF))
            }
        }
    }

    /// connect(2).
    pub(crate) fn connect(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        address: Address,
        mode: Mode,
    ) -> Try<()> {
        let socket = self.get(id)?;
        if socket.kind.has_datagrams() {
            return self.associate(attempt, id, address);
        }
        if socket.domain == Domain::Unix {
            return self.connect_unix(attempt, id, address, mode);
        }
        // A connect that is given up is still under way (socket(7), `SO_SNDTIMEO`; `inet_stream_connect` in Linux).
        attempt.check(match attempt.progress() {
            SECOND => Errno::EALREADY,
            _ => Errno::EINPROGRESS,
        })?;
        let is_lost = self.lost.is_some();
        let socket = self.get_mut(id)?;
        match (socket.phase, mode) {
            (Phase::Listening { .. }, _) => Err(Errno::EISCONN),
            (Phase::Connected { told: true }, _) => Err(Errno::EISCONN),
            (Phase::Connected { told: false }, _) => {
                socket.phase = Phase::Connected { told: true };
                Ok(Step::Ready(()))
            }
            (Phase::Connecting, Mode::NonBlocking) => Err(Errno::EALREADY),
            (Phase::Connecting, Mode::Blocking) => {
                let progress = match attempt.wait {
                    Some(_) => attempt.progress(),
                    None => SECOND,
                };
                self.block(attempt, id, progress, Way::Send)
            }
            (Phase::Idle, _) => {
                // How the last connect ended, if nobody has asked yet.
                if let Some(errno) = socket.error.take() {
                    return Err(errno);
                }
                if is_lost {
                    return Err(Errno::ENETDOWN);
                }
                socket.phase = Phase::Connecting;
                let call = self.next_call(Caller::Connect(id));
                self.effects.push(Effect::Send(ClientMessage::Connect {
                    call,
                    socket: id,
                    address,
                }));
                match mode {
                    Mode::NonBlocking => Err(Errno::EINPROGRESS),
                    Mode::Blocking => self.block(attempt, id, 0, Way::Send),
                }
            }
        }
    }

    /// connect(2) on a datagram socket: sets or dissolves the association.
    fn associate(&mut self, attempt: &Attempt, id: SocketId, address: Address) -> Try<()> {
        if let Some(Wait {
            wake: Some(Wake::Answered(answer)),
            ..
        }) = &attempt.wait
        {
            self.named(id, answer.clone()?)?;
            // Not by the peer's name: that of a raw socket has none if its port is zero.
            self.get_mut(id)?.phase = match address {
                Address::Unspecified => Phase::Idle,
                _ => Phase::Connected { told: true },
            };
            return Ok(Step::Ready(()));
        }
        self.call(attempt, Signals::Hold, |call| ClientMessage::Connect {
            call,
            socket: id,
            address,
        })
    }

    /// shutdown(2).
    pub(crate) fn shutdown(&mut self, id: SocketId, how: Shutdown) -> Result<(), Errno> {
        let socket = self.get_mut(id)?;
        if !socket.is_connected() || socket.broken {
            return Err(Errno::ENOTCONN);
        }
        socket.shut(how);
        self.effects
            .push(Effect::Send(ClientMessage::Shutdown { socket: id, how }));
        self.news(Object::Socket(id));
        Ok(())
    }

    /// close(2), when the last descriptor of the socket goes.
    pub(crate) fn close(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.remove(&id) else {
            return;
        };
        self.beyond_initial -= socket.receive.beyond_initial();
        let has_unread = socket.has_unread() || self.has_unread_of_partner(&socket);
        if let Some(partner) = socket.partner {
            self.leave_partner(partner);
        }
        self.effects.push(Effect::Send(if has_unread {
            ClientMessage::Abort { socket: id }
        } else {
            ClientMessage::Close { socket: id }
        }));
        self.unwatch(Object::Socket(id));
        self.waits.notify(Object::Socket(id));
    }
}
