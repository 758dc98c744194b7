//! What only UNIX sockets can do: pairs, paths, and calls that are instant on Linux.

use protocol::{Act, Address, ClientMessage, Domain, Errno, Kind, Patience, Reply, SocketId};

use super::super::inbox::Chunk;
use super::super::socket::{Phase, Socket};
use super::super::thresholds::Way;
use super::super::wait::{Object, Signals, Wait, Wake};
use super::{Attempt, Caller, Effect, Load, Mode, Process, Sent, Step, Try};

/// How long a blocking connect waits before it looks again whether the listener's backlog has room, in milliseconds.
const BACKLOG: f64 = 10.0;

/// What stat(2) tells of a UNIX socket's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its number.
    pub(crate) inode: u64,
    /// Its permission bits.
    pub(crate) mode: u16,
    /// When it was made, in seconds since 1970.
    pub(crate) made: u64,
}

impl<C: Chunk> Process<C> {
    /// socketpair(2): two sockets that are connected with each other, without a round trip.
    pub(crate) fn pair(&mut self, kind: Kind) -> [SocketId; 2] {
        let [first, second] = [self.next_socket(), self.next_socket()];
        for (id, other) in [(first, second), (second, first)] {
            let mut socket = Socket::new(Domain::Unix, kind);
            let unnamed = Address::Unix(Vec::new());
            socket.connected(unnamed.clone(), unnamed);
            socket.phase = Phase::Connected { told: true };
            socket.partner = Some(other);
            self.sockets.insert(id, socket);
        }
        let message = ClientMessage::Pair {
            first,
            second,
            kind,
        };
        self.effects.push(Effect::Send(message));
        [first, second]
    }

    /// Whether the partner of a socket has sent what was not read, also if it is still on its way.
    pub(super) fn has_unread_of_partner(&self, socket: &Socket<C>) -> bool {
        let partner = socket.partner.and_then(|id| self.sockets.get(&id));
        socket.kind == Kind::Stream
            && partner.is_some_and(|partner| socket.receive.consumed() < partner.send.sent())
    }

    /// A socket is closed: what its partner sends, nobody reads any more.
    pub(super) fn leave_partner(&mut self, partner: SocketId) {
        if let Some(socket) = self.sockets.get_mut(&partner)
            && socket.kind == Kind::Stream
        {
            socket.hung_up = true;
            self.news(Object::Socket(partner));
        }
    }

    /// chdir(2), as far as it concerns UNIX sockets.
    pub(crate) fn change_directory(&mut self, path: Vec<u8>) {
        let message = ClientMessage::Directory { path };
        self.effects.push(Effect::Send(message));
    }

    /// Looks at the path of a UNIX socket or changes it.
    pub(crate) fn node(&mut self, mut attempt: Attempt, path: Vec<u8>, act: Act) -> Try<Node> {
        match attempt.answer() {
            Some(Ok(Reply::Node { inode, mode, made })) => {
                Ok(Step::Ready(Node { inode, mode, made }))
            }
            Some(Ok(_)) => Err(Errno::EPROTO),
            Some(Err(errno)) => Err(errno),
            None => self.call(&attempt, Signals::Hold, |call| ClientMessage::Node {
                call,
                path,
                act,
            }),
        }
    }

    /// The names of the UNIX sockets in a directory.
    pub(crate) fn list(&mut self, mut attempt: Attempt, path: Vec<u8>) -> Try<Vec<Vec<u8>>> {
        match attempt.answer() {
            Some(Ok(Reply::Entries(names))) => Ok(Step::Ready(names)),
            Some(Ok(_)) => Err(Errno::EPROTO),
            Some(Err(errno)) => Err(errno),
            None => self.call(&attempt, Signals::Hold, |call| ClientMessage::List {
                call,
                path,
            }),
        }
    }

