//! Time-outs of accept, recv and recvfrom.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("timeouts", &["server", "client"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "Listening").await;
    stage.run("client").await;
}
