//! What a lab's network must do.
//!
//! The rest of the relay handles sockets by their descriptors and knows addresses only as programs see them. Which
//! addresses stand behind those, and what makes one lab unreachable from another, only the implementations of these
//! traits know. Every method is instant, but for [`LabNetwork::join`]: nothing else here waits.

pub(crate) mod control;
mod inspector;
mod link;
mod namespaces;
pub(crate) mod option;
mod portable;
pub(crate) mod sockaddr;
pub mod switch;
pub(crate) mod unix;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use protocol::{Address, Control, Domain, Errno, HostName, Kind};
use rustix::net::RecvFlags;

pub(crate) use self::control::Detail;
use self::namespaces::Namespaces;
use self::portable::Portable;
use self::switch::conditions::Conditions;
use crate::capture::Capture;
use crate::config::NetworkKind;

pub use self::link::{Link, NoLinks};
pub(crate) use self::namespaces::Obstacle;
pub(crate) use inspector::{Inspector, Sight, State};

/// Makes networks for labs.
pub(crate) trait Network: fmt::Debug + Send + Sync {
    /// Makes the network of a new lab.
    fn lab(&self) -> Arc<dyn LabNetwork>;
}

/// The network of one lab. It lasts as long as any of its hosts.
pub(crate) trait LabNetwork: fmt::Debug + Send + Sync {
    /// Makes a host, for which the calling thread may wait some milliseconds. The caller sees to it that no two hosts of a
    /// lab have the same name.
    ///
    /// # Errors
    ///
    /// There is no room for another host.
    fn join(&self, name: &HostName) -> io::Result<Arc<dyn Host>>;

    /// The record of what goes over the lab's links.
    ///
    /// # Errors
    ///
    /// It has none.
    fn capture(&self) -> Result<Capture, NoLinks> {
        Err(NoLinks)
    }
}

/// One host. Dropping it takes it off the network.
pub(crate) trait Host: fmt::Debug + Send + Sync {
    /// The host's addresses in its lab, without its loopback.
    fn addresses(&self) -> Vec<IpAddr>;

    /// The addresses of a name, none if the lab does not know it.
    fn resolve(&self, name: &str) -> Vec<IpAddr>;

    /// The name of an address.
    fn reverse(&self, ip: IpAddr) -> Option<HostName>;

    /// Makes a socket: a non-blocking descriptor and its place on the network.
    ///
    /// # Errors
    ///
    /// What socket(2) says; `EAFNOSUPPORT` for a family that this network does not have.
    fn socket(&self, domain: Domain, kind: Kind) -> Result<Plug, Errno>;

    /// The host's link to the others.
    ///
    /// # Errors
    ///
    /// It has none.
    fn link(&self) -> Result<Link, NoLinks> {
        Err(NoLinks)
    }

    /// Changes the conditions of the host's link.
    ///
    /// # Errors
    ///
    /// It has none.
    fn set_link(&self, _conditions: &Conditions) -> Result<(), NoLinks> {
        Err(NoLinks)
    }

    /// A way to ask the kernel about this host's sockets.
    ///
    /// # Errors
    ///
    /// What socket(2) says.
    fn inspector(&self) -> io::Result<Inspector>;
}

/// A descriptor and its place on the network.
#[derive(Debug)]
pub(crate) struct Plug {
    /// The non-blocking socket.
    pub(crate) descriptor: Arc<OwnedFd>,
    /// Its place.
    pub(crate) endpoint: Box<dyn Endpoint>,
}

/// A socket's two addresses, as the program sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// As getsockname(2) tells it.
    pub(crate) local: Address,
    /// As getpeername(2) tells it; [`Address::Unspecified`] if there is no peer.
    pub(crate) peer: Address,
}

/// How far a connect came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is done.
    Done,
    /// The descriptor becomes writable when it is done, and `SO_ERROR` then tells how it went.
    Pending,
}

/// A datagram that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// How many bytes of it are in the buffer.
    pub(crate) length: usize,
    /// Its sender. None if the sender is not of this lab: the datagram is to be ignored.
    pub(crate) sender: Option<Address>,
    /// What came with it, if that was asked for.
    pub(crate) controls: Vec<Control>,
}

