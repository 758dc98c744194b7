//! The state machine against a relay that is written down here, message by message.

mod raw;
mod thresholds;
mod urgent;

use std::net::Ipv4Addr;

use protocol::limits::INITIAL_CREDIT;
use protocol::{
    Address, CallId, ClientMessage, Domain, Errno, Kind, Reply, ServerMessage, SocketId,
};

use super::super::socket::events;
use super::super::wait::{WaitId, Wake};
use super::inquiry::{PollEntry, PollTarget};
use super::transfer::flags;
use super::{Attempt, Effect, Mode, Process, Step};

const MAIN: i32 = 1;

fn first() -> Attempt {
    Attempt {
        thread: MAIN,
        wait: None,
        now: 0.0,
        deadline: None,
    }
}

fn address(port: u16) -> Address {
    Address::Inet {
        ip: Ipv4Addr::LOCALHOST,
        port,
    }
}

fn names(local: u16, peer: u16) -> Reply {
    Reply::Names {
        local: address(local),
        peer: address(peer),
    }
}

/// The wait that the only wake among the effects is for.
fn woken(process: &mut Process<Vec<u8>>) -> i32 {
    let wakes: Vec<_> = process
        .effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Wake(WaitId(id)) => Some(id),
            _ => None,
        })
        .collect();
    assert_eq!(wakes.len(), 1, "{wakes:?}");
    wakes[0]
}

/// The messages among the effects.
fn sent(process: &mut Process<Vec<u8>>) -> Vec<ClientMessage> {
    process
        .effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Send(message) => Some(message),
            _ => None,
        })
        .collect()
}

fn stream() -> (Process<Vec<u8>>, SocketId) {
    let mut process = Process::default();
    let id = process.socket(Domain::Inet, Kind::Stream);
    assert_eq!(
        process.connect(&first(), id, address(80), Mode::NonBlocking),
        Err(Errno::EINPROGRESS)
    );
    let [_, ClientMessage::Connect { call, .. }] = sent(&mut process)[..] else {
        panic!("no connect")
    };
    process.receive(ServerMessage::Done {
        call,
        result: Ok(names(50_000, 80)),
    });
    assert_eq!(
        process.connect(&first(), id, address(80), Mode::NonBlocking),
        Ok(Step::Ready(()))
    );
    (process, id)
}

fn recv(
    process: &mut Process<Vec<u8>>,
    token: i32,
    id: SocketId,
    length: usize,
    flags: i32,
    mode: Mode,
) -> Result<Step<Vec<u8>>, Errno> {
    let attempt = process.attempt(MAIN, token, 0.0);
    Ok(match process.recv(&attempt, id, length, flags, mode)? {
        Step::Ready(received) => Step::Ready(received.chunks.concat()),
        Step::Blocked(wait) => Step::Blocked(wait),
    })
}

#[test]
fn a_blocking_connect_waits_for_the_relay() {
    let mut process = Process::<Vec<u8>>::default();
    let id = process.socket(Domain::Inet, Kind::Stream);
    let Ok(Step::Blocked(_)) = process.connect(&first(), id, address(80), Mode::Blocking) else {
        panic!("not blocked")
    };
    let [_, ClientMessage::Connect { call, .. }] = sent(&mut process)[..] else {
        panic!("no connect")
    };
    process.receive(ServerMessage::Done {
        call,
        result: Err(Errno::ECONNREFUSED),
    });
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 0.0);
    assert_eq!(
        process.connect(&attempt, id, address(80), Mode::Blocking),
        Err(Errno::ECONNREFUSED)
    );
    assert_eq!(process.census(), (1, 0));
}

