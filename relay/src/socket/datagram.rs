//! A UDP socket, or one that sends and receives packets itself (raw(7), icmp(7)).

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::task::Poll;

use protocol::limits::{DATAGRAM_COST, MAX_DATAGRAM};
use protocol::{Address, Errno, ServerMessage};
use rustix::event::PollFlags;
use rustix::net::RecvFlags;

use super::{Attention, Core, SHARE, Turn, Violation};
use crate::network::Arrival;

/// The most credit that a datagram can cost.
const LARGEST: u64 = MAX_DATAGRAM as u64 + DATAGRAM_COST;

/// What is special about a datagram socket.
#[derive(Debug, Default)]
pub(super) struct Datagram {
    /// What the kernel has not taken yet. The credit bounds it.
    queue: VecDeque<(Address, Vec<u8>)>,
    /// Whether nothing is received any more.
    finished: bool,
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
        address: Address,
        payload: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<(), Violation> {
        core.intake
            .receive(cost(payload))
            .map_err(|error| Violation(format!("socket {}: {error}", core.id.0)))?;
        core.traffic(turn.metrics).sent.inc_by(payload.len() as u64);
        if !self.queue.is_empty() || !deliver(core, &address, payload, turn) {
            self.queue.push_back((address, payload.to_vec()));
            self.flush(core, turn);
        }
        Ok(())
    }

    fn flush(&mut self, core: &mut Core, turn: &mut Turn<'_>) {
        while let Some((address, payload)) = self.queue.front() {
            if deliver(core, address, payload, turn) {
                self.queue.pop_front();
            } else if !wait_for_room(core) {
                return;
            }
        }
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
            if share == 0 || !turn.outbox.has_room_for_payload(MAX_DATAGRAM) {
                return Attention::Again;
            }
            if core.readable().is_pending() {
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
            if !turn.outbox.has_room_for_payload(MAX_DATAGRAM) {
                return Attention::Again;
            }
            match take(core, turn) {
                Taken::One(_) => {}
                Taken::None | Taken::NoCredit => return Attention::Later,
            }
        }
    }

    /// The program closed it. Says whether something is still to be delivered.
    pub(super) fn close(&mut self) -> bool {
        self.finished = true;
        !self.is_drained()
    }

    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_empty()
    }
}

fn cost(payload: &[u8]) -> u64 {
    payload.len() as u64 + DATAGRAM_COST
}

/// Gives the kernel a datagram. Says whether it is done with; an error is told to the process.
fn deliver(core: &mut Core, address: &Address, payload: &[u8], turn: &mut Turn<'_>) -> bool {
    let sent = core
        .endpoint
        .send_to(core.descriptor.as_fd(), payload, address);
    match sent {
        Ok(()) => {}
        Err(Errno::EAGAIN) => return false,
        Err(errno) => core.failed(errno, turn),
    }
    core.consume(cost(payload), turn);
    true
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
    if available < LARGEST {
        let flags = RecvFlags::PEEK | RecvFlags::TRUNC | RecvFlags::DONTWAIT;
        match rustix::net::recv(&core.descriptor, &mut [0u8; 1][..], flags) {
            // What is longer, as only a raw socket's can be, is cut.
            Ok((_, length)) if available < length.min(MAX_DATAGRAM) as u64 + DATAGRAM_COST => {
                return Taken::NoCredit;
            }
            // An error, too, is taken below.
            Ok(_) | Err(_) => {}
        }
    }
    let (endpoint, descriptor) = (&mut core.endpoint, core.descriptor.as_fd());
    let taken = turn.outbox.datagram(core.id, MAX_DATAGRAM, |room| {
        endpoint
            .receive_from(descriptor, room)
            .map(|Arrival { length, sender }| (length, sender))
    });
    match taken {
        Ok(Some(length)) => {
            let cost = length as u64 + DATAGRAM_COST;
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
