//! Waiting for a condition of the outside world, with an end.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

/// How long anything may take before a test gives up. It is far more than anything takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(180);

/// How often a condition is looked at.
const EVERY: Duration = Duration::from_millis(10);

/// Looks again and again until the condition gives a value, and gives up after the deadline.
///
/// # Errors
///
/// How long was waited in vain.
pub async fn eventually<T>(
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> Result<T, Duration> {
    let begin = Instant::now();
    let mut looks = interval(EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if let Some(value) = condition().await {
            return Ok(value);
        }
        if deadline < begin.elapsed() {
            return Err(begin.elapsed());
        }
    }
}
