//! Which socket socket(2) is asked for.

use protocol::{Domain, Errno, Kind};

use super::sockaddr;

/// `AF_PACKET`.
const AF_PACKET: i32 = 17;
/// `SOCK_NONBLOCK` and `SOCK_CLOEXEC`, which may be mixed into a socket's type.
pub(crate) const TYPE_FLAGS: i32 = 0o4000 | 0o2_000_000;

/// What a program asks socket(2) for.
///
/// # Errors
///
/// As the call has them. Frames (packet(7)) are not to be had: whoever sends them can take over the hardware address of
/// any other host of the lab. They can be looked at in the lab's record.
pub(crate) fn asked(domain: i32, kind: i32, protocol: i32) -> Result<(Domain, Kind), Errno> {
    if domain == AF_PACKET {
        return Err(Errno::EPERM);
    }
    let domain = [Domain::Inet, Domain::Inet6, Domain::Unix]
        .into_iter()
        .find(|&each| domain == i32::from(sockaddr::family(each)))
        .ok_or(Errno::EAFNOSUPPORT)?;
    let kind = match (kind & !TYPE_FLAGS, domain, protocol) {
        // PF_UNIX is the only protocol of its own (unix(7)).
        (1, Domain::Unix, 0 | 1) => Kind::Stream,
        (2, Domain::Unix, 0 | 1) => Kind::Datagram,
        (1 | 2, Domain::Unix, _) => return Err(Errno::EPROTONOSUPPORT),
        (3..=5, Domain::Unix, _) => return Err(Errno::ESOCKTNOSUPPORT),
        (1, _, 0 | 6) => Kind::Stream,
        (2, _, 0 | 17) => Kind::Datagram,
        (2, _, 136) => Kind::UdpLite,
        (2, Domain::Inet, 1) | (2, Domain::Inet6, 58) => Kind::Ping,
        // There is no raw socket of protocol 0 (`inet_create` in the kernel).
        (1..=3, _, 0) => return Err(Errno::EPROTONOSUPPORT),
        (3, _, _) => Kind::Raw {
            protocol: u8::try_from(protocol).map_err(|_| Errno::EINVAL)?,
        },
        (1 | 2, _, _) => return Err(Errno::EPROTONOSUPPORT),
        _ => return Err(Errno::EINVAL),
    };
    Ok((domain, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_type_and_protocol() {
        let inet = |kind, protocol| asked(2, kind, protocol).map(|(_, kind)| kind);
        assert_eq!(inet(1 | TYPE_FLAGS, 6), Ok(Kind::Stream));
        assert_eq!(inet(2, 1), Ok(Kind::Ping));
        assert_eq!(inet(2, 136), Ok(Kind::UdpLite));
        assert_eq!(asked(10, 2, 136), Ok((Domain::Inet6, Kind::UdpLite)));
        assert_eq!(inet(3, 1), Ok(Kind::Raw { protocol: 1 }));
        assert_eq!(asked(10, 2, 58), Ok((Domain::Inet6, Kind::Ping)));
        assert_eq!(asked(1, 1, 0), Ok((Domain::Unix, Kind::Stream)));
        assert_eq!(asked(1, 2, 1), Ok((Domain::Unix, Kind::Datagram)));
    }

    #[test]
    fn what_there_is_not_is_refused_as_by_linux() {
        assert_eq!(asked(2, 3, 0), Err(Errno::EPROTONOSUPPORT));
        assert_eq!(asked(2, 1, 1), Err(Errno::EPROTONOSUPPORT));
        assert_eq!(asked(2, 1, 136), Err(Errno::EPROTONOSUPPORT));
        assert_eq!(asked(2, 3, 256), Err(Errno::EINVAL));
        assert_eq!(asked(2, 4, 0), Err(Errno::EINVAL));
        assert_eq!(asked(17, 3, 768), Err(Errno::EPERM));
        assert_eq!(asked(1, 1, 6), Err(Errno::EPROTONOSUPPORT));
        assert_eq!(asked(1, 5, 0), Err(Errno::ESOCKTNOSUPPORT));
        assert_eq!(asked(99, 1, 0), Err(Errno::EAFNOSUPPORT));
    }
}
