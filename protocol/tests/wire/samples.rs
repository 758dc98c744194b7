//! One message of every kind, with values that make the encoding visible.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use protocol::event::{Call, CallReport, Card, Direction, Event, Outcome, Record, Report, Watch};
use protocol::{
    Act, Address, CallId, ClientMessage, Domain, Errno, Hello, HostName, Kind, Limits, Patience,
    ProcessName, Refusal, Reply, Resume, ServerMessage, Session, Shutdown, SocketId, Token,
    Welcome,
};

const CALL: CallId = CallId(1);
const SOCKET: SocketId = SocketId(3);
const TOKEN: Token = Token(*b"0123456789abcdef");

fn desk() -> HostName {
    HostName::new("desk").unwrap()
}

fn inet() -> Address {
    Address::Inet {
        ip: Ipv4Addr::LOCALHOST,
        port: 8888,
    }
}

/// Every variant of [`Address`].
pub(crate) fn addresses() -> Vec<Address> {
    vec![
        Address::Unspecified,
        inet(),
        Address::Inet6 {
            ip: Ipv6Addr::LOCALHOST,
            port: 8888,
            flow: 0x12345,
            scope: 2,
        },
        Address::Unix(b"\0lab".to_vec()),
    ]
}

/// Every variant of [`ClientMessage`], and of the types inside.
pub(crate) fn client() -> Vec<ClientMessage> {
    let socket = |domain, kind| ClientMessage::Socket {
        socket: SOCKET,
        domain,
        kind,
    };
    let shutdown = |how| ClientMessage::Shutdown {
        socket: SOCKET,
        how,
    };
    let node = |act| ClientMessage::Node {
        call: CALL,
        path: b"/tmp/s".to_vec(),
        act,
    };
    let delivered = |patience| ClientMessage::Delivered {
        call: CALL,
        socket: SOCKET,
        patience,
    };
    vec![
        ClientMessage::Hello(Hello {
            minor: 0,
            host: desk(),
            process: ProcessName::new("服务器").unwrap(),
        }),
        socket(Domain::Inet, Kind::Stream),
        socket(Domain::Inet6, Kind::Datagram),
        socket(Domain::Unix, Kind::Stream),
        socket(Domain::Inet, Kind::Raw { protocol: 1 }),
        socket(Domain::Inet6, Kind::Ping),
        socket(Domain::Inet, Kind::UdpLite),
        ClientMessage::Bind {
            call: CALL,
            socket: SOCKET,
            address: inet(),
        },
        ClientMessage::Listen {
            call: CALL,
            socket: SOCKET,
            backlog: 128,
        },
        ClientMessage::Accept {
            call: CALL,
            socket: SOCKET,
            accepted: SocketId(4),
        },
        ClientMessage::Connect {
            call: CALL,
            socket: SOCKET,
            address: inet(),
        },
        shutdown(Shutdown::Read),
        shutdown(Shutdown::Write),
        shutdown(Shutdown::Both),
        ClientMessage::Close { socket: SOCKET },
        ClientMessage::Abort { socket: SOCKET },
        ClientMessage::Names {
            call: CALL,
            socket: SOCKET,
        },
        ClientMessage::GetOption {
            call: CALL,
            socket: SOCKET,
            level: 1,
            name: 2,
            length: 4,
        },
        ClientMessage::SetOption {
            call: CALL,
            socket: SOCKET,
            level: 1,
            name: -2,
            value: vec![1, 0, 0, 0],
        },
        ClientMessage::Resolve {
            call: CALL,
            name: "bob".into(),
        },
        ClientMessage::Reverse {
            call: CALL,
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        },
        ClientMessage::Sync { call: CALL },
        ClientMessage::Credit {
            socket: SOCKET,
            limit: 131_072,
        },
        ClientMessage::Goodbye,
        ClientMessage::Resume(Resume {
            pid: 1000,
            token: TOKEN,
            attempt: 2,
            received: 300,
        }),
        ClientMessage::Ack { received: 300 },
        ClientMessage::Report(Report {
            calls: vec![CallReport {
                socket: SOCKET,
                call: Call::Accept,
                ago: 1500,
                micros: 2_000_000,
                result: -11,
            }],
            missed: 7,
        }),
        ClientMessage::Pair {
            first: SOCKET,
            second: SocketId(4),
            kind: Kind::Stream,
        },
        ClientMessage::Directory {
            path: b"/home".to_vec(),
        },
        node(Act::Look),
        node(Act::Unlink),
        node(Act::Mode(0o600)),
        node(Act::Rename(b"/tmp/t".to_vec())),
        delivered(Patience::Wait),
        delivered(Patience::Now),
        ClientMessage::List {
            call: CALL,
            path: b"/tmp".to_vec(),
        },
    ]
}

