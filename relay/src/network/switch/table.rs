//! Which address was last seen on which port.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::frame::MacAddress;
use super::port::PortId;

/// How long an address is remembered that is not heard of (IEEE 802.1Q, table 8-6).
const AGEING: Duration = Duration::from_secs(300);
/// The most addresses. Frames to others are flooded.
const MAX_ADDRESSES: usize = 1024;

#[derive(Debug)]
struct Entry {
    port: PortId,
    heard: Instant,
}

/// The addresses that were learned.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: HashMap<MacAddress, Entry>,
}

impl Table {
    /// Remembers that an address sent something from a port. When the table is full of fresh addresses, nothing.
    pub(super) fn learn(&mut self, now: Instant, address: MacAddress, port: PortId) {
        if address.is_group() {
            return;
        }
        if let Some(entry) = self.entries.get_mut(&address) {
            *entry = Entry { port, heard: now };
            return;
        }
        if MAX_ADDRESSES <= self.entries.len() {
            self.entries.retain(|_, entry| !entry.is_old(now));
        }
        if self.entries.len() < MAX_ADDRESSES {
            self.entries.insert(address, Entry { port, heard: now });
        }
    }

    /// The port of an address, if it is known.
    pub(super) fn find(&self, now: Instant, address: MacAddress) -> Option<PortId> {
        let entry = self.entries.get(&address)?;
        (!entry.is_old(now)).then_some(entry.port)
    }

    /// Forgets what was learned from a port.
    pub(super) fn forget(&mut self, port: PortId) {
        self.entries.retain(|_, entry| entry.port != port);
    }
}

impl Entry {
    fn is_old(&self, now: Instant) -> bool {
        AGEING < now.saturating_duration_since(self.heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: usize) -> MacAddress {
        let [.., high, low] = number.to_be_bytes();
        MacAddress([2, 0, 0, 0, high, low])
    }

    #[test]
    fn an_address_is_where_it_was_heard_last_until_it_is_old() {
        let start = Instant::now();
        let [first, second] = [PortId::for_tests(0), PortId::for_tests(1)];
        let mut table = Table::default();
        table.learn(start, address(1), first);
        assert_eq!(table.find(start + AGEING, address(1)), Some(first));
        table.learn(start, address(1), second);
        assert_eq!(table.find(start + AGEING, address(1)), Some(second));
        assert_eq!(table.find(start + AGEING * 2, address(1)), None);
        assert_eq!(table.find(start, address(2)), None);
    }

    #[test]
    fn a_full_table_learns_only_in_place_of_what_is_old() {
        let start = Instant::now();
        let port = PortId::for_tests(0);
        let mut table = Table::default();
        for number in 0..=MAX_ADDRESSES {
            table.learn(start, address(number), port);
        }
        assert_eq!(table.entries.len(), MAX_ADDRESSES);
        assert_eq!(table.find(start, address(MAX_ADDRESSES)), None);
        let later = start + AGEING * 2;
        table.learn(later, address(MAX_ADDRESSES), port);
        assert_eq!(table.find(later, address(MAX_ADDRESSES)), Some(port));
        assert_eq!(table.entries.len(), 1);
    }

    #[test]
    fn groups_are_not_learned_and_ports_are_forgotten() {
        let start = Instant::now();
        let port = PortId::for_tests(0);
        let mut table = Table::default();
        table.learn(start, MacAddress([0xff; 6]), port);
        assert!(table.entries.is_empty());
        table.learn(start, address(1), port);
        table.forget(port);
        assert_eq!(table.find(start, address(1)), None);
    }
}
