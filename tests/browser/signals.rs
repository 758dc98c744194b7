//! Alarms and signals that a program sends to itself.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium);

async fn check(page: &Page) {
    let exchange = Exchange::read("signals", &["server"]);
    compare(page, &exchange, play).await;
    ends(page).await;
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}

/// An alarm that nobody handles ends the program, as a shell would tell it.
async fn ends(page: &Page) {
    page.open(&Exchange::read("alarm", &["server"])).await;
    page.run("server").await;
    let console = page.ended("server").await;
    assert_eq!(console.status, 142);
    assert_eq!(console.stdout, "waits\n");
    assert_eq!(console.stderr, "Alarm clock\n");
}
