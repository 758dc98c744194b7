//! What the UNIX sockets of a host are bound to, and who has called whom.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::limits::MAX_UNIX_NAME;
use protocol::{Act, Errno, Kind, Reply};

use super::lock;

/// The most paths of a host, so that a directory of them fits into an answer. A program that never unlinks what it binds
/// finds the disk full (`ENOSPC`, bind(2)).
const PATHS: usize = 512;

/// How many names of closed sockets are remembered, for datagrams that they sent before.
const CLOSED: usize = 256;

/// The permission bits of a new path: all of them, less the usual umask of 022 (unix(7)).
const MODE: u16 = 0o755;

/// A socket's real name, an abstract one without its leading zero.
pub(super) type Real = Vec<u8>;

/// The UNIX sockets of one host.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<Table>);

/// What a name was bound as.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By absolute path. A node stays when its socket is closed, until it is unlinked.
    nodes: BTreeMap<Vec<u8>, Node>,
    /// By abstract name, without its leading zero. It goes with its socket.
    abstracts: BTreeMap<Vec<u8>, Real>,
    /// The bound sockets, and those closed lately.
    sockets: BTreeMap<Real, Bound>,
    /// The closed ones, the oldest first.
    closed: VecDeque<Real>,
    /// How many paths were ever bound.
    inodes: u64,
}

/// A path.
#[derive(Debug)]
struct Node {
    inode: u64,
    mode: u16,
    made: u64,
    real: Real,
}

/// A bound socket.
#[derive(Debug)]
struct Bound {
    /// What the program bound it to, as it wrote it.
    name: Vec<u8>,
    kind: Kind,
    /// Whether it is open.
    open: bool,
    /// The process that listens on it.
    listener: Option<u32>,
    /// Who has called it and was not accepted yet, in the order in which the kernel hands them out. The backlog bounds
    /// them.
    calls: VecDeque<Caller>,
    /// Who waits for room in it: at most one waker of each socket.
    senders: Vec<Waker>,
}

/// One end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// What it is bound to, empty if to nothing.
    pub(super) name: Vec<u8>,
    /// Its process.
    pub(super) pid: u32,
    /// What it has in common with the other end.
    pub(super) bond: Bond,
}

/// What both ends of a connection know of each other and their descriptors do not: whether the one that is gone had
/// data that its program never read.
#[derive(Clone, Debug, Default)]
pub(super) struct Bond(Arc<AtomicBool>);

