//! The socket calls: what the program says is what the kernel is told.

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use protocol::{Address, Control, Domain, Errno, Kind};
use rustix::net::{
    self, AddressFamily, Protocol, RawProtocol, RecvFlags, SendFlags, SocketAddrAny, SocketFlags,
    SocketType, sockopt,
};

use super::super::{Arrival, Detail, Endpoint, Names, Plug, Progress, control, errno, errno_of_io};
use crate::system;

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// Makes a socket in the network namespace of the calling thread.
pub(super) fn open(domain: Domain, kind: Kind) -> Result<Plug, Errno> {
    let family = match domain {
        Domain::Inet => AddressFamily::INET,
        Domain::Inet6 => AddressFamily::INET6,
        Domain::Unix => return Err(Errno::EAFNOSUPPORT),
    };
    let (socket_type, protocol) = match kind {
        Kind::Stream => (SocketType::STREAM, None),
        Kind::Datagram => (SocketType::DGRAM, None),
        Kind::Raw { protocol } => {
            // There is no raw socket of protocol 0 (`inet_create` in the kernel).
            let protocol = RawProtocol::new(protocol.into()).ok_or(Errno::EPROTONOSUPPORT)?;
            (SocketType::RAW, Some(Protocol::from_raw(protocol)))
        }
        Kind::Ping if domain == Domain::Inet => (SocketType::DGRAM, Some(net::ipproto::ICMP)),
        Kind::Ping => (SocketType::DGRAM, Some(net::ipproto::ICMPV6)),
        Kind::UdpLite => (SocketType::DGRAM, Some(net::ipproto::UDPLITE)),
    };
    let descriptor = net::socket_with(family, socket_type, FLAGS, protocol).map_err(errno)?;
    if kind == Kind::Stream {
        // What a program sends is sent at once, as the relay has collected it already.
        sockopt::set_tcp_nodelay(&descriptor, true).map_err(errno)?;
    }
    Ok(plug(descriptor, kind))
}

fn plug(descriptor: OwnedFd, kind: Kind) -> Plug {
    Plug {
        descriptor: Arc::new(descriptor),
        endpoint: Box::new(RealEndpoint { kind }),
    }
}

/// A place on a network whose addresses are those that the program sees.
#[derive(Debug)]
struct RealEndpoint {
    kind: Kind,
}

impl Endpoint for RealEndpoint {
    fn bind(&mut self, descriptor: BorrowedFd<'_>, address: &Address) -> Result<(), Errno> {
        let address = to_kernel(address)?.ok_or(Errno::EAFNOSUPPORT)?;
        net::bind(descriptor, &address).map_err(errno)
    }

    fn listen(&mut self, descriptor: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno> {
        net::listen(descriptor, backlog).map_err(errno)
    }

    fn accept(&mut self, descriptor: BorrowedFd<'_>) -> Result<Plug, Errno> {
        let accepted = net::accept_with(descriptor, FLAGS).map_err(errno)?;
        Ok(plug(accepted, self.kind))
    }

    fn connect(
        &mut self,
        descriptor: BorrowedFd<'_>,
        address: &Address,
    ) -> Result<Progress, Errno> {
        let connected = match (to_kernel(address)?, self.kind) {
            (Some(address), _) => match net::connect(descriptor, &address) {
                // The kernel speaks of the last attempt, which failed and whose error was taken. A blocking connect
                // leaves no such thing behind.
                Err(rustix::io::Errno::CONNABORTED) => net::connect(descriptor, &address),
                connected => connected,
            },
            (None, kind) if kind.has_datagrams() => net::connect_unspec(descriptor),
            (None, _) => return Err(Errno::EAFNOSUPPORT),
        };
        match connected {
            Ok(()) => Ok(Progress::Done),
            Err(rustix::io::Errno::INPROGRESS) => Ok(Progress::Pending),
            Err(error) => Err(errno(error)),
        }
    }

    fn names(&self, descriptor: BorrowedFd<'_>) -> Result<Names, Errno> {
        let local = net::getsockname(descriptor).map_err(errno)?;
        let peer = match net::getpeername(descriptor) {
            Ok(Some(peer)) => to_program(peer),
            // Not connected, or no longer.
            Ok(None) | Err(_) => Address::Unspecified,
        };
        Ok(Names {
            local: to_program(local),
            peer,
        })
    }

    fn send_to(
        &mut self,
        descriptor: BorrowedFd<'_>,
        payload: &[u8],
        address: &Address,
        controls: &[Control],
    ) -> Result<(), Errno> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let to = to_kernel(address)?;
        if !controls.is_empty() {
            let controls = control::encode(control::sendable(controls)?);
            return system::send_message(descriptor, payload, to, &controls)
                .map_err(|error| errno_of_io(&error));
        }
        match to {
            Some(address) => net::sendto(descriptor, payload, flags, &address),
            None => net::send(descriptor, payload, flags),
        }
        .map(drop)
        .map_err(errno)
    }

    fn receive_from(
        &mut self,
        descriptor: BorrowedFd<'_>,
        buffer: &mut [u8],
        detail: Detail,
    ) -> Result<Arrival, Errno> {
        if detail == Detail::Controls {
            let message = system::receive_message(descriptor, buffer);
            let message = message.map_err(|error| errno_of_io(&error))?;
            return Ok(Arrival {
                length: message.length,
                sender: Some(message.sender.map_or(Address::Unspecified, of_kernel)),
                controls: message.controls,
            });
        }
        let (length, _, sender) =
            net::recvfrom(descriptor, buffer, RecvFlags::DONTWAIT).map_err(errno)?;
        let sender = sender.map_or(Address::Unspecified, to_program);
        Ok(Arrival {
            length,
            sender: Some(sender),
            controls: Vec::new(),
        })
    }
}

/// The address as the kernel takes it; none for no address.
fn to_kernel(address: &Address) -> Result<Option<SocketAddr>, Errno> {
    match *address {
        Address::Unspecified => Ok(None),
        Address::Inet { ip, port } => Ok(Some(SocketAddrV4::new(ip, port).into())),
        Address::Inet6 {
            ip,
            port,
            flow,
            scope,
        } => Ok(Some(SocketAddrV6::new(ip, port, flow, scope).into())),
        Address::Unix(_) => Err(Errno::EAFNOSUPPORT),
    }
}

/// The address as the program sees it.
fn to_program(address: SocketAddrAny) -> Address {
    SocketAddr::try_from(address).map_or(Address::Unspecified, of_kernel)
}

fn of_kernel(address: SocketAddr) -> Address {
    match address {
        SocketAddr::V4(address) => address.into(),
        SocketAddr::V6(address) => Address::Inet6 {
            ip: *address.ip(),
            port: address.port(),
            flow: address.flowinfo(),
            scope: address.scope_id(),
        },
    }
}
