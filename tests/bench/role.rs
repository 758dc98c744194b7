//! What this program does when it starts itself to be another end or somebody in between.
//!
//! Every part of an exchange is a process of its own, as the relay is, so that switching between them costs the same.

use std::{
    env,
    io::{Read as _, Write as _, stdin, stdout},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener},
    process::Command,
    thread,
};

use anyhow::{Context as _, Result};
use protocol::{LabId, SocketId};
use rustix::net::{self, AddressFamily, SocketType, sockopt::set_socket_reuseport};

use crate::{
    load,
    pipe::Plain,
    program::Program,
    proxy, relay,
    session::{Line, Session},
};

/// The argument that says that this is one.
const FLAG: &str = "--role";

/// How many connections may wait.
const BACKLOG: i32 = 16;

/// Who to be.
#[derive(Debug)]
pub(crate) enum Role {
    /// The far end of TCP connections to this address, which others may share.
    Peer(SocketAddrV4),
    /// Two proxies: one before this address, and one before that one.
    Proxy(SocketAddr),
    /// The far end as a process of this lab on this relay.
    Process(SocketAddr, LabId),
    /// The same on the host `bob`, for those of other hosts.
    Neighbour(SocketAddr, LabId),
}

/// The role that these arguments ask for, if they ask for one.
pub(crate) fn of(arguments: &[String]) -> Option<Role> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [FLAG, "peer", at] => Some(Role::Peer(at.parse().ok()?)),
        [FLAG, "proxy", to] => Some(Role::Proxy(to.parse().ok()?)),
        [FLAG, "process", relay, lab] => {
            Some(Role::Process(relay.parse().ok()?, LabId::new(lab).ok()?))
        }
        [FLAG, "neighbour", relay, lab] => {
            Some(Role::Neighbour(relay.parse().ok()?, LabId::new(lab).ok()?))
        }
        _ => None,
    }
}

impl Role {
    /// Starts this program once more to be this. It prints where it can be reached.
    pub(crate) fn start(&self) -> Result<(Program, String)> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(FLAG);
        match self {
            Self::Peer(at) => command.args(["peer", &at.to_string()]),
            Self::Proxy(to) => command.args(["proxy", &to.to_string()]),
            Self::Process(relay, lab) => {
                command.args(["process", &relay.to_string(), &lab.to_string()])
            }
            Self::Neighbour(relay, lab) => {
                command.args(["neighbour", &relay.to_string(), &lab.to_string()])
            }
        };
        Program::start(&mut command)
    }

    /// Is this until standard input ends.
    pub(crate) fn play(self) -> Result<()> {
        match self {
            Self::Peer(at) => peer(at),
            Self::Proxy(to) => proxy::run(to),
            Self::Process(relay, lab) => process(relay, &lab),
            Self::Neighbour(relay, lab) => neighbour(relay, &lab),
        }
    }
}

/// Starts the far end of TCP connections to an address of the loopback.
pub(crate) fn start_peer(ip: Ipv4Addr, port: u16) -> Result<(Program, SocketAddrV4)> {
    let (program, line) = Role::Peer(SocketAddrV4::new(ip, port)).start()?;
    Ok((program, relay::parse(&line)?))
}

fn peer(at: SocketAddrV4) -> Result<()> {
    let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    set_socket_reuseport(&socket, true)?;
    net::bind(&socket, &at)?;
    net::listen(&socket, BACKLOG)?;
    let listener = TcpListener::from(socket);
    say(&listener.local_addr()?.to_string())?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(|| load::serve(&mut Plain::over(stream)?));
        }
    });
    wait()
}

fn process(relay: SocketAddr, lab: &LabId) -> Result<()> {
    let mut session = Session::open(relay, lab)?;
    let (listener, port) = session.listener()?;
    say(&port.to_string())?;
    serve(session, listener)
}

fn neighbour(relay: SocketAddr, lab: &LabId) -> Result<()> {
    let mut session = Session::open_on(relay, lab, "bob")?;
    let (listener, port) = session.public_listener()?;
    say(&format!("{} {port}", session.ip()?))?;
    serve(session, listener)
}

/// Serves one connection after another.
fn serve(mut session: Session, listener: SocketId) -> Result<()> {
    thread::spawn(move || -> Result<()> {
        loop {
            let socket = session.accept(listener)?;
            let mut line = Line::new(&mut session, socket);
            load::serve(&mut line)?;
            line.close()?;
        }
    });
    wait()
}

/// Tells whoever started this.
pub(crate) fn say(text: &str) -> Result<()> {
    writeln!(stdout(), "{text}")?;
    stdout().flush().context("nobody listens")
}

/// Waits for the end of whoever started this.
pub(crate) fn wait() -> Result<()> {
    let mut rest = Vec::new();
    stdin().read_to_end(&mut rest)?;
    Ok(())
}
