//! Urgent bytes, as a program sees them.

use protocol::{ClientMessage, Domain, Errno, Kind, Reply, ServerMessage};

use super::super::transfer::Load;
use super::*;

/// `SOL_SOCKET` and `SO_OOBINLINE` (socket(7)).
const OOBINLINE: (i32, i32) = (1, 10);

/// What was said but grants of credit.
fn said(process: &mut Process<Vec<u8>>) -> Vec<ClientMessage> {
    let mut said = sent(process);
    said.retain(|message| !matches!(message, ClientMessage::Credit { .. }));
    said
}

/// Reads without waiting, after the relay has said that there is nothing new.
fn read(process: &mut Process<Vec<u8>>, id: SocketId, flags: i32) -> Result<Vec<u8>, Errno> {
    let mut token = 0;
    loop {
        match recv(process, token, id, 100, flags, Mode::NonBlocking)? {
            Step::Ready(bytes) => return Ok(bytes),
            Step::Blocked(_) => {
                let [ClientMessage::Sync { call }] = said(process)[..] else {
                    panic!("no sync")
                };
                let result = Ok(Reply::Nothing);
                process.receive(ServerMessage::Done { call, result });
                token = woken(process);
            }
        }
    }
}

fn received() -> (Process<Vec<u8>>, SocketId) {
    let (mut process, id) = stream();
    process.receive_stream(id, b"abc".to_vec());
    process.receive_urgent(id, b"!".to_vec());
    process.receive_stream(id, b"def".to_vec());
    (process, id)
}

#[test]
fn a_poll_tells_of_an_urgent_byte_until_it_is_read() {
    let (mut process, id) = received();
    let urgent =
        |process: &Process<Vec<u8>>| process.get(id).unwrap().readiness() & events::PRI != 0;
    assert!(urgent(&process));
    assert_eq!(
        read(&mut process, id, flags::OOB | flags::PEEK).unwrap(),
        b"!"
    );
    assert!(urgent(&process));
    assert_eq!(read(&mut process, id, flags::OOB).unwrap(), b"!");
    assert!(!urgent(&process));
    assert_eq!(read(&mut process, id, flags::OOB), Err(Errno::EINVAL));
}

#[test]
fn a_read_stops_before_it_and_the_next_goes_past_it() {
    let (mut process, id) = received();
    assert_eq!(read(&mut process, id, flags::WAITALL).unwrap(), b"abc");
    assert_eq!(process.at_mark(&first(), id), Ok(Step::Ready(true)));
    assert_eq!(read(&mut process, id, flags::PEEK).unwrap(), b"def");
    assert_eq!(process.at_mark(&first(), id), Ok(Step::Ready(true)));
    assert_eq!(read(&mut process, id, 0).unwrap(), b"def");
    assert_eq!(read(&mut process, id, flags::OOB), Err(Errno::EINVAL));
    assert_eq!(process.get(id).unwrap().receive.held(), 0);
}

#[test]
fn an_urgent_byte_that_was_passed_by_nobody_resets_the_connection() {
    let (mut process, id) = stream();
    process.receive_urgent(id, b"!".to_vec());
    assert_eq!(read(&mut process, id, flags::OOB).unwrap(), b"!");
    process.close(id);
    let closed = said(&mut process);
    assert_eq!(closed, [ClientMessage::Abort { socket: id }]);
}

#[test]
fn inline_it_is_one_of_the_others() {
    let (mut process, id) = received();
    let (level, name) = OOBINLINE;
    let value = vec![1, 0, 0, 0];
    let set = process.set_option(first(), id, level, name, value.clone());
    assert!(matches!(set, Ok(Step::Blocked(_))));
    let [ClientMessage::SetOption { call, .. }] = said(&mut process)[..] else {
        panic!("no option")
    };
    let result = Ok(Reply::Nothing);
    process.receive(ServerMessage::Done { call, result });
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 0.0);
    let set = process.set_option(attempt, id, level, name, value);
    assert_eq!(set, Ok(Step::Ready(())));
    assert_eq!(read(&mut process, id, flags::OOB), Err(Errno::EINVAL));
    assert_eq!(read(&mut process, id, 0).unwrap(), b"abc");
    assert_eq!(read(&mut process, id, 0).unwrap(), b"!def");
}

#[test]
fn the_last_byte_of_a_send_is_urgent() {
    let (mut process, id) = stream();
    let peer = Address::Unspecified;
    let sent = process.send(&first(), id, 5, &peer, flags::OOB, Mode::Blocking);
    let Ok(Step::Ready(sent)) = sent else {
        panic!("{sent:?}")
    };
    assert_eq!((sent.load, sent.then), (Load::Urgent, Step::Ready(5)));
    let half = usize::try_from(INITIAL_CREDIT).unwrap();
    let sent = process.send(&first(), id, half, &peer, flags::OOB, Mode::Blocking);
    let Ok(Step::Ready(sent)) = sent else {
        panic!("{sent:?}")
    };
    // The rest is to come, and its last byte is the one.
    assert_eq!(sent.load, Load::Bytes);
}

#[test]
fn only_tcp_has_urgent_data() {
    let mut process = Process::<Vec<u8>>::default();
    for (domain, kind) in [
        (Domain::Unix, Kind::Stream),
        (Domain::Inet, Kind::Datagram),
        (Domain::Inet, Kind::Raw { protocol: 1 }),
    ] {
        let id = process.socket(domain, kind);
        let sent = process.send(&first(), id, 1, &address(1), flags::OOB, Mode::Blocking);
        assert_eq!(sent, Err(Errno::EOPNOTSUPP));
        if kind != Kind::Datagram {
            let read = read(&mut process, id, flags::OOB);
            assert_eq!(read, Err(Errno::EOPNOTSUPP));
        }
    }
}
