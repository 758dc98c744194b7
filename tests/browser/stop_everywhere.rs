//! Stop reaches the main thread wherever it waits.

use tests::{Exchange, Page, Twin};

engines!(chromium = Chromium, firefox = Firefox);

const WAITS: [&str; 11] = [
    "recv",
    "recvfrom",
    "recv with a time-out",
    "select",
    "sleep",
    "input",
    "lock",
    "join",
    "queue",
    "makefile",
    "send",
];

async fn check(page: &Page) {
    let exchange = Exchange::read("stop_everywhere", &["server"]);
    let twin = Twin::open(page, &exchange).await;
    for wait in WAITS {
        twin.play(async |stage| {
            stage.run("server").await;
            stage.input("server", wait).await;
            stage
                .until_waiting("server", &format!("Waiting in {wait}"))
                .await;
            stage.stop("server").await;
        })
        .await;
    }
}