#[test]
fn a_blocked_recv_gets_what_comes() {
    let (mut process, id) = stream();
    assert!(matches!(
        recv(&mut process, 0, id, 10, 0, Mode::Blocking),
        Ok(Step::Blocked(_))
    ));
    process.receive_stream(id, b"hello".to_vec());
    let token = woken(&mut process);
    assert_eq!(
        recv(&mut process, token, id, 3, 0, Mode::Blocking),
        Ok(Step::Ready(b"hel".to_vec()))
    );
    assert_eq!(
        recv(&mut process, 0, id, 9, flags::PEEK, Mode::Blocking),
        Ok(Step::Ready(b"lo".to_vec()))
    );
    assert_eq!(
        recv(&mut process, 0, id, 9, 0, Mode::Blocking),
        Ok(Step::Ready(b"lo".to_vec()))
    );
    process.receive(ServerMessage::Finished { socket: id });
    assert_eq!(
        recv(&mut process, 0, id, 9, 0, Mode::Blocking),
        Ok(Step::Ready(Vec::new()))
    );
}

#[test]
fn a_non_blocking_recv_asks_the_relay_before_it_says_nothing_is_there() {
    let (mut process, id) = stream();
    assert!(matches!(
        recv(&mut process, 0, id, 10, 0, Mode::NonBlocking),
        Ok(Step::Blocked(_))
    ));
    let [ClientMessage::Sync { call }] = sent(&mut process)[..] else {
        panic!("no sync")
    };
    process.receive(ServerMessage::Done {
        call,
        result: Ok(Reply::Nothing),
    });
    let token = woken(&mut process);
    assert_eq!(
        recv(&mut process, token, id, 10, 0, Mode::NonBlocking),
        Err(Errno::EAGAIN)
    );
}

#[test]
fn a_reset_is_told_once_after_the_data_and_then_sending_is_a_broken_pipe() {
    let (mut process, id) = stream();
    process.receive_stream(id, b"x".to_vec());
    process.receive(ServerMessage::Failed {
        socket: id,
        errno: Errno::ECONNRESET,
    });
    assert_eq!(
        recv(&mut process, 0, id, 9, 0, Mode::Blocking),
        Ok(Step::Ready(b"x".to_vec()))
    );
    assert_eq!(
        recv(&mut process, 0, id, 9, 0, Mode::Blocking),
        Err(Errno::ECONNRESET)
    );
    assert_eq!(
        recv(&mut process, 0, id, 9, 0, Mode::Blocking),
        Ok(Step::Ready(Vec::new()))
    );
    let send = process.send(&first(), id, 1, &Address::Unspecified, 0, Mode::Blocking);
    assert_eq!(send, Err(Errno::EPIPE));
}

#[test]
fn a_blocking_send_takes_everything_and_a_non_blocking_one_what_there_is_room_for() {
    let credit = usize::try_from(INITIAL_CREDIT).unwrap();
    let (mut process, id) = stream();
    let Ok(Step::Ready(part)) = process.send(
        &first(),
        id,
        credit + 5,
        &Address::Unspecified,
        0,
        Mode::Blocking,
    ) else {
        panic!("blocked at once")
    };
    assert_eq!((part.offset, part.length), (0, credit));
    assert!(matches!(part.then, Step::Blocked(_)));
    let more = process.send(
        &first(),
        id,
        1,
        &Address::Unspecified,
        flags::DONTWAIT,
        Mode::Blocking,
    );
    assert!(
        matches!(more, Ok(Step::Blocked(_))),
        "it syncs first: {more:?}"
    );
    process.effects();
    process.receive(ServerMessage::Credit {
        socket: id,
        limit: INITIAL_CREDIT + 100,
    });
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 0.0);
    let Ok(Step::Ready(rest)) = process.send(
        &attempt,
        id,
        credit + 5,
        &Address::Unspecified,
        0,
        Mode::Blocking,
    ) else {
        panic!("blocked again")
    };
    assert_eq!(
        (rest.offset, rest.length, rest.then),
        (credit, 5, Step::Ready(credit + 5))
    );
}

