//! `cargo xtask bench`: how fast the product is, beside what it could be at best on this machine.
//!
//! It is a report, not a test: nothing fails because a figure is bad. All ways that are compared take turns within each
//! round, so that whatever else the machine does meanwhile hits all alike, and of the rounds the median counts.
//!
//! # Layout
//!
//! - [`choice`]: what the command line asks for.
//! - [`exchange`]: the parts `echo` and `bulk`: one message to and fro, and many one way.
//! - [`neighbour`], [`opening`], [`stall`], [`exact`], [`memory`], [`labs`], [`switch`], [`start`], [`peers`]: the other parts.
//! - [`load`]: the near and the far end of an exchange, over any [`pipe`].
//! - [`native`]: the ends that are no browser, and what stands between them.
//! - [`session`]: a process that is no browser, as lean as can be, over a [`websocket`].
//! - [`role`], [`proxy`], [`bare`], [`python`]: what is compared with.
//! - [`tab`]: the product in a browser.
//! - [`relay`]: the product's own program.
//! - `tests::program`, `tests::figures`: other programs that take part; medians and tables.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints a report"
)]

mod bare;
mod choice;
mod exact;
mod exchange;
mod labs;
mod load;
mod memory;
mod meter;
mod native;
mod neighbour;
mod opening;
mod peers;
mod pipe;
mod proxy;
mod python;
mod relay;
mod role;
mod session;
mod stall;
mod start;
mod switch;
mod tab;
mod websocket;

use std::{env, fs, process::ExitCode, thread::available_parallelism};

use anyhow::Result;
use tests::{figures, program};

use crate::choice::{Choice, Part};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match role::of(&arguments) {
        Some(role) => role.play(),
        None => report(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures one part and prints what was found.
type Report = fn(&Choice) -> Result<()>;

fn report(arguments: &[String]) -> Result<()> {
    let choice = Choice::read(arguments)?;
    println!("{}", surroundings()?);
    if choice.has(Part::Echo) || choice.has(Part::Bulk) {
        exchange::report(&choice)?;
    }
    let parts: [(Part, Report); 9] = [
        (Part::Neighbour, neighbour::report),
        (Part::Opening, opening::report),
        (Part::Stall, stall::report),
        (Part::Exact, exact::report),
        (Part::Memory, memory::report),
        (Part::Labs, labs::report),
        (Part::Switch, switch::report),
        (Part::Start, start::report),
        (Part::Peers, peers::report),
    ];
    for (part, report) in parts {
        if choice.has(part) {
            report(&choice)?;
        }
    }
    Ok(())
}

/// What the figures depend on beside the product.
fn surroundings() -> Result<String> {
    let cores = available_parallelism()?;
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("processor unknown", |(_, model)| model);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    let profile = if cfg!(debug_assertions) {
        "debug: THE FIGURES MEAN NOTHING"
    } else {
        "release"
    };
    Ok(format!(
        "{cores} cores ({model}), Linux {}, load {load} before the start\n\
         relay: {} (profile release; the portable network where nothing else is said)\n\
         ends and proxies in Rust: profile {profile}; page: profile wasm-release, as built into the relay\n\
         native Python: {}\n",
        kernel.trim(),
        relay::path().display(),
        python::version()?,
    ))
}
