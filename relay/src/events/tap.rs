//! Where a process's doings are written down while its lab is watched.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use protocol::event::{Call, Direction, Event, MAX_PREVIEW, Report};
use protocol::{Address, CallId, ClientMessage, Errno, Reply, SocketId};

use crate::lab::Commons;

/// The most calls that wait for their answers and are remembered.
const PENDING: usize = 1024;

/// A call that was asked for.
#[derive(Debug)]
struct Pending {
    begun: Instant,
    socket: SocketId,
    call: Call,
    address: Address,
}

/// The tap of one process.
#[derive(Debug)]
pub(crate) struct Tap {
    lab: Arc<Commons>,
    pid: u32,
    pending: Mutex<BTreeMap<CallId, Pending>>,
    /// Whether the process reports its calls itself, and better.
    reports: AtomicBool,
}

impl Tap {
    /// The tap of a process.
    pub(crate) fn new(lab: &Arc<Commons>, pid: u32) -> Self {
        Self {
            lab: Arc::clone(lab),
            pid,
            pending: Mutex::default(),
            reports: AtomicBool::new(false),
        }
    }

    /// Whether anybody watches.
    pub(crate) fn is_open(&self) -> bool {
        self.lab.events.is_watched()
    }

    /// Notes that the process has ended, and why if the relay ended it.
    pub(crate) fn exited(&self, reason: Option<String>) {
        if self.is_open() {
            let pid = self.pid;
            self.lab.events.push(Event::Exited { pid, reason });
        }
    }

    /// Notes what a process asks for.
    pub(crate) fn asked(&self, message: &ClientMessage) {
        if !self.is_open() || self.reports.load(Ordering::Relaxed) {
            return;
        }
        if let ClientMessage::Pair { first, second, .. } = message {
            for socket in [*first, *second] {
                self.called(
                    socket,
                    Call::Socket,
                    Duration::ZERO,
                    0,
                    Address::Unspecified,
                );
            }
            return;
        }
        let Some((answered, socket, call, address)) = outline(message) else {
            return;
        };
        let begun = Instant::now();
        let Some(answered) = answered else {
            return self.called(socket, call, Duration::ZERO, 0, address);
        };
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() < PENDING {
            let asked = Pending {
                begun,
                socket,
                call,
                address,
            };
            pending.insert(answered, asked);
        }
    }

    /// Notes what a process is answered.
    pub(crate) fn answered(&self, call: CallId, result: &Result<Reply, Errno>) {
        if !self.is_open() {
            return;
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(asked) = pending.remove(&call) else {
            return;
        };
        drop(pending);
        let (value, address) = match (result, asked.call) {
            // Nobody waits yet: the process asks again, and the program has not been answered.
            (&Err(Errno::EAGAIN), Call::Accept) => return,
            (&Err(errno), _) => (-i64::from(errno.0), asked.address),
            (Ok(Reply::Names { peer, .. }), Call::Accept) => (0, peer.clone()),
            (Ok(Reply::Names { local, .. }), Call::Bind | Call::Listen) => (0, local.clone()),
            (Ok(_), _) => (0, asked.address),
        };
        let took = asked.begun.elapsed();
        self.called(asked.socket, asked.call, took, value, address);
    }

    /// Notes payload.
    pub(crate) fn carried(
        &self,
        socket: SocketId,
        direction: Direction,
        address: &Address,
        payload: &[u8],
    ) {
        if !self.is_open() {
            return;
        }
        self.lab.events.push(Event::Carried {
            pid: self.pid,
            socket,
            direction,
            bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
            address: address.clone(),
            preview: payload.iter().copied().take(MAX_PREVIEW).collect(),
        });
    }

    /// Takes over what the process says of its calls.
    pub(crate) fn reported(&self, report: &Report) {
        self.reports.store(true, Ordering::Relaxed);
        if !self.is_open() {
            return;
        }
        let now = Instant::now();
        if 0 < report.missed {
            let count = report.missed;
            self.lab.events.push(Event::Missed { count });
        }
        for call in &report.calls {
            let ago = Duration::from_micros(call.ago);
            let event = Event::Called {
                pid: self.pid,
                socket: call.socket,
                call: call.call,
                micros: call.micros,
                result: call.result,
                address: Address::Unspecified,
            };
            // Nothing happened before there was a lab.
            let at = now.checked_sub(ago).unwrap_or(now);
            self.lab.events.push_at(at, event);
        }
    }

    fn called(&self, socket: SocketId, call: Call, took: Duration, result: i64, address: Address) {
        self.lab.events.push(Event::Called {
            pid: self.pid,
            socket,
            call,
            micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            result,
            address,
        });
    }
}

/// A message as a call: the number of its answer if it has one, its socket, and the address in it.
fn outline(message: &ClientMessage) -> Option<(Option<CallId>, SocketId, Call, Address)> {
    let none = Address::Unspecified;
    Some(match message {
        ClientMessage::Socket { socket, .. } => (None, *socket, Call::Socket, none),
        ClientMessage::Bind {
            call,
            socket,
            address,
        } => (Some(*call), *socket, Call::Bind, address.clone()),
        ClientMessage::Listen { call, socket, .. } => (Some(*call), *socket, Call::Listen, none),
        ClientMessage::Accept { call, socket, .. } => (Some(*call), *socket, Call::Accept, none),
        ClientMessage::Connect {
            call,
            socket,
            address,
        } => (Some(*call), *socket, Call::Connect, address.clone()),
        ClientMessage::Shutdown { socket, .. } => (None, *socket, Call::Shutdown, none),
        ClientMessage::Close { socket } | ClientMessage::Abort { socket } => {
            (None, *socket, Call::Close, none)
        }
        ClientMessage::GetOption { call, socket, .. } => {
            (Some(*call), *socket, Call::GetOption, none)
        }
        ClientMessage::SetOption { call, socket, .. } => {
            (Some(*call), *socket, Call::SetOption, none)
        }
        ClientMessage::Resolve { call, .. } | ClientMessage::Reverse { call, .. } => {
            (Some(*call), SocketId(0), Call::Resolve, none)
        }
        // The kernel's own business, which no program asked for.
        _ => return None,
    })
}
