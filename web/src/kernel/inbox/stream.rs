//! The bytes of a stream, and which of them is urgent (RFC 6093, tcp(7)).

use std::collections::VecDeque;

use super::Chunk;

/// What happens to an urgent byte where it lies in the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Placement {
    /// It is passed over.
    #[default]
    Beside,
    /// It is read with the others (`SO_OOBINLINE`).
    Inline,
}

/// Whether what is read stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It does not.
    Take,
    /// It does (`MSG_PEEK`).
    Peek,
}

/// An urgent byte. There is one at a time.
#[derive(Debug)]
struct Mark<C> {
    /// How many bytes of the stream come before it.
    before: usize,
    byte: C,
    state: State,
}

/// Whether an urgent byte was read beside the stream (`MSG_OOB`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Untold,
    Told,
}

/// The bytes of a stream.
#[derive(Debug)]
pub(crate) struct Stream<C> {
    /// Without the urgent byte.
    chunks: VecDeque<C>,
    length: usize,
    mark: Option<Mark<C>>,
}

impl<C> Default for Stream<C> {
    fn default() -> Self {
        Self {
            chunks: VecDeque::new(),
            length: 0,
            mark: None,
        }
    }
}

impl<C: Chunk> Stream<C> {
    /// Adds bytes at the end.
    pub(crate) fn push(&mut self, chunk: C) {
        self.length += chunk.len();
        self.chunks.push_back(chunk);
    }

    /// Adds an urgent byte at the end. As in the kernel (`tcp_check_urg`), one that was urgent before is an ordinary one
    /// from now on, or is passed over if it is next. Says how many bytes were.
    pub(crate) fn push_urgent(&mut self, byte: C, placement: Placement) -> usize {
        let passed = match placement {
            Placement::Beside => self.pass(),
            Placement::Inline => 0,
        };
        self.settle();
        self.mark = Some(Mark {
            before: self.length,
            byte,
            state: State::Untold,
        });
        passed
    }

    /// Makes the urgent byte an ordinary one.
    fn settle(&mut self) {
        let Some(mark) = self.mark.take() else {
            return;
        };
        let front = self.take(mark.before);
        self.length += mark.before + mark.byte.len();
        self.chunks.push_front(mark.byte);
        for chunk in front.into_iter().rev() {
            self.chunks.push_front(chunk);
        }
    }

    /// Passes over the urgent byte if it is next. Says how many bytes that were.
    pub(crate) fn pass(&mut self) -> usize {
        let passed = self.mark.take_if(|mark| mark.before == 0);
        passed.map_or(0, |mark| mark.byte.len())
    }

    /// Whether the next byte is urgent (sockatmark(3)).
    pub(crate) fn is_at_mark(&self) -> bool {
        self.mark.as_ref().is_some_and(|mark| mark.before == 0)
    }

    /// Whether there is an urgent byte, read beside the stream or not.
    pub(crate) fn has_mark(&self) -> bool {
        self.mark.is_some()
    }

    /// Whether there is an urgent byte that was not read beside the stream.
    pub(crate) fn has_urgent(&self) -> bool {
        let mark = self.mark.as_ref();
        mark.is_some_and(|mark| mark.state == State::Untold)
    }

    /// Reads the urgent byte beside the stream, where its place stays.
    pub(crate) fn urgent(&mut self, reading: Reading) -> Option<C> {
        let mark = self.mark.as_mut()?;
        if mark.state == State::Told {
            return None;
        }
        if reading == Reading::Take {
            mark.state = State::Told;
        }
        Some(mark.byte.clone())
    }

