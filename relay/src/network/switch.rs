//! A lab's switch: it carries Ethernet frames between hosts, as well or as badly as their links are said to be.
//!
//! It is a state machine without I/O and without a clock. Whoever drives it reads frames from the hosts' cards and
//! gives them to [`Switch::receive`], and calls [`Switch::deliver`] when [`Switch::next_due`] has come; what comes out
//! goes to an [`Outlet`]. Between links that are perfect a frame goes through within one call, without being copied.
//!
//! - [`conditions`]: what can be said about a link.
//! - `frame`: what the switch reads of a frame.
//! - `table`: which address is behind which port.
//! - `port`: the ports; `line`: one direction of a port's link, with everything that is on its way.
//! - `sequence`: chance that happens again.
//! - `agenda`: which line has something to do next.
//! - [`counts`]: what happened.
//!
//! What hosts send, and what becomes of it, is written into the lab's [`Capture`], if it has one.
//!
//! A frame goes through the sender's line, is looked up in the table, and goes through the line of each receiver.

mod agenda;
pub mod conditions;
pub mod counts;
#[cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
mod frame;
mod line;
mod port;
mod sequence;
mod table;

use std::sync::Arc;
use std::time::Instant;

use protocol::HostName;

use self::agenda::Agenda;
use self::conditions::Conditions;
use self::counts::{Fate, PortCounts};
use self::frame::Header;
use self::line::{Arrival, Cargo, Line, Room};
use self::port::{Port, Ports};
use self::sequence::Sequences;
use self::table::Table;
use crate::capture::Capture;
use crate::capture::record::{Device, Direction, Interface};

pub use self::frame::{MAX_FRAME, MacAddress};
pub use self::port::{PortId, Side};

/// Where frames go that come out of the switch.
pub trait Outlet {
    /// Gives a frame to a host.
    fn send(&mut self, to: PortId, frame: &[u8]) -> Handover;
}

impl<F: FnMut(PortId, &[u8]) -> Handover> Outlet for F {
    fn send(&mut self, to: PortId, frame: &[u8]) -> Handover {
        self(to, frame)
    }
}

/// Whether a host took a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// It did.
    Taken,
    /// It did not, as a card whose buffers are full; the frame is dropped.
    Refused,
}

/// All ports are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the switch has no free port")]
pub struct SwitchFull;

/// The switch of one lab.
#[derive(Debug)]
pub struct Switch {
    seed: u32,
    ports: Ports,
    table: Table,
    agenda: Agenda,
    room: Room,
    journal: Journal,
}

/// Where the switch writes down what it does.
#[derive(Debug, Default)]
struct Journal(Option<Capture>);

impl Journal {
    /// Gives a frame its number. Without a record nobody asks for it.
    fn frame(&self, now: Instant, interface: &Arc<Interface>, frame: &[u8]) -> u64 {
        let capture = self.0.as_ref();
        capture.map_or(0, |capture| {
            capture.frame(now, interface, Direction::Out, frame)
        })
    }

    fn fate(&self, now: Instant, interface: &Arc<Interface>, side: Side, frame: u64, fate: Fate) {
        if let Some(capture) = &self.0 {
            capture.fate(now, interface, side, frame, fate);
        }
    }
}

impl Switch {
    /// A switch without hosts. Sequences of chance begin with `seed` where the conditions name no other.
    pub fn new(seed: u32) -> Self {
        Self {
            seed,
            ports: Ports::default(),
            table: Table::default(),
            agenda: Agenda::default(),
            room: Room::default(),
            journal: Journal::default(),
        }
    }

    /// Writes down in a record what is carried from now on.
    pub fn record(&mut self, capture: Capture) {
        self.journal = Journal(Some(capture));
    }

