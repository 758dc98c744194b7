//! What each side knows of the other, so that a lost connection can be resumed.
//!
//! Both directions of a session are streams of frames, and each side counts the bytes of the whole frames that it has
//! taken. A sender keeps what the other has not acknowledged; after a loss each side says its count, and the other sends
//! what comes after it once more. So every frame is worked through exactly once, whatever kind it is.

use std::fmt;
use std::hint::black_box;

use serde::{Deserialize, Serialize};

use crate::limits::ACK_EVERY;

/// What proves that a connection belongs to a session: 128 random bits.
///
/// Two are compared in a time that does not depend on what is in them, and none is shown.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Token(pub [u8; 16]);

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        let differences = self.0.iter().zip(&other.0).map(|(one, other)| one ^ other);
        black_box(differences.fold(0, |all, difference| black_box(all | difference))) == 0
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// How far a receiver has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    received: u64,
    acknowledged: u64,
}

impl Progress {
    /// Counts a whole frame, its header included.
    pub fn take(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// How many bytes came since the session began.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether so much came since the last acknowledgement that the next one may not wait.
    pub fn is_due(&self) -> bool {
        ACK_EVERY <= self.received - self.acknowledged
    }

    /// Whether anything came since the last acknowledgement.
    pub fn is_owed(&self) -> bool {
        self.acknowledged < self.received
    }

    /// The count to tell the sender now.
    pub fn acknowledge(&mut self) -> u64 {
        self.acknowledged = self.received;
        self.received
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_equals_only_itself_and_is_not_shown() {
        let token = Token([7; 16]);
        assert_eq!(token, Token([7; 16]));
        for place in 0..16 {
            let mut other = token;
            other.0[place] ^= 0x80;
            assert_ne!(token, other);
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn an_acknowledgement_is_due_after_enough_bytes() {
        let mut progress = Progress::default();
        assert!(!progress.is_owed());
        progress.take(usize::try_from(ACK_EVERY).unwrap() - 1);
        assert!(progress.is_owed() && !progress.is_due());
        progress.take(1);
        assert!(progress.is_due());
        assert_eq!(progress.acknowledge(), ACK_EVERY);
        assert!(!progress.is_owed());
    }
}
