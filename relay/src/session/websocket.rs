//! The server's side of the WebSocket protocol's framing (RFC 6455, section 5).
//!
//! A general library hands out whole messages, each in memory of its own. The relay's messages are sequences of frames
//! that can be worked through as they come in, so this decoder unmasks payload where it lies, keeps nothing, and says
//! where it is; and a message is sent from where it was built, its header put before it.

use protocol::limits::MAX_MESSAGE;

/// The longest header that a server sends, in bytes.
pub(super) const MAX_HEADER: usize = 10;

/// The longest payload of a control frame, in bytes (section 5.5).
pub(super) const MAX_CONTROL: usize = 125;

/// The longest header that a client sends, in bytes.
const MAX_CLIENT_HEADER: usize = 14;

/// What a frame is (section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Opcode {
    /// More of the message that was begun.
    Continuation = 0,
    /// A binary message.
    Binary = 2,
    /// The end of the connection.
    Close = 8,
    /// A question whether the peer is there.
    Ping = 9,
    /// The answer to one.
    Pong = 10,
}

/// How the client broke RFC 6455, or a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WebSocketError {
    /// Bits that only an extension may set.
    #[error("a reserved bit is set in a WebSocket frame")]
    Reserved,
    /// An opcode of no use here: text, or an unknown one.
    #[error("WebSocket messages must be binary")]
    Opcode,
    /// A client must mask (section 5.1).
    #[error("a WebSocket frame is not masked")]
    Unmasked,
    /// A long or fragmented control frame.
    #[error("a WebSocket control frame is too long or fragmented")]
    Control,
    /// A message within a message, or the rest of none.
    #[error("WebSocket fragments are out of order")]
    Fragments,
    /// A message over the limit.
    #[error("a WebSocket message is too long")]
    TooLong,
}

/// What the decoder came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// All of the input was taken, and more is needed.
    Hungry,
    /// This many bytes after those that were taken are payload of a binary message, unmasked now. They must be taken
    /// before the decoder goes on.
    Payload {
        /// How many.
        length: usize,
        /// Whether the message ends with them.
        last: bool,
    },
    /// A control frame, whose payload is [`Decoder::control`].
    Control(Opcode),
}

/// The frame whose payload is being read.
#[derive(Clone, Copy, Debug)]
struct Current {
    opcode: Opcode,
    last: bool,
    remaining: usize,
    mask: [u8; 4],
}

/// Reads what a client sends.
#[derive(Debug)]
pub(super) struct Decoder {
    header: [u8; MAX_CLIENT_HEADER],
    header_length: usize,
    current: Option<Current>,
    /// The length so far of the message that was begun and has not ended, if one was.
    message: Option<usize>,
    control: [u8; MAX_CONTROL],
    control_length: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            header: [0; MAX_CLIENT_HEADER],
            header_length: 0,
            current: None,
            message: None,
            control: [0; MAX_CONTROL],
            control_length: 0,
        }
    }
}

impl Decoder {
    /// The payload of the control frame that was just read.
    pub(super) fn control(&self) -> &[u8] {
        self.control.get(..self.control_length).unwrap_or_default()
    }

    /// Goes on until something is found. Also says how many bytes of the input were taken for it.
    pub(super) fn step(&mut self, input: &mut [u8]) -> Result<(usize, Step), WebSocketError> {
        let mut taken = 0;
        loop {
            let Some(current) = &mut self.current else {
                if !self.read_header(input, &mut taken)? {
                    return Ok((taken, Step::Hungry));
                }
                continue;
            };
            let rest = input.get_mut(taken..).unwrap_or_default();
            let length = current.remaining.min(rest.len());
            let payload = rest.get_mut(..length).unwrap_or_default();
            unmask(payload, &mut current.mask);
            current.remaining = current.remaining.saturating_sub(length);
            let (opcode, ends, whole) = (current.opcode, current.last, current.remaining == 0);
            if whole {
                self.current = None;
            }
            match opcode {
                Opcode::Binary | Opcode::Continuation if 0 < length || whole => {
                    if whole && ends {
                        self.message = None;
                    }
                    let last = whole && ends;
                    return Ok((taken, Step::Payload { length, last }));
                }
                Opcode::Binary | Opcode::Continuation => return Ok((taken, Step::Hungry)),
                Opcode::Close | Opcode::Ping | Opcode::Pong => {
                    let free = self.control.get_mut(self.control_length..);
                    for (to, from) in free.unwrap_or_default().iter_mut().zip(payload) {
                        *to = *from;
                    }
                    self.control_length = self.control_length.saturating_add(length);
                    taken = taken.saturating_add(length);
                    return Ok(if whole {
                        (taken, Step::Control(opcode))
                    } else {
                        (taken, Step::Hungry)
                    });
                }
            }
        }
    }

