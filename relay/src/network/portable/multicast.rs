//! Multicast, which this network has not: its hosts are as machines none of whose interfaces takes part in it.
//!
//! Sending to a group or to a broadcast address is `ENETUNREACH`, as to every address without a route.

use protocol::Errno;

const SOL_IP: i32 = 0;
const IP_ADD_MEMBERSHIP: i32 = 35;
const IP_DROP_MEMBERSHIP: i32 = 36;

const IPPROTO_IPV6: i32 = 41;
const IPV6_JOIN_GROUP: i32 = 20;
const IPV6_LEAVE_GROUP: i32 = 21;

/// What Linux says to whoever wants to join a group without an interface for it, or leaves one without being in it
/// (ip(7), ipv6(7)).
pub(super) fn refusal(option: (i32, i32)) -> Option<Errno> {
    match option {
        (SOL_IP, IP_ADD_MEMBERSHIP) | (IPPROTO_IPV6, IPV6_JOIN_GROUP) => Some(Errno::ENODEV),
        (SOL_IP, IP_DROP_MEMBERSHIP) | (IPPROTO_IPV6, IPV6_LEAVE_GROUP) => {
            Some(Errno::EADDRNOTAVAIL)
        }
        _ => None,
    }
}
