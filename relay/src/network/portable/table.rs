//! What a lab must remember to translate addresses.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use protocol::{Errno, HostName, Kind};

use super::view::{Destination, Identity, admits};

/// How many hosts a lab can have: 10.0.0.1 to 10.0.0.254.
const HOSTS: u8 = 254;

/// How many connections whose caller has gone are remembered until they are accepted.
const ORPHANS: usize = 1024;

/// A connection's two ends, by their real addresses: the caller's, then the listener's.
type Pair = (SocketAddrV4, SocketAddrV4);

/// A connection under way: what its caller calls the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialled {
    /// What the caller speaks from.
    pub(super) from: Ipv4Addr,
    /// What it dialled.
    pub(super) to: Ipv4Addr,
}

/// The hosts of a lab and what their sockets are bound to and connected with.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The hosts by the last byte of their lab address.
    hosts: BTreeMap<u8, (HostName, Ipv4Addr)>,
    /// The views of listeners and of bound datagram sockets, by their real addresses. Several sockets may share a port
    /// (`SO_REUSEPORT`). What is not in here cannot be reached: behind an address that no socket of the lab answers on,
    /// a program of the relay's machine may listen on every address.
    bound: BTreeMap<(Transport, SocketAddrV4), Vec<Ipv4Addr>>,
    /// What the callers of connections dialled, until the connections are accepted.
    calls: BTreeMap<Pair, Dialled>,
    /// Calls whose caller has gone before they were accepted, oldest first. Their number bounds `calls`.
    orphans: VecDeque<Pair>,
    /// The view that each datagram socket last sent from, by its real address.
    senders: BTreeMap<SocketAddrV4, Ipv4Addr>,
}

/// The two port spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Transport {
    /// TCP's.
    Tcp,
    /// UDP's.
    Udp,
}

impl From<Kind> for Transport {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Stream => Self::Tcp,
            Kind::Datagram => Self::Udp,
        }
    }
}

impl Table {
    /// Gives a host the lowest free lab address.
    pub(super) fn join(&mut self, name: &HostName, real: Ipv4Addr) -> Option<Ipv4Addr> {
        let number = (1..=HOSTS).find(|number| !self.hosts.contains_key(number))?;
        self.hosts.insert(number, (name.clone(), real));
        Some(lab_address(number))
    }

    /// Takes a host out, and what was dialled to it.
    pub(super) fn leave(&mut self, host: Identity) {
        self.hosts.remove(&host.lab.octets()[3]);
        self.calls.retain(|(_, to), _| *to.ip() != host.real);
        self.orphans.retain(|(_, to)| *to.ip() != host.real);
    }

    /// The lab address of a name.
    pub(super) fn address_of(&self, name: &str) -> Option<Ipv4Addr> {
        let mut hosts = self.hosts.iter();
        hosts
            .find(|(_, (known, _))| known.as_str() == name)
            .map(|(&number, _)| lab_address(number))
    }

    /// The name of a lab address.
    pub(super) fn name_of(&self, ip: Ipv4Addr) -> Option<HostName> {
        let number = ip.octets()[3];
        let (name, _) = self.hosts.get(&number)?;
        (ip == lab_address(number)).then(|| name.clone())
    }

    /// The host that has a real address.
    pub(super) fn owner(&self, real: Ipv4Addr) -> Option<Identity> {
        let mut hosts = self.hosts.iter();
        hosts
            .find(|(_, (_, known))| *known == real)
            .map(|(&number, _)| Identity {
                real,
                lab: lab_address(number),
            })
    }

    /// Where a view leads that a socket of `host` names.
    ///
    /// # Errors
    ///
    /// `ENETUNREACH`: nothing in this lab has that address.
    pub(super) fn route(&self, host: Identity, view: Ipv4Addr) -> Result<Destination, Errno> {
        let real = if view.is_loopback() || view.is_unspecified() || view == host.lab {
            host.real
        } else {
            let number = view.octets()[3];
            match self.hosts.get(&number) {
                Some(&(_, real)) if view == lab_address(number) => real,
                Some(_) | None => return Err(Errno::ENETUNREACH),
            }
        };
        let view = if view.is_unspecified() {
            Ipv4Addr::LOCALHOST
        } else {
            view
        };
        Ok(Destination { real, view })
    }

    /// Notes that a socket can be reached.
    pub(super) fn bind(&mut self, transport: Transport, real: SocketAddrV4, view: Ipv4Addr) {
        self.bound.entry((transport, real)).or_default().push(view);
    }

    /// Forgets one that was noted.
    pub(super) fn unbind(&mut self, transport: Transport, real: SocketAddrV4, view: Ipv4Addr) {
        if let Some(views) = self.bound.get_mut(&(transport, real)) {
            if let Some(index) = views.iter().position(|&known| known == view) {
                views.swap_remove(index);
            }
            if views.is_empty() {
                self.bound.remove(&(transport, real));
            }
        }
        if transport == Transport::Udp {
            self.senders.remove(&real);
        }
    }

