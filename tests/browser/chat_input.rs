//! A main thread that sits in `input()` while another prints what arrives.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("chat_input", &["server", "client"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "Chat is open").await;
    stage.run_until("client", "Welcome to the chat!").await;
    // Something arrives while nothing was typed.
    stage.input("server", "Anybody there?").await;
    stage.until_printed("client", "Anybody there?").await;
    stage.input("client", "Yes, 我在这里").await;
    stage
        .until_printed("client", "You said: Yes, 我在这里")
        .await;
    stage.input("client", "  spaces stay  ").await;
    stage
        .until_printed("client", "You said:   spaces stay")
        .await;
    stage.input("client", "/quit").await;
}
