//! Standard input: a prompt, lines, and its end.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let exchange = Exchange::read("end_of_input", &["server"]);
    compare(page, &exchange, play).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run_until("server", "Name? ").await;
    stage.input("server", "小明").await;
    stage.until_printed("server", "Hello, 小明").await;
    stage.input("server", "one").await;
    stage.input("server", "two").await;
    stage.until_printed("server", "Line: two").await;
    stage.end_input("server").await;
}
