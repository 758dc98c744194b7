//! The calls on one socket.

use js_sys::Uint8Array;
use protocol::event::Call;
use protocol::{Address, Errno, Kind, Shutdown, SocketId};
use wasm_bindgen::prelude::*;

use super::super::kind;
use super::super::memory::{Received as Chunk, Span, total, window};
use super::super::process::{Envelope, Load, Received, Sent, Step, Try};
use super::super::sockaddr;
use super::{BLOCKED, Kernel, count, failed, mode};

/// The longest socket address that is read, in bytes.
const MAX_SOCKADDR: u32 = 128;

#[wasm_bindgen]
impl Kernel {
    /// socket(2): the socket's number.
    pub fn socket(&mut self, token: i32, domain: i32, kind: i32, protocol: i32) -> i32 {
        let attempt = self.attempt(token);
        let result = kind::asked(domain, kind, protocol)
            .and_then(|(domain, kind)| self.process.open(attempt, domain, kind));
        if let Ok(Step::Ready(socket)) = result {
            self.note(0, Call::Socket, socket.0);
        }
        self.end(result, |_, socket| number(socket))
    }

    /// The family of a socket, and its type.
    #[wasm_bindgen(js_name = kindOf)]
    pub fn kind_of(&self, socket: u32) -> Vec<i32> {
        let socket = self.process.get(SocketId(socket));
        socket.map_or_else(
            |_| Vec::new(),
            |socket| {
                let family = i32::from(sockaddr::family(socket.domain));
                vec![family, socket.kind.number()]
            },
        )
    }

    /// bind(2).
    pub fn bind(&mut self, token: i32, socket: u32, address: u32, length: u32) -> i32 {
        let attempt = self.attempt(token);
        self.note(token, Call::Bind, socket);
        let result = self
            .address_at(socket, address, length)
            .and_then(|address| self.process.bind(attempt, SocketId(socket), address));
        self.end(result, |_, ()| 0)
    }

    /// listen(2).
    pub fn listen(&mut self, token: i32, socket: u32, backlog: i32) -> i32 {
        let attempt = self.attempt(token);
        self.note(token, Call::Listen, socket);
        let result = self.process.listen(attempt, SocketId(socket), backlog);
        self.end(result, |_, ()| 0)
    }

    /// accept(2): the new socket's number.
    pub fn accept(&mut self, token: i32, socket: u32, stream_flags: u32) -> i32 {
        let attempt = self.attempt(token);
        self.note(token, Call::Accept, socket);
        let result = self
            .process
            .accept(attempt, SocketId(socket), mode(stream_flags));
        self.end(result, |_, accepted| number(accepted))
    }

    /// connect(2).
    pub fn connect(
        &mut self,
        token: i32,
        socket: u32,
        address: u32,
        length: u32,
        stream_flags: u32,
    ) -> i32 {
        let attempt = self.attempt(token);
        self.note(token, Call::Connect, socket);
        let result = self
            .address_at(socket, address, length)
            .and_then(|address| {
                self.process
                    .connect(&attempt, SocketId(socket), address, mode(stream_flags))
            });
        self.end(result, |_, ()| 0)
    }

    /// shutdown(2).
    pub fn shutdown(&mut self, socket: u32, how: i32) -> i32 {
        let how = match how {
            0 => Shutdown::Read,
            1 => Shutdown::Write,
            2 => Shutdown::Both,
            _ => return failed(Errno::EINVAL),
        };
        self.note(0, Call::Shutdown, socket);
        let result = self.process.shutdown(SocketId(socket), how);
        self.end(result.map(Step::Ready), |_, ()| 0)
    }

    /// close(2), of the last descriptor.
    pub fn close(&mut self, socket: u32) {
        self.note(0, Call::Close, socket);
        self.process.close(SocketId(socket));
        self.end(Ok(Step::Ready(())), |_, ()| 0);
    }

    /// getsockname(2).
    #[wasm_bindgen(js_name = localName)]
    pub fn local_name(&mut self, token: i32, socket: u32, address: u32, length: u32) -> i32 {
        let attempt = self.attempt(token);
        let result = self.process.local(attempt, SocketId(socket));
        self.end(result, |kernel, local| {
            kernel.write_address(&local, address, length)
        })
    }

