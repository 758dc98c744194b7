//! The task of a session: moves bytes between the process's connection and its sockets.
//!
//! A session outlives its connections: when one is lost without a close, the task waits for the next ([`absence`]), which
//! comes in elsewhere ([`door`]).
//!
//! [`absence`]: super::absence
//! [`door`]: super::door

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use protocol::event::Watch;
use protocol::{ClientMessage, Frame, Hello, LEFT_STATUS, Progress, Refusal, ServerMessage};
use tokio::time::{Instant, Sleep};
use tracing::Instrument as _;

use super::calls::Course;
use super::inbox::Item;
use super::link::{Health, Link};
use super::roster::{Arrival, Entry, ResumeFailure};
use super::{Caller, Outbox, Ready, Settings, Sockets, admission};
use crate::metrics::Counted;
use crate::pace::Pace;
use crate::socket::Attention;

/// How many rounds a session may do before other tasks have their turn.
pub(super) const ROUNDS: usize = 16;

/// How a session ended, or its connection.
#[derive(Debug)]
pub(super) enum End {
    /// The program ended.
    Goodbye,
    /// The WebSocket was closed.
    Closed,
    /// The connection was lost.
    Lost,
    /// The process was killed from outside.
    Killed,
    /// It did not come back in time.
    Late,
    /// It has come on another connection.
    Moved(Box<Arrival>),
    /// The relay ended it.
    Refused(Refusal),
}

/// A running process.
#[derive(Debug)]
pub(super) struct Process {
    /// Its sockets.
    pub(super) sockets: Sockets,
    /// Its place in the roster.
    pub(super) entry: Entry,
    /// What it was told last of being watched.
    pub(super) watch: Watch,
    /// Counts it.
    pub(super) _counted: Counted,
}

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    /// What it knows of the relay.
    pub(super) settings: Arc<Settings>,
    /// Whose it is.
    pub(super) process: Process,
    /// What the process is to be sent.
    pub(super) outbox: Outbox,
    /// Which sockets want attention.
    pub(super) ready: Arc<Ready>,
    /// How far what the process sends has been worked through.
    progress: Progress,
    /// How long the process may take to come back; none if it cannot.
    grace: Option<Duration>,
    pace: Pace,
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

/// Serves a process that has just said hello, until it ends.
pub(super) async fn run(
    hello: Hello,
    caller: Caller,
    settings: Arc<Settings>,
    link: Link,
    mut outbox: Outbox,
) {
    let ready = Arc::default();
    let admitted = admission::admit(hello, &caller, &settings, &ready, &mut outbox);
    let (process, grace) = match admitted.await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            tracing::info!(%refusal, "a process was not let in");
            settings.metrics.refused(&refusal);
            return link.refuse(outbox, refusal).await;
        }
    };
    let now = Instant::now();
    let mut session = Session {
        timer: Box::pin(tokio::time::sleep_until(
            now + settings.silence.min(settings.ping),
        )),
        pause: None,
        pace: Pace::new(settings.limits.rate, now.into_std()),
        settings,
        process,
        outbox,
        ready,
        progress: Progress::default(),
        grace,
        heard: now,
        wrote: now,
        active: now,
        pinged: now,
    };
    // Whatever is logged on behalf of the process says which it is; the connection's span, around this one, says the lab.
    let listing = &session.process.entry.listing;
    let span = tracing::error_span!("process", host = %listing.host, pid = listing.pid);
    let life = async move {
        tracing::debug!("a process began");
        let (link, end) = session.live(link).await;
        session.finish(link, end).await;
    };
    life.instrument(span).await;
}

impl Session {
    /// Goes on over as many connections as it takes. Also says on which one it ended, if there was one.
    async fn live(&mut self, mut link: Link) -> (Option<Link>, End) {
        loop {
            let arrival = match (self.serve(&mut link).await, self.grace) {
                (End::Moved(arrival), _) => *arrival,
                (End::Lost, Some(grace)) => {
                    drop(link);
                    match self.wait_for_return(grace).await {
                        Ok(arrival) => arrival,
                        Err(end) => return (None, end),
                    }
                }
                (end, _) => return (Some(link), end),
            };
            link = arrival.link;
            if let Err(end) = self.resume(arrival.received) {
                return (Some(link), end);
            }
        }
    }

