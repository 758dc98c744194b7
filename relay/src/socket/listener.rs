//! A listening socket. Its connections stay in the kernel's backlog until the program accepts them.

use std::task::Poll;

use protocol::ServerMessage;
use rustix::event::PollFlags;

use super::{Core, Turn};

/// What is special about a listener.
#[derive(Debug, Default)]
pub(super) struct Listener {
    /// Whether the process was told that a connection waits, and has not asked for it.
    told: bool,
}

impl Listener {
    /// An accept was answered.
    pub(super) fn answered(&mut self) {
        self.told = false;
    }

    /// Tells the process of a waiting connection once, and else waits for one.
    pub(super) fn attend(&mut self, core: &Core, turn: &mut Turn<'_>) {
        while !self.told {
            // The guard comes before the question, so that what happens after the question is not cleared with it.
            let Poll::Ready(mut guard) = core.readable() else {
                return;
            };
            if core.has(PollFlags::IN) {
                self.tell(core, turn);
            } else {
                guard.clear_ready();
            }
        }
    }

    /// Tells the process if a connection waits now.
    pub(super) fn probe(&mut self, core: &Core, turn: &mut Turn<'_>) {
        if !self.told && core.has(PollFlags::IN) {
            self.tell(core, turn);
        }
    }

    fn tell(&mut self, core: &Core, turn: &mut Turn<'_>) {
        self.told = true;
        let socket = core.id;
        turn.outbox.message(&ServerMessage::Acceptable { socket });
    }
}
