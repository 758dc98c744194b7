//! The links of hosts, as they are set and looked at from outside a lab.

use std::sync::{Arc, OnceLock, Weak};

use protocol::{HostName, LabId};

use super::Labs;
use crate::capture::Capture;
use crate::network::switch::conditions::Conditions;
use crate::network::{Host, Link, NoLinks};

/// Why there is nothing to set or look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No such lab.
    #[error("there is no such lab")]
    Lab,
    /// No such host.
    #[error("this lab has no such host")]
    Host,
    /// No links.
    #[error(transparent)]
    NoLinks(#[from] NoLinks),
}

/// The links of all hosts of a relay. Clones are the same. There are none before it serves, nor after.
#[derive(Clone, Debug, Default)]
pub struct Links(Arc<OnceLock<Weak<Labs>>>);

impl Links {
    /// Makes the labs known whose links these are.
    pub(crate) fn know(&self, labs: &Arc<Labs>) {
        // A relay serves once.
        self.0.get_or_init(|| Arc::downgrade(labs));
    }

    /// A host's link as it is now.
    ///
    /// # Errors
    ///
    /// There is no such link.
    pub fn link(&self, lab: &LabId, host: &HostName) -> Result<Link, LinkError> {
        self.labs()?.link(lab, host)
    }

    /// Changes the conditions of a host's link, for every frame that is not through yet.
    ///
    /// # Errors
    ///
    /// There is no such link.
    pub fn set(
        &self,
        lab: &LabId,
        host: &HostName,
        conditions: &Conditions,
    ) -> Result<(), LinkError> {
        self.labs()?.set_link(lab, host, conditions)
    }

    /// The record of a lab.
    ///
    /// # Errors
    ///
    /// There is no such lab, or it has no links.
    pub fn capture(&self, lab: &LabId) -> Result<Capture, LinkError> {
        self.labs()?.capture(lab)
    }

    fn labs(&self) -> Result<Arc<Labs>, LinkError> {
        self.0.get().and_then(Weak::upgrade).ok_or(LinkError::Lab)
    }
}

impl Labs {
    /// A host's link as it is now.
    ///
    /// # Errors
    ///
    /// There is no such link.
    pub(crate) fn link(&self, lab: &LabId, host: &HostName) -> Result<Link, LinkError> {
        Ok(self.host(lab, host)?.link()?)
    }

    /// Changes the conditions of a host's link.
    ///
    /// # Errors
    ///
    /// There is no such link.
    pub(crate) fn set_link(
        &self,
        lab: &LabId,
        host: &HostName,
        conditions: &Conditions,
    ) -> Result<(), LinkError> {
        Ok(self.host(lab, host)?.set_link(conditions)?)
    }

    /// The record of a lab.
    ///
    /// # Errors
    ///
    /// There is no such lab, or it has no links.
    pub(crate) fn capture(&self, lab: &LabId) -> Result<Capture, LinkError> {
        let entries = self.lock();
        let entry = entries.get(lab).ok_or(LinkError::Lab)?;
        Ok(entry.network.capture()?)
    }

    /// A host of a lab. What is done with it delays nobody who looks for another.
    fn host(&self, lab: &LabId, host: &HostName) -> Result<Arc<dyn Host>, LinkError> {
        let entries = self.lock();
        let entry = entries.get(lab).ok_or(LinkError::Lab)?;
        let host = entry.hosts.get(host).and_then(|host| host.berth.get());
        host.map(Arc::clone).ok_or(LinkError::Host)
    }
}
