//! A process that is no browser: the real protocol, driven call by call.
//!
//! A client reads from the relay only while one of its methods waits, so a test decides when it listens. Methods
//! panic when the relay ends the process, unless the test asks for that with [`Client::refusal`].

mod calls;
mod resume;
mod stream;
mod unix;

use std::collections::{HashMap, VecDeque};

pub use calls::{Names, at, local};
use protocol::{
    Address, CallId, ClientMessage, Control, Errno, Frame, Frames, Hello, HostName, Kind, LabId,
    MINOR_VERSION, ProcessName, ReceiveWindow, Refusal, Reply, SendWindow, ServerMessage, SocketId,
    Welcome, credit::datagram_cost, event::Watch, frame, limits::MAX_WINDOW,
};
pub use unix::{Node, unix};

use crate::{DEADLINE, Dial, TestRelay, Wire};
use resume::Memory;

/// How many bytes are collected before they are sent.
const BATCH: usize = 256 * 1024;

/// A datagram: who sent it, what came with it, and its bytes.
pub type Datagram = (Address, Vec<Control>, Vec<u8>);

/// What one socket holds.
#[derive(Debug)]
struct State {
    kind: Kind,
    bytes: VecDeque<u8>,
    /// Urgent bytes, each with how many bytes of the stream came before it.
    urgent: VecDeque<(u64, u8)>,
    /// How many bytes of the stream have come, urgent ones included.
    came: u64,
    datagrams: VecDeque<Datagram>,
    receive: ReceiveWindow,
    send: SendWindow,
    finished: bool,
    hung_up: bool,
    failed: Option<Errno>,
    acceptable: u64,
}

impl State {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            bytes: VecDeque::new(),
            urgent: VecDeque::new(),
            came: 0,
            datagrams: VecDeque::new(),
            receive: ReceiveWindow::default(),
            send: SendWindow::default(),
            finished: false,
            hung_up: false,
            failed: None,
            acceptable: 0,
        }
    }
}

/// One process on the relay.
#[derive(Debug)]
pub struct Client {
    /// None after the connection was lost.
    wire: Option<Wire>,
    out: Vec<u8>,
    welcome: Welcome,
    sockets: HashMap<SocketId, State>,
    done: HashMap<CallId, Result<Reply, Errno>>,
    calls: u32,
    numbers: u32,
    refused: Option<Refusal>,
    closed: bool,
    memory: Memory,
    watched: Watch,
}

impl Client {
    /// Starts a process on the host `desk` of this lab.
    pub async fn join(relay: &TestRelay, lab: &LabId) -> Self {
        Self::join_as(relay, lab, "desk", "program").await
    }

    /// Starts a process on this host of this lab.
    pub async fn join_as(relay: &TestRelay, lab: &LabId, host: &str, process: &str) -> Self {
        match Self::try_join(relay, lab, host, process).await {
            Ok(client) => client,
            Err(refusal) => panic!("the relay refused the process: {refusal}"),
        }
    }

    /// Tries to start a process on this host of this lab.
    ///
    /// # Errors
    ///
    /// The relay's refusal.
    pub async fn try_join(
        relay: &TestRelay,
        lab: &LabId,
        host: &str,
        process: &str,
    ) -> Result<Self, Refusal> {
        Self::begin(Dial::to(relay, lab), host, process).await
    }

    /// Tries to start a process on this host over a WebSocket that is asked for like this.
    ///
    /// # Errors
    ///
    /// The relay's refusal.
    pub async fn begin(dial: Dial, host: &str, process: &str) -> Result<Self, Refusal> {
        let mut wire = dial.open().await.unwrap();
        wire.send_message(&ClientMessage::Hello(Hello {
            minor: MINOR_VERSION,
            host: HostName::new(host).unwrap(),
            process: ProcessName::new(process).unwrap(),
        }));
        let first = wire.next().await.expect("an answer to the hello");
        let mut frames = Frames::<ServerMessage>::new(&first);
        match frames.next() {
            Some(Ok(Frame::Control(ServerMessage::Welcome(welcome)))) => Ok(Self {
                memory: Memory::new(dial, frames.next()),
                wire: Some(wire),
                out: Vec::new(),
                welcome,
                sockets: HashMap::new(),
                done: HashMap::new(),
                calls: 0,
                numbers: 0,
                refused: None,
                closed: false,
                watched: Watch::Off,
            }),
            Some(Ok(Frame::Control(ServerMessage::Refused(refusal)))) => Err(refusal),
            other => panic!("the relay answered the hello with {other:?}"),
        }
    }

    /// What the relay said first.
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Whether the relay wants to hear of calls.
    pub fn watched(&self) -> Watch {
        self.watched
    }

    /// Appends a message to what is sent next.
    pub fn say(&mut self, message: &ClientMessage) {
        frame::encode_message(message, &mut self.out);
    }

    /// Appends any bytes to what is sent next.
    pub fn say_bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Sends what was collected.
    pub fn flush(&mut self) {
        if !self.out.is_empty() {
            let bytes = std::mem::take(&mut self.out);
            self.memory.keep(&bytes);
            if let Some(wire) = &self.wire {
                wire.send(bytes);
            }
        }
    }

    /// Ends the process as its program would.
    pub async fn goodbye(mut self) {
        self.say(&ClientMessage::Goodbye);
        self.flush();
        while !self.closed {
            self.read().await;
        }
    }

