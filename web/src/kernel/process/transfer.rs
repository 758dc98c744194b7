//! Send and receive.
//!
//! The bytes themselves are moved by the caller, between the program's memory and the browser's buffers; here it is
//! decided how many, and from where.

use protocol::credit::datagram_cost;
use protocol::limits::{MAX_DATAGRAM, MAX_STREAM_FRAME};
use protocol::{Address, ClientMessage, Control, Domain, Errno, Kind, SocketId};

use super::super::inbox::{Chunk, Placement, Reading};
use super::super::sockaddr::is_for_many;
use super::super::socket::Phase;
use super::super::thresholds::{CERTAIN, Way};
use super::super::wait::{Object, Signals, Wait, WaitId, Wake};
use super::{Attempt, Caller, Envelope, Mode, Process, Step, Try};

/// Flags of recv(2) and send(2), in the numbers of Linux and Emscripten.
pub(crate) mod flags {
    /// Urgent data, beside the stream.
    pub(crate) const OOB: i32 = 0x01;
    /// Leave the data where it is.
    pub(crate) const PEEK: i32 = 0x02;
    /// There was no room for all control messages.
    pub(crate) const CTRUNC: i32 = 0x08;
    /// Report a datagram's real length, even if it is cut.
    pub(crate) const TRUNC: i32 = 0x20;
    /// This call must not block.
    pub(crate) const DONTWAIT: i32 = 0x40;
    /// Wait until everything asked for is there.
    pub(crate) const WAITALL: i32 = 0x100;
}

impl Mode {
    /// The mode of one call with these flags.
    fn with(self, flags: i32) -> Self {
        if flags & flags::DONTWAIT == 0 {
            self
        } else {
            Self::NonBlocking
        }
    }
}

/// What a receive hands over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received<C> {
    /// The bytes, for the program's buffer from `offset` on.
    pub(crate) chunks: Vec<C>,
    /// Where in the buffer they go.
    pub(crate) offset: usize,
    /// What the call returns, if this is all; else it will be tried again.
    pub(crate) then: Step<usize>,
    /// The sender of a datagram; the peer of a stream is not told (recv(2)).
    pub(crate) from: Option<Address>,
    /// What came with a datagram.
    pub(crate) controls: Vec<Control>,
    /// The flags that recvmsg(2) returns: `MSG_TRUNC` if a datagram was cut, `MSG_OOB` of an urgent byte.
    pub(crate) told: i32,
}

/// What a send takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// From where in the program's buffer.
    pub(crate) offset: usize,
    /// How many bytes.
    pub(crate) length: usize,
    /// What the call returns, if this is all; else it will be tried again.
    pub(crate) then: Step<usize>,
    /// What leaves.
    pub(crate) load: Load,
}

/// What leaves with a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// The bytes.
    Bytes,
    /// The bytes, the last of which is urgent.
    Urgent,
    /// The bytes, and a message after them.
    Followed(ClientMessage),
    /// Nothing, not even an empty datagram: an earlier try has sent everything.
    Nothing,
}

impl<C: Chunk> Process<C> {
    /// recv(2) and its kin.
    pub(crate) fn recv(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        length: usize,
        flags: i32,
        mode: Mode,
    ) -> Try<Received<C>> {
        let mode = mode.with(flags);
        match self.get(id)?.kind {
            // UDP and UDP-Lite do not look at the flag (`udp_recvmsg` in the kernel).
            kind if flags & flags::OOB != 0 && !matches!(kind, Kind::Datagram | Kind::UdpLite) => {
                self.recv_urgent(attempt, id, length, flags)
            }
            Kind::Stream => self.recv_stream(attempt, id, length, flags, mode),
            Kind::Datagram | Kind::Raw { .. } | Kind::Ping | Kind::UdpLite => {
                self.recv_datagram(attempt, id, length, flags, mode)
            }
        }
    }

