//! Paths of UNIX sockets among files: in directories, when renamed, and when all is taken away.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("unix_paths", &["server"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
