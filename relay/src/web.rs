//! What the relay serves over HTTP.

mod api;
mod assets;
mod door;
mod forwarded;
mod headers;
mod origin;
mod ws;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio_util::task::TaskTracker;

use crate::config::Access;
use crate::metrics::Metrics;
use crate::session::Settings;

pub(crate) use assets::Assets;

/// Everything the handlers share.
#[derive(Debug)]
pub(crate) struct Site {
    /// The relay's counts.
    pub(crate) metrics: Metrics,
    /// What sessions need to know.
    pub(crate) settings: Arc<Settings>,
    /// The sessions that run.
    pub(crate) sessions: TaskTracker,
    /// Origins of other pages that may open processes.
    pub(crate) origins: Vec<String>,
    /// Who may use the relay.
    pub(crate) access: Access,
    /// The page.
    pub(crate) assets: Assets,
}

/// The routes.
pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/metrics", get(metrics))
        .route("/labs/{lab}/process", get(ws::process))
        .merge(api::router(&site))
        .fallback_service(get(assets::serve).with_state(Arc::clone(&site)))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&site),
            door::check,
        ))
        .layer(middleware::from_fn(headers::add))
        .with_state(site)
}

async fn metrics(State(site): State<Arc<Site>>) -> impl IntoResponse {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, OPEN_METRICS)], site.metrics.render())
}
