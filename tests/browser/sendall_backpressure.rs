//! `sendall` of 10 MB to a reader that does not read: it waits, memory stays bounded, and every byte arrives.

use protocol::limits::{INITIAL_CREDIT, MAX_WINDOW};
use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("sendall_backpressure", &["server", "client"]);
    compare(page, &exchange, async |stage| play(page, stage).await).await;
}

async fn play(page: &Page, stage: &Stage<'_>) {
    stage.run_until("server", "Listening").await;
    stage.run_until("client", "Sending 10485760 bytes").await;
    stage.until_printed("server", "not reading yet").await;
    if let Stage::Page(_) = stage {
        page.until_state("client", "waiting").await;
        // What goes to a process that reads nothing is its credit, and not a byte more.
        let metrics = page.relay().metrics();
        assert!(
            metrics.bytes_received() <= INITIAL_CREDIT as f64,
            "{metrics:#?}"
        );
        assert!(!page.stdout("client").await.contains("Sent"));
    }
    stage.input("server", "read").await;
    if let Stage::Page(_) = stage {
        page.ended("server").await;
        let metrics = page.relay().metrics();
        assert!(10_485_760.0 <= metrics.bytes_received(), "{metrics:#?}");
        const { assert!(INITIAL_CREDIT + MAX_WINDOW < 10_485_760) };
    }
}