    /// getpeername(2), and the peer's address for accept(2).
    #[wasm_bindgen(js_name = peerName)]
    pub fn peer_name(&mut self, token: i32, socket: u32, address: u32, length: u32) -> i32 {
        let attempt = self.attempt(token);
        let result = self.process.peer(attempt, SocketId(socket));
        self.end(result, |kernel, peer| {
            kernel.write_address(&peer, address, length)
        })
    }

    /// getsockopt(2).
    #[wasm_bindgen(js_name = getOption)]
    pub fn get_option(
        &mut self,
        token: i32,
        socket: u32,
        level: i32,
        name: i32,
        value: u32,
        length: u32,
    ) -> i32 {
        let attempt = self.attempt(token);
        self.note(token, Call::GetOption, socket);
        let room = self.memory.read_u32(length);
        let result = self
            .process
            .option(attempt, SocketId(socket), level, name, room);
        self.end(result, |kernel, bytes| {
            kernel.memory.write_value(value, length, &bytes);
            let written = u32::try_from(bytes.len()).unwrap_or(room).min(room);
            kernel.memory.write_u32(length, written);
            0
        })
    }

    /// setsockopt(2); the interpreter's own is a stub, so the value comes from the Python layer.
    #[wasm_bindgen(js_name = setOption)]
    pub fn set_option(
        &mut self,
        token: i32,
        socket: u32,
        level: i32,
        name: i32,
        value: Vec<u8>,
    ) -> i32 {
        let attempt = self.attempt(token);
        self.note(token, Call::SetOption, socket);
        let result = self
            .process
            .set_option(attempt, SocketId(socket), level, name, value);
        self.end(result, |_, ()| 0)
    }

    /// recvfrom(2).
    #[expect(
        clippy::too_many_arguments,
        reason = "those of the system call, its token and the descriptor's flags"
    )]
    pub fn recv(
        &mut self,
        token: i32,
        socket: u32,
        buffer: u32,
        size: u32,
        flags: i32,
        stream_flags: u32,
        address: u32,
        length: u32,
    ) -> i32 {
        let parts = [Span {
            start: buffer,
            length: size,
        }];
        let result = self.receive_into(token, socket, &parts, flags, stream_flags);
        self.end_receive(result, &parts, |kernel, received| {
            match &received.from {
                Some(from) => kernel.write_address(from, address, length),
                // Linux leaves the address alone but says that it has no bytes.
                None if length != 0 => {
                    kernel.memory.write_u32(length, 0);
                    0
                }
                None => 0,
            };
        })
    }

    /// ioctl(2) with `SIOCATMARK`: one or zero.
    #[wasm_bindgen(js_name = atMark)]
    pub fn at_mark(&mut self, token: i32, socket: u32) -> i32 {
        let attempt = self.attempt(token);
        let result = self.process.at_mark(&attempt, SocketId(socket));
        self.end(result, |_, is_at_mark| i32::from(is_at_mark))
    }

    /// readv(2) on a socket.
    #[wasm_bindgen(js_name = readVector)]
    pub fn read_vector(
        &mut self,
        token: i32,
        socket: u32,
        vector: u32,
        length: u32,
        stream_flags: u32,
    ) -> i32 {
        let parts = self.memory.vector(vector, length);
        let result = self.receive_into(token, socket, &parts, 0, stream_flags);
        self.end_receive(result, &parts, |_, _| {})
    }

    /// sendto(2).
    #[expect(
        clippy::too_many_arguments,
        reason = "those of the system call, its token and the descriptor's flags"
    )]
    pub fn send(
        &mut self,
        token: i32,
        socket: u32,
        buffer: u32,
        size: u32,
        flags: i32,
        stream_flags: u32,
        address: u32,
        length: u32,
    ) -> i32 {
        let parts = [Span {
            start: buffer,
            length: size,
        }];
        match self.destination(socket, address, length) {
            Ok(address) => self.send_from(
                token,
                socket,
                &parts,
                (&address).into(),
                flags,
                stream_flags,
            ),
            Err(errno) => failed(errno),
        }
    }

    /// writev(2) on a socket.
    #[wasm_bindgen(js_name = writeVector)]
    pub fn write_vector(
        &mut self,
        token: i32,
        socket: u32,
        vector: u32,
        length: u32,
        stream_flags: u32,
    ) -> i32 {
        let parts = self.memory.vector(vector, length);
        self.send_from(
            token,
            socket,
            &parts,
            (&Address::Unspecified).into(),
            0,
            stream_flags,
        )
    }
}

