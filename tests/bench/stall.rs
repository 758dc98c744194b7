//! What the relay takes and holds for those who do not read: a window, or everything.

use std::{thread::sleep, time::Duration};

use anyhow::Result;
use tests::{
    Metrics,
    figures::{Table, figure, median},
    program::Program,
};

use crate::{
    choice::Choice,
    load::ask,
    native::{Native, Outpost},
    pipe::{Pipe as _, Plain},
    session::Line,
};

/// How much would be sent if everything were taken, in bytes.
const MOST: u64 = 256 * 1024 * 1024;

/// After how long in which nothing is taken nothing will be.
const PATIENCE: Duration = Duration::from_secs(1);

/// For how long a peer reads nothing, in seconds: longer than it is watched.
const HOLD: u64 = 600;

/// Who does not read.
#[derive(Clone, Copy, Debug)]
enum Case {
    /// A TCP client of a proxy, before a source.
    ClientOfProxy,
    /// A process that has granted everything and reads nothing of it from its WebSocket.
    Client,
    /// A native program behind a proxy.
    PeerOfProxy,
    /// A native program that a process sends to as far as it is granted.
    Peer,
}

const CASES: [Case; 4] = [
    Case::ClientOfProxy,
    Case::Client,
    Case::PeerOfProxy,
    Case::Peer,
];

/// What was found in one round, in bytes.
#[derive(Clone, Copy, Debug)]
struct Found {
    growth: f64,
    /// What the relay or the proxy took, where it can be told.
    taken: Option<f64>,
}

/// Measures and prints.
pub(crate) fn report(choice: &Choice) -> Result<()> {
    let rounds = choice.rounds(3, 1);
    let mut found = CASES.map(|_| Vec::new());
    for _ in 0..rounds {
        for (case, found) in CASES.iter().zip(&mut found) {
            found.push(measure(*case)?);
        }
    }
    let title = format!("those who do not read, medians of {rounds} rounds");
    let mut table = Table::new(&title, &["", "growth KiB", "taken MiB", "aim of growth"]);
    for (case, rounds) in CASES.iter().zip(&found) {
        let (name, aim) = match case {
            Case::ClientOfProxy => ("bare proxy, client reads nothing of 256 MiB", ""),
            Case::Client => ("relay, process grants all and reads nothing", "one window"),
            Case::PeerOfProxy => ("bare proxy, peer reads nothing of 256 MiB", ""),
            Case::Peer => ("relay, peer reads nothing of 256 MiB", "one window"),
        };
        let middle = |value: fn(&Found) -> Option<f64>| {
            let values: Vec<f64> = rounds.iter().filter_map(value).collect();
            median(&values)
        };
        table.row([
            name.to_owned(),
            figure(middle(|found| Some(found.growth / 1024.0))),
            figure(middle(|found| Some(found.taken? / 1024.0 / 1024.0))),
            aim.to_owned(),
        ]);
    }
    table.note(
        "growth is of the proportional set size of the relay or the proxy; a window is 1024 KiB",
    );
    table.note("taken of a client's download is what the relay had read from the source, towards a peer what the near end got rid of; the kernel's buffers are in both");
    println!("{table}");
    Ok(())
}

fn measure(case: Case) -> Result<Found> {
    let mut native = Native::build()?;
    // What the first connection makes it set up once is no part of it.
    let work = crate::load::Workload {
        echoes: 10,
        bytes: 8 * 1024 * 1024,
    };
    native.proxy(work)?;
    native.relay(work)?;
    let program = match case {
        Case::ClientOfProxy | Case::PeerOfProxy => &native.between,
        Case::Client | Case::Peer => &native.relay.program,
    };
    let before = program.memory()?;
    match case {
        Case::ClientOfProxy => {
            let mut client = Plain::connect(native.once)?;
            ask(&mut client, b'd', MOST)?;
            sleep(PATIENCE);
            found(program, before, None)
        }
        Case::Client => {
            let relay = native.relay.address;
            let read = Metrics::ask(relay)?.bytes_received();
            // This process cannot be used any more after that.
            let (mut near, _far) = Outpost::start(&native.relay, 50)?;
            let socket = near.connect()?;
            near.session.grant(socket, u64::MAX)?;
            ask(&mut Line::new(&mut near.session, socket), b'd', MOST)?;
            sleep(PATIENCE);
            let taken = Metrics::ask(relay)?.bytes_received() - read;
            found(program, before, Some(taken))
        }
        Case::PeerOfProxy => {
            let mut client = Plain::connect(native.once)?;
            ask(&mut client, b'h', HOLD)?;
            let taken = client.fill(MOST, PATIENCE)?;
            found(program, before, Some(bytes(taken)))
        }
        Case::Peer => {
            let socket = native.near.connect()?;
            let mut line = Line::new(&mut native.near.session, socket);
            ask(&mut line, b'h', HOLD)?;
            let taken = line.fill(MOST, PATIENCE)?;
            found(program, before, Some(bytes(taken)))
        }
    }
}

fn found(program: &Program, before: u64, taken: Option<f64>) -> Result<Found> {
    Ok(Found {
        growth: bytes(program.memory()?.saturating_sub(before)),
        taken,
    })
}

#[expect(clippy::cast_precision_loss, reason = "some megabytes")]
fn bytes(bytes: u64) -> f64 {
    bytes as f64
}
