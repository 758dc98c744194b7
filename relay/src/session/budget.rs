//! How much a session lets a process send on all of its sockets together.

use protocol::ReceiveWindow;
use protocol::limits::{INITIAL_CREDIT, SESSION_WINDOW};

/// How much of what all sockets share is taken.
///
/// Every socket may always have the initial credit. What windows are larger than that comes out of one budget, so that
/// a process with many busy sockets cannot make the relay hold much more than one with few.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    taken: u64,
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
    /// Counts bytes that left the relay, and says what to grant, if anything.
    pub(crate) fn consume(&mut self, intake: &mut Intake, bytes: u64) -> Option<u64> {
        let before = intake.window.beyond_initial();
        intake.window.consume(bytes);
        intake.consumed += bytes;
        let others = self.taken - before;
        // A socket that never carries much keeps the initial window, and leaves the budget to those that do.
        let grant = if intake.consumed < INITIAL_CREDIT / 2 {
            None
        } else {
            intake.window.renew(SESSION_WINDOW - others)
        };
        self.taken = others + intake.window.beyond_initial();
        grant
    }

    /// Gives back what a socket took, which is closed.
    pub(crate) fn release(&mut self, intake: &Intake) {
        self.taken -= intake.window.beyond_initial();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::SendWindow;
    use protocol::limits::MAX_WINDOW;

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
        let mut budget = Budget::default();
        let (mut intake, mut sender) = (Intake::default(), SendWindow::default());
        fill(&mut budget, &mut intake, &mut sender);
        assert_eq!(sender.available(), MAX_WINDOW);
        assert_eq!(budget.taken, MAX_WINDOW - INITIAL_CREDIT);
        budget.release(&intake);
        assert_eq!(budget.taken, 0);
    }

    #[test]
    fn many_busy_sockets_share_and_every_one_moves() {
        let mut budget = Budget::default();
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
        let mut budget = Budget::default();
        let mut intake = Intake::default();
        intake.receive(1000).unwrap();
        assert_eq!(budget.consume(&mut intake, 1000), None);
        assert_eq!(budget.taken, 0);
    }
}
