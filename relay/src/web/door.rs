//! Lets in only who knows the access token, if the operator has set one.
//!
//! A browser can set no header when it opens a WebSocket, and an address with a secret in it ends up in histories and
//! logs. So a person opens the page once as `/?token=…`; the answer is a cookie that scripts cannot read, and the way
//! back to the address without the token.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, COOKIE, HeaderMap, HeaderValue, LOCATION, SET_COOKIE,
    WWW_AUTHENTICATE,
};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Site;
use crate::config::AccessToken;

/// The cookie's name.
const NAME: &str = "socketpad_access";

/// How long a browser keeps it, in seconds: a term of school.
const AGE: u32 = 180 * 86_400;

/// What who has no token is told.
const SENTENCE: &str =
    "This relay is not open to everybody. Open it once with its access token, as /?token=TOKEN.\n";

/// Passes a request on if it has the token, or if none is needed.
pub(super) async fn check(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let Some(token) = &site.access.token else {
        return next.run(request).await;
    };
    // A probe of the operator's has no secrets to see.
    if request.uri().path() == "/healthz" || knows(request.headers(), token) {
        return next.run(request).await;
    }
    if request.method() == Method::GET
        && let Some(presented) = presented(request.uri())
        && token.is(presented)
    {
        return enter(request.uri().path(), presented, request.headers());
    }
    let challenge = [(WWW_AUTHENTICATE, "Bearer realm=\"socketpad\"")];
    (StatusCode::UNAUTHORIZED, challenge, SENTENCE).into_response()
}

/// Whether a request has the token, in its cookie or as a program sends it (RFC 6750, section 2.1).
fn knows(headers: &HeaderMap, token: &AccessToken) -> bool {
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .is_some_and(|(scheme, value)| {
            scheme.eq_ignore_ascii_case("bearer") && token.is(value.trim())
        });
    let cookie = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .any(|(name, value)| name == NAME && token.is(value));
    bearer || cookie
}

/// The token in an address.
fn presented(uri: &Uri) -> Option<&str> {
    uri.query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
}

/// Gives the cookie, and leads to the same address without the token.
fn enter(path: &str, token: &str, headers: &HeaderMap) -> Response {
    // Only a proxy that ends TLS knows; who claims it of itself keeps the cookie from being sent in the clear.
    let secure = headers
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto == "https");
    let secure = if secure { "; Secure" } else { "" };
    // Lax, so that a link from a course's page works; every call that changes something checks its origin besides.
    let cookie = format!("{NAME}={token}; Path=/; Max-Age={AGE}; HttpOnly; SameSite=Lax{secure}");
    // One slash only at the beginning: two would lead to another site.
    let path = format!("/{}", path.trim_start_matches('/'));
    match (HeaderValue::try_from(cookie), HeaderValue::try_from(path)) {
        (Ok(cookie), Ok(path)) => {
            let headers = [
                (SET_COOKIE, cookie),
                (LOCATION, path),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        (Err(_), _) | (_, Err(_)) => StatusCode::BAD_REQUEST.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> AccessToken {
        "correct-horse-battery".parse().unwrap()
    }

    fn known(name: axum::http::HeaderName, value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        knows(&headers, &token())
    }

    #[test]
    fn a_cookie_or_a_bearer_opens() {
        assert!(known(AUTHORIZATION, "Bearer correct-horse-battery"));
        assert!(known(COOKIE, "a=b; socketpad_access=correct-horse-battery"));
        assert!(!known(AUTHORIZATION, "Basic correct-horse-battery"));
        assert!(!known(AUTHORIZATION, "Bearer wrong-horse-battery-1"));
        assert!(!known(COOKIE, "other=correct-horse-battery"));
        assert!(!knows(&HeaderMap::new(), &token()));
    }

    #[test]
    fn the_way_in_leads_to_the_same_site() {
        let response = enter("//evil.example/", "t", &HeaderMap::new());
        assert_eq!(response.headers()[LOCATION], "/evil.example/");
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.contains("HttpOnly; SameSite=Lax") && !cookie.contains("Secure"));
    }
}
