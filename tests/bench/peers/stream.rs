//! One connection through another relay.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use anyhow::{Result, bail, ensure};

use crate::{load::WRITE, pipe::Pipe, websocket::WebSocket};

/// What a relay makes of a WebSocket's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// They are the bytes of the one connection that the relay makes (websockify).
    Bare,
    /// Each is a packet of Wisp, version 1: a type, the number of a stream, and what belongs to it. Numbers are
    /// little-endian, and what a server still takes of a stream is counted in packets.
    Wisp,
}

/// Wisp's packet types.
const CONNECT: u8 = 1;
const DATA: u8 = 2;
const CONTINUE: u8 = 3;
const CLOSE: u8 = 4;

/// The length of a packet's type and stream number, in bytes.
const HEAD: usize = 5;

/// A WebSocket, and the one of its streams that is in use.
#[derive(Debug)]
pub(super) struct Stream {
    socket: WebSocket,
    framing: Framing,
    number: u32,
    /// How many packets a new stream may send.
    window: u32,
    /// How many more packets may be sent.
    credit: u32,
    /// How much of the current packet's data was not read yet.
    unread: usize,
    /// What came while credit was waited for.
    early: VecDeque<u8>,
    /// The message that was last sent by [`Pipe::put`], with the length of its payload and the stream.
    parcel: (usize, u32, Vec<u8>),
}

impl Stream {
    /// Opens the WebSocket, with no stream yet where there may be several.
    pub(super) fn open(relay: SocketAddr, framing: Framing) -> Result<Self> {
        let mut stream = Self {
            socket: WebSocket::open(relay, "/", None)?,
            framing,
            number: 0,
            window: 0,
            credit: 0,
            unread: 0,
            early: VecDeque::new(),
            parcel: (0, 0, Vec::new()),
        };
        if framing == Framing::Wisp {
            while stream.window == 0 {
                ensure!(stream.packet()?, "the relay closes what was not opened");
            }
        }
        Ok(stream)
    }

    /// Begins the next stream, which is to lead to this address. The relay does not say when it is there.
    pub(super) fn connect(&mut self, target: SocketAddr) -> Result<()> {
        ensure!(self.framing == Framing::Wisp, "there is only one stream");
        self.number += 1;
        self.credit = self.window;
        let mut packet = self.packet_of(CONNECT, &[1]);
        packet.extend(target.port().to_le_bytes());
        packet.extend(target.ip().to_string().bytes());
        self.socket.send(&WebSocket::seal(&packet))
    }

    /// Ends the stream.
    pub(super) fn close(&mut self) -> Result<()> {
        let packet = self.packet_of(CLOSE, &[2]);
        self.socket.send(&WebSocket::seal(&packet))
    }

    fn packet_of(&self, kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![kind];
        packet.extend(self.number.to_le_bytes());
        packet.extend(payload);
        packet
    }

    /// Reads the next packet up to its data. Says no when it ends the stream.
    fn packet(&mut self) -> Result<bool> {
        let length = self.socket.frame()?;
        if self.framing == Framing::Bare {
            self.unread = length;
            return Ok(true);
        }
        let head: [u8; HEAD] = self.socket.exactly(HEAD)?.try_into()?;
        let [kind, number @ ..] = head;
        let number = u32::from_le_bytes(number);
        match kind {
            DATA if number == self.number => self.unread = length - HEAD,
            CONTINUE => {
                let left = u32::from_le_bytes(self.socket.exactly(4)?.try_into()?);
                if number == 0 {
                    self.window = left;
                } else if number == self.number {
                    self.credit = left;
                }
            }
            CLOSE if number == self.number => {
                self.socket.exactly(length - HEAD)?;
                return Ok(false);
            }
            // What is still on its way for a stream that was closed.
            DATA | CLOSE => self.socket.exactly(length - HEAD).map(drop)?,
            other => bail!("there is no packet of type {other}"),
        }
        Ok(true)
    }

    /// Waits until a packet may be sent, and counts it.
    fn spend(&mut self) -> Result<()> {
        if self.framing == Framing::Bare {
            return Ok(());
        }
        while self.credit == 0 {
            while 0 < self.unread {
                let piece = self.socket.some(self.unread)?;
                self.early.extend(piece);
                self.unread -= piece.len();
            }
            ensure!(self.packet()?, "the relay has closed the stream");
        }
        self.credit -= 1;
        Ok(())
    }

    fn frame(&self, payload: &[u8]) -> Vec<u8> {
        match self.framing {
            Framing::Bare => WebSocket::seal(payload),
            Framing::Wisp => WebSocket::seal(&self.packet_of(DATA, payload)),
        }
    }

    /// Reads up to this many bytes: none when the stream has ended.
    fn some(&mut self, most: usize) -> Result<&[u8]> {
        while self.unread == 0 {
            if !self.packet()? {
                return Ok(&[]);
            }
        }
        let piece = self.socket.some(most.min(self.unread))?;
        self.unread -= piece.len();
        Ok(piece)
    }
}

impl Pipe for Stream {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.spend()?;
        let frame = self.frame(bytes);
        self.socket.send(&frame)
    }

    fn put(&mut self, length: usize) -> Result<()> {
        self.spend()?;
        if (self.parcel.0, self.parcel.1) != (length, self.number) {
            self.parcel = (length, self.number, self.frame(&vec![0; length]));
        }
        self.socket.send(&self.parcel.2)
    }

    fn receive(&mut self, bytes: &mut [u8]) -> Result<bool> {
        let mut filled = self.early.len().min(bytes.len());
        for (byte, early) in bytes.iter_mut().zip(self.early.drain(..filled)) {
            *byte = early;
        }
        while filled < bytes.len() {
            let piece = self.some(bytes.len() - filled)?;
            if piece.is_empty() {
                return Ok(false);
            }
            bytes[filled..filled + piece.len()].copy_from_slice(piece);
            filled += piece.len();
        }
        Ok(true)
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        let mut left = usize::try_from(length)?;
        let early = left.min(self.early.len());
        self.early.drain(..early);
        left -= early;
        while 0 < left {
            let read = self.some(left)?.len();
            ensure!(0 < read, "the relay has closed the stream");
            left -= read;
        }
        Ok(())
    }

    fn fill(&mut self, most: u64, patience: Duration) -> Result<u64> {
        self.socket.patience(Some(patience))?;
        let mut sent = 0;
        while sent < most && self.put(WRITE).is_ok() {
            sent += WRITE as u64;
        }
        self.socket.patience(None)?;
        Ok(sent)
    }
}
