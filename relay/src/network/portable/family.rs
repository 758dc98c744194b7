//! The family of a socket: how its program writes addresses, and which views they are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use protocol::{Address, Errno};

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

    /// The view and the port that an address means.
    ///
    /// # Errors
    ///
    /// `EAFNOSUPPORT`: it is of another family. `EINVAL`: it is link-local and does not say of which link (ipv6(7)).
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
                Ok(SocketAddr::new(ip.to_canonical(), port))
            }
            (Self::Inet | Self::Inet6, _) => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// How the program sees a view and a port: IPv4 in an IPv6 socket is mapped (RFC 4291, section 2.5.5.2).
    pub(super) fn address(self, view: SocketAddr) -> Address {
        let port = view.port();
        let ip = match (self, view.ip()) {
            (_, IpAddr::V6(ip)) => ip,
            (Self::Inet6, IpAddr::V4(ip)) => ip.to_ipv6_mapped(),
            (Self::Inet, IpAddr::V4(ip)) => return Address::Inet { ip, port },
        };
        Address::Inet6 {
            ip,
            port,
            flow: 0,
            scope: 0,
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
        assert_eq!(
            Family::Inet.view(&inet6("::1", 0)),
            Err(Errno::EAFNOSUPPORT)
        );
    }
}