#[test]
fn a_receive_of_everything_waits_for_the_rest() {
    let (mut process, id) = stream();
    process.receive_stream(id, b"ab".to_vec());
    let Ok(Step::Ready(part)) = process.recv(&first(), id, 4, flags::WAITALL, Mode::Blocking)
    else {
        panic!("blocked at once")
    };
    assert_eq!(part.chunks.concat(), b"ab");
    process.receive_stream(id, b"cdef".to_vec());
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 0.0);
    let Ok(Step::Ready(rest)) = process.recv(&attempt, id, 4, flags::WAITALL, Mode::Blocking)
    else {
        panic!("blocked again")
    };
    assert_eq!(
        (rest.chunks.concat(), rest.offset, rest.then),
        (b"cd".to_vec(), 2, Step::Ready(4))
    );
}

fn listener() -> (Process<Vec<u8>>, SocketId) {
    let mut process = Process::<Vec<u8>>::default();
    let id = process.socket(Domain::Inet, Kind::Stream);
    let Ok(Step::Blocked(_)) = process.listen(first(), id, 5) else {
        panic!("not asked")
    };
    let [_, ClientMessage::Listen { call, .. }] = sent(&mut process)[..] else {
        panic!("no listen")
    };
    process.receive(ServerMessage::Done {
        call,
        result: Ok(names(80, 0)),
    });
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 0.0);
    assert_eq!(process.listen(attempt, id, 5), Ok(Step::Ready(())));
    (process, id)
}

/// Calls accept(2), which is sent to the relay: its call and the number of the connection to be.
fn ask_to_accept(process: &mut Process<Vec<u8>>, id: SocketId) -> (CallId, SocketId) {
    process.receive(ServerMessage::Acceptable { socket: id });
    assert!(matches!(
        process.accept(first(), id, Mode::Blocking),
        Ok(Step::Blocked(_))
    ));
    let [ClientMessage::Accept { call, accepted, .. }] = sent(process)[..] else {
        panic!("no accept")
    };
    (call, accepted)
}

#[test]
fn what_comes_with_an_accepted_connection_is_kept() {
    let (mut process, id) = listener();
    let (call, accepted) = ask_to_accept(&mut process, id);
    // The program runs again only after the whole message was taken.
    process.receive(ServerMessage::Done {
        call,
        result: Ok(names(80, 50_001)),
    });
    process.receive_stream(accepted, b"early".to_vec());
    process.receive(ServerMessage::Finished { socket: accepted });
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 0.0);
    assert_eq!(
        process.accept(attempt, id, Mode::Blocking),
        Ok(Step::Ready(accepted))
    );
    for expected in [&b"early"[..], b""] {
        assert_eq!(
            recv(&mut process, 0, accepted, 10, 0, Mode::Blocking),
            Ok(Step::Ready(expected.to_vec()))
        );
    }
}

#[test]
fn a_connection_that_nobody_waits_for_any_more_is_closed() {
    let (mut process, id) = listener();
    let (call, accepted) = ask_to_accept(&mut process, id);
    process.close(id);
    process.receive(ServerMessage::Done {
        call,
        result: Ok(names(80, 50_001)),
    });
    assert_eq!(
        sent(&mut process),
        [
            ClientMessage::Close { socket: id },
            ClientMessage::Close { socket: accepted }
        ]
    );
}

#[test]
fn an_accept_that_finds_nothing_after_all_waits_again() {
    let (mut process, id) = listener();
    let mut token = 0;
    for result in [Err(Errno::EAGAIN), Ok(names(80, 50_001))] {
        let attempt = process.attempt(MAIN, token, 0.0);
        assert!(matches!(
            process.accept(attempt, id, Mode::Blocking),
            Ok(Step::Blocked(_))
        ));
        process.receive(ServerMessage::Acceptable { socket: id });
        token = woken(&mut process);
        let attempt = process.attempt(MAIN, token, 0.0);
        assert!(matches!(
            process.accept(attempt, id, Mode::Blocking),
            Ok(Step::Blocked(_))
        ));
        let [ClientMessage::Accept { call, .. }] = sent(&mut process)[..] else {
            panic!("no accept")
        };
        process.receive(ServerMessage::Done { call, result });
        token = woken(&mut process);
    }
    let attempt = process.attempt(MAIN, token, 0.0);
    let Ok(Step::Ready(accepted)) = process.accept(attempt, id, Mode::Blocking) else {
        panic!("not accepted")
    };
    assert_eq!(
        process.peer(first(), accepted),
        Ok(Step::Ready(address(50_001)))
    );
}

