//! epoll(7) on what the process has.

use protocol::{ClientMessage, Errno};

use super::super::epoll::{Epoll, EpollId, Operation};
use super::super::inbox::Chunk;
use super::super::wait::{Object, Signals, Wait, Wake};
use super::{Attempt, Process, Step, Try};

/// What descriptors of streams that the kernel does not keep are ready for, none of those that are gone.
pub(crate) type Streams = Vec<(i32, Option<i16>)>;

impl<C: Chunk> Process<C> {
    /// epoll_create1(2), for this file system node.
    pub(crate) fn epoll(&mut self, node: u32) -> EpollId {
        self.last_epoll += 1;
        let id = EpollId(self.last_epoll);
        self.epolls.insert(id, Epoll::new(node));
        id
    }

    /// close(2) of its last descriptor.
    pub(crate) fn close_epoll(&mut self, id: EpollId) {
        if let Some(epoll) = self.epolls.remove(&id) {
            self.news(Object::Stream(epoll.node));
        }
    }

    /// epoll_ctl(2). Whoever waits for the instance looks again.
    pub(crate) fn control(
        &mut self,
        id: EpollId,
        operation: Operation,
        fd: i32,
        object: Object,
        events: u32,
    ) -> Result<(), Errno> {
        let epoll = self.epolls.get_mut(&id).ok_or(Errno::EBADF)?;
        epoll.control(operation, fd, object, events)?;
        let node = epoll.node;
        self.news(Object::Stream(node));
        Ok(())
    }

    /// The watched descriptors that are no sockets, with their nodes.
    pub(crate) fn epoll_streams(&self, id: EpollId) -> Vec<(i32, u32)> {
        let objects = self.epolls.get(&id).into_iter().flat_map(Epoll::objects);
        objects
            .filter_map(|(fd, object)| match object {
                Object::Stream(node) => Some((fd, node)),
                Object::Socket(_) => None,
            })
            .collect()
    }

    /// epoll_wait(2): what is ready, at most so many. `timeout` is in milliseconds, negative for none.
    pub(crate) fn epoll_wait(
        &mut self,
        attempt: &Attempt,
        id: EpollId,
        streams: &Streams,
        (most, timeout): (usize, i32),
    ) -> Try<Vec<(i32, u32)>> {
        self.forget_gone(id, streams)?;
        let woken = attempt.wait.as_ref();
        // As with poll(2): what does not wait must tell what the kernel has now.
        let is_stale = timeout == 0 && woken.is_none() && self.lost.is_none();
        if is_stale && self.watches_sockets(id) {
            return self.call(attempt, Signals::Hold, |call| ClientMessage::Sync { call });
        }
        let ready = self.epoll_ready(id, streams, most);
        let is_over = match woken.and_then(|wait| wait.wake.as_ref()) {
            Some(Wake::Interrupted) if ready.is_empty() => return Err(Errno::EINTR),
            Some(Wake::TimedOut | Wake::Answered(_)) => true,
            Some(Wake::Ready | Wake::Made(_) | Wake::Interrupted) | None => timeout == 0,
        };
        let epoll = self.epolls.get_mut(&id).ok_or(Errno::EBADF)?;
        if is_over || !ready.is_empty() {
            epoll.told(&ready);
            return Ok(Step::Ready(ready));
        }
        let node = Object::Stream(epoll.node);
        let objects = epoll.objects().map(|(_, object)| object).chain([node]);
        let limit = (0 <= timeout).then(|| attempt.now + f64::from(timeout));
        let wait = Wait {
            deadline: attempt.deadline.or(limit),
            ..Wait::on(attempt.thread, objects.collect())
        };
        Ok(Step::Blocked(self.wait_until(wait, attempt.now)))
    }

    /// What would be told now, without a note that it was: for a poll(2) of the instance itself.
    pub(crate) fn epoll_ready(
        &self,
        id: EpollId,
        streams: &Streams,
        most: usize,
    ) -> Vec<(i32, u32)> {
        let Some(epoll) = self.epolls.get(&id) else {
            return Vec::new();
        };
        let nodes = self.epoll_streams(id);
        epoll.ready(most, |object| match object {
            Object::Socket(socket) => {
                let socket = self.sockets.get(&socket);
                socket.map_or(0, |socket| socket.readiness())
            }
            Object::Stream(node) => {
                let fds = nodes.iter().filter(|&&(_, known)| known == node);
                let mut states =
                    fds.filter_map(|&(fd, _)| streams.iter().find(|&&(known, _)| known == fd)?.1);
                states.next().unwrap_or(0)
            }
        })
    }

    fn watches_sockets(&self, id: EpollId) -> bool {
        let mut objects = self.epolls.get(&id).into_iter().flat_map(Epoll::objects);
        objects.any(|(_, object)| matches!(object, Object::Socket(_)))
    }

    fn forget_gone(&mut self, id: EpollId, streams: &Streams) -> Result<(), Errno> {
        let epoll = self.epolls.get_mut(&id).ok_or(Errno::EBADF)?;
        for &(fd, state) in streams {
            if state.is_none() {
                epoll.forget_descriptor(fd);
            }
        }
        Ok(())
    }

    /// Something has happened to an object: whoever waits for it looks again, and whoever watches it has news.
    pub(super) fn news(&mut self, object: Object) {
        let watching = self.epolls.values_mut().filter_map(|epoll| {
            let hears = epoll.hear(object);
            hears.then_some(epoll.node)
        });
        for node in watching.collect::<Vec<_>>() {
            self.waits.notify(Object::Stream(node));
        }
        self.waits.notify(object);
    }

    /// A socket is gone, and nobody watches it any more.
    pub(super) fn unwatch(&mut self, object: Object) {
        for epoll in self.epolls.values_mut() {
            epoll.forget(object);
        }
    }
}
