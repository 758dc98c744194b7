//! A program that is not valid Python.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium);

async fn check(page: &Page) {
    let exchange = Exchange::of(
        "syntax_error",
        "server",
        "import socket\n\nprint('never'\nx = 1\n",
    );
    let consoles = compare(page, &exchange, play).await;
    assert!(
        consoles[0]
            .stderr
            .contains("SyntaxError: '(' was never closed")
    );
    assert!(consoles[0].stderr.contains("line 3"));
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
}
