//! Labs and their hosts, which exist as long as they have processes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{HostName, LabId};

use crate::metrics::{Counted, Metrics};
use crate::network::{Host, LabNetwork, Network};

/// The first process id of a lab, out of the way of the ids that mean something on a real machine.
const FIRST_PID: u32 = 1000;

/// How much there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quotas {
    /// The most labs.
    pub(crate) labs: usize,
    /// The most hosts of a lab.
    pub(crate) hosts: usize,
    /// The most processes of a lab.
    pub(crate) processes: usize,
}

/// Why a process cannot run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    /// Too many labs.
    #[error("it has no room for another lab")]
    Labs,
    /// Too many hosts in the lab.
    #[error("this lab has no room for another host")]
    Hosts,
    /// Too many processes in the lab.
    #[error("this lab has no room for another process")]
    Processes,
}

/// All labs.
#[derive(Debug)]
pub(crate) struct Labs {
    network: Arc<dyn Network>,
    quotas: Quotas,
    metrics: Metrics,
    labs: Mutex<BTreeMap<LabId, Lab>>,
}

#[derive(Debug)]
struct Lab {
    network: Box<dyn LabNetwork>,
    hosts: BTreeMap<HostName, HostEntry>,
    processes: usize,
    next_pid: u32,
    _counted: Counted,
}

#[derive(Debug)]
struct HostEntry {
    host: Arc<dyn Host>,
    processes: usize,
    _counted: Counted,
}

impl Labs {
    /// Makes the registry, with no lab in it.
    pub(crate) fn new(network: Arc<dyn Network>, quotas: Quotas, metrics: Metrics) -> Self {
        Self {
            network,
            quotas,
            metrics,
            labs: Mutex::default(),
        }
    }

    /// Adds a process to a host of a lab. Both are made on first use.
    ///
    /// # Errors
    ///
    /// A quota is used up. Nothing has changed then.
    pub(crate) fn join(
        self: &Arc<Self>,
        lab: &LabId,
        host: &HostName,
    ) -> Result<Membership, JoinError> {
        let mut labs = self.lock();
        let known = labs.get(lab);
        if known.is_none() && self.quotas.labs <= labs.len() {
            return Err(JoinError::Labs);
        }
        if let Some(known) = known {
            if self.quotas.processes <= known.processes {
                return Err(JoinError::Processes);
            }
            if !known.hosts.contains_key(host) && self.quotas.hosts <= known.hosts.len() {
                return Err(JoinError::Hosts);
            }
        } else if self.quotas.processes == 0 {
            return Err(JoinError::Processes);
        } else if self.quotas.hosts == 0 {
            return Err(JoinError::Hosts);
        }
        let mut joined = match labs.remove(lab) {
            Some(joined) => joined,
            None => Lab {
                network: self.network.lab(),
                hosts: BTreeMap::new(),
                processes: 0,
                next_pid: FIRST_PID,
                _counted: self.metrics.count_lab(),
            },
        };
        let result = joined.add(host, &self.metrics);
        if 0 < joined.processes {
            labs.insert(lab.clone(), joined);
        }
        let (host_handle, pid) = result?;
        Ok(Membership {
            labs: Arc::clone(self),
            lab: lab.clone(),
            name: host.clone(),
            host: host_handle,
            pid,
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LabId, Lab>> {
        self.labs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lab {
    fn add(
        &mut self,
        name: &HostName,
        metrics: &Metrics,
    ) -> Result<(Arc<dyn Host>, u32), JoinError> {
        if !self.hosts.contains_key(name) {
            let host = self.network.join(name).map_err(|_| JoinError::Hosts)?;
            let entry = HostEntry {
                host,
                processes: 0,
                _counted: metrics.count_host(),
            };
            self.hosts.insert(name.clone(), entry);
        }
        let entry = self.hosts.get_mut(name).ok_or(JoinError::Hosts)?;
        entry.processes += 1;
        self.processes += 1;
        let pid = self.next_pid;
        self.next_pid += 1;
        Ok((Arc::clone(&entry.host), pid))
    }

    fn remove(&mut self, name: &HostName) {
        self.processes -= 1;
        if let Some(entry) = self.hosts.get_mut(name) {
            entry.processes -= 1;
            if entry.processes == 0 {
                self.hosts.remove(name);
            }
        }
    }
}

/// A process's place in its lab. The last one of a host takes the host with it, the last one of a lab the lab.
#[derive(Debug)]
pub(crate) struct Membership {
    labs: Arc<Labs>,
    lab: LabId,
    name: HostName,
    host: Arc<dyn Host>,
    pid: u32,
}

impl Membership {
    /// The host that the process runs on.
    pub(crate) fn host(&self) -> &Arc<dyn Host> {
        &self.host
    }

    /// The process's id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut labs = self.labs.lock();
        if let Some(lab) = labs.get_mut(&self.lab) {
            lab.remove(&self.name);
            if lab.processes == 0 {
                labs.remove(&self.lab);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NetworkKind;
    use crate::network;

    fn labs(quotas: Quotas) -> Arc<Labs> {
        let network = network::make(NetworkKind::Portable);
        Arc::new(Labs::new(network, quotas, Metrics::default()))
    }

    fn lab(letter: char) -> LabId {
        LabId::new(letter.to_string().repeat(16)).unwrap()
    }

    fn host(name: &str) -> HostName {
        HostName::new(name).unwrap()
    }

    const WIDE: Quotas = Quotas {
        labs: 9,
        hosts: 9,
        processes: 9,
    };

    #[test]
    fn labs_and_hosts_last_as_long_as_their_processes() {
        let labs = labs(WIDE);
        let first = labs.join(&lab('a'), &host("desk")).unwrap();
        let second = labs.join(&lab('a'), &host("desk")).unwrap();
        assert_eq!((first.pid(), second.pid()), (1000, 1001));
        assert_eq!(first.host().addresses(), second.host().addresses());
        drop(first);
        assert!(labs.metrics.render().contains("socketpad_hosts 1\n"));
        drop(second);
        assert!(labs.metrics.render().contains("socketpad_hosts 0\n"));
        assert!(labs.metrics.render().contains("socketpad_labs 0\n"));
    }

    #[test]
    fn quotas_hold_and_leave_nothing_behind() {
        let full = labs(Quotas {
            labs: 1,
            hosts: 1,
            processes: 2,
        });
        let _first = full.join(&lab('a'), &host("desk")).unwrap();
        assert_eq!(
            full.join(&lab('b'), &host("desk")).unwrap_err(),
            JoinError::Labs
        );
        assert_eq!(
            full.join(&lab('a'), &host("bob")).unwrap_err(),
            JoinError::Hosts
        );
        let _second = full.join(&lab('a'), &host("desk")).unwrap();
        assert_eq!(
            full.join(&lab('a'), &host("desk")).unwrap_err(),
            JoinError::Processes
        );
        let none = labs(Quotas { hosts: 0, ..WIDE });
        assert!(none.join(&lab('a'), &host("desk")).is_err());
        assert!(none.lock().is_empty());
    }
}
