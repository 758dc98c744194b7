//! How long calls on a socket wait, and for how many bytes (socket(7)).
//!
//! These options never reach the relay: calls wait here.

use protocol::Errno;
use protocol::limits::INITIAL_CREDIT;

/// `SO_RCVLOWAT`.
const SO_RCVLOWAT: i32 = 18;
/// `SO_RCVTIMEO`.
const SO_RCVTIMEO: i32 = 20;
/// `SO_SNDTIMEO`.
const SO_SNDTIMEO: i32 = 21;

/// How many bytes are certain to come though none is taken.
pub(crate) const CERTAIN: usize = 65_536;
const _: () = assert!(2 * CERTAIN as u64 <= INITIAL_CREDIT);

/// The most bytes that a receive may be told to wait for. Linux has such a bound too, half of the receive buffer.
const MOST_LOW_WATER: i32 = 65_536;
const _: () = assert!(MOST_LOW_WATER as usize <= CERTAIN);

/// Which way a call moves bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Towards the program; accept(2) too.
    Receive,
    /// From the program; connect(2) too.
    Send,
}

/// What a socket's calls wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thresholds {
    /// `SO_RCVTIMEO` in microseconds; zero for no limit.
    receive: i64,
    /// `SO_SNDTIMEO` in microseconds; zero for no limit.
    send: i64,
    /// `SO_RCVLOWAT` in bytes.
    low_water: i32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            receive: 0,
            send: 0,
            low_water: 1,
        }
    }
}

impl Thresholds {
    /// For how many milliseconds a call may wait, if there is a limit.
    pub(crate) fn limit(&self, way: Way) -> Option<f64> {
        let micros = match way {
            Way::Receive => self.receive,
            Way::Send => self.send,
        };
        // A number of days fits an f64 to the microsecond.
        #[expect(
            clippy::cast_precision_loss,
            reason = "2^53 microseconds are 285 years"
        )]
        let millis = micros as f64 / 1000.0;
        (micros != 0).then_some(millis.max(0.0))
    }

    /// How many bytes a stream must hold to be readable.
    pub(crate) fn low_water(&self) -> usize {
        usize::try_from(self.low_water).unwrap_or(1)
    }

    /// getsockopt(2) on `SOL_SOCKET`, if it is one of these: the value, cut to `length`.
    pub(crate) fn get(&self, name: i32, length: u32) -> Option<Vec<u8>> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let micros = match name {
            SO_RCVLOWAT => {
                let mut value = self.low_water.to_le_bytes().to_vec();
                value.truncate(length);
                return Some(value);
            }
            SO_RCVTIMEO => self.receive,
            SO_SNDTIMEO => self.send,
            _ => return None,
        };
        let micros = micros.max(0);
        let (seconds, rest) = (micros / MICROS, micros % MICROS);
        let mut value = if length < WIDE {
            let narrow = |number: i64| i32::try_from(number).unwrap_or(i32::MAX).to_le_bytes();
            [narrow(seconds), narrow(rest)].concat()
        } else {
            [seconds.to_le_bytes(), rest.to_le_bytes()].concat()
        };
        value.truncate(length);
        Some(value)
    }

    /// setsockopt(2) on `SOL_SOCKET`, if it is one of these.
    pub(crate) fn set(&mut self, name: i32, value: &[u8]) -> Option<Result<(), Errno>> {
        let to = match name {
            SO_RCVLOWAT => {
                return Some(narrow(value, 0).map(|bytes| {
                    self.low_water = match i32::from_le_bytes(bytes) {
                        0 => 1,
                        ..0 => MOST_LOW_WATER,
                        number => number.min(MOST_LOW_WATER),
                    };
                }));
            }
            SO_RCVTIMEO => &mut self.receive,
            SO_SNDTIMEO => &mut self.send,
            _ => return None,
        };
        Some(timeval(value).map(|micros| *to = micros))
    }
}

/// Microseconds in a second.
const MICROS: i64 = 1_000_000;

