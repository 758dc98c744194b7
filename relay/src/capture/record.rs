//! What is written down about a lab's network.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::HostName;
use serde::{Serialize, Serializer};

use crate::network::switch::Side;
use crate::network::switch::counts::Fate;

/// A card of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interface {
    /// The host.
    pub host: HostName,
    /// Which of its cards.
    pub device: Device,
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.device)
    }
}

impl Serialize for Interface {
    /// As it is written for people: `bob:eth0`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The cards that a host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Device {
    /// The one whose cable leads to the switch.
    Ethernet,
    /// The one that leads to the host itself.
    Loopback,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ethernet => "eth0",
            Self::Loopback => "lo",
        })
    }
}

/// Which way a frame goes, as the host sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The host receives it.
    In,
    /// The host sends it.
    Out,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number: one more than that of the entry before.
    pub number: u64,
    /// When it was written, since the record's anchor.
    pub at: Duration,
    /// What it says.
    pub what: What,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A card sent or received a frame.
    Frame {
        /// The card.
        interface: Arc<Interface>,
        /// Which way.
        direction: Direction,
        /// How long the frame is.
        length: usize,
        /// As much of it as is kept.
        bytes: Vec<u8>,
    },
    /// Something became of a frame.
    Fate {
        /// The number of the frame's entry.
        frame: u64,
        /// The card at whose cable it happened.
        interface: Arc<Interface>,
        /// In which direction of that cable.
        side: Side,
        /// What happened.
        outcome: Outcome,
    },
    /// Frames of a card were left out, because there were too many.
    LeftOut {
        /// The card.
        interface: Arc<Interface>,
        /// How many.
        count: u64,
    },
}

/// What became of a frame on one side of a host's link; see [`Fate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Outcome {
    /// It came out at the other end.
    Passed,
    /// It comes out later.
    Delayed {
        /// When, since the record's anchor.
        #[serde(serialize_with = "nanoseconds", rename = "until_ns")]
        until: Duration,
    },
    /// Chance lost it.
    Lost,
    /// Chance turned one bit of it.
    Corrupted {
        /// Which, counted from the beginning of the frame, the highest of each byte first.
        bit: usize,
    },
    /// Chance made another one of it.
    Doubled,
    /// Chance holds it back until the next one has overtaken it.
    Held,
    /// It was dropped, for the queue before the rate was full.
    QueueFull,
    /// It was dropped, for too much was on its way.
    Crowded,
    /// It was dropped, for the cable is not plugged in.
    CableDown,
    /// It was dropped, for the host did not take it.
    Refused,
}

impl Outcome {
    /// The same as the switch tells it, on the record's clock.
    pub(super) fn of(fate: Fate, origin: Instant) -> Self {
        match fate {
            Fate::Passed => Self::Passed,
            Fate::Delayed { until } => Self::Delayed {
                until: until.saturating_duration_since(origin),
            },
            Fate::Lost => Self::Lost,
            Fate::Corrupted { bit } => Self::Corrupted { bit },
            Fate::Doubled => Self::Doubled,
            Fate::Held => Self::Held,
            Fate::QueueFull => Self::QueueFull,
            Fate::Crowded => Self::Crowded,
            Fate::CableDown => Self::CableDown,
            Fate::Refused => Self::Refused,
        }
    }
}

fn nanoseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}
