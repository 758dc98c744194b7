//! Socket options: what is read, what is set, and what is refused.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium);

async fn check(page: &Page) {
    let exchange = Exchange::read("options", &["server"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
