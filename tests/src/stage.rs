//! Where an exchange is played, so that a test tells its story once for both.

use std::{fmt, net::SocketAddr};

use relay::{NetworkKind, Options};

use crate::{
    Cards, Console, DEADLINE, Exchange, Native, Page, Rights, TestRelay, console::transcript,
    wait::eventually,
};

/// The product or the machine's own Python.
#[derive(Debug)]
pub enum Stage<'a> {
    /// A page in a browser.
    Page(&'a Page),
    /// The machine's own Python.
    Native(&'a Native),
}

impl fmt::Display for Stage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page(_) => "in the browser",
            Self::Native(_) => "natively",
        })
    }
}

impl Stage<'_> {
    /// Starts a process.
    pub async fn run(&self, process: &str) {
        match self {
            Self::Page(page) => page.run(process).await,
            Self::Native(native) => native.run(process),
        }
    }

    /// Starts a process and waits until it has printed this.
    pub async fn run_until(&self, process: &str, text: &str) {
        self.run(process).await;
        self.until_printed(process, text).await;
    }

    /// Stops a process as Ctrl-C does.
    pub async fn stop(&self, process: &str) {
        match self {
            Self::Page(page) => page.stop(process).await,
            Self::Native(native) => native.stop(process),
        }
    }

    /// Types a line.
    pub async fn input(&self, process: &str, line: &str) {
        match self {
            Self::Page(page) => page.input(process, line).await,
            Self::Native(native) => native.input(process, line).await,
        }
    }

    /// Ends the input.
    pub async fn end_input(&self, process: &str) {
        match self {
            Self::Page(page) => page.end_input(process).await,
            Self::Native(native) => native.end_input(process),
        }
    }

    /// Waits until a process has printed this.
    pub async fn until_printed(&self, process: &str, text: &str) {
        let mut stdout = String::new();
        let waited = eventually(DEADLINE, async || {
            stdout = match self {
                Self::Page(page) => page.stdout(process).await,
                Self::Native(native) => native.stdout(process),
            };
            stdout.contains(text).then_some(())
        });
        if waited.await.is_err() {
            let doing = match self {
                Self::Page(page) => page.words(process).await,
                Self::Native(_) => "over, or busy".to_owned(),
            };
            panic!("{process} did not print {text:?} {self}, but {stdout:?}: {doing}");
        }
    }

    /// Waits until a process has printed this line and then waits itself.
    pub async fn until_waiting(&self, process: &str, line: &str) {
        self.until_printed(process, &format!("{line}\n")).await;
        let waited = eventually(DEADLINE, async || {
            let waits = match self {
                Self::Page(page) => page.state(process).await == "waiting",
                Self::Native(native) => native.waits(process),
            };
            waits.then_some(())
        });
        if waited.await.is_err() {
            panic!("{process} does not wait {self} after {line:?}");
        }
    }

    /// Waits until a process has printed this line and has computed for a while since.
    pub async fn until_busy(&self, process: &str, line: &str) {
        self.until_printed(process, &format!("{line}\n")).await;
        if let Self::Native(native) = self {
            let before = native.ticks(process);
            let computes = async || (before + 2 <= native.ticks(process)).then_some(());
            if eventually(DEADLINE, computes).await.is_err() {
                panic!("{process} does not compute {self} after {line:?}");
            }
        }
    }

    /// Waits until a process has ended.
    pub async fn ended(&self, process: &str) -> Console {
        match self {
            Self::Page(page) => page.ended(process).await,
            Self::Native(native) => native.ended(process).await,
        }
    }
}

/// An exchange that is ready in the browser and natively, to be played on both as often as a test wants.
#[derive(Debug)]
pub struct Twin<'a> {
    page: &'a Page,
    native: Native,
    exchange: &'a Exchange,
}

