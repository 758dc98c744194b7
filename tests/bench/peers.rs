//! The same load through other relays that registries carry, beside the bare proxy and Socketpad's relay.
//!
//! Each is started as its documentation says, with whatever keeps it from the loopback or slows it down switched off.
//! All speak to the same far end, on one WebSocket and, where they know such a thing, one stream of it.

mod stream;

use std::{
    env,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tests::{
    figures::{Table, figure, median, quantile},
    program::Program,
};

use self::stream::{Framing, Stream};
use crate::{
    choice::Choice,
    exact::{BYTES, lost},
    load::{Sample, Workload, compare, first_echo, measure},
    native::Native,
    pipe::Plain,
    session::Line,
};

/// How long a relay may take to start.
const START: Duration = Duration::from_secs(20);

/// How many openings are timed in a round.
const OPENINGS: u32 = 50;

/// A relay of somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Wasmnet,
    Websockify,
    WispPython,
    WispJs,
}

const KINDS: [Kind; 4] = [
    Kind::Wasmnet,
    Kind::Websockify,
    Kind::WispPython,
    Kind::WispJs,
];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Wasmnet => "wasmnet 0.2.0",
            Self::Websockify => "websockify 0.13.0, no streams",
            Self::WispPython => "wisp-python 0.9.0",
            Self::WispJs => "wisp-js 0.5.0",
        }
    }

    fn framing(self) -> Framing {
        match self {
            Self::Wasmnet => Framing::Wasmnet,
            Self::Websockify => Framing::Bare,
            Self::WispPython | Self::WispJs => Framing::Wisp,
        }
    }

    fn command(self, installed: &str, port: u16, target: SocketAddr) -> Command {
        let program = |path: &str| Command::new(PathBuf::from(installed).join(path));
        let port = port.to_string();
        match self {
            Self::Wasmnet => {
                let mut command = program("cargo/bin/wasmnet-server");
                command.args(["--no-policy", "--host", "127.0.0.1", "--port", &port]);
                command
            }
            Self::Websockify => {
                let mut command = program("python/bin/websockify");
                command.args([&format!("127.0.0.1:{port}"), &target.to_string()]);
                command
            }
            Self::WispPython => {
                let mut command = program("python/bin/python");
                command.args(["-m", "wisp.server", "--host", "127.0.0.1", "--port", &port]);
                command.args(["--allow-loopback", "--allow-private"]);
                // Beyond one they are chosen by the kernel for each connection, and only one is used.
                command.args(["--threads", "1", "--log-level", "error"]);
                command
            }
            Self::WispJs => {
                let mut command = program("node/node_modules/.bin/wisp-js-server");
                command.args(["--port", &port, "--logging", "ERROR", "--options"]);
                command.arg(r#"{"allow_loopback_ips": true, "allow_private_ips": true}"#);
                command
            }
        }
    }
}

/// One of them that runs.
#[derive(Debug)]
struct Peer {
    kind: Kind,
    program: Program,
    address: SocketAddr,
    target: SocketAddr,
}

impl Peer {
    fn start(kind: Kind, target: SocketAddr) -> Result<Self> {
        let installed =
            env::var("SOCKETPAD_PEERS").context("SOCKETPAD_PEERS names no directory")?;
        // They cannot say which port they got, so one that is free now has to do.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = kind.command(&installed, address.port(), target);
        let program = Program::silent(&mut command)?;
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if START < begin.elapsed() {
                bail!("{} does not start", kind.name());
            }
            sleep(Duration::from_millis(50));
        }
        Ok(Self {
            kind,
            program,
            address,
            target,
        })
    }

    /// A connection to the far end.
    fn connect(&self) -> Result<Stream> {
        let mut stream = Stream::open(self.address, self.kind.framing())?;
        stream.connect(self.target)?;
        Ok(stream)
    }

    fn round(&self, work: Workload) -> Result<Round> {
        let clock = || self.program.family_time();
        let sample = measure(&mut self.connect()?, work, &clock)?;
        Ok(Round {
            sample,
            opening: self.opening()?,
            lost: lost(compare(&mut self.connect()?, BYTES)),
        })
    }

    /// From a new stream to its first echo, where there are streams.
    fn opening(&self) -> Result<Option<f64>> {
        if self.kind.framing() == Framing::Bare {
            return Ok(None);
        }
        let mut stream = Stream::open(self.address, self.kind.framing())?;
        let mut times = Vec::new();
        for _ in 0..OPENINGS {
            let begin = Instant::now();
            stream.connect(self.target)?;
            first_echo(&mut stream)?;
            times.push(begin.elapsed().as_secs_f64() * 1e6);
            stream.close()?;
        }
        Ok(quantile(&times, 0.5))
    }
}