    /// Works until the connection or the session comes to an end.
    async fn serve(&mut self, link: &mut Link) -> End {
        let listing = Arc::clone(&self.process.entry.listing);
        let stop = self.settings.stop.clone();
        tokio::select! {
            biased;
            end = poll_fn(|context| self.poll(link, context)) => end,
            reason = listing.ending.requested() => reason.map_or(End::Killed, End::Refused),
            arrival = listing.seat.arrival() => End::Moved(Box::new(arrival)),
            () = stop.cancelled() => End::Refused(Refusal::Shutdown),
        }
    }

    /// The process is back: goes on after what it has received, and says what the relay has.
    fn resume(&mut self, received: u64) -> Result<(), End> {
        self.outbox.cut();
        if let Err(error) = self.outbox.resume(received) {
            // Nothing that was to be sent makes sense to this process.
            self.outbox = Outbox::default();
            return Err(protocol_error(&error));
        }
        let received = self.progress.acknowledge();
        self.outbox.greet(&[ServerMessage::Resumed { received }]);
        let now = Instant::now();
        (self.heard, self.pinged) = (now, now);
        let Settings { silence, ping, .. } = *self.settings;
        self.timer.as_mut().reset(now + silence.min(ping));
        self.settings.metrics.resumed();
        tracing::debug!("a process is back");
        Ok(())
    }

