//! What a process was sent and has not acknowledged, so that it can be sent once more.
//!
//! A large message is kept in the buffer from which it was written, so that no byte of a bulk transfer is copied for
//! this; small ones are gathered in a buffer of just their size. What was acknowledged is given back, so a session that
//! is idle keeps nothing. Offsets are bytes of frames since the session began.

use std::collections::VecDeque;

use protocol::limits::MAX_UNACKED;

use super::batch::{Batch, HEADROOM};
use super::pool;

/// Messages with fewer bytes of frames are gathered.
const SMALL: usize = pool::SIZE / 4;

/// The most bytes that are kept when answers are added to the payload; who makes the relay owe more breaks the protocol.
const MOST: usize = 4 * MAX_UNACKED;

/// What a process says it has received cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{received} bytes were acknowledged, but {least} to {most} are possible")]
pub(crate) struct WrongCount {
    received: u64,
    least: u64,
    most: u64,
}

/// Whether there may be more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Anything.
    Free,
    /// Answers only, before the process has acknowledged more.
    Answers,
    /// Nothing.
    Exceeded,
}

/// Written messages, oldest first.
#[derive(Debug, Default)]
pub(super) struct Retained {
    /// Written on this connection.
    written: VecDeque<Batch>,
    /// Written on an earlier one, and not on this.
    again: VecDeque<Batch>,
    /// The offset where the oldest of them begins.
    base: u64,
    /// The offset up to which everything was written on this connection.
    end: u64,
    /// What the process has acknowledged.
    acknowledged: u64,
    /// How many bytes of frames are kept. The buffers take four times as much at most, as the small ones are gathered.
    kept: usize,
}

impl Retained {
    /// Whether there may be more.
    pub(super) fn room(&self) -> Room {
        match self.kept {
            0..MAX_UNACKED => Room::Free,
            MAX_UNACKED..MOST => Room::Answers,
            MOST.. => Room::Exceeded,
        }
    }

    /// Whether something must be written again before anything else.
    pub(super) fn is_behind(&self) -> bool {
        !self.again.is_empty()
    }

    /// Keeps a message that was written.
    pub(super) fn keep(&mut self, mut batch: Batch) {
        self.end += batch.frames as u64;
        if batch.frames == 0 || self.end <= self.acknowledged {
            self.trim();
            // Whatever is before this was acknowledged too.
            if self.written.is_empty() {
                self.base = self.end;
            }
            return;
        }
        self.kept += batch.frames;
        if batch.frames < SMALL && batch.bytes.len() == pool::SIZE {
            match self.written.back_mut() {
                Some(last) if last.frames + batch.frames <= SMALL => {
                    last.bytes.truncate(last.end);
                    last.bytes.extend_from_slice(batch.frames());
                    last.extend(batch.frames);
                    return;
                }
                Some(_) | None => batch = Batch::compact(batch.frames()),
            }
        }
        self.written.push_back(batch);
    }

    /// The process has received everything up to this offset. `sending` is how many bytes of frames are being written.
    pub(super) fn acknowledge(&mut self, received: u64, sending: usize) -> Result<(), WrongCount> {
        // The acknowledgement may be from a connection that was lost since.
        let most = self.base + (self.kept + sending) as u64;
        if most < received {
            return Err(WrongCount {
                received,
                least: 0,
                most,
            });
        }
        self.acknowledged = self.acknowledged.max(received);
        self.trim();
        Ok(())
    }

    /// Gives back what was acknowledged.
    fn trim(&mut self) {
        while let Some(oldest) = self.written.front() {
            let end = self.base + oldest.frames as u64;
            if self.acknowledged < end {
                return;
            }
            self.base = end;
            self.kept -= oldest.frames;
            self.written.pop_front();
        }
    }

    /// The connection is lost while this is being written: everything is to be written again.
    pub(super) fn cut(&mut self, sending: Batch) {
        if 0 < sending.frames {
            self.kept += sending.frames;
            self.written.push_back(sending);
        }
        self.written.append(&mut self.again);
        std::mem::swap(&mut self.written, &mut self.again);
        self.end = self.base;
    }

    /// A new connection goes on after what the process has received.
    pub(super) fn resume(&mut self, received: u64) -> Result<(), WrongCount> {
        let least = self.acknowledged.max(self.base);
        let most = self.base + self.kept as u64;
        if received < least || most < received {
            return Err(WrongCount {
                received,
                least,
                most,
            });
        }
        self.acknowledged = received;
        while let Some(oldest) = self.again.front_mut() {
            let skip = usize::try_from(received - self.base).unwrap_or(usize::MAX);
            if skip < oldest.frames {
                oldest.rewind(skip);
                self.kept -= skip;
                break;
            }
            self.base += oldest.frames as u64;
            self.kept -= oldest.frames;
            self.again.pop_front();
        }
        (self.base, self.end) = (received, received);
        Ok(())
    }

    /// The next message that is to be written again.
    pub(super) fn next(&mut self) -> Option<Batch> {
        let mut batch = self.again.pop_front()?;
        self.kept -= batch.frames;
        batch.rewind(0);
        debug_assert!(HEADROOM <= batch.start);
        Some(batch)
    }

    /// How much memory the buffers take.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let batches = self.written.iter().chain(&self.again);
        batches.map(|batch| batch.bytes.capacity()).sum()
    }
}

#[cfg(test)]
mod tests;
