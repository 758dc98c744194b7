//! The lab's cables: what a host sends comes out of its cable here, and what the switch has for it goes in.
//!
//! One task a lab drives the switch. It does a bounded share and lets other tasks have their turn, so a host that sends
//! without end delays neither the other hosts nor anybody's session. What it does not take in time waits in the
//! kernel's queue of the host's interface, and overflows there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use protocol::HostName;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Sleep;

use super::super::switch::conditions::Conditions;
use super::super::switch::{Handover, MacAddress, PortId, Switch};
use super::super::{Link, lock};
use super::loopback::{self, Loopback};
use super::turns::Turns;
use crate::capture::Capture;
use crate::pace::Pace;

/// How many frames of one host are taken before the others have their turn.
pub(super) const SHARE: usize = 64;

/// How long a frame may be, in bytes: a header, and the largest packet of a Linux loopback (`LOOPBACK_MTU`).
const FRAME: usize = 14 + (64 << 10);

thread_local! {
    /// Where frames lie between two system calls. As many are needed as threads carry frames.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; FRAME].into());
}

/// The cables of a lab and the switch between them.
#[derive(Debug)]
pub(super) struct Wire {
    cables: Arc<Mutex<Cables>>,
    carrying: JoinHandle<()>,
}

#[derive(Debug)]
struct Cables {
    switch: Switch,
    hosts: BTreeMap<PortId, Cable>,
    capture: Capture,
    /// How the record takes what hosts say to themselves.
    turns: Turns<PortId>,
    /// Who carries the frames.
    waker: Option<Waker>,
}

/// The cable of one host.
#[derive(Debug)]
pub(super) struct Cable {
    end: AsyncFd<OwnedFd>,
    /// What the host says to itself.
    loopback: Loopback,
    /// As they were set last.
    conditions: Conditions,
}

impl Wire {
    /// Begins to carry frames, and to write them down.
    pub(super) fn lay(runtime: &Handle, capture: Capture) -> Self {
        // The standard library's hash keys are random, which is all the randomness that is needed here.
        let [a, b, c, d, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
        let mut switch = Switch::new(u32::from_le_bytes([a, b, c, d]));
        switch.record(capture.clone());
        let cables = Arc::new(Mutex::new(Cables {
            switch,
            hosts: BTreeMap::new(),
            capture,
            turns: Turns::new(Pace::new(loopback::RATE, Instant::now())),
            waker: None,
        }));
        let carried = Arc::clone(&cables);
        let carrying = runtime.spawn(async move {
            let mut timer = pin!(tokio::time::sleep_until(Instant::now().into()));
            poll_fn(|context| {
                BUFFER.with_borrow_mut(|buffer| {
                    lock(&carried).carry(context, timer.as_mut(), &mut buffer[..])
                })
            })
            .await;
        });
        Self { cables, carrying }
    }

    /// Plugs a host's cable in.
    ///
    /// # Errors
    ///
    /// The switch has no free port, or the event loop does not take the cable.
    pub(super) fn plug(
        &self,
        name: &HostName,
        hardware: [u8; 6],
        cable: OwnedFd,
        loopback: OwnedFd,
    ) -> io::Result<PortId> {
        let end = watched(cable)?;
        let loopback = Loopback::new(name, loopback)?;
        let mut cables = lock(&self.cables);
        let port = cables.switch.plug(name, MacAddress(hardware));
        let port = port.map_err(|full| io::Error::new(io::ErrorKind::QuotaExceeded, full))?;
        let conditions = Conditions::default();
        let cable = Cable {
            end,
            loopback,
            conditions,
        };
        cables.hosts.insert(port, cable);
        cables.wake();
        Ok(port)
    }

    /// Pulls a host's cable out, which the caller closes while nothing waits for that.
    pub(super) fn unplug(&self, port: PortId) -> Option<Cable> {
        let mut cables = lock(&self.cables);
        cables.switch.unplug(port);
        cables.hosts.remove(&port)
    }

    /// Changes the conditions of a host's link, between two shares of frames.
    pub(super) fn set(&self, port: PortId, conditions: &Conditions) {
        let mut cables = lock(&self.cables);
        let Some(cable) = cables.hosts.get_mut(&port) else {
            return;
        };
        cable.conditions = *conditions;
        cables.switch.set(Instant::now(), port, conditions);
        // What is on its way may be due at another time now.
        cables.wake();
    }

    /// A host's link; none if its cable is not plugged in.
    pub(super) fn link(&self, port: PortId) -> Option<Link> {
        let cables = lock(&self.cables);
        Some(Link {
            conditions: cables.hosts.get(&port)?.conditions,
            counts: cables.switch.counts(port)?,
        })
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

impl Cables {
    /// Lets the task look again.
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Carries a share of the frames that are there now, and sees to it that it is called when there are more.
    fn carry(
        &mut self,
        context: &mut Context<'_>,
        mut timer: Pin<&mut Sleep>,
        buffer: &mut [u8],
    ) -> Poll<()> {
        self.waker = Some(context.waker().clone());
        let (switch, hosts) = (&mut self.switch, &self.hosts);
        let mut outlet = |to: PortId, frame: &[u8]| match hosts.get(&to) {
            // The kernel takes a frame whole or not at all.
            Some(cable) if rustix::io::write(&cable.end, frame).is_ok() => Handover::Taken,
            Some(_) | None => Handover::Refused,
        };
        let mut again = false;
        let now = Instant::now();
        for (&from, cable) in hosts {
            again |= take(&cable.end, context, buffer, |frame| {
                switch.receive(now, from, frame, &mut outlet);
            });
        }
        let now = Instant::now();
        switch.deliver(now, &mut outlet);
        let capture = &self.capture;
        let mut more = false;
        self.turns.round(now, &mut self.hosts, |cable| {
            let taken = cable.loopback.record(now, context, buffer, capture);
            more |= taken.more;
            taken.bytes
        });
        // During a pause, only the timer calls.
        again |= more && self.turns.pause(now).is_none();
        let due = [switch.next_due(), self.turns.pause(now)];
        if let Some(due) = due.into_iter().flatten().min() {
            timer.as_mut().reset(due.into());
            again |= timer.poll(context).is_ready();
        }
        if again {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// A descriptor that the event loop looks after.
pub(super) fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(
        deprecated,
        reason = "its successor is unsafe because a descriptor may be replaced or closed early; an OwnedFd cannot be"
    )]
    AsyncFd::new(descriptor)
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
            Ok(length) => give(buffer.get(..length).unwrap_or_default()),
            // None is there, or the interface is gone.
            Err(_) => guard.clear_ready(),
        }
    }
    true
}
