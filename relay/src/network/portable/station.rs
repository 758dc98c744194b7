//! A datagram socket's place at the lab's [`Post`](super::post::Post): what it says of groups (ip(7), ipv6(7)), what it sends to
//! many, and its mailbox.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use protocol::Errno;
use protocol::limits::MAX_DATAGRAM;
use rustix::net::sockopt;

use super::super::control::{TOS, TTL};
use super::super::errno;
use super::super::option::{
    IP_ADD_MEMBERSHIP, IP_ADD_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE, IP_DROP_MEMBERSHIP,
    IP_DROP_SOURCE_MEMBERSHIP, IP_MULTICAST_ALL, IP_MULTICAST_IF, IP_UNBLOCK_SOURCE,
    IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, IPV6_MULTICAST_IF,
};
use super::ancillary::{Marks, Outgoing};
use super::cast::{Card, Cast, Choice, is_broadcast};
use super::group::{Change, Groups, Hearing, Mode};
use super::lock;
use super::mailbox::Mailbox;
use super::post::{Number, Range, Resident};
use super::table::{Table, Transport};
use super::view::{Bound, Identity};

/// The place of one socket.
#[derive(Debug)]
pub(super) struct Station {
    table: Arc<Mutex<Table>>,
    host: Identity,
    transport: Transport,
    number: Number,
    mailbox: Arc<Mailbox>,
    choice: Choice,
}

impl Station {
    /// Makes the place of a socket.
    pub(super) fn open(
        table: &Arc<Mutex<Table>>,
        host: Identity,
        transport: Transport,
        descriptor: &Arc<OwnedFd>,
    ) -> Self {
        let mailbox = Arc::new(Mailbox::new(descriptor));
        let number = lock(table)
            .post
            .enter(host, transport, Arc::clone(&mailbox));
        Self {
            table: Arc::clone(table),
            host,
            transport,
            number,
            mailbox,
            choice: Choice::default(),
        }
    }

    /// Where its datagrams for many wait, and with them all that came before.
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Notes what the socket is bound to, and its port.
    pub(super) fn bound(&self, bound: Bound, port: u16) {
        self.with(|resident| resident.address = Some((bound, port)));
    }

    /// Notes whom alone the socket hears from now on.
    pub(super) fn connected(&self, peer: Option<SocketAddr>) {
        self.with(|resident| resident.peer = peer);
    }

    /// The way to an address that is for many, if it is; see [`Cast::plan`].
    ///
    /// # Errors
    ///
    /// As that, and `EACCES`: broadcasting was not asked for (`SO_BROADCAST`).
    pub(super) fn plan(
        &self,
        descriptor: BorrowedFd<'_>,
        bound: IpAddr,
        to: SocketAddr,
    ) -> Result<Option<Cast>, Errno> {
        let cast = Cast::plan(self.host, bound, self.choice, to)?;
        if cast.is_some_and(|cast| is_broadcast(cast.to))
            && !sockopt::socket_broadcast(descriptor).map_err(errno)?
        {
            return Err(Errno::EACCES);
        }
        Ok(cast)
    }

    /// Sends to many.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE`: it is longer than a datagram can be.
    pub(super) fn send(
        &self,
        descriptor: BorrowedFd<'_>,
        (cast, outgoing): (Cast, &Outgoing),
        (from, to): (u16, u16),
        payload: &[u8],
    ) -> Result<(), Errno> {
        if MAX_DATAGRAM < payload.len() {
            return Err(Errno::EMSGSIZE);
        }
        let ttl = if is_broadcast(cast.to) {
            sockopt::ip_ttl(descriptor)
        } else {
            sockopt::ip_multicast_ttl(descriptor)
        };
        let ttl = u8::try_from(ttl.map_err(errno)?).unwrap_or(u8::MAX);
        let marks = Marks {
            to: cast.to,
            card: cast.card,
            ttl: outgoing.told(TTL).unwrap_or(ttl),
            tos: match outgoing.told(TOS) {
                Some(tos) => tos,
                None => sockopt::ip_tos(descriptor).map_err(errno)?,
            },
            at: SystemTime::now(),
        };
        let range = if is_broadcast(cast.to) {
            Range {
                own: true,
                others: cast.leaves(),
            }
        } else {
            Range {
                own: sockopt::ip_multicast_loop(descriptor).map_err(errno)?,
                others: cast.leaves() && marks.ttl != 0,
            }
        };
        let sender = (self.host, self.transport, SocketAddr::new(cast.from, from));
        lock(&self.table)
            .post
            .deliver((cast, range, marks), sender, to, payload);
        Ok(())
    }

