//! UDP-Lite on both networks: ports of its own, coverage, both families, and what it refuses.

use tests::{Exchange, Page, Stage, compare_on_both};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("udplite", &["server"]);
    compare_on_both(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
