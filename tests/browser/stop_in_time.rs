//! Stop ends a loop at once; and what it cannot reach is terminated soon, with all its sockets.

use std::time::Duration;

use tests::{Client, Exchange, Page};

engines!(chromium = Chromium, firefox = Firefox);

/// The time within which the issue wants a loop in Python to have ended.
const ENDED_WITHIN: Duration = Duration::from_millis(300);
/// The time within which the issue wants anything to be terminated.
const TERMINATED_WITHIN: Duration = Duration::from_secs(2);
/// The time within which the issue wants the sockets of a dead process to be closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

async fn check(page: &Page) {
    let exchange = Exchange::read("stop_busy_loop", &["server", "client"]);
    page.open(&exchange).await;
    let took = page.fastest_stop("server", "Busy", ENDED_WITHIN).await;
    assert!(took < ENDED_WITHIN, "Stop took {took:?}");

    page.run("client").await;
    page.until_printed("client", "Computing").await;
    assert_eq!(page.relay().metrics().sockets(), 1.0);
    let took = page.time_to_stop("client").await;
    assert!(took < TERMINATED_WITHIN, "termination took {took:?}");
    assert_eq!(page.outcome("client").await, "stopped");
    let took = page
        .relay()
        .until("its socket is closed", |metrics| metrics.sockets() == 0.0)
        .await;
    assert!(took < CLOSED_WITHIN, "closing took {took:?}");
    // The port is free again.
    Client::join(page.relay(), &page.lab().await)
        .await
        .listener(8888)
        .await;
}
