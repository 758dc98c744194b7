//! Two visitors bind the same port at once and never meet.

use tests::{Exchange, Page};

engines!(chromium = Chromium);

async fn check(page: &Page) {
    let exchange = Exchange::read("article_tcp", &["server", "client"]);
    let first = page.browser().window().await.unwrap();
    page.open(&exchange).await;
    page.run("server").await;
    page.until_printed("server", "listening").await;

    let second = page.browser().new_window(true).await.unwrap().handle;
    page.browser()
        .switch_to_window(second.clone())
        .await
        .unwrap();
    page.open(&exchange).await;
    page.run("server").await;
    page.until_printed("server", "listening").await;
    assert_eq!(page.relay().metrics().labs(), 2.0);
    assert_eq!(page.relay().metrics().sockets(), 2.0);

    page.run("client").await;
    assert_eq!(page.ended("client").await.status, 0);
    assert_eq!(page.ended("server").await.status, 0);

    page.browser().switch_to_window(first).await.unwrap();
    assert_eq!(page.state("server").await, "waiting");
    assert!(!page.stdout("server").await.contains("Connection"));
    page.run("client").await;
    assert_eq!(page.ended("client").await.status, 0);
    assert_eq!(page.ended("server").await.status, 0);
}
