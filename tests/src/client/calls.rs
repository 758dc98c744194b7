//! The calls that are answered.

use std::net::{IpAddr, Ipv4Addr};

use protocol::{
    Address, CallId, ClientMessage, Domain, Errno, HostName, Kind, Reply, Shutdown, SocketId,
};

use super::Client;

/// What getsockname(2) and getpeername(2) tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The socket's own address.
    pub local: Address,
    /// Its peer's.
    pub peer: Address,
}

impl Names {
    /// The socket's own port.
    pub fn port(&self) -> u16 {
        match self.local {
            Address::Inet { port, .. } | Address::Inet6 { port, .. } => port,
            Address::Unspecified | Address::Unix(_) => panic!("{:?} has no port", self.local),
        }
    }
}

/// An address on the process's own host.
pub fn local(port: u16) -> Address {
    at(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// An address and a port.
pub fn at(ip: IpAddr, port: u16) -> Address {
    match ip {
        IpAddr::V4(ip) => Address::Inet { ip, port },
        IpAddr::V6(ip) => Address::Inet6 {
            ip,
            port,
            flow: 0,
            scope: 0,
        },
    }
}

impl Client {
    /// Makes a TCP socket.
    pub fn tcp(&mut self) -> SocketId {
        self.socket(Domain::Inet, Kind::Stream)
    }

    /// Makes a UDP socket.
    pub fn udp(&mut self) -> SocketId {
        self.socket(Domain::Inet, Kind::Datagram)
    }

    /// socket(2).
    pub fn socket(&mut self, domain: Domain, kind: Kind) -> SocketId {
        let socket = self.add(kind);
        self.say(&ClientMessage::Socket {
            socket,
            domain,
            kind,
        });
        socket
    }

    /// bind(2).
    pub async fn bind(&mut self, socket: SocketId, address: Address) -> Result<Names, Errno> {
        let call = self.next_call();
        self.say(&ClientMessage::Bind {
            call,
            socket,
            address,
        });
        self.names_of(call).await
    }

    /// listen(2).
    pub async fn listen(&mut self, socket: SocketId, backlog: u32) -> Result<Names, Errno> {
        let call = self.next_call();
        self.say(&ClientMessage::Listen {
            call,
            socket,
            backlog,
        });
        self.names_of(call).await
    }

    /// A TCP socket that listens on this port of the process's own host.
    pub async fn listener(&mut self, port: u16) -> SocketId {
        let socket = self.tcp();
        self.bind(socket, local(port)).await.unwrap();
        self.listen(socket, 5).await.unwrap();
        socket
    }

    /// A UDP socket that is bound to this port of the process's own host.
    pub async fn receiver(&mut self, port: u16) -> SocketId {
        let socket = self.udp();
        self.bind(socket, local(port)).await.unwrap();
        socket
    }

    /// accept(2) without waiting.
    pub async fn accept_now(&mut self, socket: SocketId) -> Result<(SocketId, Names), Errno> {
        let call = self.next_call();
        let accepted = self.add(Kind::Stream);
        self.say(&ClientMessage::Accept {
            call,
            socket,
            accepted,
        });
        match self.names_of(call).await {
            Ok(names) => Ok((accepted, names)),
            Err(errno) => {
                self.sockets.remove(&accepted);
                Err(errno)
            }
        }
    }

    /// accept(2): waits until the relay says that a connection waits.
    pub async fn accept(&mut self, socket: SocketId) -> SocketId {
        loop {
            let seen = self.state(socket).acceptable;
            match self.accept_now(socket).await {
                Ok((accepted, _)) => return accepted,
                Err(Errno::EAGAIN) => {
                    self.until("a connection", |client| {
                        (seen < client.state(socket).acceptable).then_some(())
                    })
                    .await;
                }
                Err(errno) => panic!("accept failed: {errno}"),
            }
        }
    }

    /// How many times the relay said that a connection waits at this listener.
    pub fn times_acceptable(&mut self, socket: SocketId) -> u64 {
        self.state(socket).acceptable
    }

    /// Waits until the relay has said so for this many times.
    pub async fn until_acceptable(&mut self, socket: SocketId, times: u64) {
        self.until("a connection at the listener", |client| {
            (times <= client.state(socket).acceptable).then_some(())
        })
        .await;
    }

    /// connect(2).
    pub async fn connect(&mut self, socket: SocketId, address: Address) -> Result<Names, Errno> {
        let call = self.start_connect(socket, address);
        self.names_of(call).await
    }

    /// Begins connect(2) without waiting for the answer.
    pub fn start_connect(&mut self, socket: SocketId, address: Address) -> CallId {
        let call = self.next_call();
        self.say(&ClientMessage::Connect {
            call,
            socket,
            address,
        });
        call
    }

    /// A TCP socket that is connected to this port of the process's own host.
    pub async fn connected(&mut self, port: u16) -> SocketId {
        let socket = self.tcp();
        self.connect(socket, local(port)).await.unwrap();
        socket
    }

    /// shutdown(2).
    pub fn shutdown(&mut self, socket: SocketId, how: Shutdown) {
        self.say(&ClientMessage::Shutdown { socket, how });
    }

    /// close(2).
    pub fn close(&mut self, socket: SocketId) {
        self.sockets.remove(&socket);
        self.say(&ClientMessage::Close { socket });
    }

    /// close(2) with unread data.
    pub fn abort(&mut self, socket: SocketId) {
        self.sockets.remove(&socket);
        self.say(&ClientMessage::Abort { socket });
    }

    /// getsockname(2) and getpeername(2).
    pub async fn names(&mut self, socket: SocketId) -> Result<Names, Errno> {
        let call = self.next_call();
        self.say(&ClientMessage::Names { call, socket });
        self.names_of(call).await
    }

    /// getsockopt(2) of a number.
    pub async fn option(&mut self, socket: SocketId, level: i32, name: i32) -> Result<i32, Errno> {
        let value = self.option_bytes(socket, level, name, 4).await?;
        Ok(i32::from_le_bytes(value.try_into().unwrap()))
    }

    /// getsockopt(2) into a buffer of this length.
    pub async fn option_bytes(
        &mut self,
        socket: SocketId,
        level: i32,
        name: i32,
        length: u32,
    ) -> Result<Vec<u8>, Errno> {
        let call = self.next_call();
        self.say(&ClientMessage::GetOption {
            call,
            socket,
            level,
            name,
            length,
        });
        match self.answer(call).await? {
            Reply::Option(value) => Ok(value),
            other => panic!("getsockopt was answered with {other:?}"),
        }
    }

    /// setsockopt(2) of a number.
    pub async fn set_option(
        &mut self,
        socket: SocketId,
        level: i32,
        name: i32,
        value: i32,
    ) -> Result<(), Errno> {
        self.set_option_bytes(socket, level, name, &value.to_le_bytes())
            .await
    }

    /// setsockopt(2) of any bytes.
    pub async fn set_option_bytes(
        &mut self,
        socket: SocketId,
        level: i32,
        name: i32,
        value: &[u8],
    ) -> Result<(), Errno> {
        let call = self.next_call();
        self.say(&ClientMessage::SetOption {
            call,
            socket,
            level,
            name,
            value: value.to_vec(),
        });
        self.nothing(call).await
    }

    /// Looks a name up.
    pub async fn resolve(&mut self, name: &str) -> Result<Vec<IpAddr>, Errno> {
        let call = self.next_call();
        self.say(&ClientMessage::Resolve {
            call,
            name: name.to_owned(),
        });
        match self.answer(call).await? {
            Reply::Hosts(addresses) => Ok(addresses),
            other => panic!("a look-up was answered with {other:?}"),
        }
    }

    /// Looks the name of an address up.
    pub async fn reverse(&mut self, ip: IpAddr) -> Result<Option<HostName>, Errno> {
        let call = self.next_call();
        self.say(&ClientMessage::Reverse { call, ip });
        match self.answer(call).await? {
            Reply::HostName(name) => Ok(name),
            other => panic!("a reverse look-up was answered with {other:?}"),
        }
    }

    /// Asks the relay to report everything that can be reported now.
    pub async fn sync(&mut self) {
        let call = self.next_call();
        self.say(&ClientMessage::Sync { call });
        self.nothing(call).await.unwrap();
    }

    /// Waits for the answer to a call that gives names.
    pub async fn names_of(&mut self, call: CallId) -> Result<Names, Errno> {
        match self.answer(call).await? {
            Reply::Names { local, peer } => Ok(Names { local, peer }),
            other => panic!("{call:?} was answered with {other:?}"),
        }
    }

    /// Whether a call was answered, as far as was read.
    pub fn is_answered(&self, call: CallId) -> bool {
        self.done.contains_key(&call)
    }

    /// Waits for the answer of a call that says no more than whether it worked.
    pub async fn nothing(&mut self, call: CallId) -> Result<(), Errno> {
        match self.answer(call).await? {
            Reply::Nothing => Ok(()),
            other => panic!("{call:?} was answered with {other:?}"),
        }
    }

    pub(super) async fn answer(&mut self, call: CallId) -> Result<Reply, Errno> {
        self.until("an answer", |client| client.done.remove(&call))
            .await
    }

    pub(super) fn next_call(&mut self) -> CallId {
        self.calls += 1;
        CallId(self.calls)
    }
}
