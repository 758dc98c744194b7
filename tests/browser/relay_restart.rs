//! The relay is killed and started again: the page says what has become of its processes, and they run again.

use tests::{Exchange, MortalRelay, Page};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let mut relay = MortalRelay::start(Page::options());
    let exchange = Exchange::read("article_tcp", &["server", "client"]);
    page.open_at(relay.address(), &exchange).await;
    page.run("server").await;
    page.until_printed("server", "listening").await;

    relay.kill();
    relay.rise();
    assert_eq!(page.outcome("server").await, "failed");
    page.until_shown("the relay").await;

    // The page needs no reload.
    page.run("server").await;
    page.until_printed("server", "listening").await;
    page.run("client").await;
    assert_eq!(page.ended("client").await.status, 0);
    assert_eq!(page.ended("server").await.status, 0);
}