    /// connect(2) on a UNIX stream, which is never under way: it is done, or fails, or waits for the backlog.
    pub(super) fn connect_unix(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        address: Address,
        mode: Mode,
    ) -> Try<()> {
        match self.get(id)?.phase {
            Phase::Listening { .. } => return Err(Errno::EINVAL),
            Phase::Connected { .. } => return Err(Errno::EISCONN),
            Phase::Idle | Phase::Connecting => {}
        }
        match attempt.wake() {
            Some(Wake::Answered(Err(Errno::EAGAIN))) if mode == Mode::Blocking => {
                let deadline = self.deadline(attempt, id, Way::Send);
                if deadline.is_some_and(|deadline| deadline <= attempt.now) {
                    return Err(Errno::EAGAIN);
                }
                let left = deadline.map_or(BACKLOG, |deadline| deadline - attempt.now);
                let wait = self.waits.add(Wait {
                    deadline,
                    ..Wait::on(attempt.thread, Vec::new())
                });
                self.effects.push(Effect::Timer(wait, BACKLOG.min(left)));
                return Ok(Step::Blocked(wait));
            }
            Some(Wake::Answered(answer)) => {
                self.named(id, answer.clone()?)?;
                self.get_mut(id)?.phase = Phase::Connected { told: true };
                return Ok(Step::Ready(()));
            }
            Some(Wake::Interrupted) => return Err(Errno::EINTR),
            Some(Wake::Ready | Wake::TimedOut | Wake::Made(_)) | None => {}
        }
        self.call(attempt, Signals::Hold, |call| ClientMessage::Connect {
            call,
            socket: id,
            address,
        })
    }

    /// What a datagram of UNIX is sent with: such a send waits until it is known what became of it.
    pub(super) fn await_delivery(
        &mut self,
        attempt: &Attempt,
        id: SocketId,
        length: usize,
        mode: Mode,
    ) -> Sent {
        let wait = Wait {
            // One more than the length, so that an empty datagram is not taken for one that was not sent yet.
            progress: length + 1,
            deadline: match mode {
                Mode::Blocking => self.deadline(attempt, id, Way::Send),
                Mode::NonBlocking => None,
            },
            ..Wait::answer(attempt.thread, Signals::Interrupt)
        };
        let wait = self.wait_until(wait, attempt.now);
        let mut load = Load::Nothing;
        if self.lost.is_some() {
            self.waits
                .settle(wait, Wake::Answered(Err(Errno::ENETDOWN)));
        } else {
            load = Load::Followed(ClientMessage::Delivered {
                call: self.next_call(Caller::Wait(wait)),
                socket: id,
                patience: match mode {
                    Mode::Blocking => Patience::Wait,
                    Mode::NonBlocking => Patience::Now,
                },
            });
        }
        Sent {
            offset: 0,
            length,
            then: Step::Blocked(wait),
            load,
        }
    }

    /// What became of a datagram of UNIX that an earlier try has sent: its length, once that is known.
    pub(super) fn delivered(&mut self, attempt: &Attempt, id: SocketId) -> Option<Try<usize>> {
        let length = attempt.progress().checked_sub(1)?;
        match attempt.wake()? {
            Wake::Answered(Ok(_)) => Some(Ok(Step::Ready(length))),
            Wake::Answered(Err(errno)) => Some(Err(*errno)),
            Wake::Interrupted => Some(Err(Errno::EINTR)),
            Wake::TimedOut => Some(self.withdraw(attempt, id)),
            Wake::Ready | Wake::Made(_) => None,
        }
    }

