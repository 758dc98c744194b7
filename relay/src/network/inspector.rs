//! What the kernel knows of a socket that no call on it tells: its state and its queues, as ss(8) shows them.
//!
//! The kernel is asked over netlink (sock_diag(7)), for one socket at a time and by its addresses; no rights are needed.
//! An answer is only believed if it is about the same socket, by its inode. Sockets without ports cannot be told apart so:
//! many may have the same addresses. Of those the kernel is asked what their buffers hold, on the socket itself.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{BorrowedFd, OwnedFd};

use protocol::Kind;
use rustix::net::{
    self, AddressFamily, RecvFlags, SendFlags, SocketAddrAny, SocketFlags, SocketType, netlink,
};

/// `NLMSG_ERROR` (netlink(7)).
const NLMSG_ERROR: u16 = 2;
/// `NLM_F_REQUEST` (netlink(7)).
const NLM_F_REQUEST: u16 = 1;
/// `SOCK_DIAG_BY_FAMILY` (sock_diag(7)).
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// The length of a `nlmsghdr`, in bytes.
const HEADER: usize = 16;
/// Where `idiag_rqueue` lies in an `inet_diag_msg`: after four bytes, a `inet_diag_sockid` of 48, and a timer of four.
const QUEUES: usize = 56;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
const IPPROTO_UDP: u8 = 17;
const IPPROTO_UDPLITE: u8 = 136;

/// A TCP state, as the kernel numbers them; a UDP socket is established or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(pub(crate) u8);

impl State {
    /// `TCP_ESTABLISHED`.
    pub(crate) const ESTABLISHED: Self = Self(1);
    /// `TCP_CLOSE`.
    const CLOSE: Self = Self(7);
    /// `TCP_LISTEN`.
    pub(crate) const LISTEN: Self = Self(10);
}

impl Default for State {
    fn default() -> Self {
        Self::CLOSE
    }
}

/// What the kernel says of a socket. Of one that is in none of its tables there is nothing to say: the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// Its state.
    pub(crate) state: State,
    /// Bytes that wait to be read; of a listener, connections that wait to be accepted.
    pub(crate) receive: u32,
    /// Bytes that wait to be sent or acknowledged; of a listener, how many connections may wait.
    pub(crate) send: u32,
}

/// A way to ask the kernel about the sockets of one network namespace.
#[derive(Debug)]
pub(crate) struct Inspector {
    netlink: OwnedFd,
}

impl Inspector {
    /// An inspector of the network namespace of this thread.
    pub(crate) fn open() -> std::io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let netlink = net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            flags,
            Some(netlink::SOCK_DIAG),
        )?;
        Ok(Self { netlink })
    }

    /// What the kernel says of a socket; none if it is in no table of the kernel's, because it was never bound.
    pub(crate) fn look(&self, descriptor: BorrowedFd<'_>, kind: Kind) -> Option<Sight> {
        let local = net::getsockname(descriptor).ok().and_then(ip)?;
        let peer = net::getpeername(descriptor).ok().flatten().and_then(ip);
        let transport = match kind {
            Kind::Stream => Transport::Tcp,
            Kind::Datagram => Transport::Udp,
            Kind::UdpLite => Transport::UdpLite,
            Kind::Raw { .. } | Kind::Ping => return buffered(descriptor, peer),
        };
        let inode = rustix::fs::fstat(descriptor).ok()?.st_ino;
        let request = request(transport, local, peer);
        net::send(&self.netlink, &request, SendFlags::DONTWAIT).ok()?;
        let mut answer = [0; 1024];
        let (length, _) = net::recv(&self.netlink, &mut answer, RecvFlags::DONTWAIT).ok()?;
        read(answer.get(..length)?, inode)
    }
}

/// What has ports.
#[derive(Clone, Copy, Debug)]
enum Transport {
    Tcp,
    Udp,
    UdpLite,
}

