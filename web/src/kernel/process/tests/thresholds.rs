//! Calls that wait for a limited time or for many bytes (socket(7)).

use protocol::Patience;

use super::super::transfer::{Load, Sent};
use super::*;

/// `SOL_SOCKET`.
const SOL_SOCKET: i32 = 1;
/// `SO_RCVLOWAT`.
const LOW_WATER: i32 = 18;
/// `SO_RCVTIMEO`.
const RECEIVE: i32 = 20;
/// `SO_SNDTIMEO`.
const SEND: i32 = 21;

/// Has the calls of a socket wait for at most 100 milliseconds.
fn limit(process: &mut Process<Vec<u8>>, id: SocketId, option: i32) {
    let value = [0_i64.to_le_bytes(), 100_000_i64.to_le_bytes()].concat();
    let done = process.set_option(first(), id, SOL_SOCKET, option, value);
    assert_eq!(done, Ok(Step::Ready(())));
}

fn low_water(process: &mut Process<Vec<u8>>, id: SocketId, bytes: i32) {
    let value = bytes.to_le_bytes().to_vec();
    let done = process.set_option(first(), id, SOL_SOCKET, LOW_WATER, value);
    assert_eq!(done, Ok(Step::Ready(())));
}

/// The wait that a call has left, and after how many milliseconds it ends.
fn blocked<T: std::fmt::Debug>(
    process: &mut Process<Vec<u8>>,
    step: &Result<Step<T>, Errno>,
) -> (WaitId, f64) {
    let &Ok(Step::Blocked(wait)) = step else {
        panic!("{step:?}")
    };
    let delays: Vec<_> = process
        .effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Timer(id, delay) if id == wait => Some(delay),
            _ => None,
        })
        .collect();
    let [delay] = delays[..] else {
        panic!("{delays:?}")
    };
    (wait, delay)
}

#[test]
fn a_receive_is_given_up_when_its_time_is_up() {
    let (mut process, id) = stream();
    limit(&mut process, id, RECEIVE);
    let step = recv(&mut process, 0, id, 10, 0, Mode::Blocking);
    let (wait, delay) = blocked(&mut process, &step);
    assert_eq!(delay, 100.0);
    process.time_out(wait);
    let step = recv(&mut process, wait.0, id, 10, 0, Mode::Blocking);
    assert_eq!(step, Err(Errno::EAGAIN));
    assert_eq!(process.census(), (1, 0));
}

#[test]
fn the_time_of_a_call_begins_once() {
    let (mut process, id) = stream();
    limit(&mut process, id, RECEIVE);
    let attempt = process.attempt(MAIN, 0, 1000.0);
    let step = process.recv(&attempt, id, 10, flags::WAITALL, Mode::Blocking);
    let (_, delay) = blocked(&mut process, &step);
    assert_eq!(delay, 100.0);
    process.receive_stream(id, b"some".to_vec());
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 1070.0);
    let step = process.recv(&attempt, id, 10, flags::WAITALL, Mode::Blocking);
    let Ok(Step::Ready(received)) = step else {
        panic!("{step:?}")
    };
    assert_eq!(received.chunks.concat(), b"some");
    let then = Ok(received.then);
    let (wait, delay) = blocked(&mut process, &then);
    assert_eq!(delay, 30.0);
    process.time_out(wait);
    let attempt = process.attempt(MAIN, wait.0, 1100.0);
    let step = process.recv(&attempt, id, 10, flags::WAITALL, Mode::Blocking);
    let Ok(Step::Ready(received)) = step else {
        panic!("{step:?}")
    };
    assert_eq!((received.chunks.len(), received.then), (0, Step::Ready(4)));
}

#[test]
fn an_accept_is_given_up_when_its_time_is_up_and_hands_its_limits_on() {
    let (mut process, id) = listener();
    limit(&mut process, id, RECEIVE);
    let step = process.accept(first(), id, Mode::Blocking);
    let (wait, _) = blocked(&mut process, &step);
    process.time_out(wait);
    let attempt = process.attempt(MAIN, wait.0, 0.0);
    let step = process.accept(attempt, id, Mode::Blocking);
    assert_eq!(step, Err(Errno::EAGAIN));

    let (call, accepted) = ask_to_accept(&mut process, id);
    process.receive(ServerMessage::Done {
        call,
        result: Ok(names(80, 50_001)),
    });
    let step = recv(&mut process, 0, accepted, 10, 0, Mode::Blocking);
    assert_eq!(blocked(&mut process, &step).1, 100.0);
}

#[test]
fn a_connect_that_takes_too_long_stays_under_way() {
    let mut process = Process::<Vec<u8>>::default();
    let id = process.socket(Domain::Inet, Kind::Stream);
    limit(&mut process, id, SEND);
    let step = process.connect(&first(), id, address(80), Mode::Blocking);
    let (wait, delay) = blocked(&mut process, &step);
    assert_eq!(delay, 100.0);
    process.time_out(wait);
    let attempt = process.attempt(MAIN, wait.0, 100.0);
    let step = process.connect(&attempt, id, address(80), Mode::Blocking);
    assert_eq!(step, Err(Errno::EINPROGRESS));
    let step = process.connect(&first(), id, address(80), Mode::NonBlocking);
    assert_eq!(step, Err(Errno::EALREADY));
    let step = process.connect(&first(), id, address(80), Mode::Blocking);
    let (wait, _) = blocked(&mut process, &step);
    process.time_out(wait);
    let attempt = process.attempt(MAIN, wait.0, 200.0);
    let step = process.connect(&attempt, id, address(80), Mode::Blocking);
    assert_eq!(step, Err(Errno::EALREADY));
}

