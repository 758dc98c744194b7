//! Which sockets of a session want to be looked at.
//!
//! A session is one task. Each of its sockets has a waker of its own, which says which socket became ready before it
//! wakes the task; so a turn costs as much as there is to do, however many sockets there are.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use protocol::SocketId;

/// The ready sockets of a session, in the order in which they became so. Each is in it at most once.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<SocketId>,
    task: Option<Waker>,
}

impl Ready {
    /// Says which task to wake.
    pub(crate) fn register(&self, task: &Waker) {
        let mut state = self.lock();
        match &state.task {
            Some(known) if known.will_wake(task) => {}
            Some(_) | None => state.task = Some(task.clone()),
        }
    }

    /// Wakes the task, though no socket has become ready.
    pub(crate) fn wake(&self) {
        let task = self.lock().task.clone();
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Takes the next socket.
    pub(crate) fn pop(&self) -> Option<SocketId> {
        self.lock().queue.pop_front()
    }

    /// How many sockets wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().queue.len()
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The waker of one socket.
#[derive(Debug)]
pub(crate) struct Signal {
    socket: SocketId,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Signal {
    /// Makes the waker of a socket.
    pub(crate) fn new(socket: SocketId, ready: &Arc<Ready>) -> Arc<Self> {
        Arc::new(Self {
            socket,
            queued: AtomicBool::new(false),
            ready: Arc::clone(ready),
        })
    }

    /// Puts the socket at the end of the queue, without waking the task, which is at work.
    pub(crate) fn queue(&self) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.ready.lock().queue.push_back(self.socket);
        }
    }

    /// The socket was taken from the queue and is being looked at: what becomes ready from now on is news.
    pub(crate) fn taken(&self) {
        // Not a mere store: that could be delayed past the look at the socket that follows, and news in between lost.
        self.queued.swap(false, Ordering::AcqRel);
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            let mut state = self.ready.lock();
            state.queue.push_back(self.socket);
            let task = state.task.clone();
            drop(state);
            if let Some(task) = task {
                task.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_waits_once_and_in_turn() {
        let ready = Arc::new(Ready::default());
        let first = Signal::new(SocketId(1), &ready);
        let second = Signal::new(SocketId(2), &ready);
        first.queue();
        second.wake_by_ref();
        first.wake_by_ref();
        assert_eq!(ready.len(), 2);
        assert_eq!(ready.pop(), Some(SocketId(1)));
        first.taken();
        first.wake_by_ref();
        assert_eq!(ready.pop(), Some(SocketId(2)));
        assert_eq!(ready.pop(), Some(SocketId(1)));
        assert_eq!(ready.pop(), None);
    }
}
