//! The running processes by lab and process id, so that one can be looked at and ended from outside,
//! and can come back.
//!
//! A page that terminates a worker takes the process's WebSocket with it, but a browser may let a worker that computes
//! go on for seconds before it is really gone. So the page says here that it is over. A process whose connection was
//! lost comes in on another one, and is handed on here to the task that has its sockets.

mod seat;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use protocol::{HostName, LabId, ProcessName, Refusal, Token};
use tokio_util::sync::CancellationToken;

use super::table::Questions;

pub(super) use seat::{Arrival, Seat};

/// Why a process cannot come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ResumeFailure {
    /// There is no such process, or it cannot resume.
    Unknown,
    /// The token is not its own.
    Token,
    /// It did not come within the grace time.
    Late,
}

/// A process: its lab and its id there.
type Key = (LabId, u32);

/// The running processes.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    processes: Mutex<BTreeMap<Key, Arc<Listing>>>,
}

/// How a process is ended from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending {
    reason: Arc<OnceLock<Refusal>>,
    token: CancellationToken,
}

impl Ending {
    /// Completes when the process is to end.
    pub(super) async fn requested(&self) -> Option<Refusal> {
        self.token.cancelled().await;
        self.reason.get().cloned()
    }
}

/// What is known of a process.
#[derive(Debug)]
pub(crate) struct Listing {
    /// Its id.
    pub(crate) pid: u32,
    /// The minor version that it speaks.
    pub(crate) minor: u16,
    /// The host that it runs on.
    pub(crate) host: HostName,
    /// What people call it.
    pub(crate) name: ProcessName,
    /// When it began.
    pub(crate) begun_at: SystemTime,
    /// What others want to know of it.
    pub(crate) questions: Questions,
    /// How it is ended.
    pub(super) ending: Ending,
    /// Where it comes back.
    pub(super) seat: Seat,
}

/// A process's place in the roster, which it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    roster: Arc<Roster>,
    key: Key,
    /// What is known of it.
    pub(super) listing: Arc<Listing>,
}

impl Roster {
    /// Enters a process.
    pub(super) fn enter(self: &Arc<Self>, lab: LabId, listing: Arc<Listing>) -> Entry {
        let key = (lab, listing.pid);
        self.lock().insert(key.clone(), Arc::clone(&listing));
        Entry {
            roster: Arc::clone(self),
            key,
            listing,
        }
    }

    /// Kills a process: it is not told anything. Says whether there was one.
    pub(crate) fn kill(&self, lab: LabId, pid: u32) -> bool {
        match self.lock().get(&(lab, pid)) {
            Some(listing) => {
                listing.ending.token.cancel();
                true
            }
            None => false,
        }
    }

    /// Finds the process that a connection wants to resume.
    pub(super) fn find(
        &self,
        lab: LabId,
        pid: u32,
        token: Token,
    ) -> Result<Arc<Listing>, ResumeFailure> {
        let processes = self.lock();
        let listing = processes
            .get(&(lab, pid))
            .filter(|listing| !listing.ending.token.is_cancelled())
            .ok_or(ResumeFailure::Unknown)?;
        listing.seat.check(token)?;
        Ok(Arc::clone(listing))
    }

    /// Ends all processes of a lab and tells them why.
    pub(crate) fn end(&self, lab: &LabId, reason: &Refusal) {
        for listing in self.of(lab) {
            // Only the first reason counts.
            let _ = listing.ending.reason.set(reason.clone());
            listing.ending.token.cancel();
        }
    }

    /// The processes of a lab, in the order of their ids.
    pub(crate) fn of(&self, lab: &LabId) -> Vec<Arc<Listing>> {
        self.lock()
            .range((lab.clone(), 0)..=(lab.clone(), u32::MAX))
            .map(|(_, listing)| Arc::clone(listing))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Listing>>> {
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

    fn listing(pid: u32) -> Arc<Listing> {
        listing_with(pid, None)
    }

    fn listing_with(pid: u32, token: Option<Token>) -> Arc<Listing> {
        Arc::new(Listing {
            pid,
            minor: 0,
            host: HostName::new("desk").unwrap(),
            name: ProcessName::new("server").unwrap(),
            begun_at: SystemTime::now(),
            questions: Questions::new(&Arc::default()),
            ending: Ending::default(),
            seat: Seat::new(token),
        })
    }

    #[tokio::test]
    async fn only_who_is_there_can_be_killed() {
        let roster = Arc::new(Roster::default());
        let [lab, other] =
            ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"].map(|id| LabId::new(id).unwrap());
        let entry = roster.enter(lab.clone(), listing(1000));
        let ending = entry.listing.ending.clone();
        assert!(!roster.kill(other, 1000));
        assert!(!ending.token.is_cancelled());
        assert!(roster.kill(lab.clone(), 1000));
        assert_eq!(ending.requested().await, None);
        drop(entry);
        assert!(!roster.kill(lab, 1000));
    }

    #[tokio::test]
    async fn a_lab_is_ended_with_a_reason_and_others_are_not() {
        let roster = Arc::new(Roster::default());
        let [lab, other] =
            ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"].map(|id| LabId::new(id).unwrap());
        let entries = [1000, 1001].map(|pid| roster.enter(lab.clone(), listing(pid)));
        let neighbour = roster.enter(other, listing(1000));
        roster.end(&lab, &Refusal::Revoked);
        for entry in &entries {
            let reason = entry.listing.ending.requested().await;
            assert_eq!(reason, Some(Refusal::Revoked));
        }
        assert!(!neighbour.listing.ending.token.is_cancelled());
    }

    #[test]
    fn only_who_has_the_token_comes_back_and_no_dead_process_does() {
        let roster = Arc::new(Roster::default());
        let [lab, other] =
            ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"].map(|id| LabId::new(id).unwrap());
        let (token, wrong) = (Token([1; 16]), Token([2; 16]));
        let _entry = roster.enter(lab.clone(), listing_with(1000, Some(token)));
        let _simple = roster.enter(lab.clone(), listing(1001));
        let find = |lab: &LabId, pid, token| roster.find(lab.clone(), pid, token).err();
        assert_eq!(find(&lab, 1000, token), None);
        assert_eq!(find(&lab, 1000, wrong), Some(ResumeFailure::Token));
        assert_eq!(find(&lab, 1001, token), Some(ResumeFailure::Unknown));
        assert_eq!(find(&lab, 1002, token), Some(ResumeFailure::Unknown));
        assert_eq!(find(&other, 1000, token), Some(ResumeFailure::Unknown));
        assert!(roster.kill(lab.clone(), 1000));
        assert_eq!(find(&lab, 1000, token), Some(ResumeFailure::Unknown));
    }
}
