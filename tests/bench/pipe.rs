//! A connection over which two ends measure, whatever it is made of.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use anyhow::{Result, ensure};

use crate::load::WRITE;

/// How much is read at a time, in bytes, in every pipe alike.
pub(crate) const READ: usize = 256 * 1024;

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
        static FILLER: [u8; WRITE] = [0; WRITE];
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
}