    /// Plugs in a host, with a perfect link.
    ///
    /// The name makes sequences of chance repeatable, and the address says for which host a frame is meant that is
    /// still on the sender's line; where it goes in the end, the switch learns from what hosts send.
    ///
    /// # Errors
    ///
    /// All ports are in use.
    pub fn plug(&mut self, name: &HostName, mac: MacAddress) -> Result<PortId, SwitchFull> {
        let line = |side| Line::new(Sequences::new(name.clone(), side, self.seed));
        self.ports.insert(|id| Port {
            id,
            interface: Arc::new(Interface {
                host: name.clone(),
                device: Device::Ethernet,
            }),
            mac,
            from_host: line(Side::FromHost),
            to_host: line(Side::ToHost),
            malformed: 0,
            filtered: 0,
        })
    }

    /// Pulls out a host. What is on its lines is lost, and its sequences of chance are forgotten.
    pub fn unplug(&mut self, port: PortId) {
        let Some(mut gone) = self.ports.remove(port) else {
            return;
        };
        for side in [Side::FromHost, Side::ToHost] {
            gone.line(side).0.clear(&mut self.room, &mut |_, _| {});
            self.agenda.set(port, side, None);
        }
        self.table.forget(port);
        for other in self.ports.iter_mut() {
            other.from_host.forget(port);
            other.to_host.forget(port);
        }
    }

    /// Changes the conditions of a host's link, from now on. A cable that is pulled takes with it what is on its way.
    pub fn set(&mut self, now: Instant, port: PortId, conditions: &Conditions) {
        let Some(plugged) = self.ports.get_mut(port) else {
            return;
        };
        let sides = [
            (Side::FromHost, conditions.from_host),
            (Side::ToHost, conditions.to_host),
        ];
        for (side, wanted) in sides {
            let (line, interface) = plugged.line(side);
            let note = &mut |number, fate| self.journal.fate(now, interface, side, number, fate);
            line.set(now, wanted, conditions.cable, &mut self.room, note);
            if let Some(seed) = conditions.seed {
                line.restart(seed);
            }
            self.agenda.set(port, side, line.next_due());
        }
    }

    /// Takes a frame that a host sent.
    pub fn receive(&mut self, now: Instant, from: PortId, frame: &[u8], outlet: &mut impl Outlet) {
        let Some(port) = self.ports.get_mut(from) else {
            return;
        };
        let Some(header) = Header::read(frame) else {
            port.malformed += 1;
            return;
        };
        let number = self.journal.frame(now, &port.interface, frame);
        if port.from_host.is_clear() {
            port.from_host.counts.enter(frame.len());
            port.from_host.counts.leave(frame.len());
            let time = Time { now, due: now };
            self.forward(time, from, number, &Cargo::Lent(frame), outlet);
        } else {
            self.delay(now, from, number, frame, header.destination);
        }
        self.deliver(now, outlet);
    }

    /// When [`deliver`](Self::deliver) has something to do; none while nothing is on its way.
    pub fn next_due(&self) -> Option<Instant> {
        self.agenda.first().map(|(due, _, _)| due)
    }

    /// Lets everything arrive whose time has come.
    pub fn deliver(&mut self, now: Instant, outlet: &mut impl Outlet) {
        while let Some((due, id, side)) = self.agenda.first() {
            if now < due {
                return;
            }
            let Some(port) = self.ports.get_mut(id) else {
                self.agenda.set(id, side, None);
                continue;
            };
            let (line, interface) = port.line(side);
            let journal = &self.journal;
            let note = &mut |number, fate| journal.fate(now, interface, side, number, fate);
            // What was due goes on from when it was due, so that a driver that comes late adds nothing to latencies.
            let parcel = line.pop(due, &mut self.room, note);
            self.agenda.set(id, side, line.next_due());
            let Some(parcel) = parcel else {
                continue;
            };
            match side {
                Side::FromHost => {
                    line.counts.leave(parcel.frame.len());
                    let cargo = Cargo::Kept(parcel.frame);
                    let time = Time { now, due };
                    self.forward(time, parcel.origin, parcel.number, &cargo, outlet);
                }
                Side::ToHost => {
                    let fate = hand_over(line, id, &parcel.frame, outlet);
                    note(parcel.number, fate);
                }
            }
        }
    }

