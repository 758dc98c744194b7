//! getaddrinfo(3) and getnameinfo(3), as far as they need no relay.

use std::net::{IpAddr, Ipv4Addr};

/// musl's numbers for what can go wrong; the Python layer puts glibc's words to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Failure {
    /// `EAI_NONAME`: no such name.
    NoName = -2,
    /// `EAI_FAMILY`: no addresses of this family here.
    Family = -6,
    /// `EAI_SERVICE`: no such service for this kind of socket.
    Service = -8,
    /// `EAI_MEMORY`.
    Memory = -10,
    /// `EAI_OVERFLOW`: the caller's buffer is too small.
    Overflow = -12,
}

/// `AI_PASSIVE`: no name means every address.
const AI_PASSIVE: i32 = 0x01;
/// `AI_NUMERICHOST`: the name must be an address.
const AI_NUMERICHOST: i32 = 0x04;
/// `AI_NUMERICSERV`: the service must be a port.
const AI_NUMERICSERV: i32 = 0x400;

const SOCK_STREAM: i32 = 1;
const SOCK_DGRAM: i32 = 2;
const SOCK_RAW: i32 = 3;
const IPPROTO_TCP: i32 = 6;
const IPPROTO_UDP: i32 = 17;

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

/// Where the addresses come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// They are known here.
    Known(Ipv4Addr),
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
    pub(crate) ip: Ipv4Addr,
    /// The port.
    pub(crate) port: u16,
}

/// The services that teaching programs name, of services(5).
const SERVICES: &[(&str, u16)] = &[
    ("echo", 7),
    ("discard", 9),
    ("daytime", 13),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("domain", 53),
    ("http", 80),
    ("pop3", 110),
    ("ntp", 123),
    ("imap2", 143),
    ("https", 443),
];

impl Query {
    /// Where the addresses come from.
    pub(crate) fn hosts(&self) -> Result<Hosts, Failure> {
        if self.family != 0 && self.family != 2 {
            return Err(Failure::Family);
        }
        let Some(node) = &self.node else {
            if self.service.is_none() {
                return Err(Failure::NoName);
            }
            return Ok(Hosts::Known(if self.flags & AI_PASSIVE != 0 {
                Ipv4Addr::UNSPECIFIED
            } else {
                Ipv4Addr::LOCALHOST
            }));
        };
        if let Some(ip) = inet_aton(node) {
            return Ok(Hosts::Known(ip));
        }
        if self.flags & AI_NUMERICHOST != 0 {
            return Err(Failure::NoName);
        }
        let name = node.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") {
            return Ok(Hosts::Known(Ipv4Addr::LOCALHOST));
        }
        Ok(Hosts::Ask(name))
    }

    /// The answer for these addresses.
    pub(crate) fn entries(&self, hosts: &[Ipv4Addr]) -> Result<Vec<Entry>, Failure> {
        if hosts.is_empty() {
            return Err(Failure::NoName);
        }
        let port = match &self.service {
            None => 0,
            Some(service) => self.port(service)?,
        };
        let kinds: &[(i32, i32)] = match (self.kind, self.protocol) {
            (0, 0) => &[
                (SOCK_STREAM, IPPROTO_TCP),
                (SOCK_DGRAM, IPPROTO_UDP),
                (SOCK_RAW, 0),
            ],
            (0 | SOCK_STREAM, IPPROTO_TCP) | (SOCK_STREAM, 0) => &[(SOCK_STREAM, IPPROTO_TCP)],
            (0 | SOCK_DGRAM, IPPROTO_UDP) | (SOCK_DGRAM, 0) => &[(SOCK_DGRAM, IPPROTO_UDP)],
            (SOCK_RAW, _) => &[(SOCK_RAW, 0)],
            _ => return Err(Failure::Service),
        };
        let entry = |ip| {
            kinds.iter().map(move |&(kind, protocol)| Entry {
                kind,
                protocol,
                ip,
                port,
            })
        };
        Ok(hosts.iter().copied().flat_map(entry).collect())
    }

    fn port(&self, service: &str) -> Result<u16, Failure> {
        if let Ok(port) = service.parse::<u32>() {
            // As glibc: the port's low 16 bits; CPython checks the range itself where it matters.
            return Ok((port & 0xffff) as u16);
        }
        if self.flags & AI_NUMERICSERV != 0 {
            return Err(Failure::NoName);
        }
        service_port(service).ok_or(Failure::Service)
    }
}

/// The port of a service.
pub(crate) fn service_port(service: &str) -> Option<u16> {
    SERVICES
        .iter()
        .find(|&&(name, _)| name == service)
        .map(|&(_, port)| port)
}

/// The service of a port.
pub(crate) fn service_name(port: u16) -> Option<&'static str> {
    SERVICES
        .iter()
        .find(|&&(_, number)| number == port)
        .map(|&(name, _)| name)
}

/// The IPv4 addresses among these.
pub(crate) fn ipv4(hosts: Vec<IpAddr>) -> Vec<Ipv4Addr> {
    hosts
        .into_iter()
        .filter_map(|host| match host {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        })
        .collect()
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
mod tests {
    use super::*;

    fn query(node: &str) -> Query {
        Query {
            node: Some(node.to_owned()),
            ..Query::default()
        }
    }

    #[test]
    fn addresses_and_localhost_need_no_lab() {
        let known = |node| query(node).hosts();
        assert_eq!(known("127.0.0.1"), Ok(Hosts::Known(Ipv4Addr::LOCALHOST)));
        assert_eq!(known("127.1"), Ok(Hosts::Known(Ipv4Addr::LOCALHOST)));
        assert_eq!(known("localhost"), Ok(Hosts::Known(Ipv4Addr::LOCALHOST)));
        assert_eq!(known("256.0.0.1"), Ok(Hosts::Ask("256.0.0.1".to_owned())));
        assert_eq!(known("Bob"), Ok(Hosts::Ask("bob".to_owned())));
    }

    #[test]
    fn no_name_means_every_address_or_this_host() {
        let mut query = Query {
            service: Some("80".to_owned()),
            ..Query::default()
        };
        assert_eq!(query.hosts(), Ok(Hosts::Known(Ipv4Addr::LOCALHOST)));
        query.flags = AI_PASSIVE;
        assert_eq!(query.hosts(), Ok(Hosts::Known(Ipv4Addr::UNSPECIFIED)));
        query.family = 10;
        assert_eq!(query.hosts(), Err(Failure::Family));
    }

    #[test]
    fn every_kind_is_listed_unless_one_was_asked_for() {
        let mut query = query("x");
        query.service = Some("http".to_owned());
        let entries = query.entries(&[Ipv4Addr::LOCALHOST]).unwrap();
        let kinds: Vec<_> = entries
            .iter()
            .map(|entry| (entry.kind, entry.protocol, entry.port))
            .collect();
        assert_eq!(kinds, [(1, 6, 80), (2, 17, 80), (3, 0, 80)]);
        query.kind = SOCK_DGRAM;
        assert_eq!(query.entries(&[Ipv4Addr::LOCALHOST]).unwrap().len(), 1);
        assert_eq!(query.entries(&[]), Err(Failure::NoName));
        query.service = Some("no-such".to_owned());
        assert_eq!(query.entries(&[Ipv4Addr::LOCALHOST]), Err(Failure::Service));
    }
}
