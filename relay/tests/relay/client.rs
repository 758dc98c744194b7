//! A relay, and a process that speaks to it over a real WebSocket.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use protocol::frame::{FrameKind, Header, encode_address, encode_message};
use protocol::{
    Address, CallId, ClientMessage, Domain, Errno, Frame, Frames, Hello, HostName, Kind,
    ProcessName, Reply, SUBPROTOCOL, ServerMessage, SocketId, Welcome,
};
use relay::{Metrics, Options, Relay};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A relay that stops when it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Metrics,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Running {
    pub(crate) async fn start(mut options: Options) -> Self {
        options.limits.grace = std::time::Duration::ZERO;
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let relay = Relay::bind(Options { listen, ..options }).unwrap();
        let (address, metrics) = (relay.local_addr(), relay.metrics());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(relay.serve(async {
            let _ = stopped.await;
        }));
        Self {
            address,
            metrics,
            stop: Some(stop),
            serving,
        }
    }

    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.serving.await.unwrap().unwrap();
    }

    pub(crate) fn count(&self, line: &str) -> bool {
        self.metrics.render().contains(&format!("{line}\n"))
    }
}

/// A process.
pub(crate) struct Process {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) read: std::collections::VecDeque<Heard>,
    calls: u32,
    welcome: Option<Welcome>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Message(ServerMessage),
    Stream(SocketId, Vec<u8>),
    Datagram(SocketId, Address, Vec<u8>),
    Closed,
}

impl Process {
    async fn connect(relay: SocketAddr, lab: &str) -> Self {
        let url = format!("ws://{relay}/labs/{lab}/process");
        let mut request = url.into_client_request().unwrap();
        let value = HeaderValue::from_static(SUBPROTOCOL);
        request
            .headers_mut()
            .insert("sec-websocket-protocol", value);
        let (socket, _) = connect_async(request).await.unwrap();
        Self {
            socket,
            read: std::collections::VecDeque::new(),
            calls: 0,
            welcome: None,
        }
    }

    pub(crate) async fn start(relay: &Running, lab: &str, host: &str) -> Self {
        Self::start_at(relay.address, lab, host).await
    }

    /// Starts a process on a relay that may be another program.
    pub(crate) async fn start_at(relay: SocketAddr, lab: &str, host: &str) -> Self {
        let mut process = Self::connect(relay, lab).await;
        process
            .tell(ClientMessage::Hello(Hello {
                minor: 0,
                host: HostName::new(host).unwrap(),
                process: ProcessName::new("test").unwrap(),
            }))
            .await;
        match process.hear().await {
            Heard::Message(ServerMessage::Welcome(welcome)) => process.welcome = Some(welcome),
            other => panic!("{other:?}"),
        }
        process
    }

