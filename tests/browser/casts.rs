//! Discovery by broadcast and by multicast, on both networks.

use tests::{Exchange, Page, Stage, compare_on_both};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("casts", &["server", "server2", "client"]);
    compare_on_both(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    for server in ["server", "server2"] {
        stage.run_until(server, "is listening").await;
    }
    stage.run("client").await;
}
