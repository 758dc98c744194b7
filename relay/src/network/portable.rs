//! The network that needs no rights: every host is one address of 127.0.0.0/8.
//!
//! A host owns two *real* addresses of the relay's loopback, one for its IPv4 ports and one for its IPv6 ports; every
//! socket is really an IPv4 one. The program never sees them. It sees *views*: 127.0.0.0/8, 0.0.0.0, ::1 and :: as on
//! any machine, and the host's lab addresses 10.0.0.n and fd00::n. All views of a family lead to one real address, and
//! every address is translated on its way in and out:
//!
//! - [`view`]: which real address a view means and which view a real address is shown as; pure.
//! - [`family`]: how programs write views.
//! - [`table`]: what a lab must remember for that: its hosts, what is bound, who dialled what.
//! - [`port`]: binding a descriptor, on both real addresses if the socket takes both families.
//! - [`endpoint`]: the socket calls, and what a socket is connected with.
//! - [`inet6`]: the options that an IPv4 socket does not have.
//! - [`ancillary`]: control messages of datagrams.
//! - [`cast`]: addresses that are for many, and the way there; [`group`]: the groups that a socket is in; both pure.
//! - [`post`]: which sockets get a copy, [`mailbox`]: where it waits, and [`station`]: a socket's place there.
//!
//! Ports, `EADDRINUSE`, `SO_REUSEADDR`, TIME_WAIT and resets are the kernel's own. What differs from a real machine: a
//! port is bound for all views of a family at once, so a second socket on another view of the same port fails with
//! `EADDRINUSE`; there are no link-local addresses; and of
//! several sockets that share a port of a host, the kernel chooses which gets a datagram for one, whatever they are bound
//! to. What is for many is handed out in here, not by the kernel: see [`mailbox`].

mod ancillary;
mod cast;
mod endpoint;
mod family;
mod group;
mod inet6;
mod mailbox;
mod port;
mod post;
mod station;
mod table;
mod view;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use protocol::{Domain, Errno, HostName, Kind};

use self::endpoint::InetEndpoint;
use self::family::Family;
use self::table::Table;
use self::view::Identity;
use super::{Host, Inspector, LabNetwork, Network, Plug, lock};

/// All the addresses that hosts of any lab have now.
type Taken = Arc<Mutex<BTreeSet<Ipv4Addr>>>;

/// Makes labs whose hosts are addresses of 127.0.0.0/8.
#[derive(Debug, Default)]
pub(super) struct Portable {
    taken: Taken,
}

impl Network for Portable {
    fn lab(&self) -> Arc<dyn LabNetwork> {
        Arc::new(PortableLab {
            taken: Arc::clone(&self.taken),
            table: Arc::default(),
        })
    }
}

#[derive(Debug)]
struct PortableLab {
    taken: Taken,
    table: Arc<Mutex<Table>>,
}

impl LabNetwork for PortableLab {
    fn join(&self, name: &HostName) -> io::Result<Arc<dyn Host>> {
        let claim = Claim::draw(&self.taken);
        let mut table = lock(&self.table);
        let lab = table.join(name, claim.address).ok_or_else(|| {
            io::Error::new(io::ErrorKind::QuotaExceeded, "the lab has no free address")
        })?;
        Ok(Arc::new(PortableHost {
            identity: Identity {
                real: claim.address,
                lab,
            },
            table: Arc::clone(&self.table),
            _claim: claim,
        }))
    }
}

/// A real address that belongs to one host for as long as this is held, and with it its [twin](view::twin).
#[derive(Debug)]
struct Claim {
    taken: Taken,
    address: Ipv4Addr,
}

impl Claim {
    /// Draws a free address at random, so that the leftovers of an earlier host (TIME_WAIT) do not concern this one.
    fn draw(taken: &Taken) -> Self {
        let mut addresses = lock(taken);
        loop {
            // The standard library's hash keys are random, which is all the randomness that is needed here.
            let random = RandomState::new().build_hasher().finish().to_le_bytes();
            let second = 2 + 2 * (random[0] % 127);
            let fourth = 1 + random[2] % 254;
            let address = Ipv4Addr::new(127, second, random[1], fourth);
            if addresses.insert(address) {
                return Self {
                    taken: Arc::clone(taken),
                    address,
                };
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.taken).remove(&self.address);
    }
}

#[derive(Debug)]
struct PortableHost {
    identity: Identity,
    table: Arc<Mutex<Table>>,
    _claim: Claim,
}

impl Host for PortableHost {
    fn addresses(&self) -> Vec<IpAddr> {
        [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
            .map(|any| self.identity.lab_like(any))
            .to_vec()
    }

    fn resolve(&self, name: &str) -> Vec<IpAddr> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" {
            return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        }
        lock(&self.table).addresses_of(&name)
    }

    fn reverse(&self, ip: IpAddr) -> Option<HostName> {
        match ip.to_canonical() {
            ip if ip.is_loopback() => HostName::new("localhost").ok(),
            ip => lock(&self.table).name_of(ip),
        }
    }

    fn socket(&self, domain: Domain, kind: Kind) -> Result<Plug, Errno> {
        let family = match domain {
            Domain::Inet => Family::Inet,
            Domain::Inet6 => Family::Inet6,
            Domain::Unix => return Err(Errno::EAFNOSUPPORT),
        };
        InetEndpoint::open(&self.table, self.identity, family, kind.try_into()?)
    }

    fn inspector(&self) -> io::Result<Inspector> {
        Inspector::open()
    }
}

impl Drop for PortableHost {
    fn drop(&mut self) {
        lock(&self.table).leave(self.identity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HostName {
        HostName::new(text).unwrap()
    }

    #[test]
    fn hosts_are_numbered_in_order_and_known_by_name() {
        let lab = Portable::default().lab();
        let desk = lab.join(&name("desk")).unwrap();
        let bob = lab.join(&name("bob")).unwrap();
        let ips = |texts: [&str; 2]| texts.map(|text| text.parse::<IpAddr>().unwrap());
        assert_eq!(desk.addresses(), ips(["10.0.0.1", "fd00::1"]));
        assert_eq!(desk.resolve("Bob"), ips(["10.0.0.2", "fd00::2"]));
        for ip in ips(["10.0.0.2", "fd00::2"]) {
            assert_eq!(desk.reverse(ip), Some(name("bob")));
        }
        for ip in ips(["127.0.0.1", "::ffff:127.0.0.1"]) {
            assert_eq!(desk.reverse(ip), Some(name("localhost")));
        }
        assert_eq!(desk.resolve("localhost"), ips(["127.0.0.1", "::1"]));
        drop(bob);
        assert!(desk.resolve("bob").is_empty());
        let carol = lab.join(&name("carol")).unwrap();
        assert_eq!(carol.addresses(), ips(["10.0.0.2", "fd00::2"]));
    }

    #[test]
    fn no_two_hosts_have_one_address_and_it_is_given_back() {
        let network = Portable::default();
        let labs: Vec<_> = (0..20).map(|_| network.lab()).collect();
        let hosts: Vec<_> = labs
            .iter()
            .map(|lab| lab.join(&name("desk")).unwrap())
            .collect();
        assert_eq!(lock(&network.taken).len(), 20);
        drop(hosts);
        assert!(lock(&network.taken).is_empty());
    }

    #[test]
    fn a_lab_has_room_for_254_hosts() {
        let lab = Portable::default().lab();
        let hosts: Vec<_> = (0..254)
            .map(|n| lab.join(&name(&format!("h{n}"))).unwrap())
            .collect();
        assert!(lab.join(&name("late")).is_err());
        drop(hosts);
    }
}
