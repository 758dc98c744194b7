//! Addresses that the interpreter's C code cannot hold.
//!
//! This build of `_socket` knows `AF_INET` only. An address of another family is kept here, and C code is given its
//! *handle* in its place: a number that is never used for another address. The Python layer turns handles into what
//! programs see, and lays addresses down before it makes a call (`www/process/python/addresses.py`).

use std::collections::BTreeMap;

use protocol::Address;

/// How many addresses are kept. Then the oldest goes: whoever was handed it has long looked at it.
const KEPT: usize = 4096;

/// The addresses that have handles.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    by_handle: BTreeMap<u32, Address>,
    by_address: std::collections::HashMap<Address, u32>,
    last: u32,
}

impl Addresses {
    /// The handle of an address.
    pub(crate) fn handle(&mut self, address: &Address) -> u32 {
        if let Some(&handle) = self.by_address.get(address) {
            return handle;
        }
        self.last = self.last.wrapping_add(1);
        self.by_handle.insert(self.last, address.clone());
        self.by_address.insert(address.clone(), self.last);
        if KEPT < self.by_handle.len()
            && let Some((_, oldest)) = self.by_handle.pop_first()
        {
            self.by_address.remove(&oldest);
        }
        self.last
    }

    /// The address with this handle.
    pub(crate) fn get(&self, handle: u32) -> Option<&Address> {
        self.by_handle.get(&handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Address {
        Address::Inet6 {
            ip: std::net::Ipv6Addr::LOCALHOST,
            port,
            flow: 0,
            scope: 0,
        }
    }

    #[test]
    fn an_address_has_one_handle() {
        let mut addresses = Addresses::default();
        let handle = addresses.handle(&address(1));
        assert_ne!(addresses.handle(&address(2)), handle);
        assert_eq!(addresses.handle(&address(1)), handle);
        assert_eq!(addresses.get(handle), Some(&address(1)));
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let mut addresses = Addresses::default();
        let first = addresses.handle(&address(0));
        for port in 1..=5000 {
            addresses.handle(&address(port));
        }
        assert_eq!(addresses.by_handle.len(), KEPT);
        assert_eq!(addresses.by_address.len(), KEPT);
        assert_eq!(addresses.get(first), None);
        assert_ne!(addresses.handle(&address(0)), first);
    }
}
