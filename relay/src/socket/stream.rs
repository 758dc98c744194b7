//! A TCP or UNIX connection, from before it is connected until it is closed.

mod flow;

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::task::Poll;

use protocol::limits::MAX_STREAM_FRAME;
use protocol::{Address, CallId, Domain, Errno, Reply, ServerMessage, Shutdown};
use rustix::event::PollFlags;

use self::flow::{LEAST, count, limit, receive, send};
use super::urgent::{Incoming, Urgency};
use super::{Attention, Core, SHARE, Turn, Violation, how_of};
use crate::network::Progress;

/// How many bytes of capacity an empty queue may keep.
const KEPT: usize = 4096;

/// How far a connection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Not connected, or no longer trying.
    #[default]
    Fresh,
    /// Connecting for this call.
    Connecting(CallId),
    /// Connected, perhaps only one way.
    Connected,
}

/// Where the data from the peer stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    /// More may come.
    #[default]
    Open,
    /// It ended or failed, or nobody wants it.
    Ended,
}

/// Where the data to the peer stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Writing {
    /// More may be sent.
    #[default]
    Open,
    /// No more can be sent.
    Ended,
}

/// What is special about a stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    phase: Phase,
    reading: Reading,
    writing: Writing,
    /// What the kernel has not taken yet. The credit bounds it.
    queue: VecDeque<u8>,
    /// Which byte of the queue is urgent. Like TCP itself it has no room for more than the last one.
    mark: Option<usize>,
    /// Where the urgent byte of what comes in is.
    incoming: Incoming,
    /// What to shut down when the queue is empty.
    shutdown: Option<Shutdown>,
    /// Whether the event loop has said all that it will about writing.
    settled: bool,
    /// Whether the process was told that the connection failed.
    failed: bool,
    /// Whether it was told that the peer is gone.
    hung_up: bool,
}

impl Stream {
    /// A connection that was accepted.
    pub(super) fn connected() -> Self {
        Self {
            phase: Phase::Connected,
            ..Self::default()
        }
    }

    pub(super) fn connect(
        &mut self,
        core: &mut Core,
        call: CallId,
        address: &Address,
        turn: &mut Turn<'_>,
    ) -> Option<Result<Reply, Errno>> {
        match self.phase {
            Phase::Connecting(_) => return Some(Err(Errno::EALREADY)),
            Phase::Connected => return Some(Err(Errno::EISCONN)),
            Phase::Fresh => {}
        }
        let begun = core.endpoint.connect(core.descriptor.as_fd(), address);
        let begun = begun.and_then(|progress| core.watch().map(|()| progress));
        match begun {
            Ok(Progress::Done) => {
                self.phase = Phase::Connected;
                core.signal.queue();
                Some(core.names())
            }
            Ok(Progress::Pending) => {
                self.phase = Phase::Connecting(call);
                core.signal.queue();
                // On one machine it is mostly done by now.
                self.conclude(core, turn);
                None
            }
            Err(errno) => {
                core.watch = None;
                Some(Err(errno))
            }
        }
    }

    /// Answers the connect if the kernel is done with it.
    fn conclude(&mut self, core: &mut Core, turn: &mut Turn<'_>) {
        let Phase::Connecting(call) = self.phase else {
            return;
        };
        if !core.has(PollFlags::OUT) {
            return;
        }
        let result = match core.take_error() {
            None => {
                self.phase = Phase::Connected;
                core.names()
            }
            Some(errno) => {
                self.phase = Phase::Fresh;
                core.watch = None;
                self.shutdown = None;
                self.discard(core, turn);
                Err(errno)
            }
        };
        turn.outbox.message(&ServerMessage::Done { call, result });
        self.flush(core, turn);
    }

    /// Forgets what cannot be delivered.
    fn discard(&mut self, core: &mut Core, turn: &mut Turn<'_>) {
        self.queue = VecDeque::new();
        self.mark = None;
        let held = core.intake.held();
        core.consume(held, turn);
    }

    pub(super) fn write(
        &mut self,
        core: &mut Core,
        (payload, urgency): (&[u8], Urgency),
        turn: &mut Turn<'_>,
    ) -> Result<(), Violation> {
        core.intake
            .receive(payload.len() as u64)
            .map_err(|error| Violation(format!("socket {}: {error}", core.id.0)))?;
        core.traffic(turn.metrics).sent.inc_by(payload.len() as u64);
        if self.writing == Writing::Ended || self.phase == Phase::Fresh || self.shutdown.is_some() {
            core.consume(payload.len() as u64, turn);
            return Ok(());
        }
        let mut rest = payload;
        if self.queue.is_empty() && self.phase == Phase::Connected {
            match send(core, payload, urgency) {
                Ok(sent) => {
                    core.consume(sent as u64, turn);
                    rest = payload.get(sent..).unwrap_or_default();
                }
                Err(errno) => {
                    self.write_failed(core, errno, turn);
                    return Ok(());
                }
            }
        }
        if !rest.is_empty() {
            self.queue.extend(rest);
            if urgency == Urgency::Urgent {
                self.mark = Some(self.queue.len() - 1);
            }
            self.flush(core, turn);
        }
        Ok(())
    }

