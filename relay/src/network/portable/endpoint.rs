//! The socket calls of an IPv4 socket whose addresses are translated.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

use protocol::{Address, Errno, Kind};
use rustix::net::{
    self, AddressFamily, RecvFlags, SendFlags, SocketAddrAny, SocketFlags, SocketType, sockopt,
};

use super::super::{Arrival, Endpoint, Names, Plug, Progress, errno};
use super::lock;
use super::table::{Dialled, Table};
use super::view::{Destination, Identity};

/// How many connections from outside the lab are turned away in one accept before it gives up for now.
const STRANGERS: usize = 64;

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// What a socket is connected with.
#[derive(Clone, Copy, Debug)]
struct Link {
    /// The view that it speaks from.
    from: Ipv4Addr,
    /// The peer, as the program knows it.
    to: SocketAddrV4,
    /// The two real ends, if this socket called.
    call: Option<(SocketAddrV4, SocketAddrV4)>,
}

/// A place on the network for one IPv4 socket.
#[derive(Debug)]
pub(super) struct InetEndpoint {
    table: Arc<Mutex<Table>>,
    host: Identity,
    kind: Kind,
    /// What the program bound it to, and the real address.
    bound: Option<(Ipv4Addr, SocketAddrV4)>,
    /// Whether the table knows that it can be reached there.
    reachable: bool,
    link: Option<Link>,
}

impl InetEndpoint {
    /// Makes a socket.
    pub(super) fn open(
        table: &Arc<Mutex<Table>>,
        host: Identity,
        kind: Kind,
    ) -> Result<Plug, Errno> {
        let socket_type = match kind {
            Kind::Stream => SocketType::STREAM,
            Kind::Datagram => SocketType::DGRAM,
        };
        let descriptor =
            net::socket_with(AddressFamily::INET, socket_type, FLAGS, None).map_err(errno)?;
        if kind == Kind::Stream {
            // What a program sends is sent at once, as the relay has collected it already.
            sockopt::set_tcp_nodelay(&descriptor, true).map_err(errno)?;
        }
        let endpoint = Self {
            table: Arc::clone(table),
            host,
            kind,
            bound: None,
            reachable: false,
            link: None,
        };
        Ok(Plug {
            descriptor,
            endpoint: Box::new(endpoint),
        })
    }

    fn bind_to(
        &mut self,
        descriptor: BorrowedFd<'_>,
        view: Ipv4Addr,
        port: u16,
    ) -> Result<(), Errno> {
        net::bind(descriptor, &SocketAddrV4::new(self.host.real, port)).map_err(errno)?;
        self.bound = Some((view, own_address(descriptor)?));
        if self.kind == Kind::Datagram {
            self.open_to_lab();
        }
        Ok(())
    }

    /// Notes that others of the lab can reach it: a listener, or a bound datagram socket.
    fn open_to_lab(&mut self) {
        if let Some((view, real)) = self.bound
            && !std::mem::replace(&mut self.reachable, true)
        {
            lock(&self.table).bind(self.kind.into(), real, view);
        }
    }

    /// The view that the program bound it to.
    fn bound_view(&self) -> Ipv4Addr {
        self.bound.map_or(Ipv4Addr::UNSPECIFIED, |(view, _)| view)
    }

    /// Finds where an address leads and what it is seen to come from.
    fn route(&self, to: SocketAddrV4) -> Result<(Destination, Ipv4Addr), Errno> {
        let destination = lock(&self.table).route(self.host, *to.ip())?;
        let from = self.host.source(self.bound_view(), destination)?;
        Ok((destination, from))
    }

    fn unlink(&mut self) {
        if let Some(call) = self.link.take().and_then(|link| link.call) {
            lock(&self.table).hang_up(call);
        }
    }

