//! Output that has arrived and waits to be taken in.
//!
//! A program may print faster than any page can show. Messages are therefore only put aside here, at next to no cost,
//! and taken in a few times a second; what no console would keep anyway is dropped before it costs more. That is what
//! keeps Stop within reach while a program prints without end.

use std::collections::VecDeque;

use js_sys::JsString;

use crate::model::console::MAX_CHARACTERS;
use crate::model::message::Stream;

/// The waiting output of one worker.
#[derive(Debug, Default)]
pub(super) struct Intake {
    /// What has arrived, the oldest first.
    pieces: VecDeque<Piece>,
    /// How long the waiting output is, for each stream, in UTF-16 units.
    waiting: [usize; 2],
}

/// One message's worth of output.
#[derive(Debug)]
struct Piece {
    /// Where it was printed.
    stream: Stream,
    /// What was printed.
    text: JsString,
    /// Its length in UTF-16 units.
    length: usize,
}

impl Intake {
    /// Puts output aside; of each stream, at least what a console keeps stays.
    pub(super) fn push(&mut self, stream: Stream, text: JsString) {
        let length = usize::try_from(text.length()).unwrap_or(usize::MAX);
        self.waiting[index(stream)] += length;
        self.pieces.push_back(Piece {
            stream,
            text,
            length,
        });
        let of_stream = |piece: &Piece| piece.stream == stream;
        while let Some(oldest) = self.pieces.iter().position(of_stream) {
            let length = self.pieces[oldest].length;
            // Twice, because a character may be two UTF-16 units.
            if self.waiting[index(stream)] - length <= 2 * MAX_CHARACTERS {
                return;
            }
            self.waiting[index(stream)] -= length;
            self.pieces.remove(oldest);
        }
    }

    /// Takes everything, with neighbours of one stream joined.
    pub(super) fn take(&mut self) -> Vec<(Stream, String)> {
        self.waiting = [0; 2];
        let mut taken: Vec<(Stream, String)> = Vec::new();
        for piece in self.pieces.drain(..) {
            let text = newest(&piece.text, piece.length);
            match taken.last_mut() {
                Some((stream, joined)) if *stream == piece.stream => joined.push_str(&text),
                _ => taken.push((piece.stream, text)),
            }
        }
        taken
    }
}

/// The part of a text that a console could keep; the rest need not cross into wasm.
fn newest(text: &JsString, length: usize) -> String {
    match u32::try_from(length.saturating_sub(2 * MAX_CHARACTERS)) {
        Ok(surplus) if 0 < surplus => text.slice(surplus, text.length()).into(),
        _ => text.into(),
    }
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Stdout => 0,
        Stream::Stderr => 1,
    }
}
