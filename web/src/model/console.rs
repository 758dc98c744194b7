//! The console of one process: what it printed and was given, as lines that a person reads.
//!
//! Bounded: a program that prints without end costs a fixed amount of memory. The newest text is kept, and the console
//! knows that older text is gone. What the program wrote to each stream is kept a second time, byte for byte, in a
//! `transcript`: the lines have carriage returns carried out and the streams mixed.

mod transcript;

use std::collections::VecDeque;

use crate::model::message::Stream;
use transcript::Transcript;

/// How many lines are kept.
pub const MAX_LINES: usize = 10_000;
/// How many characters are kept.
pub const MAX_CHARACTERS: usize = 250_000;
/// How long a line may grow, in characters, before it goes on in a new one; it bounds what one repaint costs.
const MAX_LINE: usize = 2_000;

/// Where a stretch of text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The program's standard output.
    Stdout,
    /// The program's standard error.
    Stderr,
    /// What the person typed.
    Input,
    /// What the page itself has to say.
    System,
}

impl From<Stream> for Source {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Stdout => Self::Stdout,
            Stream::Stderr => Self::Stderr,
        }
    }
}

/// A stretch of one line that comes from one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Where it comes from.
    pub source: Source,
    /// The text, without line ends.
    pub text: String,
}

/// One line of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counts the lines of this console; never used twice.
    pub id: u64,
    /// Counts the changes of this line; with the id it tells whether a drawn line is still right.
    pub revision: u32,
    /// The text.
    pub runs: Vec<Run>,
    /// How the line ends.
    pub end: LineEnd,
    /// What the line counts for, in characters: its text, and one for its end.
    width: usize,
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// Not yet: more text may come.
    Open,
    /// With a line end.
    Ended,
    /// It was too long and goes on in the next one.
    Folded,
}

/// The newest lines of a process, and its streams as they were written.
#[derive(Debug, Clone, Default)]
pub struct Console {
    /// The lines, the oldest first; only the last one may be open.
    lines: VecDeque<Line>,
    /// The id of the next line.
    next_id: u64,
    /// The width of all lines together.
    characters: usize,
    /// Text was dropped.
    dropped: bool,
    /// Where the next character goes in an open line after a carriage return; `None` is its end.
    column: Option<usize>,
    /// A carriage return has come, and what follows it decides what it means.
    returned: bool,
    /// Standard output as it was written.
    stdout: Transcript,
    /// Standard error as it was written.
    stderr: Transcript,
}

impl Console {
    /// Takes over what the program printed.
    pub fn output(&mut self, stream: Stream, text: &str) {
        match stream {
            Stream::Stdout => self.stdout.push(text),
            Stream::Stderr => self.stderr.push(text),
        }
        self.write(stream.into(), text);
    }

    /// Echoes what the person typed, as a terminal does.
    pub fn input(&mut self, text: &str) {
        self.write(Source::Input, text);
    }

    /// Adds a sentence of the page's own, on a line of its own.
    pub fn system(&mut self, sentence: &str) {
        self.end_line();
        self.write(Source::System, sentence);
        self.end_line();
    }

    /// Forgets everything; line numbers go on, so that a view never takes a new line for an old one.
    pub fn clear(&mut self) {
        *self = Self {
            next_id: self.next_id,
            ..Self::default()
        };
    }

    /// The newest lines, at most `most` of them, the oldest first.
    pub fn tail(&self, most: usize) -> impl Iterator<Item = &Line> {
        self.lines
            .iter()
            .skip(self.lines.len().saturating_sub(most))
    }

    /// A line that is still kept.
    pub fn line(&self, id: u64) -> Option<&Line> {
        let first = self.lines.front()?.id;
        self.lines
            .get(usize::try_from(id.checked_sub(first)?).ok()?)
    }

    /// How many lines are kept.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Says whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Says whether text had to be dropped.
    pub fn is_dropped(&self) -> bool {
        self.dropped
    }