    /// Has the relay drop a datagram that has waited for too long, if it still does: what failed must not arrive.
    fn withdraw(&mut self, attempt: &Attempt, id: SocketId) -> Try<usize> {
        let wait = self.waits.add(Wait {
            progress: attempt.progress(),
            ..Wait::answer(attempt.thread, Signals::Hold)
        });
        let call = self.next_call(Caller::Wait(wait));
        self.effects.push(Effect::Send(ClientMessage::Delivered {
            call,
            socket: id,
            patience: Patience::Now,
        }));
        Ok(Step::Blocked(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::socket::events;
    use super::super::super::wait::WaitId;
    use super::super::Effect;
    use super::*;
    use protocol::ServerMessage;

    const MAIN: i32 = 1;

    fn done(process: &mut Process<Vec<u8>>, result: Result<Reply, Errno>) {
        let call = protocol::CallId(process.last_call);
        process.receive(ServerMessage::Done { call, result });
    }

    #[test]
    fn a_closed_end_of_a_pair_is_seen_at_once() {
        let mut process = Process::<Vec<u8>>::default();
        let [one, other] = process.pair(Kind::Stream);
        let attempt = process.attempt(MAIN, 0, 0.0);
        let to = Address::Unspecified;
        let sent = process.send(&attempt, other, 3, &to, 0, Mode::Blocking);
        assert!(matches!(sent, Ok(Step::Ready(Sent { length: 3, .. }))));
        process.close(one);
        let sent = process.send(&attempt, other, 3, &to, 0, Mode::Blocking);
        assert_eq!(sent, Err(Errno::EPIPE));
        let ready = process.get(other).unwrap().readiness();
        assert_eq!(ready & events::HUP, events::HUP);
    }

    #[test]
    fn an_end_of_a_pair_that_is_closed_with_unread_data_resets() {
        for read in [0, 3] {
            let mut process = Process::<Vec<u8>>::default();
            let [one, other] = process.pair(Kind::Stream);
            let attempt = process.attempt(MAIN, 0, 0.0);
            let to = Address::Unspecified;
            let sent = process.send(&attempt, other, 3, &to, 0, Mode::Blocking);
            assert!(matches!(sent, Ok(Step::Ready(Sent { length: 3, .. }))));
            if 0 < read {
                process.receive_stream(one, vec![0; read]);
                let received = process.recv(&attempt, one, read, 0, Mode::Blocking);
                assert!(matches!(received, Ok(Step::Ready(_))));
            }
            process.close(one);
            let last = process.effects().pop();
            let expected = match read {
                0 => ClientMessage::Abort { socket: one },
                _ => ClientMessage::Close { socket: one },
            };
            assert_eq!(last, Some(Effect::Send(expected)));
        }
    }

    #[test]
    fn a_reset_peer_takes_nothing_and_is_told_by_reading() {
        let mut process = Process::<Vec<u8>>::default();
        let [_, other] = process.pair(Kind::Stream);
        process.receive(ServerMessage::HungUp { socket: other });
        let (socket, errno) = (other, Errno::ECONNRESET);
        process.receive(ServerMessage::Failed { socket, errno });
        let attempt = process.attempt(MAIN, 0, 0.0);
        let to = Address::Unspecified;
        let sent = process.send(&attempt, other, 1, &to, 0, Mode::Blocking);
        assert_eq!(sent, Err(Errno::EPIPE));
        let received = process.recv(&attempt, other, 1, 0, Mode::Blocking);
        assert_eq!(received.err(), Some(Errno::ECONNRESET));
        let received = process.recv(&attempt, other, 1, 0, Mode::Blocking);
        assert!(matches!(received, Ok(Step::Ready(_))));
    }

    #[test]
    fn a_connect_to_a_full_backlog_asks_again() {
        let mut process = Process::<Vec<u8>>::default();
        let id = process.socket(Domain::Unix, Kind::Stream);
        let address = Address::Unix(b"/s".to_vec());
        let mut token = 0;
        for answer in [Err(Errno::EAGAIN), Err(Errno::ENOENT)] {
            let attempt = process.attempt(MAIN, token, 0.0);
            let step = process.connect(&attempt, id, address.clone(), Mode::Blocking);
            let Ok(Step::Blocked(WaitId(asked))) = step else {
                panic!("{step:?}")
            };
            done(&mut process, answer.clone());
            token = asked;
            if answer == Err(Errno::EAGAIN) {
                let attempt = process.attempt(MAIN, token, 0.0);
                let step = process.connect(&attempt, id, address.clone(), Mode::Blocking);
                let Ok(Step::Blocked(wait)) = step else {
                    panic!("{step:?}")
                };
                assert!(process.effects().contains(&Effect::Timer(wait, BACKLOG)));
                process.time_out(wait);
                token = wait.0;
            }
        }
        let attempt = process.attempt(MAIN, token, 0.0);
        let step = process.connect(&attempt, id, address, Mode::Blocking);
        assert_eq!(step, Err(Errno::ENOENT));
    }

    #[test]
    fn a_datagram_says_what_became_of_it() {
        let mut process = Process::<Vec<u8>>::default();
        let id = process.socket(Domain::Unix, Kind::Datagram);
        let to = Address::Unix(b"/s".to_vec());
        for (answer, result) in [
            (Ok(Reply::Nothing), Ok(0)),
            (Err(Errno::ECONNREFUSED), Err(Errno::ECONNREFUSED)),
        ] {
            let attempt = process.attempt(MAIN, 0, 0.0);
            let sent = process.send(&attempt, id, 0, &to, 0, Mode::Blocking);
            let Ok(Step::Ready(Sent {
                then: Step::Blocked(WaitId(token)),
                load: Load::Followed(ClientMessage::Delivered { .. }),
                ..
            })) = sent
            else {
                panic!("{sent:?}")
            };
            done(&mut process, answer);
            let attempt = process.attempt(MAIN, token, 0.0);
            let sent = process.send(&attempt, id, 0, &to, 0, Mode::Blocking);
            let then = sent.map(|step| match step {
                Step::Ready(Sent {
                    then: Step::Ready(length),
                    load: Load::Nothing,
                    ..
                }) => length,
                other => panic!("{other:?}"),
            });
            assert_eq!(then, result);
        }
    }
}
