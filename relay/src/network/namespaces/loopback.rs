//! What a host says to itself, for the lab's record.
//!
//! A packet socket (packet(7)) on the host's loopback hands over what goes over it. The kernel queues a bounded amount
//! for us and drops what comes while the queue is full, so no program waits for the record; it counts what it drops.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use protocol::HostName;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};
use tokio::io::unix::AsyncFd;

use super::interface::LOOPBACK;
use super::wire::{self, SHARE};
use crate::capture::Capture;
use crate::capture::record::{Device, Direction, Interface};
use crate::system;

/// How much of what its hosts say to themselves a lab's record takes, in bytes a second. The record keeps 4 MiB, so
/// with more nobody could read what is written before it is forgotten.
pub(super) const RATE: u64 = 32 << 20;

/// What a frame counts beside its bytes: as many as are copied in the time that it takes to ask for one.
const TOLL: usize = 1 << 10;

/// After how many bytes, with the toll, the next host has its turn. The longest frame is a little longer.
const TURN: usize = 64 << 10;

/// How much the kernel may hold for us of one host, in bytes; it counts twice that, for what it needs itself
/// (socket(7), `SO_RCVBUF`).
const QUEUE: usize = 104 << 10;

/// How many frames are in a queue that has overflowed, at least, for the longest takes less than half of it. After fewer
/// than that, nobody needs to ask for what was dropped.
const FULL: usize = 3;

/// Opens a packet socket on the loopback of the calling thread's network namespace.
pub(super) fn open() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // It is of no protocol before it is bound, so nothing comes from elsewhere.
    let socket = net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
    sockopt::set_socket_recv_buffer_size(&socket, QUEUE)?;
    system::ignore_outgoing(&socket)?;
    system::bind_to_card(&socket, LOOPBACK)?;
    Ok(socket)
}

/// What a turn has taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// How many bytes, with the toll.
    pub(super) bytes: usize,
    /// Whether there may be more at once.
    pub(super) more: bool,
}

/// The loopback of one host.
#[derive(Debug)]
pub(super) struct Loopback {
    socket: AsyncFd<OwnedFd>,
    interface: Arc<Interface>,
    /// How many frames were taken since none was left, or as many as matter.
    backlog: usize,
}

impl Loopback {
    /// Begins to listen at a packet socket.
    pub(super) fn new(host: &HostName, socket: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            socket: wire::watched(socket)?,
            interface: Arc::new(Interface {
                host: host.clone(),
                device: Device::Loopback,
            }),
            backlog: 0,
        })
    }

    /// Writes down a share of what went over the loopback.
    pub(super) fn record(
        &mut self,
        now: Instant,
        context: &mut Context<'_>,
        buffer: &mut [u8],
        capture: &Capture,
    ) -> Taken {
        let (mut taken, mut bytes) = (0, 0);
        let mut is_empty = false;
        while taken < SHARE && bytes < TURN {
            let Poll::Ready(Ok(mut guard)) = self.socket.poll_read_ready(context) else {
                is_empty = true;
                break;
            };
            match rustix::io::read(&self.socket, &mut *buffer) {
                Ok(length) => {
                    let frame = buffer.get(..length).unwrap_or_default();
                    capture.frame(now, &self.interface, Direction::In, frame);
                    bytes += length + TOLL;
                    taken += 1;
                }
                // None is there, or the interface is gone.
                Err(_) => guard.clear_ready(),
            }
        }
        self.backlog += taken;
        if FULL <= self.backlog && is_empty || SHARE <= self.backlog {
            // A socket that is ours has its counts.
            let dropped = system::take_drops(&self.socket).unwrap_or(0);
            if 0 < dropped {
                capture.left_out(now, &self.interface, dropped.into());
            }
            self.backlog = FULL;
        }
        if is_empty {
            self.backlog = 0;
        }
        Taken {
            bytes,
            more: !is_empty,
        }
    }
}
