//! Two processes that meet at a path, and what stays of it.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("unix_stream", &["server", "client"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "is ready").await;
    stage.run("client").await;
}
