//! The system calls, as the worker's glue calls them.
//!
//! Every method that stands for a system call takes its arguments as numbers of the program's memory and a token, zero
//! at first, and returns what the system call returns: a result, a negated error number of Emscripten, or
//! [`BLOCKED`]. In that case [`Kernel::blocked`] is the token for the next try, and the glue's `wake` says when. The
//! glue translates descriptors to sockets before it calls, for descriptors are Emscripten's.
//!
//! # Layout
//!
//! - [`sockets`]: the calls on one socket.
//! - [`link`]: the connection to the relay, and the next one when it is lost.
//! - [`messages`]: sendmsg(2) and recvmsg(2).
//! - [`names`]: addresses and names.
//! - [`readiness`]: what epoll watches and tells.
//! - [`streams`]: poll, threads and everything else.
//! - [`unix`]: pairs and paths.

#![allow(unreachable_pub, reason = "wasm-bindgen exports only what is public")]

mod link;
mod messages;
mod names;
mod readiness;
mod sockets;
mod streams;
mod unix;

use js_sys::{Uint8Array, WebAssembly};
use protocol::event::Call;
use protocol::frame::{self, FrameKind, HEADER, Header};
use protocol::limits::{MAX_ADDRESS, MAX_CONTROLS};
use protocol::{Address, ClientMessage, DecodeError, Errno, Kind, SocketId};
use wasm_bindgen::prelude::*;

use super::addresses::Addresses;
use super::emscripten::{self, O_NONBLOCK};
use super::inbox::Datagram;
use super::memory::{Memory, Received};
use super::outbox::Outbox;
use super::process::{Attempt, Effect, Mode, Node, Process, Step, Try};
use super::reporter::Reporter;
use super::shim;
use super::wait::WaitId;
use link::{Link, LinkError};

pub(crate) use shim::BLOCKED;

/// Why a process ends that says too much while the relay does not answer.
const TOO_MUCH: &str = "too much was to be sent while the relay did not answer";

/// The length of a frame's header, as lengths are counted in the browser.
const HEADER_LENGTH: u32 = 8;
const _: () = assert!(HEADER_LENGTH as usize == HEADER);

/// The most bytes of a datagram's payload that must be seen to read its address.
const ADDRESS_LENGTH: u32 = 121;
const _: () = assert!(ADDRESS_LENGTH as usize == MAX_ADDRESS + 1);

/// The most that must be seen beyond that to read its control messages.
const CONTROLS_LENGTH: u32 = 89;
const _: () = assert!(CONTROLS_LENGTH as usize == MAX_CONTROLS + 1);

#[wasm_bindgen]
extern "C" {
    /// What the worker does for the kernel.
    #[derive(Debug)]
    pub type Glue;

    /// Sends a WebSocket message; the bytes are free again afterwards.
    #[wasm_bindgen(method)]
    fn send(this: &Glue, message: &Uint8Array);

    /// Has the system call with this token tried again.
    #[wasm_bindgen(method)]
    fn wake(this: &Glue, token: i32);

    /// Calls `timeOut` with this token after so many milliseconds, if it still waits.
    #[wasm_bindgen(method)]
    fn timer(this: &Glue, token: i32, delay: f64);

    /// The page's clock, in milliseconds.
    #[wasm_bindgen(method)]
    fn now(this: &Glue) -> f64;

    /// Tells the page that a socket can be reached at this address: `listen` or `bind`.
    #[wasm_bindgen(method)]
    fn reachable(this: &Glue, call: &str, address: &str);

    /// Takes memory from the program's heap; zero if there is none left.
    #[wasm_bindgen(method)]
    fn malloc(this: &Glue, size: u32) -> u32;
}

/// The kernel of one process.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Kernel {
    process: Process<Received>,
    memory: Memory,
    outbox: Outbox,
    addresses: Addresses,
    reporter: Reporter,
    /// What the last look at a path has found.
    found: Option<Node>,
    /// What the last look into a directory has found.
    entries: Vec<u8>,
    glue: Glue,
    link: Link,
    blocked: i32,
    thread_cell: u32,
}

/// The module of the shim; see `build/shim.rs`.
#[wasm_bindgen(js_name = shimModule)]
pub fn shim_module() -> Vec<u8> {
    shim::MODULE.to_vec()
}

