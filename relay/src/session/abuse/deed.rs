//! What a process may do, sensible or not.

use std::net::Ipv4Addr;

use proptest::prelude::*;
use protocol::{
    Act, Address, CallId, ClientMessage, Control, Domain, Kind, Patience, Shutdown, SocketId,
};

/// Something that a process does. Numbers of calls are given when it is done.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// It says this.
    Tell(ClientMessage),
    /// It sends this many bytes on a stream.
    Write(SocketId, usize),
    /// It sends an urgent byte on a stream.
    Urge(SocketId),
    /// It sends a datagram of this many bytes.
    Send(SocketId, Address, usize),
    /// A datagram of so many bytes with a control message.
    Enclose(SocketId, Address, Control, usize),
}

/// Stands where a number of a call will be.
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
        Ipv4Addr::new(10, 0, 0, 3),
        Ipv4Addr::BROADCAST,
    ]);
    prop_oneof![
        1 => Just(Address::Unspecified),
        2 => unix_name().prop_map(Address::Unix),
        8 => (ip, 40_000u16..40_003).prop_map(|(ip, port)| Address::Inet { ip, port }),
    ]
}

fn unix_name() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(vec![&b""[..], b"/tmp/x", b"x", b"\0x"]).prop_map(<[u8]>::to_vec)
}

/// What a process does with UNIX sockets only.
fn unix_deed() -> impl Strategy<Value = ClientMessage> {
    let kind = prop_oneof![Just(Kind::Stream), Just(Kind::Datagram)];
    let act = prop_oneof![
        Just(Act::Look),
        Just(Act::Unlink),
        Just(Act::Mode(0o600)),
        Just(Act::Rename(b"/tmp/b".to_vec()))
    ];
    let patience = prop_oneof![Just(Patience::Wait), Just(Patience::Now)];
    let call = NO_CALL;
    prop_oneof![
        (socket(), socket(), kind).prop_map(|(first, second, kind)| ClientMessage::Pair {
            first,
            second,
            kind
        }),
        unix_name().prop_map(|path| ClientMessage::Directory { path }),
        (unix_name(), act).prop_map(move |(path, act)| ClientMessage::Node { call, path, act }),
        unix_name().prop_map(move |path| ClientMessage::List { call, path }),
        (socket(), patience).prop_map(move |(socket, patience)| ClientMessage::Delivered {
            call,
            socket,
            patience
        }),
    ]
}

/// Anything at all.
pub(super) fn deed() -> impl Strategy<Value = Deed> {
    let kind = prop_oneof![
        4 => Just(Kind::Stream),
        4 => Just(Kind::Datagram),
        1 => any::<u8>().prop_map(|protocol| Kind::Raw { protocol }),
        1 => Just(Kind::Ping),
        1 => Just(Kind::UdpLite),
    ];
    let domain = prop_oneof![8 => Just(Domain::Inet), 4 => Just(Domain::Unix)];
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
        4 => unix_deed(),
        2 => Just(ClientMessage::Sync { call }),
        1 => prop::sample::select(vec!["desk", "bob", "localhost", "nobody", ""])
            .prop_map(move |name| ClientMessage::Resolve { call, name: name.to_owned() }),
        1 => any::<[u8; 4]>()
            .prop_map(move |ip| ClientMessage::Reverse { call, ip: Ipv4Addr::from(ip).into() }),
        2 => (socket(), any::<u64>())
            .prop_map(|(socket, limit)| ClientMessage::Credit { socket, limit }),
    ];
    prop_oneof![
        8 => told.prop_map(Deed::Tell),
        2 => socket().prop_map(Deed::Urge),
        4 => (socket(), 0usize..65_536).prop_map(|(socket, length)| Deed::Write(socket, length)),
        4 => (socket(), address(), 0usize..65_507)
            .prop_map(|(socket, address, length)| Deed::Send(socket, address, length)),
        4 => (socket(), address(), control(), 0usize..65_507)
            .prop_map(|(socket, address, control, length)| {
                Deed::Enclose(socket, address, control, length)
            }),
    ]
}

fn control() -> impl Strategy<Value = Control> {
    let level = prop::sample::select(vec![0, 1, 41, 6]);
    let value = prop::collection::vec(any::<u8>(), 0..24);
    (level, 0..70, value).prop_map(|(level, kind, value)| Control { level, kind, value })
}

/// Gives a call its number, if it is one.
pub(super) fn number(message: &mut ClientMessage, next: u32) -> bool {
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
        | ClientMessage::Node { call, .. }
        | ClientMessage::List { call, .. }
        | ClientMessage::Delivered { call, .. }
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
        | ClientMessage::Report(_)
        | ClientMessage::Pair { .. }
        | ClientMessage::Directory { .. }
        | ClientMessage::Goodbye
        | ClientMessage::Resume(_)
        | ClientMessage::Ack { .. } => false,
    }
}
