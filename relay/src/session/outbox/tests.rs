//! What is written, byte by byte.

use super::*;
use protocol::{CallId, Control, Frame, Frames, Reply};

fn done(call: u32) -> ServerMessage {
    ServerMessage::Done {
        call: CallId(call),
        result: Ok(Reply::Nothing),
    }
}

fn written(outbox: &mut Outbox) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let chunk = outbox.chunk();
        if chunk.is_empty() {
            return bytes;
        }
        // In pieces, as a socket that is nearly full would take it.
        let length = chunk.len().min(7);
        bytes.extend_from_slice(&chunk[..length]);
        outbox.advance(length);
    }
}

#[test]
fn a_read_that_brings_nothing_leaves_the_way_free() {
    let mut outbox = Outbox::default();
    let nothing = outbox.stream(SocketId(1), 100, |_| Err::<usize, ()>(()));
    assert_eq!(nothing, Err(()));
    assert!(outbox.chunk().is_empty());
    assert!(outbox.has_room_for_payload(100));
}

#[test]
fn a_turn_is_one_message_in_order() {
    let mut outbox = Outbox::default();
    outbox.message(&done(1));
    let filled = outbox.stream(SocketId(3), 100, |room| {
        room[..2].copy_from_slice(b"ab");
        Ok::<_, ()>(2)
    });
    assert_eq!(filled, Ok(2));
    let address = Address::from("10.0.0.2:9".parse::<std::net::SocketAddrV4>().unwrap());
    let filled = outbox.datagram(SocketId(4), 100, |room| {
        room[..3].copy_from_slice(b"xyz");
        Ok::<_, ()>(Arrival {
            length: 3,
            sender: Some(address.clone()),
            controls: Vec::new(),
        })
    });
    assert_eq!(filled, Ok(Some(3)));
    let bytes = written(&mut outbox);
    assert_eq!(bytes[0], 0x82);
    assert_eq!(usize::from(bytes[1]), bytes.len() - 2);
    let frames: Vec<_> = Frames::new(&bytes[2..]).map(Result::unwrap).collect();
    assert_eq!(
        frames,
        [
            Frame::Control(done(1)),
            Frame::Stream {
                socket: SocketId(3),
                payload: b"ab"
            },
            Frame::Datagram {
                socket: SocketId(4),
                address,
                payload: b"xyz"
            },
        ]
    );
    assert!(outbox.is_empty());
}

#[test]
fn nothing_read_leaves_no_trace() {
    let mut outbox = Outbox::default();
    assert_eq!(outbox.stream(SocketId(1), 10, |_| Err("no")), Err("no"));
    assert_eq!(outbox.stream(SocketId(1), 10, |_| Ok::<_, ()>(0)), Ok(0));
    outbox.message(&done(1));
    assert_eq!(written(&mut outbox)[2..10], [0, 4, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn control_frames_go_first_and_the_close_last() {
    let mut outbox = Outbox::default();
    outbox.message(&done(1));
    outbox.ping();
    outbox.pong(b"why");
    outbox.close(1000);
    let bytes = written(&mut outbox);
    assert_eq!(bytes[..5], [0x8a, 3, b'w', b'h', b'y']);
    assert_eq!(bytes[5..8], [0x89, 0, 0x82]);
    assert_eq!(bytes[bytes.len() - 4..], [0x88, 2, 0x03, 0xe8]);
}

#[test]
fn little_is_collected_while_the_way_is_blocked() {
    let mut outbox = Outbox::default();
    outbox.message(&done(1));
    assert!(outbox.has_room_for_payload(65_536));
    assert!(!outbox.chunk().is_empty());
    assert!(outbox.has_room_for_answers());
    assert!(!outbox.has_room_for_payload(1));
    let mut call = 1;
    while outbox.has_room_for_answers() {
        call += 1;
        outbox.message(&done(call));
    }
    assert!(call < 2000);
}

#[test]
fn control_messages_come_between_address_and_bytes_if_they_are_known() {
    let controls = vec![Control {
        level: 0,
        kind: 2,
        value: vec![64, 0, 0, 0],
    }];
    let arrival = || {
        Ok::<_, ()>(Arrival {
            length: 3,
            sender: Some(Address::Unspecified),
            controls: controls.clone(),
        })
    };
    let mut outbox = Outbox::default();
    for tells in [false, true] {
        if tells {
            outbox.tell_controls();
        }
        let filled = outbox.datagram(SocketId(4), 100, |room| {
            room[..3].copy_from_slice(b"xyz");
            arrival()
        });
        assert_eq!(filled, Ok(Some(3)));
    }
    let bytes = written(&mut outbox);
    let frames: Vec<Frame<'_, ServerMessage>> =
        Frames::new(&bytes[2..]).map(Result::unwrap).collect();
    let (socket, payload, address) = (SocketId(4), &b"xyz"[..], Address::Unspecified);
    let plain = Frame::Datagram {
        socket,
        address: address.clone(),
        payload,
    };
    let message = Frame::Message {
        socket,
        address,
        controls,
        payload,
    };
    assert_eq!(frames, [plain, message]);
}
