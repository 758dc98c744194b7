//! A WebSocket to the relay, and what may go wrong on the way to it.

use std::{net::SocketAddr, time::Duration};

use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use protocol::{
    ClientMessage, Frame, Frames, LEFT_STATUS, LabId, SUBPROTOCOL, ServerMessage, frame,
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::{HeaderValue, header},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use crate::TestRelay;

/// How long a close frame may take to leave.
const CLOSING: Duration = Duration::from_secs(1);

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

    /// The same at another address, from where there is a way to the relay.
    pub fn at(address: SocketAddr, lab: &LabId) -> Self {
        Self {
            url: format!("ws://{address}/labs/{lab}/process"),
            origin: Some(format!("http://{address}")),
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
        match self.try_open().await {
            Ok(wire) => Ok(wire),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("the relay cannot be reached: {error}"),
        }
    }

    /// Opens the WebSocket, if the relay can be reached.
    pub async fn reach(&self) -> Option<Wire> {
        self.try_open().await.ok()
    }

    async fn try_open(&self) -> Result<Wire, Error> {
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
        let (socket, _) = connect_async_with_config(request, None, true).await?;
        Ok(Wire::new(socket))
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
    /// Used to close the WebSocket; dropped to lose it.
    leaving: Option<oneshot::Sender<CloseCode>>,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Wire {
    fn new(socket: Socket) -> Self {
        let (sink, incoming) = socket.split();
        let (outgoing, queue) = mpsc::unbounded_channel();
        let (leaving, left) = oneshot::channel();
        Self {
            incoming,
            outgoing,
            sending: tokio::spawn(send(sink, queue, left)),
            leaving: Some(leaving),
        }
    }

    /// Closes the WebSocket as one that is left for another.
    pub fn leave(mut self) {
        if let Some(leaving) = self.leaving.take() {
            let _already_gone = leaving.send(CloseCode::from(LEFT_STATUS));
        }
    }

    /// Loses the connection: nothing more is sent, not even a close frame.
    pub fn cut(mut self) {
        self.sending.abort();
        self.leaving = None;
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
    /// Closes the WebSocket, whatever is still to be sent: as when a tab is closed.
    fn drop(&mut self) {
        if let Some(leaving) = self.leaving.take() {
            let _already_gone = leaving.send(CloseCode::Away);
        }
    }
}

/// Sends what is queued until the WebSocket is to be closed.
async fn send(
    mut sink: SplitSink<Socket, Message>,
    mut queue: mpsc::UnboundedReceiver<Message>,
    mut left: oneshot::Receiver<CloseCode>,
) {
    let code = loop {
        let sent = async {
            if let Some(message) = queue.recv().await {
                // A relay that has hung up shows when something is read.
                drop(sink.send(message).await);
            }
        };
        tokio::select! {
            biased;
            closed = &mut left => match closed {
                Ok(code) => break code,
                Err(_) => return,
            },
            () = sent => {}
        }
    };
    let close = Message::Close(Some(CloseFrame {
        code,
        reason: "".into(),
    }));
    drop(tokio::time::timeout(CLOSING, sink.send(close)).await);
}
