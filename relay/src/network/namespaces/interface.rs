//! A host's two interfaces, its addresses and its routes (rtnetlink(7)).
//!
//! Everything here acts on the network namespace of the calling thread.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, LinkAttribute, LinkFlags, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily as RouteFamily, RouteNetlinkMessage};
use rustix::fs::{Mode, OFlags};
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netdevice};
use rustix::process::getegid;

use super::loopback;
use super::notice::Notices;
use super::register::Number;
use crate::system;

/// Where devices are made.
const TUN: &str = "/dev/net/tun";

/// The one interface beside the loopback.
const ETHERNET: &str = "eth0";

/// The loopback's number, in every namespace (`LOOPBACK_IFINDEX` in the kernel).
pub(super) const LOOPBACK: u32 = 1;

/// How many bytes an answer may take: an error repeats the request, which is short.
const ANSWER: usize = 4096;

/// Opens what devices are made with.
pub(super) fn open_tun() -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
    rustix::fs::open(TUN, flags, Mode::empty()).map_err(io::Error::from)
}

/// Brings the loopback up.
pub(super) fn raise_loopback() -> io::Result<()> {
    Routing::open()?.raise(LOOPBACK, Vec::new())
}

/// What a host has got.
#[derive(Debug)]
pub(super) struct Furniture {
    /// The other end of its cable.
    pub(super) cable: OwnedFd,
    /// Where what it says to itself can be heard.
    pub(super) loopback: OwnedFd,
    /// Its addresses, without the loopback's.
    pub(super) addresses: Vec<IpAddr>,
}

/// Makes the host's own interface, and gives it and the loopback what they need.
pub(super) fn furnish(number: Number) -> io::Result<Furniture> {
    // Nobody there is a router, so nobody is to be asked for one. Where /proc is not writable, hosts ask in vain.
    if let Err(error) = fs::write("/proc/sys/net/ipv6/conf/default/accept_ra", "0") {
        tracing::debug!(%error, "hosts will look for IPv6 routers");
    }
    // Every program may ping (icmp(7)). The range is of groups, and programs make their sockets as our own.
    let group = getegid().as_raw();
    let range = format!("{group} {group}");
    if let Err(error) = fs::write("/proc/sys/net/ipv4/ping_group_range", range) {
        tracing::debug!(%error, "programs may ping with raw sockets only");
    }
    let routing = Routing::open()?;
    routing.raise(LOOPBACK, Vec::new())?;
    let cable = open_tun()?;
    system::make_tap(&cable, ETHERNET)?;
    let ethernet = netdevice::name_to_index(&routing.0, ETHERNET)?;
    // Without a link-local address of the kernel's own making, which would be in use only a second later.
    let no_address = AfSpecUnspec::Inet6(vec![AfSpecInet6::AddrGenMode(In6AddrGenMode::None)]);
    let hardware = LinkAttribute::Address(number.hardware().to_vec());
    let ipv6 = match routing.set(
        ethernet,
        vec![
            hardware.clone(),
            LinkAttribute::AfSpecUnspec(vec![no_address]),
        ],
    ) {
        Ok(()) => true,
        // A machine without IPv6.
        Err(_) => {
            routing.set(ethernet, vec![hardware])?;
            false
        }
    };
    routing.raise(ethernet, Vec::new())?;
    let mut addresses = vec![IpAddr::V4(number.ipv4())];
    routing.add_address(ethernet, number.ipv4().into(), 24)?;
    for (destination, length) in [(Ipv4Addr::new(224, 0, 0, 0), 4), (Ipv4Addr::BROADCAST, 32)] {
        routing.add_route(ethernet, destination, length)?;
    }
    if ipv6 {
        let notices = Notices::open()?;
        let own = [number.link_local(), number.ipv6()];
        for ip in own {
            routing.add_address(ethernet, ip.into(), 64)?;
        }
        if !notices.await_addresses(own.into())? {
            tracing::warn!("a host is there before its IPv6 addresses are in use");
        }
        // The notice comes while the kernel is still at it. It lets nobody else change a card before it is done.
        routing.raise(ethernet, Vec::new())?;
        addresses.push(IpAddr::V6(number.ipv6()));
    }
    Ok(Furniture {
        cable,
        loopback: loopback::open()?,
        addresses,
    })
}

/// A socket to the part of the kernel that keeps interfaces, addresses and routes.
struct Routing(OwnedFd);

impl Routing {
    fn open() -> io::Result<Self> {
        // NETLINK_ROUTE is 0, which is no protocol.
        let flags = SocketFlags::CLOEXEC;
        let socket = net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        Ok(Self(socket))
    }

    fn set(&self, interface: u32, attributes: Vec<LinkAttribute>) -> io::Result<()> {
        let mut link = LinkMessage::default();
        link.header.index = interface;
        link.attributes = attributes;
        self.ask(RouteNetlinkMessage::SetLink(link), 0)
    }

    fn raise(&self, interface: u32, attributes: Vec<LinkAttribute>) -> io::Result<()> {
        let mut link = LinkMessage::default();
        link.header.index = interface;
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        link.attributes = attributes;
        self.ask(RouteNetlinkMessage::SetLink(link), 0)
    }

    fn add_address(&self, interface: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        let mut message = AddressMessage::default();
        message.header.index = interface;
        message.header.prefix_len = prefix;
        message.attributes = vec![
            AddressAttribute::Local(address),
            AddressAttribute::Address(address),
        ];
        match address {
            IpAddr::V4(ip) => {
                message.header.family = RouteFamily::Inet;
                let [a, b, c, _] = ip.octets();
                let everybody = Ipv4Addr::new(a, b, c, 255);
                message
                    .attributes
                    .push(AddressAttribute::Broadcast(everybody));
            }
            IpAddr::V6(_) => {
                message.header.family = RouteFamily::Inet6;
                // The lab sees to it that nobody else has it, so it is in use at once.
                message.header.flags = AddressHeaderFlags::Nodad;
            }
        }
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        self.ask(RouteNetlinkMessage::NewAddress(message), flags)
    }

    fn add_route(&self, interface: u32, destination: Ipv4Addr, length: u8) -> io::Result<()> {
        let mut message = RouteMessage::default();
        message.header = RouteHeader {
            address_family: RouteFamily::Inet,
            destination_prefix_length: length,
            table: RouteHeader::RT_TABLE_MAIN,
            protocol: RouteProtocol::Boot,
            scope: RouteScope::Link,
            kind: RouteType::Unicast,
            ..RouteHeader::default()
        };
        message.attributes = vec![
            RouteAttribute::Destination(RouteAddress::Inet(destination)),
            RouteAttribute::Oif(interface),
        ];
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        self.ask(RouteNetlinkMessage::NewRoute(message), flags)
    }

    /// Asks for something and takes the answer, which is there when the question is sent.
    fn ask(&self, question: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut message = NetlinkMessage::from(question);
        message.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        net::send(&self.0, &bytes, SendFlags::empty())?;
        let mut bytes = [0; ANSWER];
        let (length, _) = net::recv(&self.0, &mut bytes[..], RecvFlags::DONTWAIT)?;
        let answer = bytes.get(..length).unwrap_or(&bytes);
        let answer =
            NetlinkMessage::<RouteNetlinkMessage>::deserialize(answer).map_err(io::Error::other)?;
        match answer.payload {
            NetlinkPayload::Error(error) if error.code.is_none() => Ok(()),
            NetlinkPayload::Error(error) => Err(error.to_io()),
            other => Err(io::Error::other(format!("an unexpected answer: {other:?}"))),
        }
    }
}
