//! getaddrinfo(3), as far as it needs no relay: what glibc does with names, services and flags.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::inet6;
use super::services::{self, Protocol};

/// What can go wrong, by the numbers that musl and glibc share; the worker's glue puts glibc's words to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Failure {
    /// `EAI_BADFLAGS`: these flags make no sense.
    Flags = -1,
    /// `EAI_NONAME`: no such name.
    NoName = -2,
    /// `EAI_NODATA`: the name has no address of this family.
    NoData = -5,
    /// `EAI_FAMILY`: there is no such family.
    Family = -6,
    /// `EAI_SOCKTYPE`: there is no such kind of socket.
    Kind = -7,
    /// `EAI_SERVICE`: no such service for this kind of socket.
    Service = -8,
    /// `EAI_ADDRFAMILY`: the address is of another family.
    AddressFamily = -9,
    /// `EAI_MEMORY`.
    Memory = -10,
    /// `EAI_OVERFLOW`: the caller's buffer is too small.
    Overflow = -12,
}

/// `AI_PASSIVE`: no name means every address.
const AI_PASSIVE: i32 = 0x01;
/// `AI_CANONNAME`: the name's own name is wanted too.
const AI_CANONNAME: i32 = 0x02;
/// `AI_NUMERICHOST`: the name must be an address.
const AI_NUMERICHOST: i32 = 0x04;
/// `AI_V4MAPPED`: IPv4 addresses will do for IPv6.
const AI_V4MAPPED: i32 = 0x08;
/// `AI_ALL`: IPv4 addresses are wanted beside the IPv6 ones.
const AI_ALL: i32 = 0x10;
/// `AI_NUMERICSERV`: the service must be a port.
const AI_NUMERICSERV: i32 = 0x400;
/// Every flag that there is, `AI_ADDRCONFIG` included, which changes nothing: every host has both families.
const AI_FLAGS: i32 = 0x3f | AI_NUMERICSERV;

const AF_UNSPEC: i32 = 0;
const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;

const SOCK_STREAM: i32 = 1;
const SOCK_DGRAM: i32 = 2;
const SOCK_RAW: i32 = 3;
const IPPROTO_TCP: i32 = 6;
const IPPROTO_UDP: i32 = 17;
const IPPROTO_UDPLITE: i32 = 136;

/// What is looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// The host's name or address.
    pub(crate) node: Option<String>,
    /// The service's name or port.
    pub(crate) service: Option<String>,
    /// `ai_flags`.
    pub(crate) flags: i32,
    /// `ai_family`.
    pub(crate) family: i32,
    /// `ai_socktype`.
    pub(crate) kind: i32,
    /// `ai_protocol`.
    pub(crate) protocol: i32,
}

/// An address and its scope, zero for none.
pub(crate) type Scoped = (IpAddr, u32);

/// Where the addresses come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// They are known here, in this order.
    Known(Vec<Scoped>),
    /// The lab must be asked for this name.
    Ask(String),
}

/// One line of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `ai_socktype`.
    pub(crate) kind: i32,
    /// `ai_protocol`.
    pub(crate) protocol: i32,
    /// The address.
    pub(crate) ip: IpAddr,
    /// Its scope.
    pub(crate) scope: u32,
    /// The port.
    pub(crate) port: u16,
}

/// A kind of socket: its type and its protocol.
type KindOf = (i32, i32);

impl Query {
    /// Where the addresses come from.
    pub(crate) fn hosts(&self) -> Result<Hosts, Failure> {
        let node = self.node.as_deref().filter(|node| *node != "*");
        if node.is_none() && self.service.is_none() {
            return Err(Failure::NoName);
        }
        if self.flags & !AI_FLAGS != 0 || (self.has(AI_CANONNAME) && node.is_none()) {
            return Err(Failure::Flags);
        }
        if ![AF_UNSPEC, AF_INET, AF_INET6].contains(&self.family) {
            return Err(Failure::Family);
        }
        self.kinds()?;
        let Some(node) = node else {
            return Ok(Hosts::Known(self.nowhere()));
        };
        if let Some(ip) = inet_aton(node) {
            return self.numeric((ip.into(), 0));
        }
        if let Some((ip, scope)) = inet6::parse(node) {
            let ip = match ip.to_ipv4_mapped() {
                Some(ip) if self.family == AF_INET => ip.into(),
                _ => ip.into(),
            };
            return self.numeric((ip, scope));
        }
        let name = node.trim_end_matches('.').to_ascii_lowercase();
        if self.has(AI_NUMERICHOST) || name.is_empty() || node.contains('%') {
            return Err(Failure::NoName);
        }
        if name == "localhost" || name.ends_with(".localhost") {
            let both = vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
            return self.found(both).map(Hosts::Known);
        }
        Ok(Hosts::Ask(name))
    }

