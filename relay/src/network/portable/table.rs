//! What a lab must remember to translate addresses.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use protocol::{Errno, HostName, Kind};

use super::post::Post;
use super::view::{self, Bound, Destination, Identity, loopback_like};

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
    pub(super) from: IpAddr,
    /// What it dialled.
    pub(super) to: IpAddr,
}

/// The hosts of a lab and what their sockets are bound to and connected with.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The hosts by the last byte of their lab address.
    hosts: BTreeMap<u8, (HostName, Ipv4Addr)>,
    /// The views of listeners and of bound datagram sockets, by their real addresses. Several sockets may share a port
    /// (`SO_REUSEPORT`). What is not in here cannot be reached: behind an address that no socket of the lab answers on,
    /// a program of the relay's machine may listen on every address.
    bound: BTreeMap<(Transport, SocketAddrV4), Vec<Bound>>,
    /// What the callers of connections dialled, until the connections are accepted.
    calls: BTreeMap<Pair, Dialled>,
    /// Calls whose caller has gone before they were accepted, oldest first. Their number bounds `calls`.
    orphans: VecDeque<Pair>,
    /// The view that each datagram socket last sent from, by its real address.
    senders: BTreeMap<(Transport, SocketAddrV4), IpAddr>,
    /// Who gets what is for many.
    pub(super) post: Post,
}

/// The port spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Transport {
    /// TCP's.
    Tcp,
    /// UDP's.
    Udp,
    /// UDP-Lite's (RFC 3828, section 3.1).
    UdpLite,
}

impl TryFrom<Kind> for Transport {
    type Error = Errno;

