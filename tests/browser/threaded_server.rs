//! A thread for every client, three clients at once.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let processes = ["server", "client", "client2", "client3"];
    let exchange = Exchange::read("threaded_server", &processes);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "Waiting for").await;
    for client in ["client", "client2", "client3"] {
        stage.run(client).await;
    }
}
