//! A process that cannot resume its session ends, and the page says why.

use serde_json::json;
use tests::{Exchange, Page};

engines!(chromium = Chromium, firefox = Firefox);

/// What the console says.
const SENTENCE: &str = "The connection to the relay was lost and could not be resumed";

async fn check(page: &Page) {
    let exchange = Exchange::read("stop_accept", &["server"]);
    page.open(&exchange).await;
    page.run("server").await;
    page.until_printed("server", "Waiting").await;
    // Somebody else kills the process. Its worker lives, finds the connection gone, and then the session.
    let path = format!("/api/v1/labs/{}/processes/1000", page.lab().await);
    let kill = "fetch(arguments[0], { method: 'DELETE' })";
    page.script(kill, vec![json!(path)]).await;
    assert_eq!(page.outcome("server").await, "failed");
    page.until("the page says why", async || {
        let text = page.script("return document.body.innerText", vec![]).await;
        text.as_str()?.contains(SENTENCE).then_some(())
    })
    .await;
    assert_eq!(page.relay().metrics().sockets(), 0.0);
}
