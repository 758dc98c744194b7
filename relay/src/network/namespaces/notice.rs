//! When the kernel has taken a host's IPv6 addresses into use.
//!
//! It answers at once that an address was added, but a worker of its own does the rest later: only then is there a route
//! to the address on its own host, and does the card hear who looks for it (`addrconf_dad_work` in the kernel). On a
//! machine that makes and removes many namespaces, that has taken seconds, and a datagram that came before was lost. The
//! worker tells of what it has done (rtnetlink(7), `RTMGRP_IPV6_IFADDR`).

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressAttribute;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{self, AddressFamily, RecvFlags, SocketFlags, SocketType};

/// `RTMGRP_IPV6_IFADDR` (rtnetlink(7)).
const ADDRESSES: u32 = 0x100;

/// How long a host may be made to wait for its addresses. Who comes too early then is served as on any machine.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many bytes a notice may have.
const NOTICE: usize = 4096;

/// Hears of addresses in the network namespace in which it was made.
#[derive(Debug)]
pub(super) struct Notices(OwnedFd);

impl Notices {
    /// Listens from now on.
    pub(super) fn open() -> io::Result<Self> {
        // NETLINK_ROUTE is 0, which is no protocol.
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        net::bind(&socket, &SocketAddrNetlink::new(0, ADDRESSES))?;
        Ok(Self(socket))
    }

    /// Waits until all of these are in use, or not any longer. Says whether they are.
    pub(super) fn await_addresses(&self, mut missing: BTreeSet<Ipv6Addr>) -> io::Result<bool> {
        let until = Instant::now() + PATIENCE;
        let mut bytes = [0; NOTICE];
        while !missing.is_empty() {
            match net::recv(&self.0, &mut bytes[..], RecvFlags::DONTWAIT) {
                Ok((length, _)) => {
                    if let Some(address) = new_address(bytes.get(..length).unwrap_or(&bytes)) {
                        missing.remove(&address);
                    }
                }
                Err(rustix::io::Errno::AGAIN) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(false);
                    }
                    let left = Timespec::try_from(left).map_err(io::Error::other)?;
                    let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
                    match rustix::event::poll(&mut fds, Some(&left)) {
                        Ok(_) | Err(rustix::io::Errno::INTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }
}

/// The address that a notice says is in use.
fn new_address(notice: &[u8]) -> Option<Ipv6Addr> {
    let notice = NetlinkMessage::<RouteNetlinkMessage>::deserialize(notice).ok()?;
    let NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewAddress(message)) = notice.payload
    else {
        return None;
    };
    message.attributes.into_iter().find_map(|each| match each {
        AddressAttribute::Address(IpAddr::V6(ip)) => Some(ip),
        _ => None,
    })
}
