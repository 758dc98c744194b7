//! Addresses that are for many, and which way a datagram takes to them (ip(7), ipv6(7)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use protocol::Errno;

use super::view::{Identity, loopback_like};

/// The broadcast address of the lab.
const LAB: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 255);
/// The broadcast address of a host's loopback.
const LOOPBACK: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 255);

/// The group that every host is in (RFC 1112, section 4).
const ALL_HOSTS: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1));

/// A card of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Card {
    /// The one that leads to the host itself.
    Loopback,
    /// The one that leads to the lab.
    Ethernet,
}

impl Card {
    /// The card with this number.
    pub(super) fn of_index(index: u32) -> Option<Self> {
        [Self::Loopback, Self::Ethernet]
            .into_iter()
            .find(|card| card.index() == index)
    }

    /// Its number, by which programs know it.
    pub(super) fn index(self) -> u32 {
        match self {
            Self::Loopback => 1,
            Self::Ethernet => 2,
        }
    }

    /// The card of a host that has this address.
    pub(super) fn of_address(host: Identity, ip: Ipv4Addr) -> Option<Self> {
        if ip.is_loopback() {
            Some(Self::Loopback)
        } else {
            (ip == host.lab).then_some(Self::Ethernet)
        }
    }
}

/// Whether an address is a group's.
pub(super) fn is_group(ip: IpAddr) -> bool {
    ip.is_multicast()
}

/// Whether an address is that of everybody on a network.
pub(super) fn is_broadcast(ip: IpAddr) -> bool {
    [LAB, LOOPBACK, Ipv4Addr::BROADCAST].contains(&match ip {
        IpAddr::V4(ip) => ip,
        IpAddr::V6(_) => return false,
    })
}

/// Whether an address is for many.
pub(super) fn is_for_many(ip: IpAddr) -> bool {
    is_group(ip) || is_broadcast(ip)
}

/// Whether every host is in a group, on each of its cards.
pub(super) fn has_everybody(group: IpAddr) -> bool {
    match group {
        IpAddr::V4(_) => group == ALL_HOSTS,
        // Of the interface and of the link (RFC 4291, section 2.7.1).
        IpAddr::V6(ip) => matches!(ip.segments(), [0xff01 | 0xff02, 0, 0, 0, 0, 0, 0, 1]),
    }
}

/// Whether a group is another one on every link, so that an address must say of which (RFC 4007).
pub(super) fn needs_scope(ip: Ipv6Addr) -> bool {
    ip.is_unicast_link_local()
        || matches!(ip.octets(), [0xff, kind, ..] if matches!(kind & 0xf, 1 | 2))
}

/// What a sender of datagrams for many has chosen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice {
    /// The card for groups of IPv4, and the address to send from (`IP_MULTICAST_IF`).
    pub(super) inet: Option<(Card, Ipv4Addr)>,
    /// The card for groups of IPv6 (`IPV6_MULTICAST_IF`).
    pub(super) inet6: Option<Card>,
}

/// The way of a datagram for many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cast {
    /// To whom.
    pub(super) to: IpAddr,
    /// By which card.
    pub(super) card: Card,
    /// The view that it is sent from.
    pub(super) from: IpAddr,
}

impl Cast {
    /// The way to an address, as the kernel's routing would choose it, from a socket of `host` that is bound to `bound`;
    /// none if the address is for one.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the socket is bound to the loopback, from where the lab cannot be reached. `ENETUNREACH`: it is bound to
    /// an address of the other family. `ENODEV`: there is no card with the number that the address has in it.
    pub(super) fn plan(
        host: Identity,
        bound: IpAddr,
        choice: Choice,
        to: SocketAddr,
    ) -> Result<Option<Self>, Errno> {
        let ip = to.ip();
        if !is_for_many(ip) {
            return Ok(None);
        }
        let own = Some(bound).filter(|view| !view.is_unspecified() && !is_for_many(*view));
        if own.is_some_and(|own| own.is_ipv4() != ip.is_ipv4()) {
            return Err(Errno::ENETUNREACH);
        }
        let of_own = match own {
            Some(own) if own.is_loopback() => Card::Loopback,
            Some(_) | None => Card::Ethernet,
        };
        let (card, chosen) = match to {
            SocketAddr::V4(_) if ip == LOOPBACK => (Card::Loopback, None),
            SocketAddr::V4(_) if ip == LAB && of_own == Card::Loopback => {
                return Err(Errno::EINVAL);
            }
            SocketAddr::V4(_) => match choice.inet.filter(|_| is_group(ip)) {
                Some((card, address)) => (card, Some(address)),
                // Who speaks from an address speaks by its card (`ip_route_output_key_hash` in the kernel).
                None => (of_own, None),
            },
            SocketAddr::V6(to) if to.scope_id() != 0 && needs_scope(*to.ip()) => {
                let card = Card::of_index(to.scope_id()).ok_or(Errno::ENODEV)?;
                (card, None)
            }
            SocketAddr::V6(_) => (choice.inet6.unwrap_or(of_own), None),
        };
        let chosen = chosen.filter(|ip| !ip.is_unspecified()).map(IpAddr::V4);
        let from = own.or(chosen).unwrap_or(match card {
            Card::Loopback => loopback_like(ip),
            Card::Ethernet => host.lab_like(ip),
        });
        Ok(Some(Self { to: ip, card, from }))
    }

