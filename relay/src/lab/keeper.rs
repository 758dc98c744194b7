//! The task that removes what nobody needs any more, and ends labs whose time is up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::Refusal;
use tokio_util::sync::CancellationToken;

use super::Labs;
use crate::session::Roster;

/// When to look again if nothing has to be done before.
const LATER: Duration = Duration::from_secs(3600);

/// Keeps the labs until the relay stops.
pub(crate) async fn keep(labs: Arc<Labs>, roster: Arc<Roster>, stop: CancellationToken) {
    loop {
        // Asked for before looking, so that nothing that happens meanwhile is missed.
        let changed = labs.changed();
        let swept = labs.sweep(Instant::now());
        for lab in swept.expired {
            roster.end(&lab, &Refusal::Expired(labs.lab_life_seconds()));
        }
        let next = swept.next.unwrap_or_else(|| Instant::now() + LATER);
        tokio::select! {
            () = stop.cancelled() => return,
            () = changed => {}
            () = tokio::time::sleep_until(next.into()) => {}
        }
    }
}
