//! A WebSocket from the client's side (RFC 6455): masks what is sent, takes apart what comes.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use protocol::{
    LabId, SUBPROTOCOL, ServerMessage, SocketId,
    frame::{FrameKind, HEADER, Header, decode_message},
};

use crate::pipe::READ;

/// Four bytes that payload is masked with. A browser takes others each time; unmasking costs the same.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The key of the opening handshake, any 16 bytes in base64.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What comes next.
#[derive(Debug)]
pub(super) enum Event {
    /// A control message.
    Message(ServerMessage),
    /// So many bytes of a stream.
    Payload(SocketId, usize),
}

/// The connection and what was read from it.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// How much of the current WebSocket message is still to come, frames that were begun excepted.
    message: usize,
}

impl Wire {
    /// Connects to a relay.
    pub(super) fn open(relay: SocketAddr, lab: &LabId) -> Result<Self> {
        let mut stream = TcpStream::connect(relay)?;
        stream.set_nodelay(true)?;
        write!(
            stream,
            "GET /labs/{lab}/process HTTP/1.1\r\nHost: {relay}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
        )?;
        let mut wire = Self {
            stream,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            message: 0,
        };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            wire.need(1)?;
            head.push(wire.buffer[wire.start]);
            wire.start += 1;
        }
        ensure!(
            head.starts_with(b"HTTP/1.1 101 "),
            "the relay says {}",
            String::from_utf8_lossy(&head)
        );
        Ok(wire)
    }

    /// A whole WebSocket message with these frames.
    pub(super) fn seal(frames: &[u8]) -> Vec<u8> {
        let mut message = vec![0x82];
        match (u8::try_from(frames.len()), u16::try_from(frames.len())) {
            (Ok(short), _) if short < 126 => message.push(0x80 | short),
            (_, Ok(medium)) => {
                message.push(0x80 | 126);
                message.extend(medium.to_be_bytes());
            }
            (_, Err(_)) => {
                message.push(0x80 | 127);
                message.extend((frames.len() as u64).to_be_bytes());
            }
        }
        message.extend(MASK);
        let masked = frames.iter().zip(MASK.iter().cycle());
        message.extend(masked.map(|(byte, mask)| byte ^ mask));
        message
    }

    /// How long a read may wait, or without end.
    pub(super) fn patience(&self, patience: Option<Duration>) -> Result<()> {
        Ok(self.stream.set_read_timeout(patience)?)
    }

    /// Sends these frames.
    pub(super) fn send(&mut self, frames: &[u8]) -> Result<()> {
        self.send_sealed(&Self::seal(frames))
    }

    /// Sends a whole message.
    pub(super) fn send_sealed(&mut self, message: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(message)?)
    }

    /// Waits until this many bytes are in the buffer.
    fn need(&mut self, length: usize) -> Result<()> {
        while self.end - self.start < length {
            if self.start == self.end {
                (self.start, self.end) = (0, 0);
            } else if self.buffer.len() < self.start + length {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            if self.buffer.is_empty() {
                self.buffer.resize(READ, 0);
            }
            let read = self.stream.read(&mut self.buffer[self.end..])?;
            ensure!(0 < read, "the relay has hung up");
            self.end += read;
        }
        Ok(())
    }

    /// Gives the buffer back, so that many idle processes do not need much memory here.
    pub(super) fn rest(&mut self) {
        if self.start == self.end {
            self.buffer = Vec::new();
            (self.start, self.end) = (0, 0);
        }
    }

    fn take(&mut self, length: usize) -> Result<&[u8]> {
        self.need(length)?;
        self.start += length;
        Ok(&self.buffer[self.start - length..self.start])
    }

    /// Waits for the next message or payload. Payload must be read with [`payload`](Self::payload) before this is called again.
    pub(super) fn event(&mut self) -> Result<Event> {
        while self.message == 0 {
            self.begin_message()?;
        }
        let header: [u8; HEADER] = self.take(HEADER)?.try_into()?;
        let header = Header::decode(header)?;
        self.message -= HEADER + header.length;
        match header.kind {
            FrameKind::Control => Ok(Event::Message(decode_message(self.take(header.length)?)?)),
            FrameKind::Stream => Ok(Event::Payload(header.socket, header.length)),
            FrameKind::Datagram => bail!("a datagram that nobody reads"),
        }
    }

    fn begin_message(&mut self) -> Result<()> {
        let [first, second] = self.take(2)?.try_into()?;
        let length = match second {
            126 => usize::from(u16::from_be_bytes(self.take(2)?.try_into()?)),
            127 => usize::try_from(u64::from_be_bytes(self.take(8)?.try_into()?))?,
            short => usize::from(short),
        };
        ensure!(
            first == 0x82,
            "the relay sends a WebSocket frame of kind {first:#x}"
        );
        self.message = length;
        Ok(())
    }

    /// Reads up to this many bytes of the payload that was announced.
    pub(super) fn payload(&mut self, most: usize) -> Result<&[u8]> {
        self.need(1)?;
        let length = most.min(self.end - self.start);
        self.take(length)
    }
}
