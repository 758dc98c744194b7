//! Stop reaches a process that waits in `accept()`: `KeyboardInterrupt`, `finally:`, and the socket is closed.

use std::time::Duration;

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

/// The time within which the issue wants such a process to have ended.
const ENDED_WITHIN: Duration = Duration::from_millis(300);

async fn check(page: &Page) {
    let exchange = Exchange::read("stop_accept", &["server", "client"]);
    let consoles = compare(page, &exchange, play).await;
    assert_eq!(consoles[0].status, 0);
    assert_eq!(consoles[1].status, 130);

    let took = page.fastest_stop("server", "Waiting", ENDED_WITHIN).await;
    assert!(took < ENDED_WITHIN, "Stop took {took:?}");
    assert!(
        page.ended("server")
            .await
            .stdout
            .ends_with("Ctrl-C\nCleaned up\n")
    );
    page.relay()
        .until("the socket is closed", |metrics| metrics.sockets() == 0.0)
        .await;
}

async fn play(stage: &Stage<'_>) {
    for process in ["server", "client"] {
        stage.run(process).await;
        stage.until_waiting(process, "Waiting for a client").await;
        stage.stop(process).await;
    }
}
