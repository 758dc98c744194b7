//! The socket calls of a socket whose addresses are translated.

mod link;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use protocol::{Address, Control, Errno};
use rustix::net::{self, SendFlags, sockopt};

use self::link::Link;
use super::super::{
    Arrival, Detail, Endpoint, Names, Plug, Progress, control, errno, errno_of_io, next_length,
};
use super::ancillary::{Entry, Marks, Outgoing};
use super::cast::{Card, Cast, is_for_many};
use super::family::Family;
use super::inet6::{self, Port};
use super::lock;
use super::mailbox::{Beside, Sender};
use super::port::{self, Hold, inet, own_address};
use super::station::{self, Station};
use super::table::{Dialled, Table, Transport};
use super::view::{Bound, Destination, Identity, Stack, loopback_like, twin};
use crate::system;

/// How many connections from outside the lab are turned away in one accept before it gives up for now.
const STRANGERS: usize = 64;

/// A place on the network for one socket.
#[derive(Debug)]
pub(super) struct InetEndpoint {
    table: Arc<Mutex<Table>>,
    host: Identity,
    family: Family,
    transport: Transport,
    /// Whether it takes both families when it is bound to ::.
    stack: Stack,
    /// Its place at the lab's post, if it has datagrams.
    station: Option<Station>,
    /// What the program bound it to, and the real address.
    bound: Option<(Bound, SocketAddrV4)>,
    /// The IPv6 port, if it is bound to both.
    hold: Option<Hold>,
    /// Whether the table knows that it can be reached there.
    reachable: bool,
    link: Option<Link>,
}

impl InetEndpoint {
    /// Makes a socket.
    pub(super) fn open(
        table: &Arc<Mutex<Table>>,
        host: Identity,
        family: Family,
        transport: Transport,
    ) -> Result<Plug, Errno> {
        let descriptor = Arc::new(port::open(transport)?);
        if transport == Transport::Tcp {
            // What a program sends is sent at once, as the relay has collected it already.
            sockopt::set_tcp_nodelay(&descriptor, true).map_err(errno)?;
        }
        let station = match transport {
            Transport::Tcp => None,
            Transport::Udp | Transport::UdpLite => {
                Some(Station::open(table, host, transport, &descriptor))
            }
        };
        let endpoint = Self {
            table: Arc::clone(table),
            host,
            family,
            transport,
            station,
            stack: match family {
                Family::Inet => Stack::Single,
                Family::Inet6 => Stack::Dual,
            },
            bound: None,
            hold: None,
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
        view: IpAddr,
        port: u16,
    ) -> Result<(), Errno> {
        let (real, stack) = (self.host.real, self.stack);
        let bound = Bound { view, stack };
        let own = if bound.is_dual() {
            let (own, hold) = port::bind_both(descriptor, self.transport, real, port)?;
            self.hold = Some(hold);
            own
        } else if view.is_ipv6() {
            // The one that holds this port does not listen itself, so the kernel might allow it.
            if lock(&self.table).has_dual(self.transport, SocketAddrV4::new(real, port)) {
                return Err(Errno::EADDRINUSE);
            }
            port::bind(descriptor, twin(real), port)?
        } else {
            port::bind(descriptor, real, port)?
        };
        self.bound = Some((bound, own));
        if let Some(station) = &self.station {
            station.bound(bound, own.port());
        }
        if self.transport != Transport::Tcp {
            self.open_to_lab();
        }
        Ok(())
    }

    /// Notes that others of the lab can reach it: a listener, or a bound datagram socket.
    fn open_to_lab(&mut self) {
        if let Some((bound, real)) = self.bound
            && !std::mem::replace(&mut self.reachable, true)
        {
            lock(&self.table).bind(self.transport, real, bound);
        }
    }

    /// The view that the program bound it to.
    fn bound_view(&self) -> IpAddr {
        self.bound
            .map_or(self.family.unspecified(), |(bound, _)| bound.view)
    }

    /// Finds where an address leads and what it is seen to come from.
    fn route(&self, to: SocketAddr) -> Result<(Destination, IpAddr), Errno> {
        if self.family == Family::Inet6 && self.stack == Stack::Single && to.is_ipv4() {
            return Err(Errno::ENETUNREACH);
        }
        let destination = lock(&self.table).route(self.host, to.ip())?;
        let from = self.host.source(self.bound_view(), destination)?;
        Ok((destination, from))
    }

    /// The way to an address that is for many, if it is.
    fn cast(&self, descriptor: BorrowedFd<'_>, to: SocketAddr) -> Result<Option<Cast>, Errno> {
        if self.family == Family::Inet6 && self.stack == Stack::Single && to.is_ipv4() {
            return Ok(None);
        }
        match &self.station {
            Some(station) => station.plan(descriptor, self.bound_view(), to),
            None => Ok(None),
        }
    }

    fn bind_if_unbound(&mut self, descriptor: BorrowedFd<'_>) -> Result<(), Errno> {
        match self.bound {
            Some(_) => Ok(()),
            None => self.bind_to(descriptor, self.family.unspecified(), 0),
        }
    }

    fn note_sender(&self, from: IpAddr) {
        if let Some((_, own)) = self.bound {
            lock(&self.table).sends_from(self.transport, own, from);
        }
    }

    /// How a sender is seen, unless it is a stranger.
    fn sender(&self, real: SocketAddrV4) -> Option<SocketAddr> {
        if let Some(link) = self.link {
            return Some(link.to);
        }
        let table = lock(&self.table);
        let owner = table.owner(*real.ip())?;
        let known = table.sender(self.transport, real);
        let bound = self.bound_view();
        let guess = if bound.is_unspecified() {
            self.view_of(*real.ip())
        } else {
            self.host.neighbour(bound, *real.ip())
        };
        let view = known.unwrap_or(guess);
        let view = if owner == self.host {
            view
        } else {
            owner.lab_like(view)
        };
        Some(SocketAddr::new(view, real.port()))
    }

    /// Where a datagram for this socket alone came in, by the view of its sender. The kernel names the card that has the
    /// address, even to the host itself.
    fn entry(&self, from: IpAddr) -> Entry {
        let bound = self.bound_view();
        let to = if !bound.is_unspecified() {
            bound
        } else if from.is_loopback() {
            loopback_like(from)
        } else {
            self.host.lab_like(from)
        };
        let card = if to.is_loopback() {
            Card::Loopback
        } else {
            Card::Ethernet
        };
        Entry { to, card }
    }

    /// The loopback of the family that a real address stands for.
    fn view_of(&self, real: Ipv4Addr) -> IpAddr {
        if self.family == Family::Inet6 && real == twin(real) {
            loopback_like(self.family.unspecified())
        } else {
            loopback_like(Family::Inet.unspecified())
        }
    }
}

impl Endpoint for InetEndpoint {
    fn bind(&mut self, descriptor: BorrowedFd<'_>, address: &Address) -> Result<(), Errno> {
        self.family.check_scope(address)?;
        let address = self.family.view(address)?;
        if self.family == Family::Inet6 && self.stack == Stack::Single && address.is_ipv4() {
            return Err(Errno::EINVAL);
        }
        if self.transport == Transport::Tcp || !is_for_many(address.ip()) {
            self.host.check_own(address.ip())?;
        }
        if self.bound.is_some() {
            return Err(Errno::EINVAL);
        }
        self.bind_to(descriptor, address.ip(), address.port())
    }

