//! The time between two connections of a session.
//!
//! The sockets stay as they are: what was sent is delivered, peers may connect and send, and the process is told when it
//! is back. Nothing that it is to be sent leaves, so little is read for it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use protocol::Refusal;

use super::roster::Arrival;
use super::turn::{End, Process, ROUNDS, Session};
use crate::socket::Attention;

impl Session {
    /// Waits for the process to come back, or for another end.
    pub(super) async fn wait_for_return(&mut self, grace: Duration) -> Result<Arrival, End> {
        self.outbox.cut();
        let _waiting = self.settings.metrics.count_waiting();
        let listing = Arc::clone(&self.process.entry.listing);
        let stop = self.settings.stop.clone();
        tracing::debug!("a process lost its connection");
        tokio::select! {
            biased;
            reason = listing.ending.requested() => Err(reason.map_or(End::Killed, End::Refused)),
            () = stop.cancelled() => Err(End::Refused(Refusal::Shutdown)),
            arrival = listing.seat.arrival() => Ok(arrival),
            () = tokio::time::sleep(grace) => Err(End::Late),
            never = poll_fn(|context| self.poll_waiting(context)) => match never {},
        }
    }

    /// Looks at the sockets that are ready, as long as there is room for what comes of it.
    fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<Infallible> {
        self.ready.register(context.waker());
        let Process { entry, sockets, .. } = &self.process;
        entry.listing.questions.answer(sockets);
        for _ in 0..ROUNDS {
            let attention = self.process.sockets.attend(&mut self.outbox);
            if attention == Attention::Later || !self.outbox.has_room_for_any_payload() {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
