//! The stream of a lab's events.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{
    Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection,
};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::event::{EVENTS_SUBPROTOCOL, Event, Record, encode_record};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::{Problem, Site, lab_id};
use crate::client::Client;
use crate::events::{Hub, Packets};
use crate::lab::Viewing;
use crate::listen::Place;
use crate::session::Settings;

/// How long news is gathered before it is sent, so that many events make few messages.
const GATHER: Duration = Duration::from_millis(15);

/// The most that a viewer may say in one message, in bytes. It has nothing to say.
const SAID: usize = 1024;

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Binary messages, as the crate `protocol` has them.
    #[default]
    Postcard,
    /// Text messages, each an array of records.
    Json,
}

/// What a viewer asks for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wish {
    /// How the events are to be written.
    #[serde(default)]
    format: Format,
    /// How many bytes of each packet on the lab's network are to be shown, at most 1518; without it, packets are not
    /// told of.
    packets: Option<usize>,
}

/// Watch a lab: a WebSocket on which its events come.
///
/// The first event is the wall clock at the zero of the lab's clock, then those processes are told of that run
/// already. Nothing is told of what happened before. A viewer that is too slow, or a lab in which too much happens, is
/// told how many events were left out. Packets come only to viewers that ask for them.
#[utoipa::path(get, path = "/api/v1/labs/{lab}/events", tag = "events",
    params(("lab" = String, Path, description = "The lab"), Wish),
    responses(
        (status = 101, description = "The WebSocket is open"),
        (status = 404, description = "That is no lab id", body = Problem),
        (status = 409, description = "The lab is being ended", body = Problem),
        (status = 426, description = "A WebSocket is needed", body = Problem),
        (status = 429, description = "There is no room for another lab or viewer", body = Problem),
    ))]
pub(crate) async fn watch(
    State(site): State<Arc<Site>>,
    Path(lab): Path<String>,
    Query(wish): Query<Wish>,
    client: Client,
    place: axum::Extension<Place>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let id = lab_id(lab)?;
    let upgrade = upgrade
        .map_err(|_| Problem::new(StatusCode::UPGRADE_REQUIRED, "a WebSocket is needed here"))?;
    let viewing = site.settings.labs.view(&id, client)?;
    let settings = Arc::clone(&site.settings);
    let sessions = site.sessions.clone();
    Ok(upgrade
        .protocols([EVENTS_SUBPROTOCOL])
        .max_message_size(SAID)
        .on_upgrade(async move |socket| {
            let shown = sessions.track_future(show(socket, viewing, wish, settings));
            shown.await;
            // The connection counts until here.
            drop(place);
        }))
}

/// A viewer that is counted while this is held, and for whom the processes are asked to report.
struct Watching<'a> {
    viewing: &'a Viewing,
    settings: &'a Settings,
}

impl<'a> Watching<'a> {
    /// Begins to watch, and says from where to read.
    fn begin(viewing: &'a Viewing, settings: &'a Settings) -> (Self, u64) {
        let cursor = viewing.commons().events.enter();
        let watching = Self { viewing, settings };
        watching.tell();
        (watching, cursor)
    }

    /// Has every process look whether it is watched.
    fn tell(&self) {
        for listing in self.settings.roster.of(&self.viewing.commons().id) {
            listing.questions.wake();
        }
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.viewing.commons().events.leave();
        self.tell();
    }
}

/// Shows a viewer what happens, until either has enough.
async fn show(mut socket: WebSocket, viewing: Viewing, wish: Wish, settings: Arc<Settings>) {
    let _counted = settings.metrics.count_viewer();
    let (_watching, mut cursor) = Watching::begin(&viewing, &settings);
    let hub = &viewing.commons().events;
    let mut records = greeting(hub, &viewing, &settings);
    let mut packets = wish
        .packets
        .and_then(|bytes| begin(bytes, &viewing, &settings, &mut records));
    let mut heard = Instant::now();
    let mut pinged = heard;
    loop {
        let closed = if records.is_empty() {
            let news = hub.take(&mut cursor);
            records = news.records;
            if let Some(packets) = &mut packets {
                packets.take(&mut records);
                records.sort_by_key(|record| record.at);
            }
            news.closed
        } else {
            false
        };
        if !records.is_empty() {
            let message = write(&std::mem::take(&mut records), wish.format);
            let sent = tokio::time::timeout(settings.silence, socket.send(message));
            if !matches!(sent.await, Ok(Ok(()))) {
                return;
            }
        }
        if closed {
            break;
        }
        let next = (pinged + settings.ping).min(heard + settings.silence);
        tokio::select! {
            () = settings.stop.cancelled() => break,
            () = news(hub, cursor, packets.as_mut()) => {}
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => heard = Instant::now(),
            },
            () = tokio::time::sleep_until(next) => {
                let now = Instant::now();
                if heard + settings.silence <= now {
                    return;
                }
                pinged = now;
                if socket.send(Message::Ping(Bytes::new())).await.is_err() {
                    return;
                }
            }
        }
    }
    // Whether the viewer hears it does not matter any more.
    let _ = socket.send(Message::Close(None)).await;
}

/// Waits until there is something to tell, and a little longer.
async fn news(hub: &Hub, cursor: u64, packets: Option<&mut Packets>) {
    match packets {
        Some(packets) => tokio::select! {
            () = hub.wait(cursor) => {}
            () = packets.wait() => {}
        },
        None => hub.wait(cursor).await,
    }
    tokio::time::sleep(GATHER).await;
}

/// What every viewer is told first.
fn greeting(hub: &Hub, viewing: &Viewing, settings: &Settings) -> Vec<Record> {
    let at = u64::try_from(hub.begun().elapsed().as_micros()).unwrap_or(u64::MAX);
    let unix_micros = hub.unix_micros();
    let anchor = Event::Anchor { unix_micros };
    let running = settings.roster.of(&viewing.commons().id);
    let running = running.iter().map(|listing| Event::Started {
        pid: listing.pid,
        host: listing.host.clone(),
        name: listing.name.clone(),
    });
    std::iter::once(anchor)
        .chain(running)
        .map(|event| Record { at, event })
        .collect()
}

/// Begins to read the lab's record for a viewer, or tells why there is none.
fn begin(
    bytes: usize,
    viewing: &Viewing,
    settings: &Settings,
    records: &mut Vec<Record>,
) -> Option<Packets> {
    let commons = viewing.commons();
    let epoch = commons.events.begun();
    match settings.labs.capture(&commons.id) {
        Ok(capture) => {
            let (rate, metrics) = (settings.limits.events, settings.metrics.clone());
            Some(Packets::new(&capture, epoch, rate, bytes, metrics))
        }
        Err(error) => {
            let at = u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
            let reason = error.to_string();
            let event = Event::Unrecorded { reason };
            records.push(Record { at, event });
            None
        }
    }
}

fn write(records: &[Record], format: Format) -> Message {
    match format {
        Format::Postcard => {
            let mut bytes = Vec::new();
            for record in records {
                encode_record(record, &mut bytes);
            }
            Message::Binary(bytes.into())
        }
        Format::Json => {
            let text = serde_json::to_string(records).unwrap_or_default();
            Message::Text(text.into())
        }
    }
}
