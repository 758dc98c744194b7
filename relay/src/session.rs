//! A process on the relay: its sockets, and what it asks of them.
//!
//! A connection comes in at the [`door`], where it begins a session or becomes the next one of a session whose last
//! connection was lost. A session is one task ([`turn`]): it reads what the process sent ([`inbox`]), lets its [`Sockets`] work through it,
//! looks at the sockets that became ready ([`ready`]), and writes everything that came of it as one message
//! ([`outbox`]). Nothing it holds is unbounded: what comes in is bounded by credit ([`budget`]), what goes out by one
//! buffer, and sockets are read only when that is free.

mod absence;
#[cfg(test)]
mod abuse;
mod admission;
mod batch;
mod budget;
#[cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
mod calls;
mod door;
#[cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
mod inbox;
mod link;
mod outbox;
mod pool;
mod ready;
mod retained;
mod roster;
mod settings;
mod table;
mod turn;
#[cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
mod websocket;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::{CallId, Domain, Errno, Reply, ServerMessage, SocketId};

use crate::events::Tap;
use crate::lab::Membership;
use crate::metrics::Metrics;
use crate::socket::{Attention, Socket, Turn, Violation};

pub(crate) use budget::{Budget, Intake};
pub(crate) use door::serve;
pub(crate) use outbox::Outbox;
pub(crate) use ready::{Ready, Signal};
pub(crate) use roster::{Listing, ResumeFailure, Roster};
pub(crate) use settings::{Caller, Settings};
pub(crate) use table::Row;

/// How long what a closed socket has still to deliver may take.
const LINGER: Duration = Duration::from_secs(60);

/// A number that a process gave to a socket.
#[derive(Debug)]
enum Entry {
    /// A socket.
    Open(Box<Socket>),
    /// None: it could not be made, which every call on it says.
    Failed(Errno),
}

/// A closed socket that has still to deliver.
#[derive(Debug)]
struct Closing {
    socket: Box<Socket>,
    deadline: Instant,
}

/// A sync under way. Nothing else of the process is worked through before it is done.
#[derive(Debug)]
struct Sync {
    call: CallId,
    /// The last socket that was probed to the end.
    after: Option<SocketId>,
}

/// The sockets of a process.
#[derive(Debug)]
pub(crate) struct Sockets {
    membership: Membership,
    metrics: Metrics,
    quota: usize,
    ready: Arc<Ready>,
    budget: Budget,
    entries: BTreeMap<SocketId, Entry>,
    closing: BTreeMap<SocketId, Closing>,
    /// The highest number that the process gave to a socket.
    highest: Option<SocketId>,
    sync: Option<Sync>,
    tap: Arc<Tap>,
}

impl Sockets {
    /// A process with no sockets yet, which may have `quota` of them.
    fn new(membership: Membership, metrics: Metrics, quota: usize, ready: Arc<Ready>) -> Self {
        Self {
            tap: Arc::new(Tap::new(membership.commons(), membership.pid())),
            metrics,
            quota,
            ready,
            budget: Budget::new(membership.commons()),
            entries: BTreeMap::new(),
            closing: BTreeMap::new(),
            highest: None,
            sync: None,
            membership,
        }
    }

    /// Where its doings are written down.
    fn tap(&self) -> &Arc<Tap> {
        &self.tap
    }

    /// Whether messages can be worked through: there is room for answers, and no sync is under way.
    fn is_open(&self, outbox: &Outbox) -> bool {
        self.sync.is_none() && outbox.has_room_for_answers()
    }

    /// Looks at the sockets that are ready, each once. Says whether there is more that only needs another turn.
    fn attend(&mut self, outbox: &mut Outbox) -> Attention {
        self.go_on_with_sync(outbox);
        let mut again = Attention::Later;
        for _ in 0..self.ready.len() {
            if !outbox.has_room_for_answers() {
                return Attention::Again;
            }
            let Some(id) = self.ready.pop() else {
                break;
            };
            let mut turn = Turn {
                outbox,
                budget: &mut self.budget,
                metrics: &self.metrics,
            };
            if let Some(Entry::Open(socket)) = self.entries.get_mut(&id) {
                socket.signal().taken();
                if socket.attend(&mut turn) == Attention::Again {
                    socket.signal().queue();
                    again = Attention::Again;
                }
            } else if let Some(Closing { socket, .. }) = self.closing.get_mut(&id) {
                socket.signal().taken();
                // Nobody is there any more to be told what comes of it.
                let mut nowhere = Outbox::default();
                turn.outbox = &mut nowhere;
                socket.attend(&mut turn);
                if socket.is_drained() {
                    self.drop_closing(id);
                }
            }
        }
        again
    }