    /// Everything that is kept, as shown, without the page's own sentences.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.lines.iter().filter(|line| !line.is_system()) {
            text.extend(line.runs.iter().map(|run| run.text.as_str()));
            if line.end == LineEnd::Ended {
                text.push('\n');
            }
        }
        text
    }

    /// What the program wrote to one stream, as it wrote it.
    pub fn stream(&self, stream: Stream) -> &str {
        match stream {
            Stream::Stdout => self.stdout.text(),
            Stream::Stderr => self.stderr.text(),
        }
    }

    fn write(&mut self, source: Source, text: &str) {
        // Text that would be dropped at once need not become lines first.
        let text = match text.char_indices().rev().nth(MAX_CHARACTERS) {
            Some((cut, letter)) => {
                self.dropped = true;
                &text[cut + letter.len_utf8()..]
            }
            None => text,
        };
        let mut rest = text;
        while let Some(at) = rest.find(['\n', '\r']) {
            self.write_stretch(source, &rest[..at]);
            if rest[at..].starts_with('\n') {
                self.newline(source);
            } else {
                self.returned = true;
            }
            rest = &rest[at + 1..];
        }
        self.write_stretch(source, rest);
        self.trim();
    }

    /// Writes text without line ends.
    fn write_stretch(&mut self, source: Source, mut text: &str) {
        if text.is_empty() {
            return;
        }
        if self.returned {
            self.returned = false;
            self.column = Some(0);
        }
        while !text.is_empty() {
            let column = self.column;
            let line = self.open_line();
            let room = MAX_LINE.saturating_sub(column.unwrap_or(line.width));
            let cut = text
                .char_indices()
                .nth(room)
                .map_or(text.len(), |(at, _)| at);
            let (now, later) = text.split_at(cut);
            let before = line.width;
            let end = line.put(column, source, now);
            let after = line.width;
            self.characters = self.characters - before + after;
            self.column = column.map(|_| end).filter(|end| *end < after);
            if !later.is_empty() {
                self.finish(LineEnd::Folded);
            }
            text = later;
        }
    }

    fn newline(&mut self, source: Source) {
        self.returned = false;
        let line = self.open_line();
        if line.runs.is_empty() {
            line.runs.push(Run {
                source,
                text: String::new(),
            });
        }
        self.finish(LineEnd::Ended);
    }

    /// Ends the open line, when there is one.
    fn end_line(&mut self) {
        self.returned = false;
        if self
            .lines
            .back()
            .is_some_and(|line| line.end == LineEnd::Open)
        {
            self.finish(LineEnd::Ended);
        }
    }

    fn finish(&mut self, end: LineEnd) {
        self.column = None;
        if let Some(line) = self.lines.back_mut() {
            line.end = end;
            line.revision += 1;
            // A line end costs one character, so that empty lines are not free.
            line.width += 1;
            self.characters += 1;
        }
    }

    fn open_line(&mut self) -> &mut Line {
        let fresh = Line {
            id: self.next_id,
            revision: 0,
            runs: Vec::new(),
            end: LineEnd::Open,
            width: 0,
        };
        match self.lines.pop_back() {
            Some(line) if line.end == LineEnd::Open => self.lines.push_back(line),
            Some(line) => {
                self.next_id += 1;
                self.lines.extend([line, fresh]);
            }
            None => {
                self.next_id += 1;
                self.lines.push_back(fresh);
            }
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    fn trim(&mut self) {
        while MAX_LINES < self.lines.len() || MAX_CHARACTERS < self.characters {
            let Some(oldest) = self.lines.pop_front() else {
                return;
            };
            self.characters -= oldest.width;
            self.dropped = true;
        }
    }
}

impl Line {
    /// Says whether the line holds text from this source.
    pub fn has(&self, source: Source) -> bool {
        self.runs.iter().any(|run| run.source == source)
    }

    /// Says whether the line is a sentence of the page's own; such a sentence shares its line with nothing.
    fn is_system(&self) -> bool {
        self.runs.iter().any(|run| run.source == Source::System)
    }

    /// Writes at a column, over what is there, or at the end; returns the column after it.
    fn put(&mut self, column: Option<usize>, source: Source, text: &str) -> usize {
        self.revision += 1;
        let count = text.chars().count();
        let Some(column) = column else {
            self.append(source, text);
            self.width += count;
            return self.width;
        };
        let cells: Vec<(char, Source)> = self
            .runs
            .iter()
            .flat_map(|run| run.text.chars().map(|letter| (letter, run.source)))
            .collect();
        let written = text.chars().map(|letter| (letter, source));
        let cells = cells
            .iter()
            .copied()
            .take(column)
            .chain(written)
            .chain(cells.iter().copied().skip(column + count));
        self.runs.clear();
        for (letter, source) in cells {
            self.append(source, letter.encode_utf8(&mut [0; 4]));
        }
        self.width = self.width.max(column + count);
        column + count
    }

    fn append(&mut self, source: Source, text: &str) {
        match self.runs.last_mut() {
            Some(run) if run.source == source => run.text.push_str(text),
            _ => self.runs.push(Run {
                source,
                text: text.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
