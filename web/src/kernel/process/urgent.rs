//! Urgent bytes: what comes and goes beside a stream (tcp(7)).

use protocol::{ClientMessage, Errno, Kind, SocketId};

use super::super::inbox::{Chunk, Placement, Reading};
use super::super::socket::Phase;
use super::super::wait::Signals;
use super::transfer::{Received, flags};
use super::{Attempt, Process, Step, Try};

/// `SOL_SOCKET` and `SO_OOBINLINE`.
const OOBINLINE: (i32, i32) = (1, 10);

impl<C: Chunk> Process<C> {
    /// recv(2) with `MSG_OOB`, which never waits.
    pub(super) fn recv_urgent(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        length: usize,
        flags: i32,
    ) -> Try<Received<C>> {
        let socket = self.get_mut(id)?;
        if !socket.has_urgent_data() {
            return Err(Errno::EOPNOTSUPP);
        }
        if let Phase::Listening { .. } = socket.phase {
            return Err(Errno::ENOTCONN);
        }
        let byte = match socket.placement {
            Placement::Beside => socket.stream.urgent(reading(flags)),
            Placement::Inline => None,
        };
        let Some(byte) = byte else {
            return self.unless_new(attempt, Err(Errno::EINVAL));
        };
        let count = byte.len().min(length);
        Ok(Step::Ready(Received {
            chunks: vec![byte.slice(0, count)],
            offset: 0,
            then: Step::Ready(count),
            from: None,
            controls: Vec::new(),
            told: if count == 0 {
                flags::OOB | flags::TRUNC
            } else {
                flags::OOB
            },
        }))
    }

    /// ioctl(2) with `SIOCATMARK`: whether the next byte is urgent.
    pub(crate) fn at_mark(&mut self, attempt: &Attempt, id: SocketId) -> Try<bool> {
        let socket = self.get(id)?;
        if socket.kind != Kind::Stream {
            return Err(Errno::ENOTTY);
        }
        if socket.stream.is_at_mark() {
            return Ok(Step::Ready(true));
        }
        self.unless_new(attempt, Ok(Step::Ready(false)))
    }

    /// This, if the relay has nothing new.
    fn unless_new<T>(&mut self, attempt: &Attempt, known: Try<T>) -> Try<T> {
        if attempt.is_synced() || self.lost.is_some() {
            return known;
        }
        self.call(attempt, Signals::Hold, |call| ClientMessage::Sync { call })
    }

    /// Notes an option that was set.
    pub(super) fn note_option(&mut self, id: SocketId, option: (i32, i32), value: &[u8]) {
        if option == OOBINLINE
            && let Ok(socket) = self.get_mut(id)
        {
            let is_on = value.iter().take(4).any(|&byte| byte != 0);
            socket.placement = if is_on {
                Placement::Inline
            } else {
                Placement::Beside
            };
        }
    }
}

/// Whether a call with these flags leaves the data where it is.
pub(super) fn reading(flags: i32) -> Reading {
    if flags & flags::PEEK == 0 {
        Reading::Take
    } else {
        Reading::Peek
    }
}
