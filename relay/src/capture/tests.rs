//! Tests of the record as its writers and readers see it.

use std::num::NonZeroU32;
use std::time::Duration;

use proptest::prelude::*;

use super::record::{Device, Outcome, What};
use super::*;
use protocol::HostName;

const LIMITS: Limits = Limits {
    bytes: 1000,
    entries: 50,
    snap: 100,
};

fn interface(host: &str) -> Arc<Interface> {
    Arc::new(Interface {
        host: HostName::new(host).unwrap(),
        device: Device::Ethernet,
    })
}

fn anchor() -> Anchor {
    Anchor {
        instant: Instant::now(),
        wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
    }
}

fn pace(per_second: u32, burst: u32) -> Pace {
    Pace {
        per_second: NonZeroU32::new(per_second).unwrap(),
        burst: NonZeroU32::new(burst).unwrap(),
    }
}

fn numbers(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.number).collect()
}

#[test]
fn what_was_written_is_read_with_its_time_and_cut_to_the_snap_length() {
    let anchor = anchor();
    let capture = Capture::new(anchor, LIMITS);
    let bob = interface("bob");
    let later = anchor.instant + Duration::from_millis(5);
    let number = capture.frame(later, &bob, Direction::Out, &[7; 150]);
    let until = later + Duration::from_millis(2);
    let delayed = Fate::Delayed { until };
    capture.fate(later, &bob, Side::FromHost, number, delayed);
    let snapshot = capture.snapshot();
    assert_eq!((snapshot.missing, snapshot.snap), (0, 100));
    let [frame, fate] = &snapshot.records[..] else {
        panic!("two entries are expected: {snapshot:?}");
    };
    assert_eq!(frame.at, Duration::from_millis(5));
    let expected = What::Frame {
        interface: Arc::clone(&bob),
        direction: Direction::Out,
        length: 150,
        bytes: vec![7; 100],
    };
    assert_eq!(frame.what, expected);
    let expected = What::Fate {
        frame: number,
        interface: bob,
        side: Side::FromHost,
        outcome: Outcome::Delayed {
            until: Duration::from_millis(7),
        },
    };
    assert_eq!(fate.what, expected);
}

#[test]
fn a_reader_that_is_too_slow_is_told_what_it_missed_and_goes_on_near_the_end() {
    let anchor = anchor();
    let capture = Capture::new(anchor, LIMITS);
    let bob = interface("bob");
    let mut slow = capture.subscribe(Start::Next, pace(10, 3));
    let write = |count| {
        for _ in 0..count {
            capture.frame(anchor.instant, &bob, Direction::Out, b"frame");
        }
    };
    write(2);
    let portion = slow.read(anchor.instant);
    assert_eq!(
        (numbers(&portion.records), portion.left_out),
        (vec![0, 1], 0)
    );
    assert_eq!(portion.again, Again::WhenWritten);
    // Of these, one is within the burst, and two more may wait.
    write(20);
    let portion = slow.read(anchor.instant);
    assert_eq!(
        (numbers(&portion.records), portion.left_out),
        (vec![19], 17)
    );
    let Again::At(next) = portion.again else {
        panic!("there is more: {portion:?}");
    };
    assert_eq!(next, anchor.instant + Duration::from_millis(100));
    let portion = slow.read(next);
    assert_eq!((numbers(&portion.records), portion.left_out), (vec![20], 0));
    // What the ring has forgotten counts as left out too.
    write(100);
    let portion = slow.read(next + Duration::from_secs(9));
    assert_eq!(
        (numbers(&portion.records), portion.left_out),
        (vec![119, 120, 121], 98)
    );
}

#[tokio::test]
async fn a_reader_waits_until_something_is_written() {
    let anchor = anchor();
    let capture = Capture::new(anchor, LIMITS);
    let bob = interface("bob");
    let mut reader = capture.subscribe(Start::Oldest, pace(1000, 1000));
    assert!(reader.read(anchor.instant).records.is_empty());
    let writer = capture.clone();
    let writing = tokio::spawn(async move {
        writer.frame(anchor.instant, &bob, Direction::In, b"frame");
    });
    reader.more().await;
    assert_eq!(numbers(&reader.read(anchor.instant).records), [0]);
    writing.await.unwrap();
}

