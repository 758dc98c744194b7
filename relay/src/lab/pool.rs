//! How much the sockets of a lab, and files of its frames on their way, may make the relay hold.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that are shared out. What is taken must be given back.
#[derive(Debug)]
pub(crate) struct Pool {
    free: AtomicU64,
}

impl Pool {
    /// A pool of this many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        Self {
            free: AtomicU64::new(bytes),
        }
    }

    /// Takes this much, or nothing if there is not as much. Says whether it was taken.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let less = |free: u64| free.checked_sub(bytes);
        self.free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    /// Takes as much as there is, at most this, and says how much.
    pub(crate) fn take_up_to(&self, bytes: u64) -> u64 {
        let less = |free: u64| Some(free.saturating_sub(bytes));
        self.free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .map_or(0, |free| free.min(bytes))
    }

    /// Gives back.
    pub(crate) fn give(&self, bytes: u64) {
        self.free.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How much is left.
    #[cfg(test)]
    pub(crate) fn free(&self) -> u64 {
        self.free.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let pool = Pool::new(10);
        assert!(pool.take(6));
        assert!(!pool.take(5));
        assert_eq!(pool.take_up_to(9), 4);
        assert_eq!(pool.take_up_to(9), 0);
        pool.give(10);
        assert_eq!(pool.free(), 10);
    }
}
