//! When to stop.

/// Completes when the operator asks the relay to stop: SIGINT (Ctrl-C) or SIGTERM.
///
/// # Errors
///
/// The signals cannot be watched.
pub async fn requested() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
