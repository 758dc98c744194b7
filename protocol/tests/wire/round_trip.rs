//! What is encoded is decoded, for every message and any mixture of frames.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use protocol::frame::{FrameKind, Header, encode_address, encode_controls, encode_message};
use protocol::limits::{MAX_DATAGRAM, MAX_STREAM_FRAME};
use protocol::{
    Act, Address, CallId, ClientMessage, Control, DecodeError, Domain, Errno, Frame, Frames, Hello,
    HostName, Kind, Limits, Patience, ProcessName, Refusal, Reply, Resume, ServerMessage, Session,
    Shutdown, SocketId, Token, Welcome,
};
use serde::{Serialize, de::DeserializeOwned};

fn call() -> impl Strategy<Value = CallId> {
    any::<u32>().prop_map(CallId)
}

fn socket() -> impl Strategy<Value = SocketId> {
    any::<u32>().prop_map(SocketId)
}

fn host() -> impl Strategy<Value = HostName> {
    "[a-z0-9-]{1,63}".prop_map(|name| HostName::new(name).unwrap())
}

fn errno() -> impl Strategy<Value = Errno> {
    any::<u16>().prop_map(Errno)
}

fn ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<Ipv4Addr>().prop_map(IpAddr::V4),
        any::<Ipv6Addr>().prop_map(IpAddr::V6),
    ]
}

/// Any address. A UNIX path has at most 108 bytes (unix(7)).
pub(crate) fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        Just(Address::Unspecified),
        any::<(Ipv4Addr, u16)>().prop_map(|(ip, port)| Address::Inet { ip, port }),
        any::<(Ipv6Addr, u16, u32, u32)>().prop_map(|(ip, port, flow, scope)| Address::Inet6 {
            ip,
            port,
            flow,
            scope
        }),
        prop::collection::vec(any::<u8>(), 0..=108).prop_map(Address::Unix),
    ]
}

fn hello() -> impl Strategy<Value = ClientMessage> {
    (any::<u16>(), host(), "[^\\pC]{1,64}").prop_map(|(minor, host, process)| {
        let process = ProcessName::new(process).unwrap();
        ClientMessage::Hello(Hello {
            minor,
            host,
            process,
        })
    })
}

/// Any message of a process.
pub(crate) fn client() -> impl Strategy<Value = ClientMessage> {
    use ClientMessage as C;
    let domain = prop::sample::select(vec![Domain::Inet, Domain::Inet6, Domain::Unix]);
    let kind = prop_oneof![
        prop::sample::select(vec![
            Kind::Stream,
            Kind::Datagram,
            Kind::Ping,
            Kind::UdpLite
        ]),
        any::<u8>().prop_map(|protocol| Kind::Raw { protocol }),
    ];
    let how = prop::sample::select(vec![Shutdown::Read, Shutdown::Write, Shutdown::Both]);
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    let option = || (call(), socket(), any::<i32>(), any::<i32>());
    let first = prop_oneof![
        hello(),
        (socket(), domain, kind).prop_map(|(socket, domain, kind)| C::Socket {
            socket,
            domain,
            kind
        }),
        (call(), socket(), address()).prop_map(|(call, socket, address)| C::Bind {
            call,
            socket,
            address
        }),
        (call(), socket(), any::<u32>()).prop_map(|(call, socket, backlog)| C::Listen {
            call,
            socket,
            backlog
        }),
        (call(), socket(), socket()).prop_map(|(call, socket, accepted)| C::Accept {
            call,
            socket,
            accepted
        }),
        (call(), socket(), address()).prop_map(|(call, socket, address)| C::Connect {
            call,
            socket,
            address
        }),
        (socket(), how).prop_map(|(socket, how)| C::Shutdown { socket, how }),
        socket().prop_map(|socket| C::Close { socket }),
    ];
    let second = prop_oneof![
        socket().prop_map(|socket| C::Abort { socket }),
        (call(), socket()).prop_map(|(call, socket)| C::Names { call, socket }),
        (option(), any::<u32>()).prop_map(|((call, socket, level, name), length)| {
            C::GetOption {
                call,
                socket,
                level,
                name,
                length,
            }
        }),
        (option(), bytes).prop_map(|((call, socket, level, name), value)| C::SetOption {
            call,
            socket,
            level,
            name,
            value
        }),
        (call(), any::<String>()).prop_map(|(call, name)| C::Resolve { call, name }),
        (call(), ip()).prop_map(|(call, ip)| C::Reverse { call, ip }),
        call().prop_map(|call| C::Sync { call }),
        (socket(), any::<u64>()).prop_map(|(socket, limit)| C::Credit { socket, limit }),
        Just(C::Goodbye),
        (any::<(u32, u32, u64)>(), token()).prop_map(|((pid, attempt, received), token)| {
            C::Resume(Resume {
                pid,
                token,
                attempt,
                received,
            })
        }),
        any::<u64>().prop_map(|received| C::Ack { received }),
    ];
    prop_oneof![first, second, unix_client()]
}

