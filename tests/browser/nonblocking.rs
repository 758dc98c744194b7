//! Non-blocking sockets: `BlockingIOError`, `connect_ex`, and a send that finds no more room.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("nonblocking", &["server", "client"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "Listening").await;
    stage.run("client").await;
    stage.ended("server").await;
    stage.input("client", "go on").await;
}
