//! Flags of recv and send, buffers, resets, and connects under way.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium);

async fn check(page: &Page) {
    let exchange = Exchange::read("flags", &["server"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
