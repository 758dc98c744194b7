//! The task of a session: moves bytes between the WebSocket and the process's sockets.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use protocol::{ClientMessage, Frame, LabId, MINOR_VERSION, Refusal, ServerMessage};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

use super::calls::Course;
use super::inbox::{Inbox, Item};
use super::pace::Pace;
use super::roster::{Ending, Entry, Roster};
use super::{Outbox, Ready, Sockets, admission};
use crate::client::Client;
use crate::config::Limits;
use crate::lab::{Labs, shown};
use crate::metrics::{Counted, Metrics};
use crate::socket::Attention;

/// How long the WebSocket may take to be closed in good order.
const FAREWELL: Duration = Duration::from_secs(2);

/// The same when the relay stops and everybody waits for it.
const BRIEF_FAREWELL: Duration = Duration::from_millis(500);

/// How many rounds a session may do before other tasks have their turn.
const ROUNDS: usize = 16;

/// What sessions need to know of the relay.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The labs that processes join.
    pub(crate) labs: Arc<Labs>,
    /// The processes that run.
    pub(crate) roster: Arc<Roster>,
    /// The relay's counts.
    pub(crate) metrics: Metrics,
    /// The most sockets of a process.
    pub(crate) sockets: usize,
    /// After how long without a sign of life a process is ended.
    pub(crate) silence: Duration,
    /// After how long it is pinged.
    pub(crate) ping: Duration,
    /// What strangers may use up.
    pub(crate) limits: Limits,
    /// Cancelled when the relay stops.
    pub(crate) stop: CancellationToken,
}

/// Who opens a process.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The lab that it wants to join.
    pub(crate) lab: LabId,
    /// Where it is.
    pub(crate) client: Client,
    /// How the process is ended from outside.
    pub(super) ending: Ending,
}

impl Caller {
    /// A client that wants to join a lab.
    pub(crate) fn new(lab: LabId, client: Client) -> Self {
        Self {
            lab,
            client,
            ending: Ending::default(),
        }
    }
}

/// How a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// The program ended.
    Goodbye,
    /// The WebSocket was closed or lost.
    Lost,
    /// The relay ended it.
    Refused(Refusal),
}

/// The WebSocket of a process.
#[derive(Debug)]
struct Link {
    stream: TcpStream,
    inbox: Inbox,
    outbox: Outbox,
    /// How many bytes were written and not counted yet.
    written: usize,
}

/// A running process.
#[derive(Debug)]
pub(super) struct Process {
    /// Its sockets.
    pub(super) sockets: Sockets,
    /// Its place in the roster.
    pub(super) entry: Entry,
    /// It counts as long as it runs.
    pub(super) _counted: Counted,
}

#[derive(Debug)]
struct Session {
    settings: Arc<Settings>,
    caller: Caller,
    link: Link,
    ready: Arc<Ready>,
    process: Option<Process>,
    pace: Pace,
    begun: Instant,
    heard: Instant,
    /// When something was last written.
    wrote: Instant,
    /// When the program last did something with its sockets, or they with it.
    active: Instant,
    pinged: Instant,
    timer: Pin<Box<Sleep>>,
    /// Runs while the session pauses.
    pause: Option<Pin<Box<Sleep>>>,
}

/// Serves a process on its WebSocket until it ends. `early` is what was read after the handshake's request.
pub(crate) async fn run(stream: TcpStream, early: &[u8], caller: Caller, settings: Arc<Settings>) {
    let now = Instant::now();
    let hello = settings.limits.hello;
    let mut session = Session {
        timer: Box::pin(tokio::time::sleep_until(
            now + hello.min(settings.silence).min(settings.ping),
        )),
        pause: None,
        pace: Pace::new(settings.limits.rate, now.into_std()),
        settings: Arc::clone(&settings),
        caller,
        link: Link {
            stream,
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            written: 0,
        },
        ready: Arc::default(),
        process: None,
        begun: now,
        heard: now,
        wrote: now,
        active: now,
        pinged: now,
    };
    session.link.inbox.fill(early);
    let ending = session.caller.ending.clone();
    let end = tokio::select! {
        biased;
        end = poll_fn(|context| session.poll(context)) => end,
        reason = ending.requested() => reason.map_or(End::Lost, End::Refused),
        () = settings.stop.cancelled() => End::Refused(Refusal::Shutdown),
    };
    session.finish(end).await;
}

