//! How much a session lets a process send on all of its sockets together.

use std::sync::Arc;

use protocol::ReceiveWindow;
use protocol::limits::{INITIAL_CREDIT, MAX_WINDOW, SESSION_WINDOW};

use crate::lab::Commons;

/// How much of what all sockets share is taken.
///
/// Every socket may always have the initial credit. What windows are larger than that comes out of one budget, so that
/// a process with many busy sockets cannot make the relay hold much more than one with few. All of it, the initial
/// credit too, comes out of the lab's pool as well.
#[derive(Debug)]
pub(crate) struct Budget {
    lab: Arc<Commons>,
    /// What windows are larger than the initial credit.
    taken: u64,
    /// How many sockets have the initial credit.
    sockets: u64,
}

/// A socket's window for what the process sends, and how much went through it.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    window: ReceiveWindow,
    consumed: u64,
}

impl Intake {
    /// Counts bytes that came in.
    ///
    /// # Errors
    ///
    /// They are more than was granted.
    pub(crate) fn receive(&mut self, bytes: u64) -> Result<(), protocol::credit::OverCredit> {
        self.window.receive(bytes)
    }

    /// How many bytes are held.
    pub(crate) fn held(&self) -> u64 {
        self.window.held()
    }
}

impl Budget {
    /// The budget of a process that has no sockets yet.
    pub(crate) fn new(lab: &Arc<Commons>) -> Self {
        Self {
            lab: Arc::clone(lab),
            taken: 0,
            sockets: 0,
        }
    }

    /// Takes the initial credit of another socket out of the lab's pool. Says whether there was as much.
    pub(crate) fn admit(&mut self) -> bool {
        let admitted = self.lab.pool.take(INITIAL_CREDIT);
        self.sockets += u64::from(admitted);
        admitted
    }

    /// The socket that was admitted came to nothing.
    pub(crate) fn withdraw(&mut self) {
        self.sockets -= 1;
        self.lab.pool.give(INITIAL_CREDIT);
    }

    /// Counts bytes that left the relay, and says what to grant, if anything.
    pub(crate) fn consume(&mut self, intake: &mut Intake, bytes: u64) -> Option<u64> {
        let before = intake.window.beyond_initial();
        intake.window.consume(bytes);
        intake.consumed += bytes;
        let others = self.taken - before;
        // A socket that never carries much keeps the initial window, and leaves the budget to those that do.
        let (grant, held) = if intake.consumed < INITIAL_CREDIT / 2 {
            (None, before)
        } else {
            let more = (MAX_WINDOW - INITIAL_CREDIT).saturating_sub(before);
            let held = before + self.lab.pool.take_up_to(more);
            (intake.window.renew(held.min(SESSION_WINDOW - others)), held)
        };
        let after = intake.window.beyond_initial();
        self.lab.pool.give(held - after);
        self.taken = others + after;
        grant
    }

    /// Gives back what a socket took, which is closed.
    pub(crate) fn release(&mut self, intake: &Intake) {
        let beyond = intake.window.beyond_initial();
        self.taken -= beyond;
        self.sockets -= 1;
        self.lab.pool.give(beyond + INITIAL_CREDIT);
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        self.lab
            .pool
            .give(self.taken + self.sockets * INITIAL_CREDIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Hub;
    use crate::metrics::Metrics;
    use protocol::SendWindow;
    use protocol::limits::MAX_WINDOW;

    const PLENTY: u64 = 64 * 1024 * 1024;

    /// A budget of which this many sockets have their part already.
    fn budget(pool: u64, sockets: usize) -> Budget {
        let lab = protocol::LabId::new("a".repeat(16)).unwrap();
        let events = Hub::new(1, Metrics::default());
        let mut budget = Budget::new(&Arc::new(Commons::new(lab, pool, events)));
        for _ in 0..sockets {
            assert!(budget.admit());
        }
        budget
    }

    /// Sends and consumes one socket's whole credit a few times.
    fn fill(budget: &mut Budget, intake: &mut Intake, sender: &mut SendWindow) {
        for _ in 0..4 {
            let bytes = sender.available();
            sender.spend(bytes).unwrap();
            intake.receive(bytes).unwrap();
            if let Some(limit) = budget.consume(intake, bytes) {
                sender.grant(limit);
            }
        }
    }

    #[test]
    fn a_busy_socket_gets_the_largest_window_and_gives_it_back() {
        let mut budget = budget(PLENTY, 1);
        let (mut intake, mut sender) = (Intake::default(), SendWindow::default());
        fill(&mut budget, &mut intake, &mut sender);
        assert_eq!(sender.available(), MAX_WINDOW);
        assert_eq!(budget.taken, MAX_WINDOW - INITIAL_CREDIT);
        budget.release(&intake);
        assert_eq!(budget.taken, 0);
        assert_eq!(budget.lab.pool.free(), PLENTY);
    }

    #[test]
    fn many_busy_sockets_share_and_every_one_moves() {
        let mut budget = budget(PLENTY, 50);
        let mut sockets: Vec<_> = (0..50)
            .map(|_| (Intake::default(), SendWindow::default()))
            .collect();
        for _ in 0..3 {
            for (intake, sender) in &mut sockets {
                fill(&mut budget, intake, sender);
                assert!(INITIAL_CREDIT <= 2 * sender.available());
                assert!(budget.taken <= SESSION_WINDOW);
            }
        }
        for (intake, _) in &sockets {
            budget.release(intake);
        }
        assert_eq!(budget.taken, 0);
    }

    #[test]
    fn a_quiet_socket_takes_nothing() {
        let mut budget = budget(PLENTY, 1);
        let mut intake = Intake::default();
        intake.receive(1000).unwrap();
        assert_eq!(budget.consume(&mut intake, 1000), None);
        assert_eq!(budget.taken, 0);
    }

    #[test]
    fn a_lab_bounds_its_processes_together() {
        let mut one = budget(2 * INITIAL_CREDIT + 1000, 1);
        let mut other = Budget::new(&one.lab);
        assert!(other.admit());
        assert!(!other.admit());
        let (mut intake, mut sender) = (Intake::default(), SendWindow::default());
        fill(&mut one, &mut intake, &mut sender);
        assert!(sender.available() <= INITIAL_CREDIT + 1000);
        let lab = Arc::clone(&one.lab);
        // However a process ends, nothing stays taken.
        drop((one, other));
        assert_eq!(lab.pool.free(), 2 * INITIAL_CREDIT + 1000);
    }
}
