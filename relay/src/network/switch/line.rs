//! One direction of a host's link: what happens to frames between one end and the other.
//!
//! A frame that chance does not lose waits in the queue until the rate lets it on the line, and is in flight until its
//! latency is over. Only a frame that chance holds back is overtaken.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::HostName;

use super::conditions::{Cable, LineConditions};
use super::counts::{Fate, LineCounts};
use super::frame::Class;
use super::port::PortId;
use super::sequence::{Fortune, Lane, Sequences};

/// How long a frame that is to be overtaken waits for another one. It is shorter than the 200 ms after which Linux
/// sends a segment again at the earliest.
const PATIENCE: Duration = Duration::from_millis(150);
/// What a frame that is kept costs beside its bytes.
const OVERHEAD: usize = 128;
/// The most that a line keeps, in bytes.
const LINE_ROOM: usize = 8 << 20;
/// The most that all lines of a switch keep, in bytes.
const SWITCH_ROOM: usize = 32 << 20;

/// Who is told what happens to a frame.
pub(super) type Note<'a> = &'a mut dyn FnMut(u64, Fate);

/// The bytes of a frame, as they come.
#[derive(Clone, Debug)]
pub(super) enum Cargo<'a> {
    /// They lie in somebody's buffer.
    Lent(&'a [u8]),
    /// The switch keeps them.
    Kept(Bytes),
}

impl Cargo<'_> {
    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Kept(bytes) => bytes,
        }
    }

    fn keep(self) -> Bytes {
        match self {
            Self::Lent(bytes) => Bytes::copy_from_slice(bytes),
            Self::Kept(bytes) => bytes,
        }
    }
}

/// A frame on its way.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    /// Its bytes.
    pub(super) frame: Bytes,
    /// Its number.
    pub(super) number: u64,
    /// The port that it came from.
    pub(super) origin: PortId,
    /// How long it is in flight.
    latency: Duration,
}

impl Parcel {
    fn cost(&self) -> usize {
        self.frame.len() + OVERHEAD
    }
}

/// A frame that goes in.
#[derive(Debug)]
pub(super) struct Arrival<'a> {
    /// Its bytes.
    pub(super) cargo: Cargo<'a>,
    /// Its number.
    pub(super) number: u64,
    /// The port that it came from.
    pub(super) origin: PortId,
    /// The host at the other end, if there is one that is known.
    pub(super) peer: Option<(PortId, &'a HostName)>,
}

/// What all lines of a switch may keep.
#[derive(Debug)]
pub(super) struct Room {
    left: usize,
}

impl Room {
    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_all_there(&self) -> bool {
        self.left == SWITCH_ROOM
    }
}

impl Default for Room {
    fn default() -> Self {
        Self { left: SWITCH_ROOM }
    }
}

/// A frame that lets another one pass.
#[derive(Debug)]
struct Held {
    lane: Lane,
    until: Instant,
    parcel: Parcel,
    copies: u8,
}

/// The line.
#[derive(Debug)]
pub(super) struct Line {
    conditions: LineConditions,
    cable: Cable,
    sequences: Sequences,
    held: VecDeque<Held>,
    queue: VecDeque<Parcel>,
    queued: usize,
    /// When the head of the queue is on the line; before that instant nothing else can be.
    free: Option<Instant>,
    flight: VecDeque<(Instant, Parcel)>,
    kept: usize,
    /// What happened here.
    pub(super) counts: LineCounts,
}

impl Line {
    /// A perfect line.
    pub(super) fn new(sequences: Sequences) -> Self {
        Self {
            conditions: LineConditions::default(),
            cable: Cable::Up,
            sequences,
            held: VecDeque::new(),
            queue: VecDeque::new(),
            queued: 0,
            free: None,
            flight: VecDeque::new(),
            kept: 0,
            counts: LineCounts::default(),
        }
    }

    /// Whether a frame goes straight through.
    pub(super) fn is_clear(&self) -> bool {
        self.cable == Cable::Up && self.kept == 0 && self.conditions.is_perfect()
    }

