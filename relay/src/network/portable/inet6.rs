//! The options of an IPv6 socket that is really an IPv4 one (ipv6(7)).

use std::os::fd::BorrowedFd;

use protocol::Errno;
use rustix::net::sockopt;

use super::super::option::{
    Allowed, IP_PKTINFO, IP_RECVTOS, IP_RECVTTL, IPV6_RECVHOPLIMIT, IPV6_RECVPKTINFO,
    IPV6_RECVTCLASS,
};
use super::super::{errno, errno_of_io};
use super::view::Stack;
use crate::system;

const SOL_SOCKET: i32 = 1;
const SO_DOMAIN: i32 = 39;
const AF_INET6: i32 = 10;

const IPPROTO_IPV6: i32 = 41;
const IPV6_UNICAST_HOPS: i32 = 16;
const IPV6_MULTICAST_HOPS: i32 = 18;
const IPV6_MULTICAST_LOOP: i32 = 19;
const IPV6_V6ONLY: i32 = 26;
const IPV6_TCLASS: i32 = 67;

/// How many hops a packet may take if nobody says otherwise (RFC 8200 leaves it to the system; Linux has 64).
const HOPS: u32 = 64;

/// Whether a socket has a port already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// It has.
    Bound,
    /// Not yet.
    Unbound,
}

/// getsockopt(2) of what an IPv4 socket does not have, or has otherwise.
pub(super) fn get(
    fd: BorrowedFd<'_>,
    stack: Stack,
    option: (i32, i32),
) -> Option<Result<i32, Errno>> {
    let number = match option {
        (SOL_SOCKET, SO_DOMAIN) => return Some(Ok(AF_INET6)),
        (IPPROTO_IPV6, IPV6_V6ONLY) => return Some(Ok(i32::from(stack == Stack::Single))),
        (IPPROTO_IPV6, IPV6_UNICAST_HOPS) => sockopt::ip_ttl(fd).map(signed),
        (IPPROTO_IPV6, IPV6_MULTICAST_HOPS) => sockopt::ip_multicast_ttl(fd).map(signed),
        (IPPROTO_IPV6, IPV6_MULTICAST_LOOP) => sockopt::ip_multicast_loop(fd).map(i32::from),
        (IPPROTO_IPV6, IPV6_TCLASS) => sockopt::ip_tos(fd).map(i32::from),
        (IPPROTO_IPV6, _) => return Some(get_twin(fd, option)),
        _ => return None,
    };
    Some(number.map_err(errno))
}

/// setsockopt(2) of the same.
pub(super) fn set(
    fd: BorrowedFd<'_>,
    stack: &mut Stack,
    port: Port,
    (level, name): (i32, i32),
    value: &[u8],
) -> Option<Result<(), Errno>> {
    if level != IPPROTO_IPV6 {
        return None;
    }
    let Some(&bytes) = value.first_chunk() else {
        return Some(Err(Errno::EINVAL));
    };
    let number = i32::from_le_bytes(bytes);
    let done = match name {
        IPV6_V6ONLY => {
            if port == Port::Bound {
                return Some(Err(Errno::EINVAL));
            }
            *stack = if number == 0 {
                Stack::Dual
            } else {
                Stack::Single
            };
            Ok(Ok(()))
        }
        IPV6_UNICAST_HOPS => in_range(number, HOPS).map(|hops| sockopt::set_ip_ttl(fd, hops)),
        IPV6_MULTICAST_HOPS => {
            in_range(number, 1).map(|hops| sockopt::set_ip_multicast_ttl(fd, hops))
        }
        IPV6_MULTICAST_LOOP => match number {
            0 | 1 => Ok(sockopt::set_ip_multicast_loop(fd, number == 1)),
            _ => Err(Errno::EINVAL),
        },
        IPV6_TCLASS => in_range(number, 0)
            .map(|class| sockopt::set_ip_tos(fd, u8::try_from(class).unwrap_or(u8::MAX))),
        _ => return Some(set_twin(fd, (level, name), number)),
    };
    Some(done.and_then(|done| done.map_err(errno)))
}

/// The option of IPv4 by which the kernel tells the same.
fn twin(option: (i32, i32)) -> Result<&'static Allowed, Errno> {
    let twin = match option {
        IPV6_RECVPKTINFO => IP_PKTINFO,
        IPV6_RECVHOPLIMIT => IP_RECVTTL,
        IPV6_RECVTCLASS => IP_RECVTOS,
        _ => return Err(Errno::ENOPROTOOPT),
    };
    Allowed::find(twin).ok_or(Errno::ENOPROTOOPT)
}

fn get_twin(fd: BorrowedFd<'_>, option: (i32, i32)) -> Result<i32, Errno> {
    let mut value = [0; 4];
    system::get_option(fd, twin(option)?, &mut value).map_err(|error| errno_of_io(&error))?;
    Ok(i32::from_ne_bytes(value))
}

fn set_twin(fd: BorrowedFd<'_>, option: (i32, i32), number: i32) -> Result<(), Errno> {
    let value = i32::from(number != 0).to_ne_bytes();
    system::set_option(fd, twin(option)?, &value).map_err(|error| errno_of_io(&error))
}

/// A number of hops or a class: 0 to 255, and -1 for the default.
fn in_range(number: i32, default: u32) -> Result<u32, Errno> {
    match number {
        -1 => Ok(default),
        0..=255 => Ok(number.unsigned_abs()),
        _ => Err(Errno::EINVAL),
    }
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
