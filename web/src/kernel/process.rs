//! The state of a process's sockets: what the program may know and do without asking the relay.
//!
//! Every system call is a method that never blocks. It answers at once, fails, or leaves a [`Wait`] and says
//! [`Step::Blocked`]; when that wait is settled the caller tries again with its number. What the relay sends comes in
//! through [`receive`](Process::receive); what must be done outside, in order, is collected as [`Effect`]s. There is no
//! I/O and no clock here.
//!
//! # Layout
//!
//! - [`attempt`]: tries, and how they end.
//! - [`connection`]: bind, listen, accept, connect, shutdown, close.
//! - [`transfer`]: send and receive; [`envelope`]: what a datagram is sent with.
//! - [`urgent`]: what comes and goes beside a stream.
//! - [`inquiry`]: names, options, poll, name resolution.
//! - [`readiness`]: what epoll watches and tells.
//! - [`unix`]: what only UNIX sockets can do.

mod attempt;
mod connection;
mod envelope;
mod inquiry;
mod readiness;
mod transfer;
mod unix;
mod urgent;

use std::collections::BTreeMap;

use protocol::credit::datagram_cost;
use protocol::event::Watch;
use protocol::limits::SESSION_WINDOW;
use protocol::{
    CallId, ClientMessage, Domain, Errno, Kind, Reply, ServerMessage, SocketId, Welcome,
};

pub(crate) use attempt::{Attempt, Mode, Step, Try};
pub(crate) use envelope::Envelope;
pub(crate) use inquiry::{PollEntry, PollTarget, Resolved};
pub(crate) use readiness::Streams;
pub(crate) use transfer::{Load, Received, Sent, flags, frames};
pub(crate) use unix::Node;

use super::epoll::{Epoll, EpollId};
use super::inbox::{Chunk, Datagram};
use super::socket::{Phase, Socket};
use super::thresholds::Way;
use super::wait::{Object, Signals, Wait, WaitId, Waits, Wake};

/// Something that must be done outside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Send this to the relay.
    Send(ClientMessage),
    /// Try the call of this wait again.
    Wake(WaitId),
    /// Settle this wait after so many milliseconds.
    Timer(WaitId, f64),
    /// Tell the page that a socket is bound or listens: it can be reached now.
    Reachable(SocketId),
}

/// For whom an answer of the relay is.
#[derive(Debug)]
enum Caller {
    /// The call of this wait.
    Wait(WaitId),
    /// The connect of this socket, whoever waits for it.
    Connect(SocketId),
    /// A socket that needs a right.
    Open {
        /// The wait of its maker.
        wait: WaitId,
        /// Its number.
        socket: SocketId,
    },
    /// An accept.
    Accept {
        /// Its wait.
        wait: WaitId,
        /// The socket that listens.
        listener: SocketId,
        /// The number that the connection will bear.
        accepted: SocketId,
    },
}

/// A process.
#[derive(Debug)]
pub(crate) struct Process<C> {
    sockets: BTreeMap<SocketId, Socket<C>>,
    waits: Waits,
    calls: BTreeMap<CallId, Caller>,
    last_socket: u32,
    last_call: u32,
    epolls: BTreeMap<EpollId, Epoll>,
    last_epoll: u32,
    beyond_initial: u64,
    effects: Vec<Effect>,
    /// What the relay said at the start.
    pub(crate) welcome: Option<Welcome>,
    /// Why the relay is gone, once it is.
    pub(crate) lost: Option<String>,
    /// Whether the relay wants to hear of calls.
    pub(crate) watch: Watch,
}

impl<C> Default for Process<C> {
    fn default() -> Self {
        Self {
            sockets: BTreeMap::new(),
            waits: Waits::default(),
            calls: BTreeMap::new(),
            last_socket: 0,
            last_call: 0,
            epolls: BTreeMap::new(),
            last_epoll: 0,
            beyond_initial: 0,
            effects: Vec::new(),
            welcome: None,
            lost: None,
            watch: Watch::Off,
        }
    }
}

