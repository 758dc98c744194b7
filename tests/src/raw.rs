//! A connection of which a test writes every byte itself: for what no browser would send.

use std::{io, time::Duration};

use protocol::{
    ClientMessage, Frame, Frames, Hello, HostName, LabId, ProcessName, SUBPROTOCOL, ServerMessage,
    frame,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, Interest},
    net::TcpStream,
};

use crate::TestRelay;

/// What payload is masked with, any four bytes (RFC 6455, section 5.3).
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What a WebSocket frame is (RFC 6455, section 5.2), and whether its message ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A whole binary message.
    Binary = 0x82,
    /// The beginning of one.
    BinaryBegin = 0x02,
    /// The middle of one.
    Continuation = 0x00,
    /// The end of one.
    ContinuationEnd = 0x80,
    /// A question whether the other side is there.
    Ping = 0x89,
    /// The answer to one.
    Pong = 0x8a,
}

/// A TCP connection to a relay.
#[derive(Debug)]
pub struct Raw {
    stream: TcpStream,
    unread: Vec<u8>,
    unsent: Vec<u8>,
}

impl Raw {
    /// Connects, and says nothing.
    pub async fn connect(relay: &TestRelay) -> Self {
        let stream = TcpStream::connect(relay.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            unread: Vec::new(),
            unsent: Vec::new(),
        }
    }

    /// Opens a WebSocket for a process of this lab, and says no more.
    pub async fn open(relay: &TestRelay, lab: &LabId) -> Self {
        let mut raw = Self::connect(relay).await;
        raw.write(Self::request(relay, lab).as_bytes())
            .await
            .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(raw.stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "));
        raw
    }

    /// The request that asks for it.
    pub fn request(relay: &TestRelay, lab: &LabId) -> String {
        format!(
            "GET /labs/{lab}/process HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n",
            relay.address()
        )
    }

    /// The message with which a process begins. It speaks the oldest version: nothing that comes is acknowledged.
    pub fn hello() -> ClientMessage {
        ClientMessage::Hello(Hello {
            minor: 0,
            host: HostName::new("desk").unwrap(),
            process: ProcessName::new("raw").unwrap(),
        })
    }

    /// Frames of the protocol, one for each message.
    pub fn frames(messages: &[ClientMessage]) -> Vec<u8> {
        let mut frames = Vec::new();
        for message in messages {
            frame::encode_message(message, &mut frames);
        }
        frames
    }

    /// A WebSocket frame, masked.
    pub fn seal(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![opcode as u8];
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(short), _) if short < 126 => bytes.push(0x80 | short),
            (_, Ok(medium)) => {
                bytes.push(0x80 | 126);
                bytes.extend(medium.to_be_bytes());
            }
            (_, Err(_)) => {
                bytes.push(0x80 | 127);
                bytes.extend((payload.len() as u64).to_be_bytes());
            }
        }
        bytes.extend(MASK);
        let masked = payload.iter().zip(MASK.iter().cycle());
        bytes.extend(masked.map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// Writes these bytes.
    ///
    /// # Errors
    ///
    /// The relay has hung up.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Writes these bytes when the connection takes them: now, with [`offer`](Self::offer), or while something is read.
    pub fn put(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// Writes what the connection takes now, and says how much is left.
    pub fn offer(&mut self) -> usize {
        if let Ok(taken) = self.stream.try_write(&self.unsent) {
            self.unsent.drain(..taken);
        }
        self.unsent.len()
    }

    /// The payload of the next WebSocket frame and its first byte, or none when the relay has hung up.
    pub async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((first, start, length)) = header(&self.unread)
                && start + length <= self.unread.len()
            {
                let payload = self.unread[start..start + length].to_vec();
                self.unread.drain(..start + length);
                return Some((first, payload));
            }
            let interest = match self.offer() {
                0 => Interest::READABLE,
                _ => Interest::READABLE | Interest::WRITABLE,
            };
            self.stream.ready(interest).await.unwrap();
            match self.stream.try_read_buf(&mut self.unread) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => return None,
            }
        }
    }

    /// The control messages of the next binary frame, or none when the relay has hung up. Skips other frames.
    pub async fn messages(&mut self) -> Option<Vec<ServerMessage>> {
        loop {
            let (first, payload) = self.read().await?;
            if first == Opcode::Binary as u8 {
                let messages =
                    Frames::<ServerMessage>::new(&payload).filter_map(|frame| {
                        match frame.expect("a frame from the relay") {
                            Frame::Control(message) => Some(message),
                            _ => None,
                        }
                    });
                return Some(messages.collect());
            }
        }
    }

    /// Reads until the relay hangs up.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.unread);
        // A reset is an end too.
        drop(self.stream.read_to_end(&mut rest).await);
        rest
    }

    /// Hangs up with a reset instead of an orderly end.
    pub fn reset(self) {
        let linger = Some(Duration::ZERO);
        rustix::net::sockopt::set_socket_linger(&self.stream, linger).unwrap();
    }
}

/// A server's WebSocket frame: its first byte, where its payload begins, and how long that is.
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let first = *bytes.first()?;
    Some(match *bytes.get(1)? {
        126 => {
            let length = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
            (first, 4, usize::from(length))
        }
        127 => {
            let length = u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
            (first, 10, usize::try_from(length).ok()?)
        }
        short => (first, 2, usize::from(short)),
    })
}
