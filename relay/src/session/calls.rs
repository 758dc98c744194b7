//! What a process asks, and the answers.

use protocol::event::{Direction, MAX_REPORTS};
use protocol::limits::{MAX_NAME, MAX_OPTION};
use protocol::{
    Address, CallId, ClientMessage, Domain, Errno, Frame, Kind, Reply, ServerMessage, SocketId,
};

use super::{Entry, Outbox, Sockets, Sync};
use crate::socket::{Envelope, Socket, Turn, Urgency, Violation};

/// Whether the process goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// It does.
    Running,
    /// It said goodbye.
    Ended,
}

impl Sockets {
    /// Works through one frame.
    pub(super) fn handle(
        &mut self,
        frame: Frame<'_, ClientMessage>,
        outbox: &mut Outbox,
    ) -> Result<Course, Violation> {
        match frame {
            Frame::Control(ClientMessage::Goodbye) => return Ok(Course::Ended),
            Frame::Control(message) => {
                self.tap.asked(&message);
                self.call(message, outbox)?;
            }
            Frame::Stream { socket, payload } => {
                self.write(socket, payload, Urgency::Ordinary, outbox)?;
            }
            Frame::Urgent { socket, byte } => {
                self.write(socket, &[byte], Urgency::Urgent, outbox)?;
            }
            Frame::Datagram {
                socket,
                address,
                payload,
            } => {
                let controls = Vec::new();
                self.send(socket, Envelope { address, controls }, payload, outbox)?;
            }
            Frame::Message {
                socket,
                address,
                controls,
                payload,
            } => self.send(socket, Envelope { address, controls }, payload, outbox)?,
        }
        Ok(Course::Running)
    }

    fn send(
        &mut self,
        socket: SocketId,
        envelope: Envelope,
        payload: &[u8],
        outbox: &mut Outbox,
    ) -> Result<(), Violation> {
        let to = &envelope.address;
        self.tap.carried(socket, Direction::Sent, to, payload);
        self.payload(socket, outbox, |socket, turn| {
            socket.send(envelope, payload, turn)
        })
    }

    fn write(
        &mut self,
        socket: SocketId,
        payload: &[u8],
        urgency: Urgency,
        outbox: &mut Outbox,
    ) -> Result<(), Violation> {
        let nobody = &Address::Unspecified;
        self.tap.carried(socket, Direction::Sent, nobody, payload);
        self.payload(socket, outbox, |socket, turn| {
            socket.write(payload, urgency, turn)
        })
    }

    /// Gives payload to its socket. What comes for one that was closed meanwhile is nobody's.
    fn payload(
        &mut self,
        id: SocketId,
        outbox: &mut Outbox,
        give: impl FnOnce(&mut Socket, &mut Turn<'_>) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        match self.entries.get_mut(&id) {
            Some(Entry::Open(socket)) => give(
                socket,
                &mut Turn {
                    outbox,
                    budget: &mut self.budget,
                    metrics: &self.metrics,
                },
            ),
            Some(&mut Entry::Failed(errno)) => {
                outbox.message(&ServerMessage::Failed { socket: id, errno });
                Ok(())
            }
            None if Some(id) <= self.highest => Ok(()),
            None => Err(Violation(format!("there is no socket {}", id.0))),
        }
    }