/// Rows `[Emscripten's number, musl's text, Linux's number, glibc's text]`, as JSON.
#[wasm_bindgen(js_name = errorTable)]
pub fn error_table() -> String {
    emscripten::table()
}

/// Rows `[name, Linux's number, glibc's text]` of every error, as JSON.
#[wasm_bindgen(js_name = errorNames)]
pub fn error_names() -> String {
    emscripten::names()
}

#[wasm_bindgen]
impl Kernel {
    /// A kernel for the program with this memory.
    #[wasm_bindgen(constructor)]
    pub fn new(memory: WebAssembly::Memory, glue: Glue) -> Self {
        Self {
            process: Process::default(),
            memory: Memory::new(memory),
            outbox: Outbox::new(),
            addresses: Addresses::default(),
            reporter: Reporter::default(),
            found: None,
            entries: Vec::new(),
            glue,
            link: Link::default(),
            blocked: 0,
            thread_cell: 0,
        }
    }

    /// Where in the memory the running thread's identity lies, for a program that has begun.
    #[wasm_bindgen(js_name = setThreadCell)]
    pub fn set_thread_cell(&mut self, address: u32) {
        self.thread_cell = address;
    }

    /// The process id, once the relay has welcomed the process; else zero.
    pub fn pid(&self) -> u32 {
        self.process
            .welcome
            .as_ref()
            .map_or(0, |welcome| welcome.pid)
    }

    /// The host's first address in its lab, once the relay has welcomed the process.
    pub fn address(&self) -> Option<String> {
        let address = self.process.welcome.as_ref()?.addresses.first()?;
        Some(address.to_string())
    }

    /// Why the relay is gone, once it is.
    pub fn lost(&self) -> Option<String> {
        self.process.lost.clone()
    }

    /// The token of the try that just blocked.
    pub fn blocked(&self) -> i32 {
        self.blocked
    }

    /// Gives up the try that just blocked, because its stack cannot be suspended.
    pub fn forget(&mut self) {
        self.process.forget(WaitId(self.blocked));
    }

    /// Lets every gathered frame leave: before the process waits, and with every time slice.
    pub fn flush(&mut self) {
        self.report();
        let Self { outbox, glue, .. } = self;
        outbox.flush(&|message| glue.send(message));
    }

    /// Says that the program has ended, so that the relay delivers what was sent and closes every socket.
    pub fn goodbye(&mut self) {
        self.post(&ClientMessage::Goodbye);
        self.flush();
    }

    /// How many sockets and waiting calls there are.
    pub fn census(&self) -> Vec<u32> {
        let (sockets, waits) = self.process.census();
        [sockets, waits]
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX))
            .to_vec()
    }
}

impl Kernel {
    /// Takes the frames of a WebSocket message.
    fn take(&mut self, message: &Uint8Array) -> Result<(), LinkError> {
        let end = message.length();
        let mut at = 0;
        while at < end {
            let payload = at + HEADER_LENGTH;
            if end < payload {
                return Err(DecodeError::Truncated.into());
            }
            let mut header = [0; HEADER];
            message.subarray(at, payload).copy_to(&mut header);
            let Header {
                kind,
                length,
                socket,
            } = Header::decode(header)?;
            let length = u32::try_from(length).map_err(|_| DecodeError::Truncated)?;
            at = payload + length;
            if end < at {
                return Err(DecodeError::Truncated.into());
            }
            let whole = HEADER + length as usize;
            match kind {
                FrameKind::Control => {
                    let bytes = message.subarray(payload, at).to_vec();
                    self.hear(frame::decode_message(&bytes)?, whole)?;
                }
                FrameKind::Stream => {
                    self.link.progress.take(whole);
                    let chunk = Received::new(message, payload, length);
                    self.process.receive_stream(socket, chunk);
                }
                FrameKind::Urgent => {
                    self.link.progress.take(whole);
                    let byte = Received::new(message, payload, length);
                    self.process.receive_urgent(socket, byte);
                }
                FrameKind::Datagram => {
                    self.link.progress.take(whole);
                    let head = at.min(payload + ADDRESS_LENGTH);
                    let head = message.subarray(payload, head).to_vec();
                    let (from, used) = frame::decode_address(&head)?;
                    let used = u32::try_from(used).map_err(|_| DecodeError::Address)?;
                    let payload = Received::new(message, payload + used, length - used);
                    let datagram = Datagram {
                        from,
                        controls: Vec::new(),
                        payload,
                    };
                    self.process.receive_datagram(socket, datagram);
                }
                FrameKind::Message => {
                    self.link.progress.take(whole);
                    let head = at.min(payload + ADDRESS_LENGTH + CONTROLS_LENGTH);
                    let head = message.subarray(payload, head).to_vec();
                    let (from, address) = frame::decode_address(&head)?;
                    let (controls, used) = frame::decode_controls(&head[address..])?;
                    let used = u32::try_from(address + used).map_err(|_| DecodeError::Controls)?;
                    let payload = Received::new(message, payload + used, length - used);
                    let datagram = Datagram {
                        from,
                        controls,
                        payload,
                    };
                    self.process.receive_datagram(socket, datagram);
                }
            }
        }
        Ok(())
    }