    fn connect_stream(
        &mut self,
        descriptor: BorrowedFd<'_>,
        to: SocketAddrV4,
    ) -> Result<Progress, Errno> {
        if self.link.is_some() && net::getpeername(descriptor).is_ok() {
            return Err(Errno::EISCONN);
        }
        self.unlink();
        let (destination, from) = self.route(to)?;
        let real = SocketAddrV4::new(destination.real, to.port());
        // An unbound socket would get 127.0.0.1 from the kernel, and nobody could tell whose it is.
        let own = match self.bound {
            Some((_, own)) => own,
            None => match own_address(descriptor)? {
                own if own.port() != 0 => own,
                _ => {
                    net::bind(descriptor, &SocketAddrV4::new(self.host.real, 0)).map_err(errno)?;
                    own_address(descriptor)?
                }
            },
        };
        let dialled = Dialled {
            from,
            to: destination.view,
        };
        let shared = Arc::clone(&self.table);
        // Held until the kernel has found the listener: it must not be gone by then, see `Table::bound`.
        let mut table = lock(&shared);
        if !table.admits(self.kind.into(), real, destination.view) {
            return Err(Errno::ECONNREFUSED);
        }
        table.dial((own, real), dialled);
        self.link = Some(Link {
            from,
            to: SocketAddrV4::new(destination.view, to.port()),
            call: Some((own, real)),
        });
        let connected = net::connect(descriptor, &real);
        drop(table);
        match connected {
            Ok(()) => Ok(Progress::Done),
            Err(rustix::io::Errno::INPROGRESS) => Ok(Progress::Pending),
            Err(error) => {
                self.unlink();
                Err(errno(error))
            }
        }
    }

    fn connect_datagram(
        &mut self,
        descriptor: BorrowedFd<'_>,
        to: SocketAddrV4,
    ) -> Result<Progress, Errno> {
        let (destination, from) = self.route(to)?;
        self.bind_if_unbound(descriptor)?;
        let real = SocketAddrV4::new(destination.real, to.port());
        net::connect(descriptor, &real).map_err(errno)?;
        self.note_sender(from);
        self.link = Some(Link {
            from,
            to: SocketAddrV4::new(destination.view, to.port()),
            call: None,
        });
        Ok(Progress::Done)
    }

    fn bind_if_unbound(&mut self, descriptor: BorrowedFd<'_>) -> Result<(), Errno> {
        match self.bound {
            Some(_) => Ok(()),
            None => self.bind_to(descriptor, Ipv4Addr::UNSPECIFIED, 0),
        }
    }

    fn note_sender(&self, from: Ipv4Addr) {
        if let Some((_, own)) = self.bound {
            lock(&self.table).sends_from(own, from);
        }
    }

    /// How a sender is seen, unless it is a stranger.
    fn sender(&self, real: SocketAddrV4) -> Option<SocketAddrV4> {
        if let Some(link) = self.link {
            return Some(link.to);
        }
        let table = lock(&self.table);
        let owner = table.owner(*real.ip())?;
        let view = if owner != self.host {
            owner.lab
        } else if self.bound_view().is_unspecified() {
            table.sender(real).unwrap_or(Ipv4Addr::LOCALHOST)
        } else {
            let known = table.sender(real);
            known.unwrap_or_else(|| self.host.neighbour(self.bound_view()))
        };
        Some(SocketAddrV4::new(view, real.port()))
    }
}

impl Endpoint for InetEndpoint {
    fn bind(&mut self, descriptor: BorrowedFd<'_>, address: &Address) -> Result<(), Errno> {
        let address = address.inet().ok_or(Errno::EAFNOSUPPORT)?;
        self.host.check_own(*address.ip())?;
        if self.bound.is_some() {
            return Err(Errno::EINVAL);
        }
        self.bind_to(descriptor, *address.ip(), address.port())
    }

