//! The bounded store of a record: when it is full, the oldest entries make room.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::record::{Direction, Interface, Outcome, Record, What};
use super::{Anchor, Fate, Side};

/// The most entries that are read in one piece.
const BATCH: usize = 256;
/// The most bytes that are read in one piece, beyond the first frame.
const BATCH_BYTES: usize = 64 << 10;

/// The longest frame that a card has: a header, and the largest packet of a Linux loopback (`LOOPBACK_MTU`).
const LONGEST: usize = 14 + (64 << 10);

/// How much a record keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of frames.
    pub bytes: usize,
    /// The most entries.
    pub entries: usize,
    /// The most bytes of one frame; the rest is cut off.
    pub snap: usize,
}

impl Default for Limits {
    /// 4 MiB of whole frames, of which there are 2,770 then when they are full.
    fn default() -> Self {
        Self {
            bytes: 4 << 20,
            entries: 32 << 10,
            snap: LONGEST,
        }
    }
}

/// A piece of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// How many entries had been forgotten before these.
    pub missed: u64,
    /// The entries, the oldest first.
    pub records: Vec<Record>,
    /// The number of the entry after these.
    pub next: u64,
}

#[derive(Debug)]
struct Entry {
    at: Duration,
    interface: Arc<Interface>,
    note: Note,
}

#[derive(Clone, Copy, Debug)]
enum Note {
    Frame {
        direction: Direction,
        length: usize,
        kept: usize,
        /// Where its bytes begin, counted from the first byte ever kept.
        offset: u64,
    },
    Fate {
        frame: u64,
        side: Side,
        outcome: Outcome,
    },
    LeftOut {
        count: u64,
    },
}

/// The store.
#[derive(Debug)]
pub(super) struct Ring {
    anchor: Anchor,
    limits: Limits,
    entries: VecDeque<Entry>,
    /// The number of the first entry.
    first: u64,
    bytes: VecDeque<u8>,
    /// How many bytes have been forgotten.
    forgotten: u64,
}

