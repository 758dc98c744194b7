//! What the switch counts, and the fates that it counts.

use std::time::Instant;

use serde::Serialize;
use utoipa::ToSchema;

/// What can happen to a frame on one direction of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It came out at the other end.
    Passed,
    /// It comes out later.
    Delayed {
        /// When.
        until: Instant,
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
    /// It was dropped, for too much is on its way.
    Crowded,
    /// It was dropped, for the cable is not plugged in.
    CableDown,
    /// It was dropped, for the host did not take it.
    Refused,
}

/// What happened on one direction of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineCounts {
    /// Frames that went in.
    pub frames: u64,
    /// Bytes that went in.
    pub bytes: u64,
    /// Frames that came out.
    pub passed_frames: u64,
    /// Bytes that came out.
    pub passed_bytes: u64,
    /// Frames that chance lost.
    pub lost: u64,
    /// Frames of which chance turned a bit.
    pub corrupted: u64,
    /// Frames that chance doubled.
    pub doubled: u64,
    /// Frames that chance held back.
    pub held: u64,
    /// Frames that found the queue before the rate full.
    pub queue_full: u64,
    /// Frames for which too much was on its way.
    pub crowded: u64,
    /// Frames that met an unplugged cable.
    pub cable_down: u64,
    /// Frames that the host did not take.
    pub refused: u64,
}

impl LineCounts {
    /// Counts a frame that goes in.
    pub(super) fn enter(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes += bytes as u64;
    }

    /// Counts a frame that comes out.
    pub(super) fn leave(&mut self, bytes: usize) {
        self.passed_frames += 1;
        self.passed_bytes += bytes as u64;
    }

    /// Counts what happened to a frame; one that passes is counted by [`leave`](Self::leave).
    pub(super) fn count(&mut self, fate: Fate) {
        let counter = match fate {
            Fate::Passed | Fate::Delayed { .. } => return,
            Fate::Lost => &mut self.lost,
            Fate::Corrupted { .. } => &mut self.corrupted,
            Fate::Doubled => &mut self.doubled,
            Fate::Held => &mut self.held,
            Fate::QueueFull => &mut self.queue_full,
            Fate::Crowded => &mut self.crowded,
            Fate::CableDown => &mut self.cable_down,
            Fate::Refused => &mut self.refused,
        };
        *counter += 1;
    }
}

/// What happened at a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct PortCounts {
    /// What the host sent.
    pub from_host: LineCounts,
    /// What the host was sent.
    pub to_host: LineCounts,
    /// What the host sent that was no frame: too short or too long.
    pub malformed: u64,
    /// Frames of the host that no other port was to get.
    pub filtered: u64,
}
