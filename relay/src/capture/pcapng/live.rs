//! A record as a pcapng file that grows with it.
//!
//! What is written cannot be changed any more. So what becomes of a frame only after the frame was written is a comment of
//! the next one, and so is what the reader has missed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use protocol::HostName;

use super::super::record::{Interface, Record, What};
use super::super::{Anchor, Portion};
use super::cards::Cards;
use super::{Packet, block, comment};

/// How many comments wait for the next frame.
const LATE: usize = 64;

/// A file that grows.
#[derive(Debug)]
pub struct Live {
    cards: Cards,
    /// The names that are in the file.
    names: BTreeSet<(IpAddr, HostName)>,
    /// How many frames of each card were left out of the record.
    left_out: BTreeMap<Arc<Interface>, u64>,
    /// What is to be said with the next frame.
    late: Vec<String>,
}

impl Live {
    /// The file of a record.
    pub fn new(anchor: Anchor, snap: usize) -> Self {
        Self {
            cards: Cards::new(anchor, snap),
            names: BTreeSet::new(),
            left_out: BTreeMap::new(),
            late: Vec::new(),
        }
    }

    /// How the file begins, if so many entries had been forgotten before it.
    pub fn begin(&self, missing: u64) -> Vec<u8> {
        block::section(missing)
    }

    /// The hosts' addresses, those that are not in the file yet.
    pub fn name(&mut self, names: impl IntoIterator<Item = (IpAddr, HostName)>) -> Vec<u8> {
        let mut fresh = Vec::new();
        for name in names {
            if self.names.insert(name.clone()) {
                fresh.push(name);
            }
        }
        if fresh.is_empty() {
            return Vec::new();
        }
        block::names(&fresh)
    }

    /// Nothing, as a sign that there is still somebody who writes.
    pub fn idle(&self) -> Vec<u8> {
        block::names(&[])
    }

    /// Whether a portion speaks of a card that is not in the file yet.
    pub fn meets(&self, portion: &Portion) -> bool {
        portion.records.iter().any(|record| match &record.what {
            What::Frame { interface, .. } | What::LeftOut { interface, .. } => {
                !self.cards.knows(interface)
            }
            What::Fate { .. } => false,
        })
    }

    /// What a portion of the record adds to the file.
    pub fn write(&mut self, portion: &Portion) -> Vec<u8> {
        let mut file = Vec::new();
        if 0 < portion.left_out {
            let count = portion.left_out;
            self.say(format!(
                "{count} entries of the record were left out before this, for the reader was too slow"
            ));
        }
        let mut fates = BTreeMap::<u64, Vec<String>>::new();
        let first = portion.records.iter().find_map(frame);
        for record in &portion.records {
            let What::Fate { frame, .. } = record.what else {
                continue;
            };
            if let Some(words) = comment(record) {
                // The frame stands in this portion, or was written before.
                if first.is_some_and(|first| first <= frame) {
                    fates.entry(frame).or_default().push(words);
                } else {
                    self.say(format!("frame {frame} was {words}"));
                }
            }
        }
        for record in &portion.records {
            self.show(record, fates.remove(&record.number), &mut file);
        }
        file
    }

    fn show(&mut self, record: &Record, fates: Option<Vec<String>>, file: &mut Vec<u8>) {
        let time = self.cards.nanoseconds(record.at);
        if let Some(packet) = Packet::of(record) {
            let mut comments = std::mem::take(&mut self.late);
            comments.extend(fates.into_iter().flatten());
            let (number, card) = self.cards.number(packet.interface);
            file.extend(card.into_iter().flatten());
            file.extend(block::packet(number, time, &packet, &comments));
        }
        match &record.what {
            What::LeftOut { interface, count } => {
                let sum = self.left_out.entry(Arc::clone(interface)).or_default();
                *sum += count;
                let sum = *sum;
                let (number, card) = self.cards.number(interface);
                file.extend(card.into_iter().flatten());
                file.extend(block::statistics(number, time, sum));
            }
            What::Frame { .. } | What::Fate { .. } => {}
        }
    }

    fn say(&mut self, words: String) {
        if self.late.len() < LATE {
            self.late.push(words);
        }
    }
}

/// The number of a record that is a frame.
fn frame(record: &Record) -> Option<u64> {
    matches!(record.what, What::Frame { .. }).then_some(record.number)
}
