//! Which hosts a lab has, by number and by name.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use protocol::HostName;

/// How many hosts a lab can have: 10.0.0.1 to 10.0.0.254.
const HOSTS: u8 = 254;

/// A host's number in its lab. All of its addresses end with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(u8);

impl Number {
    /// The first one.
    pub(super) const FIRST: Self = Self(1);

    /// 10.0.0.n.
    pub(super) fn ipv4(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, self.0)
    }

    /// fd00::n, a unique local address (RFC 4193), with n in hexadecimal digits as in every IPv6 address.
    pub(super) fn ipv6(self) -> Ipv6Addr {
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, self.0.into())
    }

    /// fe80::n, the address that every IPv6 interface has.
    pub(super) fn link_local(self) -> Ipv6Addr {
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, self.0.into())
    }

    /// The Ethernet address 02:00:0a:00:00:n: a locally administered one (bit 1 of the first byte), and then the IPv4
    /// address.
    pub(super) fn hardware(self) -> [u8; 6] {
        let [a, b, c, d] = self.ipv4().octets();
        [2, 0, a, b, c, d]
    }

    fn of(ip: IpAddr) -> Option<Self> {
        let last = match ip {
            IpAddr::V4(ip) => ip.octets()[3],
            IpAddr::V6(ip) => ip.octets()[15],
        };
        let number = Self(last);
        let is_it = match ip {
            IpAddr::V4(ip) => ip == number.ipv4(),
            IpAddr::V6(ip) => ip == number.ipv6() || ip == number.link_local(),
        };
        is_it.then_some(number)
    }
}

/// The hosts of a lab, and the numbers that are kept for those which are being made.
#[derive(Debug, Default)]
pub(super) struct Register(BTreeMap<Number, Option<(HostName, Vec<IpAddr>)>>);

impl Register {
    /// Keeps the lowest number that is free for a host.
    pub(super) fn keep(&mut self) -> Option<Number> {
        let number = (1..=HOSTS)
            .map(Number)
            .find(|number| !self.0.contains_key(number))?;
        self.0.insert(number, None);
        Some(number)
    }

    /// Enters a host.
    pub(super) fn enter(&mut self, number: Number, name: HostName, addresses: Vec<IpAddr>) {
        self.0.insert(number, Some((name, addresses)));
    }

    /// Takes a host out, or one that has not come about.
    pub(super) fn leave(&mut self, number: Number) {
        self.0.remove(&number);
    }

    /// The addresses of a name, as a host of the lab has them told.
    pub(super) fn resolve(&self, name: &str) -> Vec<IpAddr> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" {
            return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        }
        self.0
            .values()
            .flatten()
            .find(|(known, _)| known.as_str() == name)
            .map(|(_, addresses)| addresses.clone())
            .unwrap_or_default()
    }

    /// The name of an address.
    pub(super) fn reverse(&self, ip: IpAddr) -> Option<HostName> {
        if ip.to_canonical().is_loopback() {
            return HostName::new("localhost").ok();
        }
        let (name, _) = self.0.get(&Number::of(ip.to_canonical())?)?.as_ref()?;
        Some(name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_at_the_end_of_every_address() {
        let number = Number(11);
        assert_eq!(number.ipv4().to_string(), "10.0.0.11");
        assert_eq!(number.ipv6().to_string(), "fd00::b");
        assert_eq!(number.link_local().to_string(), "fe80::b");
        assert_eq!(number.hardware(), [2, 0, 10, 0, 0, 11]);
        for ip in ["10.0.0.11", "fd00::b", "fe80::b"] {
            assert_eq!(Number::of(ip.parse().unwrap()), Some(number));
        }
        for ip in ["10.0.1.11", "fd01::b", "127.0.0.11", "::b"] {
            assert_eq!(Number::of(ip.parse().unwrap()), None);
        }
    }

    #[test]
    fn numbers_are_given_again_and_names_found_both_ways() {
        let mut register = Register::default();
        let name = |text: &str| HostName::new(text).unwrap();
        for text in ["desk", "bob", "carol"] {
            let number = register.keep().unwrap();
            let addresses = vec![number.ipv4().into(), number.ipv6().into()];
            register.enter(number, name(text), addresses);
        }
        let bobs: Vec<IpAddr> = vec!["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()];
        assert_eq!(register.resolve("Bob."), bobs);
        for ip in ["10.0.0.2", "fd00::2", "::ffff:10.0.0.2"] {
            assert_eq!(register.reverse(ip.parse().unwrap()), Some(name("bob")));
        }
        assert_eq!(
            register.reverse("::1".parse().unwrap()),
            Some(name("localhost"))
        );
        assert_eq!(register.resolve("localhost").len(), 2);
        register.leave(Number(2));
        assert!(register.resolve("bob").is_empty());
        assert_eq!(register.keep(), Some(Number(2)));
        // It is nobody's yet.
        assert_eq!(register.reverse(Number(2).ipv4().into()), None);
        for text in 0..251 {
            let number = register.keep().unwrap();
            register.enter(number, name(&format!("h{text}")), Vec::new());
        }
        assert_eq!(register.keep(), None);
    }
}
