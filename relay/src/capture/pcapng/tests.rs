//! Tests of the bytes of files; that tshark can read them is tested in `tests/capture`.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::{Instant, SystemTime};

use super::*;
use crate::capture::{Again, Anchor, Capture, Limits, Pace, Portion, Start};
use crate::network::switch::counts::Fate;

fn interface(host: &str, device: Device) -> Arc<Interface> {
    Arc::new(Interface {
        host: HostName::new(host).unwrap(),
        device,
    })
}

/// The blocks of a file: type and body. Lengths at both ends must agree and be multiples of four.
fn blocks(file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let mut at = 0;
    let mut found = Vec::new();
    while at < file.len() {
        let length = usize::try_from(number(at + 4)).unwrap();
        assert_eq!(length % 4, 0);
        assert_eq!(number(at + length - 4), number(at + 4));
        found.push((number(at), file[at + 8..at + length - 4].to_vec()));
        at += length;
    }
    found
}

fn contains(block: &[u8], words: &str) -> bool {
    block
        .windows(words.len())
        .any(|part| part == words.as_bytes())
}

/// alice sends three frames to bob: one arrives, one is lost, one arrives twice and with a wrong bit.
fn snapshot() -> Snapshot {
    let anchor = Anchor {
        instant: Instant::now(),
        wall: SystemTime::UNIX_EPOCH + Duration::from_secs(5),
    };
    let capture = Capture::new(anchor, Limits::default());
    let [alice, bob] = ["alice", "bob"].map(|host| interface(host, Device::Ethernet));
    let now = anchor.instant + Duration::from_nanos(7);
    let send = || capture.frame(now, &alice, Direction::Out, &[0; 61]);
    let arrive = |frame, fate| capture.fate(now, &bob, Side::ToHost, frame, fate);
    arrive(send(), Fate::Passed);
    capture.fate(now, &alice, Side::FromHost, send(), Fate::Lost);
    let third = send();
    let wrong = Fate::Corrupted { bit: 60 * 8 + 7 };
    for fate in [wrong, Fate::Doubled, Fate::Passed, Fate::Passed] {
        arrive(third, fate);
    }
    capture.frame(
        now,
        &interface("bob", Device::Loopback),
        Direction::In,
        b"x",
    );
    capture.snapshot()
}

#[test]
fn a_file_has_each_card_before_its_first_frame() {
    let snapshot = snapshot();
    let file: Vec<u8> = File::new(&snapshot, View::Network, &[]).flatten().collect();
    let blocks = blocks(&file);
    let kinds: Vec<u32> = blocks.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [0x0A0D_0D0A, 4, 1, 6, 6, 6, 1, 6]);
    assert_eq!(blocks[0].1[..4], [0x4D, 0x3C, 0x2B, 0x1A]);
    assert!(contains(&blocks[2].1, "alice:eth0"));
    assert!(contains(&blocks[6].1, "bob:lo"));
    assert!(contains(&blocks[4].1, "lost on the way from alice"));
    assert!(contains(
        &blocks[5].1,
        "corrupted on the way to bob: bit 7 of byte 60"
    ));
    assert!(contains(&blocks[5].1, "duplicated on the way to bob"));
    // Interface 0, and 5 seconds and 7 nanoseconds with the upper half first; 61 bytes of 61.
    let time = 5_000_000_007u64;
    let [low, high] = [time & 0xffff_ffff, time >> 32].map(|half| u32::try_from(half).unwrap());
    let head: Vec<u8> = [0, high, low, 61, 61]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    assert_eq!(blocks[3].1[..20], head);
}

#[test]
fn the_view_of_the_hosts_has_what_arrived_as_it_arrived() {
    let snapshot = snapshot();
    let file: Vec<u8> = File::new(&snapshot, View::Hosts, &[]).flatten().collect();
    let blocks = blocks(&file);
    let kinds: Vec<u32> = blocks.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [0x0A0D_0D0A, 4, 1, 6, 1, 6, 6, 6, 6, 6, 1, 6]);
    let last_byte = |block: usize| blocks[block].1[20 + 60];
    assert_eq!([3, 5, 6, 7].map(last_byte), [0; 4]);
    assert_eq!([8, 9].map(last_byte), [1; 2]);
}

#[test]
fn how_many_frames_of_a_card_were_left_out_stands_at_the_end() {
    let anchor = Anchor {
        instant: Instant::now(),
        wall: SystemTime::UNIX_EPOCH,
    };
    let capture = Capture::new(anchor, Limits::default());
    let [alice, bob] = ["alice", "bob"].map(|host| interface(host, Device::Loopback));
    let later = anchor.instant + Duration::from_nanos(9);
    capture.left_out(anchor.instant, &alice, 300);
    capture.left_out(later, &alice, 5);
    capture.frame(later, &bob, Direction::In, b"x");
    let snapshot = capture.snapshot();
    let file: Vec<u8> = File::new(&snapshot, View::Network, &[]).flatten().collect();
    let blocks = blocks(&file);
    let kinds: Vec<u32> = blocks.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [0x0A0D_0D0A, 4, 1, 6, 1, 5]);
    assert!(contains(&blocks[4].1, "alice:lo"));
    // Interface 1, the upper half of the time first, an option of 8 bytes, and no others.
    let number = [305u64.to_le_bytes(), [0; 8]].concat();
    let head: Vec<u8> = [1, 0, 9, 5 | 8 << 16]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    assert_eq!(blocks[5].1, [&head[..], &number[..12]].concat());
}

