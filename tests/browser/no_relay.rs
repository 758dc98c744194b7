//! Run while there is no relay: the page says so, and runs the process once there is one.

use tests::{Exchange, MortalRelay, Page};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let mut relay = MortalRelay::start(Page::options());
    let exchange = Exchange::read("article_tcp", &["server", "client"]);
    page.open_at(relay.address(), &exchange).await;
    relay.kill();
    page.run("server").await;
    assert_eq!(page.outcome("server").await, "failed");
    page.until_shown("The relay could not be reached").await;

    // The page needs no reload.
    relay.rise();
    page.run("server").await;
    page.until_printed("server", "listening").await;
    page.run("client").await;
    assert_eq!(page.ended("client").await.status, 0);
    assert_eq!(page.ended("server").await.status, 0);
}
