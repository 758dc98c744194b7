//! What the relay needs for processes and sockets that are idle.

use anyhow::Result;
use protocol::Kind;

use crate::{
    choice::Choice,
    figures::{Table, figure, median},
    relay::Relay,
    session::Session,
};

/// How many sockets a process gets, of the 512 that it may have. An even number.
const SOCKETS: u32 = 500;

/// What is idle.
#[derive(Clone, Copy, Debug)]
enum Idle {
    /// Processes, each in a lab of its own.
    Process,
    /// UDP sockets that are bound.
    Bound,
    /// TCP sockets that listen.
    Listening,
    /// TCP sockets that are connected with each other.
    Connected,
}

const ALL: [Idle; 4] = [Idle::Process, Idle::Bound, Idle::Listening, Idle::Connected];

/// Measures and prints.
pub(crate) fn report(choice: &Choice) -> Result<()> {
    let rounds = choice.rounds(3, 1);
    let mut found = ALL.map(|idle| (idle, Vec::new()));
    let (mut processes, mut sockets) = (0, 0);
    for _ in 0..rounds {
        for (idle, values) in &mut found {
            let count = match idle {
                Idle::Process => choice.amount(500, 50),
                Idle::Bound | Idle::Listening | Idle::Connected => choice.amount(10, 2),
            };
            let (bytes, things) = grow(*idle, count)?;
            values.push(bytes / f64::from(things) / 1024.0);
            match idle {
                Idle::Process => processes = things,
                Idle::Bound | Idle::Listening | Idle::Connected => sockets = things,
            }
        }
    }
    let title =
        format!("memory of the relay, medians of {rounds} rounds, each in a relay of its own");
    let mut table = Table::new(&title, &["", "KiB each", "aim"]);
    for (idle, values) in &found {
        let (name, aim) = match idle {
            Idle::Process => ("idle process, in a lab of its own", "≤ 26"),
            Idle::Bound => ("bound UDP socket", "≤ 8"),
            Idle::Listening => ("listening TCP socket", "≤ 8"),
            Idle::Connected => ("connected TCP socket", "≤ 8"),
        };
        table.row([name.to_owned(), figure(median(values)), aim.to_owned()]);
    }
    table.note(&format!(
        "growth of the proportional set size over {processes} processes, or {sockets} sockets of processes with {SOCKETS} each"
    ));
    table.note("the kernel's own memory for sockets is not in it");
    println!("{table}");
    Ok(())
}

/// By how many bytes a relay grows with this many processes, or with the sockets of this many, and how many those are.
fn grow(idle: Idle, count: u32) -> Result<(f64, u32)> {
    let relay = Relay::start()?;
    // What the first of each kind makes the relay set up once is no part of it.
    let mut first = Session::open(relay.address, &Relay::lab(0)?)?;
    fill(&mut first, idle, 10)?;
    let open = |number| Session::open(relay.address, &Relay::lab(number)?);
    let numbers = 1..=count;
    let (before, things, sessions) = match idle {
        Idle::Process => {
            let before = relay.program.memory()?;
            (
                before,
                count,
                numbers.map(open).collect::<Result<Vec<_>>>()?,
            )
        }
        Idle::Bound | Idle::Listening | Idle::Connected => {
            let mut sessions = numbers.map(open).collect::<Result<Vec<_>>>()?;
            let before = relay.program.memory()?;
            for session in &mut sessions {
                fill(session, idle, SOCKETS)?;
            }
            (before, count * SOCKETS, sessions)
        }
    };
    let after = relay.program.memory()?;
    drop(sessions);
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    Ok((after.saturating_sub(before) as f64, things))
}

/// Gives a process this many sockets.
fn fill(session: &mut Session, idle: Idle, count: u32) -> Result<()> {
    match idle {
        Idle::Process => Ok(()),
        Idle::Bound => session.all(count, |session| {
            let socket = session.socket(Kind::Datagram);
            session.begin_bind(socket)
        }),
        Idle::Listening => session.all(count, |session| {
            let socket = session.socket(Kind::Stream);
            session.begin_listen(socket)
        }),
        Idle::Connected => {
            let (listener, port) = session.listener()?;
            session.all(count / 2, |session| {
                let socket = session.socket(Kind::Stream);
                session.begin_connect(socket, port)
            })?;
            for _ in 0..count / 2 {
                session.accept(listener)?;
            }
            Ok(())
        }
    }
}