    /// Takes header bytes until the header is whole.
    fn read_header(&mut self, input: &[u8], taken: &mut usize) -> Result<bool, WebSocketError> {
        loop {
            let (known, free) = self
                .header
                .split_at_mut_checked(self.header_length)
                .unwrap_or_default();
            let missing = header_length(known).saturating_sub(known.len());
            if missing == 0 {
                break;
            }
            let available = input.get(*taken..).unwrap_or_default();
            let length = missing.min(available.len());
            if length == 0 {
                return Ok(false);
            }
            for (to, from) in free.iter_mut().zip(available.iter().take(length)) {
                *to = *from;
            }
            self.header_length = self.header_length.saturating_add(length);
            *taken = taken.saturating_add(length);
        }
        self.begin()?;
        self.header_length = 0;
        Ok(true)
    }

    /// Checks a whole header and begins its frame.
    fn begin(&mut self) -> Result<(), WebSocketError> {
        let header = self.header.get(..self.header_length);
        let Some(&[first, second, ref rest @ ..]) = header else {
            return Err(WebSocketError::Reserved);
        };
        if first & 0x70 != 0 {
            return Err(WebSocketError::Reserved);
        }
        let last = first & 0x80 != 0;
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return Err(WebSocketError::Opcode),
        };
        if second & 0x80 == 0 {
            return Err(WebSocketError::Unmasked);
        }
        let Some((rest, &mask)) = rest.split_last_chunk::<4>() else {
            return Err(WebSocketError::Unmasked);
        };
        let length = if rest.is_empty() {
            u64::from(second & 0x7f)
        } else {
            rest.iter()
                .fold(0, |length, &byte| length << 8 | u64::from(byte))
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let before = match (opcode, self.message) {
            (Opcode::Binary, None) => 0,
            (Opcode::Continuation, Some(before)) => before,
            (Opcode::Binary, Some(_)) | (Opcode::Continuation, None) => {
                return Err(WebSocketError::Fragments);
            }
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => {
                if !last || MAX_CONTROL < length {
                    return Err(WebSocketError::Control);
                }
                self.control_length = 0;
                0
            }
        };
        if matches!(opcode, Opcode::Binary | Opcode::Continuation) {
            let whole = before.saturating_add(length);
            if MAX_MESSAGE < whole {
                return Err(WebSocketError::TooLong);
            }
            self.message = Some(whole);
        }
        self.current = Some(Current {
            opcode,
            last,
            remaining: length,
            mask,
        });
        Ok(())
    }
}

/// How long a client's header is, as far as its first bytes tell.
fn header_length(start: &[u8]) -> usize {
    match start {
        [] | [_] => 2,
        [_, second, ..] => {
            let extended = match second & 0x7f {
                126 => 2,
                127 => 8,
                _ => 0,
            };
            let mask = if second & 0x80 == 0 { 0 } else { 4 };
            let whole: usize = [2, extended, mask].into_iter().sum();
            whole.max(start.len())
        }
    }
}

