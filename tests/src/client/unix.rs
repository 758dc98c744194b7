//! UNIX sockets.

use protocol::{
    Act, Address, CallId, ClientMessage, Domain, Errno, Kind, Patience, Reply, SocketId,
};

use super::Client;

/// What stat(2) tells of a UNIX socket's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub inode: u64,
    /// Its permission bits.
    pub mode: u16,
}

/// The address of a path, or of an abstract name that begins with a zero.
pub fn unix(name: &str) -> Address {
    Address::Unix(name.as_bytes().to_vec())
}

impl Client {
    /// Makes a UNIX socket.
    pub fn unix(&mut self, kind: Kind) -> SocketId {
        self.socket(Domain::Unix, kind)
    }

    /// A UNIX socket that listens on this path or abstract name.
    pub async fn unix_listener(&mut self, name: &str) -> SocketId {
        let socket = self.unix(Kind::Stream);
        self.bind(socket, unix(name)).await.unwrap();
        self.listen(socket, 5).await.unwrap();
        socket
    }

    /// socketpair(2).
    pub fn pair(&mut self, kind: Kind) -> [SocketId; 2] {
        let [first, second] = [self.add(kind), self.add(kind)];
        self.say(&ClientMessage::Pair {
            first,
            second,
            kind,
        });
        [first, second]
    }

    /// chdir(2).
    pub fn change_directory(&mut self, path: &str) {
        let path = path.as_bytes().to_vec();
        self.say(&ClientMessage::Directory { path });
    }

    /// Looks at a path or changes it, and says how it was before.
    pub async fn node(&mut self, path: &str, act: Act) -> Result<Node, Errno> {
        let call = self.next_call();
        self.say(&ClientMessage::Node {
            call,
            path: path.as_bytes().to_vec(),
            act,
        });
        match self.answer(call).await? {
            Reply::Node { inode, mode, .. } => Ok(Node { inode, mode }),
            other => panic!("a look at a path was answered with {other:?}"),
        }
    }

    /// The names of the UNIX sockets in a directory.
    pub async fn entries(&mut self, path: &str) -> Vec<String> {
        let call = self.next_call();
        let path = path.as_bytes().to_vec();
        self.say(&ClientMessage::List { call, path });
        match self.answer(call).await.unwrap() {
            Reply::Entries(names) => names
                .into_iter()
                .map(|name| String::from_utf8(name).unwrap())
                .collect(),
            other => panic!("a look into a directory was answered with {other:?}"),
        }
    }

    /// Sends one datagram and learns what became of it.
    pub async fn deliver(
        &mut self,
        socket: SocketId,
        address: &Address,
        payload: &[u8],
        patience: Patience,
    ) -> Result<(), Errno> {
        self.send_to(socket, address, payload).await;
        self.delivered(socket, patience).await
    }

    /// Learns what became of the datagrams that were sent.
    pub async fn delivered(&mut self, socket: SocketId, patience: Patience) -> Result<(), Errno> {
        let call = self.ask_after(socket, patience);
        self.nothing(call).await
    }

    /// Sends one datagram and asks what becomes of it; [`nothing`](Self::nothing) tells the answer.
    pub async fn begin_delivery(
        &mut self,
        socket: SocketId,
        address: &Address,
        payload: &[u8],
    ) -> CallId {
        self.send_to(socket, address, payload).await;
        self.ask_after(socket, Patience::Wait)
    }

    fn ask_after(&mut self, socket: SocketId, patience: Patience) -> CallId {
        let call = self.next_call();
        self.say(&ClientMessage::Delivered {
            call,
            socket,
            patience,
        });
        call
    }

    /// Waits until the relay has said that nobody will read what the socket sends.
    pub async fn until_hung_up(&mut self, socket: SocketId) {
        self.until("the peer to be gone", |client| {
            client.state(socket).hung_up.then_some(())
        })
        .await;
    }
}
