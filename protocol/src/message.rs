//! The control messages.
//!
//! A process sends [`ClientMessage`]s, the relay [`ServerMessage`]s. Calls that can fail late carry a [`CallId`] and
//! are answered by one [`ServerMessage::Done`]; the others are not answered. The relay works through a process's
//! frames strictly in their order, and answers an instant call before it reads anything later from that process.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::event::{Report, Watch};
use crate::{Address, CallId, Errno, HostName, ProcessName, SocketId, Token};

/// The family of a socket (address_families(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Domain {
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`.
    Inet6,
    /// `AF_UNIX`.
    Unix,
}

/// The type of a socket (socket(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// `SOCK_STREAM`.
    Stream,
    /// `SOCK_DGRAM`.
    Datagram,
    /// `SOCK_RAW` of an IP protocol (raw(7)). From minor version 1.
    Raw {
        /// The protocol's number in the IP header; 255 is `IPPROTO_RAW`.
        protocol: u8,
    },
    /// `SOCK_DGRAM` of ICMP, of the family's version (icmp(7)). From minor version 1.
    Ping,
    /// `SOCK_DGRAM` of UDP-Lite (udplite(7)). From minor version 1.
    UdpLite,
}

impl Kind {
    /// Whether each send is one message with an address of its own.
    pub fn has_datagrams(self) -> bool {
        match self {
            Self::Stream => false,
            Self::Datagram | Self::Raw { .. } | Self::Ping | Self::UdpLite => true,
        }
    }

    /// The type's number (socket(2)).
    pub fn number(self) -> i32 {
        match self {
            Self::Stream => 1,
            Self::Datagram | Self::Ping | Self::UdpLite => 2,
            Self::Raw { .. } => 3,
        }
    }
}

/// Which halves of a connection to shut down (shutdown(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Shutdown {
    /// `SHUT_RD`.
    Read,
    /// `SHUT_WR`: the peer reads to the end and then sees end of file.
    Write,
    /// `SHUT_RDWR`.
    Both,
}

/// Who a process is. Its first message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The sender's [`crate::MINOR_VERSION`].
    pub minor: u16,
    /// The host of the lab that the process runs on. It is made on first use.
    pub host: HostName,
    /// What people call the process.
    pub process: ProcessName,
}

/// What a process may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The most sockets open at a time.
    pub sockets: u32,
    /// After how many seconds without a sign of life, pongs included, the relay ends the process.
    pub silence_seconds: u32,
}

/// The relay's answer to [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The relay's [`crate::MINOR_VERSION`].
    pub minor: u16,
    /// The process id on its host: unique in the lab, and what `os.getpid()` returns.
    pub pid: u32,
    /// The addresses of the process's host in its lab, without its loopback.
    pub addresses: Vec<IpAddr>,
    /// What the process may use.
    pub limits: Limits,
}

/// How a process shows that it may resume its session. The first message on a further connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The process, as [`Welcome`] called it.
    pub pid: u32,
    /// What [`Session`] gave it.
    pub token: Token,
    /// How often it has tried to, this time included. Of several connections the one of the latest try is the session's,
    /// in whatever order they come in.
    pub attempt: u32,
    /// How many bytes of frames of this session the process has received.
    pub received: u64,
}

/// What a process needs to resume its session when the connection is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What proves that it is the same process.
    pub token: Token,
    /// For how many seconds the relay keeps the sockets of a process whose connection is lost.
    pub grace_seconds: u32,
}

/// What a process asks of the relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// The first message, once.
    Hello(Hello),
    /// Make a socket. Not answered; a failure shows in the first call on it.
    Socket {
        /// The new socket's number.
        socket: SocketId,
        /// Its family.
        domain: Domain,
        /// Its type.
        kind: Kind,
    },
    /// bind(2). Answered with [`Reply::Names`].
    Bind {
        /// The call.
        call: CallId,
        /// The socket.
        socket: SocketId,
        /// Where to.
        address: Address,
    },
    /// listen(2). Answered with [`Reply::Names`]: an unbound socket gets a port.
    Listen {
        /// The call.
        call: CallId,
        /// The socket.
        socket: SocketId,
        /// The most connections that may wait.
        backlog: u32,
    },
    /// accept(2) without waiting: [`Reply::Names`], or `EAGAIN` if no connection waits.
    Accept {
        /// The call.
        call: CallId,
        /// The listening socket.
        socket: SocketId,
        /// The new socket's number, used up only if the call succeeds.
        accepted: SocketId,
    },
    /// connect(2). Answered when the connection stands or has failed, with [`Reply::Names`].
    Connect {
        /// The call.
        call: CallId,
        /// The socket.
        socket: SocketId,
        /// Where to. [`Address::Unspecified`] dissolves a datagram socket's association.
        address: Address,
    },
    /// shutdown(2), in order with the data before it. Not answered.
    Shutdown {
        /// The socket.
        socket: SocketId,
        /// Which halves.
        how: Shutdown,
    },
    /// close(2): what was sent before is still delivered. Not answered.
    Close {
        /// The socket.
        socket: SocketId,
    },
    /// close(2) with unread data: the connection is reset, as Linux does (RFC 1122, section 4.2.2.13). Not answered.
    Abort {
        /// The socket.
        socket: SocketId,
    },
    /// getsockname(2) and getpeername(2). Answered with [`Reply::Names`].
    Names {
        /// The call.
        call: CallId,
        /// The socket.
        socket: SocketId,
    },
    /// getsockopt(2). Answered with [`Reply::Option`], or `ENOPROTOOPT` for an option that is not allowed.
    GetOption {
        /// The call.
        call: CallId,
        /// The socket.
        socket: SocketId,
        /// The level, in Linux's numbers.
        level: i32,
        /// The option, in Linux's numbers.
        name: i32,
        /// How many bytes the program has room for.
        length: u32,
    },
    /// setsockopt(2). Answered with [`Reply::Nothing`].
    SetOption {
        /// The call.
        call: CallId,
        /// The socket.
        socket: SocketId,
        /// The level, in Linux's numbers.
        level: i32,
        /// The option, in Linux's numbers.
        name: i32,
        /// The value, in Linux's layout, little-endian.
        value: Vec<u8>,
    },
    /// Look up a host name in the lab. Answered with [`Reply::Hosts`], empty if there is none.
    Resolve {
        /// The call.
        call: CallId,
        /// The name.
        name: String,
    },
    /// Look up the name of an address in the lab. Answered with [`Reply::HostName`].
    Reverse {
        /// The call.
        call: CallId,
        /// The address.
        ip: IpAddr,
    },
    /// Report everything that can be reported now: read every socket within its credit and look at every listener,
    /// then answer with [`Reply::Nothing`]. What a poll with a zero time-out needs to be exact.
    Sync {
        /// The call.
        call: CallId,
    },
    /// The relay may send on this socket up to this offset.
    Credit {
        /// The socket.
        socket: SocketId,
        /// Bytes since the socket was made, datagrams with their [cost](crate::limits::DATAGRAM_COST).
        limit: u64,
    },
    /// The program has ended: close every socket, delivering what was sent. The last message.
    Goodbye,
    /// The first message on a further connection: go on where the last one was lost.
    Resume(Resume),
    /// So many bytes of frames of this session have arrived.
    Ack {
        /// Bytes since the session began.
        received: u64,
    },
    /// What a process that is [watched](ServerMessage::Watch) has called. Not answered. From minor version 1.
    Report(Report),
    /// socketpair(2): make two UNIX sockets that are connected with each other. Not answered; a failure shows in the
    /// first call on them.
    Pair {
        /// The first socket's number.
        first: SocketId,
        /// The second socket's number.
        second: SocketId,
        /// Their type.
        kind: Kind,
    },
    /// The process's working directory, which relative paths of UNIX sockets begin at. Not answered; `/` at first.
    Directory {
        /// Its absolute path.
        path: Vec<u8>,
    },
    /// Look at the path of a UNIX socket, or change it. Answered with [`Reply::Node`], as it was before the change, or
    /// `ENOENT`.
    Node {
        /// The call.
        call: CallId,
        /// The path.
        path: Vec<u8>,
        /// What to do with it.
        act: Act,
    },
    /// Answered when the kernel has taken everything that was sent on this UNIX datagram socket: [`Reply::Nothing`], or
    /// why the last datagram was not taken.
    Delivered {
        /// The call.
        call: CallId,
        /// The socket.
        socket: SocketId,
        /// What happens if the receiver has no room.
        patience: Patience,
    },
    /// Which UNIX sockets lie in a directory. Answered with [`Reply::Entries`].
    List {
        /// The call.
        call: CallId,
        /// The directory's path.
        path: Vec<u8>,
    },
}

impl ClientMessage {
    /// Whether the frame of this message counts among those of the session. What only concerns one connection does not.
    pub fn is_counted(&self) -> bool {
        !matches!(self, Self::Hello(_) | Self::Resume(_) | Self::Ack { .. })
    }
}

/// What to do with the path of a UNIX socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Act {
    /// stat(2).
    Look,
    /// unlink(2): the path is free again; its socket lives on.
    Unlink,
    /// chmod(2), with the permission bits.
    Mode(u16),
    /// rename(2), to this path, whatever UNIX socket had it.
    Rename(Vec<u8>),
}

/// What happens to a datagram whose receiver has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Patience {
    /// It waits.
    Wait,
    /// It is dropped, and `EAGAIN` says so.
    Now,
}

/// What a call brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Nothing but success.
    Nothing,
    /// The socket's two addresses after the call.
    Names {
        /// Its own, as getsockname(2) tells it.
        local: Address,
        /// Its peer's, as getpeername(2) tells it.
        peer: Address,
    },
    /// An option's value, in Linux's layout, little-endian.
    Option(Vec<u8>),
    /// The addresses of a name.
    Hosts(Vec<IpAddr>),
    /// The name of an address.
    HostName(Option<HostName>),
    /// The path of a UNIX socket, as stat(2) tells of it.
    Node {
        /// Its number, which no other path of the host has or had.
        inode: u64,
        /// Its permission bits.
        mode: u16,
        /// When it was made, in seconds since 1970.
        made: u64,
    },
    /// The names in a directory.
    Entries(Vec<Vec<u8>>),
}

/// What the relay tells a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// The first message, once: the process runs.
    Welcome(Welcome),
    /// The last message: the process was ended, or never began.
    Refused(Refusal),
    /// A call is done.
    Done {
        /// The call.
        call: CallId,
        /// What it brought, or why not.
        result: Result<Reply, Errno>,
    },
    /// A connection waits at this listener. Said once until the next [`ClientMessage::Accept`] on it was answered.
    Acceptable {
        /// The listening socket.
        socket: SocketId,
    },
    /// The peer has sent everything (a FIN came): after the data before this comes the end of file.
    Finished {
        /// The socket.
        socket: SocketId,
    },
    /// The socket has failed, as `SO_ERROR` would tell it: a reset, a time-out, an ICMP error.
    Failed {
        /// The socket.
        socket: SocketId,
        /// Why.
        errno: Errno,
    },
    /// The process may send on this socket up to this offset.
    Credit {
        /// The socket.
        socket: SocketId,
        /// Bytes since the socket was made, datagrams with their [cost](crate::limits::DATAGRAM_COST).
        limit: u64,
    },
    /// After [`ServerMessage::Welcome`]: how the session can be resumed.
    Session(Session),
    /// The answer to [`ClientMessage::Resume`]: the session goes on.
    Resumed {
        /// How many bytes of frames of this session the relay has received.
        received: u64,
    },
    /// So many bytes of frames of this session have arrived.
    Ack {
        /// Bytes since the session began.
        received: u64,
    },
    /// Whether the process is to report its calls from now on. From minor version 1.
    Watch(Watch),
    /// The peer of a UNIX stream is gone in both directions: sending fails from now on. What it sent before still comes.
    HungUp {
        /// The socket.
        socket: SocketId,
    },
}

impl ServerMessage {
    /// Whether the frame of this message counts among those of the session. What only concerns one connection does not.
    pub fn is_counted(&self) -> bool {
        !matches!(
            self,
            Self::Welcome(_)
                | Self::Refused(_)
                | Self::Session(_)
                | Self::Resumed { .. }
                | Self::Ack { .. }
        )
    }
}

/// Why the relay ends a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// The handshake did not come first, or not in time.
    #[error("the connection did not begin with a hello")]
    NoHello,
    /// A frame could not be read or came out of order.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// A quota of the relay is used up.
    #[error("the relay is full: {0}")]
    Full(String),
    /// Nothing was heard from the process for too long.
    #[error("nothing was heard from the process for {0} seconds")]
    Silent(u32),
    /// The relay is stopping.
    #[error("the relay is shutting down")]
    Shutdown,
    /// The program has done nothing with its sockets for too long. From minor version 1.
    #[error("the program has done nothing with its sockets for {0} seconds")]
    Idle(u32),
    /// The lab has existed for as long as labs may. From minor version 1.
    #[error("the time of this lab is up: it is {0} seconds old")]
    Expired(u32),
    /// Somebody has ended the lab. From minor version 1.
    #[error("this lab was ended")]
    Revoked,
    /// There is no such process to resume.
    #[error("the relay no longer has this process")]
    Gone,
}