    /// Begins a try.
    fn attempt(&mut self, token: i32) -> Attempt {
        let thread = match self.thread_cell {
            0 => 0,
            cell => self.memory.read_u32(cell).cast_signed(),
        };
        // A call that never came to its end is not to be taken for this one.
        self.reporter.drop_current();
        self.process.attempt(thread, token, self.glue.now())
    }

    /// Notes which call is tried, if somebody watches.
    fn note(&mut self, token: i32, call: Call, socket: u32) {
        if self.reporter.is_on() {
            let now = self.glue.now();
            self.reporter.tried(token, call, SocketId(socket), now);
        }
    }

    /// Has what there is to tell of calls leave with what leaves next.
    fn report(&mut self) {
        if self.reporter.is_on()
            && let Some(report) = self.reporter.take(self.glue.now())
        {
            self.post(&ClientMessage::Report(report));
        }
    }

    /// Ends a try: carries out what it brought about, and says what the system call returns.
    fn end<T>(&mut self, result: Try<T>, value: impl FnOnce(&mut Self, T) -> i32) -> i32 {
        let (result, outcome) = match result {
            Ok(Step::Ready(ready)) => {
                let value = value(self, ready);
                (value, Some(i64::from(value)))
            }
            Ok(Step::Blocked(WaitId(token))) => {
                self.blocked = token;
                (BLOCKED, None)
            }
            Err(errno) => (-emscripten::number(errno), Some(-i64::from(errno.0))),
        };
        if self.reporter.is_on() {
            match outcome {
                Some(outcome) => self.reporter.returned(outcome, self.glue.now()),
                None => self.reporter.waits(self.blocked),
            }
        }
        self.carry_out();
        let Self { outbox, glue, .. } = self;
        outbox.settle(glue.now(), &|message| glue.send(message));
        result
    }

    fn carry_out(&mut self) {
        for effect in self.process.effects() {
            match effect {
                Effect::Send(message) => self.post(&message),
                Effect::Wake(WaitId(token)) => self.glue.wake(token),
                Effect::Timer(WaitId(token), delay) => self.glue.timer(token, delay),
                Effect::Reachable(id) => {
                    let Some((kind, address)) = self.process.reachable(id) else {
                        continue;
                    };
                    let call = match kind {
                        Kind::Stream => "listen",
                        Kind::Datagram | Kind::Raw { .. } | Kind::Ping | Kind::UdpLite => "bind",
                    };
                    match address {
                        Address::Inet { ip, port } => {
                            self.glue.reachable(call, &format!("{ip}:{port}"));
                        }
                        Address::Inet6 { ip, port, .. } => {
                            self.glue.reachable(call, &format!("[{ip}]:{port}"));
                        }
                        Address::Unix(name) => {
                            // A zero byte is shown as ss(8) shows it.
                            let name = String::from_utf8_lossy(&name).replace('\0', "@");
                            self.glue.reachable(call, &name);
                        }
                        Address::Unspecified => {}
                    }
                }
            }
        }
    }

    fn post(&mut self, message: &ClientMessage) {
        let Self { outbox, glue, .. } = self;
        outbox.control(message, &|message| glue.send(message));
        if self.outbox.is_overfull() {
            self.process.lose(TOO_MUCH.to_owned());
        }
    }
}

/// How a call on a descriptor with these flags behaves.
fn mode(stream_flags: u32) -> Mode {
    if stream_flags & O_NONBLOCK == 0 {
        Mode::Blocking
    } else {
        Mode::NonBlocking
    }
}

/// A count that the interpreter expects as a signed number.
fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The negated number of an error.
fn failed(errno: Errno) -> i32 {
    -emscripten::number(errno)
}
