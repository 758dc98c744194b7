//! Ports that the system chooses, and what both sides say of their addresses.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("ephemeral_ports", &["server", "client"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "Listening").await;
    stage.run("client").await;
}