    /// What happened at a port.
    pub fn counts(&self, port: PortId) -> Option<PortCounts> {
        let port = self.ports.get(port)?;
        Some(PortCounts {
            from_host: port.from_host.counts,
            to_host: port.to_host.counts,
            malformed: port.malformed,
            filtered: port.filtered,
        })
    }

    /// Puts a frame on its sender's line.
    fn delay(
        &mut self,
        now: Instant,
        from: PortId,
        number: u64,
        frame: &[u8],
        destination: MacAddress,
    ) {
        let receiver = self.ports.iter().find(|port| port.mac == destination);
        let peer = receiver.map(|port| (port.id, Arc::clone(&port.interface)));
        let Some(port) = self.ports.get_mut(from) else {
            return;
        };
        let arrival = Arrival {
            cargo: Cargo::Lent(frame),
            number,
            origin: from,
            peer: peer.as_ref().map(|(id, interface)| (*id, &interface.host)),
        };
        let side = Side::FromHost;
        let (line, interface) = port.line(side);
        let note = &mut |number, fate| self.journal.fate(now, interface, side, number, fate);
        line.offer(now, arrival, &mut self.room, note);
        self.agenda.set(from, Side::FromHost, line.next_due());
    }

    /// Carries a frame from its sender's line to the lines of those who shall get it.
    fn forward(
        &mut self,
        time: Time,
        from: PortId,
        number: u64,
        cargo: &Cargo<'_>,
        outlet: &mut impl Outlet,
    ) {
        let Some(header) = Header::read(cargo.bytes()) else {
            return;
        };
        self.table.learn(time.due, header.source, from);
        let destination = header.destination;
        let known = if destination.is_group() {
            None
        } else {
            self.table.find(time.due, destination)
        };
        match known {
            Some(to) if to != from => self.pass(time, from, to, number, cargo, outlet),
            None if !destination.is_reserved() => {
                for slot in 0..self.ports.slots() {
                    if let Some(to) = self.ports.at(slot).filter(|to| *to != from) {
                        self.pass(time, from, to, number, cargo, outlet);
                    }
                }
            }
            _ => {
                if let Some(port) = self.ports.get_mut(from) {
                    port.filtered += 1;
                }
            }
        }
    }

    /// Puts a frame on the line of one who shall get it.
    fn pass(
        &mut self,
        time: Time,
        from: PortId,
        to: PortId,
        number: u64,
        cargo: &Cargo<'_>,
        outlet: &mut impl Outlet,
    ) {
        let Some(port) = self.ports.get_mut(to) else {
            return;
        };
        if port.to_host.is_clear() {
            port.to_host.counts.enter(cargo.bytes().len());
            let fate = hand_over(&mut port.to_host, to, cargo.bytes(), outlet);
            let interface = &port.interface;
            return self
                .journal
                .fate(time.now, interface, Side::ToHost, number, fate);
        }
        let sender = self.ports.get(from).map(|port| Arc::clone(&port.interface));
        let Some(port) = self.ports.get_mut(to) else {
            return;
        };
        let arrival = Arrival {
            cargo: cargo.clone(),
            number,
            origin: from,
            peer: sender.as_ref().map(|sender| (from, &sender.host)),
        };
        let side = Side::ToHost;
        let (line, interface) = port.line(side);
        let note = &mut |number, fate| self.journal.fate(time.now, interface, side, number, fate);
        line.offer(time.due, arrival, &mut self.room, note);
        self.agenda.set(to, Side::ToHost, line.next_due());
    }
}

/// When something happens: for the record, and as far as latencies are concerned.
#[derive(Clone, Copy, Debug)]
struct Time {
    now: Instant,
    due: Instant,
}

/// A frame has come to the end of a host's line.
fn hand_over(line: &mut Line, to: PortId, frame: &[u8], outlet: &mut impl Outlet) -> Fate {
    match outlet.send(to, frame) {
        Handover::Taken => {
            line.counts.leave(frame.len());
            Fate::Passed
        }
        Handover::Refused => {
            line.counts.count(Fate::Refused);
            Fate::Refused
        }
    }
}

#[cfg(test)]
mod tests;
