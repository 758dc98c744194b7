//! Payload: sent within the relay's credit, and granted anew as it is read.

use protocol::{
    Address, Control, Errno, Kind, SocketId,
    credit::datagram_cost,
    frame::{FrameKind, Header, encode_address, encode_controls},
    limits::MAX_STREAM_FRAME,
};

use super::{BATCH, Client, Datagram};

impl Client {
    /// Sends all bytes, waiting for credit as often as needed.
    ///
    /// # Errors
    ///
    /// What became of the connection.
    pub async fn send(&mut self, socket: SocketId, mut bytes: &[u8]) -> Result<(), Errno> {
        loop {
            let sent = self.offer(socket, bytes)?;
            bytes = &bytes[sent..];
            if bytes.is_empty() {
                self.flush();
                return Ok(());
            }
            if BATCH < self.out.len() {
                self.flush();
            } else {
                self.until("credit", |client| {
                    let state = client.state(socket);
                    (0 < state.send.available() || state.failed.is_some()).then_some(())
                })
                .await;
            }
        }
    }

    /// Sends what the credit allows without waiting, and says how much that was.
    ///
    /// # Errors
    ///
    /// What became of the connection.
    pub fn offer(&mut self, socket: SocketId, bytes: &[u8]) -> Result<usize, Errno> {
        let mut sent = 0;
        while sent < bytes.len() && self.out.len() <= BATCH {
            let state = self.state(socket);
            assert_eq!(state.kind, Kind::Stream);
            if let Some(errno) = state.failed.take() {
                return Err(errno);
            }
            let room = usize::try_from(state.send.available()).unwrap();
            let length = room.min(MAX_STREAM_FRAME).min(bytes.len() - sent);
            if length == 0 {
                break;
            }
            state.send.spend(length as u64).unwrap();
            self.say_stream(socket, &bytes[sent..sent + length]);
            sent += length;
        }
        Ok(sent)
    }

    /// Appends a stream frame without a look at the credit.
    pub fn say_stream(&mut self, socket: SocketId, payload: &[u8]) {
        let header = Header {
            kind: FrameKind::Stream,
            length: payload.len(),
            socket,
        };
        self.out.extend_from_slice(&header.encode());
        self.out.extend_from_slice(payload);
    }

    /// Sends an urgent byte.
    pub async fn send_urgent(&mut self, socket: SocketId, byte: u8) {
        self.until("credit", |client| {
            (0 < client.state(socket).send.available()).then_some(())
        })
        .await;
        self.state(socket).send.spend(1).unwrap();
        self.say_urgent(socket, &[byte]);
        self.flush();
    }

    /// Appends an urgent frame without a look at the credit.
    pub fn say_urgent(&mut self, socket: SocketId, payload: &[u8]) {
        let header = Header {
            kind: FrameKind::Urgent,
            length: payload.len(),
            socket,
        };
        self.out.extend_from_slice(&header.encode());
        self.out.extend_from_slice(payload);
    }

    /// Takes an urgent byte, and says how many bytes of the stream, urgent ones included, came before it.
    pub async fn recv_urgent(&mut self, socket: SocketId) -> (u64, u8) {
        let urgent = self
            .until("an urgent byte", |client| {
                client.state(socket).urgent.pop_front()
            })
            .await;
        self.consumed(socket, 1);
        self.flush();
        urgent
    }

    /// Reads up to this many bytes. Nothing means that the peer has sent everything.
    ///
    /// # Errors
    ///
    /// What became of the connection.
    pub async fn recv(&mut self, socket: SocketId, most: usize) -> Result<Vec<u8>, Errno> {
        self.until("data", |client| {
            let state = client.state(socket);
            let ready = !state.bytes.is_empty() || state.finished || state.failed.is_some();
            ready.then_some(())
        })
        .await;
        let state = self.state(socket);
        if state.bytes.is_empty() {
            return match state.failed.take() {
                Some(errno) => Err(errno),
                None => Ok(Vec::new()),
            };
        }
        let length = most.min(state.bytes.len());
        let bytes: Vec<u8> = state.bytes.drain(..length).collect();
        self.consumed(socket, length as u64);
        self.flush();
        Ok(bytes)
    }

