//! The socket calls of a UNIX socket.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::Waker;

use protocol::limits::MAX_UNIX_NAME;
use protocol::{Address, Control, Errno, Kind};
use rustix::net::{
    self, AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags,
    SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, sockopt,
};
use rustix::process::getpid;

use super::super::{Arrival, Detail, Endpoint, Names, Plug, Progress, Room, Sight, State, errno};
use super::Owner;
use super::registry::{Bond, Caller, Real, Table};

/// How many connections of strangers are turned away in one accept before it gives up for now.
const STRANGERS: usize = 64;

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// A place among a host's UNIX sockets.
#[derive(Debug)]
pub(super) struct UnixEndpoint {
    owner: Arc<Owner>,
    kind: Kind,
    /// Its real name, if it is bound by a bind(2) of its own.
    real: Option<Real>,
    /// What getsockname(2) tells, empty for nothing.
    name: Vec<u8>,
    /// Its peer.
    link: Option<Caller>,
    /// Whose queue was full when it last sent.
    crowded: Option<Real>,
}

impl UnixEndpoint {
    fn new(owner: &Arc<Owner>, kind: Kind) -> Self {
        Self {
            owner: Arc::clone(owner),
            kind,
            real: None,
            name: Vec::new(),
            link: None,
            crowded: None,
        }
    }

    /// Makes a socket.
    pub(super) fn open(owner: &Arc<Owner>, kind: Kind) -> Result<Plug, Errno> {
        let descriptor = net::socket_with(AddressFamily::UNIX, socket_type(kind)?, FLAGS, None)
            .map_err(errno)?;
        Self::new(owner, kind).plug(descriptor)
    }

    /// Makes two sockets that are connected with each other.
    pub(super) fn pair(owner: &Arc<Owner>, kind: Kind) -> Result<(Plug, Plug), Errno> {
        let (one, other) =
            net::socketpair(AddressFamily::UNIX, socket_type(kind)?, FLAGS, None).map_err(errno)?;
        let bond = Bond::default();
        let end = |descriptor| {
            let mut end = Self::new(owner, kind);
            end.link = Some(Caller {
                name: Vec::new(),
                pid: owner.pid,
                bond: bond.clone(),
            });
            end.plug(descriptor)
        };
        Ok((end(one)?, end(other)?))
    }

    fn plug(self, descriptor: OwnedFd) -> Result<Plug, Errno> {
        if self.kind == Kind::Datagram {
            // So that every datagram tells which process of the relay's machine has sent it.
            sockopt::set_socket_passcred(&descriptor, true).map_err(errno)?;
        }
        Ok(Plug {
            descriptor: Arc::new(descriptor),
            endpoint: Box::new(self),
        })
    }

    /// The socket that an address means.
    fn find(&self, table: &Table, name: &[u8]) -> Result<Real, Errno> {
        let real = match name.split_first() {
            None => return Err(Errno::EINVAL),
            Some((0, rest)) => table.find_abstract(rest)?,
            Some(_) => table.find(&self.owner.resolve(name))?,
        };
        table.check_kind(&real, self.kind)?;
        Ok(real)
    }

    fn caller(&self) -> Caller {
        Caller {
            name: self.name.clone(),
            pid: self.owner.pid,
            bond: Bond::default(),
        }
    }

    fn send(
        &mut self,
        descriptor: BorrowedFd<'_>,
        payload: &[u8],
        address: &Address,
    ) -> Result<(), Errno> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        if *address == Address::Unspecified {
            return match &self.link {
                Some(_) => net::send(descriptor, payload, flags)
                    .map(|_| ())
                    .map_err(errno),
                None => Err(Errno::ENOTCONN),
            };
        }
        let owner = Arc::clone(&self.owner);
        let table = owner.registry.hold();
        let real = self.find(&table, name_of(address)?)?;
        let to = SocketAddrUnix::new_abstract_name(&real).map_err(errno)?;
        match net::sendto(descriptor, payload, flags, &to) {
            Ok(_) => Ok(()),
            Err(error) => {
                self.crowded = Some(real);
                Err(errno(error))
            }
        }
    }
}