/// Any message of a process that is about UNIX sockets.
fn unix_client() -> impl Strategy<Value = ClientMessage> {
    use ClientMessage as C;
    let kind = prop::sample::select(vec![Kind::Stream, Kind::Datagram]);
    let path = || prop::collection::vec(any::<u8>(), 0..300);
    let act = prop_oneof![
        Just(Act::Look),
        Just(Act::Unlink),
        any::<u16>().prop_map(Act::Mode),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Act::Rename),
    ];
    let patience = prop::sample::select(vec![Patience::Wait, Patience::Now]);
    prop_oneof![
        (socket(), socket(), kind).prop_map(|(first, second, kind)| C::Pair {
            first,
            second,
            kind
        }),
        path().prop_map(|path| C::Directory { path }),
        (call(), path(), act).prop_map(|(call, path, act)| C::Node { call, path, act }),
        (call(), socket(), patience).prop_map(|(call, socket, patience)| C::Delivered {
            call,
            socket,
            patience
        }),
        (call(), path()).prop_map(|(call, path)| C::List { call, path }),
    ]
}

fn token() -> impl Strategy<Value = Token> {
    any::<[u8; 16]>().prop_map(Token)
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let addresses = prop::collection::vec(ip(), 0..5);
    let numbers = any::<(u16, u32, u32, u32)>();
    (addresses, numbers).prop_map(
        |(addresses, (minor, pid, sockets, silence_seconds))| Welcome {
            minor,
            pid,
            addresses,
            limits: Limits {
                sockets,
                silence_seconds,
            },
        },
    )
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        Just(Reply::Nothing),
        (address(), address()).prop_map(|(local, peer)| Reply::Names { local, peer }),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Reply::Option),
        prop::collection::vec(ip(), 0..5).prop_map(Reply::Hosts),
        prop::option::of(host()).prop_map(Reply::HostName),
        any::<(u64, u16, u64)>().prop_map(|(inode, mode, made)| Reply::Node { inode, mode, made }),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..5)
            .prop_map(Reply::Entries),
    ]
}

/// Any message of the relay.
pub(crate) fn server() -> impl Strategy<Value = ServerMessage> {
    use ServerMessage as S;
    let refusal = prop_oneof![
        Just(Refusal::NoHello),
        any::<String>().prop_map(Refusal::Protocol),
        any::<String>().prop_map(Refusal::Full),
        any::<u32>().prop_map(Refusal::Silent),
        Just(Refusal::Shutdown),
        Just(Refusal::Gone),
    ];
    let result = prop_oneof![reply().prop_map(Ok), errno().prop_map(Err)];
    prop_oneof![
        welcome().prop_map(S::Welcome),
        refusal.prop_map(S::Refused),
        (call(), result).prop_map(|(call, result)| S::Done { call, result }),
        socket().prop_map(|socket| S::Acceptable { socket }),
        socket().prop_map(|socket| S::Finished { socket }),
        (socket(), errno()).prop_map(|(socket, errno)| S::Failed { socket, errno }),
        (socket(), any::<u64>()).prop_map(|(socket, limit)| S::Credit { socket, limit }),
        (token(), any::<u32>()).prop_map(|(token, grace_seconds)| {
            S::Session(Session {
                token,
                grace_seconds,
            })
        }),
        any::<u64>().prop_map(|received| S::Resumed { received }),
        any::<u64>().prop_map(|received| S::Ack { received }),
        socket().prop_map(|socket| S::HungUp { socket }),
    ]
}

/// A frame that owns its payload.
#[derive(Clone, Debug)]
pub(crate) enum Owned<M> {
    Control(M),
    Stream(SocketId, Vec<u8>),
    Datagram(SocketId, Address, Vec<u8>),
    Urgent(SocketId, [u8; 1]),
    /// A datagram with control messages.
    Message(SocketId, Address, Vec<Control>, Vec<u8>),
}

fn controls() -> impl Strategy<Value = Vec<Control>> {
    let value = prop::collection::vec(any::<u8>(), 0..20);
    let control = (any::<i32>(), any::<i32>(), value);
    let control = control.prop_map(|(level, kind, value)| Control { level, kind, value });
    prop::collection::vec(control, 0..3)
}

