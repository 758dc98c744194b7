//! Addresses and names: what C code cannot hold, getaddrinfo(3) and getnameinfo(3).

use std::net::IpAddr;

use protocol::event::Call;
use protocol::{Address, Domain};
use wasm_bindgen::prelude::*;

use super::super::inet6;
use super::super::lookup::{Failure, Hosts, Query, Scoped};
use super::super::memory::{Memory, Span};
use super::super::process::{Resolved, Step};
use super::super::services::{self, Protocol};
use super::super::sockaddr;
use super::{BLOCKED, Kernel};

/// The length of a `struct addrinfo`, in bytes.
const ADDRINFO: u32 = 32;
/// `NI_NUMERICHOST`.
const NI_NUMERICHOST: i32 = 0x01;
/// `NI_NUMERICSERV`.
const NI_NUMERICSERV: i32 = 0x02;
/// `NI_NAMEREQD`.
const NI_NAMEREQD: i32 = 0x08;
/// `NI_DGRAM`.
const NI_DGRAM: i32 = 0x10;

#[wasm_bindgen]
impl Kernel {
    /// Lays an IPv6 address down: its handle, or zero if the text is none.
    #[wasm_bindgen(js_name = layInet6)]
    pub fn lay_inet6(&mut self, ip: &str, port: u16, flow: u32, scope: u32) -> u32 {
        match ip.parse() {
            Ok(ip) => self.addresses.handle(&Address::Inet6 {
                ip,
                port,
                flow,
                scope,
            }),
            Err(_) => 0,
        }
    }

    /// The IPv6 address with this handle: its text, port, flow label and scope, with spaces between.
    #[wasm_bindgen(js_name = inet6Of)]
    pub fn inet6_of(&self, handle: u32) -> Option<String> {
        match self.addresses.get(handle)? {
            Address::Inet6 {
                ip,
                port,
                flow,
                scope,
            } => Some(format!("{} {port} {flow} {scope}", inet6::text(*ip))),
            Address::Unspecified | Address::Inet { .. } | Address::Unix(_) => None,
        }
    }

    /// inet_pton(3) of an IPv6 address; nothing if it is none.
    #[wasm_bindgen(js_name = inet6Bytes)]
    pub fn inet6_bytes(text: &str) -> Option<Vec<u8>> {
        let ip: std::net::Ipv6Addr = text.parse().ok()?;
        Some(ip.octets().to_vec())
    }

    /// inet_ntop(3) of an IPv6 address; nothing if it has not sixteen bytes.
    #[wasm_bindgen(js_name = inet6Text)]
    pub fn inet6_text(bytes: &[u8]) -> Option<String> {
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        Some(inet6::text(bytes.into()))
    }

    /// getaddrinfo(3): zero, or one of the `EAI_…` numbers.
    #[wasm_bindgen(js_name = lookUp)]
    pub fn look_up(&mut self, token: i32, node: u32, service: u32, hints: u32, result: u32) -> i32 {
        let hint = |memory: &mut Memory, index: u32| match hints {
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
            Ok(Hosts::Known(hosts)) => return self.answer(&query, &hosts, result),
            Ok(Hosts::Ask(name)) => name,
        };
        let attempt = self.attempt(token);
        self.note(token, Call::Resolve, 0);
        let resolved = self.process.resolve(attempt, name);
        let is_blocked = matches!(resolved, Ok(Step::Blocked(_)));
        let mut hosts = Vec::new();
        let end = self.end(resolved, |_, resolved| {
            if let Resolved::Hosts(found) = resolved {
                hosts = found;
            }
            0
        });
        match (end, query.found(hosts)) {
            (BLOCKED, _) if is_blocked => BLOCKED,
            (_, Ok(hosts)) => self.answer(&query, &hosts, result),
            (_, Err(failure)) => failure as i32,
        }
    }

