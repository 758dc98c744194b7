//! One message to and fro, and many bytes one way: natively, through a proxy, through the relay, in the browser.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, anyhow};
use fantoccini::wd::WindowHandle;
use tests::{Engine, Page, browse};

use crate::{
    bare::Bare,
    choice::{Browsers, Choice, Part},
    load::{Sample, Workload},
    native::Native,
    python,
    tab::Tab,
};

mod tables;

/// A way from one end to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Two native Python programs.
    Python,
    /// Two native programs in Rust.
    Direct,
    /// The same with a proxy between them.
    Proxy,
    /// A process on the relay and a native program.
    Relay,
    /// Two native programs with two proxies between them.
    Proxies,
    /// Two processes on the relay.
    Relays,
    /// A worker in the browser and a native program.
    Bare,
    /// Two Python programs in the browser.
    Page,
}

const NATIVE: [Way; 6] = [
    Way::Python,
    Way::Direct,
    Way::Proxy,
    Way::Relay,
    Way::Proxies,
    Way::Relays,
];

/// What was found on one way in all rounds.
#[derive(Debug)]
struct Course {
    way: Way,
    samples: Vec<Sample>,
}

/// Measures and prints what is wanted of `echo` and `bulk`.
pub(crate) fn report(choice: &Choice) -> Result<()> {
    let mut result = Err(anyhow!("nothing was measured"));
    match choice.browsers {
        Browsers::Included => browse(Engine::Chromium, async |page| {
            result = run(choice, Some(page)).await;
        }),
        Browsers::Excluded => {
            let runtime = tokio::runtime::Runtime::new()?;
            result = runtime.block_on(run(choice, None));
        }
    }
    result
}

async fn run(choice: &Choice, page: Option<&Page>) -> Result<()> {
    let mut stand = Stand::build(page).await?;
    let rounds = choice.rounds(9, 2);
    if choice.has(Part::Echo) {
        let work = |_| Workload {
            echoes: choice.amount(5000, 300),
            bytes: 0,
        };
        println!("{}", tables::echo(&stand.rounds(rounds, work).await?));
    }
    if choice.has(Part::Bulk) {
        const MIB: u64 = 1024 * 1024;
        let work = |way| Workload {
            echoes: 0,
            bytes: match way {
                Way::Bare | Way::Page => choice.amount(64, 8) * MIB,
                _ => choice.amount(256, 32) * MIB,
            },
        };
        println!("{}", tables::bulk(&stand.rounds(rounds, work).await?));
    }
    Ok(())
}

/// All ends, and what stands between them.
#[derive(Debug)]
struct Stand<'a> {
    native: Native,
    browser: Option<Windows<'a>>,
}

/// The browser's two tabs.
#[derive(Debug)]
struct Windows<'a> {
    page: &'a Page,
    bare: Bare,
    product_tab: WindowHandle,
    bare_tab: WindowHandle,
}

impl<'a> Stand<'a> {
    async fn build(page: Option<&'a Page>) -> Result<Self> {
        let native = Native::build()?;
        let browser = match page {
            Some(page) => Some(Windows::open(page).await?),
            None => None,
        };
        Ok(Self { native, browser })
    }

    /// Goes all ways once in each round, beginning with another one each time.
    async fn rounds(
        &mut self,
        rounds: usize,
        work: impl Fn(Way) -> Workload,
    ) -> Result<Vec<Course>> {
        let ways = NATIVE.into_iter();
        let in_browser = self.browser.iter().flat_map(|_| [Way::Bare, Way::Page]);
        let mut courses: Vec<Course> = ways
            .chain(in_browser)
            .map(|way| Course {
                way,
                samples: Vec::new(),
            })
            .collect();
        let count = courses.len();
        for round in 0..rounds {
            for index in 0..count {
                let course = &mut courses[(round + index) % count];
                let work = work(course.way);
                let sample = Box::pin(self.go(course.way, work)).await;
                let sample = sample.with_context(|| format!("{:?}", course.way))?;
                course.samples.push(sample);
            }
        }
        // Each way's rounds in the same order, so that ratios are of figures of one round.
        Ok(courses)
    }

    async fn go(&mut self, way: Way, work: Workload) -> Result<Sample> {
        match way {
            Way::Python => python::measure(work),
            Way::Direct => self.native.direct(work),
            Way::Proxy => self.native.proxy(work),
            Way::Proxies => self.native.proxies(work),
            Way::Relay => self.native.relay(work),
            Way::Relays => self.native.relays(work),
            Way::Bare => {
                self.in_tab(async |windows, _| windows.bare(work).await)
                    .await
            }
            Way::Page => {
                self.in_tab(async |windows, relay| windows.product(relay, work).await)
                    .await
            }
        }
    }

    async fn in_tab(
        &self,
        measure: impl AsyncFnOnce(&Windows<'a>, SocketAddr) -> Result<Sample>,
    ) -> Result<Sample> {
        let windows = self.browser.as_ref().context("there is no browser")?;
        measure(windows, self.native.relay.address).await
    }
}

impl<'a> Windows<'a> {
    async fn open(page: &'a Page) -> Result<Self> {
        let browser = page.browser();
        let product_tab = browser.window().await?;
        let bare_tab = browser.new_window(true).await?.handle;
        Ok(Self {
            page,
            bare: Bare::start().await?,
            product_tab,
            bare_tab,
        })
    }

    async fn bare(&self, work: Workload) -> Result<Sample> {
        let browser = self.page.browser();
        browser.switch_to_window(self.bare_tab.clone()).await?;
        self.bare.measure(browser, work).await
    }

    async fn product(&self, relay: SocketAddr, work: Workload) -> Result<Sample> {
        let browser = self.page.browser();
        browser.switch_to_window(self.product_tab.clone()).await?;
        let tab = Tab::new(browser, relay).await?;
        let sample = tab.measure(work).await?;
        // Nothing of the page runs while the others have their turn.
        browser.goto("about:blank").await?;
        Ok(sample)
    }
}
