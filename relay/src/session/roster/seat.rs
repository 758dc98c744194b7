//! Where a process comes back after its connection was lost.

use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::Token;
use tokio::sync::Notify;

use super::super::link::Link;
use super::ResumeFailure;

/// A process that comes back.
#[derive(Debug)]
pub(in super::super) struct Arrival {
    /// On this connection.
    pub(in super::super) link: Link,
    /// It has received so many bytes of the session's frames.
    pub(in super::super) received: u64,
}

/// The connections that want to become a process's own.
#[derive(Debug, Default)]
struct Arrivals {
    /// The number of the latest attempt.
    latest: u32,
    /// Its connection, if the session has not taken it yet.
    waiting: Option<Arrival>,
}

/// Where a process comes back.
#[derive(Debug)]
pub(in super::super) struct Seat {
    /// What a connection must show to become the process's own; none if it cannot resume.
    token: Option<Token>,
    arrivals: Mutex<Arrivals>,
    arrived: Notify,
}

impl Seat {
    /// That of a process, which can resume its session if it has a token.
    pub(in super::super) fn new(token: Option<Token>) -> Self {
        Self {
            token,
            arrivals: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    /// Whether a connection may become the process's own.
    pub(super) fn check(&self, token: Token) -> Result<(), ResumeFailure> {
        match &self.token {
            Some(known) if *known == token => Ok(()),
            Some(_) => Err(ResumeFailure::Token),
            None => Err(ResumeFailure::Unknown),
        }
    }

    /// A connection of the process has come. It takes the place of one that waits, unless that is of a later attempt:
    /// connections overtake each other.
    pub(in super::super) fn come(&self, attempt: u32, arrival: Arrival) {
        let mut arrivals = self.lock();
        if arrivals.latest < attempt {
            arrivals.latest = attempt;
            arrivals.waiting = Some(arrival);
            self.arrived.notify_one();
        }
    }

    /// Waits until a connection has come.
    pub(in super::super) async fn arrival(&self) -> Arrival {
        loop {
            if let Some(arrival) = self.lock().waiting.take() {
                return arrival;
            }
            self.arrived.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
