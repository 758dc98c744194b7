//! The cards that a file has told of, and the clock that its times are told by.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::super::Anchor;
use super::super::record::Interface;
use super::block;

/// The cards of one file.
#[derive(Debug)]
pub(super) struct Cards {
    anchor: Anchor,
    /// How many bytes of a frame are kept at most.
    snap: u32,
    numbers: BTreeMap<Arc<Interface>, u32>,
}

impl Cards {
    /// None yet, of a record that begins then and keeps so many bytes of a frame.
    pub(super) fn new(anchor: Anchor, snap: usize) -> Self {
        Self {
            anchor,
            snap: u32::try_from(snap).unwrap_or(0),
            numbers: BTreeMap::new(),
        }
    }

    /// Whether a card was told of.
    pub(super) fn knows(&self, interface: &Arc<Interface>) -> bool {
        self.numbers.contains_key(interface)
    }

    /// The number of a card, and the block that tells of it if it is new.
    pub(super) fn number(&mut self, interface: &Arc<Interface>) -> (u32, Option<Vec<u8>>) {
        if let Some(&number) = self.numbers.get(interface) {
            return (number, None);
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(Arc::clone(interface), number);
        (number, Some(block::interface(interface, self.snap)))
    }

    /// A time since the beginning of 1970, which ends in the year 2554.
    pub(super) fn nanoseconds(&self, at: Duration) -> u64 {
        let wall = self.anchor.wall.duration_since(UNIX_EPOCH);
        u64::try_from((wall.unwrap_or_default() + at).as_nanos()).unwrap_or(u64::MAX)
    }
}
