//! Chance that happens again: what a line does to the first frame, the second, and so on.
//!
//! Every line has a sequence for each peer and each kind of traffic, seeded from the number that a person set, the
//! names of both hosts, the direction and the kind. So the third datagram from alice to bob meets the same fate on
//! every run, whatever carol does, whatever else alice sends, and however long things take. Every frame takes the same
//! number of draws, so the frames that are lost stay the same ones when, say, jitter is added. Frames that pass a perfect
//! line, or meet a pulled cable, do not count.

use std::collections::BTreeMap;

use protocol::HostName;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};
use sha1::{Digest, Sha1};

use super::conditions::{Delay, LineConditions, Share};
use super::frame::{Class, HEADER};
use super::port::{PortId, Side};

/// Which sequence a frame counts in: the host at the other end, none if there are several or it is unknown, and what
/// the frame carries.
pub(super) type Lane = (Option<PortId>, Class);

/// The sequences of one line.
#[derive(Debug)]
pub(super) struct Sequences {
    host: HostName,
    side: Side,
    seed: u32,
    lanes: BTreeMap<Lane, Pcg64>,
}

/// What chance has in store for one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fortune {
    /// It is lost.
    pub(super) is_lost: bool,
    /// It arrives twice.
    pub(super) is_doubled: bool,
    /// It lets the next one pass.
    pub(super) is_held: bool,
    /// The bit that is wrong when it arrives, counted from the beginning of the frame.
    pub(super) wrong_bit: Option<usize>,
    /// The microseconds that it takes.
    pub(super) micros: u32,
}

impl Sequences {
    /// The sequences of one direction of a host's link.
    pub(super) fn new(host: HostName, side: Side, seed: u32) -> Self {
        Self {
            host,
            side,
            seed,
            lanes: BTreeMap::new(),
        }
    }

    /// Begins anew, from another number.
    pub(super) fn restart(&mut self, seed: u32) {
        self.seed = seed;
        self.lanes.clear();
    }

    /// Forgets the sequences that had to do with a host that has gone.
    pub(super) fn forget(&mut self, peer: PortId) {
        self.lanes.retain(|(host, _), _| *host != Some(peer));
    }

    /// Draws for the next frame of a lane. `peer` is the name of the lane's host.
    pub(super) fn draw(
        &mut self,
        lane: Lane,
        peer: Option<&HostName>,
        length: usize,
        conditions: &LineConditions,
    ) -> Fortune {
        let (host, side, seed) = (&self.host, self.side, self.seed);
        let numbers = self
            .lanes
            .entry(lane)
            .or_insert_with(|| begin(seed, host, side, peer, lane.1));
        let [lost, doubled, held, corrupt, place, late] =
            std::array::from_fn(|_| numbers.next_u32());
        let falls = |share: Share, drawn| share.contains(drawn);
        Fortune {
            is_lost: falls(conditions.loss, lost),
            is_doubled: falls(conditions.duplicate, doubled),
            is_held: falls(conditions.reorder, held),
            wrong_bit: falls(conditions.corrupt, corrupt)
                .then(|| bit(place, length))
                .flatten(),
            micros: varied(conditions.latency_us, conditions.jitter_us, late),
        }
    }
}

/// The beginning of a lane's numbers. Hashing keeps lanes whose names differ by a letter from resembling each other.
fn begin(seed: u32, host: &HostName, side: Side, peer: Option<&HostName>, class: Class) -> Pcg64 {
    let mut hash = Sha1::new();
    hash.update(seed.to_be_bytes());
    for name in [Some(host), peer] {
        // No host name contains a byte of zero or is empty.
        hash.update(name.map_or("", HostName::as_str));
        hash.update([0]);
    }
    hash.update([side_code(side), class_code(class)]);
    let digest = hash.finalize();
    let mut start = [0; 32];
    for (to, from) in start.iter_mut().zip(digest) {
        *to = from;
    }
    Pcg64::from_seed(start)
}

fn side_code(side: Side) -> u8 {
    match side {
        Side::FromHost => 0,
        Side::ToHost => 1,
    }
}

fn class_code(class: Class) -> u8 {
    match class {
        Class::Housekeeping => 0,
        Class::Tcp => 1,
        Class::Udp => 2,
        Class::Other => 3,
    }
}

/// The bit that a drawn number means, none if the frame has nothing after its header.
fn bit(drawn: u32, length: usize) -> Option<usize> {
    let bits = u64::try_from(length.checked_sub(HEADER)?).ok()? * 8;
    let place = (u64::from(drawn) * bits) >> 32;
    (0 < bits).then_some(HEADER * 8 + usize::try_from(place).ok()?)
}

