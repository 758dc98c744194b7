//! A WebSocket to the relay, and what may go wrong on the way to it.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _, stream::SplitStream};
use protocol::{ClientMessage, Frame, Frames, LabId, SUBPROTOCOL, ServerMessage, frame};
use tokio::{net::TcpStream, sync::mpsc, task::JoinHandle};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message, client::IntoClientRequest as _, http::HeaderValue, http::header,
    },
};

use crate::TestRelay;

/// How a WebSocket is asked for. [`Dial::to`] asks as a page would; tests change what they want refused.
#[derive(Clone, Debug)]
pub struct Dial {
    /// The address.
    pub url: String,
    /// The page that asks.
    pub origin: Option<String>,
    /// The subprotocol.
    pub subprotocol: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

impl Dial {
    /// As the page of this relay asks for a process of this lab.
    pub fn to(relay: &TestRelay, lab: &LabId) -> Self {
        Self::at(relay.address(), lab)
    }

    /// The same of a relay that is another program.
    pub fn at(relay: SocketAddr, lab: &LabId) -> Self {
        Self {
            url: format!("ws://{relay}/labs/{lab}/process"),
            origin: Some(format!("http://{relay}")),
            subprotocol: Some(SUBPROTOCOL.to_owned()),
            headers: Vec::new(),
        }
    }

    /// Opens the WebSocket.
    ///
    /// # Errors
    ///
    /// The HTTP status with which the relay refused.
    pub async fn open(&self) -> Result<Wire, u16> {
        let mut request = self.url.as_str().into_client_request().unwrap();
        let headers = request.headers_mut();
        if let Some(origin) = &self.origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        if let Some(subprotocol) = &self.subprotocol {
            let value = HeaderValue::from_str(subprotocol).unwrap();
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value);
        }
        for (name, value) in &self.headers {
            let name = header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        match connect_async_with_config(request, None, true).await {
            Ok((socket, _)) => Ok(Wire::new(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("the relay cannot be reached: {error}"),
        }
    }
}

/// An open WebSocket on which anything may be sent.
///
/// What is sent waits in a queue until the network takes it, as in a browser: sending never keeps from reading, so two
/// sides that both have much to say cannot wait for each other for ever.
#[derive(Debug)]
pub struct Wire {
    incoming: SplitStream<Socket>,
    outgoing: mpsc::UnboundedSender<Message>,
    sending: JoinHandle<()>,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Wire {
    fn new(socket: Socket) -> Self {
        let (mut sink, incoming) = socket.split();
        let (outgoing, mut queue) = mpsc::unbounded_channel();
        let sending = tokio::spawn(async move {
            while let Some(message) = queue.recv().await {
                // A relay that has hung up shows when something is read.
                drop(sink.send(message).await);
            }
        });
        Self {
            incoming,
            outgoing,
            sending,
        }
    }

    /// Sends one binary message with these bytes.
    pub fn send(&self, bytes: Vec<u8>) {
        self.put(Message::Binary(bytes.into()));
    }

    /// Sends one text message, which the protocol does not have.
    pub fn send_text(&self, text: &str) {
        self.put(Message::Text(text.into()));
    }

    fn put(&self, message: Message) {
        self.outgoing.send(message).expect("the queue is open");
    }

    /// Sends the frame of a control message, alone in its WebSocket message.
    pub fn send_message(&self, message: &ClientMessage) {
        let mut bytes = Vec::new();
        frame::encode_message(message, &mut bytes);
        self.send(bytes);
    }

    /// The next binary message, or none when the relay has closed the connection. Answers pings on the way.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            match self.incoming.next().await? {
                Ok(Message::Binary(bytes)) => return Some(bytes.into()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Reads to the end, and returns all control messages on the way.
    pub async fn messages_to_the_end(&mut self) -> Vec<ServerMessage> {
        let mut messages = Vec::new();
        while let Some(bytes) = self.next().await {
            for frame in Frames::<ServerMessage>::new(&bytes) {
                if let Ok(Frame::Control(message)) = frame {
                    messages.push(message);
                }
            }
        }
        messages
    }
}

impl Drop for Wire {
    /// Hangs up at once, whatever is still to be sent: as when a tab is closed.
    fn drop(&mut self) {
        self.sending.abort();
    }
}