    fn listen(&mut self, descriptor: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno> {
        if self.transport == Transport::Tcp && self.link.is_none() {
            self.bind_if_unbound(descriptor)?;
        }
        net::listen(descriptor, backlog).map_err(errno)?;
        self.open_to_lab();
        Ok(())
    }

    fn accept(&mut self, descriptor: BorrowedFd<'_>) -> Result<Plug, Errno> {
        for _ in 0..STRANGERS {
            let (accepted, peer) = net::acceptfrom_with(descriptor, port::FLAGS).map_err(errno)?;
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
                let from = self.host.neighbour(bound, *peer.ip());
                let from = if same { from } else { caller.lab_like(from) };
                let to = if bound.is_unspecified() && !same {
                    self.host.lab_like(from)
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
        match (self.transport, address) {
            (Transport::Udp | Transport::UdpLite, Address::Unspecified) => {
                net::connect_unspec(descriptor).map_err(errno)?;
                self.join(None);
                Ok(Progress::Done)
            }
            (Transport::Udp | Transport::UdpLite, _) => {
                self.family.check_scope(address)?;
                let to = self.family.view(address)?;
                self.connect_datagram(descriptor, to)
            }
            (Transport::Tcp, _) => {
                let to = self.family.view(address)?;
                self.connect_stream(descriptor, to)
            }
        }
    }

    fn names(&self, descriptor: BorrowedFd<'_>) -> Result<Names, Errno> {
        let bound = self.bound_view();
        let view = match self.link {
            Some(link) if !is_for_many(bound) => link.from,
            Some(_) | None => bound,
        };
        let local = if self.bound.is_none() && self.link.is_none() {
            SocketAddr::new(self.family.unspecified(), 0)
        } else {
            SocketAddr::new(view, own_address(descriptor)?.port())
        };
        let peer = match (self.link, net::getpeername(descriptor)) {
            (Some(link), Ok(Some(_))) => self.family.address(link.to),
            (Some(_) | None, Ok(_) | Err(_)) => Address::Unspecified,
        };
        Ok(Names {
            local: self.family.address(local),
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
        let outgoing = Outgoing::read(self.host, self.family, controls)?;
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let to = match (address, self.link) {
            (Address::Unspecified, Some(link)) => link.to,
            (Address::Unspecified, None) => return Err(Errno::EDESTADDRREQ),
            (_, _) => self.family.view(address)?,
        };
        if let Some(cast) = self.cast(descriptor, to)? {
            let cast = cast.by(self.host, outgoing.card, outgoing.from);
            self.bind_if_unbound(descriptor)?;
            let ports = (own_address(descriptor)?.port(), to.port());
            return match &self.station {
                Some(station) => station.send(descriptor, (cast, &outgoing), ports, payload),
                None => Ok(()),
            };
        }
        let (destination, from) = self.route(to)?;
        let from = outgoing.from.unwrap_or(from);
        self.bind_if_unbound(descriptor)?;
        let shared = Arc::clone(&self.table);
        // Held until the datagram is there, as in `connect_stream`.
        let mut table = lock(&shared);
        let Some(real) = table.reach(self.transport, destination, to.port()) else {
            // As if the port were closed: only a connected socket is told (udp(7)).
            return match self.link {
                Some(_) => Err(Errno::ECONNREFUSED),
                None => Ok(()),
            };
        };
        let is_connected = *address == Address::Unspecified;
        if is_connected {
            self.follow(descriptor, real)?;
        }
        if let Some((_, own)) = self
            .bound
            .filter(|_| !is_connected || outgoing.from.is_some())
        {
            table.sends_from(self.transport, own, from);
        }
        if !outgoing.kernel.is_empty() {
            let to = (!is_connected).then_some(real.into());
            let controls = control::encode(&outgoing.kernel);
            return system::send_message(descriptor, payload, to, &controls)
                .map_err(|error| errno_of_io(&error));
        }
        let sent = if is_connected {
            net::send(descriptor, payload, flags)
        } else {
            net::sendto(descriptor, payload, flags, &real)
        };
        sent.map(|_| ()).map_err(errno)
    }

    fn receive_from(
        &mut self,
        descriptor: BorrowedFd<'_>,
        buffer: &mut [u8],
        detail: Detail,
    ) -> Result<Arrival, Errno> {
        let station = self.station.as_ref().ok_or(Errno::EOPNOTSUPP)?;
        let taken = station.mailbox().take(buffer, detail)?;
        let sender = match taken.sender {
            Sender::View(view) => Some(view),
            Sender::Real(real) => real.and_then(|real| self.sender(real)),
        };
        let controls = match (detail, taken.beside, sender) {
            (Detail::Controls, Beside::Many(marks), _) => {
                let Marks { to, card, .. } = marks;
                let controls = marks.controls(descriptor);
                Entry { to, card }.shown(self.host, self.family, controls)
            }
            (Detail::Controls, Beside::Kernel(controls), Some(sender)) => self
                .entry(sender.ip())
                .shown(self.host, self.family, controls),
            (Detail::Bytes, _, _) | (_, _, None) => Vec::new(),
        };
        Ok(Arrival {
            length: taken.length,
            sender: sender.map(|view| self.family.address(view)),
            controls,
        })
    }

    fn option(&self, descriptor: BorrowedFd<'_>, option: (i32, i32)) -> Option<Result<i32, Errno>> {
        let station = self.station.as_ref();
        let station = station.filter(|_| self.family.has_level(option.0));
        if let Some(number) = station.and_then(|station| station.option(option)) {
            return Some(Ok(number));
        }
        match self.family {
            Family::Inet => None,
            Family::Inet6 => inet6::get(descriptor, self.stack, option),
        }
    }

    fn set_option(
        &mut self,
        descriptor: BorrowedFd<'_>,
        option: (i32, i32),
        value: &[u8],
    ) -> Option<Result<(), Errno>> {
        if self.family.has_level(option.0) {
            let done = match &mut self.station {
                Some(station) => station.set_option(option, value),
                None => station::refusal(option).map(Err),
            };
            if done.is_some() {
                return done;
            }
        }
        let port = match (self.bound, self.link) {
            (None, None) => Port::Unbound,
            (_, _) => Port::Bound,
        };
        match self.family {
            Family::Inet => None,
            Family::Inet6 => inet6::set(descriptor, &mut self.stack, port, option, value),
        }
    }

    fn hear(&mut self, waker: &Waker) {
        if let Some(station) = &self.station {
            station.mailbox().tell(waker);
        }
    }

    fn held(&self) -> usize {
        self.station
            .as_ref()
            .map_or(0, |station| station.mailbox().held())
    }

    fn next_length(&self, descriptor: BorrowedFd<'_>) -> Option<usize> {
        match &self.station {
            Some(station) => station.mailbox().next_length(),
            None => next_length(descriptor),
        }
    }
}

impl Drop for InetEndpoint {
    fn drop(&mut self) {
        self.unlink();
        if let Some((bound, real)) = self.bound.filter(|_| self.reachable) {
            lock(&self.table).unbind(self.transport, real, bound);
        }
    }
}
