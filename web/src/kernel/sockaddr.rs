//! `struct sockaddr` as it lies in the program's memory (ip(7)).

use std::net::Ipv4Addr;

use protocol::{Address, Errno};

/// `AF_UNSPEC`.
pub(crate) const AF_UNSPEC: u16 = 0;
/// `AF_INET`.
pub(crate) const AF_INET: u16 = 2;
/// The length of a `struct sockaddr_in`, in bytes.
pub(crate) const SOCKADDR_IN: u32 = 16;

/// Reads a socket address.
///
/// # Errors
///
/// `EINVAL` if it is too short, `EAFNOSUPPORT` if it is of a family this build of the interpreter does not have.
pub(crate) fn decode(bytes: &[u8]) -> Result<Address, Errno> {
    let (&family, rest) = bytes.split_first_chunk::<2>().ok_or(Errno::EINVAL)?;
    match u16::from_le_bytes(family) {
        AF_UNSPEC => Ok(Address::Unspecified),
        AF_INET => {
            let &[p0, p1, a, b, c, d] = rest.first_chunk().ok_or(Errno::EINVAL)?;
            Ok(Address::Inet {
                ip: Ipv4Addr::new(a, b, c, d),
                port: u16::from_be_bytes([p0, p1]),
            })
        }
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

/// The bytes of a socket address; empty for one that this build cannot show.
pub(crate) fn encode(address: &Address) -> Vec<u8> {
    let Some(inet) = address.inet() else {
        return Vec::new();
    };
    let mut bytes = Vec::with_capacity(SOCKADDR_IN as usize);
    bytes.extend(AF_INET.to_le_bytes());
    bytes.extend(inet.port().to_be_bytes());
    bytes.extend(inet.ip().octets());
    bytes.resize(SOCKADDR_IN as usize, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back() {
        let address = Address::Inet {
            ip: Ipv4Addr::new(10, 0, 0, 2),
            port: 8888,
        };
        let bytes = encode(&address);
        assert_eq!(bytes[..8], [2, 0, 0x22, 0xb8, 10, 0, 0, 2]);
        assert_eq!(decode(&bytes), Ok(address));
    }

    #[test]
    fn a_foreign_family_is_refused() {
        assert_eq!(decode(&[10, 0, 0, 0]), Err(Errno::EAFNOSUPPORT));
        assert_eq!(decode(&[2]), Err(Errno::EINVAL));
    }
}
