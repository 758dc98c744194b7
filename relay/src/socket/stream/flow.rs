//! The bytes of a stream, between the kernel and the process.

use protocol::Errno;
use protocol::limits::MAX_STREAM_FRAME;
use rustix::net::{RecvFlags, SendFlags};

use super::super::{Core, Turn, Urgency};
use crate::network::errno;

/// The least that is worth a frame of its own when there is little room left.
pub(super) const LEAST: usize = 4096;

/// How much may be read into one frame.
pub(super) fn limit(core: &Core, share: usize, turn: &Turn<'_>) -> usize {
    let credit = usize::try_from(core.window.available()).unwrap_or(usize::MAX);
    let limit = share.min(MAX_STREAM_FRAME).min(credit);
    if turn.outbox.has_room_for_payload(limit) {
        limit
    } else {
        limit.min(LEAST)
    }
}

/// Reads from the kernel into the outbox. Zero is the end of the data.
pub(super) fn receive(core: &Core, limit: usize, turn: &mut Turn<'_>) -> Result<usize, Errno> {
    turn.outbox.stream(core.id, limit, |room| {
        loop {
            match rustix::net::recv(&core.descriptor, &mut *room, RecvFlags::DONTWAIT) {
                Ok((length, _)) => return Ok(length),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(errno(error)),
            }
        }
    })
}

/// Counts what was read for the process.
pub(super) fn count(core: &mut Core, length: usize, turn: &Turn<'_>) {
    // The limit of the read was within the credit.
    let spent = core.window.spend(length as u64);
    debug_assert!(spent.is_ok());
    core.traffic(turn.metrics).received.inc_by(length as u64);
}

/// Gives the kernel what it takes, which may be nothing.
pub(super) fn send(core: &Core, bytes: &[u8], urgency: Urgency) -> Result<usize, Errno> {
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let flags = match urgency {
        Urgency::Ordinary => flags,
        Urgency::Urgent => flags | SendFlags::OOB,
    };
    loop {
        match rustix::net::send(&core.descriptor, bytes, flags) {
            Ok(sent) => return Ok(sent),
            Err(rustix::io::Errno::AGAIN) => return Ok(0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(errno(error)),
        }
    }
}
