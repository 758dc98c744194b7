//! Labs and their hosts.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use protocol::{LabId, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use super::processes::Process;
use super::{Problem, Site, host_name, lab_id};
use crate::client::Client;
use crate::lab::{HostView, Made};

/// The letters of a lab id: 32 of them, so that a random byte's low five bits choose one evenly.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// How many letters a lab id has: 130 random bits, which nobody guesses.
const LENGTH: usize = 26;

/// A lab.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Lab {
    /// Its id. Whoever knows it may join.
    #[schema(example = "abcdefghijklmnopqrstuvwxyz")]
    lab: String,
    /// When it was made, in milliseconds since 1970 (UTC).
    begun_at: u64,
    /// How many watch its events.
    viewers: usize,
    /// Its hosts.
    hosts: Vec<Host>,
    /// Its processes.
    processes: Vec<Process>,
}

/// A host.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Host {
    /// Its name.
    #[schema(example = "desk")]
    host: String,
    /// Its addresses in the lab, without its loopback.
    #[schema(example = json!(["10.0.0.1"]))]
    addresses: Vec<String>,
    /// How many processes run on it.
    processes: usize,
}

impl From<&HostView> for Host {
    fn from(view: &HostView) -> Self {
        Self {
            host: view.name.to_string(),
            addresses: view.addresses.iter().map(ToString::to_string).collect(),
            processes: view.processes,
        }
    }
}

/// Everything about a lab.
fn look(site: &Site, id: &LabId) -> Result<Lab, Problem> {
    let settings = &site.settings;
    let overview = settings
        .labs
        .look(id)
        .ok_or_else(|| Problem::missing("lab"))?;
    let listed = settings.roster.of(id);
    Ok(Lab {
        lab: id.to_string(),
        begun_at: overview.commons.events.unix_micros() / 1000,
        viewers: overview.commons.events.viewers(),
        hosts: overview.hosts.iter().map(Host::from).collect(),
        processes: listed
            .iter()
            .map(|listing| Process::from(&**listing))
            .collect(),
    })
}

/// Make a lab with an id that nobody can guess.
///
/// It lasts for the time of grace, and then for as long as it has processes and viewers.
#[utoipa::path(post, path = "/api/v1/labs", tag = "labs", responses(
    (status = 201, description = "The lab", body = Lab, headers(("Location" = String, description = "Where it is"))),
    (status = 429, description = "There is no room for another lab", body = Problem),
))]
pub(crate) async fn create(
    State(site): State<Arc<Site>>,
    client: Client,
) -> Result<impl IntoResponse, Problem> {
    let mut random = [0; LENGTH];
    let broken = |_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "there is no randomness now",
        )
    };
    getrandom::fill(&mut random).map_err(broken)?;
    let letters = random
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte & 31)).copied());
    let id = lab_id(letters.map(char::from).collect())?;
    site.settings.labs.make(&id, client)?;
    let location = [(LOCATION, format!("/api/v1/labs/{id}"))];
    Ok((StatusCode::CREATED, location, Json(look(&site, &id)?)))
}

/// Look at a lab.
#[utoipa::path(get, path = "/api/v1/labs/{lab}", tag = "labs", params(("lab" = String, Path, description = "The lab")),
    responses(
        (status = 200, description = "The lab", body = Lab),
        (status = 404, description = "There is no such lab", body = Problem),
    ))]
pub(crate) async fn inspect(
    State(site): State<Arc<Site>>,
    Path(lab): Path<String>,
) -> Result<Json<Lab>, Problem> {
    Ok(Json(look(&site, &lab_id(lab)?)?))
}

/// Make a lab with this id if there is none.
#[utoipa::path(put, path = "/api/v1/labs/{lab}", tag = "labs", params(("lab" = String, Path, description = "The lab")),
    responses(
        (status = 200, description = "The lab was there", body = Lab),
        (status = 201, description = "The lab was made", body = Lab),
        (status = 404, description = "That is no lab id", body = Problem),
        (status = 409, description = "The lab is being ended", body = Problem),
        (status = 429, description = "There is no room for another lab", body = Problem),
    ))]
