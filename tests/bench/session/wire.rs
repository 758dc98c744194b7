//! The protocol on a WebSocket: frames out, messages and payload in.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, bail};
use protocol::{
    ClientMessage, LabId, Progress, SUBPROTOCOL, ServerMessage, SocketId,
    frame::{FrameKind, HEADER, Header, decode_message, encode_message},
};

use crate::websocket::WebSocket;

/// What comes next.
#[derive(Debug)]
pub(super) enum Event {
    /// A control message.
    Message(ServerMessage),
    /// So many bytes of a stream.
    Payload(SocketId, usize),
}

/// A WebSocket to a relay.
#[derive(Debug)]
pub(super) struct Wire {
    socket: WebSocket,
    /// What came, if it is to be acknowledged as a browser's process does.
    progress: Option<Progress>,
}

impl Wire {
    /// Connects to a relay.
    pub(super) fn open(relay: SocketAddr, lab: &LabId) -> Result<Self> {
        let path = format!("/labs/{lab}/process");
        Ok(Self {
            socket: WebSocket::open(relay, &path, Some(SUBPROTOCOL))?,
            progress: None,
        })
    }

    /// A whole WebSocket message with these frames.
    pub(super) fn seal(frames: &[u8]) -> Vec<u8> {
        WebSocket::seal(frames)
    }

    /// How long a read may wait, or without end.
    pub(super) fn patience(&self, patience: Option<Duration>) -> Result<()> {
        self.socket.patience(patience)
    }

    /// Sends these frames.
    pub(super) fn send(&mut self, frames: &[u8]) -> Result<()> {
        self.send_sealed(&Self::seal(frames))
    }

    /// Sends a whole message.
    pub(super) fn send_sealed(&mut self, message: &[u8]) -> Result<()> {
        self.socket.send(message)
    }

    /// Acknowledges what comes from now on.
    pub(super) fn acknowledge(&mut self) {
        self.progress = Some(Progress::default());
    }

    fn send_ack(&mut self, received: u64) -> Result<()> {
        let mut ack = Vec::new();
        encode_message(&ClientMessage::Ack { received }, &mut ack);
        self.send(&ack)
    }

    /// Gives the buffer back, so that many idle processes do not need much memory here.
    ///
    /// What came is acknowledged before, as a browser's process does within a second.
    pub(super) fn rest(&mut self) -> Result<()> {
        self.socket.rest();
        match &mut self.progress {
            Some(progress) if progress.is_owed() => {
                let received = progress.acknowledge();
                self.send_ack(received)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Waits for the next message or payload. Payload must be read with [`payload`](Self::payload) before this is called again.
    pub(super) fn event(&mut self) -> Result<Event> {
        self.socket.frame()?;
        let header: [u8; HEADER] = self.socket.exactly(HEADER)?.try_into()?;
        let header = Header::decode(header)?;
        let event = match header.kind {
            FrameKind::Control => {
                let message = self.socket.exactly(header.length)?;
                Event::Message(decode_message(message)?)
            }
            FrameKind::Stream => Event::Payload(header.socket, header.length),
            FrameKind::Datagram | FrameKind::Urgent | FrameKind::Message => {
                bail!("what nobody reads")
            }
        };
        let is_counted = match &event {
            Event::Message(message) => message.is_counted(),
            Event::Payload(..) => true,
        };
        if let Some(progress) = &mut self.progress
            && is_counted
        {
            progress.take(HEADER + header.length);
            if progress.is_due() {
                let received = progress.acknowledge();
                self.send_ack(received)?;
            }
        }
        Ok(event)
    }

    /// Reads up to this many bytes of the payload that was announced.
    pub(super) fn payload(&mut self, most: usize) -> Result<&[u8]> {
        self.socket.some(most)
    }
}
