//! The urgent byte of a connection (RFC 6093, tcp(7)).
//!
//! The kernel keeps it beside the stream and forgets it as soon as more is read than what comes before it. So it must be
//! taken just when it is next: a read never goes past it before it was taken, and the process is told of it in its place.

use protocol::Errno;
use rustix::net::RecvFlags;

use super::{Core, Turn};
use crate::network::errno;
use crate::system;

/// Where the urgent byte of what comes in is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Incoming {
    /// Nobody has heard of one.
    #[default]
    None,
    /// It may be next, or after what was not read yet.
    Ahead,
    /// It was taken, and the next read goes past it.
    Taken,
}

impl Incoming {
    /// There may be one.
    pub(super) fn heard(&mut self) {
        if *self == Self::None {
            *self = Self::Ahead;
        }
    }

    /// Whether a read may have stopped at it.
    pub(super) fn is_ahead(self) -> bool {
        self == Self::Ahead
    }

    /// Something was read, or there was nothing.
    pub(super) fn read(&mut self) {
        if *self == Self::Taken {
            *self = Self::None;
        }
    }

    /// Before each read: takes the byte for the process if it is next. Says whether it did.
    pub(super) fn take(&mut self, core: &Core, turn: &mut Turn<'_>) -> bool {
        if *self != Self::Ahead {
            return false;
        }
        if !core.has_urgent() || !turn.outbox.tells_urgent() {
            *self = Self::None;
            return false;
        }
        if !system::is_at_mark(&core.descriptor).unwrap_or(false) {
            return false;
        }
        match receive(core) {
            Ok(byte) => {
                *self = Self::Taken;
                turn.outbox.urgent(core.id, byte);
                true
            }
            Err(_) => {
                *self = Self::None;
                false
            }
        }
    }
}

fn receive(core: &Core) -> Result<u8, Errno> {
    let mut byte = [0];
    loop {
        let flags = RecvFlags::OOB | RecvFlags::DONTWAIT;
        match rustix::net::recv(&core.descriptor, &mut byte[..], flags) {
            Ok((0, _)) => return Err(Errno::EINVAL),
            Ok(_) => return Ok(byte[0]),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(errno(error)),
        }
    }
}

/// Whether bytes that go out end with an urgent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// They do not.
    Ordinary,
    /// They do.
    Urgent,
}
