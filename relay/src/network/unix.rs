//! UNIX sockets, which belong to a host whatever network it is on.
//!
//! The processes of a host share paths and abstract names; there are no files behind them. What a program binds to is a
//! name in the host's [`Registry`]. The sockets are real ones of the relay's machine, and their real names are abstract
//! ones that its kernel draws: so no file is ever made there, and labs cannot meet. A stranger on that machine who
//! finds such a name is told from a socket of the relay by the kernel's own word on who sent (unix(7), `SCM_CREDENTIALS`
//! and `SO_PEERCRED`).
//!
//! - [`path`]: which path a name means; pure.
//! - [`registry`]: what the sockets of a host are bound to, and who has called whom.
//! - [`endpoint`]: the socket calls.

mod endpoint;
mod path;
mod registry;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::limits::MAX_PATH;
use protocol::{Act, Errno, Kind, Reply};

use self::endpoint::UnixEndpoint;
pub(crate) use self::registry::Registry;
use super::Plug;

/// What the UNIX sockets of one process have in common.
#[derive(Debug)]
pub(crate) struct Owner {
    registry: Arc<Registry>,
    /// The process, as its host calls it.
    pid: u32,
    /// Its working directory.
    directory: Mutex<Vec<u8>>,
}

impl Owner {
    /// A process of the host with this registry.
    pub(crate) fn new(registry: &Arc<Registry>, pid: u32) -> Arc<Self> {
        Arc::new(Self {
            registry: Arc::clone(registry),
            pid,
            directory: Mutex::new(b"/".to_vec()),
        })
    }

    /// Makes a socket.
    ///
    /// # Errors
    ///
    /// What socket(2) says.
    pub(crate) fn socket(self: &Arc<Self>, kind: Kind) -> Result<Plug, Errno> {
        UnixEndpoint::open(self, kind)
    }

    /// Makes two sockets that are connected with each other.
    ///
    /// # Errors
    ///
    /// What socketpair(2) says.
    pub(crate) fn pair(self: &Arc<Self>, kind: Kind) -> Result<(Plug, Plug), Errno> {
        UnixEndpoint::pair(self, kind)
    }

    /// Notes the working directory. One that is too long or relative is none, and changes nothing.
    pub(crate) fn change_directory(&self, path: Vec<u8>) {
        if path.len() <= MAX_PATH && path.first() == Some(&b'/') {
            *lock(&self.directory) = path;
        }
    }

    /// Looks at a path or changes it.
    ///
    /// # Errors
    ///
    /// `ENOENT`: no UNIX socket was bound there. `ENAMETOOLONG`.
    pub(crate) fn node(&self, name: &[u8], act: Act) -> Result<Reply, Errno> {
        let act = match act {
            Act::Rename(to) => Act::Rename(self.check(&to)?),
            act => act,
        };
        self.registry.node(&self.check(name)?, act)
    }

    /// The names of the UNIX sockets in a directory.
    ///
    /// # Errors
    ///
    /// `ENAMETOOLONG`.
    pub(crate) fn list(&self, directory: &[u8]) -> Result<Reply, Errno> {
        Ok(self.registry.list(&self.check(directory)?))
    }

    /// The absolute path that a name means, unless it is too long for one.
    fn check(&self, name: &[u8]) -> Result<Vec<u8>, Errno> {
        if MAX_PATH < name.len() {
            return Err(Errno::ENAMETOOLONG);
        }
        Ok(self.resolve(name))
    }

    /// The absolute path that a name means to this process.
    fn resolve(&self, name: &[u8]) -> Vec<u8> {
        path::resolve(&lock(&self.directory), name)
    }
}

/// Locks, also after a panic elsewhere: every change to these tables is complete in itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