    fn go_on_with_sync(&mut self, outbox: &mut Outbox) {
        let Some(sync) = &mut self.sync else {
            return;
        };
        let mut turn = Turn {
            outbox,
            budget: &mut self.budget,
            metrics: &self.metrics,
        };
        let from = sync.after.map_or(Bound::Unbounded, Bound::Excluded);
        for (&id, entry) in self.entries.range_mut((from, Bound::Unbounded)) {
            // A process that owes acknowledgements could not be told of anything before they come, and these come
            // after what waits for this answer.
            if turn.outbox.is_owed() {
                break;
            }
            if !turn.outbox.has_room_for_answers() {
                return;
            }
            if let Entry::Open(socket) = entry
                && socket.probe(&mut turn) == Attention::Again
                && !turn.outbox.is_owed()
            {
                return;
            }
            sync.after = Some(id);
        }
        let (call, result) = (sync.call, Ok(Reply::Nothing));
        outbox.message(&ServerMessage::Done { call, result });
        self.sync = None;
    }

    /// How many sockets there are, those included that only deliver.
    fn count(&self) -> usize {
        self.entries.len() + self.closing.len()
    }

    /// Adds a socket, or why there is none.
    fn add(&mut self, id: SocketId, made: Result<Socket, Errno>) -> Result<(), Violation> {
        if self.entries.contains_key(&id) || self.closing.contains_key(&id) {
            return Err(Violation(format!("socket {} was made twice", id.0)));
        }
        // Failures take memory too, if little.
        if 2 * self.quota < self.entries.len() {
            return Err(Violation(String::from("far too many sockets")));
        }
        self.highest = self.highest.max(Some(id));
        let entry = match made {
            Ok(socket) => Entry::Open(Box::new(socket)),
            Err(errno) => Entry::Failed(errno),
        };
        self.entries.insert(id, entry);
        Ok(())
    }

    /// Closes a socket: at once, or when it has delivered what was sent.
    fn close(&mut self, id: SocketId, outbox: &mut Outbox) {
        let Some(Entry::Open(mut socket)) = self.entries.remove(&id) else {
            return;
        };
        let mut turn = Turn {
            outbox,
            budget: &mut self.budget,
            metrics: &self.metrics,
        };
        if socket.close(&mut turn) {
            let deadline = Instant::now() + LINGER;
            self.closing.insert(id, Closing { socket, deadline });
        } else {
            self.budget.release(socket.intake());
        }
    }

    /// Resets a socket's connection and closes it.
    fn abort(&mut self, id: SocketId, outbox: &mut Outbox) {
        if let Some(Entry::Open(socket)) = self.entries.get_mut(&id) {
            socket.reset();
            if socket.domain() == Domain::Unix {
                // What was sent before is the peer's already.
                return self.close(id, outbox);
            }
            let mut turn = Turn {
                outbox,
                budget: &mut self.budget,
                metrics: &self.metrics,
            };
            // What is still to be delivered goes the way of the connection.
            socket.close(&mut turn);
            self.budget.release(socket.intake());
        }
        self.entries.remove(&id);
    }

    /// The program has ended: closes every socket.
    fn close_all(&mut self) {
        let mut nowhere = Outbox::default();
        while let Some((&id, _)) = self.entries.first_key_value() {
            self.close(id, &mut nowhere);
        }
    }

    fn drop_closing(&mut self, id: SocketId) {
        if let Some(Closing { socket, .. }) = self.closing.remove(&id) {
            self.budget.release(socket.intake());
        }
    }

    /// Gives up on what could not be delivered in time, and says when to look again.
    fn expire(&mut self, now: Instant) -> Option<Instant> {
        let expired: Vec<_> = self
            .closing
            .iter()
            .filter(|(_, closing)| closing.deadline <= now)
            .map(|(&id, _)| id)
            .collect();
        for id in expired {
            self.drop_closing(id);
        }
        self.closing.values().map(|closing| closing.deadline).min()
    }

    /// Whether a sync is under way.
    fn is_syncing(&self) -> bool {
        self.sync.is_some()
    }
}