    pub(crate) async fn send(&mut self, bytes: Vec<u8>) {
        let message = Message::Binary(Bytes::from(bytes));
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn tell(&mut self, message: ClientMessage) {
        let mut bytes = Vec::new();
        encode_message(&message, &mut bytes);
        self.send(bytes).await;
    }

    pub(crate) async fn write(&mut self, socket: u32, payload: &[u8]) {
        let header = Header {
            kind: FrameKind::Stream,
            length: payload.len(),
            socket: SocketId(socket),
        };
        self.send([&header.encode()[..], payload].concat()).await;
    }

    pub(crate) async fn send_to(&mut self, socket: u32, address: Address, payload: &[u8]) {
        let mut body = Vec::new();
        encode_address(&address, &mut body);
        body.extend_from_slice(payload);
        let header = Header {
            kind: FrameKind::Datagram,
            length: body.len(),
            socket: SocketId(socket),
        };
        self.send([&header.encode()[..], &body].concat()).await;
    }

    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.read.pop_front() {
                return heard;
            }
            let message = match self.socket.next().await {
                Some(Ok(Message::Binary(message))) => message,
                Some(Ok(Message::Ping(_))) => continue,
                Some(Ok(_) | Err(_)) | None => return Heard::Closed,
            };
            for frame in Frames::<ServerMessage>::new(&message) {
                self.read.push_back(match frame.unwrap() {
                    Frame::Control(message) => Heard::Message(message),
                    Frame::Stream { socket, payload } => Heard::Stream(socket, payload.to_vec()),
                    Frame::Urgent { .. } => panic!("nobody sends urgent bytes here"),
                    Frame::Message { .. } => panic!("nobody asks for control messages here"),
                    Frame::Datagram {
                        socket,
                        address,
                        payload,
                    } => Heard::Datagram(socket, address, payload.to_vec()),
                });
            }
        }
    }

    /// Makes a call and waits for its answer; what else comes stays to be heard.
    pub(crate) async fn call(
        &mut self,
        make: impl FnOnce(CallId) -> ClientMessage,
    ) -> Result<Reply, Errno> {
        self.calls += 1;
        let expected = CallId(self.calls);
        self.tell(make(expected)).await;
        let mut others = Vec::new();
        loop {
            match self.hear().await {
                Heard::Message(ServerMessage::Done { call, result }) if call == expected => {
                    for other in others.into_iter().rev() {
                        self.read.push_front(other);
                    }
                    return result;
                }
                Heard::Closed => panic!("closed; heard {others:?}"),
                other => others.push(other),
            }
        }
    }

    pub(crate) async fn make(&mut self, socket: u32, kind: Kind) {
        self.tell(ClientMessage::Socket {
            socket: SocketId(socket),
            domain: Domain::Inet,
            kind,
        })
        .await;
    }

    pub(crate) async fn bind(&mut self, socket: u32, to: Address) -> Result<Reply, Errno> {
        let (socket, address) = (SocketId(socket), to);
        self.call(|call| ClientMessage::Bind {
            call,
            socket,
            address,
        })
        .await
    }

    pub(crate) async fn listen(&mut self, socket: u32) -> Result<Reply, Errno> {
        let (socket, backlog) = (SocketId(socket), 5);
        self.call(|call| ClientMessage::Listen {
            call,
            socket,
            backlog,
        })
        .await
    }

    pub(crate) async fn dial(&mut self, socket: u32, to: Address) -> Result<Reply, Errno> {
        let (socket, address) = (SocketId(socket), to);
        self.call(|call| ClientMessage::Connect {
            call,
            socket,
            address,
        })
        .await
    }

    pub(crate) async fn accept(&mut self, socket: u32, accepted: u32) -> Result<Reply, Errno> {
        let (socket, accepted) = (SocketId(socket), SocketId(accepted));
        self.call(|call| ClientMessage::Accept {
            call,
            socket,
            accepted,
        })
        .await
    }

    /// A listener on this address, and the port that it got.
    pub(crate) async fn serve(&mut self, socket: u32, ip: &str) -> u16 {
        self.make(socket, Kind::Stream).await;
        let names = self.bind(socket, at(ip, 0)).await.unwrap();
        self.listen(socket).await.unwrap();
        local(&names).inet().unwrap().port()
    }

    /// The whole of a stream up to its end.
    pub(crate) async fn read_to_end(&mut self, socket: u32) -> Vec<u8> {
        let (socket, mut bytes) = (SocketId(socket), Vec::new());
        loop {
            match self.hear().await {
                Heard::Stream(id, payload) if id == socket => {
                    bytes.extend(payload);
                    let limit = bytes.len() as u64 + 100_000;
                    self.tell(ClientMessage::Credit { socket, limit }).await;
                }
                Heard::Message(ServerMessage::Finished { socket: id }) if id == socket => {
                    return bytes;
                }
                Heard::Message(ServerMessage::Credit { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

pub(crate) const LAB: &str = "aaaaaaaaaaaaaaaa";

pub(crate) fn at(ip: &str, port: u16) -> Address {
    Address::Inet {
        ip: ip.parse().unwrap(),
        port,
    }
}

pub(crate) fn local(names: &Reply) -> Address {
    match names {
        Reply::Names { local, .. } => local.clone(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn peer(names: &Reply) -> Address {
    match names {
        Reply::Names { peer, .. } => peer.clone(),
        other => panic!("{other:?}"),
    }
}
