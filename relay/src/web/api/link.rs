//! The links of hosts: how good or bad they are, and what has happened on them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::http::StatusCode;

use super::{Problem, Site, host_name, lab_id};
use crate::network::Link;
use crate::network::switch::conditions::Conditions;

/// Look at a host's link: its conditions, and what has happened on it.
#[utoipa::path(get, path = "/api/v1/labs/{lab}/hosts/{host}/link", tag = "links",
    params(("lab" = String, Path, description = "The lab"), ("host" = String, Path, description = "The host")),
    responses(
        (status = 200, description = "The link", body = Link),
        (status = 404, description = "There is no such lab or host", body = Problem),
        (status = 409, description = "The relay's network has no links", body = Problem),
    ))]
pub(crate) async fn inspect(
    State(site): State<Arc<Site>>,
    Path((lab, host)): Path<(String, String)>,
) -> Result<Json<Link>, Problem> {
    let (id, name) = (lab_id(lab)?, host_name(host)?);
    Ok(Json(site.settings.labs.link(&id, &name)?))
}

/// Set the conditions of a host's link, for every frame that is not through yet.
///
/// All of them are set: what is not named becomes as on a perfect link. Counts go on.
#[utoipa::path(put, path = "/api/v1/labs/{lab}/hosts/{host}/link", tag = "links",
    params(("lab" = String, Path, description = "The lab"), ("host" = String, Path, description = "The host")),
    request_body = Conditions,
    responses(
        (status = 200, description = "The link with its new conditions", body = Link),
        (status = 400, description = "That is no JSON", body = Problem),
        (status = 404, description = "There is no such lab or host", body = Problem),
        (status = 408, description = "The conditions did not come in time", body = Problem),
        (status = 409, description = "The relay's network has no links", body = Problem),
        (status = 413, description = "That is too long", body = Problem),
        (status = 415, description = "That does not say that it is JSON", body = Problem),
        (status = 422, description = "Those are no conditions", body = Problem),
    ))]
pub(crate) async fn set(
    State(site): State<Arc<Site>>,
    Path((lab, host)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Link>, Problem> {
    let (id, name) = (lab_id(lab)?, host_name(host)?);
    let labs = &site.settings.labs;
    // Who names no link is told so, whatever else is wrong.
    labs.link(&id, &name)?;
    // A body may take as long to come as a head may.
    let patience = site.settings.limits.head;
    let read = tokio::time::timeout(patience, Json::<Conditions>::from_request(request, &site));
    let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the conditions did not come");
    let Json(conditions) = read.await.map_err(late)??;
    labs.set_link(&id, &name, &conditions)?;
    Ok(Json(labs.link(&id, &name)?))
}
