//! The article's exchange, pasted in as a reader would.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("article_tcp", &["server", "client"]);
    let consoles = compare(page, &exchange, play).await;
    assert!(consoles[0].stdout.contains("你好，服务器"), "{consoles:#?}");

    // Once more, pasted into fresh editors, by one button.
    page.open(&Exchange::read("exit_status", &["server", "client"]))
        .await;
    for (file, text) in exchange.files() {
        page.paste(&file, text).await;
        page.until("the editor shows what was pasted", async || {
            let shown = page.text(&file).await;
            (shown.trim_end() == text.trim_end()).then_some(())
        })
        .await;
    }
    page.run_all().await;
    let client = page.ended("client").await;
    assert_eq!(client, consoles[1]);
    assert_eq!(page.ended("server").await.status, 0);
    page.relay()
        .until("every socket is closed", |metrics| metrics.sockets() == 0.0)
        .await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "listening").await;
    stage.run("client").await;
}
