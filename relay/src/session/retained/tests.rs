//! Connections that are cut anywhere, between the outbox and inbox of the relay and a process that is written down here.

use proptest::prelude::*;
use protocol::frame::{HEADER, encode_message};
use protocol::limits::MAX_UNACKED;
use protocol::{CallId, ClientMessage, Frame, Frames, Progress, Reply, ServerMessage, SocketId};

use super::super::Outbox;
use super::super::inbox::{Inbox, Item};
use super::*;

/// What the relay says: the number of the call makes each message different.
fn done(call: u32) -> ServerMessage {
    ServerMessage::Done {
        call: CallId(call),
        result: Ok(Reply::Nothing),
    }
}

/// Takes the WebSocket messages apart that are whole, and leaves the rest.
fn messages(bytes: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    loop {
        let (head, length) = match bytes[..] {
            [_, 126, high, low, ..] => (4, usize::from(high) << 8 | usize::from(low)),
            [_, 127, _, _, _, _, a, b, c, d, ..] => (10, u32::from_be_bytes([a, b, c, d]) as usize),
            [_, length, ..] if length < 126 => (2, usize::from(length)),
            _ => return found,
        };
        if bytes.len() < head + length {
            return found;
        }
        let message: Vec<u8> = bytes.drain(..head + length).skip(head).collect();
        found.push(message);
    }
}

/// A process: what it has taken, in order.
#[derive(Default)]
struct Reader {
    progress: Progress,
    /// Bytes of a WebSocket message that is not whole.
    partial: Vec<u8>,
    calls: Vec<u32>,
    payload: Vec<u8>,
    resumed: Option<u64>,
}

impl Reader {
    fn read(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        for message in messages(&mut self.partial) {
            for frame in Frames::<ServerMessage>::new(&message) {
                match frame.unwrap() {
                    Frame::Control(ServerMessage::Resumed { received }) => {
                        self.resumed = Some(received);
                        continue;
                    }
                    Frame::Control(ServerMessage::Ack { .. }) => continue,
                    Frame::Control(ServerMessage::Done { call, .. }) => self.calls.push(call.0),
                    Frame::Stream { payload, .. } => self.payload.extend_from_slice(payload),
                    other => panic!("{other:?}"),
                }
            }
            if let Some(Ok(frame)) = Frames::<ServerMessage>::new(&message).next()
                && !matches!(
                    frame,
                    Frame::Control(ServerMessage::Resumed { .. } | ServerMessage::Ack { .. })
                )
            {
                self.progress.take(message.len());
            }
        }
    }
}

/// What happens next to a connection on which the relay sends.
#[derive(Clone, Debug)]
enum Step {
    /// The relay answers a call.
    Say,
    /// A socket brings so many bytes.
    Read(usize),
    /// The network takes so many bytes, and brings all but the last few of what it has.
    Carry(usize, usize),
    /// The process acknowledges.
    Ack,
    /// The connection is lost, with everything that is on its way, and the process comes back.
    Cut,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Say),
        3 => prop_oneof![1usize..300, 30_000usize..65_000].prop_map(Step::Read),
        6 => (prop_oneof![1usize..40, 1usize..200_000], 0usize..30)
            .prop_map(|(length, late)| Step::Carry(length, late)),
        2 => Just(Step::Ack),
        1 => Just(Step::Cut),
    ]
}

/// Moves bytes from the outbox to the wire, and from there to the process.
fn carry(outbox: &mut Outbox, wire: &mut Vec<u8>, reader: &mut Reader, most: usize, late: usize) {
    let mut left = most;
    while 0 < left {
        let chunk = outbox.chunk();
        let length = chunk.len().min(left);
        if length == 0 {
            break;
        }
        wire.extend_from_slice(&chunk[..length]);
        outbox.advance(length);
        left -= length;
    }
    let arrived: Vec<u8> = wire.drain(..wire.len().saturating_sub(late)).collect();
    reader.read(&arrived);
}