    fn call(&mut self, message: ClientMessage, outbox: &mut Outbox) -> Result<(), Violation> {
        let (call, result) = match message {
            ClientMessage::Hello(_) | ClientMessage::Resume(_) => {
                return Err(Violation(String::from("a second hello")));
            }
            ClientMessage::Goodbye | ClientMessage::Ack { .. } => return Ok(()),
            ClientMessage::Report(report) => {
                if MAX_REPORTS < report.calls.len() {
                    return Err(Violation(String::from("too many calls in a report")));
                }
                self.tap.reported(&report);
                return Ok(());
            }
            ClientMessage::Socket {
                socket,
                domain,
                kind,
            } => return self.make(socket, domain, kind),
            ClientMessage::Shutdown { socket, how } => {
                return self.payload(socket, outbox, |socket, turn| {
                    socket.shutdown(how, turn);
                    Ok(())
                });
            }
            ClientMessage::Close { socket } => {
                self.close(socket, outbox);
                return Ok(());
            }
            ClientMessage::Abort { socket } => {
                self.abort(socket, outbox);
                return Ok(());
            }
            ClientMessage::Credit { socket, limit } => {
                if let Ok(socket) = self.open(socket) {
                    socket.grant(limit);
                }
                return Ok(());
            }
            ClientMessage::Sync { call } => {
                self.sync = Some(Sync { call, after: None });
                return Ok(());
            }
            ClientMessage::Connect {
                call,
                socket,
                address,
            } => {
                let connect =
                    |socket: &mut Socket, turn: &mut Turn<'_>| socket.connect(call, &address, turn);
                match self.try_now(socket, outbox, connect) {
                    Some(result) => (call, result),
                    None => return Ok(()),
                }
            }
            ClientMessage::Accept {
                call,
                socket,
                accepted,
            } => return self.accept(call, socket, accepted, outbox),
            ClientMessage::Bind {
                call,
                socket,
                address,
            } => (call, self.open(socket).and_then(|it| it.bind(&address))),
            ClientMessage::Listen {
                call,
                socket,
                backlog,
            } => (call, self.open(socket).and_then(|it| it.listen(backlog))),
            ClientMessage::Names { call, socket } => {
                (call, self.open(socket).and_then(|it| it.names()))
            }
            ClientMessage::GetOption {
                call,
                socket,
                level,
                name,
                length,
            } => {
                let found = self.open(socket);
                (call, found.and_then(|it| it.option(level, name, length)))
            }
            ClientMessage::SetOption {
                call,
                socket,
                level,
                name,
                value,
            } => {
                let found = self.open(socket);
                let result = if MAX_OPTION < value.len() {
                    Err(Errno::EINVAL)
                } else {
                    found.and_then(|it| it.set_option(level, name, &value))
                };
                (call, result)
            }
            ClientMessage::Resolve { call, name } => {
                let addresses = if name.len() <= MAX_NAME {
                    self.membership.host().resolve(&name)
                } else {
                    Vec::new()
                };
                (call, Ok(Reply::Hosts(addresses)))
            }
            ClientMessage::Reverse { call, ip } => {
                let name = self.membership.host().reverse(ip);
                (call, Ok(Reply::HostName(name)))
            }
            ClientMessage::Pair {
                first,
                second,
                kind,
            } => return self.make_pair(first, second, kind),
            ClientMessage::Directory { path } => {
                self.membership.unix().change_directory(path);
                return Ok(());
            }
            ClientMessage::Node { call, path, act } => {
                (call, self.membership.unix().node(&path, act))
            }
            ClientMessage::List { call, path } => (call, self.membership.unix().list(&path)),
            ClientMessage::Delivered {
                call,
                socket,
                patience,
            } => {
                let delivered = |socket: &mut Socket, turn: &mut Turn<'_>| {
                    socket.delivered(call, patience, turn)
                };
                match self.try_now(socket, outbox, delivered) {
                    Some(result) => (call, result),
                    None => return Ok(()),
                }
            }
        };
        outbox.message(&ServerMessage::Done { call, result });
        Ok(())
    }

    /// Tries a call that may be answered later: then there is no result.
    fn try_now(
        &mut self,
        id: SocketId,
        outbox: &mut Outbox,
        attempt: impl FnOnce(&mut Socket, &mut Turn<'_>) -> Option<Result<Reply, Errno>>,
    ) -> Option<Result<Reply, Errno>> {
        match self.entries.get_mut(&id) {
            Some(Entry::Open(socket)) => attempt(
                socket,
                &mut Turn {
                    outbox,
                    budget: &mut self.budget,
                    metrics: &self.metrics,
                },
            ),
            Some(&mut Entry::Failed(errno)) => Some(Err(errno)),
            None => Some(Err(Errno::EBADF)),
        }
    }

    /// The socket that a call is about.
    fn open(&mut self, id: SocketId) -> Result<&mut Socket, Errno> {
        match self.entries.get_mut(&id) {
            Some(Entry::Open(socket)) => Ok(socket),
            Some(&mut Entry::Failed(errno)) => Err(errno),
            None => Err(Errno::EBADF),
        }
    }

    fn make(&mut self, id: SocketId, domain: Domain, kind: Kind) -> Result<(), Violation> {
        let made = self.admit().and_then(|()| {
            let plug = match domain {
                Domain::Inet | Domain::Inet6 => self.membership.host().socket(domain, kind),
                Domain::Unix => self.membership.unix().socket(kind),
            };
            plug.and_then(|plug| Socket::new(id, domain, kind, plug, &self.ready, &self.metrics))
                .inspect_err(|_| self.budget.withdraw())
        });
        self.add(id, made)
    }

    /// Makes two sockets that are connected with each other, or none.
    fn make_pair(
        &mut self,
        first: SocketId,
        second: SocketId,
        kind: Kind,
    ) -> Result<(), Violation> {
        let made = self.admit_pair().and_then(|()| {
            self.pair(first, second, kind).inspect_err(|_| {
                self.budget.withdraw();
                self.budget.withdraw();
            })
        });
        let (one, other) = match made {
            Ok((one, other)) => (Ok(one), Ok(other)),
            Err(errno) => (Err(errno), Err(errno)),
        };
        self.add(first, one)?;
        self.add(second, other)
    }

    fn pair(
        &self,
        first: SocketId,
        second: SocketId,
        kind: Kind,
    ) -> Result<(Socket, Socket), Errno> {
        let (one, other) = self.membership.unix().pair(kind)?;
        let (ready, metrics) = (&self.ready, &self.metrics);
        let one = Socket::connected(first, kind, one, ready, metrics)?;
        let other = Socket::connected(second, kind, other, ready, metrics)?;
        Ok((one, other))
    }

    /// Makes room for two more sockets.
    fn admit_pair(&mut self) -> Result<(), Errno> {
        if self.quota.saturating_sub(self.count()) < 2 {
            return Err(Errno::EMFILE);
        }
        self.admit()?;
        self.admit().inspect_err(|_| self.budget.withdraw())
    }

    /// Makes room for another socket.
    fn admit(&mut self) -> Result<(), Errno> {
        if self.quota <= self.count() {
            Err(Errno::EMFILE)
        } else if self.budget.admit() {
            Ok(())
        } else {
            Err(Errno::ENOBUFS)
        }
    }

    fn accept(
        &mut self,
        call: CallId,
        listener: SocketId,
        accepted: SocketId,
        outbox: &mut Outbox,
    ) -> Result<(), Violation> {
        let (ready, metrics) = (self.ready.clone(), self.metrics.clone());
        // Without room the connection stays in the backlog.
        let room = self.open(listener).map(drop).and_then(|()| self.admit());
        let made = room.and_then(|()| {
            self.open(listener)
                .and_then(|listener| listener.accept(accepted, &ready, &metrics))
                .inspect_err(|_| self.budget.withdraw())
        });
        let result = match made {
            Ok(socket) => {
                let names = socket.names();
                self.add(accepted, Ok(socket))?;
                names
            }
            Err(errno) => Err(errno),
        };
        outbox.message(&ServerMessage::Done { call, result });
        if let Ok(listener) = self.open(listener) {
            listener.accept_answered();
        }
        Ok(())
    }
}