    fn recv_stream(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        length: usize,
        flags: i32,
        mode: Mode,
    ) -> Try<Received<C>> {
        let progress = attempt.progress();
        let socket = self.get_mut(id)?;
        if matches!(socket.phase, Phase::Idle | Phase::Listening { .. }) && !socket.broken {
            return Err(match socket.domain {
                Domain::Unix => Errno::EINVAL,
                Domain::Inet | Domain::Inet6 => Errno::ENOTCONN,
            });
        }
        // TCP does not tell a stream's peer, UNIX does (recv(2)).
        let from = (socket.domain == Domain::Unix).then(|| match &socket.peer {
            Address::Unix(name) if name.is_empty() => Address::Unspecified,
            peer => peer.clone(),
        });
        let received = |chunks, result| Received {
            chunks,
            offset: progress,
            then: Step::Ready(result),
            from,
            controls: Vec::new(),
            told: 0,
        };
        let wanted = length - progress;
        let placement = socket.placement;
        if socket.stream.is_at_mark() && placement == Placement::Beside {
            // A call that has read something stops at an urgent byte; the next one passes over it.
            if 0 < progress {
                return Ok(Step::Ready(received(Vec::new(), progress)));
            }
            if flags & flags::PEEK == 0 && 0 < wanted {
                let passed = socket.stream.pass();
                self.consume(id, passed as u64);
            }
        }
        let socket = self.get_mut(id)?;
        let readable = socket.stream.readable(placement);
        if 0 < readable || wanted == 0 {
            let count = readable.min(wanted);
            let total = progress + count;
            let enough = match flags & flags::WAITALL {
                0 => socket.thresholds.low_water().min(length),
                _ => length,
            };
            let is_over = socket.finished
                || socket.read_shut
                || socket.error.is_some()
                || mode == Mode::NonBlocking;
            if flags & flags::PEEK != 0 {
                // What is not taken makes no room for more, so that this can wait for what is certain to come only.
                let is_over = is_over || socket.stream.has_mark() || attempt.is_over();
                if total < enough.min(CERTAIN) && !is_over {
                    return self.block(attempt, id, 0, Way::Receive);
                }
                let chunks = socket.stream.read(wanted, placement, Reading::Peek);
                return Ok(Step::Ready(received(chunks, count)));
            }
            let chunks = socket.stream.read(wanted, placement, Reading::Take);
            let is_over = is_over || socket.stream.is_at_mark();
            self.consume(id, count as u64);
            let mut received = received(chunks, total);
            if total < enough && !is_over {
                // The bytes are handed over now; the wait remembers how many.
                received.then = Step::Blocked(self.rest(attempt, id, total, Way::Receive));
            }
            return Ok(Step::Ready(received));
        }
        // After some bytes an error or a signal must wait: the program gets the bytes first.
        if 0 < progress && (socket.error.is_some() || attempt.is_over()) {
            return Ok(Step::Ready(received(Vec::new(), progress)));
        }
        if let Some(errno) = socket.error.take() {
            return Err(errno);
        }
        if socket.finished || socket.read_shut {
            return Ok(Step::Ready(received(Vec::new(), progress)));
        }
        attempt.check(Errno::EAGAIN)?;
        match mode {
            Mode::NonBlocking => self.sync(attempt),
            Mode::Blocking => self.block(attempt, id, progress, Way::Receive),
        }
    }

    /// The wait for the rest of a call that has moved this many bytes.
    pub(super) fn rest(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        progress: usize,
        way: Way,
    ) -> WaitId {
        let wait = Wait {
            progress,
            deadline: self.deadline(attempt, id, way),
            ..Wait::on(attempt.thread, vec![Object::Socket(id)])
        };
        self.wait_until(wait, attempt.now)
    }

    fn recv_datagram(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        length: usize,
        flags: i32,
        mode: Mode,
    ) -> Try<Received<C>> {
        let socket = self.get_mut(id)?;
        if let Some(errno) = socket.error.take() {
            return Err(errno);
        }
        let datagram = if flags & flags::PEEK != 0 {
            socket.datagrams.front().cloned()
        } else {
            socket.datagrams.pop_front()
        };
        if let Some(datagram) = datagram {
            let whole = datagram.payload.len();
            let count = whole.min(length);
            if flags & flags::PEEK == 0 {
                self.consume(id, datagram_cost(whole));
            }
            return Ok(Step::Ready(Received {
                chunks: vec![datagram.payload.slice(0, count)],
                offset: 0,
                then: Step::Ready(if flags & flags::TRUNC != 0 {
                    whole
                } else {
                    count
                }),
                from: Some(datagram.from),
                controls: datagram.controls,
                told: if count < whole { flags::TRUNC } else { 0 },
            }));
        }
        if socket.read_shut {
            return Ok(Step::Ready(Received {
                chunks: Vec::new(),
                offset: 0,
                then: Step::Ready(0),
                from: None,
                controls: Vec::new(),
                told: 0,
            }));
        }
        attempt.check(Errno::EAGAIN)?;
        match mode {
            Mode::NonBlocking => self.sync(attempt),
            Mode::Blocking => self.block(attempt, id, 0, Way::Receive),
        }
    }