    /// Changes the conditions. What is in flight arrives as it would have; what is queued goes at the new rate.
    pub(super) fn set(
        &mut self,
        now: Instant,
        conditions: LineConditions,
        cable: Cable,
        room: &mut Room,
        note: Note<'_>,
    ) {
        self.settle(now, room, note);
        self.conditions = conditions;
        self.cable = cable;
        if cable == Cable::Down {
            self.clear(room, note);
        }
        match (conditions.rate, self.queue.front()) {
            (Some(rate), Some(head)) => {
                let anew = now + rate.time(head.frame.len());
                self.free = Some(self.free.map_or(anew, |free| free.min(anew)));
            }
            (Some(_), None) => {}
            (None, _) => {
                self.free = None;
                while let Some(parcel) = self.queue.pop_front() {
                    self.launch(now, parcel, note);
                }
                self.queued = 0;
            }
        }
    }

    /// Begins the sequences of chance anew.
    pub(super) fn restart(&mut self, seed: u32) {
        self.sequences.restart(seed);
    }

    /// Forgets the sequences that had to do with a host that has gone.
    pub(super) fn forget(&mut self, peer: PortId) {
        self.sequences.forget(peer);
    }

    /// Drops everything that is on its way.
    pub(super) fn clear(&mut self, room: &mut Room, note: Note<'_>) {
        let held = self
            .held
            .drain(..)
            .flat_map(|held| std::iter::repeat_n(held.parcel, held.copies.into()));
        let flying = self.flight.drain(..).map(|(_, parcel)| parcel);
        for parcel in held.chain(self.queue.drain(..)).chain(flying) {
            self.counts.count(Fate::CableDown);
            note(parcel.number, Fate::CableDown);
        }
        self.queued = 0;
        self.free = None;
        room.left += self.kept;
        self.kept = 0;
    }

    /// Takes a frame that goes in.
    pub(super) fn offer(
        &mut self,
        now: Instant,
        arrival: Arrival<'_>,
        room: &mut Room,
        note: Note<'_>,
    ) {
        self.settle(now, room, note);
        let length = arrival.cargo.bytes().len();
        self.counts.enter(length);
        if self.cable == Cable::Down {
            return self.tell(arrival.number, Fate::CableDown, note);
        }
        let lane = (
            arrival.peer.map(|(port, _)| port),
            Class::of(arrival.cargo.bytes()),
        );
        let mut fortune = self.draw(lane, arrival.peer.map(|(_, name)| name), length);
        let place = self.held.iter().position(|held| held.lane == lane);
        let overtaken = place.and_then(|place| self.held.remove(place));
        fortune.is_held &= overtaken.is_none();
        if fortune.is_lost {
            self.tell(arrival.number, Fate::Lost, note);
        } else {
            self.carry(now, arrival, lane, fortune, room, note);
        }
        // A lost frame overtakes too: how long a frame is held must not depend on how long the next one takes.
        if let Some(held) = overtaken {
            self.release(now, held, room, note);
        }
    }

    /// The next frame that comes out by now.
    pub(super) fn pop(&mut self, now: Instant, room: &mut Room, note: Note<'_>) -> Option<Parcel> {
        self.settle(now, room, note);
        let (due, _) = self.flight.front()?;
        if now < *due {
            return None;
        }
        let (_, parcel) = self.flight.pop_front()?;
        self.give_back(&parcel, room);
        Some(parcel)
    }

