//! IPv6 addresses as texts (inet_pton(3), RFC 4007 for the scope).

use std::net::Ipv6Addr;

/// The interfaces of a host, by their index.
pub(crate) const INTERFACES: [(u32, &str); 2] = [(1, "lo"), (2, "eth0")];

/// An address as glibc writes it: an IPv4 address in the last 32 bits is shown as one.
pub(crate) fn text(ip: Ipv6Addr) -> String {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => {
            let [.., a, b, c, d] = ip.octets();
            format!("::{a}.{b}.{c}.{d}")
        }
        _ => ip.to_string(),
    }
}

/// An address with its scope, if it has one.
pub(crate) fn scoped(ip: Ipv6Addr, scope: u32) -> String {
    let text = text(ip);
    if scope == 0 {
        return text;
    }
    let name = INTERFACES.iter().find(|&&(index, _)| index == scope);
    match name {
        Some((_, name)) if is_link_local(ip) => format!("{text}%{name}"),
        _ => format!("{text}%{scope}"),
    }
}

/// The address that a text means, and its scope: an interface's name or its index.
pub(crate) fn parse(text: &str) -> Option<(Ipv6Addr, u32)> {
    let Some((text, scope)) = text.split_once('%') else {
        return Some((text.parse().ok()?, 0));
    };
    let ip = text.parse().ok()?;
    let named = INTERFACES.iter().find(|&&(_, name)| name == scope);
    match named {
        Some(&(index, _)) if is_link_local(ip) => Some((ip, index)),
        _ => Some((ip, scope.parse().ok()?)),
    }
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    // Multicast to the link has such a scope too (RFC 4291, section 2.7).
    ip.is_unicast_link_local() || matches!(ip.octets(), [0xff, flags, ..] if flags & 0x0f <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_glibc() {
        for written in [
            "::",
            "::1",
            "fd00::2",
            "::ffff:127.0.0.1",
            "::1.2.3.4",
            "1::2:0:0:3",
        ] {
            let (ip, scope) = parse(written).unwrap();
            assert_eq!((text(ip).as_str(), scope), (written, 0));
        }
        assert_eq!(text("::0.0.1.2".parse().unwrap()), "::102");
        assert_eq!(parse("127.0.0.1"), None);
        assert_eq!(parse("::1::"), None);
    }

    #[test]
    fn a_scope_is_an_interface() {
        let (ip, scope) = parse("fe80::1%eth0").unwrap();
        assert_eq!(scope, 2);
        assert_eq!(scoped(ip, scope), "fe80::1%eth0");
        assert_eq!(parse("fe80::1%7").unwrap().1, 7);
        assert_eq!(parse("fe80::1%wlan0"), None);
        assert_eq!(scoped("::1".parse().unwrap(), 3), "::1%3");
    }
}
