//! What a request is told that cannot be answered (RFC 9457).

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::lab::{JoinError, LinkError};

/// How long to wait before asking again for what was full, in seconds.
const PATIENCE: &str = "30";

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// A sentence for a person.
    detail: String,
}

impl Problem {
    /// A problem with this status and sentence.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            detail: detail.into(),
        }
    }

    /// There is no such lab, or it has no such part.
    pub(crate) fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }
}

impl From<JoinError> for Problem {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Labs
            | JoinError::Client
            | JoinError::Hosts
            | JoinError::Processes
            | JoinError::Viewers => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!("the relay is full: {error}"),
            ),
            JoinError::Ending => Self::new(StatusCode::CONFLICT, error.to_string()),
            JoinError::Network => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("the relay is in trouble: {error}"),
            ),
        }
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        let status = match error {
            LinkError::Lab | LinkError::Host => StatusCode::NOT_FOUND,
            LinkError::NoLinks(_) => StatusCode::CONFLICT,
        };
        Self::new(status, error.to_string())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, json);
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(PATIENCE));
        }
        response
    }
}