/// What one of all those compared has shown in a round.
#[derive(Clone, Copy, Debug)]
struct Round {
    sample: Sample,
    opening: Option<f64>,
    lost: u64,
}

/// Measures and prints.
pub(crate) fn report(choice: &Choice) -> Result<()> {
    let mut native = Native::build()?;
    let peers = KINDS.map(|kind| Peer::start(kind, native.peer));
    for error in peers.iter().filter_map(|peer| peer.as_ref().err()) {
        println!("{error:#}");
    }
    let work = Workload {
        echoes: choice.amount(2000, 200),
        bytes: choice.amount(128, 8) * 1024 * 1024,
    };
    let rounds = choice.rounds(5, 1);
    let mut found: Vec<(&str, Vec<Round>)> = vec![("bare proxy", vec![]), ("relay", vec![])];
    found.extend(KINDS.map(|kind| (kind.name(), vec![])));
    for round in 0..rounds {
        for index in 0..found.len() {
            let index = (round + index) % found.len();
            let result = match index {
                0 => proxy(&native, work),
                1 => relay(&mut native, work),
                _ => match &peers[index - 2] {
                    Ok(peer) => peer.round(work),
                    // It was said already.
                    Err(_) => continue,
                },
            };
            match result {
                Ok(round) => found[index].1.push(round),
                // That one of them breaks off is something to report too.
                Err(error) => println!("{}: {error:#}", found[index].0),
            }
        }
    }
    println!("{}", table(rounds, &found));
    Ok(())
}

fn proxy(native: &Native, work: Workload) -> Result<Round> {
    Ok(Round {
        sample: native.proxy(work)?,
        opening: None,
        lost: lost(compare(&mut Plain::connect(native.once)?, BYTES)),
    })
}

fn relay(native: &mut Native, work: Workload) -> Result<Round> {
    let sample = native.relay(work)?;
    let mut times = Vec::new();
    for _ in 0..OPENINGS {
        times.push(crate::opening::socket(native)?);
    }
    let socket = native.near.connect()?;
    let mut line = Line::new(&mut native.near.session, socket);
    let same = compare(&mut line, BYTES);
    line.close()?;
    Ok(Round {
        sample,
        opening: quantile(&times, 0.5),
        lost: lost(same),
    })
}

fn table(rounds: usize, found: &[(&str, Vec<Round>)]) -> Table {
    let title = format!("beside other relays, medians of {rounds} rounds");
    let heads = [
        "",
        "up MB/s",
        "down MB/s",
        "CPU s/GB up",
        "down",
        "echo p50 µs",
        "p99 µs",
        "p99.9 µs",
        "new stream µs",
        "lost of 32 MiB",
    ];
    let mut table = Table::new(&title, &heads);
    for (name, rounds) in found {
        let middle = |value: fn(&Round) -> Option<f64>| {
            let values: Vec<f64> = rounds.iter().filter_map(value).collect();
            figure(median(&values))
        };
        let lost: u64 = rounds.iter().map(|round| round.lost).sum();
        let lost = match rounds.len() {
            0 => "-".to_owned(),
            _ => lost.to_string(),
        };
        table.row([
            (*name).to_owned(),
            middle(|round| round.sample.up),
            middle(|round| round.sample.down),
            middle(|round| round.sample.cost_up),
            middle(|round| round.sample.cost_down),
            middle(|round| round.sample.p50),
            middle(|round| round.sample.p99),
            middle(|round| round.sample.p999),
            middle(|round| round.opening),
            lost,
        ]);
    }
    table.note("a new stream of Wisp's is used before the relay has said that it is there; the others' are waited for");
    table.note(
        "wasmnet is given 200 µs more before the first byte, because it drops what comes at once",
    );
    table.note("lost counts all 32 MiB of a round in which the connection broke");
    table
}
