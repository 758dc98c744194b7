//! Tries of system calls: by whom, when, and how they end.

use protocol::{Errno, Reply};

use super::super::wait::{Wait, WaitId, Wake};

/// How a try of a system call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<T> {
    /// With this result.
    Ready(T),
    /// It would block.
    Blocked(WaitId),
}

/// A try of a system call.
pub(crate) type Try<T> = Result<Step<T>, Errno>;

/// Whether a call may block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It may.
    Blocking,
    /// It fails with `EAGAIN` instead.
    NonBlocking,
}

/// A try of a system call: by whom, and the wait its last try left, if it is not the first.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The thread that calls.
    pub(crate) thread: i32,
    /// The settled wait of the last try.
    pub(crate) wait: Option<Wait>,
    /// The page's clock, in milliseconds.
    pub(crate) now: f64,
    /// When the call must be over, if an earlier try has begun to count.
    pub(crate) deadline: Option<f64>,
}

impl Attempt {
    /// How many bytes the tries before have moved.
    pub(super) fn progress(&self) -> usize {
        self.wait.as_ref().map_or(0, |wait| wait.progress)
    }

    /// Why the call is tried again, if it is.
    pub(super) fn wake(&self) -> Option<&Wake> {
        self.wait.as_ref()?.wake.as_ref()
    }

    /// What the relay has answered, if that is why the call is tried again.
    pub(super) fn answer(&mut self) -> Option<Result<Reply, Errno>> {
        match self.wait.take()?.wake? {
            Wake::Answered(result) => Some(result),
            Wake::Made(_) | Wake::Ready | Wake::TimedOut | Wake::Interrupted => None,
        }
    }

    /// Whether a signal ended the wait.
    pub(super) fn is_interrupted(&self) -> bool {
        matches!(self.wake(), Some(Wake::Interrupted))
    }

    /// Whether a signal or the socket's own time-out ended the wait.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.wake(), Some(Wake::Interrupted | Wake::TimedOut))
    }

    /// Fails if a signal ended the wait, or the socket's own time-out, which is called `late`.
    pub(super) fn check(&self, late: Errno) -> Result<(), Errno> {
        match self.wake() {
            Some(Wake::Interrupted) => Err(Errno::EINTR),
            Some(Wake::TimedOut) => Err(late),
            Some(Wake::Answered(_) | Wake::Made(_) | Wake::Ready) | None => Ok(()),
        }
    }

    /// Whether the relay has just brought everything up to date.
    pub(super) fn is_synced(&self) -> bool {
        matches!(self.wake(), Some(Wake::Answered(_)))
    }
}