/// The length of a `struct timeval` of 64 bits, in bytes. A program here is one of 32 bits, but may be written for the
/// other.
const WIDE: usize = 16;

fn narrow(value: &[u8], at: usize) -> Result<[u8; 4], Errno> {
    value
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or(Errno::EINVAL)
}

/// A `struct timeval` in microseconds. A negative time is over at once (`sock_set_timeout` in Linux).
fn timeval(value: &[u8]) -> Result<i64, Errno> {
    let (seconds, micros) = match value.first_chunk::<WIDE>() {
        Some(wide) => {
            let (seconds, micros) = wide.split_at(WIDE / 2);
            let number = |bytes: &[u8]| bytes.try_into().map(i64::from_le_bytes);
            (
                number(seconds).map_err(|_| Errno::EINVAL)?,
                number(micros).map_err(|_| Errno::EINVAL)?,
            )
        }
        None => (
            i32::from_le_bytes(narrow(value, 0)?).into(),
            i32::from_le_bytes(narrow(value, 4)?).into(),
        ),
    };
    match (seconds, micros) {
        (_, ..0 | MICROS..) => Err(Errno::EDOM),
        (..0, _) => Ok(-1),
        _ => Ok(seconds.saturating_mul(MICROS).saturating_add(micros)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(seconds: i64, micros: i64) -> Vec<u8> {
        [seconds.to_le_bytes(), micros.to_le_bytes()].concat()
    }

    #[test]
    fn a_time_is_read_and_told_in_both_layouts() {
        let mut thresholds = Thresholds::default();
        let narrow = [1_i32.to_le_bytes(), 500_000_i32.to_le_bytes()].concat();
        for value in [wide(1, 500_000), narrow.clone()] {
            thresholds = Thresholds::default();
            assert_eq!(thresholds.set(SO_RCVTIMEO, &value), Some(Ok(())));
            assert_eq!(thresholds.limit(Way::Receive), Some(1500.0));
            assert_eq!(thresholds.limit(Way::Send), None);
        }
        assert_eq!(thresholds.get(SO_RCVTIMEO, 16), Some(wide(1, 500_000)));
        assert_eq!(thresholds.get(SO_RCVTIMEO, 8), Some(narrow));
        assert_eq!(thresholds.get(SO_SNDTIMEO, 16), Some(wide(0, 0)));
    }

    #[test]
    fn what_linux_refuses_is_refused() {
        let mut thresholds = Thresholds::default();
        let set = |value: &[u8]| Thresholds::default().set(SO_SNDTIMEO, value);
        assert_eq!(set(&[0; 4]), Some(Err(Errno::EINVAL)));
        assert_eq!(set(&wide(0, MICROS)), Some(Err(Errno::EDOM)));
        assert_eq!(set(&wide(0, -1)), Some(Err(Errno::EDOM)));
        assert_eq!(thresholds.set(SO_SNDTIMEO, &wide(-1, 0)), Some(Ok(())));
        assert_eq!(thresholds.limit(Way::Send), Some(0.0));
        assert_eq!(thresholds.get(SO_SNDTIMEO, 16), Some(wide(0, 0)));
        assert_eq!(thresholds.set(SO_RCVLOWAT, &[]), Some(Err(Errno::EINVAL)));
        assert_eq!(thresholds.set(7, &[0; 4]), None);
        assert_eq!(thresholds.get(7, 4), None);
    }

    #[test]
    fn a_low_water_mark_is_at_least_one_byte_and_certain_to_be_reached() {
        let mut thresholds = Thresholds::default();
        for (number, told) in [
            (0, 1),
            (5, 5),
            (-1, MOST_LOW_WATER),
            (i32::MAX, MOST_LOW_WATER),
        ] {
            thresholds.set(SO_RCVLOWAT, &i32::to_le_bytes(number));
            assert_eq!(
                thresholds.get(SO_RCVLOWAT, 4),
                Some(told.to_le_bytes().to_vec())
            );
        }
    }
}
