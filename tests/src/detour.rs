//! A way to the relay on which connections can be lost.
//!
//! It stands between a process or a page and the relay, carries bytes both ways, and on request cuts connections, at a
//! certain byte if need be, lets nobody through, or swallows everything without a word as a network does that is gone.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::net::sockopt::set_socket_linger;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

use crate::TestRelay;

/// A direction, seen from who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the relay.
    Up,
    /// From the relay.
    Down,
}

/// What the way does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Carries their bytes.
    Open,
    /// Swallows their bytes; nobody is told.
    Silent,
    /// Lets no further ones through.
    Shut,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    /// Raised to end all connections that were accepted under a lower number.
    generation: u64,
    /// How many bytes up and down may still pass before all connections are cut.
    left: [Option<u64>; 2],
    /// How many were cut.
    cuts: u64,
    /// How many bytes passed up and down.
    passed: [u64; 2],
}

/// What the tasks share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.send_modify(|count| *count += 1);
    }

    /// How many of these bytes may pass, after which the connections are cut if it is fewer.
    fn pass(&self, way: Way, bytes: usize) -> usize {
        let mut state = self.lock();
        let way = way as usize;
        let passed = match &mut state.left[way] {
            Some(left) => {
                let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes);
                *left -= passed as u64;
                passed
            }
            None => bytes,
        };
        state.passed[way] += passed as u64;
        passed
    }
}

/// A way to a relay.
#[derive(Debug)]
pub struct Detour {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Detour {
    /// Opens a way to this relay, on a free port.
    pub async fn to(relay: &TestRelay) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                mode: Mode::Open,
                generation: 0,
                left: [None, None],
                cuts: 0,
                passed: [0, 0],
            }),
            changed: watch::Sender::new(0),
        });
        let serving = tokio::spawn(accept(listener, relay.address(), Arc::clone(&shared)));
        Self {
            address,
            shared,
            serving,
        }
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        self.shared.change(cut);
    }

    /// Cuts every connection once this many bytes more have passed on this way.
    pub fn cut_after(&self, way: Way, bytes: u64) {
        self.shared
            .change(|state| state.left[way as usize] = Some(bytes));
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> u64 {
        self.shared.lock().cuts
    }

    /// How many bytes have passed on this way.
    pub fn passed(&self, way: Way) -> u64 {
        self.shared.lock().passed[way as usize]
    }

    /// From now on everything is swallowed.
    pub fn fall_silent(&self) {
        self.shared.change(|state| state.mode = Mode::Silent);
    }

    /// From now on nobody is let through.
    pub fn shut(&self) {
        self.shared.change(|state| state.mode = Mode::Shut);
    }

    /// From now on everything passes again. What was swallowed is lost, and the connections from which it was with it.
    pub fn open(&self) {
        self.shared.change(|state| {
            if state.mode == Mode::Silent {
                cut(state);
            }
            state.mode = Mode::Open;
        });
    }
}

impl Drop for Detour {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn cut(state: &mut State) {
    state.generation += 1;
    state.left = [None, None];
}

async fn accept(listener: TcpListener, relay: SocketAddr, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        if shared.lock().mode == Mode::Shut {
            continue;
        }
        tokio::spawn(connect(stream, relay, Arc::clone(&shared)));
    }
}

/// Carries one connection until one side closes it or it is cut.
async fn connect(near: TcpStream, relay: SocketAddr, shared: Arc<Shared>) {
    let generation = shared.lock().generation;
    let Ok(far) = TcpStream::connect(relay).await else {
        return;
    };
    for stream in [&near, &far] {
        stream.set_nodelay(true).unwrap();
    }
    let mut changed = shared.changed.subscribe();
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let mut ends = [near_write, far_write];
    let [near_write, far_write] = &mut ends;
    let was_cut = {
        let up = carry(near_read, far_write, Way::Up, &shared);
        let down = carry(far_read, near_write, Way::Down, &shared);
        tokio::select! {
            (up, down) = async { tokio::join!(up, down) } => up.is_err() || down.is_err(),
            _ = changed.wait_for(|_| generation < shared.lock().generation) => true,
        }
    };
    if was_cut {
        shared.lock().cuts += 1;
        // As when a network's equipment has forgotten the connection: both sides see a reset.
        for end in &ends {
            let stream: &TcpStream = end.as_ref();
            let _closed_anyway = set_socket_linger(stream, Some(std::time::Duration::ZERO));
        }
    }
}

/// Carries one direction to its end. An error is a cut.
async fn carry(
    mut from: OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    way: Way,
    shared: &Shared,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = match from.read(&mut buffer).await {
            Ok(0) | Err(_) => {
                // The other direction goes on, as the peer may still have something to say.
                drop(to.shutdown().await);
                return Ok(());
            }
            Ok(length) => length,
        };
        if shared.lock().mode == Mode::Silent {
            continue;
        }
        let passed = shared.pass(way, length);
        drop(to.write_all(&buffer[..passed]).await);
        if passed < length {
            shared.change(cut);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
    }
}
