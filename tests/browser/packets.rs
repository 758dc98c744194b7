//! Packets by hand, where hosts are real.

use tests::{Exchange, Page, Stage, compare_on_namespaces};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("packets", &["server"]);
    compare_on_namespaces(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
