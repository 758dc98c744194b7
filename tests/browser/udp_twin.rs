//! UDP both ways: boundaries, truncation, the largest and the empty datagram, a connected socket.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("udp_twin", &["server", "client"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "is ready").await;
    stage.run("client").await;
}
