//! Raw sockets: what needs a right fails at once, and what is sent by hand, or to many, is confirmed.

use protocol::{ClientMessage, Domain, Errno, Kind, Reply, ServerMessage};

use super::super::transfer::Load;
use super::*;

const ICMP: Kind = Kind::Raw { protocol: 1 };

/// Asks for a socket that may be refused and has the relay answer.
fn asked(
    kind: Kind,
    result: Result<Reply, Errno>,
) -> (Process<Vec<u8>>, Result<Step<SocketId>, Errno>) {
    let mut process = Process::default();
    let Ok(Step::Blocked(_)) = process.open(first(), Domain::Inet, kind) else {
        panic!("not blocked")
    };
    let [
        ClientMessage::Socket { .. },
        ClientMessage::Names { call, .. },
    ] = sent(&mut process)[..]
    else {
        panic!("no question")
    };
    process.receive(ServerMessage::Done { call, result });
    let token = woken(&mut process);
    let attempt = process.attempt(MAIN, token, 0.0);
    let opened = process.open(attempt, Domain::Inet, kind);
    (process, opened)
}

fn raw() -> (Process<Vec<u8>>, SocketId) {
    let (process, opened) = asked(ICMP, Ok(names(1, 0)));
    let Ok(Step::Ready(id)) = opened else {
        panic!("{opened:?}")
    };
    (process, id)
}

#[test]
fn a_refusal_comes_from_the_call_that_makes_the_socket() {
    for (kind, errno) in [
        (ICMP, Errno::EPERM),
        (Kind::UdpLite, Errno::EPROTONOSUPPORT),
    ] {
        let (process, opened) = asked(kind, Err(errno));
        assert_eq!(opened, Err(errno));
        assert_eq!(process.census(), (0, 0));
    }
    let (process, id) = raw();
    assert_eq!(process.get(id).unwrap().local, Some(address(1)));
}

#[test]
fn a_send_returns_what_the_kernel_says_to_it() {
    for error in [None, Some(Errno::ENETUNREACH)] {
        let (mut process, id) = raw();
        let send = |process: &mut Process<Vec<u8>>, token| {
            let attempt = process.attempt(MAIN, token, 0.0);
            process.send(&attempt, id, 8, &address(0), 0, Mode::NonBlocking)
        };
        let Ok(Step::Ready(first)) = send(&mut process, 0) else {
            panic!("nothing was sent")
        };
        let Load::Followed(ClientMessage::Sync { call }) = first.load else {
            panic!("{first:?}")
        };
        assert!(matches!((first.length, first.then), (8, Step::Blocked(_))));
        if let Some(errno) = error {
            process.receive(ServerMessage::Failed { socket: id, errno });
        }
        let result = Ok(Reply::Nothing);
        process.receive(ServerMessage::Done { call, result });
        let token = woken(&mut process);
        match (send(&mut process, token), error) {
            (Ok(Step::Ready(last)), None) => {
                assert_eq!((last.load, last.then), (Load::Nothing, Step::Ready(8)));
            }
            (Err(errno), Some(expected)) => assert_eq!(errno, expected),
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_send_to_many_returns_what_the_kernel_says_to_it() {
    let mut process = Process::default();
    let id = process.socket(Domain::Inet, Kind::Datagram);
    process.receive(ServerMessage::Credit {
        socket: id,
        limit: 1 << 20,
    });
    let everybody = Address::Inet {
        ip: [10, 0, 0, 255].into(),
        port: 8888,
    };
    let send = |process: &mut Process<Vec<u8>>, token| {
        let attempt = process.attempt(MAIN, token, 0.0);
        process.send(&attempt, id, 8, &everybody, 0, Mode::Blocking)
    };
    let Ok(Step::Ready(first)) = send(&mut process, 0) else {
        panic!("nothing was sent")
    };
    let Load::Followed(ClientMessage::Sync { call }) = first.load else {
        panic!("{first:?}")
    };
    let errno = Errno::EACCES;
    process.receive(ServerMessage::Failed { socket: id, errno });
    let result = Ok(Reply::Nothing);
    process.receive(ServerMessage::Done { call, result });
    process.effects();
    let Step::Blocked(WaitId(token)) = first.then else {
        panic!("{first:?}")
    };
    assert_eq!(send(&mut process, token).err(), Some(Errno::EACCES));
}
