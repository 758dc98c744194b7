//! What a socket can be bound or connected to.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

/// An address as the program sees it, before the lab's network translates it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Address {
    /// None: an unconnected socket's peer, or the sender of a datagram from an unnamed UNIX socket.
    Unspecified,
    /// IPv4 (ip(7)).
    Inet {
        /// The host's address.
        ip: Ipv4Addr,
        /// The port, in host byte order.
        port: u16,
    },
    /// IPv6 (ipv6(7)).
    Inet6 {
        /// The host's address.
        ip: Ipv6Addr,
        /// The port, in host byte order.
        port: u16,
        /// The flow label, in host byte order.
        flow: u32,
        /// The scope of a link-local address.
        scope: u32,
    },
    /// A UNIX socket's path, or its abstract name after a zero byte (unix(7)).
    Unix(Vec<u8>),
}

impl Address {
    /// The IPv4 address, if it is one.
    pub fn inet(&self) -> Option<SocketAddrV4> {
        match *self {
            Self::Inet { ip, port } => Some(SocketAddrV4::new(ip, port)),
            Self::Unspecified | Self::Inet6 { .. } | Self::Unix(_) => None,
        }
    }
}

impl From<SocketAddrV4> for Address {
    fn from(address: SocketAddrV4) -> Self {
        Self::Inet {
            ip: *address.ip(),
            port: address.port(),
        }
    }
}
