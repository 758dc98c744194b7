//! Closing the tab closes every socket even of a process that computes, though its WebSocket may end without a close.

use std::time::Duration;

use tests::{Exchange, Page};

engines!(chromium = Chromium, firefox = Firefox);

/// The time within which the issue wants the sockets to be closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

async fn check(page: &Page) {
    let exchange = Exchange::read("stop_busy_loop", &["server", "client"]);
    page.open(&exchange).await;
    page.run("client").await;
    page.until_printed("client", "Computing").await;
    assert_eq!(page.relay().metrics().sockets(), 1.0);
    let tab = page.browser().window().await.unwrap();
    let other = page.browser().new_window(true).await.unwrap();
    page.browser().switch_to_window(tab).await.unwrap();
    page.browser().close_window().await.unwrap();
    let took = page
        .relay()
        .until("every socket is closed", |metrics| metrics.sockets() == 0.0)
        .await;
    assert!(took < CLOSED_WITHIN, "closing took {took:?}");
    page.browser().switch_to_window(other.handle).await.unwrap();
}
