//! What cannot be done says so at the call: descriptors to another process.

use tests::{Exchange, Page};

engines!(chromium = Chromium);

/// What the program prints: Linux could do it, so there is nothing to compare with.
const PRINTED: &str = "\
[Errno 95] Descriptors cannot be sent: every process is a browser worker with files of its own
[Errno 95] Descriptors cannot be sent: every process is a browser worker with files of its own
5 (b'plain', [], 0, None)
";

async fn check(page: &Page) {
    page.open(&Exchange::read("send_fds", &["server"])).await;
    page.run("server").await;
    let console = page.ended("server").await;
    assert_eq!(console.stdout, PRINTED);
    assert_eq!((console.stderr.as_str(), console.status), ("", 0));
}
