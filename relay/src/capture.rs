//! What went over a lab's network: the last frames of its switch and of its hosts' loopbacks, and what became of them.
//!
//! A [`Capture`] belongs to a lab. Whoever carries frames writes into it and is never held up by who reads: readers
//! have a place in the record of their own, take a bounded piece at a time, and are told how much they have missed.
//!
//! - [`record`]: what is written down.
//! - `ring`: the bounded store; `subscription`: a reader's place and pace. Both are without I/O and clock.
//! - [`pcapng`]: the record as a file that Wireshark opens.

pub mod pcapng;
pub mod record;
mod ring;
mod subscription;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use tokio::sync::watch;

use self::record::{Direction, Interface, Record};
use self::ring::Ring;
use self::subscription::Subscription;
use crate::network::switch::Side;
use crate::network::switch::counts::Fate;

pub use self::ring::{Batch, Limits};
pub use self::subscription::{Again, Pace, Portion, Start};

/// The moment from which a record counts, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// On the clock that never jumps.
    pub instant: Instant,
    /// The same moment, as people tell the time.
    pub wall: SystemTime,
}

/// The record of one lab. Clones are the same record.
#[derive(Clone, Debug)]
pub struct Capture(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    /// Where the record ends, for those who wait for more.
    end: watch::Sender<u64>,
}

impl Capture {
    /// Begins a record.
    pub fn new(anchor: Anchor, limits: Limits) -> Self {
        Self(Arc::new(Shared {
            ring: Mutex::new(Ring::new(anchor, limits)),
            end: watch::Sender::default(),
        }))
    }

    /// From when its times count.
    pub fn anchor(&self) -> Anchor {
        self.ring().anchor()
    }

    /// How many bytes of a frame are kept at most.
    pub fn snap(&self) -> usize {
        self.ring().snap()
    }

    /// Writes down a frame, and says under which number.
    pub fn frame(
        &self,
        now: Instant,
        interface: &Arc<Interface>,
        direction: Direction,
        frame: &[u8],
    ) -> u64 {
        let mut ring = self.ring();
        let number = ring.frame(now, interface, direction, frame);
        self.tell(&ring);
        number
    }

    /// Writes down what became of a frame on one side of a host's link.
    pub fn fate(
        &self,
        now: Instant,
        interface: &Arc<Interface>,
        side: Side,
        frame: u64,
        fate: Fate,
    ) {
        let mut ring = self.ring();
        ring.fate(now, interface, side, frame, fate);
        self.tell(&ring);
    }

    /// Writes down that frames of a card were left out, because there were too many.
    pub fn left_out(&self, now: Instant, interface: &Arc<Interface>, count: u64) {
        let mut ring = self.ring();
        ring.left_out(now, interface, count);
        self.tell(&ring);
    }

    /// A reader of what is written from now on, or from the oldest that is left, at a pace that it can bear.
    pub fn subscribe(&self, start: Start, pace: Pace) -> Subscriber {
        // In this order: what is written in between is seen in the record, or announced, or both.
        let end = self.0.end.subscribe();
        Subscriber {
            subscription: Subscription::new(start, &self.ring(), pace),
            capture: self.clone(),
            end,
            snap: usize::MAX,
        }
    }

    /// Everything that is in the record. Between pieces, others have their turn.
    pub fn snapshot(&self) -> Snapshot {
        let (anchor, snap, mut place, end) = {
            let ring = self.ring();
            (ring.anchor(), ring.snap(), ring.start(), ring.end())
        };
        let missing = place;
        let mut snapshot = Snapshot {
            anchor,
            snap,
            missing,
            records: Vec::new(),
        };
        while place < end {
            let batch = self.ring().read(place, usize::MAX, usize::MAX);
            snapshot.missing += batch.missed;
            place = batch.next;
            snapshot.records.extend(batch.records);
        }
        snapshot
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // A ring is whole between any two of its statements.
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, ring: &Ring) {
        if !self.0.end.is_closed() {
            self.0.end.send_replace(ring.end());
        }
    }
}

/// A reader of a record.
#[derive(Debug)]
pub struct Subscriber {
    capture: Capture,
    subscription: Subscription,
    end: watch::Receiver<u64>,
    snap: usize,
}

impl Subscriber {
    /// Reads at most this many bytes of a frame.
    #[must_use]
    pub fn cut_to(self, snap: usize) -> Self {
        Self { snap, ..self }
    }

    /// The number of the entry that comes next. Of one that has read nothing from the oldest on, it is how many had been
    /// forgotten.
    pub fn place(&self) -> u64 {
        self.subscription.place()
    }

    /// What may be read by now, and when to read again.
    pub fn read(&mut self, now: Instant) -> Portion {
        self.subscription.read(now, &self.capture.ring(), self.snap)
    }

    /// Waits until there is something that was not there at the last [`read`](Self::read).
    pub async fn more(&mut self) {
        let place = self.subscription.place();
        // The other end lives in the capture that this reader holds, so there is no error.
        let _ = self.end.wait_for(|end| place < *end).await;
    }
}

/// A record as it was at some time.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// From when its times count.
    pub anchor: Anchor,
    /// How many bytes of a frame are kept at most.
    pub snap: usize,
    /// How many entries had been forgotten.
    pub missing: u64,
    /// The entries, the oldest first.
    pub records: Vec<Record>,
}

#[cfg(test)]
mod tests;
