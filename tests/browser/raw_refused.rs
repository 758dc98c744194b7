//! Raw sockets on the portable network, where a program is told what an ordinary user is told.

use tests::{Exchange, Page, Stage, Twin};

engines!(chromium = Chromium);

async fn check(page: &Page) {
    let exchange = Exchange::read("raw_refused", &["server"]);
    let twin = Twin::open_ordinary(page, &exchange).await;
    twin.play(play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