pub(crate) async fn ensure(
    State(site): State<Arc<Site>>,
    Path(lab): Path<String>,
    client: Client,
) -> Result<(StatusCode, Json<Lab>), Problem> {
    let id = lab_id(lab)?;
    let made = site.settings.labs.make(&id, client)?;
    Ok((status(made), Json(look(&site, &id)?)))
}

/// End a lab and every process in it, which are told why.
#[utoipa::path(delete, path = "/api/v1/labs/{lab}", tag = "labs", params(("lab" = String, Path, description = "The lab")),
    responses(
        (status = 204, description = "Nobody can join it any more, and its processes are ending"),
        (status = 404, description = "There is no such lab", body = Problem),
    ))]
pub(crate) async fn revoke(
    State(site): State<Arc<Site>>,
    Path(lab): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = lab_id(lab)?;
    let settings = &site.settings;
    if !settings.labs.revoke(&id) {
        return Err(Problem::missing("lab"));
    }
    settings.roster.end(&id, &Refusal::Revoked);
    Ok(StatusCode::NO_CONTENT)
}

/// The hosts of a lab.
#[utoipa::path(get, path = "/api/v1/labs/{lab}/hosts", tag = "hosts", params(("lab" = String, Path, description = "The lab")),
    responses(
        (status = 200, description = "The hosts", body = [Host]),
        (status = 404, description = "There is no such lab", body = Problem),
    ))]
pub(crate) async fn hosts(
    State(site): State<Arc<Site>>,
    Path(lab): Path<String>,
) -> Result<Json<Vec<Host>>, Problem> {
    Ok(Json(look(&site, &lab_id(lab)?)?.hosts))
}

/// Look at a host.
#[utoipa::path(get, path = "/api/v1/labs/{lab}/hosts/{host}", tag = "hosts",
    params(("lab" = String, Path, description = "The lab"), ("host" = String, Path, description = "The host")),
    responses(
        (status = 200, description = "The host", body = Host),
        (status = 404, description = "There is no such lab or host", body = Problem),
    ))]
pub(crate) async fn host(
    State(site): State<Arc<Site>>,
    Path((lab, host)): Path<(String, String)>,
) -> Result<Json<Host>, Problem> {
    let (id, name) = (lab_id(lab)?, host_name(host)?);
    let overview = site
        .settings
        .labs
        .look(&id)
        .ok_or_else(|| Problem::missing("lab"))?;
    let found = overview.hosts.iter().find(|view| view.name == name);
    found
        .map(|view| Json(view.into()))
        .ok_or_else(|| Problem::missing("host"))
}

/// Make a host, and its lab, if there are none.
///
/// It lasts for the time of grace, and then for as long as it has processes.
#[utoipa::path(put, path = "/api/v1/labs/{lab}/hosts/{host}", tag = "hosts",
    params(("lab" = String, Path, description = "The lab"), ("host" = String, Path, description = "The host")),
    responses(
        (status = 200, description = "The host was there", body = Host),
        (status = 201, description = "The host was made", body = Host),
        (status = 404, description = "That is no lab id or host name", body = Problem),
        (status = 409, description = "The lab is being ended", body = Problem),
        (status = 429, description = "There is no room for another lab or host", body = Problem),
        (status = 503, description = "The host could not be made", body = Problem),
    ))]
pub(crate) async fn ensure_host(
    State(site): State<Arc<Site>>,
    Path((lab, host)): Path<(String, String)>,
    client: Client,
) -> Result<(StatusCode, Json<Host>), Problem> {
    let (id, name) = (lab_id(lab)?, host_name(host)?);
    let labs = &site.settings.labs;
    let (made, host) = labs.make_host(&id, &name, client).await?;
    Ok((status(made), Json((&host).into())))
}

fn status(made: Made) -> StatusCode {
    match made {
        Made::New => StatusCode::CREATED,
        Made::Known => StatusCode::OK,
    }
}
