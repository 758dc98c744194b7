//! Where a client is, as far as quotas tell clients apart.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An address that counts as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one subscriber
/// has at least (RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Client(IpAddr);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let subscriber = u128::MAX << 64;
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & subscriber))
            }
        })
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Client {
        Client::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_subscriber_is_one_client() {
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:2"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }

    #[test]
    fn a_mapped_address_is_the_one_it_maps() {
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }
}
