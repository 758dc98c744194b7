//! Socket options, by Linux's numbers (socket(7), tcp(7), ip(7)).
//!
//! Only what a program may have is here, each option with its type; everything else is `ENOPROTOOPT`. Time-outs of
//! calls (`SO_RCVTIMEO`, `SO_SNDTIMEO`) are the business of the process, where calls wait.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use protocol::{Errno, Kind};
use rustix::net::sockopt;
use socket2::SockRef;

use crate::network::errno;

const SOL_IP: i32 = 0;
const SOL_SOCKET: i32 = 1;
const SOL_TCP: i32 = 6;

const SO_REUSEADDR: i32 = 2;
const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_BROADCAST: i32 = 6;
const SO_SNDBUF: i32 = 7;
const SO_RCVBUF: i32 = 8;
const SO_KEEPALIVE: i32 = 9;
const SO_OOBINLINE: i32 = 10;
const SO_LINGER: i32 = 13;
const SO_REUSEPORT: i32 = 15;
const SO_PEERCRED: i32 = 17;
const SO_ACCEPTCONN: i32 = 30;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;

const TCP_NODELAY: i32 = 1;
const TCP_MAXSEG: i32 = 2;
const TCP_CORK: i32 = 3;
const TCP_KEEPIDLE: i32 = 4;
const TCP_KEEPINTVL: i32 = 5;
const TCP_KEEPCNT: i32 = 6;
const TCP_QUICKACK: i32 = 12;
const TCP_USER_TIMEOUT: i32 = 18;

const IP_TOS: i32 = 1;
const IP_TTL: i32 = 2;
const IP_HDRINCL: i32 = 3;
const IP_MULTICAST_TTL: i32 = 33;
const IP_MULTICAST_LOOP: i32 = 34;

/// `SO_PEERCRED`, which only UNIX sockets have.
pub(super) const PEERCRED: (i32, i32) = (SOL_SOCKET, SO_PEERCRED);

/// A `struct ucred`: the peer's process, and root, which every process of a host runs as; nobody without a peer.
pub(super) fn credentials(peer: Option<u32>, length: u32) -> Vec<u8> {
    let user = match peer {
        Some(_) => 0,
        None => u32::MAX,
    };
    let fields = [peer.unwrap_or(0), user, user];
    let mut value = fields.map(u32::to_le_bytes).concat();
    value.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    value
}

/// What the program set that the descriptor does not have as it was set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    /// `TCP_NODELAY`, which is really always on.
    nodelay: bool,
    /// `SO_OOBINLINE`. The process puts urgent bytes where they belong: told beside the stream, they cannot be missed.
    inline: bool,
    /// `SO_LINGER`. A descriptor that lingers would block the relay when it is closed.
    linger: Option<i32>,
}

impl Wishes {
    /// Whether closing means to reset the connection.
    pub(super) fn resets_on_close(self) -> bool {
        self.linger == Some(0)
    }
}

/// getsockopt(2): the value, cut to `length`.
pub(super) fn get(
    fd: BorrowedFd<'_>,
    kind: Kind,
    wishes: &Wishes,
    option: (i32, i32),
    length: u32,
) -> Result<Vec<u8>, Errno> {
    let mut value = match option {
        (SOL_SOCKET, SO_LINGER) => {
            let (on, seconds) = (wishes.linger.is_some(), wishes.linger.unwrap_or(0));
            [i32::from(on).to_le_bytes(), seconds.to_le_bytes()].concat()
        }
        (SOL_SOCKET, SO_OOBINLINE) => i32::from(wishes.inline).to_le_bytes().to_vec(),
        (SOL_TCP, TCP_NODELAY) if kind == Kind::Stream => {
            i32::from(wishes.nodelay).to_le_bytes().to_vec()
        }
        _ => read(fd, kind, option)?.to_le_bytes().to_vec(),
    };
    value.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    Ok(value)
}

/// A number as the program's buffer of this length gets it.
pub(super) fn value(number: i32, length: u32) -> Vec<u8> {
    let mut value = number.to_le_bytes().to_vec();
    value.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    value
}

