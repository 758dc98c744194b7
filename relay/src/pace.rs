//! How fast something may go: a token bucket that makes whoever is too fast pause.
//!
//! A session that pauses reads nothing, neither from the WebSocket nor from sockets, so the buffers on both sides fill
//! and whoever sends is slowed down. Nothing is dropped. Who writes down what hosts say to themselves pauses too.

use std::time::{Duration, Instant};

/// The longest pause that is saved up for, so that a short burst is not slowed down.
const BURST: Duration = Duration::from_millis(250);

/// An allowance.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Bytes a second; zero for no limit.
    rate: u64,
    /// When what was carried so far is paid for. The past is what has been saved up.
    paid: Instant,
}

impl Pace {
    /// A full allowance.
    pub(crate) fn new(rate: u64, now: Instant) -> Self {
        Self { rate, paid: now }
    }

    /// Counts bytes that were carried.
    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) {
        if self.rate == 0 {
            return;
        }
        let saved = now.checked_sub(BURST).unwrap_or(now);
        let nanos = u128::from(bytes as u64) * 1_000_000_000 / u128::from(self.rate);
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.paid = self.paid.max(saved) + cost;
    }

    /// Until when to pause, if at all.
    pub(crate) fn pause(&self, now: Instant) -> Option<Instant> {
        (now < self.paid).then_some(self.paid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_the_rate_holds() {
        let begin = Instant::now();
        let mut pace = Pace::new(1_000_000, begin);
        let mut now = begin + Duration::from_secs(10);
        pace.spend(250_000, now);
        assert_eq!(pace.pause(now), None);
        let mut carried = 0;
        while carried < 2_000_000 {
            pace.spend(50_000, now);
            carried += 50_000;
            now = pace.pause(now).unwrap_or(now);
        }
        assert_eq!(now - begin, Duration::from_secs(12));
    }

    #[test]
    fn without_a_rate_nothing_pauses() {
        let now = Instant::now();
        let mut pace = Pace::new(0, now);
        pace.spend(usize::MAX, now);
        assert_eq!(pace.pause(now), None);
    }
}
