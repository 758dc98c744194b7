//! The events of one lab.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use protocol::event::{Event, Record};
use tokio::sync::Notify;

use crate::metrics::Metrics;

/// The most records that are kept for slow viewers.
const KEPT: usize = 8192;

/// The most records that a viewer takes at a time.
const TAKEN: usize = 512;

/// The time in which the quota of events is counted.
const WINDOW: Duration = Duration::from_millis(100);

/// The events of a lab, and who watches.
#[derive(Debug)]
pub(crate) struct Hub {
    epoch: Instant,
    epoch_at: SystemTime,
    /// The most events in a [`WINDOW`].
    quota: usize,
    viewers: AtomicUsize,
    /// Whether a viewer waits for news.
    parked: AtomicBool,
    news: Notify,
    ring: Mutex<Ring>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Ring {
    records: VecDeque<Record>,
    /// The number of the first record that is kept.
    first: u64,
    /// When the current window began, and how many events it has had.
    window: (Instant, usize),
    /// How many events were over the quota and have not been told of.
    skipped: u64,
    /// Whether nothing more will happen.
    closed: bool,
}

/// What a viewer has not seen yet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// The records, in their order.
    pub(crate) records: Vec<Record>,
    /// Whether there will be no more.
    pub(crate) closed: bool,
}

impl Hub {
    /// The hub of a lab that is made now, which takes this many events a second.
    pub(crate) fn new(rate: usize, metrics: Metrics) -> Self {
        let epoch = Instant::now();
        Self {
            epoch,
            epoch_at: SystemTime::now(),
            quota: (rate / 10).max(1),
            viewers: AtomicUsize::new(0),
            parked: AtomicBool::new(false),
            news: Notify::new(),
            ring: Mutex::new(Ring {
                records: VecDeque::new(),
                first: 0,
                window: (epoch, 0),
                skipped: 0,
                closed: false,
            }),
            metrics,
        }
    }

    /// When the lab was made.
    pub(crate) fn begun(&self) -> Instant {
        self.epoch
    }

    /// The same on the wall clock, in microseconds since 1970.
    pub(crate) fn unix_micros(&self) -> u64 {
        let since = self.epoch_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        micros(since)
    }

    /// Whether anybody watches.
    pub(crate) fn is_watched(&self) -> bool {
        0 < self.viewers.load(Ordering::Relaxed)
    }

    /// How many watch.
    pub(crate) fn viewers(&self) -> usize {
        self.viewers.load(Ordering::Relaxed)
    }

    /// Adds a viewer, and says from where it reads.
    pub(crate) fn enter(&self) -> u64 {
        let ring = self.lock();
        self.viewers.fetch_add(1, Ordering::Relaxed);
        ring.first + ring.records.len() as u64
    }

    /// A viewer has gone.
    pub(crate) fn leave(&self) {
        let mut ring = self.lock();
        if self.viewers.fetch_sub(1, Ordering::Relaxed) == 1 {
            ring.first += ring.records.len() as u64;
            ring.records = VecDeque::new();
            ring.skipped = 0;
        }
    }

    /// Notes what happens now.
    pub(crate) fn push(&self, event: Event) {
        self.push_at(Instant::now(), event);
    }

    /// Notes what happened then.
    pub(crate) fn push_at(&self, at: Instant, event: Event) {
        let now = Instant::now();
        let mut ring = self.lock();
        if WINDOW <= now.saturating_duration_since(ring.window.0) {
            ring.window = (now, 0);
        }
        if self.quota <= ring.window.1 {
            ring.skipped += 1;
            self.metrics.events_dropped().inc();
            return;
        }
        ring.window.1 += 1;
        self.metrics.events().inc();
        let at = micros(at.saturating_duration_since(self.epoch));
        ring.tell_skipped(at);
        ring.add(Record { at, event });
        drop(ring);
        if self.parked.swap(false, Ordering::AcqRel) {
            self.news.notify_waiters();
        }
    }