fn read(fd: BorrowedFd<'_>, kind: Kind, option: (i32, i32)) -> Result<i32, Errno> {
    let number = match option {
        (SOL_SOCKET, SO_REUSEADDR) => sockopt::socket_reuseaddr(fd).map(i32::from),
        (SOL_SOCKET, SO_REUSEPORT) => sockopt::socket_reuseport(fd).map(i32::from),
        (SOL_SOCKET, SO_BROADCAST) => sockopt::socket_broadcast(fd).map(i32::from),
        (SOL_SOCKET, SO_KEEPALIVE) => sockopt::socket_keepalive(fd).map(i32::from),
        (SOL_SOCKET, SO_ACCEPTCONN) => sockopt::socket_acceptconn(fd).map(i32::from),
        (SOL_SOCKET, SO_SNDBUF) => sockopt::socket_send_buffer_size(fd).map(signed),
        (SOL_SOCKET, SO_RCVBUF) => sockopt::socket_recv_buffer_size(fd).map(signed),
        (SOL_SOCKET, SO_TYPE) => Ok(kind.number()),
        (SOL_SOCKET, SO_DOMAIN) => {
            sockopt::socket_domain(fd).map(|domain| i32::from(domain.as_raw()))
        }
        (SOL_SOCKET, SO_PROTOCOL) => sockopt::socket_protocol(fd)
            .map(|protocol| protocol.map_or(0, |protocol| signed(protocol.as_raw().get()))),
        (SOL_SOCKET, SO_ERROR) => sockopt::socket_error(fd)
            .map(|error| error.err().map_or(0, rustix::io::Errno::raw_os_error)),
        (SOL_TCP, _) if kind == Kind::Stream => return read_tcp(fd, option.1),
        (SOL_IP, IP_TTL) => sockopt::ip_ttl(fd).map(signed),
        (SOL_IP, IP_HDRINCL) => {
            return SockRef::from(&fd)
                .header_included_v4()
                .map(i32::from)
                .map_err(|error| of_io(&error));
        }
        (SOL_IP, IP_TOS) => sockopt::ip_tos(fd).map(i32::from),
        (SOL_IP, IP_MULTICAST_TTL) => sockopt::ip_multicast_ttl(fd).map(signed),
        (SOL_IP, IP_MULTICAST_LOOP) => sockopt::ip_multicast_loop(fd).map(i32::from),
        _ => return Err(Errno::ENOPROTOOPT),
    };
    number.map_err(errno)
}

fn read_tcp(fd: BorrowedFd<'_>, name: i32) -> Result<i32, Errno> {
    let number = match name {
        TCP_MAXSEG => {
            return SockRef::from(&fd)
                .tcp_mss()
                .map(signed)
                .map_err(|error| of_io(&error));
        }
        TCP_CORK => sockopt::tcp_cork(fd).map(i32::from),
        TCP_KEEPIDLE => sockopt::tcp_keepidle(fd).map(whole_seconds),
        TCP_KEEPINTVL => sockopt::tcp_keepintvl(fd).map(whole_seconds),
        TCP_KEEPCNT => sockopt::tcp_keepcnt(fd).map(signed),
        TCP_QUICKACK => sockopt::tcp_quickack(fd).map(i32::from),
        TCP_USER_TIMEOUT => sockopt::tcp_user_timeout(fd).map(signed),
        _ => return Err(Errno::ENOPROTOOPT),
    };
    number.map_err(errno)
}

/// setsockopt(2).
pub(super) fn set(
    fd: BorrowedFd<'_>,
    kind: Kind,
    wishes: &mut Wishes,
    option: (i32, i32),
    value: &[u8],
) -> Result<(), Errno> {
    match option {
        (SOL_SOCKET, SO_LINGER) => {
            let (on, seconds) = (number(value)?, number(value.get(4..).unwrap_or(&[]))?);
            wishes.linger = (on != 0).then_some(seconds);
            Ok(())
        }
        (SOL_SOCKET, SO_OOBINLINE) => {
            wishes.inline = number(value)? != 0;
            Ok(())
        }
        (SOL_TCP, TCP_NODELAY) if kind == Kind::Stream => {
            wishes.nodelay = number(value)? != 0;
            Ok(())
        }
        (SOL_TCP, name) if kind == Kind::Stream => write_tcp(fd, name, number(value)?),
        (SOL_IP, _) => {
            // These also take a single byte (ip(7)).
            let number = match value {
                [byte] => i32::from(*byte),
                _ => number(value)?,
            };
            write(fd, option, number)
        }
        _ => write(fd, option, number(value)?),
    }
}

