//! Whose turn it is, where several share a pace.
//!
//! Everybody has a turn of a bounded length, and then the next one has. A round that ends before all had theirs, because
//! the pace demands a pause, goes on with the next one, not with the first: so nobody can take the others' part by
//! always having something.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Instant;

use crate::pace::Pace;

/// The turns of those who share a pace, known by `K`.
#[derive(Debug)]
pub(super) struct Turns<K> {
    pace: Pace,
    /// Who had the last turn.
    last: Option<K>,
}

impl<K: Copy + Ord> Turns<K> {
    /// Nobody has had a turn.
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, last: None }
    }

    /// Gives everybody a turn, as far as the pace allows. `serve` says how many bytes a turn has taken.
    pub(super) fn round<V>(
        &mut self,
        now: Instant,
        all: &mut BTreeMap<K, V>,
        mut serve: impl FnMut(&mut V) -> usize,
    ) {
        for _ in 0..all.len() {
            if self.pace.pause(now).is_some() {
                return;
            }
            let Some(next) = self.next(all) else {
                return;
            };
            self.last = Some(next);
            if let Some(each) = all.get_mut(&next) {
                self.pace.spend(serve(each), now);
            }
        }
    }

    /// Until when to pause, if at all.
    pub(super) fn pause(&self, now: Instant) -> Option<Instant> {
        self.pace.pause(now)
    }

    /// Who comes after the last one, in a circle.
    fn next<V>(&self, all: &BTreeMap<K, V>) -> Option<K> {
        let behind = match self.last {
            Some(last) => (Bound::Excluded(last), Bound::Unbounded),
            None => (Bound::Unbounded, Bound::Unbounded),
        };
        let mut behind = all.range(behind);
        let next = behind.next().or_else(|| all.first_key_value());
        next.map(|(&key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// How much one turn may take.
    const TURN: usize = 64_000;

    /// Somebody who always has as much as it may take.
    const FLOOD: usize = usize::MAX;

    /// What each gets in ten seconds at a megabyte a second, if these come for each within a millisecond.
    fn shares(coming: &[usize]) -> Vec<usize> {
        let begin = Instant::now();
        let mut turns = Turns::new(Pace::new(1_000_000, begin));
        let mut all: BTreeMap<usize, (usize, usize)> =
            coming.iter().map(|_| (0, 0)).enumerate().collect();
        for millisecond in 0..10_000 {
            let now = begin + Duration::from_millis(millisecond);
            for (each, &more) in all.values_mut().zip(coming) {
                each.0 = each.0.saturating_add(more);
            }
            turns.round(now, &mut all, |(waiting, got)| {
                let share = TURN.min(*waiting);
                *waiting -= share;
                *got += share;
                share
            });
        }
        all.into_values().map(|(_, got)| got).collect()
    }

    #[test]
    fn who_floods_leaves_the_others_their_part() {
        for coming in [[FLOOD, 20, 0], [20, FLOOD, 0], [0, 20, FLOOD]] {
            let got = shares(&coming);
            for (got, more) in got.iter().zip(coming) {
                match more {
                    // All of the rest, but for the turn that is under way.
                    FLOOD => assert!(9_700_000 < *got, "{got}"),
                    // Everything, but for what has come since its last turn.
                    _ => assert!(more * 9_000 <= *got, "{got} of {more}"),
                }
            }
        }
    }

    #[test]
    fn those_who_flood_share_alike() {
        let got = shares(&[FLOOD, FLOOD, FLOOD, FLOOD]);
        let (least, most) = (got.iter().min().unwrap(), got.iter().max().unwrap());
        assert!(most - least <= TURN, "{got:?}");
        assert!(2_400_000 < *least, "{got:?}");
    }

    #[test]
    fn who_goes_does_not_stop_the_circle() {
        let now = Instant::now();
        let mut turns = Turns::new(Pace::new(0, now));
        let mut all = BTreeMap::from([(1, ()), (2, ()), (3, ())]);
        assert_eq!(turns.next(&all), Some(1));
        turns.round(now, &mut all, |()| 0);
        assert_eq!(turns.next(&all), Some(1));
        turns.last = Some(2);
        all.remove(&2);
        assert_eq!(turns.next(&all), Some(3));
        all.remove(&3);
        assert_eq!(turns.next(&all), Some(1));
        all.clear();
        assert_eq!(turns.next(&all), None);
    }
}
