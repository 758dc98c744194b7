//! Where a request comes from, if proxies that are trusted stand between.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header::FORWARDED};

use crate::client::Client;
use crate::config::{Access, ProxyHeader};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client of a request that came from this peer.
///
/// Each proxy adds whom it was asked by, at the right end. So the list is read from the right for as long as it was
/// written by proxies that are trusted; the first address that is none of theirs is the client's.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, access: &Access) -> Client {
    let trusted = |address: IpAddr| {
        let address = address.to_canonical();
        access.proxies.iter().any(|proxy| proxy.contains(&address))
    };
    let mut client = peer;
    if trusted(client) {
        for hop in hops(headers, access.header).into_iter().rev() {
            // What cannot be read was not written by a proxy that says where it was asked from.
            let Some(address) = hop else { break };
            client = address;
            if !trusted(client) {
                break;
            }
        }
    }
    Client::from(client)
}

/// The addresses in the header, from left to right.
fn hops(headers: &HeaderMap, name: ProxyHeader) -> Vec<Option<IpAddr>> {
    let (name, read): (_, fn(&str) -> Option<IpAddr>) = match name {
        ProxyHeader::XForwardedFor => (X_FORWARDED_FOR, address),
        ProxyHeader::Forwarded => (FORWARDED, element),
    };
    let mut hops = Vec::new();
    for value in headers.get_all(name) {
        match value.to_str() {
            Ok(value) => hops.extend(value.split(',').map(|hop| read(hop.trim()))),
            Err(_) => hops.push(None),
        }
    }
    hops
}

/// Reads one element of `Forwarded`, such as `for="[2001:db8::1]:4711";proto=https` (RFC 7239, section 4).
fn element(text: &str) -> Option<IpAddr> {
    let node = text.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    })?;
    address(node.trim().trim_matches('"'))
}

/// Reads an address, which may stand in brackets and may have a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse()
        .ok()
        .or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const PROXY: &str = "10.0.0.1";

    fn client_of(peer: &str, name: &HeaderName, values: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        let access = Access {
            proxies: vec!["10.0.0.0/8".parse().unwrap()],
            header: if *name == FORWARDED {
                ProxyHeader::Forwarded
            } else {
                ProxyHeader::XForwardedFor
            },
            token: None,
        };
        client(peer.parse().unwrap(), &headers, &access).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let forged = &["198.51.100.7"];
        assert_eq!(
            client_of("192.0.2.1", &X_FORWARDED_FOR, forged),
            "192.0.2.1"
        );
        assert_eq!(client_of(PROXY, &X_FORWARDED_FOR, forged), "198.51.100.7");
        assert_eq!(
            client_of("::ffff:10.0.0.1", &X_FORWARDED_FOR, forged),
            "198.51.100.7"
        );
    }

    #[test]
    fn what_a_client_claims_stands_left_of_what_the_proxy_saw() {
        let list = &["127.0.0.1, 203.0.113.9, 198.51.100.7, 10.2.2.2"];
        assert_eq!(client_of(PROXY, &X_FORWARDED_FOR, list), "198.51.100.7");
        let twice = &["127.0.0.1", "198.51.100.7"];
        assert_eq!(client_of(PROXY, &X_FORWARDED_FOR, twice), "198.51.100.7");
        let broken = &["198.51.100.7, nonsense, 10.2.2.2"];
        assert_eq!(client_of(PROXY, &X_FORWARDED_FOR, broken), "10.2.2.2");
        assert_eq!(client_of(PROXY, &X_FORWARDED_FOR, &[]), PROXY);
    }

    #[test]
    fn the_standard_header_is_read_with_all_its_forms() {
        for (value, expected) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::"),
            ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
            ("proto=https; for=\"192.0.2.43:47011\"", "192.0.2.43"),
            ("for=_hidden", PROXY),
            ("for=unknown", PROXY),
        ] {
            assert_eq!(client_of(PROXY, &FORWARDED, &[value]), expected, "{value}");
        }
    }
}
