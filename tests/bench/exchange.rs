//! One message to and fro, and many bytes one way: natively, through a proxy, through the relay, in the browser.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, anyhow};
use fantoccini::wd::WindowHandle;
use protocol::SocketId;
use tests::{Engine, Page, browse};

use crate::{
    bare::Bare,
    choice::{Browsers, Choice, Part},
    figures::speed,
    load::{Sample, Workload, measure},
    pipe::Plain,
    program::Program,
    python,
    relay::Relay,
    role::{Role, start_peer},
    session::{Line, Session},
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
    /// The processor time of whatever stands between the ends, in seconds.
    between: f64,
    /// How much went over it, both directions together, in GB.
    gigabytes: f64,
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
    let rounds = choice.amount(9, 2);
    if choice.has(Part::Echo) {
        let work = |_| Workload {
            echoes: choice.amount(2000, 300),
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
    relay: Relay,
    proxy: Program,
    peer: SocketAddr,
    once: SocketAddr,
    twice: SocketAddr,
    /// A process, its listener, and the port that it shares with a native program: nothing else outside can be reached.
    near: (Session, SocketId, u16),
    /// A process, and the port of another one of its lab.
    pair: (Session, u16),
    browser: Option<Windows<'a>>,
    _far: [Program; 3],
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
        let relay = Relay::start()?;
        let (far, peer) = start_peer(Ipv4Addr::LOCALHOST, 0)?;
        let peer = SocketAddr::from(peer);
        let (proxy, addresses) = Role::Proxy(peer).start()?;
        let (once, twice) = addresses.split_once(' ').context("two addresses")?;

        let mut near = Session::open(relay.address, &Relay::lab(1)?)?;
        let (listener, port) = near.shared_listener()?;
        let (other_far, _) = start_peer(relay.real_address(port)?, port)?;

        let lab = Relay::lab(2)?;
        let (process, line) = Role::Process(relay.address, lab.clone()).start()?;
        let pair = (Session::open(relay.address, &lab)?, line.parse()?);

        let browser = match page {
            Some(page) => Some(Windows::open(page).await?),
            None => None,
        };
        Ok(Self {
            relay,
            proxy,
            peer,
            once: once.parse()?,
            twice: twice.parse()?,
            near: (near, listener, port),
            pair,
            browser,
            _far: [far, other_far, process],
        })
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
                between: 0.0,
                gigabytes: 0.0,
            })
            .collect();
        let count = courses.len();
        for round in 0..rounds {
            for index in 0..count {
                let course = &mut courses[(round + index) % count];
                let before = self.between(course.way)?;
                let work = work(course.way);
                let sample = Box::pin(self.go(course.way, work)).await;
                let sample = sample.with_context(|| format!("{:?}", course.way))?;
                course.between += self.between(course.way)? - before;
                course.gigabytes += speed(2 * work.bytes, 1.0) / 1000.0;
                course.samples.push(sample);
            }
        }
        // Each way's rounds in the same order, so that ratios are of figures of one round.
        Ok(courses)
    }

    /// The processor time so far of what stands between the ends.
    fn between(&self, way: Way) -> Result<f64> {
        match way {
            Way::Proxy | Way::Proxies => self.proxy.processor_time(),
            Way::Relay | Way::Relays | Way::Page => self.relay.program.processor_time(),
            Way::Python | Way::Direct | Way::Bare => Ok(0.0),
        }
    }

    async fn go(&mut self, way: Way, work: Workload) -> Result<Sample> {
        match way {
            Way::Python => python::measure(work),
            Way::Direct => measure(&mut Plain::connect(self.peer)?, work),
            Way::Proxy => measure(&mut Plain::connect(self.once)?, work),
            Way::Proxies => measure(&mut Plain::connect(self.twice)?, work),
            Way::Relay => {
                let (session, listener, port) = &mut self.near;
                let socket = session.connect_outside(*listener, *port)?;
                over(session, socket, work)
            }
            Way::Relays => {
                let (session, port) = &mut self.pair;
                let socket = session.connect(*port)?;
                over(session, socket, work)
            }
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
        measure(windows, self.relay.address).await
    }
}

/// Measures over a new connection of a process.
fn over(session: &mut Session, socket: SocketId, work: Workload) -> Result<Sample> {
    let mut line = Line::new(session, socket);
    let sample = measure(&mut line, work)?;
    line.close()?;
    Ok(sample)
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