    fn listen(&mut self, descriptor: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno> {
        if self.kind == Kind::Stream && self.link.is_none() {
            self.bind_if_unbound(descriptor)?;
        }
        net::listen(descriptor, backlog).map_err(errno)?;
        self.open_to_lab();
        Ok(())
    }

    fn accept(&mut self, descriptor: BorrowedFd<'_>) -> Result<Plug, Errno> {
        for _ in 0..STRANGERS {
            let (accepted, peer) = net::acceptfrom_with(descriptor, FLAGS).map_err(errno)?;
            let Some(peer) = peer.and_then(inet) else {
                continue;
            };
            let own = own_address(descriptor)?;
            let mut table = lock(&self.table);
            let Some(caller) = table.owner(*peer.ip()) else {
                // Somebody on the relay's machine, not of this lab. Dropping the descriptor turns them away.
                continue;
            };
            let bound = self.bound_view();
            let dialled = table.answer((peer, own)).unwrap_or_else(|| {
                let same = caller == self.host;
                let from = if same {
                    self.host.neighbour(bound)
                } else {
                    caller.lab
                };
                let to = if bound.is_unspecified() && !same {
                    self.host.lab
                } else if bound.is_unspecified() {
                    from
                } else {
                    bound
                };
                Dialled { from, to }
            });
            drop(table);
            return Ok(self.accepted(accepted, peer, dialled));
        }
        Err(Errno::EAGAIN)
    }

    fn connect(
        &mut self,
        descriptor: BorrowedFd<'_>,
        address: &Address,
    ) -> Result<Progress, Errno> {
        match (self.kind, address) {
            (Kind::Datagram, Address::Unspecified) => {
                net::connect_unspec(descriptor).map_err(errno)?;
                self.link = None;
                Ok(Progress::Done)
            }
            (Kind::Datagram, _) => {
                let to = address.inet().ok_or(Errno::EAFNOSUPPORT)?;
                self.connect_datagram(descriptor, to)
            }
            (Kind::Stream, _) => {
                let to = address.inet().ok_or(Errno::EAFNOSUPPORT)?;
                self.connect_stream(descriptor, to)
            }
        }
    }

    fn names(&self, descriptor: BorrowedFd<'_>) -> Result<Names, Errno> {
        let view = self.link.map_or(self.bound_view(), |link| link.from);
        let local = if self.bound.is_none() && self.link.is_none() {
            SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)
        } else {
            SocketAddrV4::new(view, own_address(descriptor)?.port())
        };
        let peer = match (self.link, net::getpeername(descriptor)) {
            (Some(link), Ok(Some(_))) => Address::from(link.to),
            (Some(_) | None, Ok(_) | Err(_)) => Address::Unspecified,
        };
        Ok(Names {
            local: local.into(),
            peer,
        })
    }

    fn send_to(
        &mut self,
        descriptor: BorrowedFd<'_>,
        payload: &[u8],
        address: &Address,
    ) -> Result<(), Errno> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let to = match (address, self.link) {
            (Address::Unspecified, Some(link)) => link.to,
            (Address::Unspecified, None) => return Err(Errno::EDESTADDRREQ),
            (_, _) => address.inet().ok_or(Errno::EAFNOSUPPORT)?,
        };
        let (destination, from) = self.route(to)?;
        self.bind_if_unbound(descriptor)?;
        let real = SocketAddrV4::new(destination.real, to.port());
        let shared = Arc::clone(&self.table);
        // Held until the datagram is there, as in `connect_stream`.
        let mut table = lock(&shared);
        if !table.admits(self.kind.into(), real, destination.view) {
            // As if the port were closed: only a connected socket is told (udp(7)).
            return match self.link {
                Some(_) => Err(Errno::ECONNREFUSED),
                None => Ok(()),
            };
        }
        let sent = if *address == Address::Unspecified {
            net::send(descriptor, payload, flags)
        } else {
            if let Some((_, own)) = self.bound {
                table.sends_from(own, from);
            }
            net::sendto(descriptor, payload, flags, &real)
        };
        sent.map(|_| ()).map_err(errno)
    }

    fn receive_from(
        &mut self,
        descriptor: BorrowedFd<'_>,
        buffer: &mut [u8],
    ) -> Result<Arrival, Errno> {
        let (length, _, sender) =
            net::recvfrom(descriptor, buffer, RecvFlags::DONTWAIT).map_err(errno)?;
        let sender = sender.and_then(inet).and_then(|real| self.sender(real));
        Ok(Arrival {
            length,
            sender: sender.map(Address::from),
        })
    }
}

impl InetEndpoint {
    fn accepted(&self, descriptor: OwnedFd, peer: SocketAddrV4, dialled: Dialled) -> Plug {
        let endpoint = Self {
            table: Arc::clone(&self.table),
            host: self.host,
            kind: self.kind,
            bound: None,
            reachable: false,
            link: Some(Link {
                from: dialled.to,
                to: SocketAddrV4::new(dialled.from, peer.port()),
                call: None,
            }),
        };
        Plug {
            descriptor,
            endpoint: Box::new(endpoint),
        }
    }
}

impl Drop for InetEndpoint {
    fn drop(&mut self) {
        self.unlink();
        if let Some((view, real)) = self.bound.filter(|_| self.reachable) {
            lock(&self.table).unbind(self.kind.into(), real, view);
        }
    }
}

/// The real address of a socket.
fn own_address(descriptor: BorrowedFd<'_>) -> Result<SocketAddrV4, Errno> {
    let address = net::getsockname(descriptor).map_err(errno)?;
    inet(address).ok_or(Errno::EAFNOSUPPORT)
}

fn inet(address: SocketAddrAny) -> Option<SocketAddrV4> {
    SocketAddrV4::try_from(address).ok()
}
