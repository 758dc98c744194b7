//! What a process has sent and the session has not yet worked through.
//!
//! Frames are handed out as soon as they are whole, from where they were read; only a frame that the network or a
//! browser's fragmentation has cut is put together elsewhere. The session may stop at any frame, when it has no room for
//! answers, and go on later.

use protocol::frame::{DecodeError, HEADER, Header};
use protocol::{ClientMessage, Frame, Frames};

use super::pool;
use super::websocket::{Decoder, Opcode, Step, WebSocketError};

/// What a process may send.
#[derive(Debug)]
pub(super) enum Item<'a> {
    /// A frame of the protocol, and how many bytes it took.
    Frame(Frame<'a, ClientMessage>, usize),
    /// A WebSocket ping and what its pong must say.
    Ping(&'a [u8]),
    /// A WebSocket pong.
    Pong,
    /// The process closes the WebSocket, with this status if it gives one (RFC 6455, section 5.5.1).
    Close(Option<u16>),
}

/// Why what a process sent cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InboxError {
    /// The WebSocket's framing is broken.
    #[error(transparent)]
    WebSocket(#[from] WebSocketError),
    /// A frame is broken.
    #[error(transparent)]
    Frame(#[from] DecodeError),
}

/// What was read, and how far it was worked through.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    decoder: Decoder,
    /// A lent buffer while there is something in it, else empty.
    buffer: Vec<u8>,
    /// Where the unread part of the buffer begins.
    start: usize,
    /// Where it ends.
    end: usize,
    /// How many bytes at the beginning of the unread part are payload, already unmasked.
    payload: usize,
    /// Whether the WebSocket message ends with that payload.
    last: bool,
    /// A frame of which a part is missing; or one that was just handed out.
    carry: Vec<u8>,
    /// Whether the carried frame was handed out.
    spent: bool,
}

impl Inbox {
    /// Whether everything that was read was worked through, so that there is room to read.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Room to read into, when [`is_empty`](Self::is_empty).
    pub(super) fn room(&mut self) -> &mut [u8] {
        debug_assert!(self.is_empty());
        if self.buffer.is_empty() {
            self.buffer = pool::take();
        }
        (self.start, self.end) = (0, 0);
        &mut self.buffer
    }

    /// Notes how much was read into the room.
    pub(super) fn filled(&mut self, length: usize) {
        self.end = length;
    }

    /// Takes what was read elsewhere, at most a buffer full.
    pub(super) fn fill(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let room = self.room();
            debug_assert!(bytes.len() <= room.len());
            let length = bytes.len().min(room.len());
            for (to, from) in room.iter_mut().zip(bytes) {
                *to = *from;
            }
            self.filled(length);
        }
    }

    /// Gives the buffer back if nothing is in it.
    pub(super) fn rest(&mut self) {
        if self.is_empty() && !self.buffer.is_empty() {
            pool::give(std::mem::take(&mut self.buffer));
        }
    }

    /// The next thing that is whole, if any.
    pub(super) fn next(&mut self) -> Result<Option<Item<'_>>, InboxError> {
        if std::mem::take(&mut self.spent) {
            self.carry = Vec::new();
        }
        loop {
            if 0 < self.payload {
                let Some(length) = self.advance()? else {
                    continue;
                };
                let bytes = if self.spent {
                    &self.carry[..]
                } else {
                    self.before(length)
                };
                return Ok(Some(Item::Frame(parse(bytes)?, length)));
            }
            if std::mem::take(&mut self.last) && !self.carry.is_empty() {
                return Err(DecodeError::Truncated.into());
            }
            if self.is_empty() {
                return Ok(None);
            }
            let unread = self.buffer.get_mut(self.start..self.end);
            let unread = unread.ok_or(DecodeError::Truncated)?;
            let (taken, step) = self.decoder.step(unread)?;
            self.start = self.start.saturating_add(taken);
            match step {
                Step::Hungry => {}
                Step::Payload { length, last } => (self.payload, self.last) = (length, last),
                Step::Control(Opcode::Ping) => return Ok(Some(Item::Ping(self.decoder.control()))),
                Step::Control(Opcode::Close) => {
                    let status = self.decoder.control().first_chunk();
                    return Ok(Some(Item::Close(status.copied().map(u16::from_be_bytes))));
                }
                Step::Control(Opcode::Pong | Opcode::Binary | Opcode::Continuation) => {
                    return Ok(Some(Item::Pong));
                }
            }
        }
    }

    /// Takes payload until a frame is whole: then says its length. It lies just before `start`, or in `carry` if `spent`.
    fn advance(&mut self) -> Result<Option<usize>, DecodeError> {
        let unread = self.buffer.get(self.start..).unwrap_or_default();
        let payload = unread.get(..self.payload).unwrap_or(unread);
        if self.carry.is_empty() {
            return Ok(match frame_length(payload)? {
                Some(length) if length <= payload.len() => {
                    self.take(length);
                    Some(length)
                }
                Some(_) | None => {
                    self.carry.extend_from_slice(payload);
                    self.take(self.payload);
                    None
                }
            });
        }
        let whole = frame_length(&self.carry)?.unwrap_or(HEADER);
        let length = whole.saturating_sub(self.carry.len()).min(payload.len());
        let missing = payload.get(..length).unwrap_or(payload);
        self.carry.extend_from_slice(missing);
        self.take(length);
        self.spent = frame_length(&self.carry)? == Some(self.carry.len());
        Ok(self.spent.then_some(self.carry.len()))
    }

    /// The bytes that were taken last.
    fn before(&self, length: usize) -> &[u8] {
        let taken = self.buffer.get(..self.start).unwrap_or_default();
        let start = taken.len().saturating_sub(length);
        taken.get(start..).unwrap_or_default()
    }

    fn take(&mut self, length: usize) {
        self.start = self.start.saturating_add(length);
        self.payload = self.payload.saturating_sub(length);
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        if !self.buffer.is_empty() {
            pool::give(std::mem::take(&mut self.buffer));
        }
    }
}

