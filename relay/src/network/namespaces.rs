//! The network of real hosts: every host is a network namespace of its own (network_namespaces(7)).
//!
//! A host has its own loopback, ports and routes, and an interface `eth0` whose other end the lab's switch holds. The
//! addresses that programs see are the real ones, so there is nothing to translate, and everything that a machine's
//! network can do works: port 80, IPv6, broadcast, multicast. No route leads out of a lab, and nobody outside has one
//! into it, because there is none to have.
//!
//! - [`entry`]: whether this machine lets us, and how the process gets the right to.
//! - [`space`]: a network namespace.
//! - [`interface`]: what is in it: interfaces, addresses, routes; [`notice`]: when the addresses are in use.
//! - [`register`]: which hosts a lab has.
//! - [`wire`]: carries the frames between them; [`loopback`]: what a host says to itself; [`turns`]: whose turn it is.
//! - [`endpoint`]: the socket calls.

mod endpoint;
mod entry;
mod interface;
mod loopback;
mod notice;
mod register;
mod space;
mod turns;
mod wire;

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Instant, SystemTime};

use protocol::{Domain, Errno, HostName, Kind};
use tokio::runtime::Handle;

use self::interface::Furniture;
use self::register::{Number, Register};
use self::space::Space;
use self::wire::Wire;
use super::switch::PortId;
use super::switch::conditions::Conditions;
use super::{Host, Inspector, LabNetwork, Link, Network, NoLinks, Plug, errno, lock};
use crate::capture::{Anchor, Capture, Limits};

pub(crate) use self::entry::Obstacle;

/// Makes labs whose hosts are network namespaces.
#[derive(Debug)]
pub(super) struct Namespaces {
    home: Arc<Space>,
}

impl Network for Namespaces {
    fn lab(&self) -> Arc<dyn LabNetwork> {
        let anchor = Anchor {
            instant: Instant::now(),
            wall: SystemTime::now(),
        };
        Arc::new(NamespaceLab(Arc::new(Lab {
            home: Arc::clone(&self.home),
            register: Mutex::default(),
            wire: OnceLock::new(),
            capture: Capture::new(anchor, Limits::default()),
        })))
    }
}

#[derive(Debug)]
struct NamespaceLab(Arc<Lab>);

/// What the hosts of a lab share.
#[derive(Debug)]
struct Lab {
    home: Arc<Space>,
    register: Mutex<Register>,
    /// Laid for the first host.
    wire: OnceLock<Wire>,
    /// What the wire carries, from the first frame on, so that who looks later sees how it came about. It takes memory
    /// only as frames come.
    capture: Capture,
}

impl LabNetwork for NamespaceLab {
    fn join(&self, name: &HostName) -> io::Result<Arc<dyn Host>> {
        let lab = &self.0;
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let place = Place::keep(lab)?;
        // Nothing of the lab is locked meanwhile.
        let space = Space::make(&lab.home)?;
        let furniture = space.within(&lab.home, || interface::furnish(place.number))?;
        let Furniture {
            cable,
            loopback,
            addresses,
        } = furniture;
        let wire = lab
            .wire
            .get_or_init(|| Wire::lay(&runtime, lab.capture.clone()));
        let hardware = place.number.hardware();
        let port = wire.plug(name, hardware, cable, loopback)?;
        lock(&lab.register).enter(place.number, name.clone(), addresses.clone());
        Ok(Arc::new(NamespaceHost {
            place,
            port,
            space,
            addresses,
        }))
    }

    fn capture(&self) -> Result<Capture, NoLinks> {
        Ok(self.0.capture.clone())
    }
}

/// A number in a lab that belongs to one host for as long as this is held.
#[derive(Debug)]
struct Place {
    lab: Arc<Lab>,
    number: Number,
}

impl Place {
    fn keep(lab: &Arc<Lab>) -> io::Result<Self> {
        let number = lock(&lab.register).keep().ok_or_else(|| {
            io::Error::new(io::ErrorKind::QuotaExceeded, "the lab has no free address")
        })?;
        Ok(Self {
            lab: Arc::clone(lab),
            number,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.lab.register).leave(self.number);
    }
}

#[derive(Debug)]
struct NamespaceHost {
    place: Place,
    port: PortId,
    space: Space,
    addresses: Vec<IpAddr>,
}

impl Host for NamespaceHost {
    fn addresses(&self) -> Vec<IpAddr> {
        self.addresses.clone()
    }

    fn resolve(&self, name: &str) -> Vec<IpAddr> {
        lock(&self.place.lab.register).resolve(name)
    }

    fn reverse(&self, ip: IpAddr) -> Option<HostName> {
        lock(&self.place.lab.register).reverse(ip)
    }

    fn socket(&self, domain: Domain, kind: Kind) -> Result<Plug, Errno> {
        let made = self
            .space
            .within(&self.place.lab.home, || Ok(endpoint::open(domain, kind)));
        made.map_err(|error| rustix::io::Errno::from_io_error(&error).map_or(Errno::EIO, errno))?
    }

    fn link(&self) -> Result<Link, NoLinks> {
        let wire = self.place.lab.wire.get().ok_or(NoLinks)?;
        wire.link(self.port).ok_or(NoLinks)
    }

    fn set_link(&self, conditions: &Conditions) -> Result<(), NoLinks> {
        let wire = self.place.lab.wire.get().ok_or(NoLinks)?;
        wire.set(self.port, conditions);
        Ok(())
    }

    fn inspector(&self) -> io::Result<Inspector> {
        self.space.within(&self.place.lab.home, Inspector::open)
    }
}

impl Drop for NamespaceHost {
    fn drop(&mut self) {
        let Some(wire) = self.place.lab.wire.get() else {
            return;
        };
        let Some(cable) = wire.unplug(self.port) else {
            return;
        };
        // The kernel waits for its processors before it closes a packet socket, for ten milliseconds and more.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(|| drop(cable));
        }
    }
}
