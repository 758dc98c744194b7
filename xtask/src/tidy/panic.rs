//! What a peer can reach may not panic: the lints that see to it stay where they are.

use super::{assert_none, extension, files, read};

/// The lints that hold for everything in the relay and in the protocol, beside those of the workspace.
const LINTS: [&str; 5] = [
    "indexing_slicing",
    "panic",
    "string_slice",
    "unimplemented",
    "unreachable",
];

/// The one that holds for what takes apart the bytes of peers, with where it stands.
const ARITHMETIC: &str = "arithmetic_side_effects";
const DECODERS: [(&str, &str); 5] = [
    ("protocol/src/lib.rs", "frame"),
    ("relay/src/network/switch.rs", "frame"),
    ("relay/src/session.rs", "calls"),
    ("relay/src/session.rs", "inbox"),
    ("relay/src/session.rs", "websocket"),
];

/// The modules with an exception, which says why no peer can bring a panic about.
const EXCEPTIONS: [&str; 2] = ["relay/src/session/batch.rs", "relay/src/session/outbox.rs"];

#[test]
fn the_relay_and_the_protocol_are_checked_for_panics() {
    for root in ["relay/src/lib.rs", "protocol/src/lib.rs"] {
        let text = read(root);
        let missing = LINTS.iter().filter(|lint| !warns(&text, lint));
        let missing = missing.map(|lint| format!("{root}: clippy::{lint}"));
        assert_none("no longer checked", missing);
    }
    for (parent, module) in DECODERS {
        let attribute = format!("warn(clippy::{ARITHMETIC}))]\n");
        let (text, end) = (read(parent), format!("mod {module};"));
        let checked = text
            .split(&end)
            .next()
            .is_some_and(|before| before.trim_end_matches("pub ").ends_with(&attribute));
        assert!(checked, "{parent}: {module} is no longer checked");
    }
}

#[test]
fn exceptions_from_these_checks_are_known() {
    let known = |path: &String| EXCEPTIONS.contains(&path.as_str());
    let found = files()
        .into_iter()
        .filter(|path| path.starts_with("relay/src/") || path.starts_with("protocol/src/"))
        .filter(|path| extension(path) == "rs" && !known(path))
        .filter(|path| {
            let text = read(path);
            LINTS
                .iter()
                .chain([&ARITHMETIC])
                .any(|lint| excepts(&text, lint))
        });
    assert_none("an exception from the checks for panics", found);
}

/// Whether the attributes at a crate's root warn of this.
fn warns(text: &str, lint: &str) -> bool {
    let warned = text
        .split("warn(")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let mut names = warned.flat_map(|names| names.split(','));
    names.any(|name| name.trim() == format!("clippy::{lint}"))
}

/// Whether this is allowed somewhere.
fn excepts(text: &str, lint: &str) -> bool {
    let excepted = ["allow(", "expect("]
        .into_iter()
        .flat_map(|level| text.split(level).skip(1));
    let mut lists = excepted.filter_map(|rest| rest.split([')', '"']).next());
    lists.any(|list| list.contains(&format!("clippy::{lint}")))
}

#[test]
fn an_attribute_is_recognised_over_several_lines() {
    let text = "#![cfg_attr(\n    not(test),\n    warn(\n        clippy::panic,\n        clippy::todo\n    )\n)]\n";
    assert!(warns(text, "panic") && warns(text, "todo") && !warns(text, "unreachable"));
    assert!(excepts(
        "#![expect(\n    clippy::panic,\n    reason = \"\"\n)]",
        "panic"
    ));
    assert!(!excepts(text, "panic"));
}