    /// send(2) and its kin. A blocking send on a stream takes everything before it returns, as on Linux, so it may be
    /// tried several times with part of the buffer each.
    pub(crate) fn send<'a>(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        length: usize,
        envelope: impl Into<Envelope<'a>>,
        flags: i32,
        mode: Mode,
    ) -> Try<Sent> {
        let mode = mode.with(flags);
        let envelope = envelope.into();
        let socket = self.get(id)?;
        if flags & flags::OOB != 0 && !socket.has_urgent_data() {
            return Err(Errno::EOPNOTSUPP);
        }
        match socket.kind {
            Kind::Stream => {
                self.check_destination(id, envelope.address)?;
                self.send_stream(attempt, id, length, flags, mode)
            }
            Kind::Datagram | Kind::Raw { .. } | Kind::Ping | Kind::UdpLite => {
                self.send_datagram(attempt, id, length, envelope, mode)
            }
        }
    }

    /// A UNIX stream takes no address; TCP does not look at it (send(2)).
    fn check_destination(&self, id: SocketId, address: &Address) -> Result<(), Errno> {
        let socket = self.get(id)?;
        match address {
            Address::Unix(_) if socket.is_connected() => Err(Errno::EISCONN),
            Address::Unix(_) => Err(Errno::EOPNOTSUPP),
            _ => Ok(()),
        }
    }

    fn send_stream(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        length: usize,
        flags: i32,
        mode: Mode,
    ) -> Try<Sent> {
        let progress = attempt.progress();
        let done = |result| {
            Ok(Step::Ready(Sent {
                offset: progress,
                length: 0,
                then: Step::Ready(result),
                load: Load::Bytes,
            }))
        };
        let socket = self.get_mut(id)?;
        let is_over = socket.error.is_some() || socket.broken || socket.hung_up;
        if 0 < progress && (is_over || attempt.is_over()) {
            return done(progress);
        }
        if socket.hung_up {
            // A reset is for recv(2) to tell.
            return Err(Errno::EPIPE);
        }
        if let Some(errno) = socket.error.take() {
            return Err(errno);
        }
        match socket.phase {
            Phase::Idle | Phase::Listening { .. } if socket.domain == Domain::Unix => {
                return Err(Errno::ENOTCONN);
            }
            Phase::Idle | Phase::Listening { .. } => return Err(Errno::EPIPE),
            Phase::Connected { .. } if socket.broken || socket.write_shut => {
                return Err(Errno::EPIPE);
            }
            Phase::Connecting | Phase::Connected { .. } => {}
        }
        attempt.check(Errno::EAGAIN)?;
        let left = length - progress;
        if left == 0 {
            return done(progress);
        }
        let room = match socket.phase {
            Phase::Connecting => 0,
            _ => usize::try_from(socket.send.available()).unwrap_or(usize::MAX),
        };
        let count = left.min(room);
        if count == 0 {
            return match mode {
                Mode::NonBlocking => self.sync(attempt),
                Mode::Blocking => self.block(attempt, id, progress, Way::Send),
            };
        }
        socket.send.spend(count as u64).map_err(|_| Errno::EPROTO)?;
        let total = progress + count;
        let then = if count < left && mode == Mode::Blocking {
            Step::Blocked(self.rest(attempt, id, total, Way::Send))
        } else {
            Step::Ready(total)
        };
        // The last byte of the call is the urgent one.
        let load = match then {
            Step::Ready(_) if flags & flags::OOB != 0 => Load::Urgent,
            Step::Ready(_) | Step::Blocked(_) => Load::Bytes,
        };
        Ok(Step::Ready(Sent {
            offset: progress,
            length: count,
            then,
            load,
        }))
    }

    fn send_datagram(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        length: usize,
        Envelope { address, controls }: Envelope<'_>,
        mode: Mode,
    ) -> Try<Sent> {
        if self.get(id)?.domain == Domain::Unix
            && let Some(then) = self.delivered(attempt, id)
        {
            return Ok(Step::Ready(Sent {
                offset: 0,
                length: 0,
                then: then?,
                load: Load::Nothing,
            }));
        }
        let socket = self.get_mut(id)?;
        if 0 < attempt.progress() {
            // It has left, and the relay has told what the kernel says to it.
            return match socket.error.take() {
                Some(errno) => Err(errno),
                None => Ok(Step::Ready(Sent {
                    offset: 0,
                    length: 0,
                    then: Step::Ready(length),
                    load: Load::Nothing,
                })),
            };
        }
        if socket.longest_datagram() < length {
            return Err(Errno::EMSGSIZE);
        }
        self.check_controls(controls)?;
        let socket = self.get_mut(id)?;
        match address {
            Address::Unspecified if !socket.is_connected() && socket.domain == Domain::Unix => {
                return Err(Errno::ENOTCONN);
            }
            Address::Unspecified if !socket.is_connected() => {
                return Err(Errno::EDESTADDRREQ);
            }
            Address::Inet { port: 0, .. } | Address::Inet6 { port: 0, .. }
                if matches!(socket.kind, Kind::Datagram | Kind::UdpLite) =>
            {
                return Err(Errno::EINVAL);
            }
            _ => {}
        }
        if let Some(errno) = socket.error.take() {
            return Err(errno);
        }
        if socket.write_shut {
            return Err(Errno::EPIPE);
        }
        attempt.check(Errno::EAGAIN)?;
        let cost = datagram_cost(length);
        if socket.send.spend(cost).is_err() {
            return match mode {
                Mode::NonBlocking => self.sync(attempt),
                Mode::Blocking => self.block(attempt, id, 0, Way::Send),
            };
        }
        if socket.domain == Domain::Unix {
            return Ok(Step::Ready(self.await_delivery(attempt, id, length, mode)));
        }
        // Sending binds an unbound socket; only the relay knows to which port.
        if let Some(Address::Inet { port: 0, .. } | Address::Inet6 { port: 0, .. }) = socket.local {
            socket.local = None;
        }
        let to = match address {
            Address::Unspecified => &socket.peer,
            address => address,
        };
        let (then, load) = match socket.kind {
            Kind::Raw { .. } | Kind::Ping => self.confirm(attempt.thread),
            // So long a one the kernel may not take, if it really leaves by IPv4.
            _ if is_for_many(to) || !controls.is_empty() || MAX_DATAGRAM < length => {
                self.confirm(attempt.thread)
            }
            Kind::Stream | Kind::Datagram | Kind::UdpLite => (Step::Ready(length), Load::Bytes),
        };
        Ok(Step::Ready(Sent {
            offset: 0,
            length,
            then,
            load,
        }))
    }

    /// Has the relay say when it has passed on what was sent. Programs send packets by hand, and to many, to see what the
    /// kernel says to them, so they must not learn of it with a later call.
    fn confirm(&mut self, thread: i32) -> (Step<usize>, Load) {
        let wait = self.waits.add(Wait {
            progress: 1,
            ..Wait::answer(thread, Signals::Hold)
        });
        if self.lost.is_some() {
            self.waits
                .settle(wait, Wake::Answered(Err(Errno::ENETDOWN)));
            return (Step::Blocked(wait), Load::Nothing);
        }
        let call = self.next_call(Caller::Wait(wait));
        let load = Load::Followed(ClientMessage::Sync { call });
        (Step::Blocked(wait), load)
    }
}

/// Cuts a stream payload into the pieces that fit into frames.
pub(crate) fn frames(offset: usize, length: usize) -> impl Iterator<Item = (usize, usize)> {
    (offset..offset + length)
        .step_by(MAX_STREAM_FRAME)
        .map(move |start| (start, MAX_STREAM_FRAME.min(offset + length - start)))
}
