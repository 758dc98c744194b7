//! Stop reaches a loop that never waits.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("stop_busy_loop", &["server"]);
    let consoles = compare(page, &exchange, async |stage: &Stage<'_>| {
        stage.run("server").await;
        stage.until_busy("server", "Busy").await;
        stage.stop("server").await;
    })
    .await;
    assert_eq!(consoles[0].status, 130);
}
