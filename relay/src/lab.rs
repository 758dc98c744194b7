//! Labs and their hosts: made on first use, and removed some time after their last process and viewer have left.
//!
//! - [`Labs`]: all of them, and the quotas.
//! - [`arrival`]: how somebody comes to a host, which is made while nothing is locked.
//! - [`cables`]: the links of hosts, as they are set and looked at from outside.
//! - [`commons`]: what the processes of a lab share; [`pool`]: how much they may make the relay hold.
//! - [`overview`]: what can be seen of a lab and done to it from outside.
//! - [`keeper`]: the task that removes what is left over.

mod arrival;
mod cables;
mod commons;
mod keeper;
mod overview;
mod pool;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::{HostName, LabId};
use tokio::sync::Notify;

use crate::client::Client;
use crate::events::Hub;
use crate::metrics::{Counted, Metrics};
use crate::network::unix::Registry;
use crate::network::{LabNetwork, Network};

use arrival::Berth;
pub(crate) use arrival::Membership;
pub use cables::{LinkError, Links};
pub(crate) use commons::{Commons, shown};
pub(crate) use keeper::keep;
pub(crate) use overview::{HostView, Made, Viewing};

/// The first process id of a lab, out of the way of the ids that mean something on a real machine.
const FIRST_PID: u32 = 1000;

/// How much there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quotas {
    /// The most labs.
    pub(crate) labs: usize,
    /// The most labs that one client has made.
    pub(crate) labs_per_client: usize,
    /// The most hosts of a lab.
    pub(crate) hosts: usize,
    /// The most processes of a lab.
    pub(crate) processes: usize,
    /// The most viewers of a lab.
    pub(crate) viewers: usize,
    /// The most events of a lab that are told, a second.
    pub(crate) events: usize,
    /// The most bytes that the sockets of a lab may make the relay hold.
    pub(crate) buffer: u64,
    /// How long a lab may exist; zero for ever.
    pub(crate) life: Duration,
    /// How long labs and hosts are kept that nobody uses.
    pub(crate) grace: Duration,
}

/// Why somebody cannot join a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    /// Too many labs.
    #[error("it has no room for another lab")]
    Labs,
    /// Too many labs of this client.
    #[error("it has no room for another lab of your address")]
    Client,
    /// Too many hosts in the lab.
    #[error("this lab has no room for another host")]
    Hosts,
    /// Too many processes in the lab.
    #[error("this lab has no room for another process")]
    Processes,
    /// Too many viewers of the lab.
    #[error("this lab has no room for another viewer")]
    Viewers,
    /// The lab was revoked or its time is up, and its processes are about to go.
    #[error("this lab is being ended")]
    Ending,
    /// The host could not be made. The log says why.
    #[error(
        "it could not make the host, for want of something that its operator has to look after"
    )]
    Network,
}

/// What a sweep came to.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Labs whose time is up. Their processes must be ended.
    pub(crate) expired: Vec<LabId>,
    /// When to sweep again.
    pub(crate) next: Option<Instant>,
}

/// All labs.
#[derive(Debug)]
pub(crate) struct Labs {
    network: Arc<dyn Network>,
    quotas: Quotas,
    metrics: Metrics,
    labs: Mutex<BTreeMap<LabId, Lab>>,
    changed: Notify,
}

#[derive(Debug)]
struct Lab {
    commons: Arc<Commons>,
    network: Arc<dyn LabNetwork>,
    client: Client,
    hosts: BTreeMap<HostName, HostEntry>,
    /// How many processes and viewers it has, and others who wait for one of its hosts.
    users: usize,
    /// How many of them are processes.
    processes: usize,
    /// How many of them are viewers.
    viewers: usize,
    /// Since when it has no users.
    left: Option<Instant>,
    /// Whether nobody may join any more.
    ending: bool,
    next_pid: u32,
    _counted: Counted,
}

