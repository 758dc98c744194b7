//! Where datagrams for many wait until a socket takes them.
//!
//! The kernel cannot hand such a datagram to every socket of a host, because they are really bound to the same address.
//! So each has a mailbox beside its descriptor. What is in the mailbox is older than what is in the kernel's queue, always:
//! before something is put in, the kernel's queue is moved over. So datagrams are received in the order in which they
//! were sent, whichever way they came. The mailbox holds no more than the kernel's queue may, and what does not fit is
//! lost, as it is there.

use std::collections::VecDeque;
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use protocol::{Control, Errno};
use rustix::net::{self, RecvFlags, sockopt};

use super::super::{Detail, errno, errno_of_io, next_length};
use super::ancillary::Marks;
use super::lock;
use super::port::inet;
use crate::system;

/// What the kernel charges for a datagram beside its bytes (`SKB_TRUESIZE` of none, on a machine of 64 bits).
const OVERHEAD: usize = 576;

/// Who sent a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// By the view that it was sent from.
    View(SocketAddr),
    /// By its real address; none if it has none that is of ours.
    Real(Option<SocketAddrV4>),
}

/// A datagram that waits.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    /// Who sent it.
    pub(super) sender: Sender,
    /// What there is to know of it.
    pub(super) beside: Beside,
    /// What is in it. All that get a copy share it.
    pub(super) payload: Arc<[u8]>,
}

/// What there is to know of a datagram beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// What the kernel has said.
    Kernel(Vec<Control>),
    /// It was for many.
    Many(Marks),
}

/// A datagram that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    /// How much of it is in the buffer.
    pub(super) length: usize,
    /// Who sent it.
    pub(super) sender: Sender,
    /// What there is to know of it.
    pub(super) beside: Beside,
}

/// The mailbox of one socket.
#[derive(Debug)]
pub(super) struct Mailbox {
    descriptor: Arc<OwnedFd>,
    shelf: Mutex<Shelf>,
}

/// What is in a mailbox.
#[derive(Debug, Default)]
struct Shelf {
    /// The datagrams, or what the kernel said in the place of one, the oldest first.
    letters: VecDeque<Result<Letter, Errno>>,
    /// What they are charged.
    held: usize,
    /// Who wants to know of them.
    waker: Option<Waker>,
    /// What was last asked for.
    detail: Detail,
}

impl Mailbox {
    /// The mailbox beside a descriptor.
    pub(super) fn new(descriptor: &Arc<OwnedFd>) -> Self {
        Self {
            descriptor: Arc::clone(descriptor),
            shelf: Mutex::default(),
        }
    }

    /// Has the waker told of what comes.
    pub(super) fn tell(&self, waker: &Waker) {
        lock(&self.shelf).waker = Some(waker.clone());
    }

    /// Puts a datagram in behind everything that has come before, if there is room.
    pub(super) fn post(&self, letter: Letter) {
        let most = sockopt::socket_recv_buffer_size(&self.descriptor).unwrap_or(0);
        let mut shelf = lock(&self.shelf);
        if shelf.take_over(self.descriptor.as_fd(), most) {
            shelf.put(Ok(letter));
        }
        if let Some(waker) = &shelf.waker {
            waker.wake_by_ref();
        }
    }

    /// What the datagrams in it are charged.
    pub(super) fn held(&self) -> usize {
        lock(&self.shelf).held
    }

    /// The length of the datagram that comes next, if there is one.
    pub(super) fn next_length(&self) -> Option<usize> {
        let shelf = lock(&self.shelf);
        match shelf.letters.front() {
            Some(Ok(letter)) => Some(letter.payload.len()),
            Some(Err(_)) => None,
            None => next_length(self.descriptor.as_fd()),
        }
    }

    /// Takes the datagram that comes next.
    pub(super) fn take(&self, buffer: &mut [u8], detail: Detail) -> Result<Taken, Errno> {
        // Held during the call, so that nobody takes the kernel's queue over meanwhile.
        let mut shelf = lock(&self.shelf);
        shelf.detail = detail;
        match shelf.pop() {
            Some(letter) => {
                let Letter {
                    sender,
                    beside,
                    payload,
                } = letter?;
                let length = payload.len().min(buffer.len());
                for (to, from) in buffer.iter_mut().zip(payload.iter()) {
                    *to = *from;
                }
                Ok(Taken {
                    length,
                    sender,
                    beside,
                })
            }
            None => receive(self.descriptor.as_fd(), buffer, detail),
        }
    }
}

impl Shelf {
    /// Moves the kernel's queue over. Says whether there is room for another one.
    fn take_over(&mut self, descriptor: BorrowedFd<'_>, most: usize) -> bool {
        // As in the kernel, what begins within the bound is taken whole.
        while self.held <= most {
            let mut buffer = vec![0; next_length(descriptor).unwrap_or(0)];
            match receive(descriptor, &mut buffer, self.detail) {
                Ok(taken) => {
                    buffer.truncate(taken.length);
                    self.put(Ok(Letter {
                        sender: taken.sender,
                        beside: taken.beside,
                        payload: buffer.into(),
                    }));
                }
                Err(Errno::EAGAIN) => return true,
                Err(error) => self.put(Err(error)),
            }
        }
        false
    }

    fn put(&mut self, letter: Result<Letter, Errno>) {
        self.held += charge(&letter);
        self.letters.push_back(letter);
    }

    fn pop(&mut self) -> Option<Result<Letter, Errno>> {
        let letter = self.letters.pop_front()?;
        self.held -= charge(&letter);
        Some(letter)
    }
}

fn charge(letter: &Result<Letter, Errno>) -> usize {
    let bytes = letter.as_ref().map_or(0, |letter| letter.payload.len());
    bytes + OVERHEAD
}

fn receive(descriptor: BorrowedFd<'_>, buffer: &mut [u8], detail: Detail) -> Result<Taken, Errno> {
    match detail {
        Detail::Bytes => {
            let (length, _, sender) =
                net::recvfrom(descriptor, buffer, RecvFlags::DONTWAIT).map_err(errno)?;
            Ok(Taken {
                length,
                sender: Sender::Real(sender.and_then(inet)),
                beside: Beside::Kernel(Vec::new()),
            })
        }
        Detail::Controls => {
            let message = system::receive_message(descriptor, buffer);
            let message = message.map_err(|error| errno_of_io(&error))?;
            Ok(Taken {
                length: message.length,
                sender: Sender::Real(match message.sender {
                    Some(SocketAddr::V4(real)) => Some(real),
                    Some(SocketAddr::V6(_)) | None => None,
                }),
                beside: Beside::Kernel(message.controls),
            })
        }
    }
}
