//! Checks the release binary: that the whole page is in this one file.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{relay, workspace};

/// A running binary, which ends with this value.
struct Running {
    /// The process.
    child: Child,
    /// Where it listens, such as 127.0.0.1:7070.
    address: String,
}

/// A response of an HTTP server.
#[derive(Debug, PartialEq, Eq)]
struct Response {
    /// The status line and the headers, in lower case.
    head: String,
    /// What follows.
    body: Vec<u8>,
}

/// Builds the binary, starts it where it cannot find the built page on disk, and asks it for every file of the page.
pub(crate) fn check() -> Result<()> {
    let binary = relay::release()?;
    let running = Running::start(&binary)?;
    let dist = workspace::dist();
    let mut names = vec![String::new()];
    list(&dist, &dist, &mut names)?;
    for name in &names {
        let file = dist.join(if name.is_empty() { "index.html" } else { name });
        check_file(&running.address, name, &file).with_context(|| format!("GET /{name}"))?;
    }
    let size = binary.metadata()?.len();
    println!(
        "the binary has {} MB and serves all {} files of the page",
        size / 1_000_000,
        names.len()
    );
    Ok(())
}

/// The file must come in its compressed form, if there is one and a browser says that it understands it.
fn check_file(address: &str, name: &str, file: &Path) -> Result<()> {
    let mut compressed = file.as_os_str().to_owned();
    compressed.push(".br");
    let plain = fs::read(file)?;
    let response = get(address, name, "identity")?;
    let status = response.head.lines().next().unwrap_or_default();
    ensure!(
        status.starts_with("http/1.1 200 "),
        "the answer is {status}"
    );
    ensure!(response.body == plain, "it is not the file in dist/");
    if let Ok(compressed) = fs::read(compressed) {
        let response = get(address, name, "gzip, br")?;
        ensure!(
            response.head.contains("\r\ncontent-encoding: br\r\n"),
            "it does not come as brotli"
        );
        ensure!(
            response.body == compressed,
            "it is not the compressed file in dist/"
        );
    }
    Ok(())
}

impl Running {
    fn start(binary: &Path) -> Result<Self> {
        let mut child = Command::new(binary)
            .args(["--listen", "127.0.0.1:0"])
            .current_dir(env::temp_dir())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let output = child.stdout.take();
        let mut running = Self {
            child,
            address: String::new(),
        };
        let mut line = String::new();
        BufReader::new(output.context("it has no standard output")?).read_line(&mut line)?;
        match line.trim_end().split_once("http://") {
            Some((_, address)) => address.clone_into(&mut running.address),
            None => bail!("it does not say where it listens, but {line:?}"),
        }
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, which is then what the checks have found.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Adds the names of all files below the directory, without the compressed siblings.
fn list(dist: &Path, directory: &Path, names: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            list(dist, &path, names)?;
        } else if !path
            .extension()
            .is_some_and(|extension| extension == "br" || extension == "gz")
        {
            names.push(
                path.strip_prefix(dist)?
                    .to_string_lossy()
                    .replace('\\', "/"),
            );
        }
    }
    Ok(())
}

/// One request on a connection of its own.
fn get(address: &str, name: &str, encodings: &str) -> Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET /{name} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: {encodings}\r\nConnection: close\r\n\r\n"
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Response> {
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .context("the answer has no end of headers")?;
    let head = String::from_utf8_lossy(&bytes[..end + 2]).to_lowercase();
    ensure!(
        !head.contains("\r\ntransfer-encoding:"),
        "the answer has no stated length"
    );
    Ok(Response {
        head,
        body: bytes[end + 4..].to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_an_answer_apart() {
        let response =
            parse(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n\x01\r\n\r\n").unwrap();
        assert!(response.head.contains("\r\ncontent-encoding: br\r\n"));
        assert_eq!(response.body, b"\x01\r\n\r\n");
        assert!(parse(b"HTTP/1.1 200 OK\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").is_err());
    }
}
