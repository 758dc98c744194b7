//! From host to host, through the lab's switch.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream},
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context as _, Result, anyhow};
use protocol::LabId;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;
use tests::figures::{Table, figure, median};

use crate::{
    choice::Choice,
    load::{self, Sample, Workload, measure},
    pipe::Plain,
    relay::{Network, Relay},
    role::Role,
    session::{Line, Session},
};

/// What the switch is between, or would be.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Two native programs on one host, over its loopback.
    Loopback,
    /// Two native programs on two hosts.
    Hosts,
    /// Two processes on two hosts.
    Processes,
}

const WAYS: [Way; 3] = [Way::Loopback, Way::Hosts, Way::Processes];

/// Measures and prints.
pub(crate) fn report(choice: &Choice) -> Result<()> {
    let rounds = choice.rounds(7, 2);
    let work = Workload {
        echoes: choice.amount(2000, 50),
        bytes: choice.amount(256 << 20, 4 << 20),
    };
    let mut scene = Scene::build()?;
    let mut found = WAYS.map(|_| Vec::new());
    let mut refusals = BTreeSet::new();
    for round in 0..rounds {
        for index in 0..WAYS.len() {
            let index = (round + index) % WAYS.len();
            match scene.measure(WAYS[index], work) {
                Ok(sample) => found[index].push(sample),
                // An ordinary user cannot get at the hosts of a relay from outside.
                Err(error) if matches!(WAYS[index], Way::Loopback | Way::Hosts) => {
                    refusals.insert(format!("{error:#}"));
                }
                Err(error) => return Err(error),
            }
        }
    }
    let title = format!("from host to host (namespaces), medians of {rounds} rounds");
    let heads = [
        "",
        "echo µs",
        "up MB/s",
        "down MB/s",
        "frames/s up",
        "frames/s down",
        "s/GB up",
        "s/GB down",
        "aim",
    ];
    let mut table = Table::new(&title, &heads);
    for (way, samples) in WAYS.iter().zip(&found) {
        let (name, aim) = match way {
            Way::Loopback => ("two native programs on one host, its loopback", ""),
            Way::Hosts => ("two native programs on two hosts, the switch", "≥ 300 MB/s"),
            Way::Processes => ("two processes on two hosts, relay and switch", ""),
        };
        let middle = |value: fn(&Measured) -> Option<f64>| {
            let values: Vec<f64> = samples.iter().filter_map(value).collect();
            figure(median(&values))
        };
        table.row([
            name.to_owned(),
            middle(|found| found.sample.p50),
            middle(|found| found.sample.up),
            middle(|found| found.sample.down),
            middle(|found| found.frames[0]),
            middle(|found| found.frames[1]),
            middle(|found| found.sample.cost_up),
            middle(|found| found.sample.cost_down),
            aim.to_owned(),
        ]);
    }
    table.note("up is from the first host to the second; frames are those of both directions, acknowledgements included");
    table.note(
        "s/GB is the processor time of the relay, in which some of the kernel's for the switch is",
    );
    for refusal in refusals {
        table.note(&format!("native programs were left out: {refusal}"));
    }
    println!("{table}");
    Ok(())
}

/// What one exchange has shown.
#[derive(Debug)]
struct Measured {
    sample: Sample,
    /// Frames a second while bytes went up, and down.
    frames: [Option<f64>; 2],
}

/// A lab with two hosts.
#[derive(Debug)]
struct Scene {
    relay: Relay,
    lab: LabId,
    desk: Session,
    bob: Ipv4Addr,
    /// The port of the process on the second host.
    port: u16,
    _far: tests::program::Program,
}

impl Scene {
    fn build() -> Result<Self> {
        let relay = Relay::start_with(Network::Namespaces)?;
        let lab = Relay::lab(1)?;
        let desk = Session::open_on(relay.address, &lab, "desk")?;
        let (far, line) = Role::Neighbour(relay.address, lab.clone()).start()?;
        let (ip, port) = line.split_once(' ').context("an address and a port")?;
        Ok(Self {
            bob: ip.parse()?,
            port: port.parse()?,
            relay,
            lab,
            desk,
            _far: far,
        })
    }

