//! A UDP socket, a UNIX one of datagrams, or one that sends and receives packets itself (raw(7), icmp(7)).

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::task::Poll;

use protocol::credit::datagram_cost;
use protocol::limits::{DATAGRAM_COST, MAX_PACKET};
use protocol::{Address, CallId, Control, Domain, Errno, Patience, Reply, ServerMessage};
use rustix::event::PollFlags;

use super::{Attention, Core, SHARE, Turn, Violation};
use crate::network::Room;

/// What is special about a datagram socket.
#[derive(Debug, Default)]
pub(super) struct Datagram {
    /// What the kernel has not taken yet. The credit bounds it.
    queue: VecDeque<Waiting>,
    /// Why the last datagram was not taken, if the process has to be told by [`delivered`](Self::delivered).
    refused: Option<Errno>,
    /// Whether nothing is received any more.
    finished: bool,
}

/// What a datagram is sent with.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// Where to; [`Address::Unspecified`] to the peer.
    pub(crate) address: Address,
    /// Its control messages.
    pub(crate) controls: Vec<Control>,
}

/// A datagram that waits for room.
#[derive(Debug)]
struct Waiting {
    envelope: Envelope,
    payload: Vec<u8>,
    /// The call to be answered when it was taken.
    call: Option<CallId>,
}

/// Whether a datagram was read.
enum Taken {
    /// One was, of this cost.
    One(u64),
    /// None is there.
    None,
    /// The next one must wait for credit.
    NoCredit,
}

impl Datagram {
    pub(super) fn send(
        &mut self,
        core: &mut Core,
        envelope: Envelope,
        payload: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<(), Violation> {
        core.intake
            .receive(cost(payload))
            .map_err(|error| Violation(format!("socket {}: {error}", core.id.0)))?;
        core.traffic(turn.metrics).sent.inc_by(payload.len() as u64);
        if !self.queue.is_empty() || !self.deliver(core, &envelope, payload, turn) {
            self.queue.push_back(Waiting {
                envelope,
                payload: payload.to_vec(),
                call: None,
            });
            self.flush(core, turn);
        }
        Ok(())
    }

    fn flush(&mut self, core: &mut Core, turn: &mut Turn<'_>) {
        let mut is_told = false;
        while let Some(first) = self.queue.pop_front() {
            if self.deliver(core, &first.envelope, &first.payload, turn) {
                if let Some(call) = first.call {
                    let result = self.outcome();
                    turn.outbox.message(&ServerMessage::Done { call, result });
                }
                continue;
            }
            self.queue.push_front(first);
            match core.endpoint.await_room(&core.waker) {
                Room::Descriptor if wait_for_room(core) => {}
                // Once more, for there may have been room before the waker was known.
                Room::Told if !is_told => {
                    is_told = true;
                    wait_for_room(core);
                }
                Room::Descriptor | Room::Told => return,
            }
        }
    }

    /// What became of the last datagram.
    fn outcome(&mut self) -> Result<Reply, Errno> {
        match self.refused.take() {
            None => Ok(Reply::Nothing),
            Some(errno) => Err(errno),
        }
    }

    /// Answers when everything that was sent was taken. None if that is later.
    pub(super) fn delivered(
        &mut self,
        core: &mut Core,
        call: CallId,
        patience: Patience,
        turn: &mut Turn<'_>,
    ) -> Option<Result<Reply, Errno>> {
        match (self.queue.back_mut(), patience) {
            (None, _) => Some(self.outcome()),
            (Some(Waiting { call: Some(_), .. }), Patience::Wait) => Some(Err(Errno::EINVAL)),
            (Some(last), Patience::Wait) => {
                last.call = Some(call);
                None
            }
            (Some(_), Patience::Now) => {
                if let Some(dropped) = self.queue.pop_back() {
                    core.consume(cost(&dropped.payload), turn);
                    if let Some(call) = dropped.call {
                        let result = Err(Errno::EAGAIN);
                        turn.outbox.message(&ServerMessage::Done { call, result });
                    }
                }
                Some(Err(Errno::EAGAIN))
            }
        }
    }

    /// Gives the kernel a datagram. Says whether it is done with; an error is told to the process.
    fn deliver(
        &mut self,
        core: &mut Core,
        envelope: &Envelope,
        payload: &[u8],
        turn: &mut Turn<'_>,
    ) -> bool {
        let Envelope { address, controls } = envelope;
        let fd = core.descriptor.as_fd();
        let sent = core.endpoint.send_to(fd, payload, address, controls);
        match sent {
            Ok(()) => {}
            Err(Errno::EAGAIN) => return false,
            Err(errno) if core.domain == Domain::Unix => self.refused = Some(errno),
            Err(errno) => core.failed(errno, turn),
        }
        core.consume(cost(payload), turn);
        true
    }

    /// shutdown(2) of the reading half worked: nothing more is received.
    pub(super) fn finish(&mut self, core: &Core, turn: &mut Turn<'_>) {
        if !std::mem::replace(&mut self.finished, true) {
            let socket = core.id;
            turn.outbox.message(&ServerMessage::Finished { socket });
        }
    }

    pub(super) fn attend(&mut self, core: &mut Core, turn: &mut Turn<'_>) -> Attention {
        self.flush(core, turn);
        if self.finished {
            return Attention::Later;
        }
        if self.queue.is_empty() {
            hear_errors(core, turn);
        }
        let mut share = SHARE as u64;
        loop {
            if share == 0 || !turn.outbox.has_room_for_payload(MAX_PACKET) {
                return Attention::Again;
            }
            if core.endpoint.held() == 0 && core.readable().is_pending() {
                return Attention::Later;
            }
            match take(core, turn) {
                Taken::One(cost) => share = share.saturating_sub(cost),
                Taken::NoCredit => return Attention::Later,
                Taken::None => {
                    // None was there after the event loop had said so: wait for the next event.
                    let Poll::Ready(mut guard) = core.readable() else {
                        return Attention::Later;
                    };
                    if !core.has(PollFlags::IN) {
                        guard.clear_ready();
                    }
                }
            }
        }
    }

    pub(super) fn probe(&mut self, core: &mut Core, turn: &mut Turn<'_>) -> Attention {
        if self.finished {
            return Attention::Later;
        }
        loop {
            if !turn.outbox.has_room_for_payload(MAX_PACKET) {
                return Attention::Again;
            }
            match take(core, turn) {
                Taken::One(_) => {}
                Taken::None | Taken::NoCredit => return Attention::Later,
            }
        }
    }

    /// The program closed it. Says whether something is still to be delivered.
    pub(super) fn close(&mut self, turn: &mut Turn<'_>) -> bool {
        for call in self.queue.iter_mut().filter_map(|each| each.call.take()) {
            let result = Err(Errno::EBADF);
            turn.outbox.message(&ServerMessage::Done { call, result });
        }
        self.finished = true;
        !self.is_drained()
    }

    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_empty()
    }
}

