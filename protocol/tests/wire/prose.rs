//! `docs/PROTOCOL.md` is checked against the code: what exists is described, with the values that it has.

use protocol::{MINOR_VERSION, SUBPROTOCOL, limits};

use crate::vocabulary;

const PROSE: &str = include_str!("../../../docs/PROTOCOL.md");

/// A number as prose writes it: `65,507`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| str::from_utf8(group).unwrap())
        .collect();
    groups.join(",")
}

#[test]
fn every_type_has_a_place() {
    for item in vocabulary::items() {
        let name = item.name;
        assert!(
            PROSE.contains(&format!("`{name}`")),
            "{name} is not described"
        );
    }
}

#[test]
fn every_variant_and_field_is_described() {
    for name in [
        "ClientMessage",
        "ServerMessage",
        "Hello",
        "Welcome",
        "Limits",
        "Resume",
        "Session",
        "Reply",
        "Refusal",
        "Domain",
        "Kind",
        "Shutdown",
        "Act",
        "Patience",
        "Address",
        "FrameKind",
        "Control",
        "DecodeError",
        "Event",
        "Record",
        "Report",
        "CallReport",
        "Watch",
        "Direction",
        "Card",
        "Outcome",
    ] {
        for part in vocabulary::parts(name) {
            let named = [
                format!("`{part}`"),
                format!("`{part} {{"),
                format!("`{part}("),
            ];
            let described = named.iter().any(|text| PROSE.contains(text));
            assert!(described, "{name}::{part} is not described");
        }
    }
}

#[test]
fn every_limit_stands_with_its_value() {
    let values = [
        ("MAX_PAYLOAD", limits::MAX_PAYLOAD as u64),
        ("MAX_STREAM_FRAME", limits::MAX_STREAM_FRAME as u64),
        ("MAX_DATAGRAM", limits::MAX_DATAGRAM as u64),
        ("MAX_PACKET", limits::MAX_PACKET as u64),
        ("MAX_ADDRESS", limits::MAX_ADDRESS as u64),
        ("MAX_CONTROLS", limits::MAX_CONTROLS as u64),
        ("MAX_MESSAGE", limits::MAX_MESSAGE as u64),
        ("INITIAL_CREDIT", limits::INITIAL_CREDIT),
        ("MAX_WINDOW", limits::MAX_WINDOW),
        ("SESSION_WINDOW", limits::SESSION_WINDOW),
        ("DATAGRAM_COST", limits::DATAGRAM_COST),
        ("MAX_SOCKETS", limits::MAX_SOCKETS as u64),
        ("MAX_OPTION", limits::MAX_OPTION as u64),
        ("ACK_EVERY", limits::ACK_EVERY),
        ("MAX_UNACKED", limits::MAX_UNACKED as u64),
        ("MAX_NAME", limits::MAX_NAME as u64),
        ("MAX_PATH", limits::MAX_PATH as u64),
        ("MAX_UNIX_NAME", limits::MAX_UNIX_NAME as u64),
    ];
    let known: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    for name in vocabulary::limits() {
        assert!(known.contains(&name), "the test does not know {name}");
    }
    for (name, value) in values {
        let row = format!("| `{name}` | {} |", grouped(value));
        assert!(PROSE.contains(&row), "there is no row `{row}`");
    }
}

#[test]
fn the_versions_are_named() {
    assert!(PROSE.contains(&format!("`{SUBPROTOCOL}`")));
    assert!(PROSE.contains(&format!("minor version is {MINOR_VERSION}")));
}
