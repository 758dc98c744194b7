//! A request over HTTP, with everything in it that a test may want to forge.

use std::collections::BTreeMap;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::TestRelay;

/// A request. [`Ask::to`] asks as a page of the relay would.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The headers, but for `Host` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What the relay answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, by their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Ask {
    /// A request of a page of this relay.
    pub fn to(relay: &TestRelay, method: &str, path: &str) -> Self {
        let origin = format!("http://{}", relay.address());
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("Origin".to_owned(), origin)],
            body: String::new(),
        }
    }

    /// The same from a page of somewhere else, or from no page.
    pub fn from(mut self, origin: Option<&str>) -> Self {
        self.headers.retain(|(name, _)| name != "Origin");
        match origin {
            Some(origin) => self.with("Origin", origin),
            None => self,
        }
    }

    /// The same with another header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a JSON body.
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = body.to_string();
        self.with("Content-Type", "application/json")
    }

    /// Sends it.
    pub async fn send(&self, relay: &TestRelay) -> Answer {
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        let Self {
            method, path, body, ..
        } = self;
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            relay.address(),
            body.len()
        );
        for (name, value) in &self.headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        Answer::parse(&bytes)
    }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.expect("an answer has a head");
        let head = str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers: BTreeMap<String, String> = lines
            .map(|line| line.split_once(": ").expect("a name and a value"))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut body = bytes[end + 4..].to_vec();
        if headers
            .get("transfer-encoding")
            .is_some_and(|it| it == "chunked")
        {
            body = joined(&body);
        }
        Self {
            status: status.parse().unwrap(),
            headers,
            body,
        }
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub fn value(&self) -> serde_json::Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&self.body)),
        }
    }
}

/// Joins the chunks of a body (RFC 9112, section 7.1).
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = chunks.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = str::from_utf8(&chunks[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend(&chunks[end + 2..][..size]);
        chunks = &chunks[end + 2 + size + 2..];
    }
}