impl Endpoint for UnixEndpoint {
    fn bind(&mut self, descriptor: BorrowedFd<'_>, address: &Address) -> Result<(), Errno> {
        let name = name_of(address)?;
        if self.real.is_some() {
            return Err(Errno::EINVAL);
        }
        let owner = Arc::clone(&self.owner);
        let mut table = owner.registry.hold();
        let path = match name.split_first() {
            None => None,
            Some((0, rest)) => {
                table.check_free_abstract(rest)?;
                None
            }
            Some(_) => {
                let path = owner.resolve(name);
                table.check_free(&path)?;
                Some(path)
            }
        };
        let real = match real_name(descriptor)? {
            // The kernel has bound it already, to send its credentials.
            Some(real) => real,
            None => {
                net::bind(descriptor, &SocketAddrUnix::new_unnamed()).map_err(errno)?;
                real_name(descriptor)?.ok_or(Errno::EIO)?
            }
        };
        self.name = match name {
            // Whoever binds to nothing gets an abstract name from the kernel (unix(7), "Autobind feature").
            [] => [&[0], &real[..]].concat(),
            name => name.to_vec(),
        };
        match path {
            Some(path) => table.bind(path, &self.name, self.kind, &real),
            None => table.bind_abstract(&self.name, self.kind, &real),
        }
        self.real = Some(real);
        Ok(())
    }

