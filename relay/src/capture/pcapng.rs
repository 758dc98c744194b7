//! A record as a pcapng file (draft-ietf-opsawg-pcapng), which Wireshark and tshark open.
//!
//! Every card is an interface of its own, named `bob:eth0`. Names of hosts travel in the file, so that nobody has to be
//! asked for them, and what became of a frame is its comment. At the end stands how many frames of each card were left
//! out. No I/O: a file is an iterator of its blocks, and one that grows ([`Live`]) is written portion by portion.

mod block;
mod cards;
mod live;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::HostName;

use self::cards::Cards;
use super::Snapshot;
use super::record::{Device, Direction, Interface, Outcome, Record, What};
use crate::network::switch::Side;

pub use self::live::Live;

/// Whose view a file shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The network's: every frame once, as its sender sent it.
    #[default]
    Network,
    /// The hosts': every frame at the sender's card when it was sent, and at each receiver's when, and as, it arrived.
    Hosts,
}

/// A file, block by block.
#[derive(Debug)]
pub struct File<'a> {
    snapshot: &'a Snapshot,
    view: View,
    /// What is to be written next, the last one first.
    ready: Vec<Vec<u8>>,
    place: usize,
    cards: Cards,
    /// How many frames of each card were left out, and when that was last noted.
    left_out: BTreeMap<Arc<Interface>, (Duration, u64)>,
    /// What became of each frame.
    fates: BTreeMap<u64, Vec<&'a Record>>,
}

impl<'a> File<'a> {
    /// The file of a record. `names` are the hosts' addresses.
    pub fn new(snapshot: &'a Snapshot, view: View, names: &[(IpAddr, HostName)]) -> Self {
        let mut fates = BTreeMap::<u64, Vec<&Record>>::new();
        for record in &snapshot.records {
            if let What::Fate { frame, .. } = record.what {
                fates.entry(frame).or_default().push(record);
            }
        }
        let head = [block::section(snapshot.missing), block::names(names)];
        Self {
            snapshot,
            view,
            ready: head.into_iter().rev().collect(),
            place: 0,
            cards: Cards::new(snapshot.anchor, snapshot.snap),
            left_out: BTreeMap::new(),
            fates,
        }
    }

    /// What a record adds to the file, if anything.
    fn show(&mut self, record: &'a Record) {
        if let Some(packet) = Packet::of(record) {
            let comments = self.comments(record.number);
            self.write(&packet, &comments);
        }
        match &record.what {
            What::Fate {
                frame,
                interface,
                side: Side::ToHost,
                outcome: Outcome::Passed,
            } if self.view == View::Hosts => self.arrive(record.at, *frame, interface),
            What::Frame { .. } | What::Fate { .. } => {}
            What::LeftOut { interface, count } => {
                let noted = self.left_out.entry(Arc::clone(interface));
                let (at, sum) = noted.or_default();
                *at = record.at;
                *sum += count;
            }
        }
    }

    /// A frame as it arrived at a host.
    fn arrive(&mut self, at: Duration, number: u64, interface: &Arc<Interface>) {
        let Some(What::Frame { length, bytes, .. }) = self.frame(number).map(|found| &found.what)
        else {
            return;
        };
        let mut bytes = bytes.clone();
        let fates = self.fates.get(&number).map_or(&[][..], Vec::as_slice);
        for fate in fates {
            match &fate.what {
                What::Fate {
                    outcome: Outcome::Corrupted { bit },
                    interface: place,
                    side,
                    ..
                } if *side == Side::FromHost || place == interface => {
                    // Behind what is kept, there is nothing to turn.
                    if let Some(byte) = bytes.get_mut(bit / 8) {
                        *byte ^= 0x80 >> (bit % 8);
                    }
                }
                _ => {}
            }
        }
        let packet = Packet {
            number,
            at,
            interface,
            direction: Direction::In,
            length: *length,
            bytes: &bytes,
        };
        self.write(&packet, &[]);
    }

