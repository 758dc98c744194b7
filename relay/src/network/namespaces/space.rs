//! A network namespace, and the way in and back.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::system;

/// The network namespace of the thread that opens this (proc_pid_ns(5)).
const HERE: &str = "/proc/thread-self/ns/net";

/// A network namespace (network_namespaces(7)). It lasts as long as this or a socket in it.
#[derive(Debug)]
pub(super) struct Space(OwnedFd);

impl Space {
    /// The one that the calling thread is in.
    pub(super) fn here() -> io::Result<Self> {
        Ok(Self(File::open(HERE)?.into()))
    }

    /// Makes a new one.
    pub(super) fn make(home: &Self) -> io::Result<Self> {
        home.leave_and_return(|| {
            system::unshare_network()?;
            Self::here()
        })
    }

    /// Does something in this namespace. What is made there, sockets above all, stays there and works from anywhere.
    ///
    /// Going there and back takes about a microsecond, so the calling thread goes itself: asking another thread that
    /// is there already takes longer.
    pub(super) fn within<T>(
        &self,
        home: &Self,
        act: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        home.leave_and_return(|| {
            self.enter()?;
            act()
        })
    }

    /// Does something that takes the thread elsewhere, and brings it back to this namespace, whatever happens.
    fn leave_and_return<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let way_back = WayBack(self);
        let done = act();
        std::mem::forget(way_back);
        self.enter()?;
        done
    }

    fn enter(&self) -> io::Result<()> {
        let network = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(self.0.as_fd(), network).map_err(io::Error::from)
    }
}

/// Brings a thread back that panics elsewhere.
struct WayBack<'a>(&'a Space);

impl Drop for WayBack<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.enter() {
            tracing::error!(%error, "a thread could not leave a host's network");
        }
    }
}
