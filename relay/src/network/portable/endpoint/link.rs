//! What a socket is connected with, and how it comes to be.

use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use protocol::Errno;
use rustix::net;

use super::super::super::{Plug, Progress, errno};
use super::super::lock;
use super::super::port::{self, own_address};
use super::super::table::Dialled;
use super::super::view::twin;
use super::InetEndpoint;

/// What a socket is connected with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The view that it speaks from.
    pub(super) from: IpAddr,
    /// The peer, as the program knows it.
    pub(super) to: SocketAddr,
    /// The peer, as the kernel knows it.
    pub(super) real: SocketAddrV4,
    /// The two real ends, if this socket called.
    pub(super) call: Option<(SocketAddrV4, SocketAddrV4)>,
}

impl InetEndpoint {
    /// Notes what it is connected with.
    pub(super) fn join(&mut self, link: Option<Link>) {
        self.link = link;
        if let Some(station) = &self.station {
            station.connected(link.map(|link| link.to));
        }
    }

    pub(super) fn unlink(&mut self) {
        if let Some(call) = self.link.take().and_then(|link| link.call) {
            lock(&self.table).hang_up(call);
        }
    }

    pub(super) fn connect_stream(
        &mut self,
        descriptor: BorrowedFd<'_>,
        to: SocketAddr,
    ) -> Result<Progress, Errno> {
        if self.link.is_some() && net::getpeername(descriptor).is_ok() {
            return Err(Errno::EISCONN);
        }
        self.unlink();
        let (destination, from) = self.route(to)?;
        // An unbound socket would get 127.0.0.1 from the kernel, and nobody could tell whose it is.
        let own = match self.bound {
            Some((_, own)) => own,
            None => match own_address(descriptor)? {
                own if own.port() != 0 => own,
                _ if from.is_ipv6() => port::bind(descriptor, twin(self.host.real), 0)?,
                _ => port::bind(descriptor, self.host.real, 0)?,
            },
        };
        let dialled = Dialled {
            from,
            to: destination.view,
        };
        let shared = Arc::clone(&self.table);
        // Held until the kernel has found the listener: it must not be gone by then, see `Table::bound`.
        let mut table = lock(&shared);
        let Some(real) = table.reach(self.transport, destination, to.port()) else {
            return Err(Errno::ECONNREFUSED);
        };
        table.dial((own, real), dialled);
        self.link = Some(Link {
            from,
            to: SocketAddr::new(destination.view, to.port()),
            real,
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

    pub(super) fn connect_datagram(
        &mut self,
        descriptor: BorrowedFd<'_>,
        to: SocketAddr,
    ) -> Result<Progress, Errno> {
        if let Some(cast) = self.cast(descriptor, to)? {
            self.bind_if_unbound(descriptor)?;
            // From now on it hears nobody: the descriptor speaks with itself.
            let real = own_address(descriptor)?;
            net::connect(descriptor, &real).map_err(errno)?;
            self.join(Some(Link {
                from: cast.from,
                to,
                real,
                call: None,
            }));
            return Ok(Progress::Done);
        }
        let (destination, from) = self.route(to)?;
        self.bind_if_unbound(descriptor)?;
        let reached = lock(&self.table).reach(self.transport, destination, to.port());
        let likeliest = destination.candidates().next().unwrap_or(destination.real);
        let real = reached.unwrap_or(SocketAddrV4::new(likeliest, to.port()));
        net::connect(descriptor, &real).map_err(errno)?;
        self.note_sender(from);
        self.join(Some(Link {
            from,
            to: SocketAddr::new(destination.view, to.port()),
            real,
            call: None,
        }));
        Ok(Progress::Done)
    }

    /// The peer of a connected datagram socket may be another socket than when it was connected, at another of its
    /// host's real addresses.
    pub(super) fn follow(
        &mut self,
        descriptor: BorrowedFd<'_>,
        real: SocketAddrV4,
    ) -> Result<(), Errno> {
        if let Some(link) = self.link.as_mut().filter(|link| link.real != real) {
            net::connect(descriptor, &real).map_err(errno)?;
            link.real = real;
        }
        Ok(())
    }

    pub(super) fn accepted(
        &self,
        descriptor: OwnedFd,
        peer: SocketAddrV4,
        dialled: Dialled,
    ) -> Plug {
        let endpoint = Self {
            table: Arc::clone(&self.table),
            host: self.host,
            family: self.family,
            transport: self.transport,
            station: None,
            stack: self.stack,
            bound: None,
            hold: None,
            reachable: false,
            link: Some(Link {
                from: dialled.to,
                to: SocketAddr::new(dialled.from, peer.port()),
                real: peer,
                call: None,
            }),
        };
        Plug {
            descriptor: Arc::new(descriptor),
            endpoint: Box::new(endpoint),
        }
    }
}