#[derive(Debug)]
struct HostEntry {
    berth: Arc<Berth>,
    unix: Arc<Registry>,
    /// How many processes it has, and others who wait for it.
    users: usize,
    /// How many of them are processes.
    processes: usize,
    /// Since when it has no users.
    left: Option<Instant>,
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
            changed: Notify::new(),
        }
    }

    /// Finds a lab, or makes it. A new one has no users and begins its grace.
    fn open<'a>(
        &self,
        labs: &'a mut BTreeMap<LabId, Lab>,
        id: &LabId,
        client: Client,
    ) -> Result<&'a mut Lab, JoinError> {
        if !labs.contains_key(id) {
            self.make_room(labs, client)?;
            let lab = Lab {
                commons: self.commons(id.clone()),
                network: self.network.lab(),
                client,
                hosts: BTreeMap::new(),
                users: 0,
                processes: 0,
                viewers: 0,
                left: Some(Instant::now()),
                ending: false,
                next_pid: FIRST_PID,
                _counted: self.metrics.count_lab(),
            };
            labs.insert(id.clone(), lab);
            self.changed.notify_waiters();
        }
        match labs.get_mut(id) {
            Some(lab) if !lab.ending => Ok(lab),
            Some(_) | None => Err(JoinError::Ending),
        }
    }

    /// What a new lab has in common.
    fn commons(&self, id: LabId) -> Arc<Commons> {
        let events = Hub::new(self.quotas.events, self.metrics.clone());
        Arc::new(Commons::new(id, self.quotas.buffer, events))
    }

    /// Sees to it that the quotas allow another lab: one that nobody uses any more makes way.
    fn make_room(&self, labs: &mut BTreeMap<LabId, Lab>, client: Client) -> Result<(), JoinError> {
        let of_client = |lab: &Lab| lab.client == client;
        if self.quotas.labs_per_client <= labs.values().filter(|lab| of_client(lab)).count() {
            evict(labs, of_client).ok_or(JoinError::Client)?;
        }
        if self.quotas.labs <= labs.len() {
            evict(labs, |_| true).ok_or(JoinError::Labs)?;
        }
        Ok(())
    }

    /// Removes what nobody has used for the time of grace, and finds the labs whose time is up.
    pub(crate) fn sweep(&self, now: Instant) -> Swept {
        let Quotas { grace, life, .. } = self.quotas;
        let mut swept = Swept::default();
        let mut due = |at: Instant| {
            if now < at {
                swept.next = Some(swept.next.map_or(at, |next| next.min(at)));
            }
            at <= now
        };
        self.lock().retain(|id, lab| {
            lab.hosts
                .retain(|_, host| !host.left.is_some_and(|left| due(left + grace)));
            if lab.left.is_some_and(|left| due(left + grace)) {
                return false;
            }
            if !life.is_zero() && !lab.ending && due(lab.commons.events.begun() + life) {
                lab.ending = true;
                lab.commons.events.close();
                swept.expired.push(id.clone());
            }
            true
        });
        swept
    }

    /// Lets nobody join a lab any more, and removes it when its last process has gone. Says whether there is such a lab.
    pub(crate) fn revoke(&self, id: &LabId) -> bool {
        let mut labs = self.lock();
        let Some(lab) = labs.get_mut(id) else {
            return false;
        };
        lab.ending = true;
        lab.commons.events.close();
        self.remove_if_done(&mut labs, id);
        true
    }

    /// How long a lab may exist, in seconds.
    pub(crate) fn lab_life_seconds(&self) -> u32 {
        u32::try_from(self.quotas.life.as_secs()).unwrap_or(u32::MAX)
    }

    /// Completes when there may be something to sweep earlier than the last sweep said.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + '_ {
        let mut changed = Box::pin(self.changed.notified());
        changed.as_mut().enable();
        changed
    }

    /// Removes a lab that has no users if it need not be kept.
    fn remove_if_done(&self, labs: &mut BTreeMap<LabId, Lab>, id: &LabId) {
        let done = |lab: &Lab| lab.users == 0 && (lab.ending || self.quotas.grace.is_zero());
        if labs.get(id).is_some_and(done) {
            labs.remove(id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LabId, Lab>> {
        self.labs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the lab that has had no users for longest, of those that are looked for.
fn evict(labs: &mut BTreeMap<LabId, Lab>, wanted: impl Fn(&Lab) -> bool) -> Option<Lab> {
    let (_, id) = labs
        .iter()
        .filter(|(_, lab)| wanted(lab))
        .filter_map(|(id, lab)| lab.left.map(|left| (left, id)))
        .min()?;
    let id = id.clone();
    labs.remove(&id)
}

impl Lab {
    fn lose_user(&mut self, now: Instant) {
        self.users -= 1;
        if self.users == 0 {
            self.left = Some(now);
        }
    }
}
