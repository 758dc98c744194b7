//! The servers of the standard library on UNIX sockets.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium);

async fn check(page: &Page) {
    let exchange = Exchange::read("unix_servers", &["server"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
