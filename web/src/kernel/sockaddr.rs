//! `struct sockaddr` as it lies in the program's memory (ip(7)).
//!
//! The interpreter's C code holds IPv4 addresses only. One of another family has its *handle* in the place of what it
//! says (`addresses`): towards the program behind its family, of which C code hands on all bytes that it does not know;
//! from the program as the IPv4 address in the calls on a socket of such a family.

use std::net::{IpAddr, Ipv4Addr};

use protocol::{Address, Domain, Errno};

use super::addresses::Addresses;

/// `AF_UNSPEC`.
pub(crate) const AF_UNSPEC: u16 = 0;
/// `AF_UNIX`.
pub(crate) const AF_UNIX: u16 = 1;
/// `AF_INET`.
pub(crate) const AF_INET: u16 = 2;
/// `AF_INET6`.
pub(crate) const AF_INET6: u16 = 10;
/// The length of a `struct sockaddr_in`, in bytes, and of what stands for the others.
pub(crate) const SOCKADDR: u32 = 16;

/// The family of a socket of this domain.
pub(crate) fn family(domain: Domain) -> u16 {
    match domain {
        Domain::Inet => AF_INET,
        Domain::Inet6 => AF_INET6,
        Domain::Unix => AF_UNIX,
    }
}

/// Reads the address of a call on a socket of this domain.
///
/// # Errors
///
/// `EINVAL` if it is too short or its handle is unknown, `EAFNOSUPPORT` if it is of a family that C code cannot name.
pub(crate) fn decode(
    bytes: &[u8],
    domain: Domain,
    addresses: &Addresses,
) -> Result<Address, Errno> {
    let (&family, rest) = bytes.split_first_chunk::<2>().ok_or(Errno::EINVAL)?;
    let known = |handle| addresses.get(handle).cloned().ok_or(Errno::EINVAL);
    match (u16::from_le_bytes(family), domain) {
        (AF_UNSPEC, _) => Ok(Address::Unspecified),
        (AF_INET, _) => {
            let &[p0, p1, a, b, c, d] = rest.first_chunk().ok_or(Errno::EINVAL)?;
            if domain != Domain::Inet {
                return known(u32::from_be_bytes([a, b, c, d]));
            }
            Ok(Address::Inet {
                ip: Ipv4Addr::new(a, b, c, d),
                port: u16::from_be_bytes([p0, p1]),
            })
        }
        (AF_INET6 | AF_UNIX, _) => {
            let &handle = rest.first_chunk().ok_or(Errno::EINVAL)?;
            known(u32::from_le_bytes(handle))
        }
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

/// The bytes of an address; empty for none.
pub(crate) fn encode(address: &Address, addresses: &mut Addresses) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SOCKADDR as usize);
    match address {
        Address::Unspecified => return bytes,
        Address::Inet { ip, port } => {
            bytes.extend(AF_INET.to_le_bytes());
            bytes.extend(port.to_be_bytes());
            bytes.extend(ip.octets());
        }
        Address::Inet6 { .. } | Address::Unix(_) => {
            let family = match address {
                Address::Unix(_) => AF_UNIX,
                _ => AF_INET6,
            };
            bytes.extend(family.to_le_bytes());
            bytes.extend(addresses.handle(address).to_le_bytes());
        }
    }
    bytes.resize(SOCKADDR as usize, 0);
    bytes
}

/// Whether an address is for many: a group's, or that of everybody on a network, whose last byte is 255 on every network
/// that a host of a lab has.
pub(crate) fn is_for_many(address: &Address) -> bool {
    let ip = match *address {
        Address::Inet { ip, .. } => IpAddr::V4(ip),
        Address::Inet6 { ip, .. } => ip.to_canonical(),
        Address::Unspecified | Address::Unix(_) => return false,
    };
    match ip {
        IpAddr::V4(ip) => ip.is_multicast() || ip.octets()[3] == 255,
        IpAddr::V6(ip) => ip.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_everybody_are_many() {
        let is_many = |ip: &str| {
            let (port, flow, scope) = (8888, 0, 0);
            is_for_many(&match ip.parse().unwrap() {
                IpAddr::V4(ip) => Address::Inet { ip, port },
                IpAddr::V6(ip) => Address::Inet6 {
                    ip,
                    port,
                    flow,
                    scope,
                },
            })
        };
        for ip in [
            "224.0.0.1",
            "255.255.255.255",
            "10.0.0.255",
            "ff02::1",
            "::ffff:239.1.2.3",
        ] {
            assert!(is_many(ip), "{ip}");
        }
        for ip in [
            "10.0.0.1",
            "127.0.0.1",
            "fd00::ff",
            "::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_many(ip), "{ip}");
        }
    }

    #[test]
    fn an_address_comes_back() {
        let mut addresses = Addresses::default();
        let address = Address::Inet {
            ip: Ipv4Addr::new(10, 0, 0, 2),
            port: 8888,
        };
        let bytes = encode(&address, &mut addresses);
        assert_eq!(bytes[..8], [2, 0, 0x22, 0xb8, 10, 0, 0, 2]);
        assert_eq!(decode(&bytes, Domain::Inet, &addresses), Ok(address));
    }

    #[test]
    fn an_address_of_another_family_is_its_handle() {
        let mut addresses = Addresses::default();
        let address = Address::Inet6 {
            ip: std::net::Ipv6Addr::LOCALHOST,
            port: 8888,
            flow: 0,
            scope: 0,
        };
        let bytes = encode(&address, &mut addresses);
        assert_eq!(bytes[..6], [10, 0, 1, 0, 0, 0]);
        let decoded = decode(&bytes, Domain::Inet6, &addresses);
        assert_eq!(decoded, Ok(address.clone()));
        let laid = [2, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(decode(&laid, Domain::Inet6, &addresses), Ok(address));
        let unknown = [2, 0, 0, 0, 0, 0, 0, 2];
        let refused = decode(&unknown, Domain::Inet6, &addresses);
        assert_eq!(refused, Err(Errno::EINVAL));
    }

    #[test]
    fn a_foreign_family_is_refused() {
        let addresses = Addresses::default();
        let decoded = |bytes: &[u8]| decode(bytes, Domain::Inet, &addresses);
        assert_eq!(decoded(&[17, 0, 0, 0]), Err(Errno::EAFNOSUPPORT));
        assert_eq!(decoded(&[2]), Err(Errno::EINVAL));
    }
}
