//! How good or bad a host's link is, as it is set and as it is written in JSON.
//!
//! Values out of range cannot be made: a program that has one of these types has a value that makes sense.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A share, from none to all, in steps of a millionth.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(try_from = "f64", into = "f64")]
#[schema(value_type = f64, minimum = 0, maximum = 1)]
pub struct Share(u32);

/// All of it, in millionths.
const WHOLE: u32 = 1_000_000;

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self(WHOLE);

    /// Takes a number from 0 to 1, as exactly as millionths can tell.
    ///
    /// # Errors
    ///
    /// It is another number, or none.
    pub fn new(share: f64) -> Result<Self, ConditionError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(ConditionError::Share);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is from 0 to a million"
        )]
        let millionths = (share * f64::from(WHOLE)).round() as u32;
        Ok(Self(millionths))
    }

    /// Whether a number that was drawn from all of `u32` falls into this share.
    pub(super) fn contains(self, drawn: u32) -> bool {
        (u64::from(drawn) * u64::from(WHOLE)) >> 32 < u64::from(self.0)
    }

    /// Whether it is nothing.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

impl TryFrom<f64> for Share {
    type Error = ConditionError;

    fn try_from(share: f64) -> Result<Self, ConditionError> {
        Self::new(share)
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        Self::from(share.0) / Self::from(WHOLE)
    }
}

/// A time that a frame may take, in microseconds and at most 10 seconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(try_from = "u32", into = "u32")]
#[schema(maximum = 10_000_000)]
pub struct Delay(u32);

impl Delay {
    /// No time.
    pub const NONE: Self = Self(0);
    /// The longest, 10 seconds: with it, a handshake takes as long as people wait.
    pub const MAX: Self = Self(10_000_000);

    /// Takes a duration, whole microseconds of it.
    ///
    /// # Errors
    ///
    /// It is longer than [`Delay::MAX`].
    pub fn new(duration: Duration) -> Result<Self, ConditionError> {
        u32::try_from(duration.as_micros())
            .map_err(|_| ConditionError::Delay)
            .and_then(Self::try_from)
    }

    /// The microseconds.
    pub(super) fn micros(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Delay {
    type Error = ConditionError;

    fn try_from(micros: u32) -> Result<Self, ConditionError> {
        if Self::MAX.0 < micros {
            return Err(ConditionError::Delay);
        }
        Ok(Self(micros))
    }
}

impl From<Delay> for u32 {
    fn from(delay: Delay) -> Self {
        delay.0
    }
}

/// How many bytes of frames a second a line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = u32, minimum = 1)]
pub struct Rate(NonZeroU32);

impl Rate {
    /// Takes a number of bytes a second.
    pub fn new(bytes_per_second: NonZeroU32) -> Self {
        Self(bytes_per_second)
    }

    /// How long it takes to send so many bytes.
    pub(super) fn time(self, bytes: usize) -> Duration {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / u64::from(self.0.get()))
    }
}

/// How many bytes may wait before a line that is slower than what comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u32", into = "u32")]
#[schema(maximum = 4_194_304)]
pub struct QueueSize(u32);

impl QueueSize {
    /// The largest, 4 MiB.
    pub const MAX: Self = Self(4 << 20);

    /// The bytes.
    pub(super) fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Default for QueueSize {
    /// 128 KiB, about 86 full frames, as in the modem of a home.
    fn default() -> Self {
        Self(128 << 10)
    }
}

impl TryFrom<u32> for QueueSize {
    type Error = ConditionError;

    fn try_from(bytes: u32) -> Result<Self, ConditionError> {
        if Self::MAX.0 < bytes {
            return Err(ConditionError::Queue);
        }
        Ok(Self(bytes))
    }
}

impl From<QueueSize> for u32 {
    fn from(size: QueueSize) -> Self {
        size.0
    }
}

/// Why a value is not a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// A share that is none.
    #[error("a share is a number from 0 to 1")]
    Share,
    /// A delay that is too long.
    #[error("a delay is at most 10000000 microseconds, which is 10 seconds")]
    Delay,
    /// A queue that is too large.
    #[error("a queue has at most 4194304 bytes, which is 4 MiB")]
    Queue,
}

/// Whether a host's cable is plugged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cable {
    /// It is.
    #[default]
    Up,
    /// Nothing goes through it, and what was on its way is lost.
    Down,
}

