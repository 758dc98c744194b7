//! getsockopt(2) and setsockopt(2).
//!
//! What a program may have goes to the kernel's socket ([`Allowed`]), but for three things that the descriptor must not
//! have as the program sets them.

use std::os::fd::BorrowedFd;

use protocol::Errno;

use crate::network::errno_of_io;
use crate::network::option::{
    Allowed, IP_PKTINFO, IP_RECVTOS, IP_RECVTTL, IPV6_RECVHOPLIMIT, IPV6_RECVPKTINFO,
    IPV6_RECVTCLASS, SO_LINGER, SO_OOBINLINE, SO_TIMESTAMP, SO_TIMESTAMPNS, SOL_SOCKET,
    TCP_NODELAY, Value,
};
use crate::system;

/// The ways to control congestion that a program may choose. Others may be modules that the kernel would load for a
/// relay that runs as root.
const CONGESTION: [&[u8]; 2] = [b"reno", b"cubic"];

/// `SO_PEERCRED`, which only UNIX sockets have.
pub(super) const PEERCRED: (i32, i32) = (SOL_SOCKET, 17);

/// A `struct ucred`: the peer's process, and root, which every process of a host runs as; nobody without a peer.
pub(super) fn credentials(peer: Option<u32>, length: u32) -> Vec<u8> {
    let user = match peer {
        Some(_) => 0,
        None => u32::MAX,
    };
    let fields = [peer.unwrap_or(0), user, user];
    cut(&fields.map(u32::cast_signed), length)
}

/// What the program set that the descriptor does not have as it was set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    /// `TCP_NODELAY`, which is really always on.
    nodelay: bool,
    /// `SO_OOBINLINE`. The process puts urgent bytes where they belong: told beside the stream, they cannot be missed.
    inline: bool,
    /// `SO_LINGER`. A descriptor that lingers would block the relay when it is closed.
    linger: Option<i32>,
}

impl Wishes {
    /// Whether closing means to reset the connection.
    pub(super) fn resets_on_close(self) -> bool {
        self.linger == Some(0)
    }
}

/// getsockopt(2): the value, cut to `length`.
pub(super) fn get(
    fd: BorrowedFd<'_>,
    wishes: &Wishes,
    number: (i32, i32),
    length: u32,
) -> Result<Vec<u8>, Errno> {
    let allowed = Allowed::find(number)
        .filter(|allowed| allowed.can_get())
        .ok_or(Errno::ENOPROTOOPT)?;
    let most = usize::try_from(length).unwrap_or(usize::MAX);
    let mut room = vec![0; most.min(allowed.value().most())];
    let used = system::get_option(fd, allowed, &mut room).map_err(|error| errno_of_io(&error))?;
    room.truncate(used);
    match number {
        SO_LINGER => {
            let (on, seconds) = (wishes.linger.is_some(), wishes.linger.unwrap_or(0));
            Ok(cut(&[i32::from(on), seconds], length))
        }
        SO_OOBINLINE => Ok(cut(&[i32::from(wishes.inline)], length)),
        TCP_NODELAY => Ok(cut(&[i32::from(wishes.nodelay)], length)),
        _ => Ok(room),
    }
}

/// Numbers as the program's buffer of this length gets them.
pub(super) fn cut(numbers: &[i32], length: u32) -> Vec<u8> {
    let mut value: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    value.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    value
}

/// Whether who sets an option wants control messages with datagrams.
pub(super) fn asks_for_controls(number: (i32, i32)) -> bool {
    [
        SO_TIMESTAMP,
        SO_TIMESTAMPNS,
        IP_PKTINFO,
        IP_RECVTTL,
        IP_RECVTOS,
        IPV6_RECVPKTINFO,
        IPV6_RECVHOPLIMIT,
        IPV6_RECVTCLASS,
    ]
    .contains(&number)
}

/// setsockopt(2).
pub(super) fn set(
    fd: BorrowedFd<'_>,
    wishes: &mut Wishes,
    number: (i32, i32),
    value: &[u8],
) -> Result<(), Errno> {
    let allowed = Allowed::find(number)
        .filter(|allowed| allowed.can_set())
        .ok_or(Errno::ENOPROTOOPT)?;
    let value = value.get(..allowed.value().most()).unwrap_or(value);
    match number {
        SO_LINGER => {
            let (on, seconds) = (first(value)?, first(value.get(4..).unwrap_or(&[]))?);
            wishes.linger = (on != 0).then_some(seconds);
            return Ok(());
        }
        SO_OOBINLINE => {
            wishes.inline = first(value)? != 0;
            return Ok(());
        }
        TCP_NODELAY => {
            let on = first(value)? != 0;
            // The kernel says whether it is a TCP socket at all.
            let always = 1_i32.to_ne_bytes();
            system::set_option(fd, allowed, &always).map_err(|error| errno_of_io(&error))?;
            wishes.nodelay = on;
            return Ok(());
        }
        _ => {}
    }
    if allowed.value() == Value::Congestion {
        let name = value.split(|&byte| byte == 0).next().unwrap_or_default();
        if !CONGESTION.contains(&name) {
            return Err(Errno::ENOENT);
        }
    }
    system::set_option(fd, allowed, value).map_err(|error| errno_of_io(&error))
}

/// The number at the start of a value. A shorter value is `EINVAL`, as the kernel has it.
fn first(value: &[u8]) -> Result<i32, Errno> {
    let bytes = value.first_chunk().ok_or(Errno::EINVAL)?;
    Ok(i32::from_le_bytes(*bytes))
}