/// What a socket without ports says itself.
fn buffered(descriptor: BorrowedFd<'_>, peer: Option<SocketAddr>) -> Option<Sight> {
    let (receive, send) = crate::system::buffered(descriptor).ok()?;
    let state = peer.map_or(State::CLOSE, |_| State::ESTABLISHED);
    Some(Sight {
        state,
        receive,
        send,
    })
}

fn ip(address: SocketAddrAny) -> Option<SocketAddr> {
    SocketAddr::try_from(address).ok()
}

/// The request for one socket: an `inet_diag_req_v2` after its header.
fn request(transport: Transport, local: SocketAddr, peer: Option<SocketAddr>) -> Vec<u8> {
    let nobody = SocketAddr::new(
        match local.ip() {
            IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        },
        0,
    );
    let peer = peer.unwrap_or(nobody);
    let (protocol, source, destination) = match transport {
        Transport::Tcp => (IPPROTO_TCP, local, peer),
        // The other way round, for historical reasons (`udp_dump_one` in the kernel).
        Transport::Udp => (IPPROTO_UDP, peer, local),
        Transport::UdpLite => (IPPROTO_UDPLITE, peer, local),
    };
    let family = if local.is_ipv4() { AF_INET } else { AF_INET6 };
    let mut bytes = Vec::with_capacity(HEADER + 56);
    bytes.extend(u32::try_from(HEADER + 56).unwrap_or_default().to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(NLM_F_REQUEST.to_ne_bytes());
    bytes.extend([0; 8]);
    // The family, the protocol, no extensions, all states.
    bytes.extend([family, protocol, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(source.port().to_be_bytes());
    bytes.extend(destination.port().to_be_bytes());
    bytes.extend(octets(source.ip()));
    bytes.extend(octets(destination.ip()));
    // Any interface, and no cookie.
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend([0xff; 8]);
    bytes
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&ip.octets());
            octets
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// Reads an `inet_diag_msg` that is about the socket with this inode.
fn read(answer: &[u8], inode: u64) -> Option<Sight> {
    let kind = u16::from_ne_bytes(*answer.get(4..)?.first_chunk()?);
    if kind == NLMSG_ERROR {
        return None;
    }
    let message = answer.get(HEADER..)?;
    let number = |at: usize| Some(u32::from_ne_bytes(*message.get(at..)?.first_chunk()?));
    if u64::from(number(QUEUES + 12)?) != inode {
        return None;
    }
    Some(Sight {
        state: State(*message.get(1)?),
        receive: number(QUEUES)?,
        send: number(QUEUES + 4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsFd;

    #[test]
    fn the_kernel_tells_states_and_queues() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(host) else {
                // A machine without IPv6.
                assert!(host.starts_with('['));
                continue;
            };
            let inspector = Inspector::open().unwrap();
            let see = |fd: BorrowedFd<'_>, kind| inspector.look(fd, kind).unwrap();
            let mut caller = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let waiting = see(listener.as_fd(), Kind::Stream);
            assert_eq!((waiting.state, waiting.receive), (State(10), 1));
            let (accepted, _) = listener.accept().unwrap();
            caller.write_all(b"abc").unwrap();
            let sight = see(accepted.as_fd(), Kind::Stream);
            assert_eq!((sight.state, sight.receive), (State(1), 3));
            let receiver = UdpSocket::bind(host).unwrap();
            let address = receiver.local_addr().unwrap();
            let sender = UdpSocket::bind(host).unwrap();
            sender.connect(address).unwrap();
            sender.send(b"abc").unwrap();
            assert!(0 < see(receiver.as_fd(), Kind::Datagram).receive);
            let sight = see(sender.as_fd(), Kind::Datagram);
            assert_eq!(sight.state, State(1));
        }
    }

    #[test]
    fn an_answer_about_another_socket_is_not_believed() {
        assert_eq!(read(&[], 7), None);
        let mut answer = vec![0; HEADER + 72];
        answer[4] = 20;
        assert_eq!(read(&answer, 7), None);
        answer[HEADER + QUEUES + 12] = 7;
        assert!(read(&answer, 7).is_some());
    }
}
