//! A socket's registration with the event loop, and what the kernel says when it is asked itself.

use std::future::Future as _;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use protocol::Errno;
use rustix::event::{PollFd, PollFlags, Timespec};
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::io::{Interest, Ready as Readiness};

use super::Core;

/// What the event loop is to tell of a socket; priority is TCP's urgent data (poll(2)).
const INTEREST: Interest = Interest::READABLE
    .add(Interest::WRITABLE)
    .add(Interest::PRIORITY);

impl Core {
    /// Registers with the event loop, anew if it was: what it knew is forgotten. A stream must not be registered before
    /// it is connected or listens, because the event loop takes a fresh one for closed, for ever.
    pub(super) fn watch(&mut self) -> Result<(), Errno> {
        self.watch = None;
        #[expect(
            deprecated,
            reason = "its successor is unsafe because a descriptor may be replaced or closed early; a shared OwnedFd cannot be"
        )]
        match AsyncFd::with_interest(Arc::clone(&self.descriptor), INTEREST) {
            Ok(watch) => {
                self.watch = Some(watch);
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "a socket could not be watched");
                Err(Errno::ENOMEM)
            }
        }
    }

    /// Whether there may be something to read. The waker is told if not.
    pub(super) fn readable(&self) -> Poll<AsyncFdReadyGuard<'_, Arc<OwnedFd>>> {
        let mut context = Context::from_waker(&self.waker);
        match &self.watch {
            Some(watch) => match watch.poll_read_ready(&mut context) {
                Poll::Ready(Ok(guard)) => Poll::Ready(guard),
                // The event loop has ended, and the session is about to.
                Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
            },
            None => Poll::Pending,
        }
    }

    /// Whether there may be room to write. The waker is told if not.
    pub(super) fn writable(&self) -> Poll<AsyncFdReadyGuard<'_, Arc<OwnedFd>>> {
        let mut context = Context::from_waker(&self.waker);
        match &self.watch {
            Some(watch) => match watch.poll_write_ready(&mut context) {
                Poll::Ready(Ok(guard)) => Poll::Ready(guard),
                Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
            },
            None => Poll::Pending,
        }
    }

    /// Whether the event loop has heard of urgent data since it was asked last. To be asked when something may be read: then
    /// it costs no more than a look.
    pub(super) fn hears_urgent(&self) -> bool {
        let Some(watch) = &self.watch else {
            return false;
        };
        let mut context = Context::from_waker(Waker::noop());
        let ready = pin!(watch.ready(Interest::READABLE | Interest::PRIORITY));
        match ready.poll(&mut context) {
            Poll::Ready(Ok(mut guard)) if guard.ready().is_priority() => {
                guard.clear_ready_matching(Readiness::PRIORITY);
                true
            }
            Poll::Ready(_) | Poll::Pending => false,
        }
    }

    /// Asks the kernel itself whether there is urgent data that was not taken.
    pub(super) fn has_urgent(&self) -> bool {
        let mut fds = [PollFd::new(&self.descriptor, PollFlags::PRI)];
        let now = Timespec::default();
        let asked = rustix::event::poll(&mut fds, Some(&now));
        asked.is_ok() && fds.iter().any(|fd| fd.revents().contains(PollFlags::PRI))
    }

    /// Asks the kernel itself which of these events a descriptor has, errors included.
    pub(super) fn has(&self, events: PollFlags) -> bool {
        let mut fds = [PollFd::new(&self.descriptor, events)];
        let now = Timespec::default();
        matches!(rustix::event::poll(&mut fds, Some(&now)), Ok(1..))
    }
}
