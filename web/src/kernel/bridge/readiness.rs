//! epoll, as the worker's glue calls it.

use protocol::{Errno, SocketId};
use wasm_bindgen::prelude::*;

use super::super::epoll::{EpollId, Operation};
use super::super::process::{Step, Streams};
use super::super::wait::Object;
use super::{Kernel, failed};

/// The most descriptors that one call tells of.
const MOST: usize = 1 << 16;

#[wasm_bindgen]
impl Kernel {
    /// epoll_create1(2) for this file system node: the instance's number.
    #[wasm_bindgen(js_name = epoll)]
    pub fn epoll(&mut self, node: u32) -> u32 {
        self.process.epoll(node).0
    }

    /// close(2) of an instance.
    #[wasm_bindgen(js_name = closeEpoll)]
    pub fn close_epoll(&mut self, epoll: u32) {
        self.process.close_epoll(EpollId(epoll));
        self.carry_out();
    }

    /// epoll_ctl(2) for a socket, or with a zero socket for a stream's node.
    #[wasm_bindgen(js_name = epollControl)]
    pub fn epoll_control(
        &mut self,
        epoll: u32,
        operation: i32,
        fd: i32,
        socket: u32,
        node: u32,
        events: u32,
    ) -> i32 {
        let operation = match operation {
            1 => Operation::Add,
            2 => Operation::Delete,
            3 => Operation::Modify,
            _ => return failed(Errno::EINVAL),
        };
        let object = match socket {
            0 => Object::Stream(node),
            socket => Object::Socket(SocketId(socket)),
        };
        let id = EpollId(epoll);
        let result = self.process.control(id, operation, fd, object, events);
        self.end(result.map(Step::Ready), |_, ()| 0)
    }

    /// The watched descriptors that are no sockets: pairs of descriptor and node.
    #[wasm_bindgen(js_name = epollStreams)]
    pub fn epoll_streams(&self, epoll: u32) -> Vec<i32> {
        let streams = self.process.epoll_streams(EpollId(epoll));
        let pair = |(fd, node): (i32, u32)| [fd, node.cast_signed()];
        streams.into_iter().flat_map(pair).collect()
    }

    /// epoll_wait(2): how many descriptors are ready; each with its events is written at this address, two numbers
    /// each. `streams` has pairs of a descriptor and what it is ready for, negative if it is gone.
    #[wasm_bindgen(js_name = epollWait)]
    pub fn epoll_wait(
        &mut self,
        token: i32,
        epoll: u32,
        at: u32,
        most: i32,
        timeout: i32,
        streams: &[i32],
    ) -> i32 {
        let Some(most) = usize::try_from(most).ok().filter(|&most| 0 < most) else {
            return failed(Errno::EINVAL);
        };
        let attempt = self.attempt(token);
        let (id, limits) = (EpollId(epoll), (most.min(MOST), timeout));
        let streams = states(streams);
        let result = self.process.epoll_wait(&attempt, id, &streams, limits);
        self.end(result, |kernel, ready| {
            let numbers = ready
                .iter()
                .flat_map(|&(fd, events)| [fd.cast_unsigned(), events]);
            let bytes: Vec<u8> = numbers.flat_map(u32::to_le_bytes).collect();
            kernel.memory.write(at, &bytes);
            i32::try_from(ready.len()).unwrap_or(i32::MAX)
        })
    }

    /// Whether an instance has something to tell.
    #[wasm_bindgen(js_name = epollReady)]
    pub fn epoll_ready(&self, epoll: u32, streams: &[i32]) -> bool {
        let ready = self
            .process
            .epoll_ready(EpollId(epoll), &states(streams), 1);
        !ready.is_empty()
    }
}

fn states(streams: &[i32]) -> Streams {
    let pairs = streams.chunks_exact(2);
    pairs
        .map(|pair| {
            (
                pair[0],
                i16::try_from(pair[1]).ok().filter(|&state| 0 <= state),
            )
        })
        .collect()
}
