//! The program's memory, seen from outside.
//!
//! Whoever reads or writes here must do so within the system call: while a program is suspended its stack may have been
//! moved away, and others use its place.

#![allow(
    clippy::cast_possible_truncation,
    reason = "addresses and lengths of a 32-bit memory"
)]

use js_sys::Uint8Array;
use js_sys::WebAssembly;

use super::inbox::Chunk;

/// The interpreter's linear memory.
#[derive(Debug)]
pub(crate) struct Memory {
    memory: WebAssembly::Memory,
    view: Uint8Array,
}

/// A place in the program's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Where it begins.
    pub(crate) start: u32,
    /// How long it is, in bytes.
    pub(crate) length: u32,
}

impl Memory {
    /// Looks at this memory.
    pub(crate) fn new(memory: WebAssembly::Memory) -> Self {
        let view = Uint8Array::new(&memory.buffer());
        Self { memory, view }
    }

    /// All of the memory. When it has grown, the old view is empty and a new one is made.
    pub(crate) fn view(&mut self) -> &Uint8Array {
        if self.view.length() == 0 {
            self.view = Uint8Array::new(&self.memory.buffer());
        }
        &self.view
    }

    /// A part of the memory.
    pub(crate) fn part(&mut self, span: Span) -> Uint8Array {
        self.view().subarray(span.start, span.start + span.length)
    }

    /// Copies bytes out.
    pub(crate) fn read(&mut self, span: Span) -> Vec<u8> {
        self.part(span).to_vec()
    }

    /// Reads a 32-bit number.
    pub(crate) fn read_u32(&mut self, at: u32) -> u32 {
        let mut bytes = [0; 4];
        self.part(Span {
            start: at,
            length: 4,
        })
        .copy_to(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// Reads a text that ends with a zero byte; none at address zero.
    pub(crate) fn read_text(&mut self, at: u32) -> Option<String> {
        if at == 0 {
            return None;
        }
        let view = self.view();
        let rest = view.subarray(at, view.length());
        let length = u32::try_from(rest.index_of(0, 0)).ok()?;
        Some(String::from_utf8_lossy(&self.read(Span { start: at, length })).into_owned())
    }

    /// Copies bytes in.
    pub(crate) fn write(&mut self, at: u32, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.part(Span { start: at, length }).copy_from(bytes);
    }

    /// Writes a 32-bit number.
    pub(crate) fn write_u32(&mut self, at: u32, number: u32) {
        self.write(at, &number.to_le_bytes());
    }

    /// Writes bytes where the caller has room for `*length` of them, and how many there really are into `*length`, as
    /// accept(2) and getsockname(2) do.
    pub(crate) fn write_value(&mut self, at: u32, length: u32, bytes: &[u8]) {
        if at == 0 || length == 0 {
            return;
        }
        let room = self.read_u32(length) as usize;
        self.write(at, &bytes[..bytes.len().min(room)]);
        self.write_u32(length, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    }

    /// The parts of an array of `struct iovec`.
    pub(crate) fn vector(&mut self, at: u32, count: u32) -> Vec<Span> {
        (0..count)
            .map(|index| Span {
                start: self.read_u32(at + 8 * index),
                length: self.read_u32(at + 8 * index + 4),
            })
            .collect()
    }
}

/// How many bytes these parts hold together.
pub(crate) fn total(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.length as usize).sum()
}

/// The parts of `spans` that hold the bytes from `offset` on, `length` of them.
pub(crate) fn window(spans: &[Span], offset: usize, length: usize) -> Vec<Span> {
    let (mut skip, mut left) = (offset, length);
    let mut parts = Vec::new();
    for span in spans {
        let size = span.length as usize;
        let here = skip.min(size);
        skip -= here;
        let take = (size - here).min(left);
        if 0 < take {
            left -= take;
            parts.push(Span {
                start: span.start + here as u32,
                length: take as u32,
            });
        }
    }
    parts
}

/// A handle on bytes of a WebSocket message.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    bytes: Uint8Array,
    start: u32,
    length: u32,
}

impl Received {
    /// A part of a WebSocket message.
    pub(crate) fn new(bytes: &Uint8Array, start: u32, length: u32) -> Self {
        Self {
            bytes: bytes.clone(),
            start,
            length,
        }
    }

    /// The bytes, where they are.
    pub(crate) fn view(&self) -> Uint8Array {
        self.bytes.subarray(self.start, self.start + self.length)
    }
}

impl Chunk for Received {
    fn len(&self) -> usize {
        self.length as usize
    }

    fn slice(&self, start: usize, end: usize) -> Self {
        Self {
            bytes: self.bytes.clone(),
            start: self.start + start as u32,
            length: (end - start) as u32,
        }
    }
}
