//! `cargo xtask soak`: many labs that echo for a while, against the release binary.
//!
//! Every byte is compared, and the relay's memory, descriptors and counts are looked at meanwhile. It fails if anything
//! was lost, if anything grew, or if anything is left when everybody has gone.
//!
//! # Layout
//!
//! - [`plan`]: what the command line asks for.
//! - [`pair`]: two processes, one of which says everything again.
//! - [`sample`]: what the relay holds at a time.
//! - [`verdict`]: whether that is as it should be.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints a report"
)]

mod pair;
mod plan;
mod sample;
mod verdict;

use std::{env, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use protocol::LabId;
use tests::figures::Table;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    pair::{Pair, Tally},
    plan::Plan,
    sample::{Relay, Sample},
};

/// How many times the relay is looked at.
const LOOKS: u32 = 20;

/// How long everything may take to be gone after everybody has left.
const LEAVING: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match Plan::read(&arguments).and_then(|plan| run(&plan)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(plan: &Plan) -> Result<()> {
    let relay = Relay::start(plan)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(soak(plan, &relay))
}

async fn soak(plan: &Plan, relay: &Relay) -> Result<()> {
    let start = relay.look().await?;
    let end = Instant::now() + plan.time;
    let mut pairs = JoinSet::new();
    for lab in 0..plan.labs {
        for number in 0..plan.pairs {
            let pair = Pair {
                relay: relay.address,
                lab: LabId::new(format!("soaklab{lab:019}"))?,
                number,
                end,
            };
            pairs.spawn(pair.echo());
        }
    }
    let mut samples = Vec::new();
    for look in 1..=LOOKS {
        sleep_until(end - plan.time * (LOOKS - look) / LOOKS).await;
        samples.push(relay.look().await?);
    }
    // Everybody has just been told to stop, and the last look was at those who had not yet.
    let mut tally = Tally::default();
    let mut faults = Vec::new();
    while let Some(pair) = pairs.join_next().await {
        match pair {
            Ok(found) => tally += found,
            Err(error) => faults.push(format!("a pair of processes broke off: {error}")),
        }
    }
    let left = relay.look_until(LEAVING, Sample::is_empty).await?;
    println!("{}", table(plan, &start, &samples, &left));
    println!("{tally}");
    faults.extend(verdict::of(plan, &start, &samples, &left));
    if tally.messages == 0 {
        faults.push("nothing was echoed".to_owned());
    }
    if faults.is_empty() {
        println!("nothing was lost, nothing grew, and nothing is left");
        return Ok(());
    }
    faults.truncate(20);
    bail!("{}", faults.join("\n"));
}

fn table(plan: &Plan, start: &Sample, samples: &[Sample], left: &Sample) -> Table {
    let title = format!(
        "{} labs with {} processes each for {:?}",
        plan.labs,
        2 * plan.pairs,
        plan.time
    );
    let heads = [
        "",
        "PSS MB",
        "descriptors",
        "namespaces",
        "labs",
        "hosts",
        "processes",
        "sockets",
        "GB carried",
    ];
    let mut table = Table::new(&title, &heads);
    table.row(start.row("before"));
    for (sample, look) in samples.iter().zip(1..) {
        let time = plan.time * look / LOOKS;
        table.row(sample.row(&format!("{:.0} s", time.as_secs_f64())));
    }
    table.row(left.row("everybody gone"));
    table
}

/// The release binary.
fn binary() -> Result<String> {
    env::var("SOCKETPAD_BINARY").context("SOCKETPAD_BINARY names no binary")
}
