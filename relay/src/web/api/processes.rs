//! The processes of a lab.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, Site, lab_id};
use crate::session::Listing;

/// A process.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Process {
    /// Its id, which is unique in the lab and what `os.getpid()` returns.
    #[schema(example = 1000)]
    pid: u32,
    /// The host that it runs on.
    #[schema(example = "desk")]
    host: String,
    /// What people call it.
    #[schema(example = "server.py")]
    name: String,
    /// When it began, in milliseconds since 1970 (UTC).
    begun_at: u64,
}

impl From<&Listing> for Process {
    fn from(listing: &Listing) -> Self {
        let since = listing.begun_at.duration_since(UNIX_EPOCH);
        Self {
            pid: listing.pid,
            host: listing.host.to_string(),
            name: listing.name.to_string(),
            begun_at: u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// The processes of a lab.
#[utoipa::path(get, path = "/api/v1/labs/{lab}/processes", tag = "processes",
    params(("lab" = String, Path, description = "The lab")),
    responses(
        (status = 200, description = "The processes, by their ids", body = [Process]),
        (status = 404, description = "There is no such lab", body = Problem),
    ))]
pub(crate) async fn list(
    State(site): State<Arc<Site>>,
    Path(lab): Path<String>,
) -> Result<Json<Vec<Process>>, Problem> {
    let listed = listed(&site, lab)?;
    Ok(Json(listed.iter().map(|it| Process::from(&**it)).collect()))
}

/// The processes of the lab in a path, which may be none.
pub(super) fn listed(site: &Site, lab: String) -> Result<Vec<Arc<Listing>>, Problem> {
    let id = lab_id(lab)?;
    let settings = &site.settings;
    settings
        .labs
        .look(&id)
        .ok_or_else(|| Problem::missing("lab"))?;
    Ok(settings.roster.of(&id))
}

/// Look at a process.
#[utoipa::path(get, path = "/api/v1/labs/{lab}/processes/{pid}", tag = "processes",
    params(("lab" = String, Path, description = "The lab"), ("pid" = u32, Path, description = "The process")),
    responses(
        (status = 200, description = "The process", body = Process),
        (status = 404, description = "There is no such process", body = Problem),
    ))]
pub(crate) async fn inspect(
    State(site): State<Arc<Site>>,
    Path((lab, pid)): Path<(String, u32)>,
) -> Result<Json<Process>, Problem> {
    let listed = site.settings.roster.of(&lab_id(lab)?);
    let found = listed.iter().find(|listing| listing.pid == pid);
    found
        .map(|listing| Json(Process::from(&**listing)))
        .ok_or_else(|| Problem::missing("process"))
}

/// Kill a process: its WebSocket and all its sockets are closed at once.
#[utoipa::path(delete, path = "/api/v1/labs/{lab}/processes/{pid}", tag = "processes",
    params(("lab" = String, Path, description = "The lab"), ("pid" = u32, Path, description = "The process")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is no such process", body = Problem),
    ))]
pub(crate) async fn kill(
    State(site): State<Arc<Site>>,
    Path((lab, pid)): Path<(String, u32)>,
) -> Result<StatusCode, Problem> {
    if site.settings.roster.kill(lab_id(lab)?, pid) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::missing("process"))
    }
}
