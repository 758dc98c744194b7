//! Datagrams between UNIX sockets, and who has sent them.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium);

async fn check(page: &Page) {
    let exchange = Exchange::read("unix_datagram", &["server", "client"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "is ready").await;
    stage.run("client").await;
}
