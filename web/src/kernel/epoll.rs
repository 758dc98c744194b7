//! epoll(7): which descriptors are watched, for what, and what was told of them.

use std::collections::BTreeMap;

use protocol::Errno;

use super::socket::events;
use super::wait::Object;

/// `EPOLLONESHOT`: told once, until the interest is modified.
const ONESHOT: u32 = 1 << 30;
/// `EPOLLET`: told when there is news.
const EDGE: u32 = 1 << 31;
/// The bits that stand for events.
const EVENTS: u32 = 0xffff;

/// The number of an epoll instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EpollId(pub(crate) u32);

/// What epoll_ctl(2) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `EPOLL_CTL_ADD`.
    Add,
    /// `EPOLL_CTL_DEL`.
    Delete,
    /// `EPOLL_CTL_MOD`.
    Modify,
}

/// Whether there is news of an object since it was told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Fresh,
    Told,
}

/// What is watched behind a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interest {
    object: Object,
    /// What was asked for, zero events once a one-shot interest was told.
    events: u32,
    news: News,
}

impl Interest {
    fn asks(&self, ready: i16) -> u32 {
        let asked = self.events & EVENTS;
        if self.events & ONESHOT != 0 && asked == 0 {
            return 0;
        }
        if self.events & EDGE != 0 && self.news == News::Told {
            return 0;
        }
        let always = u32::from((events::ERR | events::HUP).cast_unsigned());
        u32::from(ready.cast_unsigned()) & (asked | always)
    }
}

/// One epoll instance.
#[derive(Debug)]
pub(crate) struct Epoll {
    /// Its file system node, for whoever waits for the instance itself.
    pub(crate) node: u32,
    interests: BTreeMap<i32, Interest>,
    /// The descriptor that was told last: the next one has its turn first.
    last: i32,
}

impl Epoll {
    /// An instance that watches nothing.
    pub(crate) fn new(node: u32) -> Self {
        Self {
            node,
            interests: BTreeMap::new(),
            last: -1,
        }
    }

    /// epoll_ctl(2).
    ///
    /// # Errors
    ///
    /// `EEXIST` and `ENOENT`, as the call has them.
    pub(crate) fn control(
        &mut self,
        operation: Operation,
        fd: i32,
        object: Object,
        events: u32,
    ) -> Result<(), Errno> {
        let known = self.interests.get(&fd);
        let is_known = known.is_some_and(|interest| interest.object == object);
        match operation {
            Operation::Add if is_known => return Err(Errno::EEXIST),
            Operation::Delete | Operation::Modify if !is_known => return Err(Errno::ENOENT),
            Operation::Delete => {
                self.interests.remove(&fd);
            }
            Operation::Add | Operation::Modify => {
                let interest = Interest {
                    object,
                    events,
                    news: News::Fresh,
                };
                self.interests.insert(fd, interest);
            }
        }
        Ok(())
    }

    /// There is news of an object. Says whether it is watched.
    pub(crate) fn hear(&mut self, object: Object) -> bool {
        let mut is_watched = false;
        for interest in self.interests.values_mut() {
            if interest.object == object {
                interest.news = News::Fresh;
                is_watched = true;
            }
        }
        is_watched
    }

    /// The object is gone.
    pub(crate) fn forget(&mut self, object: Object) {
        self.interests
            .retain(|_, interest| interest.object != object);
    }

    /// The descriptor does not stand for what is watched any more.
    pub(crate) fn forget_descriptor(&mut self, fd: i32) {
        self.interests.remove(&fd);
    }

