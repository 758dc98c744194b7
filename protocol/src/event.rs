//! What happens in a lab, as it is told to whoever watches.
//!
//! A viewer opens `/api/v1/labs/<lab>/events` with the subprotocol [`EVENTS_SUBPROTOCOL`]. Every binary message is a
//! sequence of [`Record`]s in postcard's format, one after the other; the first record of all is an
//! [`Event::Anchor`]. As everywhere here, variants are only ever added at the end.

use serde::{Deserialize, Serialize};

use crate::{Address, HostName, ProcessName, SocketId};

/// The WebSocket subprotocol of a stream of events.
pub const EVENTS_SUBPROTOCOL: &str = "socketpad.events.v1";

/// The most bytes of payload that an event shows.
pub const MAX_PREVIEW: usize = 64;

/// The most bytes of a packet that an event shows: a header, a VLAN tag, and what a host's card sends at once.
pub const MAX_PACKET: usize = 14 + 4 + 1500;

/// The most calls in one [`Report`].
pub const MAX_REPORTS: usize = 128;

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Microseconds since the lab was made, on a clock that only goes forward.
    pub at: u64,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first event of a stream: the wall clock when the lab was made.
    Anchor {
        /// Microseconds since 1970 (UTC) at the zero of the lab's clock.
        unix_micros: u64,
    },
    /// Events were left out here: there were too many, or the viewer was too slow.
    Missed {
        /// How many.
        count: u64,
    },
    /// A process runs. Told of those that ran already, too.
    Started {
        /// Its id.
        pid: u32,
        /// Its host.
        host: HostName,
        /// What people call it.
        name: ProcessName,
    },
    /// A process has ended.
    Exited {
        /// Its id.
        pid: u32,
        /// Why the relay ended it; none if its program ended or its connection was lost.
        reason: Option<String>,
    },
    /// A call on a socket was done.
    Called {
        /// The process.
        pid: u32,
        /// Its socket; zero for a call on none.
        socket: SocketId,
        /// Which call.
        call: Call,
        /// How long it took, in microseconds; the record's time is its end.
        micros: u64,
        /// What it returned, or the negative error number.
        result: i64,
        /// The address that was given or found.
        address: Address,
    },
    /// Payload passed the relay.
    Carried {
        /// The process.
        pid: u32,
        /// Its socket.
        socket: SocketId,
        /// Which way.
        direction: Direction,
        /// How many bytes; of a datagram, all of it.
        bytes: u32,
        /// The other end of a datagram.
        address: Address,
        /// The first bytes, at most [`MAX_PREVIEW`].
        preview: Vec<u8>,
    },
    /// A host's card sent a frame. Only who asks for packets is told of these and of what follows here.
    Packet {
        /// Its number, by which the lab's record knows it.
        number: u64,
        /// The host.
        host: HostName,
        /// The card.
        card: Card,
        /// How long the frame is, in bytes.
        length: u32,
        /// Its first bytes: as many as were asked for, at most [`MAX_PACKET`].
        bytes: Vec<u8>,
    },
    /// Something became of a frame.
    Fate {
        /// The frame's number.
        packet: u64,
        /// The host at whose cable it happened.
        host: HostName,
        /// Which way the frame went there, as the host sees it.
        direction: Direction,
        /// What happened.
        outcome: Outcome,
    },
    /// Packets were left out here.
    LeftOut {
        /// Whose loopback they went over, faster than they are recorded; none for packets and fates together that this
        /// viewer was too slow for.
        host: Option<HostName>,
        /// How many.
        count: u64,
    },
    /// There are no packets to be told of.
    Unrecorded {
        /// Why.
        reason: String,
    },
}

/// A card of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Card {
    /// The one whose cable leads to the lab's switch.
    Ethernet,
    /// The one that leads to the host itself. What it sends arrives at once, and nothing becomes of it.
    Loopback,
}

/// What became of a frame on a host's cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It came out at the other end.
    Passed,
    /// It comes out later.
    Delayed {
        /// When, on the lab's clock, in microseconds.
        until: u64,
    },
    /// Chance lost it.
    Lost,
    /// Chance turned one bit of it.
    Corrupted {
        /// Which, counted from the beginning of the frame, the highest of each byte first.
        bit: u32,
    },
    /// Chance made another one of it.
    Doubled,
    /// Chance holds it back until the next one has overtaken it.
    Held,
    /// It was dropped, for the queue before the rate was full.
    QueueFull,
    /// It was dropped, for too much was on its way.
    Crowded,
    /// It was dropped, for the cable was not plugged in.
    CableDown,
    /// It was dropped, for the host did not take it.
    Refused,
}

/// Which way payload goes, seen from the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the process.
    Sent,
    /// To the process.
    Received,
}

/// A system call, as the program knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// socket(2).
    Socket,
    /// bind(2).
    Bind,
    /// listen(2).
    Listen,
    /// accept(2).
    Accept,
    /// connect(2).
    Connect,
    /// shutdown(2).
    Shutdown,
    /// close(2).
    Close,
    /// getsockopt(2).
    GetOption,
    /// setsockopt(2).
    SetOption,
    /// A look-up of a name or an address.
    Resolve,
    /// send(2) and its like.
    Send,
    /// recv(2) and its like.
    Receive,
    /// poll(2) and its like.
    Poll,
}

/// Whether a process is to report its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Watch {
    /// Somebody watches.
    On,
    /// Nobody does any more.
    Off,
}

/// A call as the process saw it, which alone knows how long it waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// The socket; zero for a call on none.
    pub socket: SocketId,
    /// Which call.
    pub call: Call,
    /// How many microseconds before the report it ended.
    pub ago: u64,
    /// How many microseconds it took.
    pub micros: u64,
    /// What it returned, or the negative error number.
    pub result: i64,
}

/// What a process that is watched says of its calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// At most [`MAX_REPORTS`] calls, in their order.
    pub calls: Vec<CallReport>,
    /// How many calls before them were left out.
    pub missed: u64,
}

/// Writes a record after others.
pub fn encode_record(record: &Record, bytes: &mut Vec<u8>) {
    // Writing to memory cannot fail, and everything in a record can be written.
    if let Ok(encoded) = postcard::to_stdvec(record) {
        bytes.extend(encoded);
    }
}

/// Reads all records of a message.
///
/// # Errors
///
/// The message is no sequence of records of this version.
pub fn decode_records(mut bytes: &[u8]) -> Result<Vec<Record>, crate::DecodeError> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (record, rest) =
            postcard::take_from_bytes(bytes).map_err(|_| crate::DecodeError::Message)?;
        records.push(record);
        bytes = rest;
    }
    Ok(records)
}