    /// getnameinfo(3): zero, or one of the `EAI_…` numbers.
    #[wasm_bindgen(js_name = nameOf)]
    #[expect(clippy::too_many_arguments, reason = "those of the call and its token")]
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
        let (ip, port, scope): (IpAddr, _, _) =
            match sockaddr::decode(&bytes, Domain::Inet, &self.addresses) {
                Ok(Address::Inet { ip, port }) => (ip.into(), port, 0),
                Ok(Address::Inet6 {
                    ip, port, scope, ..
                }) => (ip.into(), port, scope),
                Ok(Address::Unspecified | Address::Unix(_)) | Err(_) => {
                    return Failure::Family as i32;
                }
            };
        let mut name = None;
        if flags & NI_NUMERICHOST == 0 && ip.to_canonical().is_loopback() {
            name = Some("localhost".to_owned());
        } else if flags & NI_NUMERICHOST == 0 && !ip.is_unspecified() {
            let attempt = self.attempt(token);
            self.note(token, Call::Resolve, 0);
            let reversed = self.process.reverse(attempt, ip);
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
        let name = name.unwrap_or_else(|| match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => inet6::scoped(ip, scope),
        });
        let protocol = if flags & NI_DGRAM == 0 {
            Protocol::Tcp
        } else {
            Protocol::Udp
        };
        let port_name = match services::name(port, protocol) {
            Some(name) if flags & NI_NUMERICSERV == 0 => name.to_owned(),
            _ => port.to_string(),
        };
        let is_written = self.write_text(host, host_size, &name)
            && self.write_text(service, service_size, &port_name);
        if is_written {
            0
        } else {
            Failure::Overflow as i32
        }
    }

    /// getservbyname(3) with `tcp` or `udp`: the port, or zero.
    #[wasm_bindgen(js_name = servicePort)]
    pub fn service_port(name: &str, protocol: &str) -> u16 {
        let port = protocol_of(protocol).and_then(|protocol| services::port(name, protocol));
        port.unwrap_or(0)
    }

    /// getservbyport(3) with `tcp` or `udp`: the name, if there is one.
    #[wasm_bindgen(js_name = serviceName)]
    pub fn service_name(port: u16, protocol: &str) -> Option<String> {
        let name = services::name(port, protocol_of(protocol)?)?;
        Some(name.to_owned())
    }

    /// if_nameindex(3): the interfaces' names by their index, as JSON.
    pub fn interfaces() -> String {
        serde_json::to_string(&inet6::INTERFACES).unwrap_or_default()
    }
}

impl Kernel {
    /// Writes the list that getaddrinfo(3) hands out. The interpreter's freeaddrinfo(3) frees the first line and its
    /// address, so all lines lie in the one block and all addresses, with the canonical name, in the other.
    fn answer(&mut self, query: &Query, hosts: &[Scoped], result: u32) -> i32 {
        let entries = match query.entries(hosts) {
            Ok(entries) => entries,
            Err(failure) => return failure as i32,
        };
        let mut payload: Vec<u8> = entries
            .iter()
            .flat_map(|entry| {
                let address = match entry.ip {
                    IpAddr::V4(ip) => Address::Inet {
                        ip,
                        port: entry.port,
                    },
                    IpAddr::V6(ip) => Address::Inet6 {
                        ip,
                        port: entry.port,
                        flow: 0,
                        scope: entry.scope,
                    },
                };
                sockaddr::encode(&address, &mut self.addresses)
            })
            .collect();
        let name_at = length(&payload);
        if let Some(name) = query.canonical() {
            payload.extend(name.bytes().chain([0]));
        }
        let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let lines = self.glue.malloc(ADDRINFO * count);
        let addresses = self.glue.malloc(length(&payload));
        if lines == 0 || addresses == 0 {
            return Failure::Memory as i32;
        }
        self.memory.write(addresses, &payload);
        for (index, entry) in (0..count).zip(&entries) {
            let line = lines + ADDRINFO * index;
            let family = match entry.ip {
                IpAddr::V4(_) => sockaddr::AF_INET,
                IpAddr::V6(_) => sockaddr::AF_INET6,
            };
            let has_name = index == 0 && query.canonical().is_some();
            let fields = [
                0,
                u32::from(family),
                entry.kind.cast_unsigned(),
                entry.protocol.cast_unsigned(),
                sockaddr::SOCKADDR,
                addresses + sockaddr::SOCKADDR * index,
                if has_name { addresses + name_at } else { 0 },
                if index + 1 < count {
                    line + ADDRINFO
                } else {
                    0
                },
            ];
            self.memory
                .write(line, &fields.map(u32::to_le_bytes).concat());
        }
        self.memory.write_u32(result, lines);
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

fn protocol_of(name: &str) -> Option<Protocol> {
    match name {
        "tcp" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        _ => None,
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
