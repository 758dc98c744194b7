//! The sockets of a process as ss(8) would show them, for whoever asks from outside.
//!
//! Only the session's task touches its sockets, so a question is left with the process's listing and the task is woken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::{Address, Domain, Kind, SocketId};
use tokio::sync::oneshot;

use super::{Entry, Ready, Sockets};
use crate::network::Sight;

/// The most questions that wait at a process. Whoever comes later gets no answer.
const WAITING: usize = 32;

/// One socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its number in its process.
    pub(crate) socket: SocketId,
    /// Its family.
    pub(crate) domain: Domain,
    /// Its type.
    pub(crate) kind: Kind,
    /// What the kernel says of it.
    pub(crate) sight: Sight,
    /// Bytes of the process that the relay holds because the kernel has not taken them yet.
    pub(crate) held: u64,
    /// Its own address.
    pub(crate) local: Address,
    /// Its peer's.
    pub(crate) peer: Address,
}

/// Questions that wait for a process.
#[derive(Debug)]
pub(crate) struct Questions {
    ready: Arc<Ready>,
    asked: AtomicBool,
    waiting: Mutex<Vec<oneshot::Sender<Vec<Row>>>>,
}

impl Questions {
    /// None so far, for the process with these sockets.
    pub(super) fn new(ready: &Arc<Ready>) -> Self {
        Self {
            ready: Arc::clone(ready),
            asked: AtomicBool::new(false),
            waiting: Mutex::default(),
        }
    }

    /// Asks for the table. The answer fails if the process ends before.
    pub(crate) fn ask(&self) -> oneshot::Receiver<Vec<Row>> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING {
            waiting.push(sender);
        }
        drop(waiting);
        self.asked.store(true, Ordering::Release);
        self.wake();
        receiver
    }

    /// Has the process look what there is to do.
    pub(crate) fn wake(&self) {
        self.ready.wake();
    }

    /// Answers what was asked, if anything.
    pub(super) fn answer(&self, sockets: &Sockets) {
        // Cheap when nobody asks, which is nearly always.
        if !self.asked.load(Ordering::Relaxed) || !self.asked.swap(false, Ordering::AcqRel) {
            return;
        }
        let rows = sockets.table();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for asker in waiting.drain(..) {
            // Who has gone meanwhile does not matter.
            let _ = asker.send(rows.clone());
        }
    }
}

impl Sockets {
    /// All sockets, those included that only deliver.
    fn table(&self) -> Vec<Row> {
        let inspector = self.membership.host().inspector().ok();
        let open = self.entries.values().filter_map(|entry| match entry {
            Entry::Open(socket) => Some(socket),
            Entry::Failed(_) => None,
        });
        let closing = self.closing.values().map(|it| &it.socket);
        open.chain(closing)
            .map(|socket| socket.row(inspector.as_ref()))
            .collect()
    }
}
