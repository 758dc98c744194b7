//! A descriptor kept back, so that somebody new can be told when there are no others left.
//!
//! Without one, a connection that cannot be accepted waits in the kernel, and whoever made it does not learn why.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long somebody may take to ask and to be told, while nobody else could be served anyway.
const PATIENCE: Duration = Duration::from_millis(200);

/// How much of a request is read before the answer, in bytes.
const REQUEST: usize = 16 * 1024;

/// What everybody is told.
const ANSWER: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    Content-Type: text/plain\r\n\
    Content-Length: 51\r\n\
    Retry-After: 1\r\n\
    Connection: close\r\n\r\n\
    the relay has no descriptors left, try again later\n";

/// The descriptor, unless it is in use or could not be had again.
#[derive(Debug, Default)]
pub(super) struct Reserve(Option<File>);

impl Reserve {
    /// Takes the descriptor, if it is not held.
    pub(super) fn fill(&mut self) {
        if self.0.is_none() {
            self.0 = File::open("/dev/null").ok();
        }
    }

    /// Accepts a connection in place of the descriptor. None if it had to be turned away: if there is still no other.
    pub(super) async fn accept(
        &mut self,
        listener: &TcpListener,
    ) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        self.0 = None;
        let accepted = within(PATIENCE, listener.accept()).await;
        self.fill();
        let (stream, peer) = accepted?;
        if self.0.is_some() {
            return Ok(Some((stream, peer)));
        }
        let refused = within(PATIENCE, refuse(stream)).await;
        self.fill();
        refused.map(|()| None)
    }
}

async fn within<T>(time: Duration, deed: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let done = tokio::time::timeout(time, deed).await;
    done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Whether an error says that the process or the system has no descriptors left (accept(2)).
pub(super) fn is_exhausted(error: &io::Error) -> bool {
    let of = |errno: rustix::io::Errno| error.raw_os_error() == Some(errno.raw_os_error());
    of(rustix::io::Errno::MFILE) || of(rustix::io::Errno::NFILE)
}

/// Answers whatever is asked, after it was asked: closing with something unread would take the answer back.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && request.len() < REQUEST {
        if stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    stream.write_all(ANSWER.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_how_long_it_is() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())));
    }

    /// That they are turned away when nothing is left shows only where nothing is left: in the tests of the program.
    #[tokio::test]
    async fn who_comes_is_let_in_when_there_are_descriptors_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut reserve = Reserve::default();
        reserve.fill();
        let near = TcpStream::connect(address).await.unwrap();
        let (_far, peer) = reserve.accept(&listener).await.unwrap().unwrap();
        assert_eq!(near.local_addr().unwrap(), peer);
        assert!(reserve.0.is_some());
    }

    #[tokio::test]
    async fn who_is_refused_is_told_why() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (far, _) = listener.accept().await.unwrap();
        near.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        refuse(far).await.unwrap();
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, ANSWER);
    }
}