    /// When something is to be done here.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let held = self.held.front().map(|held| held.until);
        let head = self.free.filter(|_| !self.queue.is_empty());
        let flying = self.flight.front().map(|(due, _)| *due);
        [held, head, flying].into_iter().flatten().min()
    }

    /// Carries a frame that is not lost.
    fn carry(
        &mut self,
        now: Instant,
        arrival: Arrival<'_>,
        lane: Lane,
        fortune: Fortune,
        room: &mut Room,
        note: Note<'_>,
    ) {
        let number = arrival.number;
        let mut parcel = Parcel {
            frame: arrival.cargo.keep(),
            number,
            origin: arrival.origin,
            latency: Duration::from_micros(fortune.micros.into()),
        };
        if let Some(bit) = fortune.wrong_bit {
            parcel.frame = turned(&parcel.frame, bit);
            self.tell(number, Fate::Corrupted { bit }, note);
        }
        let copies = if fortune.is_doubled { 2 } else { 1 };
        if fortune.is_doubled {
            self.tell(number, Fate::Doubled, note);
        }
        if fortune.is_held && self.reserve(&parcel, room) {
            self.tell(number, Fate::Held, note);
            self.held.push_back(Held {
                lane,
                until: now + PATIENCE,
                parcel,
                copies,
            });
        } else {
            self.enter(now, parcel, copies, room, note);
        }
    }

    fn draw(&mut self, lane: Lane, peer: Option<&HostName>, length: usize) -> Fortune {
        if lane.1 == Class::Housekeeping || self.conditions.is_perfect() {
            return Fortune {
                micros: self.conditions.latency_us.into(),
                ..Fortune::default()
            };
        }
        self.sequences.draw(lane, peer, length, &self.conditions)
    }

    /// Does what was to be done inside the line by now: frames that waited in vain, and the queue.
    fn settle(&mut self, now: Instant, room: &mut Room, note: Note<'_>) {
        loop {
            let patience = self.held.front().map(|held| held.until);
            let head = self.free.filter(|_| !self.queue.is_empty());
            match (patience, head) {
                (Some(until), head) if until <= now && head.is_none_or(|head| until < head) => {
                    if let Some(held) = self.held.pop_front() {
                        self.release(until, held, room, note);
                    }
                }
                (_, Some(head)) if head <= now => self.transmit(head, note),
                _ => return,
            }
        }
    }

    /// The head of the queue is on the line, and the next one begins.
    fn transmit(&mut self, at: Instant, note: Note<'_>) {
        if let Some(parcel) = self.queue.pop_front() {
            self.queued -= parcel.frame.len();
            self.launch(at, parcel, note);
        }
        if let (Some(next), Some(rate)) = (self.queue.front(), self.conditions.rate) {
            self.free = Some(at + rate.time(next.frame.len()));
        }
    }

    fn release(&mut self, now: Instant, held: Held, room: &mut Room, note: Note<'_>) {
        self.give_back(&held.parcel, room);
        self.enter(now, held.parcel, held.copies, room, note);
    }

    fn enter(&mut self, now: Instant, parcel: Parcel, copies: u8, room: &mut Room, note: Note<'_>) {
        for _ in 1..copies {
            self.enqueue(now, parcel.clone(), room, note);
        }
        self.enqueue(now, parcel, room, note);
    }

    fn enqueue(&mut self, now: Instant, parcel: Parcel, room: &mut Room, note: Note<'_>) {
        let Some(rate) = self.conditions.rate else {
            if self.reserve(&parcel, room) {
                self.launch(now, parcel, note);
            } else {
                self.tell(parcel.number, Fate::Crowded, note);
            }
            return;
        };
        // The head is being sent and waits no longer.
        let head = self.queue.front().map_or(0, |head| head.frame.len());
        let waiting = self.queued - head + parcel.frame.len();
        if 0 < head && self.conditions.queue_bytes.bytes() < waiting {
            return self.tell(parcel.number, Fate::QueueFull, note);
        }
        if !self.reserve(&parcel, room) {
            return self.tell(parcel.number, Fate::Crowded, note);
        }
        if self.queue.is_empty() {
            let begin = self.free.map_or(now, |free| free.max(now));
            self.free = Some(begin + rate.time(parcel.frame.len()));
        }
        self.queued += parcel.frame.len();
        self.queue.push_back(parcel);
    }

    fn launch(&mut self, at: Instant, parcel: Parcel, note: Note<'_>) {
        let due = at + parcel.latency;
        let due = self.flight.back().map_or(due, |(last, _)| due.max(*last));
        if at < due {
            note(parcel.number, Fate::Delayed { until: due });
        }
        self.flight.push_back((due, parcel));
    }

    fn reserve(&mut self, parcel: &Parcel, room: &mut Room) -> bool {
        let cost = parcel.cost();
        let fits = self.kept + cost <= LINE_ROOM && cost <= room.left;
        if fits {
            self.kept += cost;
            room.left -= cost;
        }
        fits
    }

    fn give_back(&mut self, parcel: &Parcel, room: &mut Room) {
        self.kept -= parcel.cost();
        room.left += parcel.cost();
    }

    fn tell(&mut self, number: u64, fate: Fate, note: Note<'_>) {
        self.counts.count(fate);
        note(number, fate);
    }
}

/// The frame with one bit turned.
fn turned(frame: &Bytes, bit: usize) -> Bytes {
    let mut bytes = frame.to_vec();
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 0x80 >> (bit % 8);
    }
    bytes.into()
}
