//! IPv6: TCP and UDP, one listener for both families, texts, and what goes wrong.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("inet6", &["server"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