impl<C: Chunk> Process<C> {
    /// The effects since the last call, in order.
    pub(crate) fn effects(&mut self) -> Vec<Effect> {
        let settled = self.waits.settled();
        self.effects.extend(settled.into_iter().map(Effect::Wake));
        std::mem::take(&mut self.effects)
    }

    /// Begins a try of a system call. `token` is zero at first, then the number of the wait the last try left.
    /// `now` is the page's clock.
    pub(crate) fn attempt(&mut self, thread: i32, token: i32, now: f64) -> Attempt {
        let wait = self.waits.take(WaitId(token));
        Attempt {
            thread,
            deadline: wait.as_ref().and_then(|wait| wait.deadline),
            wait,
            now,
        }
    }

    /// Gives up a wait whose stack could not be suspended.
    pub(crate) fn forget(&mut self, id: WaitId) {
        self.waits.take(id);
    }

    /// Settles the waits for a stream that the kernel does not keep.
    pub(crate) fn notify_stream(&mut self, node: u32) {
        self.news(Object::Stream(node));
    }

    /// Waits for a stream that the kernel does not keep.
    pub(crate) fn wait_stream(&mut self, attempt: &Attempt, node: u32) -> Try<()> {
        if attempt.is_interrupted() {
            return Err(Errno::EINTR);
        }
        let wait = Wait::on(attempt.thread, vec![Object::Stream(node)]);
        Ok(Step::Blocked(self.waits.add(wait)))
    }

    /// Settles a wait whose time is up.
    pub(crate) fn time_out(&mut self, id: WaitId) {
        self.waits.settle(id, Wake::TimedOut);
    }

    /// Ends what this thread waits in, because a signal came for it.
    pub(crate) fn interrupt(&mut self, thread: i32) {
        self.waits.interrupt(thread);
    }

    /// Suspends the calling thread until it is unparked, for at most this many milliseconds. The result says why it
    /// goes on.
    pub(crate) fn park(&mut self, attempt: &Attempt, limit: Option<f64>) -> Step<Wake> {
        if let Some(wake) = attempt.wake().cloned() {
            return Step::Ready(wake);
        }
        match self.waits.park(Wait::on(attempt.thread, Vec::new())) {
            None => Step::Ready(Wake::Ready),
            Some(id) => {
                if let Some(limit) = limit {
                    self.effects.push(Effect::Timer(id, limit));
                }
                Step::Blocked(id)
            }
        }
    }

    /// Suspends the calling thread for this many milliseconds, zero for one turn of the event loop.
    pub(crate) fn sleep(&mut self, attempt: &Attempt, duration: f64) -> Step<Wake> {
        if let Some(wake) = attempt.wake().cloned() {
            return Step::Ready(wake);
        }
        let id = self.waits.add(Wait::on(attempt.thread, Vec::new()));
        self.effects.push(Effect::Timer(id, duration));
        Step::Blocked(id)
    }

    /// Lets a parked thread go on.
    pub(crate) fn unpark(&mut self, thread: i32) {
        self.waits.unpark(thread);
    }

    /// Forgets what an ended thread has left.
    pub(crate) fn forget_thread(&mut self, thread: i32) {
        self.waits.forget_thread(thread);
    }

    /// Makes a socket.
    pub(crate) fn socket(&mut self, domain: Domain, kind: Kind) -> SocketId {
        let id = self.next_socket();
        self.sockets.insert(id, Socket::new(domain, kind));
        self.effects.push(Effect::Send(ClientMessage::Socket {
            socket: id,
            domain,
            kind,
        }));
        id
    }

    fn next_socket(&mut self) -> SocketId {
        self.last_socket += 1;
        SocketId(self.last_socket)
    }

    /// A socket, by its number.
    pub(crate) fn get(&self, id: SocketId) -> Result<&Socket<C>, Errno> {
        self.sockets.get(&id).ok_or(Errno::EBADF)
    }