    /// What has no ports is refused as Linux refuses it to an ordinary user: raw sockets for want of `CAP_NET_RAW`
    /// (raw(7)), those of ICMP because of `ping_group_range` (icmp(7)).
    fn try_from(kind: Kind) -> Result<Self, Errno> {
        match kind {
            Kind::Stream => Ok(Self::Tcp),
            Kind::Datagram => Ok(Self::Udp),
            Kind::UdpLite => Ok(Self::UdpLite),
            Kind::Raw { protocol: 0 } => Err(Errno::EPROTONOSUPPORT),
            Kind::Raw { .. } => Err(Errno::EPERM),
            Kind::Ping => Err(Errno::EACCES),
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
        let stays = |to: &SocketAddrV4| view::first(*to.ip()) != host.real;
        self.calls.retain(|(_, to), _| stays(to));
        self.orphans.retain(|(_, to)| stays(to));
    }

    /// The lab addresses of a name.
    pub(super) fn addresses_of(&self, name: &str) -> Vec<IpAddr> {
        let mut hosts = self.hosts.iter();
        match hosts.find(|(_, (known, _))| known.as_str() == name) {
            Some((&number, _)) => vec![lab_address(number).into(), view::lab6(number).into()],
            None => Vec::new(),
        }
    }

    /// The name of a lab address.
    pub(super) fn name_of(&self, ip: IpAddr) -> Option<HostName> {
        let (name, _) = self.hosts.get(&view::number(ip)?)?;
        Some(name.clone())
    }

    /// The host that has a real address.
    pub(super) fn owner(&self, real: Ipv4Addr) -> Option<Identity> {
        let real = view::first(real);
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
    pub(super) fn route(&self, host: Identity, view: IpAddr) -> Result<Destination, Errno> {
        let real = if view.is_loopback() || view.is_unspecified() || host.is_lab(view) {
            host.real
        } else {
            let number = view::number(view).ok_or(Errno::ENETUNREACH)?;
            let (_, real) = self.hosts.get(&number).ok_or(Errno::ENETUNREACH)?;
            *real
        };
        let view = if view.is_unspecified() {
            loopback_like(view)
        } else {
            view
        };
        Ok(Destination { real, view })
    }

    /// The real address at which a socket of the lab answers to what is dialled.
    pub(super) fn reach(
        &self,
        transport: Transport,
        to: Destination,
        port: u16,
    ) -> Option<SocketAddrV4> {
        let mut candidates = to.candidates().map(|real| SocketAddrV4::new(real, port));
        candidates.find(|&real| {
            let bound = self.bound.get(&(transport, real));
            bound.is_some_and(|all| all.iter().any(|bound| bound.admits(to.view)))
        })
    }

    /// Notes that a socket can be reached.
    pub(super) fn bind(&mut self, transport: Transport, real: SocketAddrV4, bound: Bound) {
        self.bound.entry((transport, real)).or_default().push(bound);
    }

    /// Forgets one that was noted.
    pub(super) fn unbind(&mut self, transport: Transport, real: SocketAddrV4, bound: Bound) {
        if let Some(all) = self.bound.get_mut(&(transport, real)) {
            if let Some(index) = all.iter().position(|&known| known == bound) {
                all.swap_remove(index);
            }
            if all.is_empty() {
                self.bound.remove(&(transport, real));
            }
        }
        self.senders.remove(&(transport, real));
    }

    /// Whether a socket that takes both families answers there.
    pub(super) fn has_dual(&self, transport: Transport, real: SocketAddrV4) -> bool {
        let bound = self.bound.get(&(transport, real));
        transport == Transport::Tcp && bound.is_some_and(|all| all.iter().any(|it| it.is_dual()))
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
    pub(super) fn sends_from(&mut self, transport: Transport, real: SocketAddrV4, view: IpAddr) {
        self.senders.insert((transport, real), view);
    }

    /// The view that a datagram socket last sent from.
    pub(super) fn sender(&self, transport: Transport, real: SocketAddrV4) -> Option<IpAddr> {
        self.senders.get(&(transport, real)).copied()
    }
}

fn lab_address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, number)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::super::view::Stack;
    use super::*;

    fn pair(port: u16) -> Pair {
        (
            SocketAddrV4::new(Ipv4Addr::new(127, 2, 1, 1), port),
            SocketAddrV4::new(Ipv4Addr::new(127, 4, 2, 2), 80),
        )
    }

    const DIALLED: Dialled = Dialled {
        from: IpAddr::V4(Ipv4Addr::LOCALHOST),
        to: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn bound(text: &str, stack: Stack) -> Bound {
        Bound {
            view: ip(text),
            stack,
        }
    }

    #[test]
    fn views_lead_to_hosts_of_the_lab_and_nowhere_else() {
        let mut table = Table::default();
        let real = Ipv4Addr::new(127, 2, 1, 1);
        let other = Ipv4Addr::new(127, 4, 2, 2);
        let lab = table.join(&HostName::new("desk").unwrap(), real).unwrap();
        table.join(&HostName::new("bob").unwrap(), other).unwrap();
        let me = Identity { real, lab };
        let leads = |view: &str, real: Ipv4Addr, seen: &str| {
            let to = table.route(me, ip(view)).unwrap();
            assert_eq!((to.real, to.view), (real, ip(seen)), "{view}");
        };
        leads("0.0.0.0", real, "127.0.0.1");
        leads("127.0.0.9", real, "127.0.0.9");
        leads("10.0.0.1", real, "10.0.0.1");
        leads("10.0.0.2", other, "10.0.0.2");
        leads("::", real, "::1");
        leads("::1", real, "::1");
        leads("fd00::1", real, "fd00::1");
        leads("fd00::2", other, "fd00::2");
        // A host's real address is nobody's view but its own loopback.
        leads(&other.to_string(), real, &other.to_string());
        for nobody in [
            "10.0.0.3",
            "10.0.1.2",
            "8.8.8.8",
            "fd00::3",
            "fd00::1:2",
            "2001:db8::1",
        ] {
            let route = table.route(me, ip(nobody));
            assert_eq!(route, Err(Errno::ENETUNREACH), "{nobody}");
        }
        assert_eq!(table.owner(view::twin(other)).unwrap().real, other);
    }

    #[test]
    fn sockets_that_share_a_port_are_all_remembered() {
        let mut table = Table::default();
        let real = pair(1).1;
        let lab = Destination {
            real: *real.ip(),
            view: ip("10.0.0.1"),
        };
        let local = bound("127.0.0.1", Stack::Single);
        let any = bound("0.0.0.0", Stack::Single);
        table.bind(Transport::Tcp, real, local);
        table.bind(Transport::Tcp, real, any);
        assert_eq!(table.reach(Transport::Tcp, lab, 80), Some(real));
        table.unbind(Transport::Tcp, real, any);
        assert_eq!(table.reach(Transport::Tcp, lab, 80), None);
        assert_eq!(table.reach(Transport::Udp, lab, 80), None);
        table.unbind(Transport::Tcp, real, local);
        assert!(table.bound.is_empty());
    }

    #[test]
    fn a_dual_socket_answers_both_families_at_its_ipv4_address() {
        let mut table = Table::default();
        let real = pair(1).1;
        let twin = SocketAddrV4::new(view::twin(*real.ip()), 80);
        let to = |view: &str| Destination {
            real: *real.ip(),
            view: ip(view),
        };
        table.bind(Transport::Tcp, real, bound("::", Stack::Dual));
        assert_eq!(table.reach(Transport::Tcp, to("::1"), 80), Some(real));
        assert_eq!(table.reach(Transport::Tcp, to("127.0.0.1"), 80), Some(real));
        table.bind(Transport::Udp, twin, bound("::", Stack::Single));
        assert_eq!(table.reach(Transport::Udp, to("::1"), 80), Some(twin));
        assert_eq!(table.reach(Transport::Udp, to("127.0.0.1"), 80), None);
        assert!(bound("::", Stack::Dual).admits(Ipv6Addr::LOCALHOST.into()));
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