    /// getsockopt(2) of what concerns groups.
    pub(super) fn option(&self, option: (i32, i32)) -> Option<i32> {
        match option {
            IP_MULTICAST_IF => {
                let (_, ip) = self
                    .choice
                    .inet
                    .unwrap_or((Card::Ethernet, Ipv4Addr::UNSPECIFIED));
                Some(i32::from_le_bytes(ip.octets()))
            }
            IPV6_MULTICAST_IF => {
                let index = self.choice.inet6.map_or(0, Card::index);
                Some(index.cast_signed())
            }
            IP_MULTICAST_ALL => {
                let table = lock(&self.table);
                let resident = table.post.get(self.number)?;
                Some(i32::from(resident.groups.hearing() == Hearing::All))
            }
            _ => None,
        }
    }

    /// setsockopt(2) of the same.
    pub(super) fn set_option(
        &mut self,
        option: (i32, i32),
        value: &[u8],
    ) -> Option<Result<(), Errno>> {
        Some(match option {
            IP_MULTICAST_IF => self.choose(value),
            IPV6_MULTICAST_IF => self.choose6(value),
            IP_MULTICAST_ALL => {
                let hearing = match value.first() {
                    Some(0) => Hearing::Own,
                    Some(1) => Hearing::All,
                    Some(_) | None => return Some(Err(Errno::EINVAL)),
                };
                self.change(|groups| {
                    groups.hear(hearing);
                    Ok(())
                })
            }
            IP_ADD_MEMBERSHIP => self.with_request(value, Groups::join),
            IP_DROP_MEMBERSHIP => self.with_request(value, |groups, group, card| {
                groups.leave(group, Some(card.ok_or(Errno::EADDRNOTAVAIL)?))
            }),
            IP_ADD_SOURCE_MEMBERSHIP => self.source(value, Mode::Only, Change::Add),
            IP_DROP_SOURCE_MEMBERSHIP => self.source(value, Mode::Only, Change::Remove),
            IP_BLOCK_SOURCE => self.source(value, Mode::Except, Change::Add),
            IP_UNBLOCK_SOURCE => self.source(value, Mode::Except, Change::Remove),
            IPV6_JOIN_GROUP => match request6(value) {
                Some((group, 0)) => {
                    self.change(|groups| groups.join(group.into(), Some(Card::Ethernet)))
                }
                Some((group, index)) => {
                    self.change(|groups| groups.join(group.into(), Card::of_index(index)))
                }
                None => Err(Errno::EINVAL),
            },
            IPV6_LEAVE_GROUP => match request6(value) {
                Some((group, _)) if !group.is_multicast() => Err(Errno::EINVAL),
                Some((group, 0)) => self.change(|groups| groups.leave(group.into(), None)),
                Some((group, index)) => self.change(|groups| {
                    let card = Card::of_index(index).ok_or(Errno::EADDRNOTAVAIL)?;
                    groups.leave(group.into(), Some(card))
                }),
                None => Err(Errno::EINVAL),
            },
            _ => return None,
        })
    }

    /// `IP_MULTICAST_IF`: an `in_addr`, an `ip_mreq` or an `ip_mreqn`.
    fn choose(&mut self, value: &[u8]) -> Result<(), Errno> {
        let (address, index) = match (value.len(), address(value, 0)) {
            (_, None) => return Err(Errno::EINVAL),
            (0..8, Some(ip)) => (ip, 0),
            (_, Some(_)) => (
                address(value, 4).ok_or(Errno::EINVAL)?,
                number(value, 8).unwrap_or(0),
            ),
        };
        let card = match index {
            0 if address.is_unspecified() => {
                self.choice.inet = None;
                return Ok(());
            }
            0 => Card::of_address(self.host, address),
            index => Card::of_index(index),
        };
        self.choice.inet = Some((card.ok_or(Errno::EADDRNOTAVAIL)?, address));
        Ok(())
    }

