//! The headers that every response has, so that a browser does nothing with it that the page does not need.

use axum::extract::Request;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::Response;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// What the page may load and connect to. Workers get it with their scripts.
///
/// There is no inline script. The editor writes its styles into the page. The relay is named with both schemes because
/// not every browser takes `'self'` to mean WebSockets too. Other sites may frame the page: articles do.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'none'; connect-src 'self'";

/// Adds the headers.
pub(super) async fn add(request: Request, next: Next) -> Response {
    let policy = policy(request.headers().get(HOST));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// The policy for a page of this host.
fn policy(host: Option<&HeaderValue>) -> HeaderValue {
    let host = host.and_then(|host| host.to_str().ok());
    let named = match host {
        // Whoever makes a request says what its host is, so it is only repeated if it can be nothing but one.
        Some(host) if !host.is_empty() && host.bytes().all(is_part_of_host) => {
            HeaderValue::try_from(format!("{POLICY} ws://{host} wss://{host}"))
        }
        Some(_) | None => HeaderValue::try_from(POLICY),
    };
    named.unwrap_or_else(|_| HeaderValue::from_static(POLICY))
}

fn is_part_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_relay_and_nobody_else() {
        let host = HeaderValue::from_static("127.0.0.1:7070");
        let text = policy(Some(&host));
        assert!(
            text.to_str()
                .unwrap()
                .ends_with("connect-src 'self' ws://127.0.0.1:7070 wss://127.0.0.1:7070")
        );
        let forged = HeaderValue::from_static("a; script-src *");
        assert_eq!(policy(Some(&forged)), POLICY);
        assert_eq!(policy(None), POLICY);
    }
}