/// The latency, with the jitter that a drawn number means.
fn varied(latency: Delay, jitter: Delay, drawn: u32) -> u32 {
    let width = u64::from(jitter.micros()) * 2 + 1;
    let above = (u64::from(drawn) * width) >> 32;
    let sum = u64::from(latency.micros()) + above;
    let micros = sum.saturating_sub(u64::from(jitter.micros()));
    u32::try_from(micros).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HostName {
        HostName::new(text).unwrap()
    }

    fn half() -> LineConditions {
        LineConditions {
            loss: Share::new(0.5).unwrap(),
            ..LineConditions::default()
        }
    }

    fn losses(sequences: &mut Sequences, lane: Lane, peer: &HostName) -> String {
        (0..24)
            .map(|_| {
                let fortune = sequences.draw(lane, Some(peer), 100, &half());
                if fortune.is_lost { 'x' } else { '.' }
            })
            .collect()
    }

    #[test]
    fn a_seed_means_the_same_in_every_version() {
        let lane = (Some(PortId::for_tests(1)), Class::Udp);
        let mut sequences = Sequences::new(name("alice"), Side::FromHost, 7);
        let first = losses(&mut sequences, lane, &name("bob"));
        assert_eq!(first, "xx.x.x...xxxxxxx.xxxx.x.");
        sequences.restart(7);
        assert_eq!(losses(&mut sequences, lane, &name("bob")), first);
    }

    #[test]
    fn lanes_do_not_disturb_each_other() {
        let [bob, carol] = [PortId::for_tests(1), PortId::for_tests(2)];
        let mut alone = Sequences::new(name("alice"), Side::ToHost, 7);
        let expected = losses(&mut alone, (Some(bob), Class::Udp), &name("bob"));
        let mut busy = Sequences::new(name("alice"), Side::ToHost, 7);
        let others = [
            losses(&mut busy, (Some(carol), Class::Udp), &name("carol")),
            losses(&mut busy, (Some(bob), Class::Tcp), &name("bob")),
        ];
        let seen = losses(&mut busy, (Some(bob), Class::Udp), &name("bob"));
        assert_eq!(seen, expected);
        assert!(!others.contains(&expected));
        let mut other_way = Sequences::new(name("alice"), Side::FromHost, 7);
        let opposite = losses(&mut other_way, (Some(bob), Class::Udp), &name("bob"));
        assert_ne!(opposite, expected);
    }

    #[test]
    fn one_condition_does_not_change_what_another_does() {
        let lane = (None, Class::Other);
        let mut plain = Sequences::new(name("alice"), Side::ToHost, 1);
        let mut jittered = Sequences::new(name("alice"), Side::ToHost, 1);
        let more = LineConditions {
            jitter_us: Delay::MAX,
            corrupt: Share::ALL,
            duplicate: Share::ALL,
            ..half()
        };
        for _ in 0..100 {
            let first = plain.draw(lane, None, 60, &half());
            let second = jittered.draw(lane, None, 60, &more);
            assert_eq!(first.is_lost, second.is_lost);
        }
    }

    #[test]
    fn a_wrong_bit_is_behind_the_header_and_within_the_frame() {
        assert_eq!(bit(0, HEADER + 1), Some(HEADER * 8));
        assert_eq!(bit(u32::MAX, HEADER + 1), Some(HEADER * 8 + 7));
        assert_eq!(bit(u32::MAX, HEADER), None);
        assert_eq!(bit(0, 0), None);
    }

    #[test]
    fn jitter_is_even_around_the_latency_and_never_before_now() {
        let [latency, jitter] = [5, 2].map(|micros| Delay::try_from(micros).unwrap());
        assert_eq!(varied(latency, jitter, 0), 3);
        assert_eq!(varied(latency, jitter, 1 << 31), 5);
        assert_eq!(varied(latency, jitter, u32::MAX), 7);
        assert_eq!(varied(jitter, latency, 0), 0);
        assert_eq!(varied(latency, Delay::NONE, u32::MAX), 5);
    }

    #[test]
    fn what_had_to_do_with_a_host_that_has_gone_is_forgotten() {
        let bob = PortId::for_tests(1);
        let mut sequences = Sequences::new(name("alice"), Side::ToHost, 7);
        losses(&mut sequences, (Some(bob), Class::Udp), &name("bob"));
        losses(&mut sequences, (None, Class::Udp), &name("bob"));
        sequences.forget(bob);
        assert_eq!(sequences.lanes.len(), 1);
    }
}
