//! The bytes of version 1. A change here breaks every page that is open: it needs a new subprotocol.

use std::fmt::{Debug, Write as _};

use expect_test::{ExpectFile, expect, expect_file};
use protocol::{
    Control, SocketId,
    event::{decode_records, encode_record},
    frame::{FrameKind, Header, encode_address, encode_controls, encode_message},
};
use serde::Serialize;

use crate::{samples, vocabulary};

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

/// Compares each message and its frame with the file, and sees that no kind of message is missing.
fn check<M: Serialize + Debug>(name: &str, messages: &[M], golden: &ExpectFile) {
    let mut text = String::new();
    for message in messages {
        let mut bytes = Vec::new();
        encode_message(message, &mut bytes);
        writeln!(text, "{message:?}\n    {}", hex(&bytes)).unwrap();
    }
    for part in vocabulary::parts(name) {
        let found = text.lines().any(|line| words(line).next() == Some(part));
        assert!(found, "{name}::{part} has no golden bytes");
    }
    golden.assert_eq(&text);
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric())
}

#[test]
fn client_messages_keep_their_bytes() {
    let golden = expect_file!["golden/client.txt"];
    check("ClientMessage", &samples::client(), &golden);
}

#[test]
fn server_messages_keep_their_bytes() {
    let golden = expect_file!["golden/server.txt"];
    check("ServerMessage", &samples::server(), &golden);
}

#[test]
fn every_part_of_a_message_has_golden_bytes() {
    let text = format!("{:?} {:?}", samples::client(), samples::server());
    for name in [
        "Domain", "Kind", "Shutdown", "Act", "Patience", "Reply", "Refusal",
    ] {
        for part in vocabulary::parts(name) {
            assert!(words(&text).any(|word| word == part), "{name}::{part}");
        }
    }
}

#[test]
fn addresses_keep_their_bytes() {
    let mut text = String::new();
    for address in samples::addresses() {
        let mut bytes = Vec::new();
        encode_address(&address, &mut bytes);
        writeln!(text, "{address:?}\n    {}", hex(&bytes)).unwrap();
    }
    expect_file!["golden/address.txt"].assert_eq(&text);
}

#[test]
fn events_keep_their_bytes_and_are_read_back() {
    let (mut text, mut all) = (String::new(), Vec::new());
    for record in samples::records() {
        let mut bytes = Vec::new();
        encode_record(&record, &mut bytes);
        writeln!(text, "{record:?}\n    {}", hex(&bytes)).unwrap();
        all.extend(bytes);
    }
    for part in vocabulary::parts("Event") {
        let named = text.contains(&format!("event: {part} {{"));
        assert!(named, "Event::{part} has no golden bytes");
    }
    expect_file!["golden/event.txt"].assert_eq(&text);
    assert_eq!(decode_records(&all).unwrap(), samples::records());
    assert!(decode_records(&all[..all.len() - 1]).is_err());
}

#[test]
fn headers_keep_their_bytes() {
    let header = |kind, length, socket| {
        let socket = SocketId(socket);
        hex(&Header {
            kind,
            length,
            socket,
        }
        .encode())
    };
    let headers = [
        header(FrameKind::Control, 5, 0),
        header(FrameKind::Stream, 0x1_0000, 0x0403_0201),
        header(FrameKind::Datagram, 9, 7),
        header(FrameKind::Urgent, 1, 7),
        header(FrameKind::Message, 12, 7),
    ];
    expect![[r#"
        00 05 00 00 00 00 00 00
        01 00 00 01 01 02 03 04
        02 09 00 00 07 00 00 00
        03 01 00 00 07 00 00 00
        04 0c 00 00 07 00 00 00"#]]
    .assert_eq(&headers.join("\n"));
}

#[test]
fn control_messages_keep_their_bytes() {
    let mut bytes = Vec::new();
    let controls = [
        Control {
            level: 0,
            kind: 2,
            value: vec![64, 0, 0, 0],
        },
        Control {
            level: 41,
            kind: 67,
            value: vec![1],
        },
    ];
    assert!(encode_controls(&controls, &mut bytes));
    expect!["0d 02 00 04 04 40 00 00 00 52 86 01 01 01"].assert_eq(&hex(&bytes));
}
