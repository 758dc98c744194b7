//! Whatever a process asks for, in whatever order: nothing panics, and every call is answered once.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use protocol::{
    Address, CallId, ClientMessage, Domain, Frame, Frames, HostName, Kind, LabId, ServerMessage,
    Shutdown, SocketId,
};

use super::{Outbox, Ready, Sockets};
use crate::client::Client;
use crate::config::NetworkKind;
use crate::lab::{Labs, Quotas};
use crate::metrics::Metrics;
use crate::network;
use crate::socket::Attention;

/// Something that a process does. Numbers of calls are given when it is done.
#[derive(Clone, Debug)]
enum Deed {
    Tell(ClientMessage),
    Write(SocketId, usize),
    Send(SocketId, Address, usize),
}

const NO_CALL: CallId = CallId(0);

/// Few sockets, so that deeds meet.
fn socket() -> impl Strategy<Value = SocketId> {
    (1u32..7).prop_map(SocketId)
}

/// Few ports, for the same reason.
fn address() -> impl Strategy<Value = Address> {
    let ip = prop::sample::select(vec![
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::new(10, 0, 0, 1),
        Ipv4Addr::new(10, 0, 0, 2),
        Ipv4Addr::BROADCAST,
    ]);
    prop_oneof![
        1 => Just(Address::Unspecified),
        1 => Just(Address::Unix(b"/tmp/x".to_vec())),
        8 => (ip, 40_000u16..40_003).prop_map(|(ip, port)| Address::Inet { ip, port }),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let kind = prop_oneof![Just(Kind::Stream), Just(Kind::Datagram)];
    let domain = prop_oneof![8 => Just(Domain::Inet), 1 => Just(Domain::Unix)];
    let how = prop_oneof![
        Just(Shutdown::Read),
        Just(Shutdown::Write),
        Just(Shutdown::Both)
    ];
    let call = NO_CALL;
    let told = prop_oneof![
        4 => (socket(), domain, kind)
            .prop_map(|(socket, domain, kind)| ClientMessage::Socket { socket, domain, kind }),
        4 => (socket(), address())
            .prop_map(move |(socket, address)| ClientMessage::Bind { call, socket, address }),
        4 => (socket(), 0u32..3)
            .prop_map(move |(socket, backlog)| ClientMessage::Listen { call, socket, backlog }),
        4 => (socket(), socket())
            .prop_map(move |(socket, accepted)| ClientMessage::Accept { call, socket, accepted }),
        8 => (socket(), address())
            .prop_map(move |(socket, address)| ClientMessage::Connect { call, socket, address }),
        2 => (socket(), how).prop_map(|(socket, how)| ClientMessage::Shutdown { socket, how }),
        1 => socket().prop_map(|socket| ClientMessage::Close { socket }),
        1 => socket().prop_map(|socket| ClientMessage::Abort { socket }),
        1 => socket().prop_map(move |socket| ClientMessage::Names { call, socket }),
        1 => (socket(), any::<i32>(), any::<i32>(), any::<u32>()).prop_map(
            move |(socket, level, name, length)| ClientMessage::GetOption {
                call, socket, level: level % 20, name: name % 50, length
            }),
        1 => (socket(), any::<i32>(), any::<i32>(), prop::collection::vec(any::<u8>(), 0..12))
            .prop_map(move |(socket, level, name, value)| ClientMessage::SetOption {
                call, socket, level: level % 20, name: name % 50, value
            }),
        2 => Just(ClientMessage::Sync { call }),
        2 => (socket(), any::<u64>())
            .prop_map(|(socket, limit)| ClientMessage::Credit { socket, limit }),
    ];
    prop_oneof![
        8 => told.prop_map(Deed::Tell),
        4 => (socket(), 0usize..65_536).prop_map(|(socket, length)| Deed::Write(socket, length)),
        4 => (socket(), address(), 0usize..65_507)
            .prop_map(|(socket, address, length)| Deed::Send(socket, address, length)),
    ]
}

/// Gives a call its number, if it is one.
fn number(message: &mut ClientMessage, next: u32) -> bool {
    match message {
        ClientMessage::Bind { call, .. }
        | ClientMessage::Listen { call, .. }
        | ClientMessage::Accept { call, .. }
        | ClientMessage::Connect { call, .. }
        | ClientMessage::Names { call, .. }
        | ClientMessage::GetOption { call, .. }
        | ClientMessage::SetOption { call, .. }
        | ClientMessage::Resolve { call, .. }
        | ClientMessage::Reverse { call, .. }
        | ClientMessage::Sync { call } => {
            *call = CallId(next);
            true
        }
        ClientMessage::Hello(_)
        | ClientMessage::Socket { .. }
        | ClientMessage::Shutdown { .. }
        | ClientMessage::Close { .. }
        | ClientMessage::Abort { .. }
        | ClientMessage::Credit { .. }
        | ClientMessage::Goodbye => false,
    }
}

/// Takes everything that was said, and counts the answers.
fn drain(outbox: &mut Outbox, answers: &mut BTreeMap<CallId, u32>) {
    loop {
        let chunk = outbox.chunk();
        let length = chunk.len();
        if length == 0 {
            return;
        }
        let header = match chunk[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        for frame in Frames::<ServerMessage>::new(&chunk[header..]) {
            if let Frame::Control(ServerMessage::Done { call, .. }) = frame.unwrap() {
                *answers.entry(call).or_default() += 1;
            }
        }
        outbox.advance(length);
    }
}

fn process() -> Sockets {
    let quotas = Quotas {
        labs: 1,
        hosts: 2,
        processes: 2,
        labs_per_client: 1,
        buffer: 1 << 30,
        life: Duration::ZERO,
        grace: Duration::ZERO,
    };
    let client = Client::from(IpAddr::from([192, 0, 2, 1]));
    let metrics = Metrics::default();
    let network = network::make(NetworkKind::Portable);
    let labs = Arc::new(Labs::new(network, quotas, metrics.clone()));
    let lab = LabId::new("abcdefghijklmnop").unwrap();
    let membership = labs
        .join(&lab, &HostName::new("desk").unwrap(), client)
        .unwrap();
    Sockets::new(membership, metrics, 4, Arc::new(Ready::default()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_call_is_answered_once_whatever_is_asked(deeds in prop::collection::vec(deed(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        let (mut sockets, mut outbox) = (process(), Outbox::default());
        let (mut asked, mut answers) = (Vec::new(), BTreeMap::new());
        for deed in deeds {
            while !sockets.is_open(&outbox) {
                sockets.attend(&mut outbox);
                drain(&mut outbox, &mut answers);
            }
            let bytes;
            let frame = match deed {
                Deed::Tell(mut message) => {
                    let next = u32::try_from(asked.len()).unwrap() + 1;
                    // Only a connect may wait, and so end unanswered with its process.
                    let waits = matches!(message, ClientMessage::Connect { .. });
                    if number(&mut message, next) {
                        asked.push((CallId(next), waits));
                    }
                    Frame::Control(message)
                }
                Deed::Write(socket, length) => {
                    bytes = vec![1; length];
                    Frame::Stream { socket, payload: &bytes }
                }
                Deed::Send(socket, address, length) => {
                    bytes = vec![2; length];
                    Frame::Datagram { socket, address, payload: &bytes }
                }
            };
            // A violation ends a process; here it goes on, to see that even that harms nothing.
            let accepts = matches!(frame, Frame::Control(ClientMessage::Accept { .. }));
            if sockets.handle(frame, &mut outbox).is_err() && accepts {
                asked.pop();
            }
            if sockets.attend(&mut outbox) == Attention::Again {
                drain(&mut outbox, &mut answers);
            }
        }
        sockets.close_all();
        while !sockets.is_open(&outbox) {
            sockets.attend(&mut outbox);
            drain(&mut outbox, &mut answers);
        }
        drain(&mut outbox, &mut answers);
        for (call, waits) in asked {
            let count = answers.remove(&call).unwrap_or(0);
            prop_assert!(count == 1 || waits && count == 0, "call {} was answered {count} times", call.0);
        }
        prop_assert!(answers.is_empty());
    }
}