fn write(fd: BorrowedFd<'_>, option: (i32, i32), number: i32) -> Result<(), Errno> {
    let on = number != 0;
    let done = match option {
        (SOL_SOCKET, SO_REUSEADDR) => sockopt::set_socket_reuseaddr(fd, on),
        (SOL_SOCKET, SO_REUSEPORT) => sockopt::set_socket_reuseport(fd, on),
        (SOL_SOCKET, SO_BROADCAST) => sockopt::set_socket_broadcast(fd, on),
        (SOL_SOCKET, SO_KEEPALIVE) => sockopt::set_socket_keepalive(fd, on),
        (SOL_SOCKET, SO_SNDBUF) => sockopt::set_socket_send_buffer_size(fd, size(number)),
        (SOL_SOCKET, SO_RCVBUF) => sockopt::set_socket_recv_buffer_size(fd, size(number)),
        (SOL_IP, IP_TTL) => sockopt::set_ip_ttl(fd, unsigned(number)?),
        (SOL_IP, IP_HDRINCL) => {
            return SockRef::from(&fd)
                .set_header_included_v4(on)
                .map_err(|error| of_io(&error));
        }
        (SOL_IP, IP_TOS) => sockopt::set_ip_tos(fd, u8::try_from(number & 0xff).unwrap_or(u8::MAX)),
        (SOL_IP, IP_MULTICAST_TTL) => {
            // -1 is the default (ip(7)).
            let ttl = if number == -1 { 1 } else { unsigned(number)? };
            sockopt::set_ip_multicast_ttl(fd, ttl)
        }
        (SOL_IP, IP_MULTICAST_LOOP) => sockopt::set_ip_multicast_loop(fd, on),
        _ => return Err(Errno::ENOPROTOOPT),
    };
    done.map_err(errno)
}

fn write_tcp(fd: BorrowedFd<'_>, name: i32, number: i32) -> Result<(), Errno> {
    let done = match name {
        TCP_MAXSEG => {
            return SockRef::from(&fd)
                .set_tcp_mss(unsigned(number)?)
                .map_err(|error| of_io(&error));
        }
        TCP_CORK => sockopt::set_tcp_cork(fd, number != 0),
        TCP_KEEPIDLE => sockopt::set_tcp_keepidle(fd, seconds(number)?),
        TCP_KEEPINTVL => sockopt::set_tcp_keepintvl(fd, seconds(number)?),
        TCP_KEEPCNT => sockopt::set_tcp_keepcnt(fd, unsigned(number)?),
        TCP_QUICKACK => sockopt::set_tcp_quickack(fd, number != 0),
        TCP_USER_TIMEOUT => sockopt::set_tcp_user_timeout(fd, unsigned(number)?),
        _ => return Err(Errno::ENOPROTOOPT),
    };
    done.map_err(errno)
}

/// The number at the start of a value. A shorter value is `EINVAL`, as the kernel has it.
fn number(value: &[u8]) -> Result<i32, Errno> {
    let bytes = value.first_chunk().ok_or(Errno::EINVAL)?;
    Ok(i32::from_le_bytes(*bytes))
}

fn unsigned(number: i32) -> Result<u32, Errno> {
    u32::try_from(number).map_err(|_| Errno::EINVAL)
}

fn seconds(number: i32) -> Result<Duration, Errno> {
    Ok(Duration::from_secs(unsigned(number)?.into()))
}

/// The kernel halves nothing: it takes a negative size for a huge one, and cuts it to its limit.
fn size(number: i32) -> usize {
    usize::try_from(number).unwrap_or(i32::MAX as usize / 2)
}

fn signed(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

fn whole_seconds(duration: Duration) -> i32 {
    signed(duration.as_secs())
}

fn of_io(error: &std::io::Error) -> Errno {
    rustix::io::Errno::from_io_error(error).map_or(Errno::EIO, errno)
}