    /// Whether nothing is left, neither ordinary nor urgent.
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0 && self.mark.is_none()
    }

    /// How many bytes one call can read: it stops at an urgent byte, unless that is the first.
    pub(crate) fn readable(&self, placement: Placement) -> usize {
        match &self.mark {
            Some(mark) if 0 < mark.before => mark.before,
            Some(mark) if placement == Placement::Inline => mark.byte.len() + self.length,
            Some(_) | None => self.length,
        }
    }

    /// Reads the first bytes, at most `most`.
    pub(crate) fn read(&mut self, most: usize, placement: Placement, reading: Reading) -> Vec<C> {
        let most = most.min(self.readable(placement));
        if reading == Reading::Peek {
            return self.peek(most, placement);
        }
        if self.is_at_mark() && 0 < most {
            match placement {
                Placement::Inline => self.settle(),
                Placement::Beside => self.mark = None,
            }
        }
        if let Some(mark) = &mut self.mark {
            mark.before -= most;
        }
        self.take(most)
    }

    /// Copies of the handles on the first bytes.
    fn peek(&self, most: usize, placement: Placement) -> Vec<C> {
        let inline = match placement {
            Placement::Inline => self.mark.as_ref().filter(|mark| mark.before == 0),
            Placement::Beside => None,
        };
        let first = inline.map(|mark| &mark.byte);
        let mut left = most;
        let mut taken = Vec::new();
        for chunk in first.into_iter().chain(&self.chunks) {
            if left == 0 {
                break;
            }
            let part = chunk.slice(0, chunk.len().min(left));
            left -= part.len();
            taken.push(part);
        }
        taken
    }

    /// Takes the first bytes out, of which there are so many.
    fn take(&mut self, most: usize) -> Vec<C> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const BESIDE: Placement = Placement::Beside;
    const INLINE: Placement = Placement::Inline;

    fn stream(parts: &[&[u8]]) -> Stream<Vec<u8>> {
        let mut stream = Stream::default();
        for part in parts {
            stream.push(part.to_vec());
        }
        stream
    }

    fn marked(before: &[u8], byte: u8, after: &[u8]) -> Stream<Vec<u8>> {
        let mut stream = stream(&[before]);
        stream.push_urgent(vec![byte], BESIDE);
        stream.push(after.to_vec());
        stream
    }

    fn take(stream: &mut Stream<Vec<u8>>, placement: Placement) -> Vec<u8> {
        stream.read(100, placement, Reading::Take).concat()
    }

    #[test]
    fn reading_cuts_and_joins_chunks() {
        let mut stream = stream(&[b"hello", b" ", b"world"]);
        let peeked = stream.read(7, BESIDE, Reading::Peek).concat();
        assert_eq!(peeked, b"hello w");
        let taken = stream.read(7, BESIDE, Reading::Take).concat();
        assert_eq!(taken, b"hello w");
        assert_eq!(stream.readable(BESIDE), 4);
        assert_eq!(take(&mut stream, BESIDE), b"orld");
        assert!(stream.is_empty());
    }

    #[test]
    fn a_read_stops_at_an_urgent_byte_and_the_next_passes_it() {
        let mut stream = marked(b"abc", b'!', b"def");
        assert_eq!(take(&mut stream, BESIDE), b"abc");
        assert!(stream.is_at_mark() && stream.has_urgent());
        assert_eq!(stream.urgent(Reading::Peek), Some(b"!".to_vec()));
        assert_eq!(stream.urgent(Reading::Take), Some(b"!".to_vec()));
        assert_eq!(stream.urgent(Reading::Take), None);
        assert!(stream.is_at_mark() && !stream.has_urgent());
        assert_eq!(stream.pass(), 1);
        assert_eq!(take(&mut stream, BESIDE), b"def");
        assert!(stream.is_empty());
    }

    #[test]
    fn inline_it_is_read_in_its_place() {
        let mut stream = marked(b"abc", b'!', b"def");
        assert_eq!(take(&mut stream, INLINE), b"abc");
        assert!(stream.is_at_mark());
        assert_eq!(stream.read(2, INLINE, Reading::Peek).concat(), b"!d");
        assert_eq!(take(&mut stream, INLINE), b"!def");
        assert!(!stream.is_at_mark() && stream.is_empty());
    }

    #[test]
    fn only_the_last_one_is_urgent() {
        let mut stream = marked(b"ab", b'1', b"cd");
        assert_eq!(stream.push_urgent(b"2".to_vec(), BESIDE), 0);
        assert_eq!(take(&mut stream, BESIDE), b"ab1cd");
        assert_eq!(stream.urgent(Reading::Take), Some(b"2".to_vec()));
        stream.push(b"ef".to_vec());
        // One that is next is lost.
        assert_eq!(stream.push_urgent(b"3".to_vec(), BESIDE), 1);
        assert_eq!(take(&mut stream, BESIDE), b"ef");
        assert_eq!(stream.urgent(Reading::Take), Some(b"3".to_vec()));
    }
}
