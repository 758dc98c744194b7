//! What a socket and its session have to do with each other.

use crate::metrics::Metrics;
use crate::session::{Budget, Outbox};

/// What a socket needs of its session to do something.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    /// Where answers and payload for the process go.
    pub(crate) outbox: &'a mut Outbox,
    /// What the sockets share.
    pub(crate) budget: &'a mut Budget,
    /// The relay's counts.
    pub(crate) metrics: &'a Metrics,
}

/// The process broke a rule of the protocol. The text says which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Violation(pub(crate) String);

/// Whether a socket has more to do that only needs another turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attention {
    /// Not before its waker says so.
    Later,
    /// As soon as there is room.
    Again,
}