    fn get_mut(&mut self, id: SocketId) -> Result<&mut Socket<C>, Errno> {
        self.sockets.get_mut(&id).ok_or(Errno::EBADF)
    }

    /// Sends a call that is answered, and waits.
    fn call<T>(
        &mut self,
        attempt: &Attempt,
        signals: Signals,
        message: impl FnOnce(CallId) -> ClientMessage,
    ) -> Try<T> {
        self.call_for(attempt, signals, Caller::Wait, message)
    }

    /// The same, when the answer means more than to go on.
    fn call_for<T>(
        &mut self,
        attempt: &Attempt,
        signals: Signals,
        caller: impl FnOnce(WaitId) -> Caller,
        message: impl FnOnce(CallId) -> ClientMessage,
    ) -> Try<T> {
        let id = self.waits.add(Wait {
            // The relay's answer is not waited for against the clock, but it may leave the call waiting again.
            deadline: attempt.deadline,
            ..Wait::answer(attempt.thread, signals)
        });
        if self.lost.is_some() {
            self.waits.settle(id, Wake::Answered(Err(Errno::ENETDOWN)));
        } else {
            let call = self.next_call(caller(id));
            self.effects.push(Effect::Send(message(call)));
        }
        Ok(Step::Blocked(id))
    }

    fn next_call(&mut self, caller: Caller) -> CallId {
        self.last_call += 1;
        let call = CallId(self.last_call);
        self.calls.insert(call, caller);
        call
    }

    /// Waits until something happens to a socket, for as long as it lets calls wait.
    fn block<T>(&mut self, attempt: &Attempt, id: SocketId, progress: usize, way: Way) -> Try<T> {
        Ok(Step::Blocked(self.rest(attempt, id, progress, way)))
    }

    /// When a call must be over, if the socket has a limit for this way (socket(7), `SO_RCVTIMEO`). Its time began with
    /// its first wait.
    fn deadline(&self, attempt: &Attempt, id: SocketId, way: Way) -> Option<f64> {
        let limit = || self.sockets.get(&id)?.thresholds.limit(way);
        attempt
            .deadline
            .or_else(|| limit().map(|limit| attempt.now + limit))
    }

    /// Adds a wait that ends at its deadline, if it has one.
    fn wait_until(&mut self, wait: Wait, now: f64) -> WaitId {
        let deadline = wait.deadline;
        let id = self.waits.add(wait);
        if let Some(deadline) = deadline {
            let left = (deadline - now).max(0.0);
            self.effects.push(Effect::Timer(id, left));
        }
        id
    }

    /// Before a non-blocking call says that there is nothing, the relay is asked to bring everything up to date:
    /// otherwise a program that only polls would never see what the kernel already has.
    fn sync<T>(&mut self, attempt: &Attempt) -> Try<T> {
        if attempt.is_synced() || self.lost.is_some() {
            return Err(Errno::EAGAIN);
        }
        self.call(attempt, Signals::Hold, |call| ClientMessage::Sync { call })
    }

