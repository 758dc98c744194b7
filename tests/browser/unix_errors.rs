//! What goes wrong with UNIX sockets, with the class, number and text of Linux.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium);

async fn check(page: &Page) {
    let exchange = Exchange::read("unix_errors", &["server"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
