//! One address before two servers: `cargo xtask dev` needs the page from Trunk and the processes' WebSockets from the
//! relay, as one origin. (Trunk's own proxy does not hand on a WebSocket's subprotocol, and browsers insist on it.)

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
};

/// What the relay answers; everything else is the page's.
const OF_RELAY: [&str; 4] = ["/api/", "/labs/", "/healthz", "/metrics"];

/// The servers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crossing {
    /// Trunk.
    pub(crate) page: SocketAddr,
    /// The relay.
    pub(crate) relay: SocketAddr,
}

impl Crossing {
    /// Carries what comes in, as long as the program runs. A connection belongs to whom its first request is for:
    /// browsers open a new one for every WebSocket.
    pub(crate) fn open(self, listener: TcpListener) {
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Whatever goes wrong ends both connections, which says it all.
                thread::spawn(move || self.carry(&client));
            }
        });
    }

    fn carry(self, client: &TcpStream) -> io::Result<()> {
        let mut request = BufReader::new(client.try_clone()?);
        let mut line = Vec::new();
        request.read_until(b'\n', &mut line)?;
        let mut server = TcpStream::connect(self.destination(&line))?;
        for stream in [client, &server] {
            stream.set_nodelay(true)?;
        }
        server.write_all(&line)?;
        let answer = server.try_clone()?;
        let back = client.try_clone()?;
        thread::spawn(move || transfer(answer, &back));
        transfer(request, &server);
        Ok(())
    }

    /// By a request line such as `GET /labs/…/process HTTP/1.1`.
    fn destination(self, line: &[u8]) -> SocketAddr {
        let line = String::from_utf8_lossy(line);
        let path = line.split(' ').nth(1).unwrap_or_default();
        if OF_RELAY.iter().any(|start| path.starts_with(start)) {
            self.relay
        } else {
            self.page
        }
    }
}

/// Copies to the end, and passes the end on: a close as a close, anything else as the end of both directions.
fn transfer(mut from: impl Read, to: &TcpStream) {
    let mut sink = to;
    let end = match io::copy(&mut from, &mut sink) {
        Ok(_) => Shutdown::Write,
        Err(_) => Shutdown::Both,
    };
    // It may be closed already.
    let _ = to.shutdown(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers every connection with its name and what it was sent up to the end.
    fn server(name: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = String::new();
                stream.read_to_string(&mut request).unwrap();
                write!(stream, "{name}: {request}").unwrap();
            }
        });
        address
    }

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn carries_each_connection_to_its_server() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        Crossing {
            page: server("page"),
            relay: server("relay"),
        }
        .open(listener);
        let process = "GET /labs/abc/process HTTP/1.1\r\nUpgrade: websocket\r\n\r\nframes";
        assert_eq!(ask(address, process), format!("relay: {process}"));
        let kill = "DELETE /api/v1/labs/abc/processes/1000 HTTP/1.1\r\n\r\n";
        assert_eq!(ask(address, kill), format!("relay: {kill}"));
        let index = "GET / HTTP/1.1\r\n\r\n";
        assert_eq!(ask(address, index), format!("page: {index}"));
    }
}
