//! A lab's record as a file that grows with it.
//!
//! A task reads the record at the pace of whoever follows it, and hands on one bounded piece after the other. What is
//! written faster is skipped with a count, so nobody holds the record up.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Bytes, HttpBody};
use hyper::body::Frame;
use protocol::HostName;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::capture::pcapng::Live;
use crate::capture::{Again, Capture, Pace, Start, Subscriber};
use crate::lab::{Commons, Viewing};
use crate::session::Settings;

/// How much the relay holds for one who follows, in bytes: a piece that is being made, one that waits, and one on its way,
/// each of 64 KiB and a frame that is cut by nothing.
pub(super) const ROOM: u64 = 3 * (128 << 10);

/// How far behind a reader may fall: as much as a record has entries.
const BEHIND: NonZeroU32 = NonZeroU32::MIN.saturating_add((32 << 10) - 1);

/// How long news is gathered before it is handed on, so that what becomes of a frame mostly stands beside it.
const GATHER: Duration = Duration::from_millis(15);

/// What is followed, by whom, and what that may take.
#[derive(Debug)]
pub(super) struct Following {
    capture: Capture,
    viewing: Viewing,
    settings: Arc<Settings>,
}

/// What a lab makes the relay hold for one who follows.
#[derive(Debug)]
struct Room(Arc<Commons>);

impl Drop for Room {
    fn drop(&mut self) {
        self.0.pool.give(ROOM);
    }
}

/// The file, piece by piece, as the task makes it.
#[derive(Debug)]
pub(super) struct Growing(Receiver<Bytes>);

impl Following {
    /// Prepares to follow a lab's record.
    pub(super) fn new(capture: Capture, viewing: Viewing, settings: &Arc<Settings>) -> Self {
        Self {
            capture,
            viewing,
            settings: Arc::clone(settings),
        }
    }

    /// The file, and the task that makes it, until the lab ends, the relay stops, or nobody reads any more. None if the
    /// lab makes the relay hold as much as it may already.
    pub(super) fn start(self) -> Option<(Growing, impl Future<Output = ()> + Send)> {
        let commons = self.viewing.commons();
        let room = commons.pool.take(ROOM).then(|| Room(Arc::clone(commons)))?;
        let (pieces, growing) = mpsc::channel(1);
        let task = async move {
            let _counted = self.settings.metrics.count_viewer();
            let _room = room;
            // It ended because nobody reads it, or said all that there was to be said.
            let _ = self.write(&pieces).await;
        };
        Some((Growing(growing), task))
    }

    async fn write(&self, pieces: &Sender<Bytes>) -> Result<(), Gone> {
        let rate = u32::try_from(self.settings.limits.events).unwrap_or(u32::MAX);
        let pace = Pace {
            per_second: NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN),
            burst: BEHIND,
        };
        let mut reader = self.capture.subscribe(Start::Oldest, pace);
        let mut file = Live::new(self.capture.anchor(), self.capture.snap());
        let mut piece = file.begin(reader.place());
        piece.extend(file.name(self.names()));
        self.hand_on(pieces, piece).await?;
        loop {
            // What was written before the lab ended is read to its end.
            let is_over = self.viewing.commons().events.is_closed();
            let portion = reader.read(Instant::now());
            let mut piece = Vec::new();
            if file.meets(&portion) {
                piece.extend(file.name(self.names()));
            }
            piece.extend(file.write(&portion));
            if !piece.is_empty() {
                self.hand_on(pieces, piece).await?;
            }
            match portion.again {
                Again::Now => {}
                Again::WhenWritten if is_over => return Ok(()),
                again => tokio::select! {
                    () = self.settings.stop.cancelled() => return Ok(()),
                    () = pieces.closed() => return Err(Gone),
                    () = self.viewing.commons().events.until_closed(), if !is_over => {}
                    () = more(&mut reader, again) => {}
                    () = tokio::time::sleep(self.settings.ping) => {
                        self.hand_on(pieces, file.idle()).await?;
                    }
                },
            }
        }
    }

    /// Hands a piece on. Whoever takes none for a while is gone, as for every other connection.
    async fn hand_on(&self, pieces: &Sender<Bytes>, piece: Vec<u8>) -> Result<(), Gone> {
        let sent = pieces.send(piece.into_boxed_slice().into());
        tokio::select! {
            sent = tokio::time::timeout(self.settings.silence, sent) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(Gone),
            },
            () = self.settings.stop.cancelled() => Err(Gone),
        }
    }

    /// The addresses of the lab's hosts.
    fn names(&self) -> Vec<(IpAddr, HostName)> {
        let overview = self.settings.labs.look(&self.viewing.commons().id);
        overview.map_or_else(Vec::new, |overview| super::names(overview.hosts))
    }
}

/// Nobody reads any more.
#[derive(Clone, Copy, Debug)]
struct Gone;

/// Waits until there is more to read, and may be read.
async fn more(reader: &mut Subscriber, again: Again) {
    match again {
        Again::Now => {}
        Again::At(instant) => tokio::time::sleep_until(instant.into()).await,
        Again::WhenWritten => {
            reader.more().await;
            tokio::time::sleep(GATHER).await;
        }
    }
}

impl HttpBody for Growing {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}