fn cost(payload: &[u8]) -> u64 {
    datagram_cost(payload.len())
}

/// Whether the kernel may take a datagram now. The waker is told if not.
fn wait_for_room(core: &mut Core) -> bool {
    loop {
        let closed = match core.writable() {
            Poll::Pending => return false,
            Poll::Ready(mut guard) => {
                let closed = guard.ready().is_write_closed();
                guard.clear_ready();
                closed
            }
        };
        if closed && core.watch().is_err() {
            return false;
        }
        if core.has(PollFlags::OUT) {
            return true;
        }
    }
}

/// Hears of ICMP errors, which make the socket neither readable nor unwritable.
fn hear_errors(core: &mut Core, turn: &mut Turn<'_>) {
    loop {
        let closed = match core.writable() {
            Poll::Pending => return,
            Poll::Ready(mut guard) => {
                let closed = guard.ready().is_write_closed();
                guard.clear_ready();
                closed
            }
        };
        if closed {
            if let Some(errno) = core.take_error() {
                core.failed(errno, turn);
            }
            // The event loop takes an error for the end, which it is not.
            if core.watch().is_err() {
                return;
            }
        }
    }
}

/// Reads one datagram, within the credit. An error that waits in its place is told to the process.
fn take(core: &mut Core, turn: &mut Turn<'_>) -> Taken {
    let available = core.window.available();
    if available < datagram_cost(MAX_PACKET) {
        // An error, too, is taken below.
        let next = core.endpoint.next_length(core.fd());
        if next.is_some_and(|length| available < datagram_cost(length)) {
            return Taken::NoCredit;
        }
    }
    let (endpoint, descriptor) = (&mut core.endpoint, core.descriptor.as_fd());
    let detail = core.detail;
    // What is longer is cut.
    let longest = turn.outbox.longest_datagram();
    let taken = turn.outbox.datagram(core.id, longest, |room| {
        endpoint.receive_from(descriptor, room, detail)
    });
    match taken {
        Ok(Some(length)) => {
            let cost = datagram_cost(length);
            let spent = core.window.spend(cost);
            debug_assert!(spent.is_ok());
            core.traffic(turn.metrics).received.inc_by(length as u64);
            Taken::One(cost)
        }
        // A stranger's datagram.
        Ok(None) => Taken::One(DATAGRAM_COST),
        Err(Errno::EAGAIN) => Taken::None,
        Err(errno) => {
            core.failed(errno, turn);
            Taken::One(DATAGRAM_COST)
        }
    }
}
