//! The switch's sockets for cables: one for each host.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SwitchFull;
use super::frame::MacAddress;
use super::line::Line;
use crate::capture::record::Interface;

/// The most ports: as many as a network of 256 addresses has room for.
const MAX_PORTS: usize = 256;

/// A port. It stays that of one host: a later host never gets the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortId {
    index: usize,
    generation: u64,
}

impl PortId {
    #[cfg(test)]
    pub(super) fn for_tests(index: usize) -> Self {
        Self {
            index,
            generation: 0,
        }
    }
}

/// A direction of a host's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What the host sends.
    FromHost,
    /// What the host is sent.
    ToHost,
}

/// What is plugged into a port.
#[derive(Debug)]
pub(super) struct Port {
    /// The port.
    pub(super) id: PortId,
    /// The host's card.
    pub(super) interface: Arc<Interface>,
    /// The address of the host's card.
    pub(super) mac: MacAddress,
    /// What the host sends.
    pub(super) from_host: Line,
    /// What the host is sent.
    pub(super) to_host: Line,
    /// How often the host sent what is no frame.
    pub(super) malformed: u64,
    /// How often the host sent what no other port was to get.
    pub(super) filtered: u64,
}

impl Port {
    /// One direction of the link, and the card at its end.
    pub(super) fn line(&mut self, side: Side) -> (&mut Line, &Arc<Interface>) {
        let line = match side {
            Side::FromHost => &mut self.from_host,
            Side::ToHost => &mut self.to_host,
        };
        (line, &self.interface)
    }
}

/// All ports.
#[derive(Debug, Default)]
pub(super) struct Ports {
    slots: Vec<Option<Port>>,
    generation: u64,
}

impl Ports {
    /// Plugs something in: `make` is told the port.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub(super) fn insert(
        &mut self,
        make: impl FnOnce(PortId) -> Port,
    ) -> Result<PortId, SwitchFull> {
        let free = self.slots.iter().position(Option::is_none);
        let index = free.unwrap_or(self.slots.len());
        if MAX_PORTS <= index {
            return Err(SwitchFull);
        }
        let id = PortId {
            index,
            generation: self.generation,
        };
        self.generation += 1;
        let port = Some(make(id));
        match self.slots.get_mut(index) {
            Some(slot) => *slot = port,
            None => self.slots.push(port),
        }
        Ok(id)
    }

    /// Pulls something out.
    pub(super) fn remove(&mut self, id: PortId) -> Option<Port> {
        self.slots.get_mut(id.index)?.take_if(|port| port.id == id)
    }

    /// What is plugged into a port, if it still is.
    pub(super) fn get(&self, id: PortId) -> Option<&Port> {
        let port = self.slots.get(id.index)?.as_ref()?;
        (port.id == id).then_some(port)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, id: PortId) -> Option<&mut Port> {
        let port = self.slots.get_mut(id.index)?.as_mut()?;
        (port.id == id).then_some(port)
    }

    /// Everything that is plugged in.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Port> {
        self.slots.iter().flatten()
    }

    /// The same, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Port> {
        self.slots.iter_mut().flatten()
    }

    /// How many slots there are, some of them possibly empty.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The port of a slot.
    pub(super) fn at(&self, slot: usize) -> Option<PortId> {
        Some(self.slots.get(slot)?.as_ref()?.id)
    }
}
