//! How messages and payload lie in a WebSocket message.
//!
//! A frame is a header of eight bytes and its payload. The header is the kind (one byte), the payload's length (three
//! bytes) and the socket (four bytes), all little-endian. Payload of a datagram begins with its address: one byte for
//! the address's length, then the address. Between that and a datagram with control messages stand these, with a length
//! before them too. Control messages and addresses are in postcard's format.

use serde::{Serialize, de::DeserializeOwned};

use crate::limits::{MAX_ADDRESS, MAX_CONTROLS, MAX_PAYLOAD};
use crate::{Address, Control, SocketId};

/// The length of a frame's header, in bytes.
pub const HEADER: usize = 8;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FrameKind {
    /// A control message; the socket is zero.
    Control = 0,
    /// Bytes of a stream.
    Stream = 1,
    /// One datagram.
    Datagram = 2,
    /// One byte of a stream that is urgent. From minor version 1.
    Urgent = 3,
    /// One datagram with control messages. From minor version 2.
    Message = 4,
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The message ends within a frame.
    #[error("the message ends within a frame")]
    Truncated,
    /// No such kind of frame.
    #[error("there is no frame of kind {0}")]
    Kind(u8),
    /// The payload is longer than any frame's may be.
    #[error("a payload of {0} bytes is too long")]
    TooLong(usize),
    /// A control frame names a socket.
    #[error("a control frame belongs to no socket")]
    Socket,
    /// The payload is no message of this version.
    #[error("a control message could not be read")]
    Message,
    /// An urgent frame has another length than one byte.
    #[error("an urgent frame has one byte, not {0}")]
    Urgent(usize),
    /// The payload has no readable address before it.
    #[error("a datagram's address could not be read")]
    Address,
    /// The payload has no readable control messages after its address.
    #[error("a datagram's control messages could not be read")]
    Controls,
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the frame carries.
    pub kind: FrameKind,
    /// How long the payload is, in bytes.
    pub length: usize,
    /// The socket it belongs to; zero for control.
    pub socket: SocketId,
}

impl Header {
    /// The header's bytes.
    ///
    /// The length must be at most [`MAX_PAYLOAD`], which the senders see to by cutting.
    pub fn encode(self) -> [u8; HEADER] {
        debug_assert!(self.length <= MAX_PAYLOAD);
        let length = (self.length as u64).to_le_bytes();
        let socket = self.socket.0.to_le_bytes();
        [
            self.kind as u8,
            length[0],
            length[1],
            length[2],
            socket[0],
            socket[1],
            socket[2],
            socket[3],
        ]
    }

    /// Reads a header.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], if no sender that keeps the protocol could have written it.
    pub fn decode(bytes: [u8; HEADER]) -> Result<Self, DecodeError> {
        let [kind, l0, l1, l2, s0, s1, s2, s3] = bytes;
        let kind = match kind {
            0 => FrameKind::Control,
            1 => FrameKind::Stream,
            2 => FrameKind::Datagram,
            3 => FrameKind::Urgent,
            4 => FrameKind::Message,
            other => return Err(DecodeError::Kind(other)),
        };
        let length = u32::from_le_bytes([l0, l1, l2, 0]) as usize;
        if MAX_PAYLOAD < length {
            return Err(DecodeError::TooLong(length));
        }
        if kind == FrameKind::Urgent && length != 1 {
            return Err(DecodeError::Urgent(length));
        }
        let socket = SocketId(u32::from_le_bytes([s0, s1, s2, s3]));
        if kind == FrameKind::Control && socket.0 != 0 {
            return Err(DecodeError::Socket);
        }
        Ok(Self {
            kind,
            length,
            socket,
        })
    }
}

/// A frame that was read; the payload still lies where it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a, M> {
    /// A control message.
    Control(M),
    /// Bytes of a stream.
    Stream {
        /// The socket.
        socket: SocketId,
        /// The bytes.
        payload: &'a [u8],
    },
    /// One datagram.
    Datagram {
        /// The socket.
        socket: SocketId,
        /// Where to or from. [`Address::Unspecified`] to the socket's peer.
        address: Address,
        /// The bytes.
        payload: &'a [u8],
    },
    /// A byte of a stream that is urgent.
    Urgent {
        /// The socket.
        socket: SocketId,
        /// The byte.
        byte: u8,
    },
    /// One datagram with control messages.
    Message {
        /// The socket.
        socket: SocketId,
        /// Where to or from, as with a datagram.
        address: Address,
        /// What goes with it.
        controls: Vec<Control>,
        /// The bytes.
        payload: &'a [u8],
    },
}

/// The frames of one WebSocket message. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Frames<'a, M> {
    rest: &'a [u8],
    message: std::marker::PhantomData<M>,
}

impl<'a, M: DeserializeOwned> Frames<'a, M> {
    /// Reads the frames of this WebSocket message.
    pub fn new(message: &'a [u8]) -> Self {
        Self {
            rest: message,
            message: std::marker::PhantomData,
        }
    }

