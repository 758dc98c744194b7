//! sendmsg(2) and recvmsg(2).

use protocol::Errno;
use wasm_bindgen::prelude::*;

use super::super::ancillary::{self, Laid};
use super::super::memory::{Memory, Span};
use super::super::process::{Envelope, flags};
use super::super::sockaddr;
use super::{Kernel, count, failed};

/// The most bytes of control messages that are read (`net.core.optmem_max` in Linux has such a bound).
const MOST: u32 = 20_480;

/// The fields of a `struct msghdr` that count here.
struct MessageHeader {
    name: u32,
    name_length: u32,
    parts: Vec<Span>,
    controls: Span,
}

impl MessageHeader {
    fn read(memory: &mut Memory, at: u32) -> Self {
        let (vector, length) = (memory.read_u32(at + 8), memory.read_u32(at + 12));
        Self {
            name: memory.read_u32(at),
            name_length: memory.read_u32(at + 4),
            parts: memory.vector(vector, length),
            controls: Span {
                start: memory.read_u32(at + 16),
                length: memory.read_u32(at + 20),
            },
        }
    }
}

#[wasm_bindgen]
impl Kernel {
    /// recvmsg(2).
    #[wasm_bindgen(js_name = recvMessage)]
    pub fn recv_message(
        &mut self,
        token: i32,
        socket: u32,
        message: u32,
        flags: i32,
        stream_flags: u32,
    ) -> i32 {
        let header = MessageHeader::read(&mut self.memory, message);
        let result = self.receive_into(token, socket, &header.parts, flags, stream_flags);
        self.end_receive(result, &header.parts, |kernel, received| {
            let name = match &received.from {
                Some(from) => sockaddr::encode(from, &mut kernel.addresses),
                None => Vec::new(),
            };
            let room = name.len().min(header.name_length as usize);
            if header.name != 0 {
                kernel.memory.write(header.name, &name[..room]);
            }
            let Span { start, length } = header.controls;
            let room = if start == 0 { 0 } else { length as usize };
            let Laid { bytes, is_cut } = ancillary::lay(&received.controls, room);
            kernel.memory.write(start, &bytes);
            let told = received.told | if is_cut { flags::CTRUNC } else { 0 };
            for (field, number) in [(4, count(name.len())), (20, count(bytes.len())), (24, told)] {
                kernel
                    .memory
                    .write_u32(message + field, number.cast_unsigned());
            }
        })
    }

    /// sendmsg(2).
    #[wasm_bindgen(js_name = sendMessage)]
    pub fn send_message(
        &mut self,
        token: i32,
        socket: u32,
        message: u32,
        flags: i32,
        stream_flags: u32,
    ) -> i32 {
        let header = MessageHeader::read(&mut self.memory, message);
        let controls = match header.controls {
            Span { start: 0, .. } => Ok(Vec::new()),
            Span { length, .. } if MOST < length => Err(Errno::ENOBUFS),
            span => ancillary::read(&self.memory.read(span)),
        };
        let address = self.destination(socket, header.name, header.name_length);
        match address.and_then(|address| Ok((address, controls?))) {
            Ok((address, controls)) => {
                let envelope = Envelope {
                    address: &address,
                    controls: &controls,
                };
                self.send_from(token, socket, &header.parts, envelope, flags, stream_flags)
            }
            Err(errno) => failed(errno),
        }
    }
}
