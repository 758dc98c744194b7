//! What the relay takes and holds for those who do not read: a window, or everything.

use std::{thread::sleep, time::Duration};

use anyhow::Result;
use tests::{
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
    taken: f64,
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
        let middle = |value: fn(&Found) -> f64| {
            let values: Vec<f64> = rounds.iter().map(value).collect();
            median(&values)
        };
        table.row([
            name.to_owned(),
            figure(middle(|found| found.growth / 1024.0)),
            figure(middle(|found| found.taken / 1024.0 / 1024.0)),
            aim.to_owned(),
        ]);
    }
    table.note(
        "growth is of the proportional set size of the relay or the proxy; a window is 1024 KiB",
    );
    table.note("taken by a client is what the relay or the proxy had read from the source, by a peer what the near end got rid of; the kernel's buffers are in it");
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
    let taken = match case {
        Case::ClientOfProxy => {
            let read = characters(program)?;
            let mut client = Plain::connect(native.once)?;
            ask(&mut client, b'd', MOST)?;
            sleep(PATIENCE);
            let taken = characters(program)? - read;
            let after = program.memory()?;
            return Ok(found(before, after, taken));
        }
        Case::Client => {
            let (mut near, _far) = Outpost::start(&native.relay, 50)?;
            let before = program.memory()?;
            let read = characters(program)?;
            let socket = near.connect()?;
            near.session.grant(socket, u64::MAX)?;
            let mut line = Line::new(&mut near.session, socket);
            ask(&mut line, b'd', MOST)?;
            sleep(PATIENCE);
            let taken = characters(program)? - read;
            return Ok(found(before, program.memory()?, taken));
        }
        Case::PeerOfProxy => {
            let mut client = Plain::connect(native.once)?;
            ask(&mut client, b'h', HOLD)?;
            let taken = client.fill(MOST, PATIENCE)?;
            return Ok(found(before, program.memory()?, taken));
        }
        Case::Peer => {
            let socket = native.near.connect()?;
            let mut line = Line::new(&mut native.near.session, socket);
            ask(&mut line, b'h', HOLD)?;
            line.fill(MOST, PATIENCE)?
        }
    };
    Ok(found(before, native.relay.program.memory()?, taken))
}

fn found(before: u64, after: u64, taken: u64) -> Found {
    Found {
        growth: after.saturating_sub(before) as f64,
        taken: taken as f64,
    }
}

/// How many bytes a program has read so far (proc_pid_io(5)).
fn characters(program: &Program) -> Result<u64> {
    let io = program.read("io")?;
    let line = io.lines().find_map(|line| line.strip_prefix("rchar: "));
    Ok(line.unwrap_or_default().trim().parse()?)
}
