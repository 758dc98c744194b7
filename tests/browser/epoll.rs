//! epoll on sockets, pipes and standard input, and what is built on it: selectors and asyncio.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("epoll", &["server"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "Type a line").await;
    stage.input("server", "a line").await;
}
