//! A page of the product in a real browser.

mod driver;

use std::{
    env, fs, net::SocketAddr, panic::AssertUnwindSafe, path::PathBuf, thread, time::Duration,
};

use driver::Driver;
pub use driver::Engine;
use fantoccini::{Client, Locator, elements::Element};
use futures_util::FutureExt as _;
use protocol::LabId;
use relay::Options;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Console, DEADLINE, Exchange, Stage, TestRelay, wait::eventually};

/// Presses Stop and measures on the page's own clock how long it takes until the process is over.
const STOP: &str = r#"
const [process, done] = arguments;
const find = (id) => document.querySelector(`[data-testid="${id}-${process}"]`);
const isOver = () => ["exited", "stopped", "failed"].includes(find("state").dataset.state);
const begin = performance.now();
const observer = new MutationObserver(() => {
    if (isOver()) {
        observer.disconnect();
        done(performance.now() - begin);
    }
});
observer.observe(document.body, { subtree: true, childList: true, attributes: true });
find("stop").click();
"#;

/// Shows a text somewhere on the page, from where it can be copied.
const SHOW: &str = r#"
const article = document.createElement("textarea");
article.value = arguments[0];
article.dataset.testid = "article";
document.body.append(article);
"#;

/// Takes that text away.
const HIDE: &str = r#"document.querySelector('[data-testid="article"]').remove();"#;

/// The Control key (WebDriver, section 17.4.2).
const CONTROL: char = '\u{e009}';

/// Releases every key (WebDriver, section 17.4.2).
const RELEASE: char = '\u{e000}';

/// What a page shows of one process.
const LOOK: &str = r#"
const [process] = arguments;
const { state, status } = document.querySelector(`[data-testid="state-${process}"]`).dataset;
const pad = window.socketpad;
return { state, status: status ?? "", stdout: pad.stdout(process), stderr: pad.stderr(process) };
"#;

/// What a page shows of one process.
#[derive(Clone, Debug, Deserialize)]
struct Look {
    state: String,
    status: String,
    stdout: String,
    stderr: String,
}

impl Look {
    fn is_over(&self) -> bool {
        ["exited", "stopped", "failed"].contains(&self.state.as_str())
    }
}

/// A page of the product, in a browser of its own, from a relay of its own.
#[derive(Debug)]
pub struct Page {
    browser: Client,
    relay: TestRelay,
    engine: Engine,
}

/// Runs a test in a browser. When it fails, a picture of the page stays in `target/screenshots`.
///
/// # Panics
///
/// When the test fails.
pub fn browse(engine: Engine, test: impl AsyncFnOnce(&Page)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let relay = TestRelay::with(Page::options()).await;
        let (driver, browser) = Driver::start(engine).await;
        let page = Page {
            browser,
            relay,
            engine,
        };
        let result = AssertUnwindSafe(test(&page)).catch_unwind().await;
        if result.is_err() {
            page.keep_picture().await;
        }
        drop(page.browser.clone().close().await);
        drop(driver);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}

