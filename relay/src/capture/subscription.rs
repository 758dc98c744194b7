//! A reader's place in a record, and its pace.
//!
//! A reader that is slower than the lab falls behind by a bounded number of entries; then it skips to nearer the end.
//! What it skips, and what the ring has forgotten before the reader came to it, is counted.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use super::record::Record;
use super::ring::Ring;

/// How fast a reader may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Entries a second.
    pub per_second: NonZeroU32,
    /// How many entries may come at once after a pause, and how far behind a reader may fall.
    pub burst: NonZeroU32,
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest entry that is left.
    Oldest,
    /// With the next entry that is written.
    Next,
}

/// When to read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// There is more, and it may be read.
    Now,
    /// There is more, and it may be read then.
    At(Instant),
    /// There is no more yet.
    WhenWritten,
}

/// What a reader got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portion {
    /// How many entries were left out before these.
    pub left_out: u64,
    /// The entries, the oldest first.
    pub records: Vec<Record>,
    /// When to read again.
    pub again: Again,
}

/// The place of one reader.
#[derive(Debug)]
pub(super) struct Subscription {
    place: u64,
    pace: Pace,
    /// When what has been read would have been read at an even pace. None before the first reading.
    paid: Option<Instant>,
}

impl Subscription {
    /// A reader that has read nothing.
    pub(super) fn new(start: Start, ring: &Ring, pace: Pace) -> Self {
        let place = match start {
            Start::Oldest => ring.start(),
            Start::Next => ring.end(),
        };
        Self {
            place,
            pace,
            paid: None,
        }
    }

    /// The number of the entry that comes next.
    pub(super) fn place(&self) -> u64 {
        self.place
    }

    /// What may be read by now, with at most this many bytes of a frame.
    pub(super) fn read(&mut self, now: Instant, ring: &Ring, snap: usize) -> Portion {
        let burst = u64::from(self.pace.burst.get());
        // An even pace from a burst ago is the same as a bucket that holds a burst.
        let full = now.checked_sub(self.time(burst)).unwrap_or(now);
        let paid = self.paid.map_or(full, |paid| paid.max(full));
        let allowed = self.entries(now.saturating_duration_since(paid));
        let mut left_out = 0;
        if allowed < ring.end().saturating_sub(self.place) {
            let nearest = ring.end().saturating_sub(burst.max(allowed));
            left_out = nearest.saturating_sub(self.place);
            self.place = self.place.max(nearest);
        }
        let batch = ring.read(
            self.place,
            usize::try_from(allowed).unwrap_or(usize::MAX),
            snap,
        );
        let read = batch.records.len() as u64;
        self.place = batch.next;
        let paid = paid + self.time(read);
        self.paid = Some(paid);
        let again = if self.place == ring.end() {
            Again::WhenWritten
        } else if read < allowed {
            Again::Now
        } else {
            Again::At(paid + self.time(1))
        };
        Portion {
            left_out: left_out + batch.missed,
            records: batch.records,
            again,
        }
    }

    /// How long so many entries take: rounded up, so that after this time they may really be read.
    fn time(&self, entries: u64) -> Duration {
        let second = Duration::from_secs(1).as_nanos();
        let nanos = (u128::from(entries) * second).div_ceil(u128::from(self.pace.per_second.get()));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many entries may be read in some time.
    fn entries(&self, time: Duration) -> u64 {
        let second = Duration::from_secs(1).as_nanos();
        let entries = time.as_nanos() * u128::from(self.pace.per_second.get()) / second;
        u64::try_from(entries).unwrap_or(u64::MAX)
    }
}
