//! What the relay and a process say to each other.
//!
//! A process is one WebSocket with the subprotocol [`SUBPROTOCOL`]. Every binary WebSocket message is a sequence of
//! [frames](frame); a frame is either one control message ([`ClientMessage`], [`ServerMessage`]) or the raw payload of
//! one socket. This crate holds the types, their encoding and the credit arithmetic that both sides must agree on. It
//! has no I/O, no clock and no opinion about sockets, so it builds for the relay and for the browser alike.
//! `PROTOCOL.md` describes the same in prose.
//!
//! # Layout
//!
//! - [`limits`]: every size both sides must agree on.
//! - [`ids`]: the names of labs, hosts, processes, sockets and calls.
//! - [`errno`]: Linux error numbers.
//! - [`address`]: what a socket can be bound or connected to.
//! - [`control`]: what goes with a datagram beside its bytes.
//! - [`message`]: the control messages.
//! - [`frame`]: how messages and payload lie in a WebSocket message.
//! - [`event`]: what happens in a lab, for those who watch.
//! - [`credit`]: how much each side may send.
//! - [`resume`]: what each side knows of the other, so that a lost connection can be resumed.

#![forbid(unsafe_code)]
// A peer chooses every byte that is read here, so nothing may be done that panics on some of them. `unwrap` and `expect` are
// out in the whole workspace; an exception from these says why no peer can bring it about.
#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unimplemented,
        clippy::unreachable
    )
)]

pub mod address;
pub mod control;
pub mod credit;
pub mod errno;
pub mod event;
#[cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
pub mod frame;
pub mod ids;
pub mod limits;
pub mod message;
pub mod resume;

pub use address::Address;
pub use control::Control;
pub use credit::{ReceiveWindow, SendWindow};
pub use errno::Errno;
pub use frame::{DecodeError, Frame, Frames};
pub use ids::{CallId, HostName, LabId, ProcessName, SocketId};
pub use message::{
    Act, ClientMessage, Domain, Hello, Kind, Limits, Patience, Refusal, Reply, Resume,
    ServerMessage, Session, Shutdown, Welcome,
};
pub use resume::{Progress, Token};

/// The WebSocket subprotocol, and with it the major version of everything in this crate.
pub const SUBPROTOCOL: &str = "socketpad.v1";

/// The minor version. Both sides say theirs in the handshake; a change that an older peer can ignore raises it.
pub const MINOR_VERSION: u16 = 2;

/// The status of a WebSocket that a process leaves for another one (RFC 6455, section 7.4.2): its session goes on there.
pub const LEFT_STATUS: u16 = 4000;

/// The first minor version whose processes can resume a lost connection.
pub const MINOR_RESUME: u16 = 1;

/// The first minor version whose processes take [`FrameKind::Message`](frame::FrameKind::Message).
pub const MINOR_MESSAGE: u16 = 2;