    /// The descriptors and what is behind them.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (i32, Object)> + '_ {
        self.interests
            .iter()
            .map(|(&fd, interest)| (fd, interest.object))
    }

    /// What is to be told now: at most this many descriptors, with their events.
    pub(crate) fn ready(&self, most: usize, readiness: impl Fn(Object) -> i16) -> Vec<(i32, u32)> {
        let after = self.interests.range(self.last.saturating_add(1)..);
        let before = self.interests.range(..=self.last);
        let mut ready = Vec::new();
        for (&fd, interest) in after.chain(before) {
            let events = interest.asks(readiness(interest.object));
            if events != 0 {
                ready.push((fd, events));
                if ready.len() == most {
                    break;
                }
            }
        }
        ready
    }

    /// Notes what was told.
    pub(crate) fn told(&mut self, ready: &[(i32, u32)]) {
        for &(fd, _) in ready {
            self.last = fd;
            if let Some(interest) = self.interests.get_mut(&fd) {
                interest.news = News::Told;
                if interest.events & ONESHOT != 0 {
                    interest.events &= !EVENTS;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: u32 = 1;
    const BOTH: i16 = events::IN | events::OUT;

    fn watching(events: u32) -> Epoll {
        let mut epoll = Epoll::new(1);
        epoll
            .control(Operation::Add, 5, Object::Stream(7), events)
            .unwrap();
        epoll
    }

    fn tell(epoll: &mut Epoll, ready: i16) -> Vec<(i32, u32)> {
        let told = epoll.ready(10, |_| ready);
        epoll.told(&told);
        told
    }

    #[test]
    fn a_level_is_told_as_long_as_it_lasts() {
        let mut epoll = watching(READ);
        assert_eq!(tell(&mut epoll, BOTH), [(5, READ)]);
        assert_eq!(tell(&mut epoll, BOTH), [(5, READ)]);
        assert_eq!(tell(&mut epoll, events::OUT), []);
        assert_eq!(tell(&mut epoll, events::HUP), [(5, 0x10)]);
    }

    #[test]
    fn an_edge_is_told_when_there_is_news() {
        let mut epoll = watching(READ | EDGE);
        assert_eq!(tell(&mut epoll, BOTH), [(5, READ)]);
        assert_eq!(tell(&mut epoll, BOTH), []);
        assert!(epoll.hear(Object::Stream(7)));
        assert!(!epoll.hear(Object::Stream(8)));
        assert_eq!(tell(&mut epoll, BOTH), [(5, READ)]);
    }

    #[test]
    fn one_shot_is_told_once_until_it_is_modified() {
        let mut epoll = watching(READ | ONESHOT);
        assert_eq!(tell(&mut epoll, BOTH), [(5, READ)]);
        assert_eq!(tell(&mut epoll, BOTH | events::HUP), []);
        let modified = epoll.control(Operation::Modify, 5, Object::Stream(7), READ | ONESHOT);
        assert_eq!(modified, Ok(()));
        assert_eq!(tell(&mut epoll, BOTH), [(5, READ)]);
    }

    #[test]
    fn a_descriptor_is_watched_once() {
        let mut epoll = watching(READ);
        let mut control = |operation, fd| epoll.control(operation, fd, Object::Stream(7), READ);
        assert_eq!(control(Operation::Add, 5), Err(Errno::EEXIST));
        assert_eq!(control(Operation::Modify, 6), Err(Errno::ENOENT));
        assert_eq!(control(Operation::Delete, 6), Err(Errno::ENOENT));
        assert_eq!(control(Operation::Delete, 5), Ok(()));
        assert_eq!(control(Operation::Delete, 5), Err(Errno::ENOENT));
    }

    #[test]
    fn whoever_was_told_comes_last_the_next_time() {
        let mut epoll = Epoll::new(1);
        for fd in [3, 4, 5] {
            let added = epoll.control(Operation::Add, fd, Object::Stream(7), READ);
            assert_eq!(added, Ok(()));
        }
        let mut fds = || {
            let told = epoll.ready(2, |_| BOTH);
            epoll.told(&told);
            told.into_iter().map(|(fd, _)| fd).collect::<Vec<_>>()
        };
        assert_eq!(fds(), [3, 4]);
        assert_eq!(fds(), [5, 3]);
    }
}