    /// Writes what is queued as far as the kernel takes it, and what must come after it.
    fn flush(&mut self, core: &mut Core, turn: &mut Turn<'_>) {
        if self.phase != Phase::Connected {
            return;
        }
        while !self.queue.is_empty() {
            let (bytes, urgency) = self.next();
            let Poll::Ready(mut guard) = core.writable() else {
                return;
            };
            match send(core, bytes, urgency) {
                Ok(sent) => {
                    if sent < bytes.len() {
                        guard.clear_ready();
                    }
                    if sent == 0 && guard.ready().is_write_closed() {
                        // Reading tells why.
                        return;
                    }
                    self.queue.drain(..sent);
                    self.mark = self.mark.and_then(|at| at.checked_sub(sent));
                    core.consume(sent as u64, turn);
                }
                Err(errno) => return self.write_failed(core, errno, turn),
            }
        }
        if KEPT < self.queue.capacity() {
            self.queue = VecDeque::new();
        }
        if let Some(how) = self.shutdown.take() {
            self.shut(core, how);
        }
    }

    /// What of the queue is to be sent next, up to its urgent byte or that alone.
    fn next(&self) -> (&[u8], Urgency) {
        let (bytes, _) = self.queue.as_slices();
        match self.mark {
            None => (bytes, Urgency::Ordinary),
            Some(0) => (bytes.get(..1).unwrap_or(bytes), Urgency::Urgent),
            Some(at) => (bytes.get(..at).unwrap_or(bytes), Urgency::Ordinary),
        }
    }

    fn write_failed(&mut self, core: &mut Core, errno: Errno, turn: &mut Turn<'_>) {
        self.writing = Writing::Ended;
        self.shutdown = None;
        self.discard(core, turn);
        if core.domain == Domain::Unix {
            self.hang_up(core, turn);
            if errno == Errno::EPIPE {
                // What the peer has sent can still be read.
                return;
            }
        }
        self.fail(core, errno, turn);
    }

    fn fail(&mut self, core: &Core, errno: Errno, turn: &mut Turn<'_>) {
        if !std::mem::replace(&mut self.failed, true) {
            core.failed(errno, turn);
        }
    }

    /// Tells the process that nobody will read what it sends.
    fn hang_up(&mut self, core: &Core, turn: &mut Turn<'_>) {
        if !std::mem::replace(&mut self.hung_up, true) {
            let socket = core.id;
            turn.outbox.message(&ServerMessage::HungUp { socket });
        }
    }

    /// The peer of a UNIX stream does not go in two steps, as that of TCP may.
    fn watch_for_hang_up(&mut self, core: &Core, turn: &mut Turn<'_>) {
        if core.domain == Domain::Unix && core.has(PollFlags::HUP) {
            self.hang_up(core, turn);
        }
    }

    pub(super) fn shutdown(&mut self, core: &mut Core, how: Shutdown, turn: &mut Turn<'_>) {
        match how {
            Shutdown::Read => self.shut(core, how),
            Shutdown::Write | Shutdown::Both => {
                // The wider of two wins.
                if self.shutdown != Some(Shutdown::Both) {
                    self.shutdown = Some(how);
                }
                self.flush(core, turn);
            }
        }
        core.signal.queue();
    }

    fn shut(&mut self, core: &Core, how: Shutdown) {
        if how != Shutdown::Read {
            self.writing = Writing::Ended;
        }
        // It fails only if the connection is gone, which reading tells.
        let _ = rustix::net::shutdown(&core.descriptor, how_of(how));
    }

    pub(super) fn attend(&mut self, core: &mut Core, turn: &mut Turn<'_>) -> Attention {
        if let Phase::Connecting(_) = self.phase {
            self.wait_connected(core, turn);
        }
        if self.phase != Phase::Connected {
            return Attention::Later;
        }
        self.flush(core, turn);
        self.watch_for_reset(core, turn);
        self.read(core, turn)
    }

    fn wait_connected(&mut self, core: &mut Core, turn: &mut Turn<'_>) {
        while let Phase::Connecting(_) = self.phase {
            let Poll::Ready(mut guard) = core.writable() else {
                return;
            };
            if !core.has(PollFlags::OUT) {
                guard.clear_ready();
                continue;
            }
            drop(guard);
            self.conclude(core, turn);
        }
    }

