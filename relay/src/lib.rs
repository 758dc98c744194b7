//! The relay: real sockets for programs that run in a browser.
//!
//! A process opens one WebSocket and says on which host of which lab it runs. From then on the relay makes the socket
//! calls that the process asks for, on real sockets of this machine's kernel, and carries what they send and receive.
//! When the WebSocket is closed, so are the sockets; when its connection is lost, the process may come back for them.
//!
//! # Layout
//!
//! - [`config`](Options): what an operator can set.
//! - `listen`: accepts connections and speaks HTTP on them.
//! - `web`: the routes: the page, the health, the counts, and the handshake that lets a process in.
//! - `session`: a process on the relay; one task each, no other task or channel on the way of its data.
//! - `socket`: one socket of a process: calls, queues, credit, and what the kernel reports.
//! - `network`: what stands behind the addresses that programs see. Only what is in there knows real ones.
//! - [`capture`]: what went over a lab's network.
//! - `system`: the system calls that need `unsafe`, and nothing else that does.
//! - `lab`: labs and hosts, which come with their first process and go some time after the last.
//! - `client`: what counts as one client.
//! - `events`: what happens in a lab, for those who watch it.
//! - `metrics`: what the relay counts.
//! - [`shutdown`]: when to stop.
//!
//! # Invariants
//!
//! - Nothing is unbounded. What a process sends is bounded by credit, what it is sent by one buffer; sockets are read
//!   only when that is free, so the kernel's buffers fill and the peers are slowed down.
//! - Nothing in a session waits: socket calls are non-blocking and their results come through wakers.
//! - What a process sends can end that process, with a stated reason, and nothing else.
//! - Everything that is counted is counted by a guard that its owner holds.

// Not `forbid`, for the sake of `system`: that module alone has an exception, with its reasons.
#![deny(unsafe_code)]
// A peer chooses every byte that is read here, so nothing may be done that panics on some of them. `unwrap` and `expect` are
// out in the whole workspace; an exception from these says why no peer can bring it about.
#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unimplemented,
        clippy::unreachable
    )
)]

pub mod capture;
mod client;
mod config;
mod events;
mod lab;
mod listen;
mod metrics;
mod network;
mod pace;
mod session;
pub mod shutdown;
mod socket;
mod system;
mod web;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::limits::MAX_SOCKETS;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::lab::{Labs, Quotas};
use crate::network::Network;
use crate::session::{Roster, Settings};
use crate::web::Assets;

pub use config::{
    Access, AccessToken, AccessTokenError, Limits, NetworkKind, Options, ProxyHeader,
};
pub use lab::{LinkError, Links};
pub use metrics::Metrics;
pub use network::{Link, NoLinks, switch};

/// How long processes and requests may take to end when the relay stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A relay that is bound to its address.
#[derive(Debug)]
pub struct Relay {
    listener: std::net::TcpListener,
    address: SocketAddr,
    options: Options,
    assets: Assets,
    network: Arc<dyn Network>,
    metrics: Metrics,
    links: Links,
}

impl Relay {
    /// Binds the relay to its address. It serves nobody before [`serve`](Self::serve).
    ///
    /// If hosts are to be network namespaces, and the process is not root's, call it before there are other threads: it
    /// makes the process enter a user namespace and a network namespace. Nobody but the relay's hosts can be reached
    /// from there by a new socket; the relay itself listens where it was started.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on, the page is not where the options say, or hosts cannot be made as they say.
    pub fn bind(options: Options) -> io::Result<Self> {
        system::give_large_memory_back();
        let assets = Assets::open(options.assets.clone())?;
        let listener = listen(options.listen)?;
        let network = network::make(options.network).map_err(io::Error::other)?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            options,
            assets,
            network,
            metrics: Metrics::default(),
            links: Links::default(),
        })
    }

    /// Where the relay listens, with the port that it got.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The relay's counts.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// The links of the hosts.
    pub fn links(&self) -> Links {
        self.links.clone()
    }

    /// Serves until `shutdown` completes, then ends every process and returns. Dropping the future ends them as well.
    ///
    /// # Errors
    ///
    /// The event loop does not take the listener. What goes wrong with one connection concerns that one only.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let stop = CancellationToken::new();
        let _stop_when_dropped = stop.clone().drop_guard();
        let sessions = TaskTracker::new();
        let options = self.options;
        let quotas = Quotas {
            labs: options.labs,
            hosts: options.hosts,
            processes: options.processes,
            labs_per_client: options.limits.labs_per_client,
            viewers: options.limits.viewers,
            events: options.limits.events,
            buffer: options.limits.lab_buffer,
            life: options.limits.lab_life,
            grace: options.limits.grace,
        };
        let labs = Arc::new(Labs::new(self.network, quotas, self.metrics.clone()));
        self.links.know(&labs);
        let roster = Arc::<Roster>::default();
        sessions.spawn(lab::keep(
            Arc::clone(&labs),
            Arc::clone(&roster),
            stop.clone(),
        ));
        let settings = Settings {
            labs,
            roster,
            metrics: self.metrics.clone(),
            sockets: options.sockets.min(MAX_SOCKETS),
            silence: options.silence,
            ping: options.ping,
            limits: options.limits.clone(),
            grace: options.grace,
            stop: stop.clone(),
        };
        let site = Arc::new(web::Site {
            metrics: self.metrics,
            settings: Arc::new(settings),
            sessions: sessions.clone(),
            origins: options.origins,
            access: options.access,
            assets: self.assets,
        });
        let connections = Arc::new(Semaphore::new(options.connections));
        let serving = listen::serve(
            listener,
            web::router(site),
            connections,
            options.limits.head,
            stop.clone(),
        );
        let mut serving = std::pin::pin!(serving);
        tokio::select! {
            () = serving.as_mut() => {}
            () = shutdown => {}
        }
        stop.cancel();
        sessions.close();
        let ended = tokio::time::timeout(FAREWELL, async {
            serving.await;
            sessions.wait().await;
        });
        if ended.await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        Ok(())
    }
}

/// Listens on an address.
fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // Connections of an earlier relay that are not forgotten yet are in nobody's way.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