/// The conditions of one host's link. The default is a perfect one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// Whether the cable is plugged in.
    pub cable: Cable,
    /// Begins the sequences of chance anew, from this number. Without it they go on where they are.
    pub seed: Option<u32>,
    /// For what the host sends.
    pub from_host: LineConditions,
    /// For what the host is sent.
    pub to_host: LineConditions,
}

/// The conditions of one direction of a link. The default is a perfect one.
///
/// A frame meets them in this order: loss, corruption, duplication, reordering, the queue before the rate, the rate,
/// and the latency with its jitter. What kernels say to each other in their own time (ARP, neighbour discovery, group
/// membership) is never lost, corrupted, duplicated, reordered or jittered: it would not be repeatable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LineConditions {
    /// How long a frame is on its way.
    pub latency_us: Delay,
    /// By how much the latency varies: evenly between so much less and so much more, though never below zero. Frames
    /// do not overtake each other for it; that is what `reorder` is for.
    pub jitter_us: Delay,
    /// How many frames are lost.
    pub loss: Share,
    /// How many frames arrive twice.
    pub duplicate: Share,
    /// How many frames are held back until the next one of the same kind between the same hosts has overtaken them, for
    /// 150 ms at most.
    pub reorder: Share,
    /// How many frames arrive with one bit wrong, after the Ethernet header.
    pub corrupt: Share,
    /// How many bytes a second pass, counted in whole frames without preamble and checksum. Unlimited without it.
    pub rate: Option<Rate>,
    /// How many bytes may wait before the rate; what comes when it is full is dropped.
    pub queue_bytes: QueueSize,
}

impl LineConditions {
    /// Whether frames pass at once and untouched.
    pub(super) fn is_perfect(&self) -> bool {
        let timely = self.latency_us == Delay::NONE && self.jitter_us == Delay::NONE;
        timely && self.rate.is_none() && !self.leaves_to_chance()
    }

    fn leaves_to_chance(&self) -> bool {
        [self.loss, self.duplicate, self.reorder, self.corrupt]
            .iter()
            .any(|share| !share.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_have_stable_names_in_json() {
        let text = r#"{"cable":"up","seed":7,"from_host":{"latency_us":50000,"jitter_us":0,"loss":0.05,"duplicate":0.0,"reorder":0.0,"corrupt":0.0,"rate":125000,"queue_bytes":131072},"to_host":{"latency_us":0,"jitter_us":0,"loss":0.0,"duplicate":0.0,"reorder":0.0,"corrupt":0.0,"rate":null,"queue_bytes":131072}}"#;
        let conditions: Conditions = serde_json::from_str(text).unwrap();
        assert_eq!(conditions.from_host.loss, Share::new(0.05).unwrap());
        assert_eq!(serde_json::to_string(&conditions).unwrap(), text);
        let perfect: Conditions = serde_json::from_str("{}").unwrap();
        assert_eq!(perfect, Conditions::default());
        assert!(perfect.to_host.is_perfect());
        assert!(!conditions.from_host.is_perfect());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_sentence() {
        let refusal = |text| {
            serde_json::from_str::<Conditions>(text)
                .unwrap_err()
                .to_string()
        };
        assert!(refusal(r#"{"to_host":{"loss":1.01}}"#).contains("from 0 to 1"));
        assert!(refusal(r#"{"to_host":{"loss":-0.1}}"#).contains("from 0 to 1"));
        assert!(refusal(r#"{"to_host":{"latency_us":10000001}}"#).contains("10 seconds"));
        assert!(refusal(r#"{"to_host":{"rate":0}}"#).contains("nonzero"));
        assert!(refusal(r#"{"to_host":{"queue_bytes":4194305}}"#).contains("4 MiB"));
        assert!(refusal(r#"{"to_host":{"los":0.1}}"#).contains("unknown field"));
        assert!(refusal(r#"{"cable":"cut"}"#).contains("unknown variant"));
        assert_eq!(Share::new(f64::NAN), Err(ConditionError::Share));
        assert!(Delay::new(Duration::from_secs(11)).is_err());
    }

    #[test]
    fn a_share_contains_as_much_of_all_numbers_as_it_says() {
        assert!(!Share::NONE.contains(0));
        assert!(Share::ALL.contains(u32::MAX));
        let half = Share::new(0.5).unwrap();
        assert!(half.contains((1 << 31) - 1));
        assert!(!half.contains(1 << 31));
    }

    #[test]
    fn the_rate_says_how_long_bytes_take() {
        let rate = Rate::new(NonZeroU32::new(1000).unwrap());
        assert_eq!(rate.time(1500), Duration::from_millis(1500));
    }
}
