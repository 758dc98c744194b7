//! Lets a process in: the WebSocket's opening handshake (RFC 6455, section 4.2).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use protocol::{LabId, SUBPROTOCOL};
use sha1::{Digest, Sha1};
use tokio::net::TcpStream;
use tracing::Instrument as _;

use super::Site;
use super::forwarded;
use super::origin::is_allowed;
use crate::lab::shown;
use crate::listen::Place;
use crate::session::{self, Caller};

/// What the key is joined with to make the answer (section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a handshake is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HandshakeError {
    /// A page of somebody else's.
    #[error("this page may not open processes here")]
    Origin,
    /// Not a WebSocket.
    #[error("a WebSocket is needed here")]
    NoWebSocket,
    /// The version of RFC 6455 is 13.
    #[error("the WebSocket version must be 13")]
    Version,
    /// Not our protocol.
    #[error("the subprotocol must be {SUBPROTOCOL}")]
    Subprotocol,
    /// Not a lab.
    #[error("that is no lab id")]
    Lab,
}

impl IntoResponse for HandshakeError {
    fn into_response(self) -> Response {
        let text = format!("{self}\n");
        match self {
            Self::Origin => (StatusCode::FORBIDDEN, text).into_response(),
            Self::NoWebSocket => {
                (StatusCode::UPGRADE_REQUIRED, [(UPGRADE, "websocket")], text).into_response()
            }
            Self::Version => (
                StatusCode::UPGRADE_REQUIRED,
                [(SEC_WEBSOCKET_VERSION, "13")],
                text,
            )
                .into_response(),
            Self::Subprotocol => (StatusCode::BAD_REQUEST, text).into_response(),
            Self::Lab => (StatusCode::NOT_FOUND, text).into_response(),
        }
    }
}

/// Opens a process.
pub(super) async fn process(
    State(site): State<Arc<Site>>,
    Path(lab): Path<String>,
    mut request: Request,
) -> Result<Response, HandshakeError> {
    let accept = check(request.headers(), &site.origins)?;
    let lab = LabId::new(lab).map_err(|_| HandshakeError::Lab)?;
    let upgrade = request
        .extensions_mut()
        .remove::<OnUpgrade>()
        .ok_or(HandshakeError::NoWebSocket)?;
    let place = request
        .extensions_mut()
        .remove::<Place>()
        .ok_or(HandshakeError::NoWebSocket)?;
    let client = forwarded::client(place.peer, request.headers(), &site.access);
    let caller = Caller::new(lab, client);
    let settings = Arc::clone(&site.settings);
    let span = tracing::error_span!("connection", lab = shown(&caller.lab));
    let connection = async move {
        let upgraded = match upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => return tracing::debug!(%error, "a handshake was not completed"),
        };
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => {
                let stream = parts.io.into_inner();
                session::serve(stream, &parts.read_buf, caller, settings, place).await;
            }
            Err(_) => tracing::error!("a connection is of an unknown kind"),
        }
    };
    site.sessions.spawn(connection.instrument(span));
    let headers = [
        (UPGRADE, String::from("websocket")),
        (CONNECTION, String::from("Upgrade")),
        (SEC_WEBSOCKET_ACCEPT, accept),
        (SEC_WEBSOCKET_PROTOCOL, String::from(SUBPROTOCOL)),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response())
}

/// Checks a handshake, and makes the answer to its key.
fn check(headers: &HeaderMap, origins: &[String]) -> Result<String, HandshakeError> {
    if !is_allowed(headers, origins) {
        return Err(HandshakeError::Origin);
    }
    if !has_token(headers, UPGRADE, "websocket") || !has_token(headers, CONNECTION, "upgrade") {
        return Err(HandshakeError::NoWebSocket);
    }
    if !has_token(headers, SEC_WEBSOCKET_VERSION, "13") {
        return Err(HandshakeError::Version);
    }
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .ok_or(HandshakeError::NoWebSocket)?;
    if !has_token(headers, SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err(HandshakeError::Subprotocol);
    }
    let mut digest = Sha1::new();
    digest.update(key.as_bytes());
    digest.update(GUID);
    Ok(STANDARD.encode(digest.finalize()))
}

/// Whether a header that is a list has a word in it.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use axum::http::header::{HOST, ORIGIN};

    fn handshake() -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut add = |name, value| headers.insert(name, HeaderValue::from_static(value));
        add(HOST, "127.0.0.1:7070");
        add(ORIGIN, "http://127.0.0.1:7070");
        add(UPGRADE, "websocket");
        add(CONNECTION, "keep-alive, Upgrade");
        add(SEC_WEBSOCKET_VERSION, "13");
        add(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        add(SEC_WEBSOCKET_PROTOCOL, "other, socketpad.v1");
        headers
    }

    fn with(name: HeaderName, value: &'static str) -> Result<String, HandshakeError> {
        let mut headers = handshake();
        headers.insert(name, HeaderValue::from_static(value));
        check(&headers, &[String::from("https://school.example")])
    }

    #[test]
    fn the_answer_is_that_of_the_rfc() {
        // Section 1.3.
        let answer = check(&handshake(), &[]);
        assert_eq!(answer.as_deref(), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn each_fault_has_its_error() {
        assert_eq!(with(UPGRADE, "h2c"), Err(HandshakeError::NoWebSocket));
        assert_eq!(with(CONNECTION, "close"), Err(HandshakeError::NoWebSocket));
        assert_eq!(
            with(SEC_WEBSOCKET_VERSION, "8"),
            Err(HandshakeError::Version)
        );
        assert_eq!(
            with(SEC_WEBSOCKET_PROTOCOL, "socketpad.v2"),
            Err(HandshakeError::Subprotocol)
        );
    }
}
