//! Somebody who watches a lab.

use futures_util::StreamExt as _;
use protocol::{
    LabId,
    event::{EVENTS_SUBPROTOCOL, Event, Record, decode_records},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message, client::IntoClientRequest as _, http::HeaderValue, http::header,
    },
};

use crate::{DEADLINE, TestRelay};

/// A viewer's stream of events. Nothing is read but in its methods, so a test decides how slow it is.
#[derive(Debug)]
pub struct Viewer {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What was read and not looked at.
    records: std::collections::VecDeque<Record>,
    /// How many events were left out so far.
    missed: u64,
}

impl Viewer {
    /// Watches a lab, as the page of this relay would.
    pub async fn of(relay: &TestRelay, lab: &LabId) -> Self {
        let origin = format!("http://{}", relay.address());
        Self::from(relay, lab, "", &origin).await.unwrap()
    }

    /// Watches a lab from a page of this origin, with this query.
    ///
    /// # Errors
    ///
    /// The HTTP status with which the relay refused.
    pub async fn from(
        relay: &TestRelay,
        lab: &LabId,
        query: &str,
        origin: &str,
    ) -> Result<Self, u16> {
        let url = format!("ws://{}/api/v1/labs/{lab}/events{query}", relay.address());
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        let subprotocol = HeaderValue::from_static(EVENTS_SUBPROTOCOL);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                records: std::collections::VecDeque::new(),
                missed: 0,
            }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("the relay cannot be reached: {error}"),
        }
    }

    /// How many events were left out of what was looked at.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// The next record, or none when the relay has closed the stream.
    pub async fn next(&mut self) -> Option<Record> {
        while self.records.is_empty() {
            let message = tokio::time::timeout(DEADLINE, self.socket.next()).await;
            match message.expect("an event in time")? {
                Ok(Message::Binary(bytes)) => self.records.extend(decode_records(&bytes).unwrap()),
                Ok(Message::Text(text)) => {
                    let records: Vec<Record> = serde_json::from_str(&text).unwrap();
                    self.records.extend(records);
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
        let record = self.records.pop_front();
        if let Some(Record {
            event: Event::Missed { count },
            ..
        }) = record
        {
            self.missed += count;
        }
        record
    }

    /// The first record that is looked for, with what came before it left out.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&Record) -> Option<T>,
    ) -> T {
        while let Some(record) = self.next().await {
            if let Some(found) = wanted(&record) {
                return found;
            }
        }
        panic!("the stream ended before {what}")
    }
}
