//! A WebSocket and nothing else, from a worker in the same browser: the least that anything in a browser costs.
//!
//! Its page comes from here, because the product's own page may connect to its relay only.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use fantoccini::Client;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{Bytes, Message},
};

use crate::load::{MESSAGE, Sample, WRITE, Workload};

/// Has a worker do it.
const MEASURE: &str = r#"
const [task, done] = arguments;
const worker = new Worker("/bare.js");
worker.onmessage = ({ data }) => {
    worker.terminate();
    done(data);
};
worker.postMessage(task);
"#;

/// A server of one page and one worker, and of WebSockets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bare {
    page: SocketAddr,
    socket: SocketAddr,
}

impl Bare {
    /// Starts it.
    pub(crate) async fn start() -> Result<Self> {
        let pages = TcpListener::bind("127.0.0.1:0").await?;
        let sockets = TcpListener::bind("127.0.0.1:0").await?;
        let bare = Self {
            page: pages.local_addr()?,
            socket: sockets.local_addr()?,
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = pages.accept().await {
                tokio::spawn(show(stream));
            }
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = sockets.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Ok(bare)
    }

    /// Measures in the browser's current tab.
    pub(crate) async fn measure(&self, browser: &Client, work: Workload) -> Result<Sample> {
        browser.goto(&format!("http://{}/", self.page)).await?;
        let url = format!("ws://{}/", self.socket);
        let Workload { echoes, bytes } = work;
        let task = json!({ "url": url, "echoes": echoes, "bytes": bytes });
        let found = browser.execute_async(MEASURE, vec![task]).await?;
        Ok(serde_json::from_value(found)?)
    }
}

/// Answers one request for the page or its worker.
async fn show(mut stream: TcpStream) -> Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        ensure!(0 < stream.read_buf(&mut request).await?, "no request");
    }
    let (kind, body) = if request.starts_with(b"GET /bare.js ") {
        ("text/javascript", include_str!("bare.js"))
    } else {
        ("text/html", "<!doctype html><title>bare</title>")
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

/// The far end.
async fn serve(stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut socket = accept_async(stream).await?;
    loop {
        let request: [u8; 9] = next(&mut socket).await?[..].try_into()?;
        let [kind, count @ ..] = request;
        let count = u64::from_le_bytes(count);
        match kind {
            b'e' => {
                for _ in 0..count / MESSAGE as u64 {
                    let message = next(&mut socket).await?;
                    socket.send(Message::Binary(message)).await?;
                }
            }
            b'u' => {
                let mut left = count;
                while 0 < left {
                    left = left.saturating_sub(next(&mut socket).await?.len() as u64);
                }
                let answer = Bytes::from_static(b"!");
                socket.send(Message::Binary(answer)).await?;
            }
            _ => {
                let filler = Bytes::from(vec![0; WRITE]);
                for _ in 0..count / WRITE as u64 {
                    socket.send(Message::Binary(filler.clone())).await?;
                }
            }
        }
    }
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Result<Bytes> {
    let message = socket.next().await.context("the worker has gone")??;
    Ok(message.into_data())
}