impl<'a> Twin<'a> {
    /// Opens the page and prepares the files.
    pub async fn open(page: &'a Page, exchange: &'a Exchange) -> Self {
        Self::open_at(page, page.relay().address(), exchange).await
    }

    /// The same with programs that natively have no more rights than an ordinary user's.
    pub async fn open_ordinary(page: &'a Page, exchange: &'a Exchange) -> Self {
        let native = Native::prepare(exchange, Rights::Ordinary, Cards::Loopback).await;
        Self::join(page, page.relay().address(), exchange, native).await
    }

    /// The same at an address from where there is a way to the relay.
    pub async fn open_at(page: &'a Page, address: SocketAddr, exchange: &'a Exchange) -> Self {
        let native = Native::prepare(exchange, Rights::Root, Cards::Loopback).await;
        Self::join(page, address, exchange, native).await
    }

    /// The same with programs that natively have a card beside the loopback, as they have in a lab.
    pub async fn open_with_card(
        page: &'a Page,
        address: SocketAddr,
        exchange: &'a Exchange,
    ) -> Self {
        let native = Native::prepare(exchange, Rights::Root, Cards::Ethernet).await;
        Self::join(page, address, exchange, native).await
    }

    async fn join(
        page: &'a Page,
        address: SocketAddr,
        exchange: &'a Exchange,
        native: Native,
    ) -> Self {
        page.open_at(address, exchange).await;
        Self {
            page,
            native,
            exchange,
        }
    }

    /// Plays natively and in the browser, sees that all processes print and return the same, and returns what the
    /// browser's printed.
    ///
    /// # Panics
    ///
    /// When they differ.
    pub async fn play(&self, play: impl AsyncFn(&Stage<'_>)) -> Vec<Console> {
        let expected = perform(&Stage::Native(&self.native), self.exchange, &play).await;
        let actual = perform(&Stage::Page(self.page), self.exchange, &play).await;
        let [expected_text, actual_text] =
            [&expected, &actual].map(|consoles| transcript(consoles));
        assert!(
            expected_text == actual_text,
            "{} differs in {:?}\n---- natively\n{expected_text}\n---- in the browser\n{actual_text}",
            self.exchange.name(),
            self.page.engine(),
        );
        actual
    }
}

/// Plays an exchange once natively and in the browser, and returns what the browser's processes printed.
///
/// # Panics
///
/// When they do not print and return the same.
pub async fn compare(
    page: &Page,
    exchange: &Exchange,
    play: impl AsyncFn(&Stage<'_>),
) -> Vec<Console> {
    Twin::open(page, exchange).await.play(play).await
}

/// The same on a relay whose hosts are network namespaces.
///
/// # Panics
///
/// As that.
pub async fn compare_on_namespaces(
    page: &Page,
    exchange: &Exchange,
    play: impl AsyncFn(&Stage<'_>),
) -> Vec<Console> {
    let relay = namespaces().await;
    let twin = Twin::open_at(page, relay.address(), exchange).await;
    twin.play(play).await
}

/// The same on both networks, with programs that natively have a card beside the loopback.
///
/// # Panics
///
/// As that.
pub async fn compare_on_both(page: &Page, exchange: &Exchange, play: impl AsyncFn(&Stage<'_>)) {
    let relay = namespaces().await;
    for address in [page.relay().address(), relay.address()] {
        let twin = Twin::open_with_card(page, address, exchange).await;
        twin.play(&play).await;
    }
}

/// A relay that serves the page and whose hosts are network namespaces.
async fn namespaces() -> TestRelay {
    TestRelay::with(Options {
        network: NetworkKind::Namespaces,
        ..Page::options()
    })
    .await
}

async fn perform(
    stage: &Stage<'_>,
    exchange: &Exchange,
    play: &impl AsyncFn(&Stage<'_>),
) -> Vec<Console> {
    play(stage).await;
    let mut consoles = Vec::new();
    for process in exchange.processes() {
        consoles.push(stage.ended(process).await);
    }
    consoles
}