    /// What no name means: every address, or this host's own. glibc has IPv4 first in the one and IPv6 in the other.
    fn nowhere(&self) -> Vec<Scoped> {
        let addresses: [IpAddr; 2] = if self.has(AI_PASSIVE) {
            [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
        } else {
            [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]
        };
        let wanted = addresses.into_iter().filter(|&ip| self.wants(ip));
        wanted.map(|ip| (ip, 0)).collect()
    }

    fn numeric(&self, (ip, scope): Scoped) -> Result<Hosts, Failure> {
        match ip {
            ip if self.wants(ip) => Ok(Hosts::Known(vec![(ip, scope)])),
            IpAddr::V4(ip) if self.has(AI_V4MAPPED) => {
                Ok(Hosts::Known(vec![(ip.to_ipv6_mapped().into(), 0)]))
            }
            _ => Err(Failure::AddressFamily),
        }
    }

    /// The addresses of a name that are wanted, in their order: IPv6 first (RFC 6724, section 6).
    pub(crate) fn found(&self, hosts: Vec<IpAddr>) -> Result<Vec<Scoped>, Failure> {
        if hosts.is_empty() {
            return Err(Failure::NoName);
        }
        let (v4, v6): (Vec<_>, Vec<_>) = hosts.into_iter().partition(IpAddr::is_ipv4);
        let mapped = v4.iter().filter_map(|ip| match ip {
            IpAddr::V4(ip) => Some(ip.to_ipv6_mapped().into()),
            IpAddr::V6(_) => None,
        });
        let may_map = self.family == AF_INET6 && self.has(AI_V4MAPPED);
        let wanted: Vec<IpAddr> = match self.family {
            AF_INET => v4,
            AF_INET6 if may_map && (v6.is_empty() || self.has(AI_ALL)) => {
                v6.into_iter().chain(mapped).collect()
            }
            AF_INET6 => v6,
            _ => v6.into_iter().chain(v4).collect(),
        };
        if wanted.is_empty() {
            return Err(Failure::NoData);
        }
        Ok(wanted.into_iter().map(|ip| (ip, 0)).collect())
    }

    /// The answer for these addresses.
    pub(crate) fn entries(&self, hosts: &[Scoped]) -> Result<Vec<Entry>, Failure> {
        let kinds = self.kinds()?;
        let entry = |&(ip, scope): &Scoped| {
            let kinds = kinds.clone().into_iter();
            kinds.map(move |((kind, protocol), port)| Entry {
                kind,
                protocol,
                ip,
                scope,
                port,
            })
        };
        Ok(hosts.iter().flat_map(entry).collect())
    }

    /// `ai_canonname` of the first line: the name's own, or the text of an address as it was given.
    pub(crate) fn canonical(&self) -> Option<&str> {
        let node = self.node.as_deref().filter(|_| self.has(AI_CANONNAME))?;
        Some(match node.trim_end_matches('.') {
            "" => node,
            name => name,
        })
    }

    /// The kinds of socket that are wanted, each with the port that the service has for it.
    fn kinds(&self) -> Result<Vec<(KindOf, u16)>, Failure> {
        let port = self.service.as_deref().map(number_of);
        if port == Some(None) && self.has(AI_NUMERICSERV) {
            return Err(Failure::NoName);
        }
        let wanted: Vec<KindOf> = match (self.kind, self.protocol) {
            (0, 0) => vec![
                (SOCK_STREAM, IPPROTO_TCP),
                (SOCK_DGRAM, IPPROTO_UDP),
                (SOCK_RAW, 0),
            ],
            (0 | SOCK_STREAM, IPPROTO_TCP) | (SOCK_STREAM, 0) => vec![(SOCK_STREAM, IPPROTO_TCP)],
            (0 | SOCK_DGRAM, IPPROTO_UDP) | (SOCK_DGRAM, 0) => vec![(SOCK_DGRAM, IPPROTO_UDP)],
            (0 | SOCK_DGRAM, IPPROTO_UDPLITE) => vec![(SOCK_DGRAM, IPPROTO_UDPLITE)],
            (0 | SOCK_RAW, protocol) => vec![(SOCK_RAW, protocol)],
            _ => return Err(Failure::Kind),
        };
        let kinds: Vec<_> = wanted
            .into_iter()
            .filter_map(|kind| {
                let port = match (port, &self.service) {
                    (Some(None), Some(name)) => named(name, kind)?,
                    (port, _) => port.flatten().unwrap_or(0),
                };
                Some((kind, port))
            })
            .collect();
        if kinds.is_empty() {
            return Err(Failure::Service);
        }
        Ok(kinds)
    }

    fn wants(&self, ip: IpAddr) -> bool {
        match self.family {
            AF_INET => ip.is_ipv4(),
            AF_INET6 => ip.is_ipv6(),
            _ => true,
        }
    }

    fn has(&self, flag: i32) -> bool {
        self.flags & flag != 0
    }
}

/// The port that a numeric service means: as glibc, the number's low 16 bits. Nothing at all is zero.
fn number_of(service: &str) -> Option<u16> {
    if service.is_empty() {
        return Some(0);
    }
    service
        .parse::<u32>()
        .ok()
        .map(|port| (port & 0xffff) as u16)
}

fn named(service: &str, kind: KindOf) -> Option<u16> {
    match kind {
        (SOCK_STREAM, _) => services::port(service, Protocol::Tcp),
        (SOCK_DGRAM, IPPROTO_UDP) => services::port(service, Protocol::Udp),
        // No service has a port of UDP-Lite (services(5)).
        _ => None,
    }
}

/// An address in the forms of inet_aton(3): one to four numbers, decimal, octal or hexadecimal, the last of which fills
/// the rest.
fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    let (&last, first) = parts.split_last()?;
    if 3 < first.len() || first.iter().any(|&part| 255 < part) {
        return None;
    }
    let room = 8 * (4 - u32::try_from(first.len()).ok()?);
    if room < 32 && last >> room != 0 {
        return None;
    }
    let head = first
        .iter()
        .zip([24, 16, 8])
        .fold(0, |head, (&part, shift)| head | part << shift);
    Some(Ipv4Addr::from(head | last))
}

fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests;
