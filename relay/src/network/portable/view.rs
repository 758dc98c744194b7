//! Which real address a view means, and which view a real address is shown as.
//!
//! A view is an [`IpAddr`] in its canonical form: an IPv4-mapped IPv6 address is the IPv4 address in it. A host has two
//! real addresses, both IPv4: one for its IPv4 ports and one for its IPv6 ports, which are port spaces of their own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use protocol::Errno;

/// The prefix of the lab's IPv6 addresses, of which fd00::n belongs to the host 10.0.0.n (RFC 4193).
const PREFIX: u16 = 0xfd00;

/// A host's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The one that its IPv4 sockets really have. Its second byte is even.
    pub(super) real: Ipv4Addr,
    /// The one that the lab knows it by.
    pub(super) lab: Ipv4Addr,
}

/// The real address of the IPv6 ports of the host with this real address.
pub(super) fn twin(real: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, d] = real.octets();
    Ipv4Addr::new(a, b | 1, c, d)
}

/// The real address of the IPv4 ports of the host with this real address.
pub(super) fn first(real: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, d] = real.octets();
    Ipv4Addr::new(a, b & !1, c, d)
}

/// The lab's IPv6 address of the host with this number.
pub(super) fn lab6(number: u8) -> Ipv6Addr {
    Ipv6Addr::new(PREFIX, 0, 0, 0, 0, 0, 0, number.into())
}

/// The number of the host with this address in the lab, if the lab can have such an address.
pub(super) fn number(view: IpAddr) -> Option<u8> {
    match view {
        IpAddr::V4(ip) => match ip.octets() {
            [10, 0, 0, number] => Some(number),
            _ => None,
        },
        IpAddr::V6(ip) => u8::try_from(ip.segments()[7])
            .ok()
            .filter(|&number| ip == lab6(number)),
    }
}

impl Identity {
    /// The host's own address of the same family as a view.
    pub(super) fn lab_like(self, view: IpAddr) -> IpAddr {
        match view {
            IpAddr::V4(_) => self.lab.into(),
            IpAddr::V6(_) => lab6(self.lab.octets()[3]).into(),
        }
    }

    /// Whether it is one of the host's addresses in the lab.
    pub(super) fn is_lab(self, view: IpAddr) -> bool {
        view == self.lab_like(view)
    }