    /// Hears of a reset even with nothing to write: after the peer's end of file nothing else would tell.
    fn watch_for_reset(&mut self, core: &Core, turn: &mut Turn<'_>) {
        if self.settled || !self.queue.is_empty() {
            return;
        }
        while let Poll::Ready(mut guard) = core.writable() {
            if guard.ready().is_write_closed() {
                self.settled = true;
                self.watch_for_hang_up(core, turn);
                // While there may be something to read, reading tells of the reset in its place.
                if self.reading == Reading::Ended {
                    self.take_error(core, turn);
                }
                return;
            }
            guard.clear_ready();
        }
    }

    fn take_error(&mut self, core: &Core, turn: &mut Turn<'_>) {
        if let Some(errno) = core.take_error() {
            self.writing = Writing::Ended;
            self.fail(core, errno, turn);
        }
    }

    /// Reads a share of what is there, within the credit.
    fn read(&mut self, core: &mut Core, turn: &mut Turn<'_>) -> Attention {
        let mut share = SHARE;
        while self.reading == Reading::Open && 0 < core.window.available() {
            if share == 0 || !turn.outbox.has_room_for_payload(LEAST) {
                return Attention::Again;
            }
            let Poll::Ready(mut guard) = core.readable() else {
                return Attention::Later;
            };
            if core.hears_urgent() {
                self.incoming.heard();
            }
            if self.incoming.take(core, turn) {
                drop(guard);
                count(core, 1, turn);
                continue;
            }
            let limit = limit(core, share, turn);
            let received = receive(core, limit, turn);
            self.incoming.read();
            match received {
                Ok(0) => {
                    drop(guard);
                    self.finish(core, turn);
                }
                Ok(length) => {
                    // A short read has emptied the kernel's buffer, unless it stopped at an urgent byte: what comes next
                    // is a new event.
                    if length < limit && !self.incoming.is_ahead() {
                        guard.clear_ready();
                    }
                    drop(guard);
                    share -= length;
                    count(core, length, turn);
                }
                Err(Errno::EAGAIN) if guard.ready().is_read_closed() => return Attention::Later,
                Err(Errno::EAGAIN) => guard.clear_ready(),
                Err(errno) => {
                    drop(guard);
                    self.read_failed(core, errno, turn);
                }
            }
        }
        Attention::Later
    }

    pub(super) fn probe(&mut self, core: &mut Core, turn: &mut Turn<'_>) -> Attention {
        self.conclude(core, turn);
        while self.phase == Phase::Connected
            && self.reading == Reading::Open
            && 0 < core.window.available()
        {
            if !turn.outbox.has_room_for_payload(LEAST) {
                return Attention::Again;
            }
            if core.has_urgent() {
                self.incoming.heard();
            }
            if self.incoming.take(core, turn) {
                count(core, 1, turn);
                continue;
            }
            let limit = limit(core, MAX_STREAM_FRAME, turn);
            let received = receive(core, limit, turn);
            self.incoming.read();
            match received {
                Ok(0) => self.finish(core, turn),
                Ok(length) => count(core, length, turn),
                Err(Errno::EAGAIN) => break,
                Err(errno) => self.read_failed(core, errno, turn),
            }
        }
        if self.reading == Reading::Ended && !self.failed {
            self.watch_for_hang_up(core, turn);
            self.take_error(core, turn);
        }
        Attention::Later
    }

    fn finish(&mut self, core: &mut Core, turn: &mut Turn<'_>) {
        self.reading = Reading::Ended;
        if core.endpoint.was_reset() {
            return self.write_failed(core, Errno::ECONNRESET, turn);
        }
        let socket = core.id;
        turn.outbox.message(&ServerMessage::Finished { socket });
        self.watch_for_hang_up(core, turn);
        // A reset that came with the end is not told again by the event loop.
        if self.settled {
            self.take_error(core, turn);
        }
    }

    fn read_failed(&mut self, core: &mut Core, errno: Errno, turn: &mut Turn<'_>) {
        self.reading = Reading::Ended;
        self.write_failed(core, errno, turn);
    }

    /// The program closed it. Says whether something is still to be delivered.
    pub(super) fn close(&mut self, turn: &mut Turn<'_>) -> bool {
        if let Phase::Connecting(call) = self.phase {
            self.phase = Phase::Fresh;
            let result = Err(Errno::EBADF);
            turn.outbox.message(&ServerMessage::Done { call, result });
        }
        self.reading = Reading::Ended;
        self.failed = true;
        self.hung_up = true;
        !self.is_drained()
    }

    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_empty() || self.writing == Writing::Ended || self.phase != Phase::Connected
    }
}
