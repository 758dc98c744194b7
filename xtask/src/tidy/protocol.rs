//! The document describes what the code says.

use std::collections::BTreeSet;

use super::{assert_none, read};

#[test]
fn every_message_is_in_the_protocol_document() {
    let document = read("docs/PROTOCOL.md");
    let names = variants(&read("protocol/src/message.rs"));
    assert!(
        !names.is_empty(),
        "found no messages in protocol/src/message.rs"
    );
    let words: BTreeSet<&str> = document
        .split(|letter: char| !letter.is_alphanumeric())
        .collect();
    let missing = names
        .into_iter()
        .filter(|name| !words.contains(name.as_str()));
    assert_none("docs/PROTOCOL.md does not describe", missing);
}

/// The names of all variants of the public enums in this source.
fn variants(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in source.lines() {
        if line.starts_with("pub enum ") {
            inside = true;
        } else if line.starts_with('}') {
            inside = false;
        } else if let Some(rest) = line.strip_prefix("    ").filter(|_| inside) {
            let name: String = rest
                .chars()
                .take_while(|letter| letter.is_alphanumeric())
                .collect();
            if name.starts_with(|letter: char| letter.is_ascii_uppercase()) {
                names.insert(name);
            }
        }
    }
    names
}

#[test]
fn finds_the_variants_of_public_enums() {
    let source = "pub enum Request {\n    /// Text.\n    Bind {\n        address: Address,\n    },\n    Close(u32),\n    \
                  Eof,\n}\nstruct Other {\n    Field: u8,\n}\n";
    let expected = ["Bind", "Close", "Eof"].map(str::to_owned);
    assert_eq!(variants(source), BTreeSet::from(expected));
}
