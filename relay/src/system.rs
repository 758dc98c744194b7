//! System calls that the compiler cannot check: the one module of the relay with `unsafe` in it.
//!
//! Each function is one call, takes and returns only what is safe, and says why the call is sound.

#![expect(
    unsafe_code,
    reason = "unshare(2), the requests to TAP devices and sockets, packet sockets, options by their number and the allocator have no safe wrapper"
)]

use std::io;
use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::ioctl::{Getter, IntegerSetter, Opcode, Setter, ioctl, opcode};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use protocol::Control;

use crate::network::control;
use crate::network::option::Allowed;
use crate::network::sockaddr;

/// `TUNSETIFF` (linux/if_tun.h).
const TUNSETIFF: Opcode = opcode::write::<libc::c_int>(b'T', 202);
/// `TUNSETPERSIST` (linux/if_tun.h).
const TUNSETPERSIST: Opcode = opcode::write::<libc::c_int>(b'T', 203);

/// `SIOCATMARK` (tcp(7)).
const SIOCATMARK: Opcode = 0x8905;

/// Gives the process a user namespace and a network namespace of its own (user_namespaces(7)), both or none of them.
///
/// # Errors
///
/// What unshare(2) says; `EINVAL` if the process has more than one thread.
pub(crate) fn unshare_user_and_network() -> io::Result<()> {
    let flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNET;
    // SAFETY: the call is unsafe for the sake of the flag FILES, which is not among these.
    unsafe { unshare_unsafe(flags) }.map_err(io::Error::from)
}

/// Gives the calling thread a network namespace of its own (network_namespaces(7)).
///
/// # Errors
///
/// What unshare(2) says.
pub(crate) fn unshare_network() -> io::Result<()> {
    // SAFETY: the call is unsafe for the sake of the flag FILES, which is not this one.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.map_err(io::Error::from)
}

/// Makes an Ethernet device of an open `/dev/net/tun`: what the network sends through it is read from the descriptor,
/// frame by frame, and the other way round.
///
/// The device lasts as long as its network namespace. Closing the descriptor would otherwise remove it and wait until
/// no processor uses it any more, for tens of milliseconds; what the end of a namespace does, it does in its own time.
///
/// # Errors
///
/// What the requests say.
pub(crate) fn make_tap(tun: impl AsFd, name: &str) -> io::Result<()> {
    let flags = libc::IFF_TAP | libc::IFF_NO_PI;
    let flags = libc::c_short::try_from(flags).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut request = libc::ifreq {
        ifr_name: [0; libc::IFNAMSIZ],
        ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags },
    };
    // The last one stays zero.
    let room = request.ifr_name.iter_mut().take(libc::IFNAMSIZ - 1);
    for (to, from) in room.zip(name.bytes()) {
        *to = from.cast_signed();
    }
    // SAFETY: `TUNSETIFF` takes an `ifreq`, reads its name, which ends with a zero, and its flags, and writes a name.
    let request = unsafe { Setter::<TUNSETIFF, libc::ifreq>::new(request) };
    // SAFETY: as above; on a descriptor that is no TUN device the request fails.
    unsafe { ioctl(&tun, request) }?;
    // SAFETY: `TUNSETPERSIST` takes a number, and memory is none of its business.
    unsafe {
        let persist = IntegerSetter::<TUNSETPERSIST>::new_usize(1);
        ioctl(&tun, persist)
    }?;
    Ok(())
}

/// Has the allocator give large pieces of memory back to the system as soon as they are free.
///
/// The GNU C library keeps them once it has seen one freed, as large as that: it takes later ones from its heaps, which
/// cannot shrink while anything behind them is in use (mallopt(3), `M_MMAP_THRESHOLD`). What labs keep, their records
/// above all, comes and goes in such pieces.
#[cfg(target_env = "gnu")]
pub(crate) fn give_large_memory_back() {
    // SAFETY: the call sets a number of the allocator, under its lock. It fails only for numbers that are too large.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
}

