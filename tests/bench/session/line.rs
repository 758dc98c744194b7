//! One connection of a process, within its credit.

use std::{collections::VecDeque, time::Duration};

use anyhow::{Result, ensure};
use protocol::{
    ClientMessage, ReceiveWindow, SendWindow, SocketId,
    frame::{FrameKind, Header},
    limits::MAX_WINDOW,
};

use super::{
    Session,
    wire::{Event, Wire},
};
use crate::{load::WRITE, pipe::Pipe};

/// The only connection of a process over which payload goes at a time.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    session: &'a mut Session,
    socket: SocketId,
    send: SendWindow,
    receive: ReceiveWindow,
    /// How much of the current frame's payload was not read yet.
    unread: usize,
    /// What came while credit was waited for.
    early: VecDeque<u8>,
    /// The message that was last sent by [`Pipe::put`], with the length of its payload.
    parcel: (usize, Vec<u8>),
}

impl<'a> Line<'a> {
    /// Takes over a connection that has carried nothing yet.
    pub(crate) fn new(session: &'a mut Session, socket: SocketId) -> Self {
        Self {
            session,
            socket,
            send: SendWindow::default(),
            receive: ReceiveWindow::default(),
            unread: 0,
            early: VecDeque::new(),
            parcel: (0, Vec::new()),
        }
    }

    /// Closes it.
    pub(crate) fn close(self) -> Result<()> {
        self.session.close(self.socket);
        self.session.flush()
    }

    /// Waits until this many bytes may be sent, and counts them.
    fn spend(&mut self, length: usize) -> Result<()> {
        loop {
            if let Some(limit) = self.session.credit.remove(&self.socket) {
                self.send.grant(limit);
            }
            if length as u64 <= self.send.available() {
                return Ok(self.send.spend(length as u64)?);
            }
            match self.session.wire.event()? {
                Event::Message(message) => self.session.take(message)?,
                // A message of the relay's is read to its end before the next.
                Event::Payload(_, length) => {
                    self.receive.receive(length as u64)?;
                    self.keep(length)?;
                }
            }
        }
    }

    /// Keeps what came while nobody was reading, within what was granted.
    fn keep(&mut self, length: usize) -> Result<()> {
        let mut left = length;
        while 0 < left {
            let piece = self.session.wire.payload(left)?;
            self.early.extend(piece);
            left -= piece.len();
        }
        Ok(())
    }

    fn frame(&self, payload: &[u8]) -> Vec<u8> {
        let header = Header {
            kind: FrameKind::Stream,
            length: payload.len(),
            socket: self.socket,
        };
        [&header.encode()[..], payload].concat()
    }

    /// Waits for payload. Says whether there is some: not when the peer has finished.
    fn wait(&mut self) -> Result<bool> {
        while self.unread == 0 {
            if self.session.finished == Some(self.socket) {
                return Ok(false);
            }
            match self.session.wire.event()? {
                Event::Message(message) => self.session.take(message)?,
                Event::Payload(_, length) => {
                    self.receive.receive(length as u64)?;
                    self.unread = length;
                }
            }
        }
        Ok(true)
    }

    /// Notes that this much was read, and grants as much again when it is time.
    fn consumed(&mut self, length: usize) -> Result<()> {
        self.receive.consume(length as u64);
        if let Some(limit) = self.receive.renew(MAX_WINDOW) {
            let socket = self.socket;
            self.session.say(&ClientMessage::Credit { socket, limit });
            self.session.flush()?;
        }
        Ok(())
    }
}

impl Pipe for Line<'_> {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.spend(bytes.len())?;
        let frame = self.frame(bytes);
        self.session.wire.send(&frame)
    }

    fn put(&mut self, length: usize) -> Result<()> {
        self.spend(length)?;
        if self.parcel.0 != length {
            self.parcel = (length, Wire::seal(&self.frame(&vec![0; length])));
        }
        self.session.wire.send_sealed(&self.parcel.1)
    }

    fn receive(&mut self, bytes: &mut [u8]) -> Result<bool> {
        let mut filled = self.early.len().min(bytes.len());
        for (byte, early) in bytes.iter_mut().zip(self.early.drain(..filled)) {
            *byte = early;
        }
        self.consumed(filled)?;
        while filled < bytes.len() {
            if !self.wait()? {
                return Ok(false);
            }
            let most = self.unread.min(bytes.len() - filled);
            let piece = self.session.wire.payload(most)?;
            let length = piece.len();
            bytes[filled..filled + length].copy_from_slice(piece);
            filled += length;
            self.unread -= length;
            self.consumed(length)?;
        }
        Ok(true)
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        let mut left = usize::try_from(length)?;
        let early = left.min(self.early.len());
        self.early.drain(..early);
        self.consumed(early)?;
        left -= early;
        while 0 < left {
            ensure!(self.wait()?, "the peer has finished");
            let most = self.unread.min(left);
            let length = self.session.wire.payload(most)?.len();
            left -= length;
            self.unread -= length;
            self.consumed(length)?;
        }
        Ok(())
    }

    fn fill(&mut self, most: u64, patience: Duration) -> Result<u64> {
        self.session.wire.patience(Some(patience))?;
        let mut sent = 0;
        // It ends when no credit comes for so long.
        while sent < most && self.put(WRITE).is_ok() {
            sent += WRITE as u64;
        }
        self.session.wire.patience(None)?;
        Ok(sent)
    }
}