#[test]
fn a_reader_gets_no_more_of_a_frame_than_it_wants() {
    let anchor = Anchor {
        instant: Instant::now(),
        wall: SystemTime::UNIX_EPOCH,
    };
    let limits = Limits {
        bytes: 100,
        ..Limits::default()
    };
    let capture = Capture::new(anchor, limits);
    let alice = interface("alice", Device::Ethernet);
    let pace = Pace {
        per_second: NonZeroU32::MAX,
        burst: NonZeroU32::MAX,
    };
    // The store goes round several times, and a frame lies on both sides of its end.
    for turn in 0..40 {
        let mut whole = capture.subscribe(Start::Next, pace);
        let mut cut = capture.subscribe(Start::Next, pace).cut_to(10);
        let frame: Vec<u8> = (turn..turn + 33).collect();
        capture.frame(anchor.instant, &alice, Direction::Out, &frame);
        for (reader, expected) in [(&mut whole, &frame[..]), (&mut cut, &frame[..10])] {
            let records = reader.read(anchor.instant).records;
            let [
                Record {
                    what:
                        What::Frame {
                            bytes, length: 33, ..
                        },
                    ..
                },
            ] = &records[..]
            else {
                panic!("{records:?}");
            };
            assert_eq!(bytes, expected);
        }
    }
}

#[test]
fn names_and_what_is_missing_are_told() {
    let mut snapshot = snapshot();
    snapshot.missing = 12;
    let names = [
        (
            IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)),
            HostName::new("bob").unwrap(),
        ),
        (
            IpAddr::V6(Ipv6Addr::LOCALHOST),
            HostName::new("bob").unwrap(),
        ),
    ];
    let file: Vec<u8> = File::new(&snapshot, View::Network, &names)
        .flatten()
        .collect();
    let blocks = blocks(&file);
    assert!(contains(&blocks[0].1, "12 earlier entries"));
    assert_eq!(
        blocks[1].1[..12],
        [1, 0, 8, 0, 10, 0, 0, 2, b'b', b'o', b'b', 0]
    );
    assert!(blocks[1].1.ends_with(&[b'b', b'o', b'b', 0, 0, 0, 0, 0]));
}

#[test]
fn a_file_that_grows_has_what_one_has_that_is_made_at_once() {
    let snapshot = snapshot();
    let names = [(
        Ipv4Addr::new(10, 0, 0, 1).into(),
        HostName::new("alice").unwrap(),
    )];
    let whole: Vec<u8> = File::new(&snapshot, View::Network, &names)
        .flatten()
        .collect();
    let mut live = Live::new(snapshot.anchor, snapshot.snap);
    let mut grown = live.begin(snapshot.missing);
    grown.extend(live.name(names.clone()));
    let portion = Portion {
        left_out: 0,
        records: snapshot.records.clone(),
        again: Again::WhenWritten,
    };
    assert!(live.meets(&portion));
    grown.extend(live.write(&portion));
    assert_eq!(blocks(&grown), blocks(&whole));
    assert!(!live.meets(&portion));
    assert!(live.name(names).is_empty(), "it is in the file already");
}

#[test]
fn what_is_known_too_late_is_said_with_the_next_frame() {
    let snapshot = snapshot();
    let mut live = Live::new(snapshot.anchor, snapshot.snap);
    let mut write = |left_out, records: &[Record]| {
        let (records, again) = (records.to_vec(), Again::Now);
        live.write(&Portion {
            left_out,
            records,
            again,
        })
    };
    // Entry by entry, every fate comes too late.
    let file: Vec<u8> = snapshot
        .records
        .iter()
        .flat_map(|record| write(0, std::slice::from_ref(record)))
        .collect();
    let frames: Vec<Vec<u8>> = blocks(&file)
        .into_iter()
        .filter_map(|(kind, body)| (kind == 6).then_some(body))
        .collect();
    assert!(!contains(&frames[1], "lost on the way"));
    assert!(contains(
        &frames[2],
        "frame 2 was lost on the way from alice"
    ));
    assert!(contains(&frames[3], "was duplicated on the way to bob"));
    let file = write(7, &snapshot.records[..1]);
    let words = "7 entries of the record were left out before this";
    assert!(contains(&file, words));
}

#[test]
fn what_a_card_left_out_is_summed_up_while_a_file_grows() {
    let snapshot = snapshot();
    let mut live = Live::new(snapshot.anchor, snapshot.snap);
    let record = |number, count| Record {
        number,
        at: Duration::ZERO,
        what: What::LeftOut {
            interface: interface("bob", Device::Loopback),
            count,
        },
    };
    let file = live.write(&Portion {
        left_out: 0,
        records: vec![record(1, 3), record(2, 4)],
        again: Again::Now,
    });
    let blocks = blocks(&file);
    let kinds: Vec<u32> = blocks.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [1, 5, 5]);
    for (block, sum) in blocks[1..].iter().zip([3u64, 7]) {
        assert_eq!(block.1[16..24], sum.to_le_bytes());
    }
}
