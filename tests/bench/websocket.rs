//! A WebSocket from the client's side (RFC 6455): masks what is sent, takes apart what comes.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Result, bail, ensure};

use crate::pipe::READ;

/// Four bytes that payload is masked with. A browser takes others each time; unmasking costs the same.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The key of the opening handshake, any 16 bytes in base64.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The connection and what was read from it.
#[derive(Debug)]
pub(crate) struct WebSocket {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// How much of the current frame is still to come.
    frame: usize,
}

impl WebSocket {
    /// Connects, and asks for this path and this subprotocol.
    pub(crate) fn open(server: SocketAddr, path: &str, subprotocol: Option<&str>) -> Result<Self> {
        let mut stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        let subprotocol = subprotocol.map_or_else(String::new, |subprotocol| {
            format!("Sec-WebSocket-Protocol: {subprotocol}\r\n")
        });
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{subprotocol}\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut socket = Self {
            stream,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            frame: 0,
        };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            socket.need(1)?;
            head.push(socket.buffer[socket.start]);
            socket.start += 1;
        }
        ensure!(
            head.starts_with(b"HTTP/1.1 101 "),
            "the server says {}",
            String::from_utf8_lossy(&head)
        );
        Ok(socket)
    }

    /// A whole binary message.
    pub(crate) fn seal(payload: &[u8]) -> Vec<u8> {
        let mut message = vec![0x82];
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(short), _) if short < 126 => message.push(0x80 | short),
            (_, Ok(medium)) => {
                message.push(0x80 | 126);
                message.extend(medium.to_be_bytes());
            }
            (_, Err(_)) => {
                message.push(0x80 | 127);
                message.extend((payload.len() as u64).to_be_bytes());
            }
        }
        message.extend(MASK);
        let masked = payload.iter().zip(MASK.iter().cycle());
        message.extend(masked.map(|(byte, mask)| byte ^ mask));
        message
    }

    /// Sends a message that was sealed.
    pub(crate) fn send(&mut self, sealed: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(sealed)?)
    }

    /// How long a read may wait, or without end.
    pub(crate) fn patience(&self, patience: Option<Duration>) -> Result<()> {
        Ok(self.stream.set_read_timeout(patience)?)
    }

    /// Gives the buffer back, so that many idle processes do not need much memory here.
    pub(crate) fn rest(&mut self) {
        if self.start == self.end {
            self.buffer = Vec::new();
            (self.start, self.end) = (0, 0);
        }
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
            ensure!(0 < read, "the server has hung up");
            self.end += read;
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&[u8]> {
        self.need(length)?;
        self.start += length;
        Ok(&self.buffer[self.start - length..self.start])
    }

    /// How much of the current frame is still to come, beginning the next one when nothing is. Pings are passed over.
    pub(crate) fn frame(&mut self) -> Result<usize> {
        while self.frame == 0 {
            let [first, second] = self.take(2)?.try_into()?;
            let length = match second {
                126 => usize::from(u16::from_be_bytes(self.take(2)?.try_into()?)),
                127 => usize::try_from(u64::from_be_bytes(self.take(8)?.try_into()?))?,
                short => usize::from(short),
            };
            match first & 0x0f {
                0 | 2 => self.frame = length,
                9 => self.take(length).map(drop)?,
                kind => bail!("the server sends a WebSocket frame of kind {kind}"),
            }
        }
        Ok(self.frame)
    }

    /// Reads exactly this much of the current frame.
    pub(crate) fn exactly(&mut self, length: usize) -> Result<&[u8]> {
        ensure!(length <= self.frame, "a frame of the server is cut short");
        self.frame -= length;
        self.take(length)
    }

    /// Reads up to this much of the current frame.
    pub(crate) fn some(&mut self, most: usize) -> Result<&[u8]> {
        self.need(1)?;
        let length = most.min(self.end - self.start).min(self.frame);
        self.frame -= length;
        self.take(length)
    }
}
