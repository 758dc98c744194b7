//! What the processes of a lab have in common.

use protocol::LabId;

use super::pool::Pool;
use crate::events::Hub;

/// How much of a lab's id is written into logs: enough to tell labs apart, too little to join one.
const SHOWN: usize = 6;

/// What all processes and viewers of a lab share, for as long as any of them lives.
#[derive(Debug)]
pub(crate) struct Commons {
    /// The lab.
    pub(crate) id: LabId,
    /// What happens in it.
    pub(crate) events: Hub,
    /// What its sockets, and files of its frames, may make the relay hold.
    pub(crate) pool: Pool,
}

impl Commons {
    /// What a new lab has in common.
    pub(crate) fn new(id: LabId, buffer: u64, events: Hub) -> Self {
        Self {
            id,
            events,
            pool: Pool::new(buffer),
        }
    }
}

/// A lab as logs call it.
pub(crate) fn shown(lab: &LabId) -> &str {
    lab.as_str().get(..SHOWN).unwrap_or_default()
}