/// How long the frame is that begins here, with its header, if the header is whole.
fn frame_length(bytes: &[u8]) -> Result<Option<usize>, DecodeError> {
    match bytes.first_chunk::<HEADER>() {
        Some(header) => {
            let payload = Header::decode(*header)?.length;
            Ok(Some(payload.saturating_add(HEADER)))
        }
        None => Ok(None),
    }
}

/// Reads the one frame that these bytes are.
fn parse(bytes: &[u8]) -> Result<Frame<'_, ClientMessage>, DecodeError> {
    Frames::new(bytes)
        .next()
        .unwrap_or(Err(DecodeError::Truncated))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::SocketId;
    use protocol::frame::{FrameKind, encode_message};

    /// A client's WebSocket frame; a mask of zero leaves the payload as it is.
    fn websocket(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, 0x80 | 126];
        bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes
    }

    fn stream(payload: &[u8]) -> Vec<u8> {
        let header = Header {
            kind: FrameKind::Stream,
            length: payload.len(),
            socket: SocketId(7),
        };
        [&header.encode()[..], payload].concat()
    }

    fn read(pieces: &[&[u8]]) -> Result<Vec<String>, InboxError> {
        let mut inbox = Inbox::default();
        let mut items = Vec::new();
        for piece in pieces {
            inbox.room()[..piece.len()].copy_from_slice(piece);
            inbox.filled(piece.len());
            while let Some(item) = inbox.next()? {
                items.push(format!("{item:?}"));
            }
            inbox.rest();
        }
        Ok(items)
    }

    #[test]
    fn frames_come_out_in_order_with_what_is_between_them() {
        let mut frames = stream(b"one");
        encode_message(&ClientMessage::Goodbye, &mut frames);
        let (head, tail) = frames.split_at(5);
        let bytes = [
            websocket(0x02, head),
            websocket(0x89, b"hi"),
            websocket(0x80, tail),
            websocket(0x88, b""),
        ]
        .concat();
        let items = read(&[&bytes]).unwrap();
        assert_eq!(
            items,
            [
                "Ping([104, 105])",
                "Frame(Stream { socket: SocketId(7), payload: [111, 110, 101] }, 11)",
                "Frame(Control(Goodbye), 9)",
                "Close(None)"
            ]
        );
    }

    #[test]
    fn a_frame_must_end_with_its_message() {
        let cut = websocket(0x82, &stream(b"one")[..9]);
        assert_eq!(
            read(&[&cut, &websocket(0x82, b"")]).unwrap_err(),
            InboxError::Frame(DecodeError::Truncated)
        );
    }

    proptest! {
        /// However messages are cut into fragments and reads, the same frames come out.
        #[test]
        fn cuts_do_not_matter(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
            fragments in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let message: Vec<u8> = payloads.iter().flat_map(|payload| stream(payload)).collect();
            let mut ends: Vec<_> = fragments.iter().map(|cut| cut.index(message.len())).collect();
            ends.extend([0, message.len()]);
            ends.sort_unstable();
            let last = ends.len() - 2;
            let bytes: Vec<u8> = ends.windows(2).enumerate().flat_map(|(index, cut)| {
                let first = if index == 0 { 0x02 } else { 0x00 } | if index == last { 0x80 } else { 0 };
                websocket(first, &message[cut[0]..cut[1]])
            }).collect();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let whole: Vec<_> = payloads.iter().map(|payload| {
                let socket = SocketId(7);
                format!("{:?}", Item::Frame(Frame::Stream { socket, payload }, HEADER + payload.len()))
            }).collect();
            prop_assert_eq!(read(&pieces).unwrap(), whole);
        }
    }
}