    /// Nothing more will happen: viewers are told so after what they have not seen.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.news.notify_waiters();
    }

    /// Whether nothing more will happen.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits until nothing more will happen.
    pub(crate) async fn until_closed(&self) {
        loop {
            let news = self.news.notified();
            let mut news = std::pin::pin!(news);
            news.as_mut().enable();
            if self.is_closed() {
                return;
            }
            news.await;
        }
    }

    /// Takes what comes at `cursor` and after it, and moves it.
    pub(crate) fn take(&self, cursor: &mut u64) -> News {
        let mut ring = self.lock();
        let at = micros(self.epoch.elapsed());
        ring.tell_skipped(at);
        let mut records = Vec::new();
        if *cursor < ring.first {
            let count = ring.first - *cursor;
            let event = Event::Missed { count };
            records.push(Record { at, event });
            *cursor = ring.first;
        }
        let seen = usize::try_from(*cursor - ring.first).unwrap_or(usize::MAX);
        records.extend(ring.records.iter().skip(seen).take(TAKEN).cloned());
        let taken = ring.records.len().saturating_sub(seen).min(TAKEN);
        *cursor += taken as u64;
        let closed = ring.closed && *cursor == ring.first + ring.records.len() as u64;
        News { records, closed }
    }

    /// Waits until there may be something at `cursor`.
    pub(crate) async fn wait(&self, cursor: u64) {
        let news = self.news.notified();
        let mut news = std::pin::pin!(news);
        news.as_mut().enable();
        self.parked.store(true, Ordering::Release);
        let is_new = {
            let ring = self.lock();
            ring.closed || cursor < ring.first + ring.records.len() as u64 || 0 < ring.skipped
        };
        if !is_new {
            news.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn add(&mut self, record: Record) {
        if KEPT <= self.records.len() {
            self.records.pop_front();
            self.first += 1;
        }
        self.records.push_back(record);
    }

    fn tell_skipped(&mut self, at: u64) {
        let count = std::mem::take(&mut self.skipped);
        if 0 < count {
            let event = Event::Missed { count };
            self.add(Record { at, event });
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(rate: usize) -> Hub {
        Hub::new(rate, Metrics::default())
    }

    fn exit(pid: u32) -> Event {
        Event::Exited { pid, reason: None }
    }

    fn events(news: News) -> Vec<Event> {
        news.records.into_iter().map(|it| it.event).collect()
    }

    #[test]
    fn a_slow_viewer_is_told_how_much_it_missed() {
        let hub = hub(usize::MAX);
        let mut cursor = hub.enter();
        let total = u32::try_from(KEPT).unwrap() + 5;
        for pid in 0..total {
            hub.push(exit(pid));
        }
        let seen = events(hub.take(&mut cursor));
        assert_eq!(seen[0], Event::Missed { count: 5 });
        assert_eq!(seen[1], exit(5));
        assert_eq!(seen.len(), TAKEN + 1);
        let mut last = seen.last().cloned();
        loop {
            let seen = events(hub.take(&mut cursor));
            match seen.last() {
                Some(event) => last = Some(event.clone()),
                None => break,
            }
        }
        assert_eq!(last, Some(exit(total - 1)));
    }

    #[test]
    fn what_is_over_the_quota_is_counted() {
        let hub = hub(20);
        let mut cursor = hub.enter();
        for pid in 0..5 {
            hub.push(exit(pid));
        }
        let seen = events(hub.take(&mut cursor));
        assert!(seen.len() < 6, "{seen:?}");
        assert!(seen.iter().any(|it| matches!(it, Event::Missed { .. })));
    }

    #[test]
    fn nothing_is_kept_when_nobody_watches() {
        let hub = hub(1000);
        let early = hub.enter();
        hub.push(exit(1));
        hub.leave();
        assert!(!hub.is_watched());
        let mut cursor = hub.enter();
        assert_eq!(cursor, early + 1);
        assert!(events(hub.take(&mut cursor)).is_empty());
    }

    #[tokio::test]
    async fn a_viewer_hears_of_news_and_of_the_end() {
        let hub = hub(1000);
        let mut cursor = hub.enter();
        tokio::join!(hub.wait(cursor), async { hub.push(exit(1)) });
        assert_eq!(events(hub.take(&mut cursor)), [exit(1)]);
        tokio::join!(hub.wait(cursor), async { hub.close() });
        assert!(hub.take(&mut cursor).closed);
    }
}
