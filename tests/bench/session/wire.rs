//! The protocol on a WebSocket: frames out, messages and payload in.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, bail};
use protocol::{
    LabId, SUBPROTOCOL, ServerMessage, SocketId,
    frame::{FrameKind, HEADER, Header, decode_message},
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
pub(super) struct Wire(WebSocket);

impl Wire {
    /// Connects to a relay.
    pub(super) fn open(relay: SocketAddr, lab: &LabId) -> Result<Self> {
        let path = format!("/labs/{lab}/process");
        Ok(Self(WebSocket::open(relay, &path, Some(SUBPROTOCOL))?))
    }

    /// A whole WebSocket message with these frames.
    pub(super) fn seal(frames: &[u8]) -> Vec<u8> {
        WebSocket::seal(frames)
    }

    /// How long a read may wait, or without end.
    pub(super) fn patience(&self, patience: Option<Duration>) -> Result<()> {
        self.0.patience(patience)
    }

    /// Sends these frames.
    pub(super) fn send(&mut self, frames: &[u8]) -> Result<()> {
        self.send_sealed(&Self::seal(frames))
    }

    /// Sends a whole message.
    pub(super) fn send_sealed(&mut self, message: &[u8]) -> Result<()> {
        self.0.send(message)
    }

    /// Gives the buffer back, so that many idle processes do not need much memory here.
    pub(super) fn rest(&mut self) {
        self.0.rest();
    }

    /// Waits for the next message or payload. Payload must be read with [`payload`](Self::payload) before this is called again.
    pub(super) fn event(&mut self) -> Result<Event> {
        self.0.frame()?;
        let header: [u8; HEADER] = self.0.exactly(HEADER)?.try_into()?;
        let header = Header::decode(header)?;
        match header.kind {
            FrameKind::Control => {
                let message = self.0.exactly(header.length)?;
                Ok(Event::Message(decode_message(message)?))
            }
            FrameKind::Stream => Ok(Event::Payload(header.socket, header.length)),
            FrameKind::Datagram => bail!("a datagram that nobody reads"),
        }
    }

    /// Reads up to this many bytes of the payload that was announced.
    pub(super) fn payload(&mut self, most: usize) -> Result<&[u8]> {
        self.0.some(most)
    }
}
