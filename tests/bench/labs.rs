//! How fast labs and hosts come, and what many of them need at once.

use std::{fs, time::Instant};

use anyhow::{Context as _, Result, ensure};
use protocol::LabId;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::{
    Metrics,
    figures::{Table, figure, median, quantile},
};

use crate::{
    choice::Choice,
    relay::{Network, Relay},
    session::Session,
};

/// What a process waits for until it is welcome.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// A lab and its first host.
    Lab,
    /// Another host of the lab.
    Host,
    /// Only its own place.
    Place,
}

const WAITS: [Wait; 3] = [Wait::Lab, Wait::Host, Wait::Place];
const NETWORKS: [Network; 2] = [Network::Portable, Network::Namespaces];

/// Measures and prints.
pub(crate) fn report(choice: &Choice) -> Result<()> {
    opening(choice)?;
    crowd(choice)
}

/// One at a time, from before the TCP connection until the welcome has come.
fn opening(choice: &Choice) -> Result<()> {
    let rounds = choice.rounds(9, 2);
    let labs = choice.amount(50, 5);
    let mut relays = Vec::new();
    for network in NETWORKS {
        relays.push((network, Relay::start_with(network)?, 0));
    }
    let mut found = NETWORKS.map(|_| WAITS.map(|_| Vec::new()));
    for _ in 0..rounds {
        for ((_, relay, number), found) in relays.iter_mut().zip(&mut found) {
            let mut times = WAITS.map(|_| Vec::new());
            for _ in 0..labs {
                *number += 1;
                let lab = Relay::lab(*number)?;
                let mut sessions = Vec::new();
                for (wait, times) in WAITS.iter().zip(&mut times) {
                    let (time, session) = open(relay, &lab, *wait)?;
                    times.push(time);
                    sessions.push(session);
                }
            }
            for (found, times) in found.iter_mut().zip(&times) {
                found.push([0.5, 0.99].map(|part| quantile(times, part)));
            }
        }
    }
    let title = format!(
        "from opening a WebSocket to the welcome, medians of {rounds} rounds of {labs} labs"
    );
    let mut table = Table::new(&title, &["", "p50 ms", "p99 ms", "aim"]);
    for ((network, ..), found) in relays.iter().zip(&found) {
        for (wait, rounds) in WAITS.iter().zip(found) {
            let (what, aim) = match wait {
                Wait::Lab => ("the first process of a lab", "≤ 20"),
                Wait::Host => ("the first process of its second host", "≤ 20"),
                Wait::Place => ("a second process of that host", ""),
            };
            let [p50, p99] = [0, 1].map(|index: usize| {
                let values: Vec<f64> = rounds.iter().filter_map(|round| round[index]).collect();
                figure(median(&values))
            });
            let name = format!("{}: {what}", network.name());
            table.row([name, p50, p99, aim.to_owned()]);
        }
    }
    table.note("each lab goes with its last process, while the next one comes");
    println!("{table}");
    Ok(())
}

/// Opens a process. Also says how long that took, in milliseconds.
fn open(relay: &Relay, lab: &LabId, wait: Wait) -> Result<(f64, Session)> {
    let host = match wait {
        Wait::Lab => "desk",
        Wait::Host | Wait::Place => "bob",
    };
    let begin = Instant::now();
    let session = Session::open_on(relay.address, lab, host)?;
    Ok((1e3 * begin.elapsed().as_secs_f64(), session))
}

/// What a relay needs at one time.
#[derive(Clone, Copy, Debug)]
struct Need {
    memory: u64,
    kernel: u64,
    descriptors: usize,
    threads: usize,
}

impl Need {
    fn of(relay: &Relay) -> Result<Self> {
        Ok(Self {
            memory: relay.program.memory()?,
            kernel: kernel_memory()?,
            descriptors: relay.program.descriptors()?,
            threads: relay.program.threads()?,
        })
    }
}

/// Many labs at once, all of them with two hosts, of which one has a connection to the other.
fn crowd(choice: &Choice) -> Result<()> {
    let labs: u32 = choice.amount(500, 20);
    raise_descriptor_limit()?;
    let relay = Relay::start_with(Network::Namespaces)?;
    // What the first one makes the relay set up once is no part of it.
    drop(Session::open(relay.address, &Relay::lab(0)?)?);
    let start = Need::of(&relay)?;
    let mut times = Vec::new();
    let mut pairs = Vec::new();
    let begin = Instant::now();
    for number in 1..=labs {
        let lab = Relay::lab(number)?;
        let (first, desk) = open(&relay, &lab, Wait::Lab)?;
        let (second, bob) = open(&relay, &lab, Wait::Host)?;
        times.extend([first, second]);
        pairs.push((desk, bob));
    }
    let opened = begin.elapsed().as_secs_f64();
    let idle = Need::of(&relay)?;
    let mut connections = Vec::new();
    for (desk, bob) in &mut pairs {
        let (listener, port) = bob.public_listener()?;
        connections.push(desk.connect_to(bob.ip()?, port)?);
        bob.accept(listener)?;
        bob.rest()?;
        desk.rest()?;
    }
    let alive = Metrics::ask(relay.address)?;
    let expected = f64::from(2 * labs);
    ensure!(
        expected <= alive.hosts(),
        "{} of {expected} hosts are alive",
        alive.hosts()
    );
    let busy = Need::of(&relay)?;
    let title = format!("{labs} labs with two hosts each at once (namespaces)");
    let mut table = Table::new(
        &title,
        &[
            "",
            "MB",
            "KiB a lab",
            "kernel KiB a lab",
            "descriptors",
            "threads",
        ],
    );
    for (name, need) in [
        ("at the start", start),
        ("with every host there", idle),
        ("with a connection between the hosts of each lab", busy),
    ] {
        let grown = |now: u64, then: u64| {
            let bytes = now.saturating_sub(then);
            (bytes > 0).then(|| kibibytes(bytes) / f64::from(labs))
        };
        table.row([
            name.to_owned(),
            figure(Some(kibibytes(need.memory) * 1024.0 / 1e6)),
            figure(grown(need.memory, start.memory)),
            figure(grown(need.kernel, start.kernel)),
            need.descriptors.to_string(),
            need.threads.to_string(),
        ]);
    }
    let [p50, p99] = [0.5, 0.99].map(|part| figure(quantile(&times, part)));
    table.note(&format!(
        "opened one after another in {opened:.1} s: p50 {p50} ms, p99 {p99} ms to the welcome of each process"
    ));
    table.note("the kernel's share is the growth of SUnreclaim, Percpu, KernelStack and VmallocUsed of the whole machine");
    println!("{table}");
    Ok(())
}

/// What the kernel holds and cannot give back, in bytes (proc_meminfo(5)).
fn kernel_memory() -> Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let mut sum = 0;
    for name in ["SUnreclaim:", "Percpu:", "KernelStack:", "VmallocUsed:"] {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        sum += 1024 * number.with_context(|| name)?.parse::<u64>()?;
    }
    Ok(sum)
}

#[expect(clippy::cast_precision_loss, reason = "three figures of it are shown")]
fn kibibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0
}

/// Allows this program as many descriptors as the system does: every process here has one.
fn raise_descriptor_limit() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current, maximum })?)
}
