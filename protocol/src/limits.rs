//! Every size that relay and process must agree on.

/// The longest payload of one frame, in bytes: a datagram of the largest size with its address before it.
pub const MAX_PAYLOAD: usize = MAX_DATAGRAM + MAX_ADDRESS + 1;

/// The most stream bytes in one frame. Longer writes are cut, so that sockets can take turns.
pub const MAX_STREAM_FRAME: usize = 64 * 1024;

/// The largest payload of a UDP datagram over IPv4, in bytes: 65,535 less the IP and UDP headers (RFC 768, RFC 791).
pub const MAX_DATAGRAM: usize = 65_507;

/// The longest packet of IP, in bytes (RFC 791): what a raw socket sends and receives at most. Minor version 1 had no more
/// than [`MAX_DATAGRAM`].
pub const MAX_PACKET: usize = 65_535;

/// The longest encoded address, in bytes: a UNIX path of 108 bytes (unix(7)) and its framing.
pub const MAX_ADDRESS: usize = 120;

/// The most bytes of the encoded control messages of a datagram, so that one of the largest fits a frame with them: an IPv6
/// address takes at most 30.
pub const MAX_CONTROLS: usize = 88;
const _: () = assert!(MAX_DATAGRAM + 1 + 30 + 1 + MAX_CONTROLS <= MAX_PAYLOAD);

/// The largest WebSocket message, in bytes. A sender starts a new one before it would be exceeded.
pub const MAX_MESSAGE: usize = 1024 * 1024;

/// The credit in bytes that every socket has in each direction before anything was granted: two of the largest
/// datagrams. A window is renewed when half of it was used up, so what is left of a drained one always fits one.
pub const INITIAL_CREDIT: u64 = 2 * (MAX_DATAGRAM as u64 + DATAGRAM_COST);

/// The most credit in bytes that a receiver keeps open for one socket.
pub const MAX_WINDOW: u64 = 1024 * 1024;

/// The most credit in bytes beyond [`INITIAL_CREDIT`] that a receiver keeps open for all sockets of a process together.
pub const SESSION_WINDOW: u64 = 8 * 1024 * 1024;

/// What a datagram costs in credit beyond its payload, in bytes, so that empty ones are bounded too. See
/// [`datagram_cost`](crate::credit::datagram_cost).
pub const DATAGRAM_COST: u64 = 64;

/// The most sockets a process may have open, counted by the relay. A further one fails with `EMFILE`.
pub const MAX_SOCKETS: usize = 512;

/// The largest value of a socket option, in bytes.
pub const MAX_OPTION: usize = 256;

/// How many bytes of frames a receiver takes at most before it acknowledges them.
pub const ACK_EVERY: u64 = 256 * 1024;

/// The most bytes of frames that a process may owe an acknowledgement for. A relay that has sent so many sends no more
/// payload.
pub const MAX_UNACKED: usize = 2 * 1024 * 1024;

/// The longest name that can be resolved, in bytes (RFC 1035, section 2.3.4).
pub const MAX_NAME: usize = 255;

/// The longest path of a working directory or of a UNIX socket's node, in bytes (path_resolution(7): `PATH_MAX`).
pub const MAX_PATH: usize = 4096;

/// The longest path or abstract name of a UNIX socket, in bytes (unix(7)).
pub const MAX_UNIX_NAME: usize = 108;
