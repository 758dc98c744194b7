//! What is known of a host's link, and what a network says that has no links.

use serde::Serialize;
use utoipa::ToSchema;

use super::switch::conditions::Conditions;
use super::switch::counts::PortCounts;

/// A host's link to its lab's switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Link {
    /// How good or bad it is, as it was set last.
    pub conditions: Conditions,
    /// What has happened on it.
    pub counts: PortCounts,
}

/// The network is one without links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this network has no links: its hosts share one machine's loopback; \
     start the relay with --network namespaces to give every host a cable of its own"
)]
pub struct NoLinks;
