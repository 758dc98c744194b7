//! One small message to and fro while many bytes come on another connection: over the proxy on a TCP connection of its
//! own, over the relay on another socket of the same process, and so on the same WebSocket.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::Instant,
};

use anyhow::{Result, anyhow};
use tests::figures::{Table, figure, median, quantile};

use crate::{
    choice::Choice,
    load::MESSAGE,
    native::{Native, Outpost},
    pipe::{Pipe as _, Plain, READ},
    relay::Relay,
    session::Duo,
};

/// More bytes than come while it is measured.
const ENDLESS: u64 = 1 << 40;

/// Where the two connections go through.
#[derive(Clone, Copy, Debug)]
enum Way {
    Direct,
    Proxy,
    Relay,
}

const WAYS: [Way; 3] = [Way::Direct, Way::Proxy, Way::Relay];

/// Times in microseconds: quantiles of one round.
type Round = [Option<f64>; 3];

/// Measures and prints.
pub(crate) fn report(choice: &Choice) -> Result<()> {
    let native = Native::build()?;
    let rounds = choice.rounds(9, 2);
    let echoes = choice.amount(3000, 200);
    let mut found = WAYS.map(|_| Vec::<Round>::new());
    for round in 0..rounds {
        for index in 0..WAYS.len() {
            let index = (round + index) % WAYS.len();
            let times = match WAYS[index] {
                Way::Direct => plain(native.peer, echoes)?,
                Way::Proxy => plain(native.once, echoes)?,
                Way::Relay => process(&native.relay, u32::try_from(round)?, echoes)?,
            };
            found[index].push([0.5, 0.99, 0.999].map(|part| quantile(&times, part)));
        }
    }
    let title = format!("echo of 64 bytes beside a bulk download, medians of {rounds} rounds");
    let mut table = Table::new(&title, &["", "p50 µs", "p99 µs", "p99.9 µs", "aim of p99"]);
    for (way, rounds) in WAYS.iter().zip(&found) {
        let (name, aim) = match way {
            Way::Direct => ("Rust to Rust, two connections", ""),
            Way::Proxy => ("bare proxy, two connections", ""),
            Way::Relay => ("relay, two sockets of one process", "< 1000"),
        };
        let figures = [0, 1, 2].map(|index| {
            let values: Vec<f64> = rounds.iter().filter_map(|round| round[index]).collect();
            figure(median(&values))
        });
        let [p50, p99, p999] = figures;
        table.row([name.to_owned(), p50, p99, p999, aim.to_owned()]);
    }
    table.note("the reader of the bulk is as fast as it can be; over the relay it is also the one who waits for the echo");
    println!("{table}");
    Ok(())
}

/// The request for a download that does not end.
fn endless() -> [u8; 9] {
    request(b'd', ENDLESS)
}

fn request(kind: u8, count: u64) -> [u8; 9] {
    let mut request = [kind; 9];
    request[1..].copy_from_slice(&count.to_le_bytes());
    request
}

/// How many messages go before times are taken.
fn warm(echoes: u64) -> u64 {
    echoes / 10
}

fn plain(address: SocketAddr, echoes: u64) -> Result<Vec<f64>> {
    let mut bulk = TcpStream::connect(address)?;
    bulk.write_all(&endless())?;
    let mut reading = bulk.try_clone()?;
    let reader = thread::spawn(move || {
        let mut buffer = vec![0; READ];
        while reading.read(&mut buffer).is_ok_and(|length| 0 < length) {}
    });
    let mut talk = Plain::connect(address)?;
    let total = warm(echoes) + echoes;
    talk.send(&request(b'e', total * MESSAGE as u64))?;
    let mut message = [0; MESSAGE];
    let times = time(echoes, || {
        talk.send(&message)?;
        talk.receive(&mut message).map(drop)
    });
    bulk.shutdown(Shutdown::Both)?;
    reader.join().map_err(|_| anyhow!("the reader panicked"))?;
    times
}

fn process(relay: &Relay, round: u32, echoes: u64) -> Result<Vec<f64>> {
    let (mut near, _far) = Outpost::start(relay, 100 + round)?;
    let (talk, bulk) = (near.connect()?, near.connect()?);
    let mut duo = Duo::new(&mut near.session, talk, bulk);
    duo.ask(&endless())?;
    let total = warm(echoes) + echoes;
    duo.echo(&request(b'e', total * MESSAGE as u64), 0)?;
    let times = time(echoes, || duo.echo(&[0; MESSAGE], MESSAGE));
    duo.break_off()?;
    times
}

fn time(echoes: u64, mut echo: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for round in 0..warm(echoes) + echoes {
        let begin = Instant::now();
        echo()?;
        if warm(echoes) <= round {
            times.push(begin.elapsed().as_secs_f64() * 1e6);
        }
    }
    Ok(times)
}
