//! The body of the fuzz target, and of the bounded test that runs the same on every machine.

use std::fmt::Debug;

use protocol::frame::{encode_address, encode_message};
use protocol::{ClientMessage, Frame, Frames, ServerMessage};
use serde::{Serialize, de::DeserializeOwned};

/// Reads bytes as a process and as the relay would. Panics if the decoder breaks one of its promises.
pub(crate) fn decode_anything(bytes: &[u8]) {
    read_as::<ClientMessage>(bytes);
    read_as::<ServerMessage>(bytes);
}

fn read_as<M: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    let mut payloads = 0;
    let mut failed = false;
    for frame in Frames::<M>::new(bytes) {
        assert!(!failed, "the frames end after the first error");
        match frame {
            Ok(Frame::Control(message)) => {
                let mut again = Vec::new();
                encode_message(&message, &mut again);
                let read = Frames::<M>::new(&again).next();
                assert_eq!(read, Some(Ok(Frame::Control(message))));
            }
            Ok(Frame::Stream { payload, .. }) => payloads += payload.len(),
            Ok(Frame::Urgent { .. } | Frame::Message { .. }) => payloads += 1,
            Ok(Frame::Datagram {
                address, payload, ..
            }) => {
                encode_address(&address, &mut Vec::new());
                payloads += payload.len();
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                failed = true;
            }
        }
    }
    assert!(payloads <= bytes.len(), "payload is never made up");
}