    /// Whether a socket of the lab answers there to the view that is dialled.
    pub(super) fn admits(
        &self,
        transport: Transport,
        real: SocketAddrV4,
        dialled: Ipv4Addr,
    ) -> bool {
        self.bound
            .get(&(transport, real))
            .is_some_and(|views| views.iter().any(|&view| admits(view, dialled)))
    }

    /// Notes what a caller dialled, before it connects.
    pub(super) fn dial(&mut self, pair: Pair, dialled: Dialled) {
        self.calls.insert(pair, dialled);
    }

    /// What the caller of a connection dialled, when the connection is accepted.
    pub(super) fn answer(&mut self, pair: Pair) -> Option<Dialled> {
        self.calls.remove(&pair)
    }

    /// The caller has gone. The connection may still be accepted, so it is remembered for a while.
    pub(super) fn hang_up(&mut self, pair: Pair) {
        if !self.calls.contains_key(&pair) {
            return;
        }
        self.orphans.push_back(pair);
        if ORPHANS < self.orphans.len()
            && let Some(oldest) = self.orphans.pop_front()
        {
            self.calls.remove(&oldest);
        }
    }

    /// Notes the view that a datagram socket sends from.
    pub(super) fn sends_from(&mut self, real: SocketAddrV4, view: Ipv4Addr) {
        self.senders.insert(real, view);
    }

    /// The view that a datagram socket last sent from.
    pub(super) fn sender(&self, real: SocketAddrV4) -> Option<Ipv4Addr> {
        self.senders.get(&real).copied()
    }
}

fn lab_address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(port: u16) -> Pair {
        (
            SocketAddrV4::new(Ipv4Addr::new(127, 1, 1, 1), port),
            SocketAddrV4::new(Ipv4Addr::new(127, 2, 2, 2), 80),
        )
    }

    const DIALLED: Dialled = Dialled {
        from: Ipv4Addr::LOCALHOST,
        to: Ipv4Addr::LOCALHOST,
    };

    #[test]
    fn views_lead_to_hosts_of_the_lab_and_nowhere_else() {
        let mut table = Table::default();
        let real = Ipv4Addr::new(127, 1, 1, 1);
        let other = Ipv4Addr::new(127, 2, 2, 2);
        let lab = table.join(&HostName::new("desk").unwrap(), real).unwrap();
        table.join(&HostName::new("bob").unwrap(), other).unwrap();
        let me = Identity { real, lab };
        let route = |view: [u8; 4]| table.route(me, view.into()).map(|to| (to.real, to.view));
        assert_eq!(route([0, 0, 0, 0]), Ok((real, Ipv4Addr::LOCALHOST)));
        assert_eq!(route([127, 0, 0, 9]), Ok((real, [127, 0, 0, 9].into())));
        assert_eq!(route([10, 0, 0, 1]), Ok((real, lab)));
        assert_eq!(route([10, 0, 0, 2]), Ok((other, [10, 0, 0, 2].into())));
        assert_eq!(route([10, 0, 0, 3]), Err(Errno::ENETUNREACH));
        assert_eq!(route([10, 0, 1, 2]), Err(Errno::ENETUNREACH));
        assert_eq!(route([8, 8, 8, 8]), Err(Errno::ENETUNREACH));
        // A host's real address is nobody's view but its own loopback.
        assert_eq!(route(other.octets()), Ok((real, other)));
    }

    #[test]
    fn sockets_that_share_a_port_are_all_remembered() {
        let mut table = Table::default();
        let real = pair(1).1;
        let lab = Ipv4Addr::new(10, 0, 0, 1);
        table.bind(Transport::Tcp, real, Ipv4Addr::LOCALHOST);
        table.bind(Transport::Tcp, real, Ipv4Addr::UNSPECIFIED);
        assert!(table.admits(Transport::Tcp, real, lab));
        table.unbind(Transport::Tcp, real, Ipv4Addr::UNSPECIFIED);
        assert!(!table.admits(Transport::Tcp, real, lab));
        assert!(!table.admits(Transport::Udp, real, lab));
        table.unbind(Transport::Tcp, real, Ipv4Addr::LOCALHOST);
        assert!(table.bound.is_empty());
    }

    #[test]
    fn a_call_outlives_its_caller_within_bounds() {
        let mut table = Table::default();
        table.dial(pair(1), DIALLED);
        table.hang_up(pair(1));
        assert_eq!(table.answer(pair(1)), Some(DIALLED));
        assert_eq!(table.answer(pair(1)), None);
        for port in 0..3000 {
            table.dial(pair(port), DIALLED);
            table.hang_up(pair(port));
        }
        assert_eq!(table.calls.len(), ORPHANS);
        assert_eq!(table.orphans.len(), ORPHANS);
    }
}