    /// `IPV6_MULTICAST_IF`: the number of a card, or 0 for what a route leads to.
    fn choose6(&mut self, value: &[u8]) -> Result<(), Errno> {
        self.choice.inet6 = match number(value, 0).ok_or(Errno::EINVAL)? {
            0 => None,
            index => Some(Card::of_index(index).ok_or(Errno::ENODEV)?),
        };
        Ok(())
    }

    /// Does what an `ip_mreq` or an `ip_mreqn` asks for.
    fn with_request(
        &self,
        value: &[u8],
        ask: impl FnOnce(&mut Groups, IpAddr, Option<Card>) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let (Some(group), Some(own)) = (address(value, 0), address(value, 4)) else {
            return Err(Errno::EINVAL);
        };
        let card = match number(value, 8) {
            None | Some(0) => self.card(own),
            Some(index) => Card::of_index(index),
        };
        self.change(|groups| ask(groups, group.into(), card))
    }

    /// Does what an `ip_mreq_source` asks for.
    fn source(&self, value: &[u8], mode: Mode, change: Change) -> Result<(), Errno> {
        let (Some(group), Some(own), Some(source)) =
            (address(value, 0), address(value, 4), address(value, 8))
        else {
            return Err(Errno::EINVAL);
        };
        let card = self.card(own);
        self.change(|groups| groups.change((group, card), source, mode, change))
    }

    /// The card with an address of the host; the one that a route leads to if it is 0.0.0.0.
    fn card(&self, own: Ipv4Addr) -> Option<Card> {
        if own.is_unspecified() {
            Some(Card::Ethernet)
        } else {
            Card::of_address(self.host, own)
        }
    }

    fn change(&self, change: impl FnOnce(&mut Groups) -> Result<(), Errno>) -> Result<(), Errno> {
        let mut table = lock(&self.table);
        match table.post.get_mut(self.number) {
            Some(resident) => change(&mut resident.groups),
            None => Ok(()),
        }
    }

    fn with(&self, change: impl FnOnce(&mut Resident)) {
        if let Some(resident) = lock(&self.table).post.get_mut(self.number) {
            change(resident);
        }
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        lock(&self.table).post.leave(self.number);
    }
}

/// What the kernel says to a stream that would have to do with groups; none if it has no opinion of its own.
pub(super) fn refusal(option: (i32, i32)) -> Option<Errno> {
    match option {
        IP_ADD_MEMBERSHIP | IP_DROP_MEMBERSHIP | IPV6_JOIN_GROUP | IPV6_LEAVE_GROUP => {
            Some(Errno::EPROTO)
        }
        IP_MULTICAST_IF
        | IP_ADD_SOURCE_MEMBERSHIP
        | IP_DROP_SOURCE_MEMBERSHIP
        | IP_BLOCK_SOURCE
        | IP_UNBLOCK_SOURCE => Some(Errno::EINVAL),
        IPV6_MULTICAST_IF => Some(Errno::ENOPROTOOPT),
        _ => None,
    }
}

/// An `ipv6_mreq`.
fn request6(value: &[u8]) -> Option<(Ipv6Addr, u32)> {
    let group: &[u8; 16] = value.first_chunk()?;
    Some((Ipv6Addr::from(*group), number(value, 16)?))
}

fn address(value: &[u8], offset: usize) -> Option<Ipv4Addr> {
    let bytes: &[u8; 4] = value.get(offset..)?.first_chunk()?;
    Some(Ipv4Addr::from(*bytes))
}

fn number(value: &[u8], offset: usize) -> Option<u32> {
    let bytes: &[u8; 4] = value.get(offset..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}
