//! What a process is to be sent.
//!
//! Everything of one turn is collected into one WebSocket message, payload read from sockets straight into its place.
//! While one message is being written, a second may be begun, but only for answers and only a short one: sockets are
//! read when the way is free. What was written is kept until the process has acknowledged it ([`retained`]), if its
//! session can be resumed.
//!
//! [`retained`]: super::retained

#![expect(
    clippy::indexing_slicing,
    reason = "places in the relay's own buffer: nothing that a process sends is one, and an empty place instead of a wrong one \
              would be taken for the end of a stream"
)]

use std::sync::Arc;

use protocol::event::Direction;
use protocol::frame::{FrameKind, HEADER, Header, encode_address, encode_controls, encode_message};
use protocol::limits::{MAX_ADDRESS, MAX_DATAGRAM, MAX_PACKET, MAX_PAYLOAD};
use protocol::{Address, ServerMessage, SocketId};

use super::batch::{Batch, HEADROOM};
use super::pool;
use super::retained::{Retained, Room, WrongCount};
use super::websocket::Opcode;
use crate::events::Tap;
use crate::network::Arrival;

/// The most frames of one message, in bytes.
const MESSAGE: usize = pool::SIZE - HEADROOM;

/// The most that is collected while an earlier message is still being written, in bytes.
const WAITING: usize = 16 * 1024;

/// What must be free before anything is worked through that may be answered, in bytes: more than any answers to one
/// message of a process take together.
const ANSWER: usize = 4 * 1024;

/// The longest frame of an acknowledgement, in bytes.
const ACK: usize = 32;

/// Whether a process knows what came with a later minor version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Knowledge {
    #[default]
    Lacking,
    Given,
}

/// What waits to be written to a process.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// The message that is being written.
    sending: Batch,
    /// The message that is being collected.
    collecting: Batch,
    /// What was written and may have to be written again, if the session can be resumed.
    retained: Option<Box<Retained>>,
    /// Where control messages are encoded.
    scratch: Vec<u8>,
    /// Whether a ping is due.
    ping: bool,
    /// The pong that is due, the latest one only (RFC 6455, section 5.5.3).
    pong: Option<Vec<u8>>,
    /// The acknowledgement that is due, the latest one only.
    ack: Option<u64>,
    /// The close frame that is due, after everything else.
    close: Option<Vec<u8>>,
    /// Whether the process knows urgent bytes.
    urgency: Knowledge,
    /// Whether the process knows control messages of datagrams, and the longest packets.
    controls: Knowledge,
    /// Where what the process is sent is written down, if there is one.
    tap: Option<Arc<Tap>>,
}

impl Outbox {
    /// Has what is sent from now on written down.
    pub(super) fn tell(&mut self, tap: &Arc<Tap>) {
        self.tap = Some(Arc::clone(tap));
    }

    /// From now on urgent bytes are told, as the process knows them.
    pub(super) fn tell_urgent(&mut self) {
        self.urgency = Knowledge::Given;
    }

    /// Whether urgent bytes are told. Without that they are lost, as they are to a program that reads past them.
    pub(crate) fn tells_urgent(&self) -> bool {
        self.urgency == Knowledge::Given
    }

    /// From now on control messages come with datagrams, and the longest packets, as the process knows both.
    pub(super) fn tell_controls(&mut self) {
        self.controls = Knowledge::Given;
    }

    /// The longest datagram that the process takes.
    pub(crate) fn longest_datagram(&self) -> usize {
        match self.controls {
            Knowledge::Given => MAX_PACKET,
            Knowledge::Lacking => MAX_DATAGRAM,
        }
    }

    /// How many bytes of frames may be added now.
    fn room(&self) -> usize {
        let used = self.collecting.end - self.collecting.start;
        let most = if self.is_free() { MESSAGE } else { WAITING };
        most.saturating_sub(used)
    }

    /// Whether nothing is left of earlier messages.
    fn is_free(&self) -> bool {
        let is_behind = |retained: &Retained| retained.is_behind();
        self.sending.is_empty() && !self.retained.as_deref().is_some_and(is_behind)
    }

    /// Whether the process owes so many acknowledgements that it is sent no payload for now.
    pub(crate) fn is_owed(&self) -> bool {
        self.kept_room() != Room::Free
    }

    /// Whether it owes even more than it can without breaking the protocol.
    pub(super) fn is_exceeded(&self) -> bool {
        self.kept_room() == Room::Exceeded
    }

