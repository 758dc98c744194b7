//! The family of a socket: how its program writes addresses, and which views they are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use protocol::{Address, Errno};

use super::super::option::SOL_IPV6;
use super::cast::{Card, needs_scope};

/// The family of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`.
    Inet6,
}

impl Family {
    /// The view of a socket that is bound to nothing in particular.
    pub(super) fn unspecified(self) -> IpAddr {
        match self {
            Self::Inet => Ipv4Addr::UNSPECIFIED.into(),
            Self::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
        }
    }

    /// Whether a socket has options of a level, as far as families matter.
    pub(super) fn has_level(self, level: i32) -> bool {
        self == Self::Inet6 || level != SOL_IPV6
    }

    /// The view and the port that an address means.
    ///
    /// # Errors
    ///
    /// `EAFNOSUPPORT`: it is of another family. `EINVAL`: it is one machine's and link-local, and does not say of which
    /// link (ipv6(7)).
    pub(super) fn view(self, address: &Address) -> Result<SocketAddr, Errno> {
        match (self, address) {
            (Self::Inet, &Address::Inet { ip, port }) => Ok(SocketAddr::new(ip.into(), port)),
            (
                Self::Inet6,
                &Address::Inet6 {
                    ip, port, scope, ..
                },
            ) => {
                if ip.is_unicast_link_local() && scope == 0 {
                    return Err(Errno::EINVAL);
                }
                Ok(match ip.to_canonical() {
                    // Of which link, matters for groups only: there are no other addresses of a link.
                    IpAddr::V6(ip) if ip.is_multicast() => {
                        SocketAddrV6::new(ip, port, 0, scope).into()
                    }
                    ip => SocketAddr::new(ip, port),
                })
            }
            (Self::Inet | Self::Inet6, _) => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// Checks that an address that a socket is to be bound to, or connected with, says of which link it is.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it has to and does not (ipv6(7)).
    pub(super) fn check_scope(self, address: &Address) -> Result<(), Errno> {
        match *address {
            Address::Inet6 { ip, scope: 0, .. } if self == Self::Inet6 && needs_scope(ip) => {
                Err(Errno::EINVAL)
            }
            _ => Ok(()),
        }
    }

    /// How the program sees a view and a port: IPv4 in an IPv6 socket is mapped (RFC 4291, section 2.5.5.2).
    pub(super) fn address(self, view: SocketAddr) -> Address {
        let port = view.port();
        let scope = match view {
            SocketAddr::V6(view) if view.scope_id() != 0 => view.scope_id(),
            SocketAddr::V6(view) if needs_scope(*view.ip()) => Card::Ethernet.index(),
            SocketAddr::V4(_) | SocketAddr::V6(_) => 0,
        };
        let ip = match (self, view.ip()) {
            (_, IpAddr::V6(ip)) => ip,
            (Self::Inet6, IpAddr::V4(ip)) => ip.to_ipv6_mapped(),
            (Self::Inet, IpAddr::V4(ip)) => return Address::Inet { ip, port },
        };
        Address::Inet6 {
            ip,
            port,
            flow: 0,
            scope,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inet6(text: &str, scope: u32) -> Address {
        Address::Inet6 {
            ip: text.parse().unwrap(),
            port: 80,
            flow: 0,
            scope,
        }
    }

    #[test]
    fn ipv4_in_an_ipv6_socket_is_the_same_view() {
        let mapped = inet6("::ffff:127.0.0.1", 0);
        let view = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 80);
        assert_eq!(Family::Inet6.view(&mapped), Ok(view));
        assert_eq!(Family::Inet6.address(view), mapped);
        assert_eq!(Family::Inet.view(&Family::Inet.address(view)), Ok(view));
    }

    #[test]
    fn a_link_local_address_needs_its_link() {
        let family = Family::Inet6;
        assert_eq!(family.view(&inet6("fe80::1", 0)), Err(Errno::EINVAL));
        assert!(family.view(&inet6("fe80::1", 2)).is_ok());
        // A datagram to a group goes by a route if it has none.
        let group = inet6("ff02::1", 0);
        assert!(family.view(&group).is_ok());
        assert_eq!(family.check_scope(&group), Err(Errno::EINVAL));
        let of_a_link = inet6("ff02::1", 1);
        assert_eq!(family.check_scope(&of_a_link), Ok(()));
        let view = family.view(&of_a_link).unwrap();
        assert_eq!(family.address(view), of_a_link);
        assert_eq!(
            Family::Inet.view(&inet6("::1", 0)),
            Err(Errno::EAFNOSUPPORT)
        );
    }
}