    /// Waits until the relay ends the process, and says why it did.
    pub async fn refusal(&mut self) -> Refusal {
        self.flush();
        let waiting = async {
            while !self.closed {
                self.read().await;
            }
        };
        if tokio::time::timeout(DEADLINE, waiting).await.is_err() {
            panic!("the relay did not end the process");
        }
        self.refused.clone().expect("a reason for the end")
    }

    /// Listens, and so answers pings, until something else has come to its end.
    pub async fn listen_during<T>(&mut self, other: impl Future<Output = T>) -> T {
        self.flush();
        let mut other = std::pin::pin!(other);
        loop {
            assert!(
                !self.closed,
                "the relay ended the process: {:?}",
                self.refused
            );
            tokio::select! {
                value = &mut other => return value,
                () = self.read() => {}
            }
        }
    }

    /// Reads until the condition gives a value.
    async fn until<T>(
        &mut self,
        what: &str,
        mut condition: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        self.flush();
        let waiting = async {
            loop {
                if let Some(value) = condition(self) {
                    return value;
                }
                assert!(
                    !self.closed,
                    "the relay ended the process while it waited for {what}: {:?}",
                    self.refused
                );
                self.read().await;
            }
        };
        match tokio::time::timeout(DEADLINE, waiting).await {
            Ok(value) => value,
            Err(_) => panic!("waited too long for {what}"),
        }
    }

    /// Reads one WebSocket message.
    async fn read(&mut self) {
        let next = match &mut self.wire {
            Some(wire) => wire.next().await,
            None => None,
        };
        let Some(bytes) = next else {
            return self.lost().await;
        };
        self.memory.count(&bytes);
        for frame in Frames::<ServerMessage>::new(&bytes) {
            match frame.expect("a frame from the relay") {
                Frame::Control(message) => self.take(message),
                Frame::Stream { socket, payload } => {
                    if let Some(state) = self.sockets.get_mut(&socket) {
                        let count = state.receive.receive(payload.len() as u64);
                        count.expect("the relay keeps to its credit");
                        state.bytes.extend(payload);
                        state.came += payload.len() as u64;
                    }
                }
                Frame::Urgent { socket, byte } => {
                    if let Some(state) = self.sockets.get_mut(&socket) {
                        let count = state.receive.receive(1);
                        count.expect("the relay keeps to its credit");
                        state.urgent.push_back((state.came, byte));
                        state.came += 1;
                    }
                }
                Frame::Datagram {
                    socket,
                    address,
                    payload,
                } => {
                    if let Some(state) = self.sockets.get_mut(&socket) {
                        let cost = datagram_cost(payload.len());
                        let count = state.receive.receive(cost);
                        count.expect("the relay keeps to its credit");
                        state
                            .datagrams
                            .push_back((address, Vec::new(), payload.to_vec()));
                    }
                }
                Frame::Message {
                    socket,
                    address,
                    controls,
                    payload,
                } => {
                    if let Some(state) = self.sockets.get_mut(&socket) {
                        let cost = datagram_cost(payload.len());
                        let count = state.receive.receive(cost);
                        count.expect("the relay keeps to its credit");
                        let datagram = (address, controls, payload.to_vec());
                        state.datagrams.push_back(datagram);
                    }
                }
            }
        }
        self.acknowledge();
    }

    fn take(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Welcome(_) | ServerMessage::Session(_) => panic!("a second welcome"),
            ServerMessage::Resumed { .. } => panic!("nobody asked to resume"),
            ServerMessage::Ack { received } => self.memory.forget(received),
            ServerMessage::Refused(refusal) => self.refused = Some(refusal),
            ServerMessage::Watch(watch) => self.watched = watch,
            ServerMessage::Done { call, result } => {
                assert!(
                    self.done.insert(call, result).is_none(),
                    "{call:?} was answered twice"
                );
            }
            ServerMessage::Acceptable { socket } => {
                self.note(socket, |state| state.acceptable += 1)
            }
            ServerMessage::Finished { socket } => self.note(socket, |state| state.finished = true),
            ServerMessage::HungUp { socket } => self.note(socket, |state| state.hung_up = true),
            ServerMessage::Failed { socket, errno } => {
                self.note(socket, |state| state.failed = Some(errno));
            }
            ServerMessage::Credit { socket, limit } => {
                self.note(socket, |state| state.send.grant(limit));
            }
        }
    }

    /// Changes a socket's state, unless it was closed here while the message was on its way.
    fn note(&mut self, socket: SocketId, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.sockets.get_mut(&socket) {
            change(state);
        }
    }

    fn state(&mut self, socket: SocketId) -> &mut State {
        self.sockets.get_mut(&socket).expect("an open socket")
    }

    fn add(&mut self, kind: Kind) -> SocketId {
        self.numbers += 1;
        let socket = SocketId(self.numbers);
        self.sockets.insert(socket, State::new(kind));
        socket
    }

    /// Tells the relay that bytes were taken, when it is time to.
    fn consumed(&mut self, socket: SocketId, bytes: u64) {
        let state = self.state(socket);
        state.receive.consume(bytes);
        if let Some(limit) = state.receive.renew(MAX_WINDOW) {
            self.say(&ClientMessage::Credit { socket, limit });
        }
    }
}
