//! `sys.exit`: the status, the sentence, what runs at exit, and threads that are waited for.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium);

async fn check(page: &Page) {
    let exchange = Exchange::read("exit_status", &["server", "client"]);
    let consoles = compare(page, &exchange, play).await;
    assert_eq!(consoles[0].status, 3);
    assert_eq!(consoles[1].status, 1);
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
    stage.run("client").await;
}
