//! A connection over which two ends measure, whatever it is made of.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Result, ensure};

use crate::load::WRITE;

/// How much is read at a time, in bytes, in every pipe alike.
pub(crate) const READ: usize = 256 * 1024;

/// What is sent when it does not matter.
static FILLER: [u8; WRITE] = [0; WRITE];

/// A connection to the other end.
pub(crate) trait Pipe {
    /// Sends these few bytes.
    fn send(&mut self, bytes: &[u8]) -> Result<()>;

    /// Sends this many bytes, no matter which, at most [`WRITE`].
    fn put(&mut self, length: usize) -> Result<()>;

    /// Reads exactly these few bytes. Says whether it could: not when the other end has finished.
    fn receive(&mut self, bytes: &mut [u8]) -> Result<bool>;

    /// Reads exactly this many bytes, no matter which.
    fn skip(&mut self, length: u64) -> Result<()>;

    /// Sends up to this many bytes to somebody who does not read, until nothing was taken for so long. Says how many were.
    fn fill(&mut self, most: u64, patience: Duration) -> Result<u64>;
}

/// A TCP connection and nothing else.
#[derive(Debug)]
pub(crate) struct Plain {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Plain {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        Self::over(TcpStream::connect(address)?)
    }

    /// Takes over a connection.
    pub(crate) fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; READ],
        })
    }
}

impl Pipe for Plain {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    fn put(&mut self, length: usize) -> Result<()> {
        Ok(self.stream.write_all(&FILLER[..length])?)
    }

    fn receive(&mut self, bytes: &mut [u8]) -> Result<bool> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.stream.read(&mut bytes[filled..])? {
                0 => return Ok(false),
                length => filled += length,
            }
        }
        Ok(true)
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        let mut left = usize::try_from(length)?;
        while 0 < left {
            let most = left.min(self.buffer.len());
            let length = self.stream.read(&mut self.buffer[..most])?;
            ensure!(0 < length, "the other end has gone");
            left -= length;
        }
        Ok(())
    }

    fn fill(&mut self, most: u64, patience: Duration) -> Result<u64> {
        self.stream.set_write_timeout(Some(patience))?;
        let mut sent = 0;
        while sent < most {
            match self.stream.write(&FILLER) {
                Ok(length) => sent += length as u64,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.stream.set_write_timeout(None)?;
        Ok(sent)
    }
}
