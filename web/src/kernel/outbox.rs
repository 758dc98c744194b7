//! What is on its way to the relay: frames gathered into WebSocket messages.
//!
//! A send that stands alone leaves at once. In a burst frames gather, and leave when the process is about to wait,
//! when the buffer is full, or with the next time slice.

#![allow(
    clippy::cast_possible_truncation,
    reason = "addresses and lengths of a 32-bit memory"
)]

use js_sys::Uint8Array;
use protocol::frame::{self, Header};
use protocol::limits::MAX_PAYLOAD;
use protocol::{Address, ClientMessage, SocketId};

use super::memory::{Memory, Span, window};
use super::process::frames;

/// The size of the buffer, in bytes: a few frames, and well under the largest message.
const CAPACITY: u32 = 512 * 1024;

/// A burst: frames that follow the last message within this many milliseconds.
const BURST: f64 = 0.2;

/// The frames that have not left yet.
#[derive(Debug)]
pub(crate) struct Outbox {
    buffer: Uint8Array,
    filled: u32,
    left_at: f64,
}

impl Outbox {
    /// An empty outbox.
    pub(crate) fn new() -> Self {
        Self {
            buffer: Uint8Array::new_with_length(CAPACITY),
            filled: 0,
            left_at: f64::NEG_INFINITY,
        }
    }

    /// Adds a control message.
    pub(crate) fn control(&mut self, message: &ClientMessage, leave: &dyn Fn(&Uint8Array)) {
        let mut bytes = Vec::with_capacity(64);
        frame::encode_message(message, &mut bytes);
        self.append(&bytes, leave);
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

    /// Adds a datagram.
    pub(crate) fn datagram(
        &mut self,
        socket: SocketId,
        address: &Address,
        memory: &mut Memory,
        source: &[Span],
        leave: &dyn Fn(&Uint8Array),
    ) {
        let mut prefix = Vec::with_capacity(16);
        frame::encode_address(address, &mut prefix);
        let header = Header {
            kind: frame::FrameKind::Datagram,
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
        self.reserve((frame::HEADER + header.length) as u32, leave);
        self.append(&header.encode(), leave);
        self.append(prefix, leave);
        for &span in source {
            self.buffer.set(&memory.part(span), self.filled);
            self.filled += span.length;
        }
    }

    fn append(&mut self, bytes: &[u8], leave: &dyn Fn(&Uint8Array)) {
        let length = bytes.len() as u32;
        self.reserve(length, leave);
        self.buffer
            .subarray(self.filled, self.filled + length)
            .copy_from(bytes);
        self.filled += length;
    }

    fn reserve(&mut self, length: u32, leave: &dyn Fn(&Uint8Array)) {
        if CAPACITY < self.filled + length {
            self.flush(leave);
        }
    }

    /// Lets everything leave, unless this is a burst.
    pub(crate) fn settle(&mut self, now: f64, leave: &dyn Fn(&Uint8Array)) {
        if 0 < self.filled && BURST < now - self.left_at {
            self.flush(leave);
            self.left_at = now;
        }
    }

    /// Lets everything leave.
    pub(crate) fn flush(&mut self, leave: &dyn Fn(&Uint8Array)) {
        if 0 < self.filled {
            leave(&self.buffer.subarray(0, self.filled));
            self.filled = 0;
        }
    }
}