#[test]
fn a_send_says_how_much_it_could_send_in_its_time() {
    let (mut process, id) = stream();
    limit(&mut process, id, SEND);
    let length = usize::try_from(INITIAL_CREDIT).unwrap() + 5;
    let to = Address::Unspecified;
    let step = process.send(&first(), id, length, &to, 0, Mode::Blocking);
    let Ok(Step::Ready(Sent { then, .. })) = step else {
        panic!("{step:?}")
    };
    let (wait, delay) = blocked(&mut process, &Ok(then));
    assert_eq!(delay, 100.0);
    process.time_out(wait);
    let attempt = process.attempt(MAIN, wait.0, 100.0);
    let step = process.send(&attempt, id, length, &to, 0, Mode::Blocking);
    let Ok(Step::Ready(Sent { then, .. })) = step else {
        panic!("{step:?}")
    };
    assert_eq!(then, Step::Ready(length - 5));
    let step = process.send(&first(), id, 5, &to, 0, Mode::Blocking);
    let (wait, _) = blocked(&mut process, &step);
    process.time_out(wait);
    let attempt = process.attempt(MAIN, wait.0, 100.0);
    let step = process.send(&attempt, id, 5, &to, 0, Mode::Blocking);
    assert_eq!(step, Err(Errno::EAGAIN));
}

#[test]
fn a_unix_datagram_that_was_given_up_is_withdrawn() {
    let mut process = Process::<Vec<u8>>::default();
    let id = process.socket(Domain::Unix, Kind::Datagram);
    limit(&mut process, id, SEND);
    let to = Address::Unix(b"/s".to_vec());
    let step = process.send(&first(), id, 3, &to, 0, Mode::Blocking);
    let Ok(Step::Ready(Sent { then, .. })) = step else {
        panic!("{step:?}")
    };
    let (wait, delay) = blocked(&mut process, &Ok(then));
    assert_eq!(delay, 100.0);
    process.time_out(wait);
    let attempt = process.attempt(MAIN, wait.0, 100.0);
    let step = process.send(&attempt, id, 3, &to, 0, Mode::Blocking);
    let Ok(Step::Ready(Sent {
        then: Step::Blocked(wait),
        load: Load::Nothing,
        ..
    })) = step
    else {
        panic!("{step:?}")
    };
    let [
        ..,
        ClientMessage::Delivered {
            call,
            patience: Patience::Now,
            ..
        },
    ] = sent(&mut process)[..]
    else {
        panic!("not withdrawn")
    };
    process.receive(ServerMessage::Done {
        call,
        result: Err(Errno::EAGAIN),
    });
    let attempt = process.attempt(MAIN, wait.0, 101.0);
    let step = process.send(&attempt, id, 3, &to, 0, Mode::Blocking);
    assert_eq!(step, Err(Errno::EAGAIN));
}

#[test]
fn a_stream_is_readable_when_it_has_enough() {
    let (mut process, id) = stream();
    low_water(&mut process, id, 4);
    process.receive_stream(id, b"abc".to_vec());
    let readable = |process: &Process<Vec<u8>>| {
        let ready = process.get(id).unwrap().readiness();
        ready & events::IN != 0
    };
    assert!(!readable(&process));
    let peek = recv(&mut process, 0, id, 10, flags::PEEK, Mode::Blocking);
    assert!(matches!(peek, Ok(Step::Blocked(_))));
    // What is asked for is enough, and so is what there is if the call must not wait.
    for (length, mode) in [(3, Mode::Blocking), (10, Mode::NonBlocking)] {
        let peek = recv(&mut process, 0, id, length, flags::PEEK, mode);
        assert_eq!(peek, Ok(Step::Ready(b"abc".to_vec())));
    }
    process.receive_stream(id, b"d".to_vec());
    assert!(readable(&process));
    let all = recv(&mut process, 0, id, 10, 0, Mode::Blocking);
    assert_eq!(all, Ok(Step::Ready(b"abcd".to_vec())));
    process.receive(ServerMessage::Finished { socket: id });
    assert!(readable(&process));
}

#[test]
fn a_lower_mark_wakes_who_polls() {
    let (mut process, id) = stream();
    low_water(&mut process, id, 4);
    process.receive_stream(id, b"abc".to_vec());
    let entries = [PollEntry {
        target: PollTarget::Socket(id),
        events: events::IN,
    }];
    let step = process.poll(&first(), &entries, -1);
    assert!(matches!(step, Ok(Step::Blocked(_))));
    low_water(&mut process, id, 3);
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 0.0);
    let step = process.poll(&attempt, &entries, -1);
    assert_eq!(step, Ok(Step::Ready(vec![events::IN])));
}
