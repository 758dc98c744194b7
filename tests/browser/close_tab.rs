//! Closing the tab closes every socket of its processes.

use std::time::Duration;

use tests::{Client, Exchange, Page};

engines!(chromium = Chromium, firefox = Firefox);

/// The time within which the issue wants the sockets to be closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

async fn check(page: &Page) {
    let exchange = Exchange::read("stop_accept", &["server", "client"]);
    page.open(&exchange).await;
    for process in ["server", "client"] {
        page.run(process).await;
        page.until_printed(process, "Waiting").await;
    }
    assert_eq!(page.relay().metrics().sockets(), 2.0);
    let lab = page.lab().await;

    let tab = page.browser().window().await.unwrap();
    let other = page.browser().new_window(true).await.unwrap();
    page.browser().switch_to_window(tab).await.unwrap();
    page.browser().close_window().await.unwrap();
    let took = page
        .relay()
        .until("every socket is closed", |metrics| metrics.sockets() == 0.0)
        .await;
    assert!(took < CLOSED_WITHIN, "closing took {took:?}");
    page.relay().until_empty().await;
    page.browser().switch_to_window(other.handle).await.unwrap();
    // The port is free again.
    Client::join(page.relay(), &lab).await.listener(8888).await;
}
