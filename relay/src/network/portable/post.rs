//! Who gets a copy of a datagram that is for many.
//!
//! Every datagram socket of the lab is known here, with what it is bound to and the groups that it is in. Whoever sends
//! to many puts a copy into the [`Mailbox`] of each that the kernel of a real host would give one to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::ancillary::Marks;
use super::cast::{Cast, has_everybody, is_group};
use super::group::Groups;
use super::mailbox::{Beside, Letter, Mailbox, Sender};
use super::table::Transport;
use super::view::{Bound, Identity};

/// The number of a socket at the post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(u64);

/// A socket of UDP or UDP-Lite.
#[derive(Debug)]
pub(super) struct Resident {
    /// The real address of its host.
    host: Ipv4Addr,
    /// Whose datagrams it hears.
    transport: Transport,
    /// What it is bound to, and its port.
    pub(super) address: Option<(Bound, u16)>,
    /// Whom alone it hears, if it is connected.
    pub(super) peer: Option<SocketAddr>,
    /// The groups that it is in.
    pub(super) groups: Groups,
    mailbox: Arc<Mailbox>,
}

/// Which hosts a datagram gets to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Whether its sender's own.
    pub(super) own: bool,
    /// Whether others.
    pub(super) others: bool,
}

/// The datagram sockets of a lab.
#[derive(Debug, Default)]
pub(super) struct Post {
    next: u64,
    residents: BTreeMap<Number, Resident>,
}

impl Post {
    /// A socket comes.
    pub(super) fn enter(
        &mut self,
        host: Identity,
        transport: Transport,
        mailbox: Arc<Mailbox>,
    ) -> Number {
        let number = Number(self.next);
        self.next += 1;
        let resident = Resident {
            host: host.real,
            transport,
            address: None,
            peer: None,
            groups: Groups::default(),
            mailbox,
        };
        self.residents.insert(number, resident);
        number
    }

    /// A socket goes.
    pub(super) fn leave(&mut self, number: Number) {
        self.residents.remove(&number);
    }

    /// A socket.
    pub(super) fn get_mut(&mut self, number: Number) -> Option<&mut Resident> {
        self.residents.get_mut(&number)
    }

    /// A socket.
    pub(super) fn get(&self, number: Number) -> Option<&Resident> {
        self.residents.get(&number)
    }

    /// Gives everybody a copy who is to have one.
    pub(super) fn deliver(
        &self,
        (cast, range, marks): (Cast, Range, Marks),
        (home, transport, from): (Identity, Transport, SocketAddr),
        port: u16,
        payload: &[u8],
    ) {
        let members = self.members(cast);
        let payload = Arc::<[u8]>::from(payload);
        for resident in self.residents.values() {
            let is_near = resident.host == home.real;
            let comes = if is_near { range.own } else { range.others };
            let takes = members
                .as_ref()
                .is_none_or(|hosts| hosts.contains(&resident.host));
            if comes && takes && resident.transport == transport && resident.hears(cast, from, port)
            {
                resident.mailbox.post(Letter {
                    sender: Sender::View(from),
                    beside: Beside::Many(marks),
                    payload: Arc::clone(&payload),
                });
            }
        }
    }

    /// The hosts that take it: those of which some socket is in the group; none means all of them.
    fn members(&self, cast: Cast) -> Option<BTreeSet<Ipv4Addr>> {
        if !is_group(cast.to) || has_everybody(cast.to) {
            return None;
        }
        let members = self.residents.values();
        let members = members.filter(|each| each.groups.wants(cast.to, cast.card, cast.from));
        Some(members.map(|each| each.host).collect())
    }
}

impl Resident {
    /// Whether it hears what its host has taken (`__udp_is_mcast_sock` in the kernel).
    fn hears(&self, cast: Cast, from: SocketAddr, port: u16) -> bool {
        self.address
            .is_some_and(|(bound, own)| own == port && bound.admits(cast.to))
            && self.peer.is_none_or(|peer| peer == from)
            && (!is_group(cast.to) || self.groups.hears(cast.to, cast.card, cast.from))
    }
}