    /// Does everything that can be done now.
    fn poll(&mut self, link: &mut Link, context: &mut Context<'_>) -> Poll<End> {
        self.ready.register(context.waker());
        if let Poll::Ready(end) = self.watch_clock(context) {
            return Poll::Ready(end);
        }
        admission::look_up(&mut self.process, &mut self.outbox);
        for _ in 0..ROUNDS {
            if self.poll_pause(context).is_pending() {
                return Poll::Pending;
            }
            match self.round(link, context) {
                Ok(Attention::Again) => {}
                Ok(Attention::Later) => {
                    link.inbox.rest();
                    return Poll::Pending;
                }
                Err(end) => return Poll::Ready(end),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads once, works through what was read, looks at the ready sockets once, and writes.
    fn round(&mut self, link: &mut Link, context: &mut Context<'_>) -> Result<Attention, End> {
        let mut read = false;
        if link.inbox.is_empty() {
            match (link.poll_fill(context), link.health) {
                (Poll::Ready(Ok(0) | Err(_)), _) | (Poll::Pending, Health::Deaf) => {
                    return Err(End::Lost);
                }
                (Poll::Ready(Ok(length)), _) => {
                    self.heard = Instant::now();
                    self.pace.spend(length, self.heard.into_std());
                    read = true;
                }
                (Poll::Pending, Health::Whole) => {}
            }
        }
        self.work(link)?;
        if link.health == Health::Deaf {
            // What finds no room for an answer is not taken; the process sends it again.
            return match link.inbox.is_empty() {
                true => Ok(Attention::Again),
                false => Err(End::Lost),
            };
        }
        let attention = self.process.sockets.attend(&mut self.outbox);
        let speaks = self.outbox.has_frames();
        let flushed = link.poll_flush(&mut self.outbox, context);
        let written = std::mem::take(&mut link.written);
        if 0 < written {
            self.wrote = Instant::now();
            self.pace.spend(written, self.wrote.into_std());
            if speaks {
                self.active = self.wrote;
            }
        }
        let more = match flushed {
            // There is room now for whatever had to wait for it, but not for what waits for an acknowledgement.
            Poll::Ready(Ok(())) => {
                read || attention == Attention::Again && !self.outbox.is_owed()
                    || !link.inbox.is_empty()
                    || self.process.sockets.is_syncing()
            }
            Poll::Ready(Err(_)) => {
                // Whether the process has closed the connection or lost it shows in what it said last.
                link.health = Health::Deaf;
                self.outbox.cut();
                true
            }
            // Sockets wait for room, but what the process sends is still looked at.
            Poll::Pending => read && link.inbox.is_empty(),
        };
        Ok(if more {
            Attention::Again
        } else {
            Attention::Later
        })
    }

    /// Works through what was read, as far as there is room for answers.
    fn work(&mut self, link: &mut Link) -> Result<(), End> {
        let (sockets, outbox) = (&mut self.process.sockets, &mut self.outbox);
        loop {
            if !sockets.is_open(outbox) {
                return Ok(());
            }
            let item = link.inbox.next().map_err(|error| protocol_error(&error))?;
            match item {
                None => return Ok(()),
                Some(Item::Close(Some(LEFT_STATUS))) => return Err(End::Lost),
                Some(Item::Close(_)) => return Err(End::Closed),
                Some(Item::Pong) => {}
                Some(Item::Ping(payload)) => outbox.pong(payload),
                Some(Item::Frame(Frame::Control(ClientMessage::Ack { received }), _)) => outbox
                    .acknowledged(received)
                    .map_err(|error| protocol_error(&error))?,
                Some(Item::Frame(frame, length)) => {
                    self.active = self.heard;
                    self.progress.take(length);
                    let course = sockets.handle(frame, outbox);
                    match course.map_err(|violation| protocol_error(&violation))? {
                        Course::Running => {}
                        Course::Ended => return Err(End::Goodbye),
                    }
                    if outbox.is_exceeded() {
                        return Err(protocol_error(&"far too little was acknowledged"));
                    }
                    if self.progress.is_due() && self.grace.is_some() {
                        outbox.ack(self.progress.acknowledge());
                    }
                }
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

    /// Pings, gives up a connection that is silent, and ends a process that is idle.
    fn watch_clock(&mut self, context: &mut Context<'_>) -> Poll<End> {
        while self.timer.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let Settings { silence, ping, .. } = *self.settings;
            let idle = self.settings.limits.idle;
            if !idle.is_zero() && self.active + idle <= now {
                return Poll::Ready(End::Refused(Refusal::Idle(whole_seconds(idle))));
            }
            if self.heard + silence <= now {
                return Poll::Ready(match self.grace {
                    Some(_) => End::Lost,
                    None => End::Refused(Refusal::Silent(whole_seconds(silence))),
                });
            }
            if self.pinged + ping <= now {
                self.pinged = now;
                self.outbox.ping();
                if self.grace.is_some() {
                    self.outbox.ack(self.progress.acknowledge());
                }
            }
            self.process.sockets.expire(now.into_std());
            let mut next = (self.heard + silence).min(self.pinged + ping);
            if !idle.is_zero() {
                next = next.min(self.active + idle);
            }
            self.timer.as_mut().reset(next);
        }
        Poll::Pending
    }

    /// Closes the connection, if there is one, and what the process had.
    async fn finish(self, link: Option<Link>, end: End) {
        let Self {
            settings,
            process,
            outbox,
            ready,
            ..
        } = self;
        let listing = Arc::clone(&process.entry.listing);
        let reason = match &end {
            End::Refused(refusal) => Some(refusal.to_string()),
            End::Late => Some(String::from(
                "its connection was lost, and it did not come back in time",
            )),
            End::Goodbye | End::Closed | End::Lost | End::Killed | End::Moved(_) => None,
        };
        process.sockets.tap().exited(reason);
        match end {
            End::Closed | End::Lost | End::Killed | End::Moved(_) => {}
            End::Late => {
                tracing::info!("a process did not come back in time");
                settings.metrics.resume_failed(ResumeFailure::Late);
            }
            End::Refused(refusal) => {
                drop(process);
                tracing::info!(%refusal, "a process was ended");
                let refusal = admission::spoken(refusal, listing.minor);
                settings.metrics.refused(&refusal);
                if let Some(link) = link {
                    link.refuse(outbox, refusal).await;
                }
            }
            End::Goodbye => {
                let Process { mut sockets, .. } = process;
                let deliver = async {
                    sockets.close_all();
                    tokio::select! {
                        () = deliver(sockets, &ready) => {}
                        () = settings.stop.cancelled() => {}
                    }
                };
                let part = async {
                    if let Some(link) = link {
                        link.part(outbox).await;
                    }
                };
                tokio::join!(deliver, part);
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

/// The end of a process that broke the protocol.
pub(super) fn protocol_error(error: &impl ToString) -> End {
    End::Refused(Refusal::Protocol(error.to_string()))
}

/// Seconds, rounded up: a time-out is never said to be shorter than it is.
pub(super) fn whole_seconds(duration: Duration) -> u32 {
    let up = u64::from(duration.subsec_nanos() != 0);
    u32::try_from(duration.as_secs() + up).unwrap_or(u32::MAX)
}