impl Ring {
    /// An empty one.
    pub(super) fn new(anchor: Anchor, limits: Limits) -> Self {
        Self {
            anchor,
            limits,
            entries: VecDeque::new(),
            first: 0,
            bytes: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// From when its times count.
    pub(super) fn anchor(&self) -> Anchor {
        self.anchor
    }

    /// How many bytes of a frame are kept at most.
    pub(super) fn snap(&self) -> usize {
        self.limits.snap.min(self.limits.bytes)
    }

    /// The number of the oldest entry that is left.
    pub(super) fn start(&self) -> u64 {
        self.first
    }

    /// The number that the next entry gets.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Writes down a frame, and says under which number.
    pub(super) fn frame(
        &mut self,
        now: Instant,
        interface: &Arc<Interface>,
        direction: Direction,
        frame: &[u8],
    ) -> u64 {
        let kept = frame.len().min(self.snap());
        self.make_room(kept);
        grow(&mut self.bytes, kept, self.limits.bytes);
        let offset = self.forgotten + self.bytes.len() as u64;
        self.bytes.extend(frame.get(..kept).unwrap_or(frame));
        let note = Note::Frame {
            direction,
            length: frame.len(),
            kept,
            offset,
        };
        self.write(now, interface, note)
    }

    /// Writes down what became of a frame.
    pub(super) fn fate(
        &mut self,
        now: Instant,
        interface: &Arc<Interface>,
        side: Side,
        frame: u64,
        fate: Fate,
    ) {
        self.make_room(0);
        let outcome = Outcome::of(fate, self.anchor.instant);
        let note = Note::Fate {
            frame,
            side,
            outcome,
        };
        self.write(now, interface, note);
    }

    /// Writes down that frames were left out.
    pub(super) fn left_out(&mut self, now: Instant, interface: &Arc<Interface>, count: u64) {
        self.make_room(0);
        self.write(now, interface, Note::LeftOut { count });
    }

    /// A piece of the record from an entry on: at most `most` entries, `snap` bytes of a frame, and no more than is copied
    /// in an instant.
    pub(super) fn read(&self, from: u64, most: usize, snap: usize) -> Batch {
        let start = from.max(self.first).min(self.end());
        let mut batch = Batch {
            missed: start.saturating_sub(from),
            records: Vec::new(),
            next: start,
        };
        let skipped = usize::try_from(start - self.first).unwrap_or(usize::MAX);
        let mut bytes = 0;
        for entry in self.entries.range(skipped..).take(most.min(BATCH)) {
            if let Note::Frame { kept, .. } = entry.note {
                bytes += kept.min(snap);
                if BATCH_BYTES < bytes && !batch.records.is_empty() {
                    break;
                }
            }
            batch.records.push(self.show(batch.next, entry, snap));
            batch.next += 1;
        }
        batch
    }

    fn show(&self, number: u64, entry: &Entry, snap: usize) -> Record {
        let interface = Arc::clone(&entry.interface);
        let what = match entry.note {
            Note::Frame {
                direction,
                length,
                kept,
                offset,
            } => {
                let begin = usize::try_from(offset - self.forgotten).unwrap_or(usize::MAX);
                What::Frame {
                    interface,
                    direction,
                    length,
                    bytes: self.copy(begin, kept.min(snap)),
                }
            }
            Note::Fate {
                frame,
                side,
                outcome,
            } => What::Fate {
                frame,
                interface,
                side,
                outcome,
            },
            Note::LeftOut { count } => What::LeftOut { interface, count },
        };
        Record {
            number,
            at: entry.at,
            what,
        }
    }

    fn copy(&self, begin: usize, length: usize) -> Vec<u8> {
        let (front, back) = self.bytes.as_slices();
        let in_front = front.get(begin..).unwrap_or_default();
        let in_front = in_front.get(..length).unwrap_or(in_front);
        let in_back = back
            .get(begin.saturating_sub(front.len())..)
            .unwrap_or_default();
        let rest = length - in_front.len();
        [in_front, in_back.get(..rest).unwrap_or(in_back)].concat()
    }

    fn write(&mut self, now: Instant, interface: &Arc<Interface>, note: Note) -> u64 {
        let number = self.end();
        grow(&mut self.entries, 1, self.limits.entries);
        self.entries.push_back(Entry {
            at: now.saturating_duration_since(self.anchor.instant),
            interface: Arc::clone(interface),
            note,
        });
        number
    }

    /// Forgets the oldest entries until there is room for another one.
    fn make_room(&mut self, bytes: usize) {
        while self.limits.entries.max(1) <= self.entries.len()
            || self.limits.bytes < self.bytes.len() + bytes
        {
            let Some(entry) = self.entries.pop_front() else {
                return;
            };
            self.first += 1;
            if let Note::Frame { kept, .. } = entry.note {
                self.bytes.drain(..kept);
                self.forgotten += kept as u64;
            }
        }
    }
}

/// Makes a queue twice as large when it has no room for this many more, but never larger than it may become. Else it
/// would double beyond that, and as the place for new entries goes round and round, all of it would be used.
fn grow<T>(queue: &mut VecDeque<T>, more: usize, most: usize) {
    let needed = queue.len() + more;
    if queue.capacity() < needed {
        let wanted = (2 * queue.capacity()).min(most).max(needed);
        queue.reserve_exact(wanted - queue.len());
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use protocol::HostName;

    use super::super::record::Device;
    use super::*;

    #[test]
    fn a_full_record_takes_no_more_memory_than_it_may_keep() {
        let anchor = Anchor {
            instant: Instant::now(),
            wall: SystemTime::now(),
        };
        let limits = Limits {
            bytes: 10_000,
            entries: 1000,
            snap: LONGEST,
        };
        let interface = Arc::new(Interface {
            host: HostName::new("desk").unwrap(),
            device: Device::Ethernet,
        });
        // Few long frames, and many short ones.
        for length in [66, 1] {
            let mut ring = Ring::new(anchor, limits);
            for _ in 0..5000 {
                ring.frame(
                    anchor.instant,
                    &interface,
                    Direction::Out,
                    &[7; 66][..length],
                );
            }
            assert!(ring.bytes.capacity() <= limits.bytes);
            assert!(ring.entries.capacity() <= limits.entries);
            assert!(ring.bytes.len() == 151 * 66 || ring.entries.len() == limits.entries);
        }
    }
}