/// Every variant of [`ServerMessage`], and of the types inside.
pub(crate) fn server() -> Vec<ServerMessage> {
    let done = |result| ServerMessage::Done { call: CALL, result };
    vec![
        ServerMessage::Welcome(Welcome {
            minor: 0,
            pid: 1000,
            addresses: vec![IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))],
            limits: Limits {
                sockets: 512,
                silence_seconds: 30,
            },
        }),
        ServerMessage::Refused(Refusal::NoHello),
        ServerMessage::Refused(Refusal::Protocol("why".into())),
        ServerMessage::Refused(Refusal::Full("processes".into())),
        ServerMessage::Refused(Refusal::Silent(30)),
        ServerMessage::Refused(Refusal::Shutdown),
        ServerMessage::Refused(Refusal::Idle(7200)),
        ServerMessage::Refused(Refusal::Expired(86_400)),
        ServerMessage::Refused(Refusal::Revoked),
        ServerMessage::Refused(Refusal::Gone),
        done(Ok(Reply::Nothing)),
        done(Ok(Reply::Names {
            local: inet(),
            peer: Address::Unspecified,
        })),
        done(Ok(Reply::Option(vec![1, 0, 0, 0]))),
        done(Ok(Reply::Hosts(vec![IpAddr::V6(Ipv6Addr::LOCALHOST)]))),
        done(Ok(Reply::HostName(Some(desk())))),
        done(Ok(Reply::Node {
            inode: 300,
            mode: 0o755,
            made: 1_800_000_000,
        })),
        done(Ok(Reply::Entries(vec![b"a".to_vec(), b"b.sock".to_vec()]))),
        done(Err(Errno::ECONNREFUSED)),
        ServerMessage::Acceptable { socket: SOCKET },
        ServerMessage::Finished { socket: SOCKET },
        ServerMessage::Failed {
            socket: SOCKET,
            errno: Errno::ECONNRESET,
        },
        ServerMessage::Credit {
            socket: SOCKET,
            limit: 131_072,
        },
        ServerMessage::Session(Session {
            token: TOKEN,
            grace_seconds: 15,
        }),
        ServerMessage::Resumed { received: 300 },
        ServerMessage::Ack { received: 300 },
        ServerMessage::Watch(Watch::On),
        ServerMessage::Watch(Watch::Off),
        ServerMessage::HungUp { socket: SOCKET },
    ]
}

/// Every variant of [`Event`].
pub(crate) fn records() -> Vec<Record> {
    let events = [
        Event::Anchor {
            unix_micros: 1_800_000_000_000_000,
        },
        Event::Missed { count: 300 },
        Event::Started {
            pid: 1000,
            host: desk(),
            name: ProcessName::new("server.py").unwrap(),
        },
        Event::Exited {
            pid: 1000,
            reason: Some("why".into()),
        },
        Event::Called {
            pid: 1000,
            socket: SOCKET,
            call: Call::Connect,
            micros: 250,
            result: -111,
            address: inet(),
        },
        Event::Carried {
            pid: 1000,
            socket: SOCKET,
            direction: Direction::Received,
            bytes: 5,
            address: Address::Unspecified,
            preview: b"hello".to_vec(),
        },
        Event::Packet {
            number: 300,
            host: desk(),
            card: Card::Ethernet,
            length: 74,
            bytes: vec![2, 0, 10],
        },
        Event::LeftOut {
            host: Some(desk()),
            count: 300,
        },
        Event::Unrecorded {
            reason: "why".into(),
        },
    ];
    let outcomes = [
        Outcome::Passed,
        Outcome::Delayed { until: 300 },
        Outcome::Lost,
        Outcome::Corrupted { bit: 300 },
        Outcome::Doubled,
        Outcome::Held,
        Outcome::QueueFull,
        Outcome::Crowded,
        Outcome::CableDown,
        Outcome::Refused,
    ];
    let fates = outcomes.map(|outcome| Event::Fate {
        packet: 300,
        host: desk(),
        direction: Direction::Sent,
        outcome,
    });
    let at = (0..).map(|second| second * 1_000_000);
    at.zip(events.into_iter().chain(fates))
        .map(|(at, event)| Record { at, event })
        .collect()
}
