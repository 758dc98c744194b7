//! poll, threads, name resolution and everything else that is not a call on one socket.

use std::net::{IpAddr, Ipv4Addr};

use protocol::{Address, SocketId};
use wasm_bindgen::prelude::*;

use super::super::lookup::{Failure, Hosts, Query, ipv4, service_name, service_port};
use super::super::memory::Span;
use super::super::process::{PollEntry, PollTarget, Resolved, Step};
use super::super::sockaddr;
use super::super::wait::{WaitId, Wake};
use super::{BLOCKED, Kernel};

/// The length of a `struct pollfd`, in bytes.
const POLLFD: usize = 8;
/// The length of a `struct addrinfo`, in bytes.
const ADDRINFO: u32 = 32;
/// `NI_NUMERICHOST`.
const NI_NUMERICHOST: i32 = 0x01;
/// `NI_NUMERICSERV`.
const NI_NUMERICSERV: i32 = 0x02;
/// `NI_NAMEREQD`.
const NI_NAMEREQD: i32 = 0x08;

#[wasm_bindgen]
impl Kernel {
    /// poll(2) on `length` descriptors. `targets` has three numbers for each: the socket or zero, else the file system
    /// node or a negative number to pass it over, and what the node is ready for.
    pub fn poll(&mut self, token: i32, at: u32, targets: &[i32], timeout: i32) -> i32 {
        let attempt = self.attempt(token);
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
        let now = self.glue.now();
        let result = self.process.poll(&attempt, &entries, timeout, now);
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

    /// getaddrinfo(3): zero, or one of musl's `EAI_…` numbers.
    #[wasm_bindgen(js_name = lookUp)]
    pub fn look_up(&mut self, token: i32, node: u32, service: u32, hints: u32, result: u32) -> i32 {
        let hint = |memory: &mut super::Memory, index: u32| match hints {
            0 => 0,
            hints => memory.read_u32(hints + 4 * index).cast_signed(),
        };
        let query = Query {
            node: self.memory.read_text(node),
            service: self.memory.read_text(service),
            flags: hint(&mut self.memory, 0),
            family: hint(&mut self.memory, 1),
            kind: hint(&mut self.memory, 2),
            protocol: hint(&mut self.memory, 3),
        };
        let name = match query.hosts() {
            Err(failure) => return failure as i32,
            Ok(Hosts::Known(ip)) => return self.answer(&query, &[ip], result),
            Ok(Hosts::Ask(name)) => name,
        };
        let attempt = self.attempt(token);
        let resolved = self.process.resolve(attempt, name);
        let is_blocked = matches!(resolved, Ok(Step::Blocked(_)));
        let mut hosts = Vec::new();
        let end = self.end(resolved, |_, resolved| {
            if let Resolved::Hosts(found) = resolved {
                hosts = ipv4(found);
            }
            0
        });
        match end {
            BLOCKED if is_blocked => BLOCKED,
            _ => self.answer(&query, &hosts, result),
        }
    }

    /// getnameinfo(3): zero, or one of musl's `EAI_…` numbers.
    #[wasm_bindgen(js_name = nameOf)]
    #[expect(
        clippy::too_many_arguments,
        reason = "those of the system call, its token and the descriptor's flags"
    )]
    pub fn name_of(
        &mut self,
        token: i32,
        address: u32,
        length: u32,
        host: u32,
        host_size: u32,
        service: u32,
        service_size: u32,
        flags: i32,
    ) -> i32 {
        let bytes = self.memory.read(Span {
            start: address,
            length,
        });
        let Ok(Address::Inet { ip, port }) = sockaddr::decode(&bytes) else {
            return Failure::Family as i32;
        };
        let mut name = None;
        if ip.is_loopback() && flags & NI_NUMERICHOST == 0 {
            name = Some("localhost".to_owned());
        } else if flags & NI_NUMERICHOST == 0 && ip != Ipv4Addr::UNSPECIFIED {
            let attempt = self.attempt(token);
            let reversed = self.process.reverse(attempt, IpAddr::V4(ip));
            let is_blocked = matches!(reversed, Ok(Step::Blocked(_)));
            let end = self.end(reversed, |_, resolved| {
                if let Resolved::Name(found) = resolved {
                    name = found.map(String::from);
                }
                0
            });
            if is_blocked && end == BLOCKED {
                return BLOCKED;
            }
        }
        if name.is_none() && flags & NI_NAMEREQD != 0 {
            return Failure::NoName as i32;
        }
        let port_name = match service_name(port) {
            Some(name) if flags & NI_NUMERICSERV == 0 => name.to_owned(),
            _ => port.to_string(),
        };
        let is_written = self.write_text(host, host_size, &name.unwrap_or(ip.to_string()))
            && self.write_text(service, service_size, &port_name);
        if is_written {
            0
        } else {
            Failure::Overflow as i32
        }
    }

    /// getservbyname(3): the port, or zero.
    #[wasm_bindgen(js_name = servicePort)]
    pub fn service_port(name: &str) -> u16 {
        service_port(name).unwrap_or(0)
    }
}

impl Kernel {
    /// Writes the list that getaddrinfo(3) hands out. The interpreter frees it.
    fn answer(&mut self, query: &Query, hosts: &[Ipv4Addr], result: u32) -> i32 {
        let entries = match query.entries(hosts) {
            Ok(entries) => entries,
            Err(failure) => return failure as i32,
        };
        let mut next = 0;
        for entry in entries.iter().rev() {
            let sockaddr = sockaddr::encode(&Address::Inet {
                ip: entry.ip,
                port: entry.port,
            });
            let address = self.glue.malloc(sockaddr::SOCKADDR_IN);
            let info = self.glue.malloc(ADDRINFO);
            if address == 0 || info == 0 {
                return Failure::Memory as i32;
            }
            self.memory.write(address, &sockaddr);
            let family = i32::from(sockaddr::AF_INET);
            let fields = [0, family, entry.kind, entry.protocol].map(i32::cast_unsigned);
            let fields = fields
                .into_iter()
                .chain([sockaddr::SOCKADDR_IN, address, 0, next]);
            let bytes: Vec<_> = fields.flat_map(u32::to_le_bytes).collect();
            self.memory.write(info, &bytes);
            next = info;
        }
        self.memory.write_u32(result, next);
        0
    }

    /// Writes a text and its final zero, if there is room. No room was asked for: nothing to do.
    fn write_text(&mut self, at: u32, size: u32, text: &str) -> bool {
        if at == 0 || size == 0 {
            return true;
        }
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        if (size as usize) < bytes.len() {
            return false;
        }
        self.memory.write(at, &bytes);
        true
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
        Wake::Ready | Wake::Answered(_) | Wake::Accepted(_) => 0,
        Wake::TimedOut => 1,
        Wake::Interrupted => 2,
    }
}
