//! Binding a descriptor to a port of its host.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use protocol::Errno;
use rustix::net::{self, AddressFamily, SocketAddrAny, SocketFlags, SocketType, sockopt};

use super::super::errno;
use super::table::Transport;
use super::view::twin;

/// How often a port is drawn that is free at both real addresses.
const DRAWS: usize = 32;

/// The flags of every descriptor.
pub(super) const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// Makes a descriptor.
pub(super) fn open(transport: Transport) -> Result<OwnedFd, Errno> {
    let (socket_type, protocol) = match transport {
        Transport::Tcp => (SocketType::STREAM, None),
        Transport::Udp => (SocketType::DGRAM, None),
        Transport::UdpLite => (SocketType::DGRAM, Some(net::ipproto::UDPLITE)),
    };
    net::socket_with(AddressFamily::INET, socket_type, FLAGS, protocol).map_err(errno)
}

/// Binds a descriptor to a port of one real address.
pub(super) fn bind(fd: BorrowedFd<'_>, real: Ipv4Addr, port: u16) -> Result<SocketAddrV4, Errno> {
    net::bind(fd, &SocketAddrV4::new(real, port)).map_err(errno)?;
    own_address(fd)
}

/// A port of a host's IPv6 ports that an IPv4 descriptor holds too. Nothing is ever sent to it: it only keeps others
/// away.
#[derive(Debug)]
pub(super) struct Hold {
    _descriptor: OwnedFd,
}

/// Binds a descriptor to a port of a host's IPv4 ports, and holds the same IPv6 port.
pub(super) fn bind_both(
    fd: BorrowedFd<'_>,
    transport: Transport,
    real: Ipv4Addr,
    port: u16,
) -> Result<(SocketAddrV4, Hold), Errno> {
    let mut draws = 0;
    loop {
        let held = open(transport)?;
        if sockopt::socket_reuseaddr(fd).map_err(errno)? {
            sockopt::set_socket_reuseaddr(&held, true).map_err(errno)?;
        }
        if sockopt::socket_reuseport(fd).map_err(errno)? {
            sockopt::set_socket_reuseport(&held, true).map_err(errno)?;
        }
        let there = bind(held.as_fd(), twin(real), port)?;
        draws += 1;
        match bind(fd, real, there.port()) {
            Ok(own) => return Ok((own, Hold { _descriptor: held })),
            // The port was drawn, and is taken by an IPv4 socket.
            Err(Errno::EADDRINUSE) if port == 0 && draws < DRAWS => {}
            Err(error) => return Err(error),
        }
    }
}

/// The real address of a descriptor.
pub(super) fn own_address(fd: BorrowedFd<'_>) -> Result<SocketAddrV4, Errno> {
    let address = net::getsockname(fd).map_err(errno)?;
    inet(address).ok_or(Errno::EAFNOSUPPORT)
}

/// An address that is certainly IPv4.
pub(super) fn inet(address: SocketAddrAny) -> Option<SocketAddrV4> {
    SocketAddrV4::try_from(address).ok()
}