    fn measure(&mut self, way: Way, work: Workload) -> Result<Measured> {
        let up = Workload {
            echoes: work.echoes,
            bytes: 0,
        };
        let mut sample = Sample::default();
        let echo = self.exchange(way, up)?;
        sample.p50 = echo.p50;
        let frames = self.frames()?;
        let bulk = self.exchange(way, Workload { echoes: 0, ..work })?;
        // Both directions take as long as they take; frames are shared among them as the time is.
        let carried = self.frames()? - frames;
        (sample.up, sample.down) = (bulk.up, bulk.down);
        (sample.cost_up, sample.cost_down) = (bulk.cost_up, bulk.cost_down);
        let rate = |speed: Option<f64>| {
            #[expect(clippy::cast_precision_loss, reason = "three figures of it are shown")]
            let seconds = work.bytes as f64 / 1e6 / speed?;
            (0.0 < carried).then_some(carried / 2.0 / seconds)
        };
        let frames = [rate(sample.up), rate(sample.down)];
        Ok(Measured { sample, frames })
    }

    fn exchange(&mut self, way: Way, work: Workload) -> Result<Sample> {
        let clock = || self.relay.program.processor_time();
        match way {
            Way::Loopback => {
                let host = self.host(self.bob)?;
                let at = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
                native(&host, &host, at, work, &clock)
            }
            Way::Hosts => {
                let near = self.host(self.desk.ip()?)?;
                let far = self.host(self.bob)?;
                native(&near, &far, SocketAddrV4::new(self.bob, 0), work, &clock)
            }
            Way::Processes => {
                let socket = self.desk.connect_to(self.bob, self.port)?;
                let mut line = Line::new(&mut self.desk, socket);
                let sample = measure(&mut line, work, &clock)?;
                line.close()?;
                Ok(sample)
            }
        }
    }

    /// The network namespace of the host that has this address.
    fn host(&self, ip: Ipv4Addr) -> Result<PathBuf> {
        for path in self.relay.program.network_namespaces()? {
            let there = within(&path, || Ok(TcpListener::bind((ip, 0)).is_ok()))?;
            if there {
                return Ok(path);
            }
        }
        Err(anyhow!(
            "no network namespace of the relay has the address {ip}"
        ))
    }

    /// How many frames the switch has carried for the first host.
    fn frames(&self) -> Result<f64> {
        let path = format!("/api/v1/labs/{}/hosts/desk/link", self.lab);
        let link = get(self.relay.address, &path)?;
        let count = |side: &str| link["counts"][side]["passed_frames"].as_f64();
        Ok(count("from_host").context("no counts")? + count("to_host").context("no counts")?)
    }
}

/// Measures between two native programs, each on a host. Both are threads of this one.
fn native(
    near: &Path,
    far: &Path,
    at: SocketAddrV4,
    work: Workload,
    clock: load::Clock<'_>,
) -> Result<Sample> {
    let listener = within(far, || Ok(TcpListener::bind(at)?))?;
    let address = listener.local_addr()?;
    let serving = thread::spawn(move || -> Result<()> {
        let (stream, _) = listener.accept()?;
        load::serve(&mut Plain::over(stream)?)
    });
    let stream = within(near, || Ok(TcpStream::connect(address)?))?;
    let sample = measure(&mut Plain::over(stream)?, work, clock)?;
    serving
        .join()
        .map_err(|_| anyhow!("the far end panicked"))??;
    Ok(sample)
}

/// Does something in a network namespace, on a thread that ends there.
fn within<T: Send>(path: &Path, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let there = File::open(path).with_context(|| path.display().to_string())?;
    let done = thread::scope(|scope| {
        let thread = scope.spawn(move || {
            move_into_link_name_space(there.as_fd(), Some(LinkNameSpaceType::Network))
                .context("a host's network cannot be entered (be root)")?;
            act()
        });
        thread.join()
    });
    done.map_err(|_| anyhow!("a thread panicked"))?
}

/// What the relay says of something.
fn get(relay: SocketAddr, path: &str) -> Result<Value> {
    let mut stream = TcpStream::connect(relay)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {relay}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    Ok(serde_json::from_str(body)?)
}
