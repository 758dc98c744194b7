//! Which real address a view means, and which view a real address is shown as.

use std::net::Ipv4Addr;

use protocol::Errno;

/// A host's two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The one that its sockets really have.
    pub(super) real: Ipv4Addr,
    /// The one that the lab knows it by.
    pub(super) lab: Ipv4Addr,
}

impl Identity {
    /// Checks that a socket of this host may be bound to a view.
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL`: it is no address of this host (bind(2)).
    pub(super) fn check_own(self, view: Ipv4Addr) -> Result<(), Errno> {
        if view.is_unspecified() || view.is_loopback() || view == self.lab {
            Ok(())
        } else {
            Err(Errno::EADDRNOTAVAIL)
        }
    }

    /// The view that a socket speaks from when it speaks to a destination, as the kernel's routing would choose it.
    ///
    /// `bound` is what the socket was bound to, 0.0.0.0 if to nothing in particular.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it is bound to the loopback, from where no other host can be reached.
    pub(super) fn source(
        self,
        bound: Ipv4Addr,
        destination: Destination,
    ) -> Result<Ipv4Addr, Errno> {
        if bound.is_loopback() && destination.real != self.real {
            return Err(Errno::EINVAL);
        }
        Ok(if !bound.is_unspecified() {
            bound
        } else if destination.view.is_loopback() {
            Ipv4Addr::LOCALHOST
        } else {
            self.lab
        })
    }

    /// The view that an unknown sender of this same host most likely has for a socket bound to `bound`.
    pub(super) fn neighbour(self, bound: Ipv4Addr) -> Ipv4Addr {
        if bound == self.lab {
            self.lab
        } else {
            Ipv4Addr::LOCALHOST
        }
    }
}

/// Where a view leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// The real address.
    pub(super) real: Ipv4Addr,
    /// What the peer is called: the view that was asked for, or 127.0.0.1 for 0.0.0.0 (ip(7)).
    pub(super) view: Ipv4Addr,
}

/// Whether a socket that was bound to one view can be reached by dialling another.
pub(super) fn admits(bound: Ipv4Addr, dialled: Ipv4Addr) -> bool {
    bound.is_unspecified() || bound == dialled
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Identity = Identity {
        real: Ipv4Addr::new(127, 9, 9, 9),
        lab: Ipv4Addr::new(10, 0, 0, 1),
    };

    fn own(view: Ipv4Addr) -> Destination {
        Destination {
            real: ME.real,
            view,
        }
    }

    const OTHER: Destination = Destination {
        real: Ipv4Addr::new(127, 8, 8, 8),
        view: Ipv4Addr::new(10, 0, 0, 2),
    };

    #[test]
    fn a_host_binds_to_its_own_addresses_only() {
        for view in [
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::LOCALHOST,
            Ipv4Addr::new(127, 1, 2, 3),
            ME.lab,
        ] {
            assert_eq!(ME.check_own(view), Ok(()));
        }
        assert_eq!(ME.check_own(OTHER.view), Err(Errno::EADDRNOTAVAIL));
    }

    #[test]
    fn the_source_is_what_routing_would_choose() {
        let any = Ipv4Addr::UNSPECIFIED;
        assert_eq!(
            ME.source(any, own(Ipv4Addr::new(127, 0, 0, 7))),
            Ok(Ipv4Addr::LOCALHOST)
        );
        assert_eq!(ME.source(any, own(ME.lab)), Ok(ME.lab));
        assert_eq!(ME.source(any, OTHER), Ok(ME.lab));
        assert_eq!(ME.source(Ipv4Addr::LOCALHOST, OTHER), Err(Errno::EINVAL));
        assert_eq!(ME.source(ME.lab, own(Ipv4Addr::LOCALHOST)), Ok(ME.lab));
    }

    #[test]
    fn a_server_on_localhost_is_not_reached_by_the_lab_address() {
        assert!(admits(Ipv4Addr::UNSPECIFIED, ME.lab));
        assert!(admits(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST));
        assert!(!admits(Ipv4Addr::LOCALHOST, ME.lab));
        assert!(!admits(ME.lab, Ipv4Addr::LOCALHOST));
    }
}