/// A socket's place on the network: the calls that have addresses in them. Everything else is done on the descriptor
/// itself, the same one in every call.
pub(crate) trait Endpoint: fmt::Debug + Send {
    /// bind(2).
    ///
    /// # Errors
    ///
    /// What the call says.
    fn bind(&mut self, descriptor: BorrowedFd<'_>, address: &Address) -> Result<(), Errno>;

    /// listen(2).
    ///
    /// # Errors
    ///
    /// What the call says.
    fn listen(&mut self, descriptor: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno>;

    /// accept(2).
    ///
    /// # Errors
    ///
    /// What the call says.
    fn accept(&mut self, descriptor: BorrowedFd<'_>) -> Result<Plug, Errno>;

    /// connect(2). [`Address::Unspecified`] dissolves a datagram socket's association.
    ///
    /// # Errors
    ///
    /// What the call says.
    fn connect(&mut self, descriptor: BorrowedFd<'_>, address: &Address)
    -> Result<Progress, Errno>;

    /// getsockname(2) and getpeername(2).
    ///
    /// # Errors
    ///
    /// What the calls say.
    fn names(&self, descriptor: BorrowedFd<'_>) -> Result<Names, Errno>;

    /// sendto(2), or send(2) to [`Address::Unspecified`]; sendmsg(2) with control messages.
    ///
    /// # Errors
    ///
    /// What the call says.
    fn send_to(
        &mut self,
        descriptor: BorrowedFd<'_>,
        payload: &[u8],
        address: &Address,
        controls: &[Control],
    ) -> Result<(), Errno>;

    /// recvfrom(2), or recvmsg(2) if control messages are asked for.
    ///
    /// # Errors
    ///
    /// What the call says.
    fn receive_from(
        &mut self,
        descriptor: BorrowedFd<'_>,
        buffer: &mut [u8],
        detail: Detail,
    ) -> Result<Arrival, Errno>;

    /// getsockopt(2) of a number that the network answers in the descriptor's place; none if the descriptor has it.
    fn option(
        &self,
        _descriptor: BorrowedFd<'_>,
        _option: (i32, i32),
    ) -> Option<Result<i32, Errno>> {
        None
    }

    /// setsockopt(2) of what the network takes in the descriptor's place; none if the descriptor is to have it.
    fn set_option(
        &mut self,
        _descriptor: BorrowedFd<'_>,
        _option: (i32, i32),
        _value: &[u8],
    ) -> Option<Result<(), Errno>> {
        None
    }

    /// Has the waker told when a datagram that was just not taken may be.
    fn await_room(&mut self, _waker: &Waker) -> Room {
        Room::Descriptor
    }

    /// Has the waker told of what comes past the descriptor.
    fn hear(&mut self, _waker: &Waker) {}

    /// How many bytes have come past the descriptor and wait, with what they cost to keep.
    fn held(&self) -> usize {
        0
    }

    /// The length of the datagram that is received next, if that is known.
    fn next_length(&self, descriptor: BorrowedFd<'_>) -> Option<usize> {
        next_length(descriptor)
    }

    /// The process of a UNIX socket's peer, as `SO_PEERCRED` tells it.
    fn peer_process(&self) -> Option<u32> {
        None
    }

    /// Has the connection reset when the descriptor is closed.
    fn reset(&self, descriptor: BorrowedFd<'_>) {
        // It fails only if the connection is gone already.
        let _ = rustix::net::sockopt::set_socket_linger(descriptor, Some(Duration::ZERO));
    }

    /// Whether the peer has reset the connection in a way that the descriptor does not tell.
    fn was_reset(&self) -> bool {
        false
    }

    /// The socket's state and queues, if it is not for an [`Inspector`] to find them.
    fn sight(&self, _descriptor: BorrowedFd<'_>) -> Option<Sight> {
        None
    }
}

/// Who says that there is room for a datagram again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// The descriptor, by becoming writable.
    Descriptor,
    /// The receiver, by the waker; and the descriptor if it was its own queue that was full.
    Told,
}

/// Makes the network that was chosen.
///
/// # Errors
///
/// Hosts were to be network namespaces, and cannot be.
pub(crate) fn make(kind: NetworkKind) -> Result<Arc<dyn Network>, Obstacle> {
    Ok(match kind {
        NetworkKind::Portable => Arc::new(Portable::default()),
        NetworkKind::Namespaces => Arc::new(Namespaces::open()?),
        NetworkKind::Auto => match Namespaces::open() {
            Ok(network) => {
                tracing::info!("every host is a network namespace of its own");
                Arc::new(network)
            }
            Err(obstacle) => {
                tracing::warn!(
                    "hosts are addresses of 127.0.0.0/8 (--network portable), \
                     because real ones (--network namespaces) are not to be had: {obstacle}"
                );
                Arc::new(Portable::default())
            }
        },
    })
}

/// Locks, also after a panic elsewhere: every change to a lab's tables is complete in itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The length of the datagram that is next in a descriptor's queue. None if none is, or an error.
fn next_length(descriptor: BorrowedFd<'_>) -> Option<usize> {
    let flags = RecvFlags::PEEK | RecvFlags::TRUNC | RecvFlags::DONTWAIT;
    let peeked = rustix::net::recv(descriptor, &mut [0u8; 1][..], flags);
    peeked.ok().map(|(_, length)| length)
}

/// The same, of a call that gives it otherwise.
pub(crate) fn errno_of_io(error: &io::Error) -> Errno {
    rustix::io::Errno::from_io_error(error).map_or(Errno::EIO, errno)
}

/// The error number that a system call gave. The relay's machine is a Linux, so the numbers are those of the protocol.
pub(crate) fn errno(error: rustix::io::Errno) -> Errno {
    Errno(u16::try_from(error.raw_os_error()).unwrap_or(Errno::EIO.0))
}