    fn frame(&self, number: u64) -> Option<&'a Record> {
        let first = self.snapshot.records.first()?.number;
        let place = usize::try_from(number.checked_sub(first)?).ok()?;
        let found = self.snapshot.records.get(place)?;
        if found.number == number {
            return Some(found);
        }
        // Something was forgotten while the snapshot was taken.
        let records = &self.snapshot.records;
        let place = records.binary_search_by_key(&number, |record| record.number);
        records.get(place.ok()?)
    }

    /// What is worth saying about what became of a frame.
    fn comments(&self, number: u64) -> Vec<String> {
        let fates = self.fates.get(&number).map_or(&[][..], Vec::as_slice);
        fates.iter().filter_map(|fate| comment(fate)).collect()
    }

    fn write(&mut self, packet: &Packet<'_>, comments: &[String]) {
        let time = self.cards.nanoseconds(packet.at);
        self.describe(packet.interface, |number| {
            block::packet(number, time, packet, comments)
        });
    }

    /// Makes a block ready that says something about a card, after one about the card itself if it is the first.
    fn describe(&mut self, interface: &Arc<Interface>, block: impl FnOnce(u32) -> Vec<u8>) {
        let (number, card) = self.cards.number(interface);
        self.ready.push(block(number));
        self.ready.extend(card);
    }
}

impl Iterator for File<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(block) = self.ready.pop() {
                return Some(block);
            }
            if let Some(record) = self.snapshot.records.get(self.place) {
                self.place += 1;
                self.show(record);
            } else {
                let (interface, (at, count)) = self.left_out.pop_first()?;
                let time = self.cards.nanoseconds(at);
                self.describe(&interface, |number| block::statistics(number, time, count));
            }
        }
    }
}

/// A frame at a card.
#[derive(Debug)]
struct Packet<'a> {
    number: u64,
    at: Duration,
    interface: &'a Arc<Interface>,
    direction: Direction,
    length: usize,
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// A record that is a frame, as it was when it was recorded.
    fn of(record: &'a Record) -> Option<Self> {
        let What::Frame {
            interface,
            direction,
            length,
            bytes,
        } = &record.what
        else {
            return None;
        };
        Some(Self {
            number: record.number,
            at: record.at,
            interface,
            direction: *direction,
            length: *length,
            bytes,
        })
    }
}

/// A sentence about a fate that is out of the ordinary.
fn comment(record: &Record) -> Option<String> {
    let What::Fate {
        interface,
        side,
        outcome,
        ..
    } = &record.what
    else {
        return None;
    };
    let host = &interface.host;
    let way = match side {
        Side::FromHost => format!("on the way from {host}"),
        Side::ToHost => format!("on the way to {host}"),
    };
    match outcome {
        Outcome::Passed | Outcome::Delayed { .. } => None,
        Outcome::Lost => Some(format!("lost {way}")),
        Outcome::Corrupted { bit } => Some(format!(
            "corrupted {way}: bit {} of byte {}",
            bit % 8,
            bit / 8
        )),
        Outcome::Doubled => Some(format!("duplicated {way}")),
        Outcome::Held => Some(format!(
            "held back {way}, to be overtaken by the next frame"
        )),
        Outcome::QueueFull => Some(format!("dropped {way}: the queue was full")),
        Outcome::Crowded => Some(format!("dropped {way}: too much was on its way")),
        Outcome::CableDown => Some(format!("dropped {way}: the cable was not plugged in")),
        Outcome::Refused => Some(format!("dropped {way}: {host} did not take it")),
    }
}

/// What a card is, for people.
fn description(interface: &Interface) -> String {
    match interface.device {
        Device::Ethernet => format!("the card of {}", interface.host),
        Device::Loopback => format!("the loopback of {}", interface.host),
    }
}

#[cfg(test)]
mod tests;
