//! Who waits for what.
//!
//! A system call that would block leaves a [`Wait`] behind: what it waits for, until when, and which thread it belongs
//! to. When one of these happens the wait is settled, once, and the call is tried again with the wait's number as its
//! token. The call then takes the wait out and learns why it was woken.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Errno, Reply, SocketId};

/// The number of a wait, and the token with which its call is tried again. Positive; zero is "first try".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaitId(pub(crate) i32);

/// Something that can become ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    /// A socket.
    Socket(SocketId),
    /// A stream that the kernel does not keep: a pipe or standard input, by its file system node.
    Stream(u32),
}

/// Why a wait is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Something it waited for may be ready.
    Ready,
    /// The relay answered the call.
    Answered(Result<Reply, Errno>),
    /// The relay has a new socket: one that needed a right, or a connection that was accepted.
    Made(SocketId),
    /// Its time is up.
    TimedOut,
    /// A signal came.
    Interrupted,
}

/// Whether a signal ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signals {
    /// It does, as for every call that may block on Linux.
    Interrupt,
    /// It does not: the call is instant on Linux and only takes a round trip here.
    Hold,
}

/// One call that waits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wait {
    /// The thread that waits, by its identity.
    pub(crate) thread: i32,
    /// What it waits for.
    pub(crate) objects: Vec<Object>,
    /// Until when, in milliseconds of the page's clock.
    pub(crate) deadline: Option<f64>,
    /// Whether a signal ends it.
    pub(crate) signals: Signals,
    /// How many bytes the call has already moved.
    pub(crate) progress: usize,
    /// Why it is over, once it is.
    pub(crate) wake: Option<Wake>,
}

impl Wait {
    /// A wait of this thread for anything of these.
    pub(crate) fn on(thread: i32, objects: Vec<Object>) -> Self {
        Self {
            thread,
            objects,
            deadline: None,
            signals: Signals::Interrupt,
            progress: 0,
            wake: None,
        }
    }

    /// A wait of this thread for an answer of the relay.
    pub(crate) fn answer(thread: i32, signals: Signals) -> Self {
        Self {
            signals,
            ..Self::on(thread, Vec::new())
        }
    }
}

/// All waits of a process.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    last: i32,
    waits: BTreeMap<WaitId, Wait>,
    by_object: BTreeMap<Object, BTreeSet<WaitId>>,
    parked: BTreeMap<i32, WaitId>,
    permits: BTreeSet<i32>,
    settled: Vec<WaitId>,
}

impl Waits {
    /// Adds a wait.
    pub(crate) fn add(&mut self, wait: Wait) -> WaitId {
        self.last = self.last.checked_add(1).unwrap_or(1);
        let id = WaitId(self.last);
        for &object in &wait.objects {
            self.by_object.entry(object).or_default().insert(id);
        }
        self.waits.insert(id, wait);
        id
    }

    /// Whether there is this wait.
    pub(crate) fn contains(&self, id: WaitId) -> bool {
        self.waits.contains_key(&id)
    }

    /// Takes a wait out, settled or not.
    pub(crate) fn take(&mut self, id: WaitId) -> Option<Wait> {
        let wait = self.waits.remove(&id)?;
        self.unlink(id, &wait);
        Some(wait)
    }

    fn unlink(&mut self, id: WaitId, wait: &Wait) {
        for object in &wait.objects {
            if let Some(ids) = self.by_object.get_mut(object) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_object.remove(object);
                }
            }
        }
        if self.parked.get(&wait.thread) == Some(&id) {
            self.parked.remove(&wait.thread);
        }
    }

    /// Settles a wait. A settled one stays as it is.
    pub(crate) fn settle(&mut self, id: WaitId, wake: Wake) {
        let Some(mut wait) = self.waits.remove(&id) else {
            return;
        };
        if wait.wake.is_none() {
            self.unlink(id, &wait);
            wait.wake = Some(wake);
            self.settled.push(id);
        }
        self.waits.insert(id, wait);
    }

    /// Settles every wait for this object.
    pub(crate) fn notify(&mut self, object: Object) {
        for id in self.by_object.remove(&object).unwrap_or_default() {
            self.settle(id, Wake::Ready);
        }
    }

    /// Settles what this thread waits in, if a signal may end it.
    pub(crate) fn interrupt(&mut self, thread: i32) {
        let of_thread: Vec<_> = self
            .waits
            .iter()
            .filter(|(_, wait)| wait.thread == thread && wait.signals == Signals::Interrupt)
            .map(|(&id, _)| id)
            .collect();
        for id in of_thread {
            self.settle(id, Wake::Interrupted);
        }
    }

    /// Parks a thread, or finds that it was unparked before.
    pub(crate) fn park(&mut self, wait: Wait) -> Option<WaitId> {
        if self.permits.remove(&wait.thread) {
            return None;
        }
        let thread = wait.thread;
        let id = self.add(wait);
        self.parked.insert(thread, id);
        Some(id)
    }

    /// Unparks a thread, now or when it parks next.
    pub(crate) fn unpark(&mut self, thread: i32) {
        match self.parked.get(&thread) {
            Some(&id) => self.settle(id, Wake::Ready),
            None => {
                self.permits.insert(thread);
            }
        }
    }

    /// Forgets what an ended thread has left.
    pub(crate) fn forget_thread(&mut self, thread: i32) {
        self.permits.remove(&thread);
    }

    /// The waits settled since the last call, in order.
    pub(crate) fn settled(&mut self) -> Vec<WaitId> {
        std::mem::take(&mut self.settled)
    }

    /// How many calls wait.
    pub(crate) fn len(&self) -> usize {
        self.waits.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOCKET: Object = Object::Socket(SocketId(7));

    #[test]
    fn an_object_wakes_all_who_wait_for_it_once() {
        let mut waits = Waits::default();
        let first = waits.add(Wait::on(1, vec![SOCKET]));
        let second = waits.add(Wait::on(2, vec![SOCKET, Object::Stream(1)]));
        waits.notify(SOCKET);
        waits.notify(Object::Stream(1));
        assert_eq!(waits.settled(), [first, second]);
        assert_eq!(waits.take(first).unwrap().wake, Some(Wake::Ready));
        assert_eq!(waits.len(), 1);
    }

    #[test]
    fn a_signal_ends_only_its_own_threads_waits() {
        let mut waits = Waits::default();
        let main = waits.add(Wait::on(1, vec![SOCKET]));
        waits.add(Wait::on(2, vec![SOCKET]));
        waits.add(Wait::answer(1, Signals::Hold));
        waits.interrupt(1);
        assert_eq!(waits.settled(), [main]);
        assert_eq!(waits.take(main).unwrap().wake, Some(Wake::Interrupted));
    }

    #[test]
    fn an_unpark_before_the_park_is_not_lost() {
        let mut waits = Waits::default();
        waits.unpark(5);
        assert_eq!(waits.park(Wait::on(5, Vec::new())), None);
        let id = waits.park(Wait::on(5, Vec::new())).unwrap();
        waits.unpark(5);
        assert_eq!(waits.settled(), [id]);
    }
}