    /// Reads exactly this many bytes.
    ///
    /// # Errors
    ///
    /// What became of the connection.
    pub async fn recv_exactly(
        &mut self,
        socket: SocketId,
        length: usize,
    ) -> Result<Vec<u8>, Errno> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let more = self.recv(socket, length - bytes.len()).await?;
            assert!(
                !more.is_empty(),
                "the stream ended after {} bytes",
                bytes.len()
            );
            bytes.extend(more);
        }
        Ok(bytes)
    }

    /// Reads to the end of the stream.
    ///
    /// # Errors
    ///
    /// What became of the connection.
    pub async fn recv_to_the_end(&mut self, socket: SocketId) -> Result<Vec<u8>, Errno> {
        let mut bytes = Vec::new();
        loop {
            let more = self.recv(socket, usize::MAX).await?;
            if more.is_empty() {
                return Ok(bytes);
            }
            bytes.extend(more);
        }
    }

    /// Waits until the stream can go on in either direction: there is credit, or something to read.
    pub async fn until_movable(&mut self, socket: SocketId) {
        self.until("credit or data", |client| {
            let state = client.state(socket);
            let moves = 0 < state.send.available()
                || !state.bytes.is_empty()
                || state.finished
                || state.failed.is_some();
            moves.then_some(())
        })
        .await;
    }

    /// How many bytes came that were not read yet, as far as the client has listened.
    pub fn unread(&mut self, socket: SocketId) -> usize {
        self.state(socket).bytes.len()
    }

    /// How many datagrams came that were not read yet, as far as the client has listened.
    pub fn unread_datagrams(&mut self, socket: SocketId) -> usize {
        self.state(socket).datagrams.len()
    }

    /// Waits until the socket has failed, and says with what.
    pub async fn failure(&mut self, socket: SocketId) -> Errno {
        self.until("a failure", |client| client.state(socket).failed.take())
            .await
    }

    /// Sends one datagram.
    pub async fn send_to(&mut self, socket: SocketId, address: &Address, payload: &[u8]) {
        self.send_message(socket, address, &[], payload).await;
    }

    /// Sends one datagram with control messages.
    pub async fn send_message(
        &mut self,
        socket: SocketId,
        address: &Address,
        controls: &[Control],
        payload: &[u8],
    ) {
        let cost = datagram_cost(payload.len());
        self.until("credit", |client| {
            (cost <= client.state(socket).send.available()).then_some(())
        })
        .await;
        self.state(socket).send.spend(cost).unwrap();
        let mut bytes = Vec::new();
        encode_address(address, &mut bytes);
        let kind = if controls.is_empty() {
            FrameKind::Datagram
        } else {
            assert!(encode_controls(controls, &mut bytes), "too many");
            FrameKind::Message
        };
        bytes.extend_from_slice(payload);
        let header = Header {
            kind,
            length: bytes.len(),
            socket,
        };
        self.out.extend_from_slice(&header.encode());
        self.out.extend_from_slice(&bytes);
        self.flush();
    }

    /// Reads one datagram and who sent it.
    pub async fn recv_from(&mut self, socket: SocketId) -> (Address, Vec<u8>) {
        let (address, _, payload) = self.recv_message(socket).await;
        (address, payload)
    }

    /// Reads one datagram, who sent it, and what came with it.
    pub async fn recv_message(&mut self, socket: SocketId) -> Datagram {
        let datagram = self
            .until("a datagram", |client| {
                client.state(socket).datagrams.pop_front()
            })
            .await;
        self.consumed(socket, datagram_cost(datagram.2.len()));
        self.flush();
        datagram
    }
}
