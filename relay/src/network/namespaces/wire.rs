//! The lab's cables: what a host sends comes out of its cable here, and what the switch has for it goes in.
//!
//! One task a lab carries the frames. It does a bounded share and lets other tasks have their turn, so a host that sends
//! without end delays neither the other hosts nor anybody's session. What it does not take in time waits in the
//! kernel's queue of the host's interface, and overflows there.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::super::lock;
use super::register::Number;

/// How many frames of one host are taken before the others have their turn.
const SHARE: usize = 64;

/// How long a frame may be: an Ethernet header, a VLAN tag, and what the interface sends at most.
const FRAME: usize = 14 + 4 + 1500;

/// The cables of a lab and the switch between them.
#[derive(Debug)]
pub(super) struct Wire {
    cables: Arc<Mutex<Cables>>,
    carrying: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Cables {
    hosts: BTreeMap<Number, AsyncFd<OwnedFd>>,
    learned: BTreeMap<[u8; 6], Number>,
    /// Who carries the frames.
    waker: Option<Waker>,
}

impl Wire {
    /// Begins to carry frames.
    pub(super) fn lay(runtime: &Handle) -> Self {
        let cables = Arc::<Mutex<Cables>>::default();
        let carried = Arc::clone(&cables);
        let carrying = runtime.spawn(async move {
            let mut frame = Box::new([0; FRAME]);
            poll_fn(|context| lock(&carried).carry(context, &mut frame[..])).await
        });
        Self { cables, carrying }
    }

    /// Plugs a host's cable in.
    pub(super) fn plug(&self, number: Number, cable: OwnedFd) -> io::Result<()> {
        #[expect(
            deprecated,
            reason = "its successor is unsafe because a descriptor may be replaced or closed early; an OwnedFd cannot be"
        )]
        let cable = AsyncFd::new(cable)?;
        let mut cables = lock(&self.cables);
        cables.hosts.insert(number, cable);
        if let Some(waker) = cables.waker.take() {
            waker.wake();
        }
        Ok(())
    }

    /// Pulls a host's cable out.
    pub(super) fn unplug(&self, number: Number) {
        let cable = lock(&self.cables).hosts.remove(&number);
        drop(cable);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

impl Cables {
    fn carry(&mut self, context: &mut Context<'_>, frame: &mut [u8]) -> Poll<()> {
        self.waker = Some(context.waker().clone());
        let mut again = false;
        for (&number, cable) in &self.hosts {
            again |= take(cable, context, frame, |frame| {
                let (Some(&to), Some(&from)) = (
                    frame.first_chunk::<6>(),
                    frame.get(6..).and_then(|rest| rest.first_chunk::<6>()),
                ) else {
                    return;
                };
                self.learned.insert(from, number);
                match self.learned.get(&to) {
                    Some(known) => {
                        if let Some(cable) = self.hosts.get(known) {
                            let _ = rustix::io::write(cable, frame);
                        }
                    }
                    None => {
                        for (&other, cable) in &self.hosts {
                            if other != number {
                                let _ = rustix::io::write(cable, frame);
                            }
                        }
                    }
                }
            });
        }
        if again {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Takes a share of the frames that a host has sent. Says whether there may be more.
fn take(
    cable: &AsyncFd<OwnedFd>,
    context: &mut Context<'_>,
    buffer: &mut [u8],
    mut give: impl FnMut(&[u8]),
) -> bool {
    for _ in 0..SHARE {
        let Poll::Ready(Ok(mut guard)) = cable.poll_read_ready(context) else {
            return false;
        };
        match rustix::io::read(cable, &mut *buffer) {
            Ok(length) => give(&buffer[..length]),
            Err(_) => guard.clear_ready(),
        }
    }
    true
}
