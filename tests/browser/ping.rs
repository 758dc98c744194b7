//! The ping and the traceroute of a networking course, where hosts are real.

use tests::{Exchange, Page, Stage, compare_on_namespaces};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("ping", &["client"]);
    compare_on_namespaces(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("client").await;
}
