//! The sockets of a lab, as ss(8) shows them.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use protocol::{Address, Domain, Kind};
use serde::Serialize;
use utoipa::ToSchema;

use super::processes::listed;
use super::{Problem, Site};
use crate::network::State as KernelState;
use crate::session::{Listing, Row};

/// How long a process may take to answer. One that takes longer is being slowed down, and is left out.
const PATIENCE: Duration = Duration::from_secs(1);

/// A socket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Socket {
    /// The process that owns it.
    #[schema(example = 1000)]
    pid: u32,
    /// The host that the process runs on.
    #[schema(example = "desk")]
    host: String,
    /// Its number in the process.
    socket: u32,
    /// What kind of addresses it has.
    family: Family,
    /// What it is.
    kind: SocketKind,
    /// Its state, as ss(8) calls it.
    state: SocketState,
    /// Bytes that wait for the program in the relay's kernel, of a UNIX datagram socket those of the first datagram; of a
    /// listener, connections that wait for accept(2).
    receive_queue: u32,
    /// Bytes that the kernel has not sent, or that were not acknowledged, none of a UNIX socket; of a listener but those,
    /// its backlog.
    send_queue: u32,
    /// Bytes that the relay holds because the kernel takes no more.
    held: u64,
    /// Its address, as the program sees it; `*` if it has none.
    #[schema(example = "127.0.0.1:8888")]
    local: String,
    /// Its peer's.
    #[schema(example = "*")]
    peer: String,
}

/// The families of sockets.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Family {
    /// IPv4.
    Inet,
    /// IPv6, perhaps IPv4 too.
    Inet6,
    /// UNIX, with paths and abstract names.
    Unix,
}

/// The kinds of socket.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SocketKind {
    /// A stream.
    Stream,
    /// Datagrams.
    Datagram,
    /// Packets of an IP protocol.
    Raw,
    /// ICMP echoes.
    Ping,
    /// Datagrams of UDP-Lite.
    UdpLite,
}

/// The states of a socket (tcp(7)), as ss(8) calls them.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub(crate) enum SocketState {
    /// Connected.
    Estab,
    /// Connecting.
    SynSent,
    /// About to be connected.
    SynRecv,
    /// Closed on this side, which the other has not acknowledged.
    #[serde(rename = "FIN-WAIT-1")]
    FinWait1,
    /// Closed on this side only.
    #[serde(rename = "FIN-WAIT-2")]
    FinWait2,
    /// Closed, and remembered for a while.
    TimeWait,
    /// Not connected.
    Unconn,
    /// Closed on the other side only.
    CloseWait,
    /// Closed on both sides, which the other has not acknowledged.
    LastAck,
    /// Listening.
    Listen,
    /// Closed on both sides at the same time.
    Closing,
}

impl From<KernelState> for SocketState {
    fn from(state: KernelState) -> Self {
        // The numbers of the kernel's tcp_states.h.
        match state.0 {
            1 => Self::Estab,
            2 => Self::SynSent,
            3 | 12 => Self::SynRecv,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            _ => Self::Unconn,
        }
    }
}

impl Socket {
    fn new(listing: &Listing, row: &Row) -> Self {
        Self {
            pid: listing.pid,
            host: listing.host.to_string(),
            socket: row.socket.0,
            family: match row.domain {
                Domain::Inet => Family::Inet,
                Domain::Inet6 => Family::Inet6,
                Domain::Unix => Family::Unix,
            },
            kind: match row.kind {
                Kind::Stream => SocketKind::Stream,
                Kind::Datagram => SocketKind::Datagram,
                Kind::Raw { .. } => SocketKind::Raw,
                Kind::Ping => SocketKind::Ping,
                Kind::UdpLite => SocketKind::UdpLite,
            },
            state: row.sight.state.into(),
            receive_queue: row.sight.receive,
            send_queue: row.sight.send,
            held: row.held,
            local: shown(&row.local),
            peer: shown(&row.peer),
        }
    }
}

/// An address as people write it.
fn shown(address: &Address) -> String {
    match address {
        Address::Unspecified => String::from("*"),
        Address::Inet { ip, port } => format!("{ip}:{port}"),
        Address::Inet6 {
            ip, port, scope: 0, ..
        } => format!("[{ip}]:{port}"),
        Address::Inet6 {
            ip, port, scope, ..
        } => format!("[{ip}%{scope}]:{port}"),
        Address::Unix(path) => match path.split_first() {
            None => String::from("*"),
            Some((0, name)) => format!("@{}", String::from_utf8_lossy(name)),
            Some(_) => String::from_utf8_lossy(path).into_owned(),
        },
    }
}

/// The sockets of a lab, as ss(8) would show them.
///
/// States and queues are the kernel's at the moment of the request. Connections that no process owns any more
/// (TIME-WAIT) are not shown.
#[utoipa::path(get, path = "/api/v1/labs/{lab}/sockets", tag = "sockets",
    params(("lab" = String, Path, description = "The lab")),
    responses(
        (status = 200, description = "The sockets, by process and number", body = [Socket]),
        (status = 404, description = "There is no such lab", body = Problem),
    ))]
pub(crate) async fn list(
    State(site): State<Arc<Site>>,
    Path(lab): Path<String>,
) -> Result<Json<Vec<Socket>>, Problem> {
    let listed = listed(&site, lab)?;
    // All are asked before any is waited for.
    let asked: Vec<_> = listed.iter().map(|it| (it, it.questions.ask())).collect();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut sockets = Vec::new();
    for (listing, answer) in asked {
        // One that has ended meanwhile has no sockets.
        if let Ok(Ok(rows)) = tokio::time::timeout_at(deadline, answer).await {
            sockets.extend(rows.iter().map(|row| Socket::new(listing, row)));
        }
    }
    Ok(Json(sockets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_people_write_them() {
        let six = |scope| Address::Inet6 {
            ip: "fe80::1".parse().unwrap(),
            port: 80,
            flow: 0,
            scope,
        };
        assert_eq!(shown(&six(0)), "[fe80::1]:80");
        assert_eq!(shown(&six(2)), "[fe80::1%2]:80");
        assert_eq!(shown(&Address::Unspecified), "*");
        assert_eq!(shown(&Address::Unix(b"\0name".to_vec())), "@name");
        assert_eq!(shown(&Address::Unix(b"/tmp/x".to_vec())), "/tmp/x");
    }
}