/// Any frame around this kind of message.
pub(crate) fn frame<M: Debug + Clone>(
    message: impl Strategy<Value = M>,
) -> impl Strategy<Value = Owned<M>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..2000);
    prop_oneof![
        message.prop_map(Owned::Control),
        (socket(), bytes()).prop_map(|(socket, bytes)| Owned::Stream(socket, bytes)),
        (socket(), address(), bytes())
            .prop_map(|(socket, address, bytes)| Owned::Datagram(socket, address, bytes)),
        (socket(), any::<[u8; 1]>()).prop_map(|(socket, byte)| Owned::Urgent(socket, byte)),
        (socket(), address(), controls(), bytes()).prop_map(
            |(socket, address, controls, bytes)| Owned::Message(socket, address, controls, bytes)
        ),
    ]
}

impl<M: Serialize> Owned<M> {
    /// Appends the frame as a sender writes it.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let (kind, socket, prefix, payload) = match self {
            Self::Control(message) => return encode_message(message, out),
            Self::Stream(socket, payload) => (FrameKind::Stream, *socket, Vec::new(), &payload[..]),
            Self::Urgent(socket, byte) => (FrameKind::Urgent, *socket, Vec::new(), &byte[..]),
            Self::Datagram(socket, address, payload) => {
                let mut prefix = Vec::new();
                encode_address(address, &mut prefix);
                (FrameKind::Datagram, *socket, prefix, &payload[..])
            }
            Self::Message(socket, address, controls, payload) => {
                let mut prefix = Vec::new();
                encode_address(address, &mut prefix);
                assert!(encode_controls(controls, &mut prefix));
                (FrameKind::Message, *socket, prefix, &payload[..])
            }
        };
        let length = prefix.len() + payload.len();
        let header = Header {
            kind,
            length,
            socket,
        };
        out.extend(header.encode());
        out.extend(prefix);
        out.extend(payload);
    }
}

impl<M: PartialEq> PartialEq<Frame<'_, M>> for Owned<M> {
    fn eq(&self, read: &Frame<'_, M>) -> bool {
        match (self, read) {
            (Self::Control(sent), Frame::Control(came)) => sent == came,
            (Self::Stream(number, bytes), Frame::Stream { socket, payload }) => {
                number == socket && bytes == payload
            }
            (Self::Urgent(number, [sent]), Frame::Urgent { socket, byte }) => {
                number == socket && sent == byte
            }
            (
                Self::Datagram(number, peer, bytes),
                Frame::Datagram {
                    socket,
                    address,
                    payload,
                },
            ) => number == socket && peer == address && bytes == payload,
            (
                Self::Message(number, peer, beside, bytes),
                Frame::Message {
                    socket,
                    address,
                    controls,
                    payload,
                },
            ) => (number, peer, beside) == (socket, address, controls) && bytes == payload,
            _ => false,
        }
    }
}

fn check<M: Serialize + DeserializeOwned + PartialEq + Debug>(
    frames: &[Owned<M>],
) -> Result<(), TestCaseError> {
    let mut bytes = Vec::new();
    for frame in frames {
        frame.encode(&mut bytes);
    }
    let read: Vec<_> = Frames::<M>::new(&bytes).collect();
    prop_assert_eq!(read.len(), frames.len());
    for (sent, came) in frames.iter().zip(read) {
        let came = came.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(*sent == came, "sent {sent:?}, read {came:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_process_is_understood(frames in prop::collection::vec(frame(client()), 0..12)) {
        check(&frames)?;
    }

    #[test]
    fn the_relay_is_understood(frames in prop::collection::vec(frame(server()), 0..12)) {
        check(&frames)?;
    }

    #[test]
    fn a_message_cut_short_says_so(frame in frame(client()), cut in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        bytes.truncate(1 + cut.index(bytes.len() - 1));
        let read: Vec<_> = Frames::<ClientMessage>::new(&bytes).collect();
        prop_assert_eq!(read, [Err(DecodeError::Truncated)]);
    }
}

#[test]
fn the_longest_frames_go_through() {
    let longest = Address::Unix(vec![b'x'; 108]);
    let frames: Vec<Owned<ClientMessage>> = vec![
        Owned::Stream(SocketId(1), vec![7; MAX_STREAM_FRAME]),
        Owned::Datagram(SocketId(2), longest, vec![8; MAX_DATAGRAM]),
    ];
    check(&frames).unwrap();
}
