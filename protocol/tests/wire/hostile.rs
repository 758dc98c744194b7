//! Hostile bytes: the decoder says what is wrong and never panics.

use proptest::prelude::*;
use protocol::frame::{FrameKind, HEADER, Header, encode_message};
use protocol::{ClientMessage, DecodeError, Frame, Frames, SocketId};

use crate::decode_anything::decode_anything;
use crate::round_trip::{client, frame, server};
use crate::samples;

fn errors(bytes: &[u8]) -> Vec<DecodeError> {
    Frames::<ClientMessage>::new(bytes)
        .filter_map(Result::err)
        .collect()
}

fn framed(kind: FrameKind, socket: u32, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        kind,
        length: payload.len(),
        socket: SocketId(socket),
    };
    [&header.encode()[..], payload].concat()
}

#[test]
fn each_fault_has_its_error() {
    assert_eq!(errors(&[0, 0, 0]), [DecodeError::Truncated]);
    assert_eq!(errors(&[9; HEADER]), [DecodeError::Kind(9)]);
    let long = [1, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    assert_eq!(errors(&long), [DecodeError::TooLong(0xff_ffff)]);
    assert_eq!(
        errors(&framed(FrameKind::Control, 1, &[16])),
        [DecodeError::Socket]
    );
    assert_eq!(
        errors(&framed(FrameKind::Control, 0, &[])),
        [DecodeError::Message]
    );
    assert_eq!(
        errors(&framed(FrameKind::Datagram, 1, &[])),
        [DecodeError::Address]
    );
    assert_eq!(
        errors(&framed(FrameKind::Datagram, 1, &[9, 0])),
        [DecodeError::Address]
    );
}

#[test]
fn a_message_with_bytes_after_it_is_none() {
    let mut bytes = Vec::new();
    encode_message(&ClientMessage::Goodbye, &mut bytes);
    bytes.push(0);
    bytes[1] += 1;
    assert_eq!(errors(&bytes), [DecodeError::Message]);
}

#[test]
fn a_host_name_that_breaks_its_rules_is_none() {
    let mut bytes = Vec::new();
    encode_message(&samples::client()[0], &mut bytes);
    let at = bytes.windows(4).position(|bytes| bytes == b"desk").unwrap();
    bytes[at] = b'.';
    assert_eq!(errors(&bytes), [DecodeError::Message]);
}

#[test]
fn a_length_that_lies_takes_no_memory() {
    // A `SetOption` whose value claims 2^32 - 1 bytes.
    let liar = [11, 1, 3, 2, 4, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(
        errors(&framed(FrameKind::Control, 0, &liar)),
        [DecodeError::Message]
    );
}

#[test]
fn an_urgent_frame_has_one_byte() {
    for payload in [&b""[..], b"ab"] {
        let error = DecodeError::Urgent(payload.len());
        assert_eq!(errors(&framed(FrameKind::Urgent, 1, payload)), [error]);
    }
    assert_eq!(errors(&framed(FrameKind::Urgent, 1, b"a")), []);
}

#[test]
fn nothing_is_read_after_an_error() {
    let mut bytes = framed(FrameKind::Stream, 1, b"one");
    bytes.extend(framed(FrameKind::Control, 0, &[0xff]));
    bytes.extend(framed(FrameKind::Stream, 1, b"two"));
    let read: Vec<_> = Frames::<ClientMessage>::new(&bytes).collect();
    let one = Frame::Stream {
        socket: SocketId(1),
        payload: &b"one"[..],
    };
    assert_eq!(read, [Ok(one), Err(DecodeError::Message)]);
}

/// Changes, drops, repeats and inserts bytes, as a mutating fuzzer does.
fn mutate(mut bytes: Vec<u8>, changes: &[(u8, prop::sample::Index, u8)]) -> Vec<u8> {
    for (what, at, value) in changes {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        match what {
            0 => bytes[at] = *value,
            1 => bytes[at] ^= 1 << (value % 8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, *value),
            4 => bytes.truncate(at),
            _ => bytes.extend_from_within(at..),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_bytes_are_read_safely(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        decode_anything(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn nearly_right_bytes_are_read_safely(
        client in prop::collection::vec(frame(client()), 1..4),
        server in prop::collection::vec(frame(server()), 1..4),
        changes in prop::collection::vec((0u8..6, any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = Vec::new();
        client.iter().for_each(|frame| frame.encode(&mut bytes));
        decode_anything(&mutate(bytes, &changes));
        let mut bytes = Vec::new();
        server.iter().for_each(|frame| frame.encode(&mut bytes));
        decode_anything(&mutate(bytes, &changes));
    }
}