/// Unmasks a part of a frame's payload (section 5.3), and turns the mask so that it fits the part after it.
fn unmask(payload: &mut [u8], mask: &mut [u8; 4]) {
    // Wide strides, so that the compiler uses the processor's vector instructions.
    let mut wide = [0; 32];
    for (byte, mask) in wide.iter_mut().zip(mask.iter().cycle()) {
        *byte = *mask;
    }
    let mut strides = payload.chunks_exact_mut(32);
    for stride in &mut strides {
        for (byte, mask) in stride.iter_mut().zip(wide) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in strides.into_remainder().iter_mut().zip(wide) {
        *byte ^= mask;
    }
    mask.rotate_left(payload.len() % 4);
}

/// Writes the header of an unfragmented frame to the end of this space and says how long it is.
pub(super) fn write_header(space: &mut [u8; MAX_HEADER], opcode: Opcode, length: usize) -> usize {
    let mut header = [0; MAX_HEADER];
    header[0] = 0x80 | opcode as u8;
    let used = match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => {
            header[1] = short;
            2
        }
        (_, Ok(medium)) => {
            header[1] = 126;
            header[2..4].copy_from_slice(&medium.to_be_bytes());
            4
        }
        (_, Err(_)) => {
            header[1] = 127;
            header[2..].copy_from_slice(&(length as u64).to_be_bytes());
            10
        }
    };
    let end = space.iter_mut().rev().take(used).rev();
    for (to, from) in end.zip(header) {
        *to = from;
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A client's frame, as section 5.2 draws it.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
            length @ 126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                bytes.push(0x80 | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
        bytes
    }

    #[derive(Debug, Default, PartialEq, Eq)]
    struct Read {
        messages: Vec<Vec<u8>>,
        controls: Vec<(u8, Vec<u8>)>,
        open: Vec<u8>,
    }

    fn read(pieces: &[&[u8]]) -> Result<Read, WebSocketError> {
        let mut decoder = Decoder::default();
        let mut read = Read::default();
        for piece in pieces {
            let mut piece = piece.to_vec();
            let mut start = 0;
            loop {
                let (taken, step) = decoder.step(&mut piece[start..])?;
                start += taken;
                match step {
                    Step::Hungry => break,
                    Step::Payload { length, last } => {
                        read.open.extend(&piece[start..start + length]);
                        start += length;
                        if last {
                            read.messages.push(std::mem::take(&mut read.open));
                        }
                    }
                    Step::Control(opcode) => read
                        .controls
                        .push((opcode as u8, decoder.control().to_vec())),
                }
            }
            assert_eq!(start, piece.len());
        }
        Ok(read)
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        // Section 5.7, as a binary message.
        let hello = [
            0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        assert_eq!(read(&[&hello]).unwrap().messages, [b"Hello"]);
    }

    #[test]
    fn control_frames_may_come_between_fragments() {
        let bytes = [frame(0x02, b"ab"), frame(0x89, b"?"), frame(0x80, b"c")].concat();
        let read = read(&[&bytes]).unwrap();
        assert_eq!(read.messages, [b"abc"]);
        assert_eq!(read.controls, [(9, b"?".to_vec())]);
    }

    #[test]
    fn each_fault_has_its_error() {
        let fault = |bytes: &[u8]| read(&[bytes]).unwrap_err();
        assert_eq!(fault(&frame(0xc2, b"")), WebSocketError::Reserved);
        assert_eq!(fault(&frame(0x81, b"text")), WebSocketError::Opcode);
        assert_eq!(fault(&[0x82, 0x00]), WebSocketError::Unmasked);
        assert_eq!(fault(&frame(0x09, b"")), WebSocketError::Control);
        assert_eq!(fault(&frame(0x88, &[0; 126])), WebSocketError::Control);
        assert_eq!(fault(&frame(0x80, b"")), WebSocketError::Fragments);
        let twice = [frame(0x02, b""), frame(0x02, b"")].concat();
        assert_eq!(fault(&twice), WebSocketError::Fragments);
        let long = [
            0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
        ];
        assert_eq!(fault(&long), WebSocketError::TooLong);
        let grown = [frame(0x02, &[0; MAX_MESSAGE]), frame(0x80, b"1")].concat();
        assert_eq!(fault(&grown), WebSocketError::TooLong);
    }

    #[test]
    fn headers_are_as_short_as_they_can_be() {
        let header = |length| {
            let mut space = [0; MAX_HEADER];
            let used = write_header(&mut space, Opcode::Binary, length);
            space[MAX_HEADER - used..].to_vec()
        };
        assert_eq!(header(125), [0x82, 125]);
        assert_eq!(header(126), [0x82, 126, 0, 126]);
        assert_eq!(header(65_535), [0x82, 126, 255, 255]);
        assert_eq!(header(65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    proptest! {
        /// Wherever the network cuts the bytes, the same messages come out.
        #[test]
        fn cuts_do_not_matter(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..8),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let bytes: Vec<u8> = payloads.iter().flat_map(|payload| frame(0x82, payload)).collect();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(&pieces).unwrap().messages, payloads);
        }

        /// No bytes make it panic.
        #[test]
        fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&[&bytes]);
        }
    }
}