/// The connection is lost, and the process comes back on another.
fn come_back(outbox: &mut Outbox, wire: &mut Vec<u8>, reader: &mut Reader) {
    wire.clear();
    reader.partial.clear();
    outbox.cut();
    outbox.resume(reader.progress.received()).unwrap();
    outbox.greet(&[ServerMessage::Resumed { received: 7 }]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// However the relay's connection is cut, and whenever the process acknowledges, everything arrives exactly once.
    #[test]
    fn what_is_sent_arrives_once_and_in_order(steps in prop::collection::vec(step(), 1..80)) {
        let (mut outbox, mut reader, mut wire) = (Outbox::default(), Reader::default(), Vec::new());
        outbox.retain();
        let (mut calls, mut payload) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Say if outbox.has_room_for_answers() => {
                    let call = u32::try_from(calls.len()).unwrap();
                    calls.push(call);
                    outbox.message(&done(call));
                }
                Step::Read(length) if outbox.has_room_for_payload(length) => {
                    let bytes: Vec<u8> = (0..length)
                        .map(|index| u8::try_from((payload.len() + index) % 251).unwrap())
                        .collect();
                    let filled = outbox.stream(SocketId(1), length, |room| {
                        room[..length].copy_from_slice(&bytes);
                        Ok::<_, ()>(length)
                    });
                    prop_assert_eq!(filled, Ok(length));
                    payload.extend(bytes);
                }
                Step::Say | Step::Read(_) => {}
                Step::Carry(length, late) => {
                    carry(&mut outbox, &mut wire, &mut reader, length, late);
                }
                Step::Ack => outbox.acknowledged(reader.progress.acknowledge()).unwrap(),
                Step::Cut => {
                    come_back(&mut outbox, &mut wire, &mut reader);
                    carry(&mut outbox, &mut wire, &mut reader, 100, 0);
                    prop_assert_eq!(reader.resumed.take(), Some(7));
                }
            }
        }
        carry(&mut outbox, &mut wire, &mut reader, usize::MAX, 0);
        prop_assert_eq!(&reader.calls, &calls);
        prop_assert!(reader.payload == payload);
        outbox.acknowledged(reader.progress.acknowledge()).unwrap();
        prop_assert_eq!(outbox.memory(), 0);
    }

    /// However the process's connection is cut, the relay takes each of its frames exactly once.
    #[test]
    fn what_is_received_is_taken_once_and_in_order(
        sizes in prop::collection::vec(0usize..400, 1..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        message in 1usize..6,
    ) {
        let frames: Vec<Vec<u8>> = sizes.iter().enumerate().map(|(index, &size)| {
            let mut bytes = Vec::new();
            let call = CallId(u32::try_from(index).unwrap());
            encode_message(&ClientMessage::Resolve { call, name: "x".repeat(size) }, &mut bytes);
            bytes
        }).collect();
        let (mut progress, mut taken) = (Progress::default(), Vec::new());
        let connections = cuts.len() + 1;
        for connection in 0..connections {
            // The process sends what comes after the relay's count, a few frames a message.
            let mut skip = usize::try_from(progress.received()).unwrap();
            let rest: Vec<&Vec<u8>> = frames.iter().skip_while(|frame| {
                let is_received = frame.len() <= skip && 0 < skip;
                skip -= if is_received { frame.len() } else { 0 };
                is_received
            }).collect();
            prop_assert_eq!(skip, 0, "the relay counts whole frames");
            let bytes: Vec<u8> = rest.chunks(message).flat_map(|frames| {
                let payload: Vec<u8> = frames.iter().flat_map(|frame| frame.to_vec()).collect();
                let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
                [&[0x82, 0x80 | 126], &length[..], &[0; 4], &payload].concat()
            }).collect();
            let end = match cuts.get(connection) {
                Some(cut) if !bytes.is_empty() => cut.index(bytes.len()),
                Some(_) | None => bytes.len(),
            };
            let mut inbox = Inbox::default();
            inbox.fill(&bytes[..end]);
            while let Some(item) = inbox.next().unwrap() {
                let Item::Frame(Frame::Control(ClientMessage::Resolve { call, name }), length) = item else {
                    panic!("{item:?}")
                };
                prop_assert_eq!(name.len(), sizes[call.0 as usize]);
                progress.take(length);
                taken.push(call.0 as usize);
            }
        }
        prop_assert!(taken.iter().copied().eq(0..sizes.len()));
    }
}

#[test]
fn what_was_acknowledged_takes_no_memory_and_small_messages_little() {
    let mut outbox = Outbox::default();
    outbox.retain();
    let mut sent = 0;
    for call in 0..1000 {
        outbox.message(&done(call));
        let length = outbox.chunk().len();
        sent += length as u64 - 2;
        outbox.advance(length);
    }
    assert!(outbox.memory() < 40_000, "{}", outbox.memory());
    outbox.acknowledged(sent).unwrap();
    assert_eq!(outbox.memory(), 0);
    assert_eq!(
        outbox.acknowledged(sent + 1),
        Err(WrongCount {
            received: sent + 1,
            least: 0,
            most: sent
        })
    );
}

#[test]
fn a_process_that_never_acknowledges_is_sent_no_more_payload() {
    let mut outbox = Outbox::default();
    outbox.retain();
    let mut sent = 0;
    while outbox.has_room_for_payload(65_536) {
        let filled = outbox.stream(SocketId(1), 65_536, |room| Ok::<_, ()>(room.len()));
        sent += filled.unwrap() + HEADER;
        let length = outbox.chunk().len();
        outbox.advance(length);
    }
    assert!(
        (MAX_UNACKED..MAX_UNACKED + 70_000).contains(&sent),
        "{sent}"
    );
    assert!(outbox.memory() <= 2 * sent);
    assert!(outbox.is_owed() && !outbox.is_exceeded());
    assert!(outbox.has_room_for_answers());
    outbox.acknowledged(200_000).unwrap();
    assert!(outbox.has_room_for_payload(65_536));
}

#[test]
fn an_acknowledgement_of_a_lost_connection_still_counts() {
    let mut outbox = Outbox::default();
    outbox.retain();
    outbox.message(&done(1));
    let length = outbox.chunk().len();
    outbox.advance(length);
    let sent = length as u64 - 2;
    outbox.cut();
    assert_eq!(outbox.acknowledged(sent), Ok(()));
    assert!(outbox.resume(sent - 1).is_err());
    assert_eq!(outbox.resume(sent), Ok(()));
}

#[test]
fn answers_that_are_never_acknowledged_come_to_an_end() {
    let mut outbox = Outbox::default();
    outbox.retain();
    let mut call = 0;
    while !outbox.is_exceeded() {
        while outbox.has_room_for_answers() {
            call += 1;
            outbox.message(&done(call));
        }
        let length = outbox.chunk().len();
        outbox.advance(length);
    }
    assert!(outbox.memory() < MOST + (1 << 20), "{}", outbox.memory());
}

#[test]
fn a_process_cannot_come_back_for_what_is_gone_or_never_was() {
    let mut outbox = Outbox::default();
    outbox.retain();
    outbox.message(&done(1));
    let length = outbox.chunk().len();
    outbox.advance(length);
    let sent = length as u64 - 2;
    outbox.acknowledged(sent).unwrap();
    outbox.cut();
    assert!(outbox.resume(0).is_err());
    assert!(outbox.resume(sent + 1).is_err());
    assert_eq!(outbox.resume(sent), Ok(()));
}
