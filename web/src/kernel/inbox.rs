//! What has come in for a socket and was not read yet.
//!
//! The payload itself stays where the browser put it; the kernel only keeps handles. In tests a handle is a vector.
//!
//! [`stream`] is what came of a stream, with its urgent byte.

mod stream;

use protocol::{Address, Control};

pub(crate) use stream::{Placement, Reading, Stream};

/// A handle on bytes that lie outside the kernel.
pub(crate) trait Chunk: Clone {
    /// How many bytes.
    fn len(&self) -> usize;
    /// A handle on the bytes from `start` up to `end`.
    fn slice(&self, start: usize, end: usize) -> Self;
}

impl Chunk for Vec<u8> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn slice(&self, start: usize, end: usize) -> Self {
        self[start..end].to_vec()
    }
}

/// A datagram and where it is from.
#[derive(Clone, Debug)]
pub(crate) struct Datagram<C> {
    /// The sender.
    pub(crate) from: Address,
    /// What came with it.
    pub(crate) controls: Vec<Control>,
    /// The bytes.
    pub(crate) payload: C,
}
