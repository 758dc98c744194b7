//! What goes over a lab's network, as events for a viewer who asked for it.
//!
//! The lab's record is written whether anybody reads it or not. A viewer has a place in it and a pace of its own; what
//! it is too slow for is skipped and counted, so it holds up neither the switch nor anybody else.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use protocol::event::{Card, Direction, Event, MAX_PACKET, Outcome, Record};

use crate::capture::record::{self, Device, What};
use crate::capture::{Again, Capture, Pace, Start, Subscriber};
use crate::metrics::Metrics;
use crate::network::switch::Side;

/// The most pieces of the record that are taken at once, before others have their turn.
const PIECES: usize = 8;

/// A viewer's reader of a lab's record.
#[derive(Debug)]
pub(crate) struct Packets {
    subscriber: Subscriber,
    /// When the record's clock began, on the lab's.
    begun: Duration,
    again: Again,
    metrics: Metrics,
}

impl Packets {
    /// A reader that begins with what comes next, and reads so many entries a second and so many bytes of each frame.
    pub(crate) fn new(
        capture: &Capture,
        epoch: Instant,
        rate: usize,
        bytes: usize,
        metrics: Metrics,
    ) -> Self {
        let rate = u32::try_from(rate).unwrap_or(u32::MAX);
        let pace = Pace {
            per_second: NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN),
            burst: NonZeroU32::new(rate / 10).unwrap_or(NonZeroU32::MIN),
        };
        let subscriber = capture.subscribe(Start::Next, pace);
        Self {
            subscriber: subscriber.cut_to(bytes.min(MAX_PACKET)),
            begun: capture.anchor().instant.saturating_duration_since(epoch),
            again: Again::WhenWritten,
            metrics,
        }
    }

    /// Takes what there is to be told now.
    pub(crate) fn take(&mut self, records: &mut Vec<Record>) {
        for _ in 0..PIECES {
            let portion = self.subscriber.read(Instant::now());
            if 0 < portion.left_out {
                let at = portion.records.first().map(|record| record.at);
                let at = self.micros(at.unwrap_or_default());
                self.metrics.events_dropped().inc_by(portion.left_out);
                let (host, count) = (None, portion.left_out);
                let event = Event::LeftOut { host, count };
                records.push(Record { at, event });
            }
            self.metrics.events().inc_by(portion.records.len() as u64);
            records.extend(portion.records.into_iter().map(|record| self.tell(record)));
            self.again = portion.again;
            if self.again != Again::Now {
                break;
            }
        }
    }

    /// Waits until there may be something to be told.
    pub(crate) async fn wait(&mut self) {
        match self.again {
            Again::Now => {}
            Again::At(instant) => tokio::time::sleep_until(instant.into()).await,
            Again::WhenWritten => self.subscriber.more().await,
        }
    }

    fn tell(&self, record: record::Record) -> Record {
        let event = match record.what {
            What::Frame {
                interface,
                length,
                bytes,
                ..
            } => Event::Packet {
                number: record.number,
                host: interface.host.clone(),
                card: match interface.device {
                    Device::Ethernet => Card::Ethernet,
                    Device::Loopback => Card::Loopback,
                },
                length: u32::try_from(length).unwrap_or(u32::MAX),
                bytes,
            },
            What::Fate {
                frame,
                interface,
                side,
                outcome,
            } => Event::Fate {
                packet: frame,
                host: interface.host.clone(),
                direction: match side {
                    Side::FromHost => Direction::Sent,
                    Side::ToHost => Direction::Received,
                },
                outcome: self.outcome(outcome),
            },
            What::LeftOut { interface, count } => Event::LeftOut {
                host: Some(interface.host.clone()),
                count,
            },
        };
        let at = self.micros(record.at);
        Record { at, event }
    }

    fn outcome(&self, outcome: record::Outcome) -> Outcome {
        match outcome {
            record::Outcome::Passed => Outcome::Passed,
            record::Outcome::Delayed { until } => Outcome::Delayed {
                until: self.micros(until),
            },
            record::Outcome::Lost => Outcome::Lost,
            record::Outcome::Corrupted { bit } => Outcome::Corrupted {
                bit: u32::try_from(bit).unwrap_or(u32::MAX),
            },
            record::Outcome::Doubled => Outcome::Doubled,
            record::Outcome::Held => Outcome::Held,
            record::Outcome::QueueFull => Outcome::QueueFull,
            record::Outcome::Crowded => Outcome::Crowded,
            record::Outcome::CableDown => Outcome::CableDown,
            record::Outcome::Refused => Outcome::Refused,
        }
    }

    /// A time of the record on the lab's clock.
    fn micros(&self, at: Duration) -> u64 {
        u64::try_from((self.begun + at).as_micros()).unwrap_or(u64::MAX)
    }
}
