//! Which line has something to do next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::port::{PortId, Side};

/// The instants at which lines have something to do, one for each line at most.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    order: BTreeSet<(Instant, PortId, Side)>,
    dates: BTreeMap<(PortId, Side), Instant>,
}

impl Agenda {
    /// Says when a line has something to do, if at all.
    pub(super) fn set(&mut self, port: PortId, side: Side, due: Option<Instant>) {
        let before = match due {
            Some(due) => self.dates.insert((port, side), due),
            None => self.dates.remove(&(port, side)),
        };
        if before == due {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, port, side));
        }
        if let Some(due) = due {
            self.order.insert((due, port, side));
        }
    }

    /// The line that comes first.
    pub(super) fn first(&self) -> Option<(Instant, PortId, Side)> {
        self.order.first().copied()
    }
}