    /// Takes what the relay says.
    pub(crate) fn receive(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Welcome(welcome) => self.welcome = Some(welcome),
            ServerMessage::Refused(refusal) => self.lose(refusal.to_string()),
            ServerMessage::Done { call, result } => self.answer(call, result),
            ServerMessage::Acceptable { socket } => self.change(socket, |socket| {
                if let Phase::Listening { acceptable } = &mut socket.phase {
                    *acceptable = true;
                }
            }),
            ServerMessage::Finished { socket } => {
                self.change(socket, |socket| socket.finished = true);
            }
            ServerMessage::Failed { socket, errno } => {
                self.change(socket, |socket| socket.fail(errno));
            }
            ServerMessage::Credit { socket, limit } => {
                self.change(socket, |socket| socket.send.grant(limit));
            }
            // These concern the connection, which is not kept here.
            ServerMessage::Session(_)
            | ServerMessage::Resumed { .. }
            | ServerMessage::Ack { .. } => {}
            ServerMessage::Watch(watch) => self.watch = watch,
            ServerMessage::HungUp { socket } => {
                self.change(socket, |socket| socket.hung_up = true);
            }
        }
    }

    /// Takes bytes of a stream.
    pub(crate) fn receive_stream(&mut self, id: SocketId, chunk: C) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        if let Err(error) = socket.receive.receive(chunk.len() as u64) {
            return self.lose(format!("protocol error: {error}"));
        }
        socket.stream.push(chunk);
        self.news(Object::Socket(id));
    }

    /// Takes the urgent byte of a stream.
    pub(crate) fn receive_urgent(&mut self, id: SocketId, byte: C) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        if let Err(error) = socket.receive.receive(byte.len() as u64) {
            return self.lose(format!("protocol error: {error}"));
        }
        let passed = socket.stream.push_urgent(byte, socket.placement);
        if 0 < passed {
            self.consume(id, passed as u64);
        }
        self.news(Object::Socket(id));
    }

    /// Takes a datagram.
    pub(crate) fn receive_datagram(&mut self, id: SocketId, datagram: Datagram<C>) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let cost = datagram_cost(datagram.payload.len());
        if let Err(error) = socket.receive.receive(cost) {
            return self.lose(format!("protocol error: {error}"));
        }
        socket.datagrams.push_back(datagram);
        self.news(Object::Socket(id));
    }

    fn change(&mut self, id: SocketId, change: impl FnOnce(&mut Socket<C>)) {
        // A socket that was just closed may still be spoken of.
        if let Some(socket) = self.sockets.get_mut(&id) {
            let before = socket.readiness();
            change(socket);
            // More credit for a socket that had some is no news (tcp(7): there was room all the time).
            if socket.readiness() == before {
                self.waits.notify(Object::Socket(id));
            } else {
                self.news(Object::Socket(id));
            }
        }
    }

    fn answer(&mut self, call: CallId, result: Result<Reply, Errno>) {
        match self.calls.remove(&call) {
            Some(Caller::Wait(id)) => self.waits.settle(id, Wake::Answered(result)),
            Some(Caller::Connect(id)) => self.change(id, |socket| match result {
                Ok(Reply::Names { local, peer }) => socket.connected(local, peer),
                Ok(_) => socket.fail(Errno::EPROTO),
                Err(errno) => {
                    socket.phase = Phase::Idle;
                    socket.error = Some(errno);
                }
            }),
            Some(Caller::Open { wait, socket }) => {
                let wake = self.opened(socket, result);
                self.waits.settle(wait, wake);
            }
            Some(Caller::Accept {
                wait,
                listener,
                accepted,
            }) => {
                let wake = self.accepted(wait, listener, accepted, result);
                self.waits.settle(wait, wake);
            }
            None => {}
        }
    }

    /// The relay is gone: every socket fails, every call is answered.
    pub(crate) fn lose(&mut self, reason: String) {
        if self.lost.is_some() {
            return;
        }
        self.lost = Some(reason);
        for call in self.calls.keys().copied().collect::<Vec<_>>() {
            self.answer(call, Err(Errno::ENETDOWN));
        }
        for id in self.sockets.keys().copied().collect::<Vec<_>>() {
            self.change(id, |socket| socket.fail(Errno::ENETDOWN));
        }
    }

    /// Counts bytes that the program has read, and grants more when it is time.
    fn consume(&mut self, id: SocketId, bytes: u64) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let before = socket.receive.beyond_initial();
        socket.receive.consume(bytes);
        let budget = SESSION_WINDOW.saturating_sub(self.beyond_initial - before);
        if let Some(limit) = socket.receive.renew(budget) {
            self.effects
                .push(Effect::Send(ClientMessage::Credit { socket: id, limit }));
        }
        let after = socket.receive.beyond_initial();
        self.beyond_initial = self.beyond_initial - before + after;
    }

    /// What is there: sockets and waiting calls, for the self-test and the tests.
    pub(crate) fn census(&self) -> (usize, usize) {
        (self.sockets.len(), self.waits.len())
    }
}

#[cfg(test)]
mod tests;