/// The same for other C libraries, which do so anyway.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn give_large_memory_back() {}

/// From how many bytes on memory is large: what the GNU C library begins with.
#[cfg(target_env = "gnu")]
const LARGE: libc::c_int = 128 << 10;

/// How many bytes of memory a socket's data takes that waits to be read, and that waits to be sent: what ss(8) shows of
/// sockets that are no connections.
///
/// # Errors
///
/// What getsockopt(2) says.
pub(crate) fn buffered(socket: impl AsFd) -> io::Result<(u32, u32)> {
    // As many numbers as `SO_MEMINFO` has (linux/sock_diag.h); the kernel writes no more than there is room for.
    let mut numbers = [0_u32; 9];
    let mut length = libc::socklen_t::try_from(size_of_val(&numbers))
        .map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the value has room for `length` bytes, and any bytes make numbers; both live until the call returns.
    let done = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            numbers.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    let [receive, _, send, ..] = numbers;
    Ok((receive, send))
}

/// Whether the next byte of a TCP connection is its urgent one (sockatmark(3)).
///
/// # Errors
///
/// What the request says: the socket is none of TCP.
pub(crate) fn is_at_mark(socket: impl AsFd) -> io::Result<bool> {
    // SAFETY: `SIOCATMARK` writes a number.
    let request = unsafe { Getter::<SIOCATMARK, libc::c_int>::new() };
    // SAFETY: as above; on a descriptor that is no socket the request fails and writes nothing.
    let number = unsafe { ioctl(socket, request) }?;
    Ok(number != 0)
}

/// `PACKET_STATISTICS` (linux/if_packet.h).
const PACKET_STATISTICS: libc::c_int = 6;
/// `PACKET_IGNORE_OUTGOING` (linux/if_packet.h).
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;

/// `struct tpacket_stats` (linux/if_packet.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct PacketCounts {
    packets: libc::c_uint,
    drops: libc::c_uint,
}

/// Has a packet socket (packet(7)) see frames only as they arrive. Else it would see those of a loopback twice.
///
/// # Errors
///
/// What setsockopt(2) says.
pub(crate) fn ignore_outgoing(socket: impl AsFd) -> io::Result<()> {
    let yes: libc::c_int = 1;
    // SAFETY: the kernel reads a number of this size at this address, which is that of a living variable.
    let done = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            PACKET_IGNORE_OUTGOING,
            (&raw const yes).cast(),
            length::<libc::c_int>(),
        )
    };
    checked(done)
}

/// Has a packet socket see every frame of one card of its network namespace, and of no other.
///
/// # Errors
///
/// What bind(2) says.
pub(crate) fn bind_to_card(socket: impl AsFd, card: u32) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: to_short(libc::AF_PACKET)?,
        // In the network's order of bytes.
        sll_protocol: to_short(libc::ETH_P_ALL)?.to_be(),
        sll_ifindex: card.cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: the kernel reads an address of this size, which is that of a living variable.
    let done = unsafe {
        libc::bind(
            socket.as_fd().as_raw_fd(),
            (&raw const address).cast(),
            length::<libc::sockaddr_ll>(),
        )
    };
    checked(done)
}

/// How many frames a packet socket has dropped because nobody took them, since this was last asked.
///
/// # Errors
///
/// What getsockopt(2) says.
pub(crate) fn take_drops(socket: impl AsFd) -> io::Result<u32> {
    let mut counts = PacketCounts::default();
    let mut size = length::<PacketCounts>();
    // SAFETY: the kernel writes at most as many bytes as `size` says, into a variable that is as large and living.
    let done = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            PACKET_STATISTICS,
            (&raw mut counts).cast(),
            &raw mut size,
        )
    };
    checked(done)?;
    Ok(counts.drops)
}

