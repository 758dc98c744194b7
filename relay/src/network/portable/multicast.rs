//! Multicast, which this network has not: its hosts are as machines none of whose interfaces takes part in it.
//!
//! Sending to a group or to a broadcast address is `ENETUNREACH`, as to every address without a route.

use protocol::Errno;

use super::super::option::{
    IP_ADD_MEMBERSHIP, IP_ADD_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE, IP_DROP_MEMBERSHIP,
    IP_DROP_SOURCE_MEMBERSHIP, IP_MULTICAST_IF, IP_UNBLOCK_SOURCE, IPV6_JOIN_GROUP,
    IPV6_LEAVE_GROUP,
};

/// What Linux says to whoever wants to join a group without an interface for it, or leaves one without being in it
/// (ip(7), ipv6(7)).
pub(super) fn refusal(option: (i32, i32)) -> Option<Errno> {
    match option {
        IP_ADD_MEMBERSHIP | IP_ADD_SOURCE_MEMBERSHIP | IPV6_JOIN_GROUP => Some(Errno::ENODEV),
        IP_DROP_MEMBERSHIP
        | IP_DROP_SOURCE_MEMBERSHIP
        | IP_BLOCK_SOURCE
        | IP_UNBLOCK_SOURCE
        | IP_MULTICAST_IF
        | IPV6_LEAVE_GROUP => Some(Errno::EADDRNOTAVAIL),
        _ => None,
    }
}