impl Kernel {
    fn address_at(&mut self, socket: u32, at: u32, length: u32) -> Result<Address, Errno> {
        let domain = self.process.get(SocketId(socket))?.domain;
        let length = length.min(MAX_SOCKADDR);
        let bytes = self.memory.read(Span { start: at, length });
        sockaddr::decode(&bytes, domain, &self.addresses)
    }

    /// Where a send goes: to the peer, if the program names no address.
    pub(super) fn destination(
        &mut self,
        socket: u32,
        at: u32,
        length: u32,
    ) -> Result<Address, Errno> {
        match at {
            0 => Ok(Address::Unspecified),
            at => self.address_at(socket, at, length),
        }
    }

    fn write_address(&mut self, address: &Address, at: u32, length: u32) -> i32 {
        let bytes = sockaddr::encode(address, &mut self.addresses);
        self.memory.write_value(at, length, &bytes);
        0
    }

    pub(super) fn receive_into(
        &mut self,
        token: i32,
        socket: u32,
        parts: &[Span],
        flags: i32,
        stream_flags: u32,
    ) -> Try<Received<Chunk>> {
        let attempt = self.attempt(token);
        self.note(token, Call::Receive, socket);
        self.process.recv(
            &attempt,
            SocketId(socket),
            total(parts),
            flags,
            mode(stream_flags),
        )
    }

    pub(super) fn end_receive(
        &mut self,
        result: Try<Received<Chunk>>,
        parts: &[Span],
        finish: impl FnOnce(&mut Self, &Received<Chunk>),
    ) -> i32 {
        let result = result.map(|step| match step {
            Step::Ready(received) => {
                self.copy_in(&received, parts);
                match received.then {
                    Step::Ready(length) => {
                        finish(self, &received);
                        Step::Ready(length)
                    }
                    Step::Blocked(wait) => Step::Blocked(wait),
                }
            }
            Step::Blocked(wait) => Step::Blocked(wait),
        });
        self.end(result, |_, length| count(length))
    }

    fn copy_in(&mut self, received: &Received<Chunk>, parts: &[Span]) {
        use super::super::inbox::Chunk as _;
        let mut offset = received.offset;
        for chunk in &received.chunks {
            let bytes = chunk.view();
            let mut from = 0;
            for span in window(parts, offset, chunk.len()) {
                let piece: Uint8Array = bytes.subarray(from, from + span.length);
                self.memory.view().set(&piece, span.start);
                from += span.length;
            }
            offset += chunk.len();
        }
    }

    pub(super) fn send_from(
        &mut self,
        token: i32,
        socket: u32,
        parts: &[Span],
        envelope: Envelope<'_>,
        flags: i32,
        stream_flags: u32,
    ) -> i32 {
        let attempt = self.attempt(token);
        self.note(token, Call::Send, socket);
        let id = SocketId(socket);
        let result = self.process.send(
            &attempt,
            id,
            total(parts),
            envelope,
            flags,
            mode(stream_flags),
        );
        let result = match result {
            Ok(Step::Ready(sent)) => {
                // What the call brought about before goes first.
                self.carry_out();
                if sent.load != Load::Nothing {
                    self.copy_out(id, &sent, envelope, parts);
                }
                if let Load::Followed(message) = &sent.load {
                    self.post(message);
                }
                Ok(sent.then)
            }
            Ok(Step::Blocked(wait)) => Ok(Step::Blocked(wait)),
            Err(errno) => Err(errno),
        };
        self.end(result, |_, length| count(length))
    }

    fn copy_out(&mut self, id: SocketId, sent: &Sent, envelope: Envelope<'_>, parts: &[Span]) {
        let source = window(parts, sent.offset, sent.length);
        let Self {
            process,
            outbox,
            memory,
            glue,
            ..
        } = self;
        let leave = |message: &Uint8Array| glue.send(message);
        match process.get(id).map(|socket| socket.kind) {
            Ok(Kind::Stream) if sent.load == Load::Urgent => {
                outbox.urgent(id, memory, &source, &leave);
            }
            Ok(Kind::Stream) => outbox.stream(id, memory, &source, &leave),
            Ok(Kind::Datagram | Kind::Raw { .. } | Kind::Ping | Kind::UdpLite) => {
                outbox.datagram(id, envelope, memory, &source, &leave);
            }
            Err(_) => {}
        }
    }
}

/// A socket's number, as a system call returns it.
pub(super) fn number(SocketId(id): SocketId) -> i32 {
    i32::try_from(id).unwrap_or(BLOCKED + 1)
}