#[test]
fn a_signal_ends_a_blocked_call_of_its_thread() {
    let (mut process, id) = stream();
    assert!(matches!(
        recv(&mut process, 0, id, 10, 0, Mode::Blocking),
        Ok(Step::Blocked(_))
    ));
    process.interrupt(MAIN + 1);
    process.interrupt(MAIN);
    let token = woken(&mut process);
    assert_eq!(
        recv(&mut process, token, id, 10, 0, Mode::Blocking),
        Err(Errno::EINTR)
    );
}

#[test]
fn a_poll_keeps_its_deadline_over_false_alarms() {
    let (mut process, id) = stream();
    let entries = [PollEntry {
        target: PollTarget::Socket(id),
        events: events::IN,
    }];
    let attempt = process.attempt(MAIN, 0, 1000.0);
    let step = process.poll(&attempt, &entries, 100);
    assert!(matches!(step, Ok(Step::Blocked(_))));
    assert!(matches!(process.effects()[..], [Effect::Timer(_, delay)] if delay == 100.0));
    process.receive(ServerMessage::Credit {
        socket: id,
        limit: INITIAL_CREDIT + 1,
    });
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 1060.0);
    let Ok(Step::Blocked(wait)) = process.poll(&attempt, &entries, 100) else {
        panic!("ready")
    };
    assert_eq!(process.effects(), [Effect::Timer(wait, 40.0)]);
    process.time_out(wait);
    let attempt = process.attempt(MAIN, wait.0, 1100.0);
    assert_eq!(
        process.poll(&attempt, &entries, 100),
        Ok(Step::Ready(vec![0]))
    );
}

#[test]
fn closing_with_unread_data_resets() {
    let (mut process, id) = stream();
    process.receive_stream(id, b"unread".to_vec());
    process.close(id);
    assert_eq!(sent(&mut process), [ClientMessage::Abort { socket: id }]);
    assert_eq!(process.census(), (0, 0));
}

#[test]
fn reading_grants_more() {
    let (mut process, id) = stream();
    let credit = usize::try_from(INITIAL_CREDIT).unwrap();
    process.receive_stream(id, vec![0; credit]);
    let Ok(Step::Ready(bytes)) = recv(&mut process, 0, id, credit, 0, Mode::Blocking) else {
        panic!("blocked")
    };
    assert_eq!(bytes.len(), credit);
    let [ClientMessage::Credit { limit, .. }] = sent(&mut process)[..] else {
        panic!("no credit")
    };
    assert!(2 * INITIAL_CREDIT <= limit);
}

#[test]
fn more_than_the_credit_ends_the_process() {
    let (mut process, id) = stream();
    let credit = usize::try_from(INITIAL_CREDIT).unwrap();
    process.receive_stream(id, vec![0; credit + 1]);
    assert!(
        process
            .lost
            .as_deref()
            .unwrap()
            .contains("1 bytes more than the credit")
    );
    assert_eq!(
        recv(&mut process, 0, id, 1, 0, Mode::Blocking),
        Err(Errno::ENETDOWN)
    );
}

#[test]
fn a_lost_relay_answers_every_call() {
    let (mut process, id) = stream();
    assert!(matches!(
        process.bind(first(), id, address(1)),
        Ok(Step::Blocked(_))
    ));
    process.lose("gone".to_owned());
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 0.0);
    assert_eq!(process.bind(attempt, id, address(1)), Err(Errno::ENETDOWN));
    assert!(matches!(
        process.park(&first(), Some(5.0)),
        Step::Blocked(_)
    ));
    assert!(!matches!(
        process.park(&first(), None),
        Step::Ready(Wake::TimedOut)
    ));
}
