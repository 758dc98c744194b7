//! When to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Watches from now on for the operator asking the relay to stop: SIGINT (Ctrl-C) or SIGTERM. The future completes then.
///
/// # Errors
///
/// The signals cannot be watched.
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
