//! The record of a lab's frames, as a file for Wireshark: what is there now, or while it grows.

mod follow;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use protocol::{HostName, LabId};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::{IntoParams, ToSchema};

use self::follow::Following;

use super::{Problem, Site, lab_id};
use crate::capture::Capture;
use crate::capture::pcapng::{File, View};
use crate::client::Client;
use crate::lab::{Commons, HostView, shown};

/// What the file is. No type is registered for this format; this is what desktops call it.
const PCAPNG: &str = "application/x-pcapng";

/// How much of a file is handed on at once, in bytes.
const PIECE: usize = 64 << 10;

/// One file at a time is made, for that takes twice its size.
static MAKING: Semaphore = Semaphore::const_new(1);

/// Whether a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
pub(crate) enum Follow {
    /// It grows with the record.
    #[serde(rename = "1", alias = "true")]
    On,
    /// It has what is there now.
    #[serde(rename = "0", alias = "false")]
    Off,
}

/// Which file is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wish {
    /// Whether the file goes on with what comes, until the lab ends. Who reads too slowly misses frames, which are counted
    /// in a comment; who reads nothing for the time of `--silence` is let go. It counts as a viewer.
    follow: Option<Follow>,
}

/// The record of a lab: its last frames and what became of them, as a pcapng file.
///
/// Every frame is in it once, as its sender sent it. What became of a frame that did not pass is its comment.
#[utoipa::path(get, path = "/api/v1/labs/{lab}/capture.pcapng", tag = "links",
    params(("lab" = String, Path, description = "The lab"), Wish),
    responses(
        (status = 200, description = "The file", content_type = "application/x-pcapng", body = String),
        (status = 404, description = "There is no such lab", body = Problem),
        (status = 409, description = "The relay's network has no links", body = Problem),
        (status = 429, description = "The lab makes the relay hold as much as it may, or has no room for another viewer", body = Problem),
        (status = 503, description = "The relay is stopping", body = Problem),
    ))]
pub(crate) async fn download(
    State(site): State<Arc<Site>>,
    Path(lab): Path<String>,
    Query(wish): Query<Wish>,
    client: Client,
) -> Result<Response, Problem> {
    let id = lab_id(lab)?;
    let settings = &site.settings;
    let labs = &settings.labs;
    let stopping = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the relay is stopping");
    if settings.stop.is_cancelled() {
        return Err(stopping());
    }
    let capture = labs.capture(&id)?;
    if wish.follow == Some(Follow::On) {
        let viewing = labs.view(&id, client)?;
        let following = Following::new(capture, viewing, settings);
        let (growing, task) = following.start().ok_or_else(full)?;
        site.sessions.spawn(task);
        return Ok((headers(&id), Body::new(growing)).into_response());
    }
    let overview = labs.look(&id).ok_or_else(|| Problem::missing("lab"))?;
    let (names, commons) = (names(overview.hosts), overview.commons);
    let turn = tokio::select! {
        turn = MAKING.acquire() => turn.map_err(|_| stopping())?,
        () = settings.stop.cancelled() => return Err(stopping()),
    };
    let made = tokio::task::spawn_blocking(move || {
        // Also one that nobody waits for any more takes its turn to the end.
        let _turn = turn;
        write(&capture, &names)
    });
    let file = made.await.map_err(|_| stopping())?;
    let held = Held::new(file, &commons).ok_or_else(full)?;
    Ok((headers(&id), Body::new(held)).into_response())
}

/// The lab makes the relay hold too much.
fn full() -> Problem {
    let sentence = "the relay is full: the lab makes it hold as much as it may";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, sentence)
}

/// What is said of a file.
fn headers(id: &LabId) -> [(HeaderName, String); 2] {
    // Who knows a whole id may join, and files are passed on.
    let name = format!("attachment; filename=\"socketpad-{}.pcapng\"", shown(id));
    [
        (CONTENT_TYPE, PCAPNG.to_owned()),
        (CONTENT_DISPOSITION, name),
    ]
}

/// The addresses of hosts, with their names.
fn names(hosts: Vec<HostView>) -> Vec<(IpAddr, HostName)> {
    let names = hosts.into_iter().flat_map(|host| {
        let addresses = host.addresses.into_iter();
        addresses.map(move |address| (address, host.name.clone()))
    });
    names.collect()
}

fn write(capture: &Capture, names: &[(IpAddr, HostName)]) -> Bytes {
    let snapshot = capture.snapshot();
    let mut file = Vec::new();
    for block in File::new(&snapshot, View::Network, names) {
        file.extend(block);
    }
    // Without the room that it would have grown into.
    file.into_boxed_slice().into()
}

/// A file on its way, which the lab makes the relay hold.
#[derive(Debug)]
struct Held {
    rest: Bytes,
    taken: u64,
    commons: Arc<Commons>,
}

impl Held {
    /// Holds a file for a lab, if the lab may make the relay hold as much.
    fn new(rest: Bytes, commons: &Arc<Commons>) -> Option<Self> {
        let taken = rest.len() as u64;
        // Not `then_some`: what is not taken must not be given back.
        commons.pool.take(taken).then(|| Self {
            rest,
            taken,
            commons: Arc::clone(commons),
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.commons.pool.give(self.taken);
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(piece);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
