//! One connection through another relay.

use std::{collections::VecDeque, net::SocketAddr, thread::sleep, time::Duration};

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
    /// Each is a binary frame of wasmnet: much the same, with longer numbers, big-endian, and no credit.
    Wasmnet,
}

/// What a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Make a connection.
    Connect,
    /// It is made.
    Connected,
    /// Bytes of it.
    Data,
    /// So much may be sent.
    Continue,
    /// It is closed, or could not be made.
    Close,
}

impl Framing {
    /// The length of a packet's type and stream number, in bytes.
    fn head(self) -> usize {
        match self {
            Self::Bare => 0,
            Self::Wisp => 1 + 4,
            Self::Wasmnet => 1 + 8,
        }
    }

    /// What a type means that a relay sends.
    fn kind(self, byte: u8) -> Result<Kind> {
        match (self, byte) {
            (Self::Bare, _) | (Self::Wisp, 2) | (Self::Wasmnet, 0x82) => Ok(Kind::Data),
            (Self::Wisp, 3) => Ok(Kind::Continue),
            (Self::Wisp, 4) | (Self::Wasmnet, 0x85..=0x87) => Ok(Kind::Close),
            (Self::Wasmnet, 0x81) => Ok(Kind::Connected),
            (_, other) => bail!("there is no packet of type {other}"),
        }
    }

    /// A packet for a stream.
    fn packet(self, kind: Kind, number: u32, payload: &[u8]) -> Vec<u8> {
        let byte = match (self, kind) {
            (Self::Bare, _) => return payload.to_vec(),
            (_, Kind::Connect) => 1,
            (Self::Wisp, Kind::Close) => 4,
            (Self::Wasmnet, Kind::Close) => 5,
            (Self::Wasmnet, _) => 4,
            (Self::Wisp, _) => 2,
        };
        let mut packet = vec![byte];
        match self {
            Self::Wasmnet => packet.extend(u64::from(number).to_be_bytes()),
            Self::Bare | Self::Wisp => packet.extend(number.to_le_bytes()),
        }
        packet.extend(payload);
        packet
    }

    /// The number of the stream that a packet with this head belongs to.
    fn number(self, head: &[u8]) -> Result<u32> {
        match self {
            Self::Bare => Ok(0),
            Self::Wisp => Ok(u32::from_le_bytes(head[1..].try_into()?)),
            Self::Wasmnet => Ok(u32::try_from(u64::from_be_bytes(head[1..].try_into()?))?),
        }
    }
}

/// For how long wasmnet may say that a connection stands before it knows the connection itself, and drop what comes.
const BLIND: Duration = Duration::from_micros(200);

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
    /// Whether the relay said that the stream is there, which Wisp's does not.
    connected: bool,
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
            connected: false,
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

    /// Begins the next stream, which is to lead to this address. Wisp does not say when it is there.
    pub(super) fn connect(&mut self, target: SocketAddr) -> Result<()> {
        self.number += 1;
        self.credit = self.window;
        self.connected = false;
        let (port, ip) = (target.port(), target.ip().to_string());
        let payload = match self.framing {
            Framing::Bare => return Ok(()),
            Framing::Wisp => [&[1][..], &port.to_le_bytes(), ip.as_bytes()].concat(),
            Framing::Wasmnet => [&port.to_be_bytes()[..], ip.as_bytes()].concat(),
        };
        let packet = self.framing.packet(Kind::Connect, self.number, &payload);
        self.socket.send(&WebSocket::seal(&packet))?;
        if self.framing == Framing::Wasmnet {
            while !self.connected {
                ensure!(self.packet()?, "the relay does not connect");
            }
            sleep(BLIND);
        }
        Ok(())
    }

    /// Ends the stream, except with wasmnet, whose sessions connect nowhere any more after that.
    pub(super) fn close(&mut self) -> Result<()> {
        if self.framing != Framing::Wisp {
            return Ok(());
        }
        let packet = self.framing.packet(Kind::Close, self.number, &[2]);
        self.socket.send(&WebSocket::seal(&packet))
    }

    /// Reads the next packet up to its data. Says no when it ends the stream.
    fn packet(&mut self) -> Result<bool> {
        let length = self.socket.frame()?;
        let head = self.framing.head();
        if head == 0 {
            self.unread = length;
            return Ok(true);
        }
        let bytes = self.socket.exactly(head)?;
        let (kind, number) = (self.framing.kind(bytes[0])?, self.framing.number(bytes)?);
        match kind {
            Kind::Data if number == self.number => self.unread = length - head,
            Kind::Continue => {
                let left = u32::from_le_bytes(self.socket.exactly(4)?.try_into()?);
                if number == 0 {
                    self.window = left;
                } else if number == self.number {
                    self.credit = left;
                }
            }
            Kind::Connected => self.connected = number == self.number,
            Kind::Close if number == self.number => {
                self.socket.exactly(length - head)?;
                return Ok(false);
            }
            // What is still on its way for a stream that was closed.
            Kind::Data | Kind::Close | Kind::Connect => {
                self.socket.exactly(length - head)?;
            }
        }
        Ok(true)
    }

    /// Waits until a packet may be sent, and counts it.
    fn spend(&mut self) -> Result<()> {
        if self.framing != Framing::Wisp {
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
        WebSocket::seal(&self.framing.packet(Kind::Data, self.number, payload))
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