impl Bond {
    /// One end goes and leaves data unread.
    pub(super) fn reset(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether an end has.
    pub(super) fn was_reset(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Registry {
    /// Takes hold of the names. System calls that must agree with them are made meanwhile.
    pub(super) fn hold(&self) -> MutexGuard<'_, Table> {
        lock(&self.0)
    }

    /// Looks at a path or changes it; the answer tells how it was before. What a path is renamed to is absolute, too.
    pub(super) fn node(&self, path: &[u8], act: Act) -> Result<Reply, Errno> {
        let mut table = self.hold();
        let node = table.nodes.get_mut(path).ok_or(Errno::ENOENT)?;
        let reply = Reply::Node {
            inode: node.inode,
            mode: node.mode,
            made: node.made,
        };
        match act {
            Act::Look => {}
            Act::Mode(mode) => node.mode = mode & 0o7777,
            Act::Unlink => drop(table.nodes.remove(path)),
            Act::Rename(to) => table.rename(path, to)?,
        }
        Ok(reply)
    }

    /// The names of the sockets in a directory.
    pub(super) fn list(&self, directory: &[u8]) -> Reply {
        let table = self.hold();
        let within = [directory, b"/"].concat();
        let names = table
            .nodes
            .range(within.clone()..)
            .map_while(|(path, _)| path.strip_prefix(&within[..]))
            .filter(|name| !name.contains(&b'/'));
        Reply::Entries(names.map(<[u8]>::to_vec).collect())
    }
}

impl Table {
    /// Whether a path may be bound.
    pub(super) fn check_free(&self, path: &[u8]) -> Result<(), Errno> {
        if self.nodes.contains_key(path) {
            return Err(Errno::EADDRINUSE);
        }
        if PATHS <= self.nodes.len() {
            return Err(Errno::ENOSPC);
        }
        Ok(())
    }

    /// Whether an abstract name may be bound.
    pub(super) fn check_free_abstract(&self, name: &[u8]) -> Result<(), Errno> {
        match self.abstracts.contains_key(name) {
            true => Err(Errno::EADDRINUSE),
            false => Ok(()),
        }
    }

    /// Binds a socket to a path, which the program called `name`.
    pub(super) fn bind(&mut self, path: Vec<u8>, name: &[u8], kind: Kind, real: &Real) {
        self.inodes += 1;
        let made = SystemTime::now().duration_since(UNIX_EPOCH);
        self.nodes.insert(
            path,
            Node {
                inode: self.inodes,
                mode: MODE,
                made: made.map_or(0, |since| since.as_secs()),
                real: real.clone(),
            },
        );
        self.add(name, kind, real);
    }

    /// Binds a socket to an abstract name, whose leading zero `name` has.
    pub(super) fn bind_abstract(&mut self, name: &[u8], kind: Kind, real: &Real) {
        let bare = name.get(1..).unwrap_or_default();
        self.abstracts.insert(bare.to_vec(), real.clone());
        self.add(name, kind, real);
    }

    fn rename(&mut self, from: &[u8], to: Vec<u8>) -> Result<(), Errno> {
        let name = to.rsplit(|&byte| byte == b'/').next();
        if name.is_none_or(|name| MAX_UNIX_NAME < name.len()) {
            // Else a directory might not fit into an answer.
            return Err(Errno::ENAMETOOLONG);
        }
        if let Some(node) = self.nodes.remove(from) {
            self.nodes.insert(to, node);
        }
        Ok(())
    }

    fn add(&mut self, name: &[u8], kind: Kind, real: &Real) {
        let bound = Bound {
            name: name.to_vec(),
            kind,
            open: true,
            listener: None,
            calls: VecDeque::new(),
            senders: Vec::new(),
        };
        // The kernel may draw a name anew that a closed socket had.
        self.closed.retain(|known| known != real);
        self.sockets.insert(real.clone(), bound);
    }

    /// The socket that is bound to a path, or was.
    pub(super) fn find(&self, path: &[u8]) -> Result<Real, Errno> {
        let node = self.nodes.get(path).ok_or(Errno::ENOENT)?;
        match self.sockets.get(&node.real) {
            Some(bound) if bound.open => Ok(node.real.clone()),
            Some(_) | None => Err(Errno::ECONNREFUSED),
        }
    }

    /// The socket that is bound to an abstract name.
    pub(super) fn find_abstract(&self, name: &[u8]) -> Result<Real, Errno> {
        self.abstracts.get(name).cloned().ok_or(Errno::ECONNREFUSED)
    }

    /// Whether a socket of this type can call or send to that one.
    pub(super) fn check_kind(&self, real: &Real, kind: Kind) -> Result<(), Errno> {
        match self.sockets.get(real) {
            Some(bound) if bound.kind != kind => Err(Errno::EPROTOTYPE),
            Some(_) | None => Ok(()),
        }
    }

    /// A socket listens from now on, for this process.
    pub(super) fn listens(&mut self, real: &Real, pid: u32) {
        if let Some(bound) = self.sockets.get_mut(real) {
            bound.listener = Some(pid);
        }
    }

    /// A socket was called, and the kernel has put the call into its backlog. Says who is called.
    pub(super) fn called(&mut self, real: &Real, caller: Caller) -> Caller {
        let bond = caller.bond.clone();
        let (name, pid) = match self.sockets.get_mut(real) {
            Some(bound) => {
                bound.calls.push_back(caller);
                (bound.name.clone(), bound.listener.unwrap_or(0))
            }
            None => (Vec::new(), 0),
        };
        Caller { name, pid, bond }
    }

    /// The kernel has handed out the oldest call of a listener: whose it is.
    pub(super) fn answered(&mut self, real: &Real) -> Option<Caller> {
        self.sockets.get_mut(real)?.calls.pop_front()
    }

    /// How many calls of a listener wait to be answered.
    pub(super) fn waiting(&self, real: &Real) -> u64 {
        let bound = self.sockets.get(real);
        bound.map_or(0, |bound| bound.calls.len() as u64)
    }

    /// What a socket is bound to; nothing if it is not.
    pub(super) fn name_of(&self, real: &Real) -> Option<&[u8]> {
        self.sockets.get(real).map(|bound| &bound.name[..])
    }

    /// Has this waker told when there is room in a socket again.
    pub(super) fn await_room(&mut self, real: &Real, waker: &Waker) {
        match self.sockets.get_mut(real) {
            Some(bound) if bound.open => {
                if !bound.senders.iter().any(|known| known.will_wake(waker)) {
                    bound.senders.push(waker.clone());
                }
            }
            // Sending again tells what is the matter.
            Some(_) | None => waker.wake_by_ref(),
        }
    }

    /// Tells everybody who waits for room in a socket.
    pub(super) fn has_room(&mut self, real: &Real) {
        if let Some(bound) = self.sockets.get_mut(real) {
            for sender in bound.senders.drain(..) {
                sender.wake();
            }
        }
    }

    /// A socket is closed. Its path stays.
    pub(super) fn close(&mut self, real: &Real) {
        self.has_room(real);
        let Some(bound) = self.sockets.get_mut(real) else {
            return;
        };
        bound.open = false;
        bound.calls.clear();
        if let Some((0, name)) = bound.name.split_first() {
            self.abstracts.remove(name);
        }
        self.closed.push_back(real.clone());
        if CLOSED < self.closed.len()
            && let Some(oldest) = self.closed.pop_front()
        {
            self.sockets.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real(number: u32) -> Real {
        number.to_le_bytes().to_vec()
    }

    #[test]
    fn a_path_stays_until_it_is_unlinked() {
        let registry = Registry::default();
        let mut table = registry.hold();
        assert_eq!(table.find(b"/s"), Err(Errno::ENOENT));
        table.bind(b"/s".to_vec(), b"s", Kind::Stream, &real(1));
        assert_eq!(table.find(b"/s"), Ok(real(1)));
        assert_eq!(table.check_free(b"/s"), Err(Errno::EADDRINUSE));
        table.close(&real(1));
        assert_eq!(table.find(b"/s"), Err(Errno::ECONNREFUSED));
        assert_eq!(table.check_free(b"/s"), Err(Errno::EADDRINUSE));
        drop(table);
        assert!(registry.node(b"/s", Act::Unlink).is_ok());
        assert_eq!(registry.node(b"/s", Act::Look), Err(Errno::ENOENT));
        assert_eq!(registry.hold().check_free(b"/s"), Ok(()));
    }

    #[test]
    fn an_abstract_name_goes_with_its_socket() {
        let mut table = Table::default();
        table.bind_abstract(b"\0lab", Kind::Datagram, &real(1));
        assert_eq!(table.find_abstract(b"lab"), Ok(real(1)));
        assert_eq!(table.check_free_abstract(b"lab"), Err(Errno::EADDRINUSE));
        assert_eq!(
            table.check_kind(&real(1), Kind::Stream),
            Err(Errno::EPROTOTYPE)
        );
        table.close(&real(1));
        assert_eq!(table.find_abstract(b"lab"), Err(Errno::ECONNREFUSED));
        assert_eq!(table.check_free_abstract(b"lab"), Ok(()));
    }

    #[test]
    fn paths_and_closed_sockets_are_bounded() {
        let mut table = Table::default();
        for number in 0..512 {
            let path = format!("/{number}").into_bytes();
            assert_eq!(table.check_free(&path), Ok(()));
            table.bind(path.clone(), &path, Kind::Datagram, &real(number));
            table.close(&real(number));
        }
        assert_eq!(table.check_free(b"/more"), Err(Errno::ENOSPC));
        assert_eq!(table.sockets.len(), CLOSED);
        assert_eq!(table.name_of(&real(511)), Some(&b"/511"[..]));
        // A closed socket's name that the kernel draws anew is not forgotten with it.
        table.add(b"/new", Kind::Datagram, &real(500));
        assert_eq!(table.closed.len(), CLOSED - 1);
    }

    #[test]
    fn calls_are_answered_in_their_order() {
        let mut table = Table::default();
        table.bind(b"/s".to_vec(), b"s", Kind::Stream, &real(1));
        table.listens(&real(1), 1000);
        for pid in [1001, 1002] {
            let caller = Caller {
                name: Vec::new(),
                pid,
                bond: Bond::default(),
            };
            let called = table.called(&real(1), caller);
            assert_eq!((&called.name[..], called.pid), (&b"s"[..], 1000));
        }
        assert_eq!(table.answered(&real(1)).map(|it| it.pid), Some(1001));
        assert_eq!(table.answered(&real(1)).map(|it| it.pid), Some(1002));
        assert!(table.answered(&real(1)).is_none());
    }

    #[test]
    fn a_directory_has_what_lies_right_in_it() {
        let registry = Registry::default();
        for (number, path) in (0..).zip([
            &b"/run/a"[..],
            b"/run/b",
            b"/run/deep/c",
            b"/run2/d",
            b"/top",
        ]) {
            let mut table = registry.hold();
            table.bind(path.to_vec(), path, Kind::Stream, &real(number));
        }
        let names = |directory: &[u8]| match registry.list(directory) {
            Reply::Entries(names) => names.concat(),
            other => panic!("{other:?}"),
        };
        assert_eq!(names(b"/run"), b"ab");
        assert_eq!(names(b""), b"top");
        assert_eq!(names(b"/none"), b"");
    }

    #[test]
    fn a_renamed_path_is_the_same_socket_and_replaces_another() {
        let registry = Registry::default();
        let mut table = registry.hold();
        table.bind(b"/a".to_vec(), b"a", Kind::Stream, &real(1));
        table.bind(b"/b".to_vec(), b"b", Kind::Stream, &real(2));
        drop(table);
        let to = |path: &[u8]| Act::Rename(path.to_vec());
        assert!(registry.node(b"/a", to(b"/b")).is_ok());
        assert_eq!(registry.node(b"/a", Act::Look), Err(Errno::ENOENT));
        assert_eq!(registry.hold().find(b"/b"), Ok(real(1)));
        let long = [b"/", &[b'x'; MAX_UNIX_NAME + 1][..]].concat();
        let renamed = registry.node(b"/b", to(&long));
        assert_eq!(renamed, Err(Errno::ENAMETOOLONG));
        assert!(registry.node(b"/b", Act::Look).is_ok());
    }
}