    fn read(&mut self) -> Result<Frame<'a, M>, DecodeError> {
        let (header, rest) = self
            .rest
            .split_first_chunk::<HEADER>()
            .ok_or(DecodeError::Truncated)?;
        let Header {
            kind,
            length,
            socket,
        } = Header::decode(*header)?;
        let (payload, rest) = rest
            .split_at_checked(length)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        match kind {
            FrameKind::Control => Ok(Frame::Control(decode_message(payload)?)),
            FrameKind::Stream => Ok(Frame::Stream { socket, payload }),
            FrameKind::Urgent => match *payload {
                [byte] => Ok(Frame::Urgent { socket, byte }),
                _ => Err(DecodeError::Urgent(length)),
            },
            FrameKind::Datagram => {
                let (address, used) = decode_address(payload)?;
                let payload = payload.get(used..).ok_or(DecodeError::Address)?;
                Ok(Frame::Datagram {
                    socket,
                    address,
                    payload,
                })
            }
            FrameKind::Message => {
                let (address, used) = decode_address(payload)?;
                let rest = payload.get(used..).ok_or(DecodeError::Address)?;
                let (controls, used) = decode_controls(rest)?;
                let payload = rest.get(used..).ok_or(DecodeError::Controls)?;
                Ok(Frame::Message {
                    socket,
                    address,
                    controls,
                    payload,
                })
            }
        }
    }
}

impl<'a, M: DeserializeOwned> Iterator for Frames<'a, M> {
    type Item = Result<Frame<'a, M>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let frame = self.read();
        if frame.is_err() {
            self.rest = &[];
        }
        Some(frame)
    }
}

/// Reads a control message. All of the payload must belong to it.
///
/// # Errors
///
/// [`DecodeError::Message`] if it is none of this version.
pub fn decode_message<M: DeserializeOwned>(payload: &[u8]) -> Result<M, DecodeError> {
    match postcard::take_from_bytes(payload) {
        Ok((message, [])) => Ok(message),
        Ok(_) | Err(_) => Err(DecodeError::Message),
    }
}

/// Reads the address at the start of a datagram's payload, and how many bytes it takes there.
///
/// # Errors
///
/// [`DecodeError::Address`] if there is none.
pub fn decode_address(payload: &[u8]) -> Result<(Address, usize), DecodeError> {
    let (&length, rest) = payload.split_first().ok_or(DecodeError::Address)?;
    let length = usize::from(length);
    let encoded = rest.get(..length).ok_or(DecodeError::Address)?;
    match postcard::take_from_bytes(encoded) {
        Ok((address, [])) => Ok((address, length.saturating_add(1))),
        Ok(_) | Err(_) => Err(DecodeError::Address),
    }
}

/// Reads the control messages that stand after an address, and how many bytes they take there.
///
/// # Errors
///
/// [`DecodeError::Controls`] if there are none.
pub fn decode_controls(payload: &[u8]) -> Result<(Vec<Control>, usize), DecodeError> {
    let (&length, rest) = payload.split_first().ok_or(DecodeError::Controls)?;
    let length = usize::from(length);
    let encoded = rest.get(..length).ok_or(DecodeError::Controls)?;
    match postcard::take_from_bytes(encoded) {
        Ok((controls, [])) if length <= MAX_CONTROLS => Ok((controls, length.saturating_add(1))),
        Ok(_) | Err(_) => Err(DecodeError::Controls),
    }
}

/// Appends a control message as a frame.
pub fn encode_message<M: Serialize>(message: &M, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    append(message, out);
    let header = Header {
        kind: FrameKind::Control,
        length: out.len().saturating_sub(start).saturating_sub(HEADER),
        socket: SocketId(0),
    };
    if let Some(place) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
        *place = header.encode();
    }
}

/// Appends an address as it stands before a datagram: its length, then itself.
pub fn encode_address(address: &Address, out: &mut Vec<u8>) {
    let start = out.len();
    out.push(0);
    append(address, out);
    let length = out.len().saturating_sub(start).saturating_sub(1);
    debug_assert!(length <= MAX_ADDRESS);
    if let Some(place) = out.get_mut(start) {
        *place = u8::try_from(length).unwrap_or(u8::MAX);
    }
}

/// Appends the control messages of a datagram: their length, then themselves. Says whether they are no more than there
/// may be; else nothing is appended.
pub fn encode_controls(controls: &[Control], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.push(0);
    append(&controls, out);
    let length = out.len().saturating_sub(start).saturating_sub(1);
    match (u8::try_from(length), out.get_mut(start)) {
        (Ok(number), Some(place)) if length <= MAX_CONTROLS => *place = number,
        _ => {
            out.truncate(start);
            return false;
        }
    }
    true
}

/// Appends a value in postcard's format, which cannot fail for these types: they have no maps and no unsized parts.
fn append<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    let written = postcard::to_extend(value, Tail(out));
    debug_assert!(written.is_ok());
}

/// A vector that is only added to.
struct Tail<'a>(&'a mut Vec<u8>);

impl Extend<u8> for Tail<'_> {
    fn extend<T: IntoIterator<Item = u8>>(&mut self, bytes: T) {
        self.0.extend(bytes);
    }
}
