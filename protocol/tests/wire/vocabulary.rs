//! The names in the protocol's source, read from the source itself, so that no list can be forgotten.

/// The source of the control messages.
const MESSAGE: &str = include_str!("../../src/message.rs");

/// The source of the addresses.
const ADDRESS: &str = include_str!("../../src/address.rs");

/// The source of what goes with datagrams.
const CONTROL: &str = include_str!("../../src/control.rs");

/// The source of the limits.
const LIMITS: &str = include_str!("../../src/limits.rs");

/// The source of the errors of the decoder.
const FRAME: &str = include_str!("../../src/frame.rs");

/// The source of the events.
const EVENT: &str = include_str!("../../src/event.rs");

/// A public type and what it is made of.
#[derive(Debug)]
pub(crate) struct Item {
    /// The type's name.
    pub(crate) name: &'static str,
    /// Its variants if it is an enum, its fields if it is a struct.
    pub(crate) parts: Vec<&'static str>,
}

/// The public enums and structs with named parts of these sources.
pub(crate) fn items() -> Vec<Item> {
    [MESSAGE, ADDRESS, CONTROL, FRAME, EVENT]
        .into_iter()
        .flat_map(items_of)
        .collect()
}

/// The parts of one type.
pub(crate) fn parts(name: &str) -> Vec<&'static str> {
    items()
        .into_iter()
        .find(|item| item.name == name)
        .unwrap_or_else(|| panic!("there is no type {name}"))
        .parts
}

/// The names of the limits.
pub(crate) fn limits() -> Vec<&'static str> {
    LIMITS
        .lines()
        .filter_map(|line| line.strip_prefix("pub const "))
        .map(word)
        .collect()
}

/// rustfmt fixes the layout: types start in column 0, their parts in column 4, and fields of variants deeper.
fn items_of(source: &'static str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut open = false;
    for line in source.lines() {
        let header = line
            .strip_prefix("pub enum ")
            .or_else(|| line.strip_prefix("pub struct "));
        if let Some(rest) = header {
            open = line.ends_with('{');
            items.push(Item {
                name: word(rest),
                parts: Vec::new(),
            });
        } else if line == "}" {
            open = false;
        } else if let (true, Some(part)) = (open, line.strip_prefix("    ")) {
            let part = part.strip_prefix("pub ").unwrap_or(part);
            if part.starts_with(char::is_alphabetic)
                && let Some(item) = items.last_mut()
            {
                item.parts.push(word(part));
            }
        }
    }
    items
}

fn word(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}

#[test]
fn the_source_is_read_as_it_is_written() {
    assert_eq!(parts("Shutdown"), ["Read", "Write", "Both"]);
    assert_eq!(parts("Hello"), ["minor", "host", "process"]);
    assert!(limits().contains(&"INITIAL_CREDIT"));
    assert!(items().iter().any(|item| item.name == "DecodeError"));
}
