//! Addresses as the kernel lays them out (ip(7), ipv6(7)), for calls that nothing safe makes.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// The length of the longest, a `sockaddr_in6`.
pub(crate) const MOST: usize = 28;

/// `AF_INET` (socket(2)).
const INET: u16 = 2;
/// `AF_INET6` (socket(2)).
const INET6: u16 = 10;

/// Lays an address out.
pub(crate) fn encode(address: SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MOST);
    match address {
        SocketAddr::V4(address) => {
            bytes.extend(INET.to_ne_bytes());
            bytes.extend(address.port().to_be_bytes());
            bytes.extend(address.ip().octets());
            bytes.extend([0; 8]);
        }
        SocketAddr::V6(address) => {
            bytes.extend(INET6.to_ne_bytes());
            bytes.extend(address.port().to_be_bytes());
            bytes.extend(address.flowinfo().to_be_bytes());
            bytes.extend(address.ip().octets());
            bytes.extend(address.scope_id().to_ne_bytes());
        }
    }
    bytes
}

/// Reads an address; none if it is of another family.
pub(crate) fn decode(bytes: &[u8]) -> Option<SocketAddr> {
    let (family, rest) = bytes.split_first_chunk()?;
    let (port, rest) = rest.split_first_chunk()?;
    let port = u16::from_be_bytes(*port);
    match u16::from_ne_bytes(*family) {
        INET => {
            let ip: &[u8; 4] = rest.first_chunk()?;
            Some(SocketAddrV4::new(Ipv4Addr::from(*ip), port).into())
        }
        INET6 => {
            let (flow, rest) = rest.split_first_chunk()?;
            let (ip, rest): (&[u8; 16], _) = rest.split_first_chunk()?;
            let (flow, scope) = (
                u32::from_be_bytes(*flow),
                u32::from_ne_bytes(*rest.first_chunk()?),
            );
            Some(SocketAddrV6::new(Ipv6Addr::from(*ip), port, flow, scope).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back() {
        let inet6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 8, 0x1_2345, 2);
        for address in ["127.1.2.3:80".parse().unwrap(), inet6.into()] {
            let bytes = encode(address);
            assert!(bytes.len() <= MOST);
            assert_eq!(decode(&bytes), Some(address));
            assert_eq!(decode(&bytes[..7]), None);
        }
        assert_eq!(decode(&[1, 0, b'/']), None);
    }
}