    fn listen(&mut self, descriptor: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno> {
        net::listen(descriptor, backlog).map_err(errno)?;
        if let Some(real) = &self.real {
            self.owner.registry.hold().listens(real, self.owner.pid);
        }
        Ok(())
    }

    fn accept(&mut self, descriptor: BorrowedFd<'_>) -> Result<Plug, Errno> {
        let real = self.real.as_ref().ok_or(Errno::EINVAL)?;
        for _ in 0..STRANGERS {
            let mut table = self.owner.registry.hold();
            let accepted = net::accept_with(descriptor, FLAGS).map_err(errno)?;
            let sender = sockopt::socket_peercred(&accepted).map_err(errno)?;
            if sender.pid != getpid() {
                // Somebody on the relay's machine. Dropping the descriptor turns them away.
                continue;
            }
            let mut end = Self::new(&self.owner, self.kind);
            end.link = table.answered(real);
            end.name = self.name.clone();
            return end.plug(accepted);
        }
        Err(Errno::EAGAIN)
    }

    fn connect(
        &mut self,
        descriptor: BorrowedFd<'_>,
        address: &Address,
    ) -> Result<Progress, Errno> {
        if *address == Address::Unspecified && self.kind == Kind::Datagram {
            net::connect_unspec(descriptor).map_err(errno)?;
            self.link = None;
            return Ok(Progress::Done);
        }
        let owner = Arc::clone(&self.owner);
        // Held until the call is in the backlog and in the registry, so that both have the same order.
        let mut table = owner.registry.hold();
        let real = self.find(&table, name_of(address)?)?;
        let to = SocketAddrUnix::new_abstract_name(&real).map_err(errno)?;
        net::connect(descriptor, &to).map_err(errno)?;
        self.link = Some(match self.kind {
            Kind::Stream => table.called(&real, self.caller()),
            Kind::Datagram | Kind::Raw { .. } | Kind::Ping | Kind::UdpLite => Caller {
                name: table.name_of(&real).unwrap_or_default().to_vec(),
                pid: 0,
                bond: Bond::default(),
            },
        });
        self.crowded = Some(real);
        Ok(Progress::Done)
    }

    fn names(&self, _descriptor: BorrowedFd<'_>) -> Result<Names, Errno> {
        Ok(Names {
            local: Address::Unix(self.name.clone()),
            peer: match &self.link {
                Some(link) => Address::Unix(link.name.clone()),
                None => Address::Unspecified,
            },
        })
    }

    fn send_to(
        &mut self,
        descriptor: BorrowedFd<'_>,
        payload: &[u8],
        address: &Address,
        _controls: &[Control],
    ) -> Result<(), Errno> {
        self.send(descriptor, payload, address)
    }

    fn receive_from(
        &mut self,
        descriptor: BorrowedFd<'_>,
        buffer: &mut [u8],
        _detail: Detail,
    ) -> Result<Arrival, Errno> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(buffer)];
        let message = net::recvmsg(descriptor, &mut parts, &mut control, RecvFlags::DONTWAIT)
            .map_err(errno)?;
        let is_ours = control.drain().any(|part| match part {
            RecvAncillaryMessage::ScmCredentials(sender) => sender.pid == getpid(),
            _ => false,
        });
        let mut table = self.owner.registry.hold();
        if let Some(real) = &self.real {
            table.has_room(real);
        }
        let sender = message.address.and_then(real_of);
        let name = sender.and_then(|real| table.name_of(&real).map(<[u8]>::to_vec));
        Ok(Arrival {
            length: message.bytes,
            sender: is_ours.then(|| name.map_or(Address::Unspecified, Address::Unix)),
            controls: Vec::new(),
        })
    }

    fn await_room(&mut self, waker: &Waker) -> Room {
        if let Some(real) = &self.crowded {
            self.owner.registry.hold().await_room(real, waker);
        }
        Room::Told
    }

    fn peer_process(&self) -> Option<u32> {
        self.link.as_ref().map(|link| link.pid)
    }

    fn reset(&self, _descriptor: BorrowedFd<'_>) {
        if let Some(link) = &self.link {
            link.bond.reset();
        }
    }

    fn was_reset(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.bond.was_reset())
    }

    fn sight(&self, descriptor: BorrowedFd<'_>) -> Option<Sight> {
        let is_listening = sockopt::socket_acceptconn(descriptor).unwrap_or(false);
        let waiting = match &self.real {
            Some(real) if is_listening => self.owner.registry.hold().waiting(real),
            _ => rustix::io::ioctl_fionread(descriptor).unwrap_or(0),
        };
        Some(Sight {
            state: match &self.link {
                _ if is_listening => State::LISTEN,
                Some(_) => State::ESTABLISHED,
                None => State::default(),
            },
            receive: u32::try_from(waiting).unwrap_or(u32::MAX),
            send: 0,
        })
    }
}

impl Drop for UnixEndpoint {
    fn drop(&mut self) {
        if let Some(real) = &self.real {
            self.owner.registry.hold().close(real);
        }
    }
}

fn socket_type(kind: Kind) -> Result<SocketType, Errno> {
    match kind {
        Kind::Stream => Ok(SocketType::STREAM),
        Kind::Datagram => Ok(SocketType::DGRAM),
        Kind::Raw { .. } | Kind::Ping | Kind::UdpLite => Err(Errno::ESOCKTNOSUPPORT),
    }
}

/// The path or abstract name of an address.
fn name_of(address: &Address) -> Result<&[u8], Errno> {
    match address {
        Address::Unix(name) if MAX_UNIX_NAME < name.len() => Err(Errno::EINVAL),
        Address::Unix(name) => Ok(name),
        Address::Unspecified | Address::Inet { .. } | Address::Inet6 { .. } => Err(Errno::EINVAL),
    }
}

/// What the kernel calls a socket, if it is bound.
fn real_name(descriptor: BorrowedFd<'_>) -> Result<Option<Real>, Errno> {
    net::getsockname(descriptor).map(real_of).map_err(errno)
}

fn real_of(address: SocketAddrAny) -> Option<Real> {
    let address = SocketAddrUnix::try_from(address).ok()?;
    // An unbound socket's name is empty, or an abstract one of no bytes, which the kernel never draws.
    let name = address.abstract_name().filter(|name| !name.is_empty());
    name.map(<[u8]>::to_vec)
}
