//! What can be seen of a lab and done to it from outside its processes.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use protocol::{HostName, LabId};

use super::{Commons, JoinError, Labs};
use crate::client::Client;

/// A lab as it is now.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    /// What its processes share.
    pub(crate) commons: Arc<Commons>,
    /// Its hosts, by name.
    pub(crate) hosts: Vec<HostView>,
}

/// A host as it is now.
#[derive(Clone, Debug)]
pub(crate) struct HostView {
    /// Its name.
    pub(crate) name: HostName,
    /// Its addresses, without its loopback.
    pub(crate) addresses: Vec<IpAddr>,
    /// How many processes it has.
    pub(crate) processes: usize,
}

/// Whether something was made or was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// It is new.
    New,
    /// It was there.
    Known,
}

/// A viewer's place in a lab, which keeps the lab as a process does.
#[derive(Debug)]
pub(crate) struct Viewing {
    labs: Arc<Labs>,
    commons: Arc<Commons>,
}

impl Labs {
    /// Looks at a lab.
    pub(crate) fn look(&self, id: &LabId) -> Option<Overview> {
        let labs = self.lock();
        let lab = labs.get(id)?;
        let hosts = lab.hosts.iter().filter_map(|(name, entry)| {
            Some(HostView {
                name: name.clone(),
                addresses: entry.berth.get()?.addresses(),
                processes: entry.processes,
            })
        });
        Some(Overview {
            commons: Arc::clone(&lab.commons),
            hosts: hosts.collect(),
        })
    }

    /// Makes a lab that nobody uses yet, and so only lasts for the time of grace.
    ///
    /// # Errors
    ///
    /// A quota is used up.
    pub(crate) fn make(&self, id: &LabId, client: Client) -> Result<Made, JoinError> {
        let mut labs = self.lock();
        let made = if labs.contains_key(id) {
            Made::Known
        } else {
            Made::New
        };
        self.open(&mut labs, id, client)?;
        Ok(made)
    }

    /// Lets somebody watch a lab, which is made on first use.
    ///
    /// # Errors
    ///
    /// A quota is used up.
    pub(crate) fn view(self: &Arc<Self>, id: &LabId, client: Client) -> Result<Viewing, JoinError> {
        let mut labs = self.lock();
        let lab = self.open(&mut labs, id, client)?;
        if self.quotas.viewers <= lab.viewers {
            return Err(JoinError::Viewers);
        }
        lab.users += 1;
        lab.viewers += 1;
        lab.left = None;
        Ok(Viewing {
            labs: Arc::clone(self),
            commons: Arc::clone(&lab.commons),
        })
    }
}

impl Viewing {
    /// What the lab's processes share.
    pub(crate) fn commons(&self) -> &Arc<Commons> {
        &self.commons
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        let id = &self.commons.id;
        let mut labs = self.labs.lock();
        if let Some(lab) = labs.get_mut(id) {
            lab.viewers -= 1;
            lab.lose_user(Instant::now());
        }
        self.labs.remove_if_done(&mut labs, id);
        self.labs.changed.notify_waiters();
    }
}