impl Session {
    /// Does everything that can be done now.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        self.ready.register(context.waker());
        if let Poll::Ready(end) = self.watch_clock(context) {
            return Poll::Ready(end);
        }
        for _ in 0..ROUNDS {
            if self.poll_pause(context).is_pending() {
                return Poll::Pending;
            }
            match self.round(context) {
                Ok(Attention::Again) => {}
                Ok(Attention::Later) => {
                    self.link.inbox.rest();
                    return Poll::Pending;
                }
                Err(end) => return Poll::Ready(end),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads once, works through what was read, looks at the ready sockets once, and writes.
    fn round(&mut self, context: &mut Context<'_>) -> Result<Attention, End> {
        let mut read = false;
        if self.link.inbox.is_empty() {
            match self.link.poll_fill(context) {
                Poll::Ready(Ok(0) | Err(_)) => return Err(End::Lost),
                Poll::Ready(Ok(length)) => {
                    self.heard = Instant::now();
                    self.pace.spend(length, self.heard.into_std());
                    read = true;
                }
                Poll::Pending => {}
            }
        }
        self.work()?;
        let attention = match &mut self.process {
            Some(process) => process.sockets.attend(&mut self.link.outbox),
            None => Attention::Later,
        };
        let speaks = self.link.outbox.has_frames();
        let flushed = self.link.poll_flush(context);
        let written = std::mem::take(&mut self.link.written);
        if 0 < written {
            self.wrote = Instant::now();
            self.pace.spend(written, self.wrote.into_std());
            if speaks {
                self.active = self.wrote;
            }
        }
        let more = match flushed {
            // There is room now for whatever had to wait for it.
            Poll::Ready(Ok(())) => {
                read || attention == Attention::Again
                    || !self.link.inbox.is_empty()
                    || self.is_syncing()
            }
            Poll::Ready(Err(_)) => return Err(End::Lost),
            // Sockets wait for room, but what the process sends is still looked at.
            Poll::Pending => read && self.link.inbox.is_empty(),
        };
        Ok(if more {
            Attention::Again
        } else {
            Attention::Later
        })
    }

    fn is_syncing(&self) -> bool {
        self.process
            .as_ref()
            .is_some_and(|process| process.sockets.is_syncing())
    }

    /// Works through what was read, as far as there is room for answers.
    fn work(&mut self) -> Result<(), End> {
        let Link { inbox, outbox, .. } = &mut self.link;
        loop {
            let open = match &self.process {
                Some(process) => process.sockets.is_open(outbox),
                None => outbox.has_room_for_answers(),
            };
            if !open {
                return Ok(());
            }
            let item = inbox.next().map_err(|error| protocol_error(&error))?;
            match (item, &mut self.process) {
                (None, _) => return Ok(()),
                (Some(Item::Close), _) => return Err(End::Lost),
                (Some(Item::Pong), _) => {}
                (Some(Item::Ping(payload)), _) => outbox.pong(payload),
                (Some(Item::Frame(frame)), Some(process)) => {
                    self.active = self.heard;
                    let course = process.sockets.handle(frame, outbox);
                    match course.map_err(|violation| protocol_error(&violation))? {
                        Course::Running => {}
                        Course::Ended => return Err(End::Goodbye),
                    }
                }
                (Some(Item::Frame(Frame::Control(ClientMessage::Hello(hello)))), None) => {
                    let (caller, settings) = (&self.caller, &self.settings);
                    let process = admission::admit(hello, caller, settings, &self.ready, outbox)?;
                    self.process = Some(process);
                }
                (Some(Item::Frame(_)), None) => return Err(End::Refused(Refusal::NoHello)),
            }
        }
    }

    /// Waits while the process has had more than its rate allows.
    fn poll_pause(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.pause.is_none() {
            let latest = self.heard.max(self.wrote);
            let Some(until) = self.pace.pause(latest.into_std()) else {
                return Poll::Ready(());
            };
            self.settings.metrics.paused();
            self.pause = Some(Box::pin(tokio::time::sleep_until(until.into())));
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
            // What was owed is paid by now.
            self.wrote = Instant::now();
        }
        Poll::Ready(())
    }

    /// Pings, and ends what is silent or idle.
    fn watch_clock(&mut self, context: &mut Context<'_>) -> Poll<End> {
        while self.timer.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let Settings { silence, ping, .. } = *self.settings;
            let Limits { hello, idle, .. } = self.settings.limits;
            if self.process.is_none() && self.begun + hello <= now {
                return Poll::Ready(End::Refused(Refusal::NoHello));
            }
            if !idle.is_zero() && self.active + idle <= now {
                return Poll::Ready(End::Refused(Refusal::Idle(whole_seconds(idle))));
            }
            if self.heard + silence <= now {
                let refusal = Refusal::Silent(whole_seconds(silence));
                return Poll::Ready(End::Refused(refusal));
            }
            if self.pinged + ping <= now {
                self.pinged = now;
                self.link.outbox.ping();
            }
            if let Some(process) = &mut self.process {
                process.sockets.expire(now.into_std());
            }
            let mut next = (self.heard + silence).min(self.pinged + ping);
            if self.process.is_none() {
                next = next.min(self.begun + hello);
            }
            if !idle.is_zero() {
                next = next.min(self.active + idle);
            }
            self.timer.as_mut().reset(next);
        }
        Poll::Pending
    }

    /// Closes the WebSocket and what the process had.
    async fn finish(self, end: End) {
        let Self {
            settings,
            mut link,
            ready,
            process,
            caller,
            ..
        } = self;
        match end {
            End::Lost => {}
            End::Refused(refusal) => {
                let listing = process.map(|process| Arc::clone(&process.entry.listing));
                let minor = listing.as_ref().map_or(MINOR_VERSION, |known| known.minor);
                let (host, pid) = listing.map_or((None, None), |known| {
                    (Some(known.host.to_string()), Some(known.pid))
                });
                tracing::info!(lab = shown(&caller.lab), host, pid, %refusal, "a process was ended");
                let refusal = admission::spoken(refusal, minor);
                settings.metrics.refused(&refusal);
                let patience = match refusal {
                    Refusal::Shutdown => BRIEF_FAREWELL,
                    Refusal::NoHello
                    | Refusal::Protocol(_)
                    | Refusal::Full(_)
                    | Refusal::Silent(_)
                    | Refusal::Idle(_)
                    | Refusal::Expired(_)
                    | Refusal::Revoked => FAREWELL,
                };
                let status = status(&refusal);
                link.outbox.message(&ServerMessage::Refused(refusal));
                link.farewell(status, patience).await;
            }
            End::Goodbye => {
                let sockets = process.map(|process| process.sockets);
                let deliver = async {
                    if let Some(mut sockets) = sockets {
                        sockets.close_all();
                        tokio::select! {
                            () = deliver(sockets, &ready) => {}
                            () = settings.stop.cancelled() => {}
                        }
                    }
                };
                tokio::join!(deliver, link.farewell(NORMAL, FAREWELL));
            }
        }
    }
}

/// Waits until the closed sockets of a process have delivered what was sent, or their time is up.
async fn deliver(mut sockets: Sockets, ready: &Ready) {
    let mut nowhere = Outbox::default();
    loop {
        let Some(deadline) = sockets.expire(Instant::now().into_std()) else {
            return;
        };
        let progress = poll_fn(|context| {
            ready.register(context.waker());
            if ready.is_empty() {
                return Poll::Pending;
            }
            sockets.attend(&mut nowhere);
            Poll::Ready(())
        });
        tokio::select! {
            () = progress => {}
            () = tokio::time::sleep_until(deadline.into()) => {}
        }
    }
}

impl Link {
    /// Reads what is there, up to a buffer full.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(self.inbox.room());
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut room))?;
        let length = room.filled().len();
        self.inbox.filled(length);
        Poll::Ready(Ok(length))
    }

    /// Writes everything that waits.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let chunk = self.outbox.chunk();
            if chunk.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let length = ready!(Pin::new(&mut self.stream).poll_write(context, chunk))?;
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outbox.advance(length);
            self.written += length;
        }
    }

    /// Writes what is left and closes the WebSocket, but does not wait long for the other side.
    async fn farewell(mut self, status: u16, patience: Duration) {
        self.outbox.close(status);
        let orderly = async {
            poll_fn(|context| self.poll_flush(context)).await?;
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

/// The status of a WebSocket that has done what it was for (RFC 6455, section 7.4.1).
const NORMAL: u16 = 1000;

/// The WebSocket status that goes with a refusal (RFC 6455, section 7.4.1, and IANA's registry).
fn status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::NoHello | Refusal::Protocol(_) => 1002,
        Refusal::Full(_) => 1013,
        Refusal::Silent(_)
        | Refusal::Shutdown
        | Refusal::Idle(_)
        | Refusal::Expired(_)
        | Refusal::Revoked => 1001,
    }
}

fn protocol_error(error: &impl ToString) -> End {
    End::Refused(Refusal::Protocol(error.to_string()))
}

/// Seconds, rounded up: a time-out is never said to be shorter than it is.
pub(super) fn whole_seconds(duration: Duration) -> u32 {
    let up = u64::from(duration.subsec_nanos() != 0);
    u32::try_from(duration.as_secs() + up).unwrap_or(u32::MAX)
}
