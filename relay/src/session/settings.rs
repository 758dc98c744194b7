//! What a session is given: by the relay, and by the client that opens it.

use std::sync::Arc;
use std::time::Duration;

use protocol::LabId;
use tokio_util::sync::CancellationToken;

use super::roster::{Ending, Roster};
use crate::client::Client;
use crate::config::Limits;
use crate::lab::Labs;
use crate::metrics::Metrics;

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
    /// After how long without a sign of life a connection is lost.
    pub(crate) silence: Duration,
    /// After how long it is pinged.
    pub(crate) ping: Duration,
    /// What strangers may use up.
    pub(crate) limits: Limits,
    /// How long a process may take to come back after its connection was lost; zero if it may not.
    pub(crate) grace: Duration,
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
