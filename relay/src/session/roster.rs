//! The running processes by lab and process id, so that one can be killed from outside.
//!
//! A page that terminates a worker takes the process's WebSocket with it, but a browser may let a worker that computes
//! go on for seconds before it is really gone. So the page says here that it is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::LabId;
use tokio_util::sync::CancellationToken;

/// A process: its lab and its id there.
type Key = (LabId, u32);

/// The running processes.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    processes: Mutex<BTreeMap<Key, CancellationToken>>,
}

/// A process's place in the roster, which it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    roster: Arc<Roster>,
    key: Key,
}

impl Roster {
    /// Enters a process that ends when `killed` is cancelled.
    pub(crate) fn enter(
        self: &Arc<Self>,
        lab: LabId,
        pid: u32,
        killed: CancellationToken,
    ) -> Entry {
        let key = (lab, pid);
        self.lock().insert(key.clone(), killed);
        Entry {
            roster: Arc::clone(self),
            key,
        }
    }

    /// Kills a process. Says whether there was one.
    pub(crate) fn kill(&self, lab: LabId, pid: u32) -> bool {
        match self.lock().get(&(lab, pid)) {
            Some(killed) => {
                killed.cancel();
                true
            }
            None => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, CancellationToken>> {
        self.processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.roster.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_there_can_be_killed() {
        let roster = Arc::new(Roster::default());
        let [lab, other] =
            ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"].map(|id| LabId::new(id).unwrap());
        let killed = CancellationToken::new();
        let entry = roster.enter(lab.clone(), 1000, killed.clone());
        assert!(!roster.kill(other, 1000));
        assert!(!killed.is_cancelled());
        assert!(roster.kill(lab.clone(), 1000));
        assert!(killed.is_cancelled());
        drop(entry);
        assert!(!roster.kill(lab, 1000));
    }
}