    /// Checks that a socket of this host may be bound to a view.
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL`: it is no address of this host (bind(2)).
    pub(super) fn check_own(self, view: IpAddr) -> Result<(), Errno> {
        if view.is_unspecified() || view.is_loopback() || self.is_lab(view) {
            Ok(())
        } else {
            Err(Errno::EADDRNOTAVAIL)
        }
    }

    /// The view that a socket speaks from when it speaks to a destination, as the kernel's routing would choose it.
    ///
    /// `bound` is what the socket was bound to, 0.0.0.0 or :: if to nothing in particular.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it is bound to the loopback, from where no other host can be reached. `ENETUNREACH`: it is bound to an
    /// address of the other family.
    pub(super) fn source(self, bound: IpAddr, destination: Destination) -> Result<IpAddr, Errno> {
        if bound.is_loopback() && destination.real != self.real {
            return Err(Errno::EINVAL);
        }
        if !bound.is_unspecified() {
            return if bound.is_ipv4() == destination.view.is_ipv4() {
                Ok(bound)
            } else {
                Err(Errno::ENETUNREACH)
            };
        }
        Ok(if destination.view.is_loopback() {
            loopback_like(destination.view)
        } else {
            self.lab_like(destination.view)
        })
    }

    /// The view that an unknown sender of this same host most likely has for a socket bound to `bound`, if it sent from
    /// this real address.
    pub(super) fn neighbour(self, bound: IpAddr, real: Ipv4Addr) -> IpAddr {
        if self.is_lab(bound) {
            bound
        } else if bound.is_ipv6() && real == twin(real) {
            Ipv6Addr::LOCALHOST.into()
        } else {
            Ipv4Addr::LOCALHOST.into()
        }
    }
}

/// Where a view leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// The real address of the host's IPv4 ports.
    pub(super) real: Ipv4Addr,
    /// What the peer is called: the view that was asked for, or the loopback for 0.0.0.0 and :: (ip(7)).
    pub(super) view: IpAddr,
}

impl Destination {
    /// The real addresses at which a socket may answer to the view, the likelier first: that of the view's family, and
    /// for IPv6 that of the sockets that are bound to both.
    pub(super) fn candidates(self) -> impl Iterator<Item = Ipv4Addr> {
        let own = self.view.is_ipv6().then(|| twin(self.real));
        own.into_iter().chain([self.real])
    }
}

/// The loopback of a view's family.
pub(super) fn loopback_like(view: IpAddr) -> IpAddr {
    match view {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// Whether a socket that is bound to :: takes IPv4 too (ipv6(7), `IPV6_V6ONLY`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stack {
    /// It takes its own family only.
    Single,
    /// It takes both.
    Dual,
}

/// What a socket is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    /// The view.
    pub(super) view: IpAddr,
    /// What :: means.
    pub(super) stack: Stack,
}

impl Bound {
    /// Whether it takes both families.
    pub(super) fn is_dual(self) -> bool {
        self.stack == Stack::Dual && self.view == Ipv6Addr::UNSPECIFIED
    }

    /// Whether it can be reached by dialling a view.
    pub(super) fn admits(self, dialled: IpAddr) -> bool {
        if self.view.is_unspecified() {
            self.is_dual() || self.view.is_ipv4() == dialled.is_ipv4()
        } else {
            self.view == dialled
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Identity = Identity {
        real: Ipv4Addr::new(127, 8, 9, 9),
        lab: Ipv4Addr::new(10, 0, 0, 1),
    };
    const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    const ANY6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const LOCAL6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
    const LAB: IpAddr = IpAddr::V4(ME.lab);

    fn own(view: IpAddr) -> Destination {
        Destination {
            real: ME.real,
            view,
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn other(view: &str) -> Destination {
        Destination {
            real: Ipv4Addr::new(127, 6, 8, 8),
            view: ip(view),
        }
    }

    #[test]
    fn a_host_binds_to_its_own_addresses_only() {
        for view in [
            ANY,
            ANY6,
            LOCAL,
            LOCAL6,
            LAB,
            ip("127.1.2.3"),
            ip("fd00::1"),
        ] {
            assert_eq!(ME.check_own(view), Ok(()), "{view}");
        }
        for view in [ip("10.0.0.2"), ip("fd00::2"), ip("fd00::1:1"), ip("::2")] {
            assert_eq!(ME.check_own(view), Err(Errno::EADDRNOTAVAIL), "{view}");
        }
    }

    #[test]
    fn the_source_is_what_routing_would_choose() {
        assert_eq!(ME.source(ANY, own(ip("127.0.0.7"))), Ok(LOCAL));
        assert_eq!(ME.source(ANY, own(LAB)), Ok(LAB));
        assert_eq!(ME.source(ANY, other("10.0.0.2")), Ok(LAB));
        assert_eq!(ME.source(LOCAL, other("10.0.0.2")), Err(Errno::EINVAL));
        assert_eq!(ME.source(LAB, own(LOCAL)), Ok(LAB));
        assert_eq!(ME.source(ANY6, own(LOCAL6)), Ok(LOCAL6));
        assert_eq!(ME.source(ANY6, own(LOCAL)), Ok(LOCAL));
        assert_eq!(ME.source(ANY6, other("fd00::2")), Ok(ip("fd00::1")));
        assert_eq!(ME.source(LOCAL6, own(LOCAL)), Err(Errno::ENETUNREACH));
    }

    #[test]
    fn a_server_on_localhost_is_not_reached_by_the_lab_address() {
        let bound = |view, stack| Bound { view, stack };
        assert!(bound(ANY, Stack::Single).admits(LAB));
        assert!(bound(LOCAL, Stack::Single).admits(LOCAL));
        assert!(!bound(LOCAL, Stack::Single).admits(LAB));
        assert!(!bound(LAB, Stack::Single).admits(LOCAL));
        assert!(bound(ANY6, Stack::Dual).admits(LAB));
        assert!(bound(ANY6, Stack::Dual).admits(LOCAL6));
        assert!(!bound(ANY6, Stack::Single).admits(LAB));
        assert!(!bound(ANY, Stack::Single).admits(LOCAL6));
        assert!(!bound(LOCAL6, Stack::Dual).admits(LOCAL));
    }

    #[test]
    fn ipv6_ports_have_a_real_address_of_their_own() {
        assert_eq!(twin(ME.real), Ipv4Addr::new(127, 9, 9, 9));
        assert_eq!(first(twin(ME.real)), ME.real);
        let candidates: Vec<_> = own(LOCAL6).candidates().collect();
        assert_eq!(candidates, [twin(ME.real), ME.real]);
        assert_eq!(own(LOCAL).candidates().collect::<Vec<_>>(), [ME.real]);
    }

    #[test]
    fn addresses_of_the_lab_have_numbers() {
        assert_eq!(number(ip("10.0.0.7")), Some(7));
        assert_eq!(number(ip("fd00::7")), Some(7));
        assert_eq!(number(ip("10.0.1.7")), None);
        assert_eq!(number(ip("fd00::1:7")), None);
        assert_eq!(number(ip("fd00::107")), None);
    }
}
