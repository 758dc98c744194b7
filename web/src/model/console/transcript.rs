//! What a program wrote to one stream, as it wrote it, the newest part of it.

use crate::model::console::MAX_CHARACTERS;

/// The newest text of one stream.
///
/// It holds up to twice the limit before it cuts, so that cutting costs little per character.
#[derive(Debug, Clone, Default)]
pub(super) struct Transcript {
    /// What is kept.
    text: String,
    /// How many characters that is.
    characters: usize,
}

impl Transcript {
    /// Adds text at the end.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.characters += text.chars().count();
        if 2 * MAX_CHARACTERS < self.characters {
            let cut = self
                .text
                .char_indices()
                .rev()
                .nth(MAX_CHARACTERS - 1)
                .map_or(0, |(at, _)| at);
            self.text.drain(..cut);
            self.characters = MAX_CHARACTERS;
        }
    }

    /// The newest text, at most the limit.
    pub(super) fn text(&self) -> &str {
        let surplus = self.characters.saturating_sub(MAX_CHARACTERS);
        let cut = self
            .text
            .char_indices()
            .nth(surplus)
            .map_or(self.text.len(), |(at, _)| at);
        &self.text[cut..]
    }
}
