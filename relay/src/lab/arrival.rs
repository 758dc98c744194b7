//! How somebody comes to a host.
//!
//! To make a host takes milliseconds: a network namespace, interfaces, addresses. So a place is reserved while the table
//! of labs is locked, and the host is made while it is not, on a thread that has nothing else to do. Whoever wants the
//! same host waits for it; nobody else does.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Instant;

use protocol::{HostName, LabId};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use super::{Commons, HostEntry, HostView, JoinError, Lab, Labs, Made};
use crate::client::Client;
use crate::metrics::Metrics;
use crate::network::unix::{Owner, Registry};
use crate::network::{Host, LabNetwork};

/// Where a host is, once it is made.
pub(super) type Berth = OnceCell<Arc<dyn Host>>;

/// Who waits for a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guest {
    /// A process, which stays on it.
    Process,
    /// Somebody who only wants it to be there.
    Maker,
}

/// A place that is kept for somebody, whose host may still have to be made. Dropped, it is given up.
#[derive(Debug)]
struct Reservation {
    labs: Arc<Labs>,
    commons: Arc<Commons>,
    network: Arc<dyn LabNetwork>,
    berth: Arc<Berth>,
    unix: Arc<Registry>,
    name: HostName,
    pid: u32,
    guest: Guest,
    made: Made,
}

impl Labs {
    /// Adds a process to a host of a lab. Both are made on first use.
    ///
    /// # Errors
    ///
    /// A quota is used up, or the host cannot be made. Nothing has changed then.
    pub(crate) async fn join(
        self: &Arc<Self>,
        id: &LabId,
        host: &HostName,
        client: Client,
    ) -> Result<Membership, JoinError> {
        let place = self.reserve(id, host, client, Guest::Process)?;
        let host = place.host().await?;
        Ok(Membership {
            unix: Owner::new(&place.unix, place.pid),
            host,
            place,
        })
    }

    /// Makes a host that has no processes yet, and its lab.
    ///
    /// # Errors
    ///
    /// A quota is used up, or the host cannot be made.
    pub(crate) async fn make_host(
        self: &Arc<Self>,
        id: &LabId,
        name: &HostName,
        client: Client,
    ) -> Result<(Made, HostView), JoinError> {
        let place = self.reserve(id, name, client, Guest::Maker)?;
        let host = place.host().await?;
        let known = |labs: &Self| Some(labs.lock().get(id)?.hosts.get(name)?.processes);
        let view = HostView {
            name: name.clone(),
            addresses: host.addresses(),
            processes: known(self).unwrap_or_default(),
        };
        Ok((place.made, view))
    }

    fn reserve(
        self: &Arc<Self>,
        id: &LabId,
        host: &HostName,
        client: Client,
        guest: Guest,
    ) -> Result<Reservation, JoinError> {
        if guest == Guest::Process && self.quotas.processes == 0 {
            return Err(JoinError::Processes);
        }
        let mut labs = self.lock();
        let lab = self.open(&mut labs, id, client)?;
        if guest == Guest::Process && self.quotas.processes <= lab.processes {
            return Err(JoinError::Processes);
        }
        let (entry, made) = match lab.entry(host, self.quotas.hosts, &self.metrics) {
            Ok(found) => found,
            Err(error) => {
                self.remove_if_done(&mut labs, id);
                return Err(error);
            }
        };
        entry.users += 1;
        entry.left = None;
        entry.processes += guest.processes();
        let (berth, unix) = (Arc::clone(&entry.berth), Arc::clone(&entry.unix));
        lab.users += 1;
        lab.left = None;
        lab.processes += guest.processes();
        let pid = lab.next_pid;
        if guest == Guest::Process {
            lab.next_pid += 1;
        }
        Ok(Reservation {
            labs: Arc::clone(self),
            commons: Arc::clone(&lab.commons),
            network: Arc::clone(&lab.network),
            berth,
            unix,
            name: host.clone(),
            pid,
            guest,
            made,
        })
    }

    fn leave(&self, id: &LabId, host: &HostName, guest: Guest) {
        let now = Instant::now();
        let mut labs = self.lock();
        if let Some(lab) = labs.get_mut(id) {
            lab.processes -= guest.processes();
            if let Some(entry) = lab.hosts.get_mut(host) {
                entry.processes -= guest.processes();
                entry.users -= 1;
                if entry.users == 0 {
                    entry.left = Some(now);
                    // One that could not be made is none.
                    if self.quotas.grace.is_zero() || !entry.berth.initialized() {
                        lab.hosts.remove(host);
                    }
                }
            }
            lab.lose_user(now);
        }
        self.remove_if_done(&mut labs, id);
        self.changed.notify_waiters();
    }
}

impl Lab {
    /// Finds a host's entry, or adds it. One that has no users any more makes way for a new one.
    fn entry(
        &mut self,
        name: &HostName,
        quota: usize,
        metrics: &Metrics,
    ) -> Result<(&mut HostEntry, Made), JoinError> {
        let mut made = Made::Known;
        if !self.hosts.contains_key(name) {
            if quota <= self.hosts.len() {
                let left = |(name, host): (&HostName, &HostEntry)| {
                    host.left.map(|left| (left, name.clone()))
                };
                let (_, oldest) = self
                    .hosts
                    .iter()
                    .filter_map(left)
                    .min()
                    .ok_or(JoinError::Hosts)?;
                self.hosts.remove(&oldest);
            }
            let entry = HostEntry {
                berth: Arc::default(),
                unix: Arc::default(),
                users: 0,
                processes: 0,
                left: None,
                _counted: metrics.count_host(),
            };
            self.hosts.insert(name.clone(), entry);
            made = Made::New;
        }
        let entry = self.hosts.get_mut(name).ok_or(JoinError::Hosts)?;
        Ok((entry, made))
    }
}

impl Guest {
    /// How many processes this is.
    fn processes(self) -> usize {
        match self {
            Self::Process => 1,
            Self::Maker => 0,
        }
    }
}

impl Reservation {
    /// The host, which is made if it is not there. If that fails, whoever comes next tries again.
    async fn host(&self) -> Result<Arc<dyn Host>, JoinError> {
        let made = self.berth.get_or_try_init(async || {
            let (network, name) = (Arc::clone(&self.network), self.name.clone());
            let making = spawn_blocking(move || network.join(&name));
            // It does not panic, and is not started any more when the relay stops.
            making.await.map_err(io::Error::other)?
        });
        match made.await {
            Ok(host) => Ok(Arc::clone(host)),
            Err(error) if error.kind() == ErrorKind::QuotaExceeded => Err(JoinError::Hosts),
            Err(error) => {
                tracing::error!(%error, "a host could not be made");
                Err(JoinError::Network)
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // A host that goes is off the network before another one can get its name.
        self.berth = Arc::default();
        self.labs.leave(&self.commons.id, &self.name, self.guest);
    }
}

/// A process's place in its lab.
#[derive(Debug)]
pub(crate) struct Membership {
    unix: Arc<Owner>,
    host: Arc<dyn Host>,
    place: Reservation,
}

impl Membership {
    /// What it shares with the rest of the lab.
    pub(crate) fn commons(&self) -> &Arc<Commons> {
        &self.place.commons
    }

    /// The host that the process runs on.
    pub(crate) fn host(&self) -> &Arc<dyn Host> {
        &self.host
    }

    /// The process among its host's UNIX sockets.
    pub(crate) fn unix(&self) -> &Arc<Owner> {
        &self.unix
    }

    /// The process's id.
    pub(crate) fn pid(&self) -> u32 {
        self.place.pid
    }
}
