//! poll, threads and everything else that is not a call on one socket.

use protocol::SocketId;
use protocol::event::Call;
use wasm_bindgen::prelude::*;

use super::super::memory::Span;
use super::super::process::{PollEntry, PollTarget};
use super::super::wait::{WaitId, Wake};
use super::Kernel;

/// The length of a `struct pollfd`, in bytes.
const POLLFD: usize = 8;

#[wasm_bindgen]
impl Kernel {
    /// poll(2) on `length` descriptors. `targets` has three numbers for each: the socket or zero, else the file system
    /// node or a negative number to pass it over, and what the node is ready for.
    pub fn poll(&mut self, token: i32, at: u32, targets: &[i32], timeout: i32) -> i32 {
        let attempt = self.attempt(token);
        self.note(token, Call::Poll, 0);
        let pollfds = self.memory.read(Span {
            start: at,
            length: u32::try_from(targets.len() / 3 * POLLFD).unwrap_or(0),
        });
        let entries: Vec<_> = targets
            .chunks_exact(3)
            .zip(pollfds.chunks_exact(POLLFD))
            .map(|(target, pollfd)| PollEntry {
                target: target_of(target),
                events: i16::from_le_bytes([pollfd[4], pollfd[5]]),
            })
            .collect();
        let result = self.process.poll(&attempt, &entries, timeout);
        self.end(result, |kernel, ready| {
            for (index, events) in (0u32..).zip(&ready) {
                let revents = at + index * 8 + 6;
                kernel.memory.write(revents, &events.to_le_bytes());
            }
            let count = ready.iter().filter(|&&events| events != 0).count();
            i32::try_from(count).unwrap_or(i32::MAX)
        })
    }

    /// Waits for a stream that the kernel does not keep, for a read that would block.
    #[wasm_bindgen(js_name = waitStream)]
    pub fn wait_stream(&mut self, token: i32, node: u32) -> i32 {
        let attempt = self.attempt(token);
        let result = self.process.wait_stream(&attempt, node);
        self.end(result, |_, ()| 0)
    }

    /// Something happened to such a stream.
    #[wasm_bindgen(js_name = notifyStream)]
    pub fn notify_stream(&mut self, node: u32) {
        self.process.notify_stream(node);
        self.carry_out();
    }

    /// The time of a waiting call is up.
    #[wasm_bindgen(js_name = timeOut)]
    pub fn time_out(&mut self, token: i32) {
        self.process.time_out(WaitId(token));
        self.carry_out();
    }

    /// A signal came for this thread: ends what it waits in.
    pub fn interrupt(&mut self, thread: i32) {
        self.process.interrupt(thread);
        self.carry_out();
    }

    /// Parks the calling thread for at most so many microseconds; negative for no limit. Returns 0 when it was
    /// unparked, 1 when the time is up, 2 when a signal came.
    pub fn park(&mut self, token: i32, limit: i32) -> i32 {
        let attempt = self.attempt(token);
        let limit = (0 <= limit).then(|| f64::from(limit) / 1000.0);
        let step = self.process.park(&attempt, limit);
        self.end(Ok(step), |_, wake| why(&wake))
    }

    /// Suspends the calling thread for so many microseconds, zero for one turn of the event loop. Returns as `park`.
    pub fn sleep(&mut self, token: i32, duration: i32) -> i32 {
        let attempt = self.attempt(token);
        let step = self
            .process
            .sleep(&attempt, f64::from(duration.max(0)) / 1000.0);
        self.end(Ok(step), |_, wake| why(&wake))
    }

    /// Lets a parked thread go on, now or when it parks next.
    pub fn unpark(&mut self, thread: i32) {
        self.process.unpark(thread);
        self.carry_out();
    }

    /// A thread has ended.
    #[wasm_bindgen(js_name = forgetThread)]
    pub fn forget_thread(&mut self, thread: i32) {
        self.process.forget_thread(thread);
    }
}

fn target_of(target: &[i32]) -> PollTarget {
    match *target {
        [0, node, _] if node < 0 => PollTarget::None,
        [0, node, ready] => PollTarget::Stream {
            node: node.cast_unsigned(),
            ready: i16::try_from(ready).unwrap_or(0),
        },
        [socket, ..] => PollTarget::Socket(SocketId(socket.cast_unsigned())),
        [] => PollTarget::None,
    }
}

/// What `park` and `sleep` return.
fn why(wake: &Wake) -> i32 {
    match wake {
        Wake::Ready | Wake::Answered(_) | Wake::Made(_) => 0,
        Wake::TimedOut => 1,
        Wake::Interrupted => 2,
    }
}