fn length<T>() -> libc::socklen_t {
    // No address and no option is anywhere near as long as that.
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(libc::socklen_t::MAX)
}

fn to_short(number: libc::c_int) -> io::Result<libc::c_ushort> {
    libc::c_ushort::try_from(number).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn checked(done: libc::c_int) -> io::Result<()> {
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// getsockopt(2): says how many bytes of `room` hold the value.
///
/// # Errors
///
/// What the call says.
pub(crate) fn get_option(
    socket: BorrowedFd<'_>,
    option: &Allowed,
    room: &mut [u8],
) -> io::Result<usize> {
    let (level, name) = option.number();
    let mut length = libc::socklen_t::try_from(room.len()).unwrap_or(libc::socklen_t::MAX);
    let value = room.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `length` bytes, all of them in `room`, and how many into `length`.
    let done = unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, value, &raw mut length) };
    checked(done)?;
    Ok(usize::try_from(length).unwrap_or(room.len()))
}

/// setsockopt(2).
///
/// # Errors
///
/// What the call says.
pub(crate) fn set_option(socket: BorrowedFd<'_>, option: &Allowed, value: &[u8]) -> io::Result<()> {
    let (level, name) = option.number();
    let length = libc::socklen_t::try_from(value.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the kernel reads `length` bytes, all of them in `value`, and takes none of them for an address of memory:
    // no option that is allowed has one in it.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            value.as_ptr().cast(),
            length,
        )
    };
    checked(done)
}

/// A datagram that came with control messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// How many bytes of it are in the buffer.
    pub(crate) length: usize,
    /// Who sent it.
    pub(crate) sender: Option<SocketAddr>,
    /// What came with it.
    pub(crate) controls: Vec<Control>,
}

/// recvmsg(2), without waiting.
///
/// # Errors
///
/// What the call says.
pub(crate) fn receive_message(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Message> {
    let mut name = [0_u8; sockaddr::MOST];
    let mut room = [0_u8; control::ROOM];
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    let mut header = libc::msghdr {
        msg_name: name.as_mut_ptr().cast(),
        msg_namelen: length::<[u8; sockaddr::MOST]>(),
        msg_iov: &raw mut part,
        msg_iovlen: 1,
        msg_control: room.as_mut_ptr().cast(),
        msg_controllen: room.len(),
        msg_flags: 0,
    };
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the kernel writes at most as many bytes as the header says into the name, the buffer and the room, which all
    // live until the call returns, and wants none of them aligned. The socket is none of UNIX, so no descriptors come.
    let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    let (name_length, used) = (header.msg_namelen as usize, header.msg_controllen);
    Ok(Message {
        length: received,
        sender: sockaddr::decode(name.get(..name_length).unwrap_or(&name)),
        controls: control::decode(room.get(..used).unwrap_or(&room)),
    })
}

/// sendmsg(2), without waiting. The control messages are as the kernel has them laid out.
///
/// # Errors
///
/// What the call says.
pub(crate) fn send_message(
    socket: BorrowedFd<'_>,
    payload: &[u8],
    to: Option<SocketAddr>,
    controls: &[u8],
) -> io::Result<()> {
    let name = to.map(sockaddr::encode).unwrap_or_default();
    let mut part = libc::iovec {
        iov_base: payload.as_ptr().cast_mut().cast(),
        iov_len: payload.len(),
    };
    let header = libc::msghdr {
        msg_name: name.as_ptr().cast_mut().cast(),
        msg_namelen: libc::socklen_t::try_from(name.len()).unwrap_or(0),
        msg_iov: &raw mut part,
        msg_iovlen: 1,
        msg_control: controls.as_ptr().cast_mut().cast(),
        msg_controllen: controls.len(),
        msg_flags: 0,
    };
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the kernel only reads the name, the payload and the control messages, as many bytes as the header says; all
    // live until the call returns. No control message that is sent has an address of memory or a descriptor in it.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, flags) };
    match sent {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
