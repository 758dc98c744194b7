//! A process that does deeds, as the session's task would see it: bytes of a WebSocket that come in pieces.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::frame::{FrameKind, Header, encode_address, encode_controls, encode_message};
use protocol::limits::MAX_STREAM_FRAME;
use protocol::{CallId, ClientMessage, Frame, Frames, ServerMessage};

use super::deed::{Deed, number};
use crate::lab::Membership;
use crate::metrics::Metrics;
use crate::session::inbox::{Inbox, Item};
use crate::session::{Outbox, Ready, Sockets};

/// The most sockets that it may have.
const QUOTA: usize = 4;

/// How a message is cut: where its one WebSocket frame becomes two, and where what the network brings ends.
pub(super) type Cuts = [proptest::sample::Index; 2];

/// A process.
pub(super) struct Actor {
    inbox: Inbox,
    outbox: Outbox,
    sockets: Sockets,
    /// What it sends and may be sent: nothing but the number of its lab.
    own: Vec<u8>,
    calls: u32,
    /// The calls that it has made, and whether they may wait for ever.
    asked: Vec<(CallId, bool)>,
    answers: BTreeMap<CallId, u32>,
}

impl Actor {
    /// A process that has no sockets yet.
    pub(super) fn new(membership: Membership, metrics: Metrics, mark: u8) -> Self {
        let ready = Arc::new(Ready::default());
        Self {
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            sockets: Sockets::new(membership, metrics, QUOTA, ready),
            own: vec![mark; MAX_STREAM_FRAME],
            calls: 0,
            asked: Vec::new(),
            answers: BTreeMap::new(),
        }
    }

    /// Does something, and the relay what it asks for.
    pub(super) fn act(&mut self, deed: Deed, cuts: &Cuts) {
        let frame = self.frame(deed);
        let middle = cuts[0].index(frame.len() + 1);
        let (head, tail) = frame.split_at(middle);
        // A message in two fragments, with a ping between them.
        let bytes = [
            websocket(0x02, head),
            websocket(0x89, b"?"),
            websocket(0x80, tail),
        ]
        .concat();
        let (first, second) = bytes.split_at(cuts[1].index(bytes.len() + 1));
        self.read(first);
        self.read(second);
    }

    /// Gives its sockets a look, as a wake-up would.
    pub(super) fn attend(&mut self) {
        self.sockets.attend(&mut self.outbox);
        self.drain();
    }

    /// Ends it, and sees that every call was answered once.
    pub(super) fn end(mut self) -> Result<(), String> {
        self.settle();
        self.sockets.close_all();
        self.settle();
        for (call, waits) in self.asked {
            let count = self.answers.remove(&call).unwrap_or(0);
            if count != 1 && !(waits && count == 0) {
                return Err(format!("call {} was answered {count} times", call.0));
            }
        }
        match self.answers.pop_first() {
            Some((call, _)) => Err(format!("call {} was never made", call.0)),
            None => Ok(()),
        }
    }

    /// The bytes of the frame of a deed.
    fn frame(&mut self, deed: Deed) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (kind, socket, payload) = match deed {
            Deed::Tell(mut message) => {
                // Only these may wait, and so end unanswered with their process.
                let waits = matches!(
                    message,
                    ClientMessage::Connect { .. } | ClientMessage::Delivered { .. }
                );
                if number(&mut message, self.calls + 1) {
                    self.calls += 1;
                    self.asked.push((CallId(self.calls), waits));
                }
                encode_message(&message, &mut bytes);
                return bytes;
            }
            Deed::Urge(socket) => (FrameKind::Urgent, socket, self.own[..1].to_vec()),
            Deed::Write(socket, length) => (FrameKind::Stream, socket, self.own[..length].to_vec()),
            Deed::Send(socket, address, length) => {
                let mut payload = Vec::new();
                encode_address(&address, &mut payload);
                payload.extend_from_slice(&self.own[..length]);
                (FrameKind::Datagram, socket, payload)
            }
            Deed::Enclose(socket, address, control, length) => {
                let mut payload = Vec::new();
                encode_address(&address, &mut payload);
                assert!(encode_controls(&[control], &mut payload));
                payload.extend_from_slice(&self.own[..length]);
                (FrameKind::Message, socket, payload)
            }
        };
        let header = Header {
            kind,
            length: payload.len(),
            socket,
        };
        bytes.extend(header.encode());
        bytes.extend(payload);
        bytes
    }

    fn read(&mut self, bytes: &[u8]) {
        // A piece is never longer than the room that there is.
        for piece in bytes.chunks(super::super::pool::SIZE) {
            self.inbox.fill(piece);
            loop {
                self.settle();
                let item = self.inbox.next().unwrap();
                let Some(item) = item else {
                    break;
                };
                if let Item::Frame(frame, _) = item {
                    let accepts = matches!(frame, Frame::Control(ClientMessage::Accept { .. }));
                    // A violation ends a process; here it goes on, to see that even that harms nothing.
                    if self.sockets.handle(frame, &mut self.outbox).is_err() && accepts {
                        self.asked.pop();
                    }
                }
            }
            self.inbox.rest();
        }
        self.attend();
    }

    /// Until there is room for answers and no sync is under way.
    fn settle(&mut self) {
        while !self.sockets.is_open(&self.outbox) {
            self.attend();
        }
        self.drain();
    }

    /// Takes everything that was said, counts the answers, and sees that payload is of its own lab.
    fn drain(&mut self) {
        loop {
            let chunk = self.outbox.chunk();
            let length = chunk.len();
            if length == 0 {
                return;
            }
            let header = match chunk[1] {
                126 => 4,
                127 => 10,
                _ => 2,
            };
            for frame in Frames::<ServerMessage>::new(&chunk[header..]) {
                match frame.unwrap() {
                    Frame::Control(ServerMessage::Done { call, .. }) => {
                        *self.answers.entry(call).or_default() += 1;
                    }
                    Frame::Control(_) => {}
                    Frame::Urgent { byte, .. } => assert_eq!(byte, self.own[0], "a foreign byte"),
                    Frame::Stream { payload, .. }
                    | Frame::Datagram { payload, .. }
                    | Frame::Message { payload, .. } => {
                        let own = &self.own[..payload.len()];
                        assert!(payload == own, "a foreign byte");
                    }
                }
            }
            self.outbox.advance(length);
        }
    }
}

/// A client's WebSocket frame; a mask of zero leaves the payload as it is.
fn websocket(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, 0x80 | 127];
    if let Ok(short @ ..126) = u8::try_from(payload.len()) {
        bytes[1] = 0x80 | short;
    } else {
        bytes.extend((payload.len() as u64).to_be_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}
