//! A new socket up to its first byte, and a connection from outside to a socket that listens up to its first echo.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream},
    time::Instant,
};

use anyhow::Result;
use rustix::net::{self, AddressFamily, SocketType};
use tests::{
    figures::{Table, figure, median, quantile},
    program::Program,
};

use crate::{
    choice::Choice, load::first_echo, native::Native, pipe::Plain, relay::Relay, role::Role,
    session::Line,
};

/// What is opened.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// A connection to a native program.
    Direct,
    /// The same through a proxy.
    Proxy,
    /// A socket of a process, connected to a native program.
    Socket,
    /// A native connection to a listener of a process, which accepts it.
    Listener,
}

const WAYS: [Way; 4] = [Way::Direct, Way::Proxy, Way::Socket, Way::Listener];

/// Measures and prints.
pub(crate) fn report(choice: &Choice) -> Result<()> {
    let mut native = Native::build()?;
    let server = Server::start(&native.relay)?;
    let rounds = choice.rounds(9, 2);
    let openings = choice.amount(200, 20);
    let mut found = WAYS.map(|_| Vec::new());
    for round in 0..rounds {
        for index in 0..WAYS.len() {
            let index = (round + index) % WAYS.len();
            let mut times = Vec::new();
            for _ in 0..openings {
                times.push(match WAYS[index] {
                    Way::Direct => plain(native.peer)?,
                    Way::Proxy => plain(native.once)?,
                    Way::Socket => socket(&mut native)?,
                    Way::Listener => server.visit()?,
                });
            }
            found[index].push([0.5, 0.99].map(|part| quantile(&times, part)));
        }
    }
    let title = format!("from connect to the first echo of 64 bytes, medians of {rounds} rounds");
    let mut table = Table::new(&title, &["", "p50 µs", "p99 µs", "aim of p50"]);
    for (way, rounds) in WAYS.iter().zip(&found) {
        let (name, aim) = match way {
            Way::Direct => ("Rust to Rust", ""),
            Way::Proxy => ("bare proxy, which connects anew", ""),
            Way::Socket => ("a new socket of a process, relay, Rust", "≤ 100"),
            Way::Listener => ("Rust, relay, a listening socket of a process", "≤ 500"),
        };
        let [p50, p99] = [0, 1].map(|index: usize| {
            let values: Vec<f64> = rounds.iter().filter_map(|round| round[index]).collect();
            figure(median(&values))
        });
        table.row([name.to_owned(), p50, p99, aim.to_owned()]);
    }
    table.note("a process waits for the answer to its connect before it sends, as a program does: two round trips");
    println!("{table}");
    Ok(())
}

fn plain(address: SocketAddr) -> Result<f64> {
    let begin = Instant::now();
    let mut pipe = Plain::over(TcpStream::connect(address)?)?;
    first_echo(&mut pipe)?;
    Ok(begin.elapsed().as_secs_f64() * 1e6)
}

/// From a new socket of a process to its first echo, in microseconds.
pub(crate) fn socket(native: &mut Native) -> Result<f64> {
    // Of the tries, only the one counts that the native program was given.
    let (socket, connecting) = native.near.connect_timed()?;
    let begin = Instant::now();
    let mut line = Line::new(&mut native.near.session, socket);
    first_echo(&mut line)?;
    let time = connecting + begin.elapsed();
    line.close()?;
    Ok(time.as_secs_f64() * 1e6)
}

/// A process that listens and echoes.
#[derive(Debug)]
struct Server {
    address: SocketAddrV4,
    _program: Program,
}

impl Server {
    fn start(relay: &Relay) -> Result<Self> {
        let (program, line) = Role::Process(relay.address, Relay::lab(3)?).start()?;
        let port = line.parse()?;
        Ok(Self {
            address: SocketAddrV4::new(relay.real_address(port)?, port),
            _program: program,
        })
    }

    /// Visits it as somebody outside. The portable network lets in only who speaks from an address of the lab.
    fn visit(&self) -> Result<f64> {
        let own: Ipv4Addr = *self.address.ip();
        let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
        net::bind(&socket, &SocketAddrV4::new(own, 0))?;
        let begin = Instant::now();
        net::connect(&socket, &self.address)?;
        let mut pipe = Plain::over(TcpStream::from(socket))?;
        first_echo(&mut pipe)?;
        Ok(begin.elapsed().as_secs_f64() * 1e6)
    }
}
