//! What is on its way to the relay: frames gathered into WebSocket messages.
//!
//! A send that stands alone leaves at once. In a burst frames gather, and leave when the process is about to wait,
//! when a block is full, or with the next time slice. Nothing leaves while there is no connection.

#![allow(
    clippy::cast_possible_truncation,
    reason = "addresses and lengths of a 32-bit memory"
)]

use js_sys::Uint8Array;
use protocol::frame::{self, Header};
use protocol::limits::MAX_PAYLOAD;
use protocol::{ClientMessage, SocketId};

use super::memory::{Memory, Span, window};
use super::process::{Envelope, frames};
use super::tape::{BLOCK, Tape, WrongCount};

/// The most that is kept without an acknowledgement, in bytes: more than the credit of all sockets together, so only a
/// program that makes calls without end while the relay is away comes up to it.
const MOST: u64 = 80 * 1024 * 1024;

/// A burst: frames that follow the last message within this many milliseconds.
const BURST: f64 = 0.2;

/// Whether frames can leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The relay takes them.
    Open,
    /// There is no connection, or the relay has not answered on it yet.
    Shut,
}

/// Whether what has left is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeping {
    /// Until the relay has acknowledged it.
    UntilAcknowledged,
    /// It is not: the session cannot be resumed.
    Nothing,
}

/// The frames that have not left yet, and those that may have to leave again.
#[derive(Debug)]
pub(crate) struct Outbox {
    tape: Tape<Uint8Array>,
    way: Way,
    keeping: Keeping,
    left_at: f64,
}

impl Outbox {
    /// An empty outbox, without a connection.
    pub(crate) fn new() -> Self {
        Self {
            tape: Tape::default(),
            way: Way::Shut,
            keeping: Keeping::Nothing,
            left_at: f64::NEG_INFINITY,
        }
    }

    /// The relay takes frames from now on.
    pub(crate) fn open(&mut self) {
        self.way = Way::Open;
    }

    /// The connection is lost.
    pub(crate) fn shut(&mut self) {
        self.way = Way::Shut;
    }

    /// Whether the relay takes frames.
    pub(crate) fn is_open(&self) -> bool {
        self.way == Way::Open
    }

    /// From now on what has left is kept.
    pub(crate) fn keep(&mut self) {
        self.keeping = Keeping::UntilAcknowledged;
    }

    /// Whether more is kept than there should ever be.
    pub(crate) fn is_overfull(&self) -> bool {
        MOST < self.tape.kept()
    }

    /// The relay has received everything up to this offset.
    pub(crate) fn acknowledge(&mut self, received: u64) -> Result<(), WrongCount> {
        self.tape.acknowledge(received)
    }

    /// The session goes on over a new connection, after what the relay has received.
    pub(crate) fn resume(&mut self, received: u64) -> Result<(), WrongCount> {
        self.tape.rewind(received)?;
        self.open();
        Ok(())
    }

    /// Adds a control message.
    pub(crate) fn control(&mut self, message: &ClientMessage, leave: &dyn Fn(&Uint8Array)) {
        let mut bytes = Vec::with_capacity(64);
        frame::encode_message(message, &mut bytes);
        self.frame(bytes.len() as u32, leave, |place| place.copy_from(&bytes));
    }

    /// Adds bytes of a stream.
    pub(crate) fn stream(
        &mut self,
        socket: SocketId,
        memory: &mut Memory,
        source: &[Span],
        leave: &dyn Fn(&Uint8Array),
    ) {
        let total = super::memory::total(source);
        for (start, length) in frames(0, total) {
            self.payload(
                Header {
                    kind: frame::FrameKind::Stream,
                    length,
                    socket,
                },
                &[],
                memory,
                &window(source, start, length),
                leave,
            );
        }
    }

    /// Adds bytes of a stream of which the last is urgent.
    pub(crate) fn urgent(
        &mut self,
        socket: SocketId,
        memory: &mut Memory,
        source: &[Span],
        leave: &dyn Fn(&Uint8Array),
    ) {
        let before = super::memory::total(source).saturating_sub(1);
        self.stream(socket, memory, &window(source, 0, before), leave);
        let header = Header {
            kind: frame::FrameKind::Urgent,
            length: 1,
            socket,
        };
        self.payload(header, &[], memory, &window(source, before, 1), leave);
    }

    /// Adds a datagram.
    pub(crate) fn datagram(
        &mut self,
        socket: SocketId,
        Envelope { address, controls }: Envelope<'_>,
        memory: &mut Memory,
        source: &[Span],
        leave: &dyn Fn(&Uint8Array),
    ) {
        let mut prefix = Vec::with_capacity(16);
        frame::encode_address(address, &mut prefix);
        let has_controls = !controls.is_empty() && frame::encode_controls(controls, &mut prefix);
        let header = Header {
            kind: if has_controls {
                frame::FrameKind::Message
            } else {
                frame::FrameKind::Datagram
            },
            length: prefix.len() + super::memory::total(source),
            socket,
        };
        self.payload(header, &prefix, memory, source, leave);
    }

    fn payload(
        &mut self,
        header: Header,
        prefix: &[u8],
        memory: &mut Memory,
        source: &[Span],
        leave: &dyn Fn(&Uint8Array),
    ) {
        debug_assert!(header.length <= MAX_PAYLOAD);
        let length = (frame::HEADER + header.length) as u32;
        self.frame(length, leave, |place| {
            let mut at = 0;
            for bytes in [&header.encode()[..], prefix] {
                let end = at + bytes.len() as u32;
                place.subarray(at, end).copy_from(bytes);
                at = end;
            }
            for &span in source {
                place.set(&memory.part(span), at);
                at += span.length;
            }
        });
    }

    /// Adds a frame that `write` writes.
    fn frame(&mut self, length: u32, leave: &dyn Fn(&Uint8Array), write: impl FnOnce(&Uint8Array)) {
        if !self.tape.has_room(length) {
            self.flush(leave);
        }
        let make = || Uint8Array::new_with_length(BLOCK);
        let place = self.tape.add(length, make);
        write(&place.buffer.subarray(place.start, place.end));
    }

    /// Lets everything leave, unless this is a burst.
    pub(crate) fn settle(&mut self, now: f64, leave: &dyn Fn(&Uint8Array)) {
        if self.tape.is_behind() && BURST < now - self.left_at {
            self.flush(leave);
            self.left_at = now;
        }
    }

    /// Lets everything leave.
    pub(crate) fn flush(&mut self, leave: &dyn Fn(&Uint8Array)) {
        if self.way == Way::Shut {
            return;
        }
        while let Some(place) = self.tape.next() {
            leave(&place.buffer.subarray(place.start, place.end));
        }
        if self.keeping == Keeping::Nothing {
            let acknowledged = self.tape.acknowledge(self.tape.sent());
            debug_assert!(acknowledged.is_ok());
        }
    }
}
