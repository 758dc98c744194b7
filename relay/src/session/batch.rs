//! Frames on their way to a process: one WebSocket message, with room before it for the header.

#![expect(
    clippy::indexing_slicing,
    reason = "places in the relay's own buffer: nothing that a process sends is one, and an empty place instead of a wrong one \
              would be taken for the end of a stream"
)]

use super::pool;
use super::websocket::{MAX_CONTROL, MAX_HEADER, Opcode, write_header};

/// Room before the frames for the message's header, and for a pong, a ping, a close and an acknowledgement before that.
pub(super) const HEADROOM: usize = MAX_HEADER + 4 * (2 + MAX_CONTROL);

/// Frames in a buffer, mostly a lent one.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The buffer.
    pub(super) bytes: Vec<u8>,
    /// Where what is to be written begins.
    pub(super) start: usize,
    /// Where it ends, and the frames with it.
    pub(super) end: usize,
    /// How long the frames are, in bytes; before them may stand headers and control frames of the WebSocket.
    pub(super) frames: usize,
}

impl Batch {
    /// A batch with a buffer of its own that holds just these frames.
    pub(super) fn compact(frames: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEADROOM + frames.len());
        bytes.resize(HEADROOM, 0);
        bytes.extend_from_slice(frames);
        let end = bytes.len();
        Self {
            bytes,
            start: HEADROOM,
            end,
            frames: frames.len(),
        }
    }

    /// Whether there is nothing to write. A buffer may be lent all the same: a socket was read and had nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Lends a buffer if there is none.
    pub(super) fn begin(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = pool::take();
            (self.start, self.end, self.frames) = (HEADROOM, HEADROOM, 0);
        }
    }

    /// Adds whole frames.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.begin();
        let end = self.end + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[self.end..end].copy_from_slice(bytes);
        self.extend(bytes.len());
    }

    /// Counts a frame that was written behind the last one.
    pub(super) fn extend(&mut self, length: usize) {
        self.end += length;
        self.frames += length;
    }

    /// The frames.
    pub(super) fn frames(&self) -> &[u8] {
        &self.bytes[self.end - self.frames..self.end]
    }

    /// Takes away everything but the frames from this offset on, so that they can be written again.
    pub(super) fn rewind(&mut self, skip: usize) {
        self.frames -= skip;
        self.start = self.end - self.frames;
    }

    /// Puts a WebSocket header, and a control frame's payload, before what is there.
    pub(super) fn prepend(&mut self, opcode: Opcode, payload: &[u8], length: usize) {
        self.start -= payload.len();
        self.bytes[self.start..self.start + payload.len()].copy_from_slice(payload);
        let mut header = [0; MAX_HEADER];
        let used = write_header(&mut header, opcode, length);
        self.start -= used;
        self.bytes[self.start..self.start + used].copy_from_slice(&header[MAX_HEADER - used..]);
    }

    /// Gives the buffer back.
    pub(super) fn release(&mut self) {
        if !self.bytes.is_empty() {
            pool::give(std::mem::take(&mut self.bytes));
        }
        (self.start, self.end, self.frames) = (0, 0, 0);
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.release();
    }
}
