//! Packets by hand, where hosts are real.

use relay::{NetworkKind, Options};
use tests::{Exchange, Page, Stage, TestRelay, Twin};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let relay = TestRelay::with(Options {
        network: NetworkKind::Namespaces,
        ..Page::options()
    })
    .await;
    let exchange = Exchange::read("packets", &["server"]);
    let twin = Twin::open_at(page, relay.address(), &exchange).await;
    twin.play(play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
