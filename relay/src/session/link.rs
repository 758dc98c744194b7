//! One connection of a process: its WebSocket and what came in on it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use protocol::{Refusal, ServerMessage};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::Outbox;
use super::inbox::Inbox;
use crate::listen::Place;

/// How long the WebSocket may take to be closed in good order.
const FAREWELL: Duration = Duration::from_secs(2);

/// The same when the relay stops and everybody waits for it.
const BRIEF_FAREWELL: Duration = Duration::from_millis(500);

/// The status of a WebSocket that has done what it was for (RFC 6455, section 7.4.1).
const NORMAL: u16 = 1000;

/// Which ways of a connection still work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Both.
    Whole,
    /// Nothing can be written any more. What the process sent last may still be there to be read.
    Deaf,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Link {
    stream: TcpStream,
    /// What was read from it.
    pub(super) inbox: Inbox,
    /// Which ways still work.
    pub(super) health: Health,
    /// How many bytes were written and not counted yet.
    pub(super) written: usize,
    /// Its place among those that are allowed.
    _place: Place,
}

impl Link {
    /// A connection that has become a WebSocket. `early` is what was read after the handshake's request.
    pub(super) fn new(stream: TcpStream, early: &[u8], place: Place) -> Self {
        let mut inbox = Inbox::default();
        inbox.fill(early);
        Self {
            stream,
            inbox,
            health: Health::Whole,
            written: 0,
            _place: place,
        }
    }

    /// Reads what is there, up to a buffer full.
    pub(super) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(self.inbox.room());
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut room))?;
        let length = room.filled().len();
        self.inbox.filled(length);
        Poll::Ready(Ok(length))
    }

    /// Writes everything that waits.
    pub(super) fn poll_flush(
        &mut self,
        outbox: &mut Outbox,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let chunk = outbox.chunk();
            if chunk.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let length = ready!(Pin::new(&mut self.stream).poll_write(context, chunk))?;
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            outbox.advance(length);
            self.written += length;
        }
    }

    /// Tells the process why it was ended, and closes the WebSocket.
    pub(super) async fn refuse(self, mut outbox: Outbox, refusal: Refusal) {
        let patience = match refusal {
            Refusal::Shutdown => BRIEF_FAREWELL,
            Refusal::NoHello
            | Refusal::Protocol(_)
            | Refusal::Full(_)
            | Refusal::Silent(_)
            | Refusal::Idle(_)
            | Refusal::Expired(_)
            | Refusal::Revoked
            | Refusal::Gone => FAREWELL,
        };
        let status = status(&refusal);
        outbox.message(&ServerMessage::Refused(refusal));
        self.farewell(outbox, status, patience).await;
    }

    /// Closes the WebSocket of a process that has said goodbye.
    pub(super) async fn part(self, outbox: Outbox) {
        self.farewell(outbox, NORMAL, FAREWELL).await;
    }

    /// Writes what is left and closes the WebSocket, but does not wait long for the other side.
    async fn farewell(mut self, mut outbox: Outbox, status: u16, patience: Duration) {
        outbox.close(status);
        let orderly = async {
            std::future::poll_fn(|context| self.poll_flush(&mut outbox, context)).await?;
            self.stream.shutdown().await?;
            // Closing with something unread would reset the connection, and what was just written might be lost.
            let mut unread = [0; 1024];
            loop {
                self.stream.readable().await?;
                match self.stream.try_read(&mut unread) {
                    Ok(0) => return Ok(()),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        };
        let orderly: Result<io::Result<()>, _> = tokio::time::timeout(patience, orderly).await;
        if !matches!(orderly, Ok(Ok(()))) {
            tracing::debug!("a WebSocket was not closed in good order");
        }
    }
}

/// The WebSocket status that goes with a refusal (RFC 6455, section 7.4.1, and IANA's registry).
fn status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::NoHello | Refusal::Protocol(_) => 1002,
        Refusal::Full(_) => 1013,
        Refusal::Silent(_)
        | Refusal::Shutdown
        | Refusal::Idle(_)
        | Refusal::Expired(_)
        | Refusal::Revoked
        | Refusal::Gone => 1001,
    }
}
