//! Two connections of one process: messages to and fro on one while the other brings many bytes.

use anyhow::Result;
use protocol::{
    ClientMessage, ReceiveWindow, SocketId,
    frame::{FrameKind, Header},
    limits::MAX_WINDOW,
};

use super::{Session, wire::Event};

/// Both connections.
#[derive(Debug)]
pub(crate) struct Duo<'a> {
    session: &'a mut Session,
    talk: SocketId,
    bulk: SocketId,
    windows: [ReceiveWindow; 2],
}

impl<'a> Duo<'a> {
    /// Takes over two connections that have carried nothing yet.
    pub(crate) fn new(session: &'a mut Session, talk: SocketId, bulk: SocketId) -> Self {
        Self {
            session,
            talk,
            bulk,
            windows: [ReceiveWindow::default(), ReceiveWindow::default()],
        }
    }

    /// Asks for something on the second connection. The relay must not have to grant credit for it.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Result<()> {
        self.send(self.bulk, request)
    }

    /// Sends a message on the first connection, and reads everything until as many bytes have come back there.
    pub(crate) fn echo(&mut self, message: &[u8], back: usize) -> Result<()> {
        self.send(self.talk, message)?;
        let mut left = back;
        while 0 < left {
            left -= self.next()?;
        }
        Ok(())
    }

    /// Reads the next message or payload, and says how much of it was of the first connection.
    fn next(&mut self) -> Result<usize> {
        let (socket, length) = match self.session.wire.event()? {
            Event::Message(message) => {
                self.session.take(message)?;
                return Ok(0);
            }
            Event::Payload(socket, length) => (socket, length),
        };
        let mut left = length;
        while 0 < left {
            left -= self.session.wire.payload(left)?.len();
        }
        let is_talk = socket == self.talk;
        let window = &mut self.windows[usize::from(is_talk)];
        window.receive(length as u64)?;
        window.consume(length as u64);
        if let Some(limit) = window.renew(MAX_WINDOW) {
            self.session.say(&ClientMessage::Credit { socket, limit });
            self.session.flush()?;
        }
        Ok(if is_talk { length } else { 0 })
    }

    fn send(&mut self, socket: SocketId, payload: &[u8]) -> Result<()> {
        let header = Header {
            kind: FrameKind::Stream,
            length: payload.len(),
            socket,
        };
        let frame = [&header.encode()[..], payload].concat();
        self.session.wire.send(&frame)
    }

    /// Closes both, whatever is still to come. The session cannot be used after that.
    pub(crate) fn break_off(self) -> Result<()> {
        for socket in [self.talk, self.bulk] {
            self.session.say(&ClientMessage::Abort { socket });
        }
        self.session.flush()
    }
}