    /// The same way, as the sender of one datagram chooses it.
    pub(super) fn by(self, host: Identity, card: Option<Card>, from: Option<IpAddr>) -> Self {
        let usual = match card {
            None => self.from,
            Some(Card::Loopback) => loopback_like(self.to),
            Some(Card::Ethernet) => host.lab_like(self.to),
        };
        Self {
            card: card.unwrap_or(self.card),
            from: from.unwrap_or(usual),
            ..self
        }
    }

    /// Whether it can leave the host at all: not by the loopback, and not to a group of the interface.
    pub(super) fn leaves(self) -> bool {
        let is_inside = match self.to {
            IpAddr::V4(_) => false,
            IpAddr::V6(ip) => matches!(ip.octets(), [0xff, kind, ..] if kind & 0xf == 1),
        };
        self.card == Card::Ethernet && !is_inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Identity = Identity {
        real: Ipv4Addr::new(127, 8, 9, 9),
        lab: Ipv4Addr::new(10, 0, 0, 1),
    };

    fn plan(bound: &str, choice: Choice, to: &str) -> Result<Option<Cast>, Errno> {
        Cast::plan(ME, bound.parse().unwrap(), choice, to.parse().unwrap())
    }

    fn way(bound: &str, choice: Choice, to: &str) -> (Card, String) {
        let cast = plan(bound, choice, to).unwrap().unwrap();
        (cast.card, cast.from.to_string())
    }

    #[test]
    fn an_address_for_one_is_none_for_many() {
        for to in ["10.0.0.2:1", "127.0.0.1:1", "[fd00::2]:1", "[::1]:1"] {
            let any = if to.starts_with('[') { "::" } else { "0.0.0.0" };
            assert_eq!(plan(any, Choice::default(), to), Ok(None), "{to}");
        }
    }

    #[test]
    fn who_speaks_from_an_address_speaks_by_its_card() {
        let usual = Choice::default();
        let lab = (Card::Ethernet, "10.0.0.1".to_owned());
        let inside = (Card::Loopback, "127.0.0.1".to_owned());
        for to in ["239.1.2.3:1", "255.255.255.255:1", "10.0.0.255:1"] {
            assert_eq!(way("0.0.0.0", usual, to), lab, "{to}");
            assert_eq!(way("239.9.9.9", usual, to), lab, "{to}");
            assert_eq!(way("10.0.0.1", usual, to), lab, "{to}");
        }
        for to in ["239.1.2.3:1", "255.255.255.255:1", "127.255.255.255:1"] {
            assert_eq!(way("127.0.0.1", usual, to), inside, "{to}");
        }
        let lab = plan("127.0.0.1", usual, "10.0.0.255:1");
        assert_eq!(lab, Err(Errno::EINVAL));
        let other = plan("fd00::1", usual, "239.1.2.3:1");
        assert_eq!(other, Err(Errno::ENETUNREACH));
    }

    #[test]
    fn a_choice_is_for_groups() {
        let choice = Choice {
            inet: Some((Card::Loopback, Ipv4Addr::LOCALHOST)),
            inet6: Some(Card::Loopback),
        };
        let inside = (Card::Loopback, "127.0.0.1".to_owned());
        assert_eq!(way("0.0.0.0", choice, "239.1.2.3:1"), inside);
        let lab = (Card::Ethernet, "10.0.0.1".to_owned());
        assert_eq!(way("0.0.0.0", choice, "255.255.255.255:1"), lab);
        let inside = (Card::Loopback, "::1".to_owned());
        assert_eq!(way("::", choice, "[ff05::1]:1"), inside);
        let lab = (Card::Ethernet, "fd00::1".to_owned());
        assert_eq!(way("::", choice, "[ff02::1%2]:1"), lab);
        assert_eq!(plan("::", choice, "[ff02::1%9]:1"), Err(Errno::ENODEV));
    }

    #[test]
    fn a_group_of_the_interface_stays_on_it() {
        let leaves =
            |to: &str| plan("::", Choice::default(), to).map(|cast| cast.map(Cast::leaves));
        assert_eq!(leaves("[ff01::1]:1"), Ok(Some(false)));
        assert_eq!(leaves("[ff02::1]:1"), Ok(Some(true)));
        assert_eq!(leaves("[ff02::1%1]:1"), Ok(Some(false)));
    }
}
