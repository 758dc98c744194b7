//! Whether hosts can be network namespaces here, and how the process gets the right to make them.

use std::fs;
use std::io;
use std::sync::Arc;

use rustix::process::{getegid, geteuid};

use super::register::Number;
use super::space::Space;
use super::{Namespaces, interface};
use crate::system;

/// What keeps hosts from being network namespaces, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Obstacle {
    /// The kernel does not tell which namespaces there are.
    #[error(
        "/proc has no network namespaces ({0}): mount proc, and use a kernel with CONFIG_NET_NS"
    )]
    Proc(io::Error),
    /// There are no TAP devices.
    #[error(
        "/dev/net/tun cannot be opened ({0}): load the module tun and let this user read and write the device; \
         in a container, add --device /dev/net/tun"
    )]
    Tun(io::Error),
    /// The process has begun to work.
    #[error(
        "the process has threads already, so it cannot enter a user namespace: open the relay before, or be root"
    )]
    Threads,
    /// No user namespace can be made.
    #[error(
        "no user namespace can be made ({0}): allow it to ordinary users (sysctl user.max_user_namespaces, \
         kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or run as root; \
         in a container, add --cap-add SYS_ADMIN, NET_ADMIN and NET_RAW, or allow unshare(2) in its seccomp profile"
    )]
    User(io::Error),
    /// The maps of the user namespace cannot be written.
    #[error("the user namespace cannot be set up ({0}): /proc must be writable for this user")]
    Map(io::Error),
    /// A host was tried, and did not come about.
    #[error(
        "a host cannot be made ({0}): the kernel needs CONFIG_TUN and CONFIG_PACKET, and a container needs --cap-add NET_ADMIN and NET_RAW"
    )]
    Host(io::Error),
}

impl Namespaces {
    /// Gets the right to make hosts, and makes one to see that it works.
    ///
    /// Root has the right. Anybody else gets it in a user namespace, which a process can enter only as long as it has
    /// one thread. Sockets that it has by then stay where they are, and so does what they accept.
    pub(in crate::network) fn open() -> Result<Self, Obstacle> {
        let mut home = Space::here().map_err(Obstacle::Proc)?;
        interface::open_tun().map_err(Obstacle::Tun)?;
        if Space::make(&home).is_err() {
            enter_user_namespace()?;
            home = Space::here().map_err(Obstacle::Proc)?;
        }
        try_out(&home).map_err(Obstacle::Host)?;
        Ok(Self {
            home: Arc::new(home),
        })
    }
}

/// Makes a host, and lets it go again.
fn try_out(home: &Space) -> io::Result<()> {
    let space = Space::make(home)?;
    space.within(home, || interface::furnish(Number::FIRST))?;
    Ok(())
}

/// Enters a user namespace in which we are root, and an empty network namespace of its own.
///
/// From that one, threads can go to those of hosts and back. From the machine's own they could not come back to it.
fn enter_user_namespace() -> Result<(), Obstacle> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    system::unshare_user_and_network().map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Obstacle::Threads,
        _ => Obstacle::User(error),
    })?;
    // An ordinary user may map its own group only after giving up to drop others (user_namespaces(7)).
    fs::write("/proc/self/setgroups", "deny").map_err(Obstacle::Map)?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1")).map_err(Obstacle::Map)?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1")).map_err(Obstacle::Map)?;
    // Should hosts not come about after all, the portable network has a loopback to work on.
    interface::raise_loopback().map_err(Obstacle::Host)
}
