//! How much each side may send.
//!
//! Credit is a cumulative offset: "you may send up to byte N since the socket was made" (as QUIC's `MAX_STREAM_DATA`,
//! RFC 9000, section 4). A grant can therefore be lost in reordering or said twice without harm, and bytes in flight
//! never count twice. Both sides start from [`INITIAL_CREDIT`].

use crate::limits::{DATAGRAM_COST, INITIAL_CREDIT, MAX_DATAGRAM, MAX_WINDOW};

/// What a datagram of this many bytes costs. One that is longer than [`MAX_DATAGRAM`], as only IP's longest packets are,
/// costs as much as that, so that what is left of a drained window always fits one.
pub fn datagram_cost(length: usize) -> u64 {
    length.min(MAX_DATAGRAM) as u64 + DATAGRAM_COST
}

/// More was sent than was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{excess} bytes more than the credit")]
pub struct OverCredit {
    /// How many bytes too many.
    pub excess: u64,
}

/// What the sender of one socket keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendWindow {
    sent: u64,
    limit: u64,
}

impl Default for SendWindow {
    fn default() -> Self {
        Self {
            sent: 0,
            limit: INITIAL_CREDIT,
        }
    }
}

impl SendWindow {
    /// How many bytes may be sent now.
    pub fn available(&self) -> u64 {
        self.limit - self.sent
    }

    /// How many bytes were sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Counts bytes that are being sent: at most [`available`](Self::available).
    ///
    /// # Errors
    ///
    /// [`OverCredit`], and nothing is counted.
    pub fn spend(&mut self, bytes: u64) -> Result<(), OverCredit> {
        if self.available() < bytes {
            return Err(OverCredit {
                excess: bytes - self.available(),
            });
        }
        self.sent += bytes;
        Ok(())
    }

    /// Takes a grant. An older one than the last changes nothing.
    pub fn grant(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }
}

/// What the receiver of one socket keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveWindow {
    received: u64,
    consumed: u64,
    limit: u64,
}

impl Default for ReceiveWindow {
    fn default() -> Self {
        Self {
            received: 0,
            consumed: 0,
            limit: INITIAL_CREDIT,
        }
    }
}

impl ReceiveWindow {
    /// Counts bytes that came in.
    ///
    /// # Errors
    ///
    /// [`OverCredit`], if the sender broke the rule.
    pub fn receive(&mut self, bytes: u64) -> Result<(), OverCredit> {
        let open = self.limit - self.received;
        if open < bytes {
            return Err(OverCredit {
                excess: bytes - open,
            });
        }
        self.received += bytes;
        Ok(())
    }

    /// Counts bytes that were handed on and are held no longer.
    pub fn consume(&mut self, bytes: u64) {
        debug_assert!(self.consumed + bytes <= self.received);
        self.consumed += bytes;
    }

    /// How many bytes were handed on.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Received and not yet consumed, in bytes.
    pub fn held(&self) -> u64 {
        self.received - self.consumed
    }

    /// How many bytes the sender could make this side hold beyond what every socket may: what it takes of the budget
    /// that all sockets of a process share.
    pub fn beyond_initial(&self) -> u64 {
        (self.limit - self.consumed).saturating_sub(INITIAL_CREDIT)
    }

    /// The grant that should be told to the sender now, if any: when at least half of the window was used up.
    ///
    /// `budget` is how many bytes beyond [`INITIAL_CREDIT`] this socket may take, [`beyond_initial`] included; the
    /// window never shrinks below the initial one, so every socket always moves.
    ///
    /// [`beyond_initial`]: Self::beyond_initial
    pub fn renew(&mut self, budget: u64) -> Option<u64> {
        let window = (INITIAL_CREDIT + budget).min(MAX_WINDOW);
        let limit = self.consumed + window;
        if limit < self.limit + window / 2 {
            return None;
        }
        self.limit = limit;
        Some(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_PACKET;
    use proptest::prelude::*;

    #[test]
    fn a_sender_stops_at_its_credit() {
        let mut window = SendWindow::default();
        assert_eq!(window.spend(INITIAL_CREDIT), Ok(()));
        assert_eq!(window.spend(1), Err(OverCredit { excess: 1 }));
        window.grant(INITIAL_CREDIT + 10);
        window.grant(INITIAL_CREDIT);
        assert_eq!(window.available(), 10);
    }

    #[test]
    fn a_receiver_renews_when_half_is_used() {
        let mut window = ReceiveWindow::default();
        window.receive(INITIAL_CREDIT).unwrap();
        window.consume(INITIAL_CREDIT / 2 - 1);
        assert_eq!(window.renew(0), None);
        window.consume(1);
        assert_eq!(window.renew(0), Some(INITIAL_CREDIT / 2 + INITIAL_CREDIT));
        assert_eq!(window.renew(0), None);
    }

    #[test]
    fn a_drained_window_has_room_for_the_largest_datagram() {
        let largest = datagram_cost(MAX_PACKET);
        let mut sender = SendWindow::default();
        let mut receiver = ReceiveWindow::default();
        sender.spend(INITIAL_CREDIT / 2 - 1).unwrap();
        receiver.receive(INITIAL_CREDIT / 2 - 1).unwrap();
        receiver.consume(INITIAL_CREDIT / 2 - 1);
        assert_eq!(receiver.renew(0), None);
        assert_eq!(sender.spend(largest), Ok(()));
    }

    proptest! {
        /// However sends, deliveries, reads and grants interleave, no byte goes over credit, what is held stays within
        /// the window, and a drained connection always moves again.
        #[test]
        fn the_two_windows_agree(steps in prop::collection::vec((0u8..4, 0u64..300_000, 0u64..2_000_000), 1..200)) {
            let (mut sender, mut receiver) = (SendWindow::default(), ReceiveWindow::default());
            let (mut flight, mut grants) = (0, None);
            for (step, bytes, budget) in steps {
                match step {
                    0 => { let n = bytes.min(sender.available()); sender.spend(n).unwrap(); flight += n; }
                    1 => { let n = bytes.min(flight); receiver.receive(n).unwrap(); flight -= n; }
                    2 => { receiver.consume(bytes.min(receiver.held())); grants = receiver.renew(budget).or(grants); }
                    _ => if let Some(limit) = grants.take() { sender.grant(limit); },
                }
                prop_assert!(receiver.held() <= MAX_WINDOW);
            }
            receiver.receive(flight).unwrap();
            receiver.consume(receiver.held());
            if let Some(limit) = receiver.renew(0).or(grants) { sender.grant(limit); }
            prop_assert!(0 < sender.available());
        }
    }
}