    fn kept_room(&self) -> Room {
        self.retained.as_deref().map_or(Room::Free, Retained::room)
    }

    /// Whether there is room for the answers to any one message of the process.
    pub(crate) fn has_room_for_answers(&self) -> bool {
        ANSWER <= self.room()
    }

    /// Whether sockets may be read: nothing is left of an earlier message, and another frame of this many bytes fits.
    pub(crate) fn has_room_for_payload(&self, length: usize) -> bool {
        self.is_free()
            && !self.is_owed()
            && length + HEADER + MAX_ADDRESS + 1 + ANSWER <= self.room()
    }

    /// The same for any payload: whatever is not read now waits for something else than room.
    pub(super) fn has_room_for_any_payload(&self) -> bool {
        self.has_room_for_payload(MAX_PAYLOAD)
    }

    /// Whether frames wait to be written, and not only pings and pongs.
    pub(crate) fn has_frames(&self) -> bool {
        0 < self.sending.frames || !self.collecting.is_empty()
    }

    /// Whether everything was handed out by [`chunk`](Self::chunk) and taken.
    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.sending.is_empty()
            && self.collecting.is_empty()
            && !self.ping
            && self.pong.is_none()
            && self.ack.is_none()
            && self.close.is_none()
    }

    /// Begins a connection with these messages, which do not count among those of the session.
    pub(super) fn greet(&mut self, messages: &[ServerMessage]) {
        debug_assert!(self.sending.is_empty());
        self.scratch.clear();
        for message in messages {
            encode_message(message, &mut self.scratch);
        }
        let mut greeting = Batch::compact(&self.scratch);
        let length = std::mem::take(&mut greeting.frames);
        greeting.prepend(Opcode::Binary, &[], length);
        self.sending = greeting;
    }

    /// Keeps from now on what is written, because the session can be resumed.
    pub(super) fn retain(&mut self) {
        self.retained = Some(Box::default());
    }

    /// The process has received everything up to this offset.
    pub(super) fn acknowledged(&mut self, received: u64) -> Result<(), WrongCount> {
        match &mut self.retained {
            Some(retained) => retained.acknowledge(received, self.sending.frames),
            None => Ok(()),
        }
    }

    /// The connection is lost, and with it what concerns only this one.
    pub(super) fn cut(&mut self) {
        let sending = std::mem::take(&mut self.sending);
        if let Some(retained) = &mut self.retained {
            retained.cut(sending);
        }
        (self.ping, self.pong, self.ack, self.close) = (false, None, None, None);
    }

    /// On the next connection it goes on after what the process has received.
    pub(super) fn resume(&mut self, received: u64) -> Result<(), WrongCount> {
        match &mut self.retained {
            Some(retained) => retained.resume(received),
            None => Ok(()),
        }
    }

    /// How much memory is taken by what was written.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.retained.as_deref().map_or(0, Retained::memory)
    }

    /// Adds a control message.
    pub(crate) fn message(&mut self, message: &ServerMessage) {
        if let (Some(tap), ServerMessage::Done { call, result }) = (&self.tap, message) {
            tap.answered(*call, result);
        }
        self.scratch.clear();
        encode_message(message, &mut self.scratch);
        self.collecting.append(&self.scratch);
    }

    /// Adds a stream's bytes, which `fill` reads into place; none if it read none.
    pub(crate) fn stream<E>(
        &mut self,
        socket: SocketId,
        limit: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        debug_assert!(self.has_room_for_payload(limit));
        self.collecting.begin();
        let start = self.collecting.end + HEADER;
        let length = fill(&mut self.collecting.bytes[start..start + limit])?;
        if 0 < length {
            if let Some(tap) = &self.tap {
                let received = &self.collecting.bytes[start..start + length];
                tap.carried(socket, Direction::Received, &Address::Unspecified, received);
            }
            self.finish(FrameKind::Stream, socket, length);
        }
        Ok(length)
    }

    /// Adds the urgent byte of a stream.
    pub(crate) fn urgent(&mut self, socket: SocketId, byte: u8) {
        debug_assert!(self.has_room_for_payload(1));
        self.collecting.begin();
        if let Some(tap) = &self.tap {
            tap.carried(socket, Direction::Received, &Address::Unspecified, &[byte]);
        }
        let at = self.collecting.end + HEADER;
        self.collecting.bytes[at] = byte;
        self.finish(FrameKind::Urgent, socket, 1);
    }

    /// Adds a datagram, which `fill` reads into place; none if it says so by giving no address.
    pub(crate) fn datagram<E>(
        &mut self,
        socket: SocketId,
        limit: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<Arrival, E>,
    ) -> Result<Option<usize>, E> {
        debug_assert!(self.has_room_for_payload(limit));
        self.collecting.begin();
        let start = self.collecting.end + HEADER;
        // The address comes first but is known last. Leave the most room it may need, and close the gap then.
        let payload = start + 1 + MAX_ADDRESS;
        let bytes = &mut self.collecting.bytes;
        let Arrival {
            length,
            sender,
            controls,
        } = fill(&mut bytes[payload..payload + limit])?;
        let Some(address) = sender else {
            return Ok(None);
        };
        if let Some(tap) = &self.tap {
            let received = &bytes[payload..payload + length];
            tap.carried(socket, Direction::Received, &address, received);
        }
        self.scratch.clear();
        encode_address(&address, &mut self.scratch);
        let bare = self.scratch.len();
        let has_controls = self.controls == Knowledge::Given
            && !controls.is_empty()
            && encode_controls(&controls, &mut self.scratch)
            && length + self.scratch.len() <= MAX_PAYLOAD;
        let kind = if has_controls {
            FrameKind::Message
        } else {
            self.scratch.truncate(bare);
            FrameKind::Datagram
        };
        let used = self.scratch.len();
        bytes[start..start + used].copy_from_slice(&self.scratch);
        bytes.copy_within(payload..payload + length, start + used);
        self.finish(kind, socket, used + length);
        Ok(Some(length))
    }

    fn finish(&mut self, kind: FrameKind, socket: SocketId, length: usize) {
        let header = Header {
            kind,
            length,
            socket,
        };
        let start = self.collecting.end;
        self.collecting.bytes[start..start + HEADER].copy_from_slice(&header.encode());
        self.collecting.extend(HEADER + length);
    }

    /// Asks the process for a sign of life.
    pub(crate) fn ping(&mut self) {
        self.ping = true;
    }

    /// Answers a ping.
    pub(crate) fn pong(&mut self, payload: &[u8]) {
        self.pong = Some(payload.to_vec());
    }

    /// Says that everything up to this offset has arrived.
    pub(super) fn ack(&mut self, received: u64) {
        self.ack = Some(received);
    }

    /// Closes the WebSocket, after everything else, with this status (RFC 6455, section 7.4).
    pub(crate) fn close(&mut self, status: u16) {
        self.close = Some(status.to_be_bytes().to_vec());
    }

    /// What is to be written next; empty if nothing is.
    pub(crate) fn chunk(&mut self) -> &[u8] {
        if self.sending.is_empty() {
            self.seal();
        }
        &self.sending.bytes[self.sending.start..self.sending.end]
    }

    /// Notes that this much of the chunk was written.
    pub(crate) fn advance(&mut self, length: usize) {
        self.sending.start += length;
        if self.sending.is_empty() {
            let mut written = std::mem::take(&mut self.sending);
            match &mut self.retained {
                Some(retained) => retained.keep(written),
                None => written.release(),
            }
        }
    }

    /// Makes one WebSocket message of what must be written again, or else of what was collected.
    fn seal(&mut self) {
        let again = self.retained.as_mut().and_then(|retained| retained.next());
        let mut batch = again.unwrap_or_else(|| std::mem::take(&mut self.collecting));
        let close = match batch.is_empty() {
            true => self.close.take(),
            false => None,
        };
        let pong = self.pong.take();
        if batch.is_empty() && !self.ping && pong.is_none() && self.ack.is_none() && close.is_none()
        {
            return;
        }
        batch.begin();
        if let Some(status) = close {
            batch.prepend(Opcode::Close, &status, status.len());
        } else if 0 < batch.frames {
            batch.prepend(Opcode::Binary, &[], batch.frames);
        }
        if let Some(received) = self.ack.take() {
            self.scratch.clear();
            encode_message(&ServerMessage::Ack { received }, &mut self.scratch);
            debug_assert!(self.scratch.len() <= ACK);
            batch.prepend(Opcode::Binary, &self.scratch, self.scratch.len());
        }
        if std::mem::take(&mut self.ping) {
            batch.prepend(Opcode::Ping, &[], 0);
        }
        if let Some(payload) = pong {
            batch.prepend(Opcode::Pong, &payload, payload.len());
        }
        self.sending = batch;
    }
}

#[cfg(test)]
mod tests;
