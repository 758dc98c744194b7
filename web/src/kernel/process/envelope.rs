//! What a datagram is sent with.

use protocol::frame::encode_controls;
use protocol::{Address, Control, Errno, MINOR_MESSAGE};

use super::super::inbox::Chunk;
use super::Process;

/// What a datagram is sent with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope<'a> {
    /// Where to; [`Address::Unspecified`] to the peer.
    pub(crate) address: &'a Address,
    /// Its control messages.
    pub(crate) controls: &'a [Control],
}

impl<'a> From<&'a Address> for Envelope<'a> {
    fn from(address: &'a Address) -> Self {
        Self {
            address,
            controls: &[],
        }
    }
}

impl<C: Chunk> Process<C> {
    /// Checks that the relay takes these control messages.
    ///
    /// # Errors
    ///
    /// `ENOBUFS`: they are too long. `EOPNOTSUPP`: it is an older relay, which knows of none.
    pub(super) fn check_controls(&self, controls: &[Control]) -> Result<(), Errno> {
        if controls.is_empty() {
            return Ok(());
        }
        let welcome = self.welcome.as_ref();
        if welcome.is_some_and(|welcome| welcome.minor < MINOR_MESSAGE) {
            return Err(Errno::EOPNOTSUPP);
        }
        if !encode_controls(controls, &mut Vec::new()) {
            return Err(Errno::ENOBUFS);
        }
        Ok(())
    }
}
