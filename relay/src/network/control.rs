//! Control messages of datagrams, as the kernel lays them out (cmsg(3)): one after the other, each with a header and filled
//! up to the length of a machine word.

use std::mem::size_of;

use protocol::{Control, Errno};

use super::option::{SOL_IP, SOL_IPV6, SOL_SOCKET};

/// Whether control messages are to be received with a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Detail {
    /// They are not.
    #[default]
    Bytes,
    /// They are: the program has asked for one.
    Controls,
}

/// `IP_TOS`, `IP_TTL` and `IP_PKTINFO`, after their level (ip(7)).
pub(crate) const TOS: (i32, i32) = (SOL_IP, 1);
pub(crate) const TTL: (i32, i32) = (SOL_IP, 2);
pub(crate) const PACKET_INFO: (i32, i32) = (SOL_IP, 8);
/// `IPV6_PKTINFO`, `IPV6_HOPLIMIT` and `IPV6_TCLASS`, after their level (RFC 3542).
pub(crate) const PACKET_INFO6: (i32, i32) = (SOL_IPV6, 50);
pub(crate) const HOP_LIMIT: (i32, i32) = (SOL_IPV6, 52);
pub(crate) const CLASS: (i32, i32) = (SOL_IPV6, 67);

/// What a program may send with a datagram.
const SENDABLE: [(i32, i32); 6] = [TOS, TTL, PACKET_INFO, PACKET_INFO6, HOP_LIMIT, CLASS];

/// The length of a header: its own length, a level, a kind.
const HEADER: usize = size_of::<usize>() + 2 * size_of::<i32>();

/// What goes with a datagram may be as long as this in the kernel's layout.
pub(crate) const ROOM: usize = 512;

/// What a control message is: its level and its kind.
pub(crate) fn number(control: &Control) -> (i32, i32) {
    (control.level, control.kind)
}

/// What may be passed on of what a program wants to send. The kernel does not look at levels that are none of the
/// socket's.
///
/// # Errors
///
/// `EINVAL`: it is none of those that are sent.
pub(crate) fn sendable(controls: &[Control]) -> Result<Vec<&Control>, Errno> {
    controls
        .iter()
        .filter(|control| [SOL_SOCKET, SOL_IP, SOL_IPV6].contains(&control.level))
        .map(|control| match SENDABLE.contains(&number(control)) {
            true => Ok(control),
            false => Err(Errno::EINVAL),
        })
        .collect()
}

/// Lays control messages out for the kernel.
pub(crate) fn encode<'a>(controls: impl IntoIterator<Item = &'a Control>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for control in controls {
        let length = HEADER.saturating_add(control.value.len());
        bytes.extend(length.to_ne_bytes());
        bytes.extend(control.level.to_ne_bytes());
        bytes.extend(control.kind.to_ne_bytes());
        bytes.extend(&control.value);
        bytes.resize(aligned(bytes.len()), 0);
    }
    bytes
}

/// Reads what the kernel has laid out. What is cut is left out.
pub(crate) fn decode(mut bytes: &[u8]) -> Vec<Control> {
    let mut controls = Vec::new();
    while let Some((length, control)) = first(bytes) {
        controls.push(control);
        bytes = bytes.get(aligned(length)..).unwrap_or_default();
    }
    controls
}

/// The first control message, and its length with its header.
fn first(bytes: &[u8]) -> Option<(usize, Control)> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::from_ne_bytes(*length);
    let (level, rest) = rest.split_first_chunk()?;
    let (kind, rest) = rest.split_first_chunk()?;
    let control = Control {
        level: i32::from_ne_bytes(*level),
        kind: i32::from_ne_bytes(*kind),
        value: rest.get(..length.checked_sub(HEADER)?)?.to_vec(),
    };
    Some((length, control))
}

fn aligned(length: usize) -> usize {
    length.next_multiple_of(size_of::<usize>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control((level, kind): (i32, i32), value: &[u8]) -> Control {
        let value = value.to_vec();
        Control { level, kind, value }
    }

    #[test]
    fn what_is_laid_out_is_read_back() {
        let controls = [
            control(TOS, &[16]),
            control(PACKET_INFO6, &[7; 20]),
            control(TTL, &64_i32.to_ne_bytes()),
        ];
        let bytes = encode(&controls);
        assert_eq!(bytes.len(), 24 + 40 + 24);
        assert_eq!(decode(&bytes), controls);
        assert_eq!(decode(&bytes[..bytes.len() - 5]), controls[..2]);
        assert_eq!(decode(&[]), []);
        assert_eq!(decode(&[1; 40]), []);
    }

    #[test]
    fn only_what_concerns_the_packet_is_sent() {
        let (ttl, foreign) = (control(TTL, &[1]), control((17, 1), &[]));
        let rights = control((SOL_SOCKET, 1), &[0; 4]);
        assert_eq!(sendable(&[ttl.clone(), foreign]), Ok(vec![&ttl]));
        assert_eq!(sendable(&[ttl, rights]), Err(Errno::EINVAL));
        assert_eq!(sendable(&[control((SOL_IP, 4), &[])]), Err(Errno::EINVAL));
    }
}
