//! The control plane: `/api/v1`, in JSON, for people's tools and for the page.
//!
//! Every route stands with its description beside its handler, and the router is built from these descriptions; so
//! what `/api/v1/openapi.json` says is what is served.

mod capture;
mod events;
mod labs;
mod link;
mod problem;
mod processes;
mod sockets;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    HeaderValue, ORIGIN, VARY,
};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use protocol::{HostName, LabId};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::problem::Problem;
use super::Site;
use super::forwarded;
use super::origin::{is_allowed, is_listed};
use crate::client::Client;
use crate::listen::Place;

/// The most that a request may say, in bytes: conditions of a link with every value have less than 1 KiB.
const SAID: usize = 16 << 10;

/// The description, without what the handlers add to it.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Socketpad",
        description = "Labs, their hosts and processes, and what happens in them. Whoever knows the id of a lab may do \
                       all of this to it; there is no list of labs.",
    ),
    components(schemas(Problem, capture::Follow, events::Format))
)]
struct Description;

/// The routes, and what they are described as.
fn described() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(labs::create))
        .routes(routes!(labs::inspect, labs::ensure, labs::revoke))
        .routes(routes!(labs::hosts))
        .routes(routes!(labs::host, labs::ensure_host))
        .routes(routes!(link::inspect, link::set))
        .routes(routes!(capture::download))
        .routes(routes!(processes::list))
        .routes(routes!(processes::inspect, processes::kill))
        .routes(routes!(sockets::list))
        .routes(routes!(events::watch))
}

/// The control plane.
pub(super) fn router(site: &Arc<Site>) -> Router<Arc<Site>> {
    let (router, description) = described().split_for_parts();
    let description = Arc::new(description);
    router
        .route(
            "/api/v1/openapi.json",
            get(async move || Json((*description).clone())),
        )
        .route("/api/{*rest}", get(async || Problem::missing("route")))
        .layer(DefaultBodyLimit::max(SAID))
        .layer(middleware::from_fn_with_state(Arc::clone(site), guard))
}

/// Turns away pages of other sites, and tells browsers which other pages may read the answers.
async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    if !is_allowed(request.headers(), &site.origins) {
        let sentence = "this page may not use the relay";
        return Problem::new(StatusCode::FORBIDDEN, sentence).into_response();
    }
    let listed = request
        .headers()
        .get(ORIGIN)
        .filter(|origin| {
            origin
                .to_str()
                .is_ok_and(|origin| is_listed(origin, &site.origins))
        })
        .cloned();
    let mut response = if request.method() == Method::OPTIONS && listed.is_some() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = listed {
        let methods = HeaderValue::from_static("GET, PUT, POST, DELETE");
        let allowed = HeaderValue::from_static("Authorization, Content-Type");
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    response
}

impl FromRequestParts<Arc<Site>> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let place = parts.extensions.get::<Place>();
        let place = place.ok_or_else(|| Problem::missing("connection"))?;
        Ok(forwarded::client(place.peer, &parts.headers, &site.access))
    }
}

/// Reads the lab in a path.
fn lab_id(text: String) -> Result<LabId, Problem> {
    LabId::new(text).map_err(|error| Problem::new(StatusCode::NOT_FOUND, error.to_string()))
}

/// Reads the host in a path.
fn host_name(text: String) -> Result<HostName, Problem> {
    HostName::new(text).map_err(|error| Problem::new(StatusCode::NOT_FOUND, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The description as it is committed, for people who have no relay at hand.
    const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

    #[test]
    fn the_committed_description_is_that_of_the_code() {
        let description = described().into_openapi();
        let text = description.to_pretty_json().unwrap() + "\n";
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(COMMITTED, &text).unwrap();
        }
        let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
        assert!(
            committed == text,
            "docs/openapi.json is out of date: run this test with UPDATE_EXPECT=1"
        );
    }

    #[test]
    fn every_route_is_in_the_document_for_people() {
        let prose = include_str!("../../../docs/API.md");
        let description = serde_json::to_value(described().into_openapi()).unwrap();
        for (path, methods) in description["paths"].as_object().unwrap() {
            let row = prose
                .lines()
                .find(|line| line.contains(&format!("{path}`")));
            let row = row.unwrap_or_else(|| panic!("{path} is not in docs/API.md"));
            for method in methods.as_object().unwrap().keys() {
                let named = prose
                    .lines()
                    .filter(|line| line.contains(&format!("{path}`")))
                    .any(|line| line.contains(&method.to_uppercase()));
                assert!(named, "{method} {path} is not in docs/API.md: {row}");
            }
        }
    }

    #[test]
    fn every_schema_that_is_named_is_there_and_every_one_that_is_there_is_named() {
        let description = serde_json::to_value(described().into_openapi()).unwrap();
        let text = description.to_string();
        let schemas = description["components"]["schemas"].as_object().unwrap();
        let named: BTreeSet<&str> = text
            .split("#/components/schemas/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let there: BTreeSet<&str> = schemas.keys().map(String::as_str).collect();
        assert_eq!(named, there);
    }
}