#[test]
fn entries_have_stable_names_in_json() {
    let shown = |value: serde_json::Result<String>| value.unwrap();
    assert_eq!(
        shown(serde_json::to_string(&*interface("bob"))),
        r#""bob:eth0""#
    );
    let until = Duration::from_micros(3);
    assert_eq!(
        shown(serde_json::to_string(&Outcome::Delayed { until })),
        r#"{"kind":"delayed","until_ns":3000}"#
    );
    assert_eq!(
        shown(serde_json::to_string(&Outcome::QueueFull)),
        r#"{"kind":"queue_full"}"#
    );
    assert_eq!(shown(serde_json::to_string(&Direction::Out)), r#""out""#);
    assert_eq!(shown(serde_json::to_string(&Side::ToHost)), r#""to_host""#);
}

proptest! {
    #[test]
    fn a_ring_keeps_the_newest_within_its_bounds(lengths in prop::collection::vec(0usize..150, 0..300)) {
        let anchor = anchor();
        let mut ring = Ring::new(anchor, LIMITS);
        let bob = interface("bob");
        for (index, length) in lengths.iter().enumerate() {
            let fill = u8::try_from(index % 251).unwrap();
            let number = ring.frame(anchor.instant, &bob, Direction::Out, &vec![fill; *length]);
            prop_assert_eq!(number, index as u64);
            let batch = ring.read(0, usize::MAX, usize::MAX);
            prop_assert!(batch.records.len() <= LIMITS.entries);
            prop_assert_eq!(batch.missed + batch.records.len() as u64, number + 1);
            let mut kept = 0;
            for record in &batch.records {
                let What::Frame { bytes, length, .. } = &record.what else {
                    panic!("only frames were written");
                };
                let index = usize::try_from(record.number).unwrap();
                prop_assert_eq!(*length, lengths[index]);
                prop_assert_eq!(bytes.len(), lengths[index].min(LIMITS.snap));
                let fill = u8::try_from(index % 251).unwrap();
                prop_assert!(bytes.iter().all(|byte| *byte == fill));
                kept += bytes.len();
            }
            prop_assert!(kept <= LIMITS.bytes);
        }
    }

    #[test]
    fn a_reader_gets_every_entry_or_is_told_and_never_more_than_its_pace(
        steps in prop::collection::vec((0u64..80, 0u64..400), 1..60),
        per_second in 1u32..200,
        burst in 1u32..40,
    ) {
        let anchor = anchor();
        let capture = Capture::new(anchor, LIMITS);
        let bob = interface("bob");
        let mut reader = capture.subscribe(Start::Oldest, pace(per_second, burst));
        let mut now = anchor.instant;
        let (mut written, mut seen, mut next) = (0, 0u64, 0);
        for (entries, millis) in steps {
            for _ in 0..entries {
                capture.frame(now, &bob, Direction::Out, b"");
            }
            written += entries;
            now += Duration::from_millis(millis);
            let portion = reader.read(now);
            next += portion.left_out;
            for record in &portion.records {
                prop_assert_eq!(record.number, next);
                next += 1;
            }
            seen += portion.records.len() as u64;
            let elapsed = now.duration_since(anchor.instant).as_millis();
            let fair = u128::from(burst) + elapsed * u128::from(per_second) / 1000;
            prop_assert!(u128::from(seen) <= fair);
            match portion.again {
                Again::WhenWritten => prop_assert_eq!(next, written),
                Again::Now => prop_assert!(next < written),
                Again::At(at) => {
                    prop_assert!(next < written && now < at);
                    prop_assert!(!reader.read(at).records.is_empty());
                    // That reading is part of the account.
                    return Ok(());
                }
            }
        }
    }
}
