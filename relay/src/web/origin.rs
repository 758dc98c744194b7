//! Whose pages may use the relay.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Whether the page that asks, if it is one, is the relay's own or one that the operator allows. A native client has no
/// origin, and could claim any.
pub(super) fn is_allowed(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = match (origin.split_once("://"), host) {
        (Some(("http" | "https", authority)), Some(host)) => authority.eq_ignore_ascii_case(host),
        (Some(_) | None, _) => false,
    };
    own || is_listed(origin, origins)
}

/// Whether the operator allows an origin.
pub(super) fn is_listed(origin: &str, origins: &[String]) -> bool {
    origins
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn allowed(origin: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("127.0.0.1:7070"));
        headers.insert(ORIGIN, HeaderValue::from_static(origin));
        is_allowed(&headers, &[String::from("https://school.example")])
    }

    #[test]
    fn only_the_relays_own_pages_and_allowed_ones_get_in() {
        for foreign in [
            "http://evil.example",
            "http://127.0.0.1:7071",
            "null",
            "127.0.0.1:7070",
        ] {
            assert!(!allowed(foreign), "{foreign}");
        }
        assert!(allowed("http://127.0.0.1:7070"));
        assert!(allowed("https://school.example"));
        assert!(is_allowed(&HeaderMap::new(), &[]));
    }
}
