//! What has come in for a socket and was not read yet.
//!
//! The payload itself stays where the browser put it; the kernel only keeps handles. In tests a handle is a vector.

use std::collections::VecDeque;

use protocol::Address;

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

/// The bytes of a stream.
#[derive(Debug)]
pub(crate) struct Stream<C> {
    chunks: VecDeque<C>,
    length: usize,
}

impl<C> Default for Stream<C> {
    fn default() -> Self {
        Self {
            chunks: VecDeque::new(),
            length: 0,
        }
    }
}

impl<C: Chunk> Stream<C> {
    /// Adds bytes at the end.
    pub(crate) fn push(&mut self, chunk: C) {
        self.length += chunk.len();
        self.chunks.push_back(chunk);
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Copies of the handles on the first bytes, at most `most`.
    pub(crate) fn peek(&self, most: usize) -> Vec<C> {
        let mut left = most;
        let mut taken = Vec::new();
        for chunk in &self.chunks {
            if left == 0 {
                break;
            }
            let part = chunk.slice(0, chunk.len().min(left));
            left -= part.len();
            taken.push(part);
        }
        taken
    }

    /// Takes the first bytes out, at most `most`.
    pub(crate) fn take(&mut self, most: usize) -> Vec<C> {
        let mut left = most;
        let mut taken = Vec::new();
        while 0 < left {
            let Some(chunk) = self.chunks.pop_front() else {
                break;
            };
            if left < chunk.len() {
                self.chunks.push_front(chunk.slice(left, chunk.len()));
                taken.push(chunk.slice(0, left));
                left = 0;
            } else {
                left -= chunk.len();
                taken.push(chunk);
            }
        }
        self.length -= most - left;
        taken
    }
}

/// A datagram and where it is from.
#[derive(Clone, Debug)]
pub(crate) struct Datagram<C> {
    /// The sender.
    pub(crate) from: Address,
    /// The bytes.
    pub(crate) payload: C,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(parts: &[&[u8]]) -> Stream<Vec<u8>> {
        let mut stream = Stream::default();
        for part in parts {
            stream.push(part.to_vec());
        }
        stream
    }

    #[test]
    fn taking_cuts_and_joins_chunks() {
        let mut stream = stream(&[b"hello", b" ", b"world"]);
        assert_eq!(stream.peek(7).concat(), b"hello w");
        assert_eq!(stream.take(7).concat(), b"hello w");
        assert_eq!(stream.len(), 4);
        assert_eq!(stream.take(100).concat(), b"orld");
        assert_eq!(stream.len(), 0);
    }
}
