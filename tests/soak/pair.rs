//! Two processes of a lab, on two hosts of it: one says again whatever the other says.

use std::{fmt, net::SocketAddr, ops::AddAssign};

use protocol::{Address, LabId, Shutdown, SocketId};
use tests::{Client, Dial, at};
use tokio::{sync::oneshot, time::Instant};

/// The first port; each pair of a lab has its own.
const PORT: u16 = 8888;

/// How many messages go over a connection before the next is made.
const MESSAGES: u64 = 100;

/// The longest message, in bytes. Most are much shorter.
const LONGEST: u64 = 60 * 1024;

/// What was echoed, every byte of it compared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// How many connections there were.
    connections: u64,
    /// How many messages, datagrams included.
    pub(crate) messages: u64,
    /// How many bytes came back.
    bytes: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.connections += other.connections;
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connections,
            messages,
            bytes,
        } = self;
        write!(
            f,
            "{messages} messages with {bytes} bytes came back over {connections} connections, all compared"
        )
    }
}

/// What a pair needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// Where the relay listens.
    pub(crate) relay: SocketAddr,
    /// Its lab.
    pub(crate) lab: LabId,
    /// Which pair of the lab it is.
    pub(crate) number: u16,
    /// When to stop.
    pub(crate) end: Instant,
}

impl Pair {
    /// Runs both processes until the end.
    pub(crate) async fn echo(self) -> Tally {
        let (ready, begun) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let server = self.clone().server(ready, stopped);
        let client = async move {
            let tally = match begun.await {
                Ok(address) => self.client(address).await,
                Err(_) => Tally::default(),
            };
            drop(stop);
            tally
        };
        let ((), tally) = tokio::join!(server, client);
        tally
    }

    async fn join(&self, host: &str, process: &str) -> Client {
        let dial = Dial::at(self.relay, &self.lab);
        match Client::begin(dial, host, process).await {
            Ok(client) => client,
            Err(refusal) => panic!("the relay refused a process: {refusal}"),
        }
    }

    async fn server(self, ready: oneshot::Sender<Address>, stop: oneshot::Receiver<()>) {
        let mut server = self.join("bob", "server").await;
        let address = at(server.welcome().addresses[0], PORT + self.number);
        let listener = server.tcp();
        let datagrams = server.udp();
        let any = at([0, 0, 0, 0].into(), PORT + self.number);
        for (socket, what) in [(listener, "TCP"), (datagrams, "UDP")] {
            if let Err(errno) = server.bind(socket, any.clone()).await {
                panic!("cannot bind {what}: {errno}");
            }
        }
        if let Err(errno) = server.listen(listener, 5).await {
            panic!("cannot listen: {errno}");
        }
        // The client may have gone.
        drop(ready.send(address));
        let serving = async {
            loop {
                serve(&mut server, listener, datagrams).await;
            }
        };
        tokio::select! {
            () = serving => {}
            _ = stop => {}
        }
        server.goodbye().await;
    }

    async fn client(&self, address: Address) -> Tally {
        let mut tally = Tally::default();
        let mut client = self.join("desk", "client").await;
        let datagrams = client.udp();
        let mut random = Random(u64::from(self.number) + 0x9e37_79b9_7f4a_7c15);
        while Instant::now() < self.end {
            let connection = client.tcp();
            if let Err(errno) = client.connect(connection, address.clone()).await {
                panic!("cannot connect: {errno}");
            }
            tally.connections += 1;
            for _ in 0..MESSAGES {
                let message = random.message();
                exchange(&mut client, connection, &message).await;
                tally.messages += 1;
                tally.bytes += message.len() as u64;
                if self.end <= Instant::now() {
                    break;
                }
            }
            client.shutdown(connection, Shutdown::Write);
            client.flush();
            let rest = client.recv_to_the_end(connection).await;
            assert!(rest.is_ok_and(|rest| rest.is_empty()), "more than was said");
            client.close(connection);
            let payload = random.message();
            // The whole of it fits in what a socket may always hold, so none is lost.
            client.send_to(datagrams, &address, &payload).await;
            let (from, echo) = client.recv_from(datagrams).await;
            assert!(
                from == address && echo == payload,
                "a datagram came back changed"
            );
            tally.messages += 1;
            tally.bytes += echo.len() as u64;
        }
        client.goodbye().await;
        tally
    }
}

/// Says everything again on one connection, and then one datagram.
async fn serve(server: &mut Client, listener: SocketId, datagrams: SocketId) {
    let accepted = server.accept(listener).await;
    loop {
        match server.recv(accepted, usize::MAX).await {
            Ok(bytes) if bytes.is_empty() => break,
            Ok(bytes) => {
                if let Err(errno) = server.send(accepted, &bytes).await {
                    panic!("cannot answer: {errno}");
                }
            }
            Err(errno) => panic!("cannot read: {errno}"),
        }
    }
    server.close(accepted);
    server.flush();
    let (from, payload) = server.recv_from(datagrams).await;
    server.send_to(datagrams, &from, &payload).await;
}

/// Says a message and compares what comes back.
async fn exchange(client: &mut Client, connection: SocketId, message: &[u8]) {
    if let Err(errno) = client.send(connection, message).await {
        panic!("cannot send: {errno}");
    }
    match client.recv_exactly(connection, message.len()).await {
        Ok(echo) => assert!(echo == message, "{} bytes came back changed", echo.len()),
        Err(errno) => panic!("cannot read: {errno}"),
    }
}

/// Messages that no two pairs have in common (xorshift64; Marsaglia, 2003).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn message(&mut self) -> Vec<u8> {
        // One in sixteen is long.
        let most = if self.next().is_multiple_of(16) {
            LONGEST
        } else {
            256
        };
        let length = usize::try_from(1 + self.next() % most).unwrap_or(1);
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}