/// The built page, where `cargo xtask build` puts it unless told otherwise.
fn dist() -> PathBuf {
    match env::var_os("SOCKETPAD_DIST") {
        Some(path) => path.into(),
        None => workspace().join("dist"),
    }
}

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Page {
    /// What a relay is told that serves the page.
    pub fn options() -> Options {
        Options {
            assets: Some(dist()),
            ..Options::default()
        }
    }

    /// The relay that serves the page.
    pub fn relay(&self) -> &TestRelay {
        &self.relay
    }

    /// The browser.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The WebDriver client, for what only one test does.
    pub fn browser(&self) -> &Client {
        &self.browser
    }

    /// Opens the page with a pane for each process of the exchange, and puts their programs into the editors.
    pub async fn open(&self, exchange: &Exchange) {
        self.open_at(self.relay.address(), exchange).await;
    }

    /// The same from another relay that serves the page.
    pub async fn open_at(&self, relay: SocketAddr, exchange: &Exchange) {
        let processes = exchange.processes().join(",");
        let url = format!("http://{relay}/?processes={processes}");
        self.browser.goto(&url).await.unwrap();
        self.until("the page is ready", async || {
            let ready = "return typeof window.socketpad === 'object'";
            (self.script(ready, vec![]).await == json!(true)).then_some(())
        })
        .await;
        for (file, text) in exchange.files() {
            let script = "window.socketpad.setText(...arguments)";
            self.script(script, vec![json!(file), json!(text)]).await;
        }
    }

    /// Copies a program from elsewhere and pastes it into an editor, in place of what it holds.
    pub async fn paste(&self, file: &str, text: &str) {
        self.script(SHOW, vec![json!(text)]).await;
        let article = self.element("article").await;
        self.with_control(&article, "ac").await;
        self.script(HIDE, vec![]).await;
        let css = format!("[role=\"textbox\"][aria-label=\"{file}\"]");
        let editor = self.browser.find(Locator::Css(&css)).await.unwrap();
        editor.click().await.unwrap();
        self.with_control(&editor, "av").await;
    }

    /// Presses keys together with Control.
    async fn with_control(&self, element: &Element, keys: &str) {
        let keys = format!("{CONTROL}{keys}{RELEASE}");
        element.send_keys(&keys).await.unwrap();
    }

    /// Presses Run.
    pub async fn run(&self, process: &str) {
        self.press("run", process).await;
    }

    /// Presses Run all.
    pub async fn run_all(&self) {
        self.element("run-all").await.click().await.unwrap();
    }

    /// Presses Stop.
    pub async fn stop(&self, process: &str) {
        self.press("stop", process).await;
    }

    /// Presses Stop, waits until the process is over, and says how long that took.
    pub async fn time_to_stop(&self, process: &str) -> Duration {
        let waited = self.browser.execute_async(STOP, vec![json!(process)]);
        let milliseconds = waited.await.unwrap().as_f64().unwrap();
        Duration::from_secs_f64(milliseconds / 1000.0)
    }

    /// Runs a process until it has printed this line and stops it, three times unless it ends in time before, and says
    /// how long the fastest stop took: other tests share the machine.
    pub async fn fastest_stop(&self, process: &str, line: &str, in_time: Duration) -> Duration {
        let mut fastest = Duration::MAX;
        for _ in 0..3 {
            self.run(process).await;
            self.until_printed(process, line).await;
            fastest = fastest.min(self.time_to_stop(process).await);
            if fastest < in_time {
                break;
            }
        }
        fastest
    }

    /// Types a line.
    pub async fn input(&self, process: &str, line: &str) {
        let field = self.element(&format!("input-{process}")).await;
        // U+E007 is the Enter key (WebDriver, section 17.4.2).
        field.send_keys(&format!("{line}\u{e007}")).await.unwrap();
    }

    /// Ends the input.
    pub async fn end_input(&self, process: &str) {
        self.press("eof", process).await;
    }

    /// What a process has written to standard output so far.
    pub async fn stdout(&self, process: &str) -> String {
        self.look(process).await.stdout
    }

    /// Waits until a process has printed this.
    pub async fn until_printed(&self, process: &str, text: &str) {
        Stage::Page(self).until_printed(process, text).await;
    }

    /// Waits until this is to be read somewhere on the page.
    pub async fn until_shown(&self, text: &str) {
        self.until(&format!("the page says {text:?}"), async || {
            let body = self.script("return document.body.innerText", vec![]).await;
            body.as_str()?.contains(text).then_some(())
        })
        .await;
    }

    /// What an editor shows.
    pub async fn text(&self, file: &str) -> String {
        let text = self.script(
            "return window.socketpad.text(...arguments)",
            vec![json!(file)],
        );
        text.await
            .as_str()
            .expect("an editor of this file")
            .to_owned()
    }

    /// The lab of the page.
    pub async fn lab(&self) -> LabId {
        let id = self.script("return sessionStorage.getItem('socketpad.lab')", vec![]);
        LabId::new(id.await.as_str().expect("a lab")).unwrap()
    }

    /// What the page says a process is doing: `running`, `waiting`, `exited`, ….
    pub async fn state(&self, process: &str) -> String {
        self.look(process).await.state
    }

    /// The same in words, as a person reads it.
    pub async fn words(&self, process: &str) -> String {
        let state = self.element(&format!("state-{process}")).await;
        state.text().await.unwrap()
    }

    /// Waits until the page says that a process is doing this.
    pub async fn until_state(&self, process: &str, state: &str) {
        self.until(&format!("{process} is {state}"), async || {
            (self.look(process).await.state == state).then_some(())
        })
        .await;
    }

    /// Waits until a process has ended by itself or by Ctrl-C.
    pub async fn ended(&self, process: &str) -> Console {
        let look = self.over(process).await;
        assert_eq!(look.state, "exited", "{process}: {look:#?}");
        Console {
            process: process.to_owned(),
            stdout: look.stdout,
            stderr: look.stderr,
            status: look.status.parse().expect("an exit status"),
        }
    }

    /// Waits until a process is over, terminated ones included, and says in which state that left it.
    pub async fn outcome(&self, process: &str) -> String {
        self.over(process).await.state
    }

    /// Waits for a condition.
    pub async fn until<T>(&self, what: &str, condition: impl AsyncFnMut() -> Option<T>) -> T {
        match eventually(DEADLINE, condition).await {
            Ok(value) => value,
            Err(_) => panic!("waited in vain until {what}"),
        }
    }

    /// Runs a script in the page.
    pub async fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.browser.execute(script, arguments).await.unwrap()
    }

    async fn over(&self, process: &str) -> Look {
        let mut last = None;
        let over = eventually(DEADLINE, async || {
            let look = self.look(process).await;
            let over = look.is_over().then(|| look.clone());
            last = Some(look);
            over
        });
        match over.await {
            Ok(look) => look,
            Err(_) => panic!("{process} did not end: {last:#?}"),
        }
    }

    async fn look(&self, process: &str) -> Look {
        let look = self.script(LOOK, vec![json!(process)]).await;
        serde_json::from_value(look).unwrap()
    }

    async fn press(&self, button: &str, process: &str) {
        let button = self.element(&format!("{button}-{process}")).await;
        self.until("the button can be pressed", async || {
            let off = button.attr("aria-disabled").await.unwrap();
            (off.as_deref() != Some("true")).then_some(())
        })
        .await;
        button.click().await.unwrap();
    }

    async fn element(&self, id: &str) -> Element {
        let css = format!("[data-testid=\"{id}\"]");
        match self.browser.find(Locator::Css(&css)).await {
            Ok(element) => element,
            Err(error) => panic!("the page has no {id}: {error}"),
        }
    }

    /// Keeps a picture of the page, named after the test, which libtest makes the thread's name.
    async fn keep_picture(&self) {
        let test = thread::current()
            .name()
            .unwrap_or("test")
            .replace("::", "-");
        let directory = workspace().join("target").join("screenshots");
        if let Ok(picture) = self.browser.screenshot().await {
            drop(fs::create_dir_all(&directory));
            drop(fs::write(directory.join(format!("{test}.png")), picture));
        }
    }
}
