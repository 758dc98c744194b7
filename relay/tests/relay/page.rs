//! The page, as a browser fetches it.

use std::fs;
use std::path::PathBuf;

use relay::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Running;

/// A directory that is removed when this is dropped.
struct Directory(PathBuf);

impl Directory {
    /// A page of a few files.
    fn page(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("relay-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("index.html"), "<!doctype html>").unwrap();
        fs::write(path.join("app-0123456789abcdef_bg.wasm"), "plain").unwrap();
        fs::write(path.join("app-0123456789abcdef_bg.wasm.br"), "small").unwrap();
        Self(path)
    }

    fn options(&self) -> Options {
        Options {
            assets: Some(self.0.clone()),
            ..Options::default()
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Asks for a path with these headers, and gives the whole answer as text.
async fn get(relay: &Running, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(relay.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: pad\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_page_is_served_from_a_directory() {
    let directory = Directory::page("serve");
    let relay = Running::start(directory.options()).await;
    let index = get(&relay, "/", "").await;
    assert!(index.starts_with("HTTP/1.1 200"), "{index}");
    assert!(index.ends_with("\r\n\r\n<!doctype html>"));
    for header in [
        "content-type: text/html; charset=utf-8",
        "cache-control: no-cache",
        "x-content-type-options: nosniff",
        "connect-src 'self' ws://pad wss://pad",
    ] {
        assert!(index.contains(header), "{header} is missing in {index}");
    }
    let missing = get(&relay, "/none", "").await;
    assert!(missing.starts_with("HTTP/1.1 404"), "{missing}");
    relay.stop().await;
}

#[tokio::test]
async fn the_compressed_form_goes_to_those_who_take_it() {
    let directory = Directory::page("compressed");
    let relay = Running::start(directory.options()).await;
    let path = "/app-0123456789abcdef_bg.wasm";
    let small = get(&relay, path, "Accept-Encoding: gzip, br\r\n").await;
    assert!(small.contains("content-encoding: br\r\n"), "{small}");
    assert!(
        small.contains("content-type: application/wasm\r\n"),
        "{small}"
    );
    assert!(small.contains("immutable\r\n"), "{small}");
    assert!(small.ends_with("small"));
    let plain = get(&relay, path, "Accept-Encoding: gzip\r\n").await;
    assert!(plain.ends_with("plain"), "{plain}");
    let tag = small
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap();
    let again = format!("Accept-Encoding: br\r\nIf-None-Match: {tag}\r\n");
    let again = get(&relay, path, &again).await;
    assert!(again.starts_with("HTTP/1.1 304"), "{again}");
    relay.stop().await;
}

#[tokio::test]
async fn a_directory_without_a_page_is_refused_at_the_start() {
    let directory = Directory::page("empty");
    fs::remove_file(directory.0.join("index.html")).unwrap();
    let listen = ([127, 0, 0, 1], 0).into();
    let bound = relay::Relay::bind(Options {
        listen,
        ..directory.options()
    });
    assert!(bound.unwrap_err().to_string().contains("index.html"));
}
