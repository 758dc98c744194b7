//! From the page's address to the first output, and what is transferred for it.

use anyhow::{Result, anyhow};
use tests::{Engine, Exchange, Page, browse};
use tokio::time::{Duration, sleep};

use crate::{
    choice::Choice,
    figures::{Table, figure, median},
    meter::Meter,
    relay::Relay,
    tab::{Step, Tab, Taken},
};

/// How long a worker may take to boot in the background, so that the next process finds it ready.
const SPARE: Duration = Duration::from_secs(3);

/// A program whose first output comes at once.
const HELLO: &str = "print('here')";

/// What one browser with a fresh profile has shown. Times are in milliseconds, sizes in kB.
#[derive(Clone, Copy, Debug)]
struct Visit {
    first: Opened,
    /// Sent before Run was pressed on the first page.
    before_run: f64,
    second: Opened,
    /// From Run to the output of a process for which a worker waits.
    spare: f64,
    /// From Run to the output of a process for which a worker has to boot.
    boot: f64,
}

/// A page that was opened and run.
#[derive(Clone, Copy, Debug)]
struct Opened {
    /// Until it could be used.
    ready: f64,
    /// Until the first output, if Run all is pressed at once.
    output: f64,
    /// Sent in all.
    sent: f64,
}

/// Measures and prints.
pub(crate) fn report(choice: &Choice) -> Result<()> {
    let mut visits = Vec::new();
    for _ in 0..choice.rounds(5, 1) {
        let mut visit = Err(anyhow!("nothing was measured"));
        // Every browser has a profile of its own, in which nothing is kept yet.
        browse(Engine::Chromium, async |page| {
            visit = Box::pin(go(page)).await
        });
        visits.push(visit?);
    }
    println!("{}", table(&visits));
    Ok(())
}

async fn go(page: &Page) -> Result<Visit> {
    let relay = Relay::start()?;
    let meter = Meter::start(relay.address).await?;
    let browser = page.browser();
    let tab = Tab::new(browser, meter.address).await?;
    let exchange = Exchange::read("article_tcp", &["server", "client"]);
    let files: Vec<(String, &str)> = exchange.files().collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.trim_end_matches(".py"), *text))
        .collect();

    let ready = tab.open(&files).await?;
    let before_run = kilobytes(meter.quiet().await);
    let taken = run_all(&tab).await?;
    let first = Opened {
        ready,
        // The wait until nothing more was sent is no part of it.
        output: ready + earliest(&taken) - taken.pressed,
        sent: kilobytes(meter.quiet().await),
    };

    // A tab of its own, as after closing the first.
    let again = browser.new_window(true).await?;
    browser.close_window().await?;
    browser.switch_to_window(again.handle).await?;
    let ready = tab.open(&files).await?;
    let taken = run_all(&tab).await?;
    let second = Opened {
        ready,
        output: earliest(&taken),
        sent: kilobytes(meter.quiet().await) - first.sent,
    };

    let (spare, boot) = further(&tab).await?;
    Ok(Visit {
        first,
        before_run,
        second,
        spare,
        boot,
    })
}

/// Presses Run all and waits for the end of the exchange.
async fn run_all(tab: &Tab<'_>) -> Result<Taken> {
    let processes = &["server", "client"];
    let button = "run-all";
    let mut taken = tab.take(&[Step { button, processes }]).await?;
    end(tab, processes).await?;
    Ok(taken.remove(0))
}

/// How long one more process takes for which a worker waits, and the next one, for which none waits yet.
async fn further(tab: &Tab<'_>) -> Result<(f64, f64)> {
    let files = ["zero", "one", "two"].map(|name| (name, HELLO));
    let run = |button, processes| Step { button, processes };
    tab.open(&files).await?;
    tab.take(&[run("run-zero", &["zero"])]).await?;
    end(tab, &["zero"]).await?;
    sleep(SPARE).await;
    let steps = [run("run-one", &["one"]), run("run-two", &["two"])];
    let taken = tab.take(&steps).await?;
    end(tab, &["one", "two"]).await?;
    let [spare, boot] = [0, 1].map(|index: usize| earliest(&taken[index]) - taken[index].pressed);
    Ok((spare, boot))
}

async fn end(tab: &Tab<'_>, processes: &[&str]) -> Result<()> {
    for process in processes {
        tab.ended(process).await?;
    }
    Ok(())
}

fn earliest(taken: &Taken) -> f64 {
    taken.written.iter().copied().fold(f64::INFINITY, f64::min)
}

#[expect(clippy::cast_precision_loss, reason = "three figures of it are shown")]
fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1000.0
}

fn table(visits: &[Visit]) -> Table {
    let title = format!(
        "start in Chromium, medians of {} fresh profiles",
        visits.len()
    );
    let mut table = Table::new(&title, &["", "", "", "aim"]);
    let mut row = |name: &str, unit: &str, aim: &str, value: fn(&Visit) -> f64| {
        let values: Vec<f64> = visits.iter().map(value).collect();
        let cells = [name, &figure(median(&values)), unit, aim];
        table.row(cells.map(str::to_owned));
    };
    row("first visit: page can be used", "ms", "", |visit| {
        visit.first.ready
    });
    row(
        "first visit: first output of the article's exchange",
        "ms",
        "",
        |visit| visit.first.output,
    );
    row("second visit: page can be used", "ms", "", |visit| {
        visit.second.ready
    });
    row(
        "second visit: first output of the article's exchange",
        "ms",
        "",
        |visit| visit.second.output,
    );
    row(
        "a further process, a worker waits",
        "ms",
        "< 200",
        |visit| visit.spare,
    );
    row(
        "a further process, pressed before the next worker waits",
        "ms",
        "< 200",
        |visit| visit.boot,
    );
    row("first visit: sent before Run", "kB", "< 600", |visit| {
        visit.before_run
    });
    row("first visit: sent in all", "kB", "< 7000", |visit| {
        visit.first.sent
    });
    row("second visit: sent in all", "kB", "", |visit| {
        visit.second.sent
    });
    table.note("from the navigation to the output being in the page; Run is pressed as soon as the page can be used");
    table.note("the second visit is a new tab of the same browser and profile");
    table.note(
        "sent are all bytes from the relay, with the headers of HTTP and what goes over WebSockets",
    );
    table
}
