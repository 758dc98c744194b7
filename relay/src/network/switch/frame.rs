//! What the switch reads of an Ethernet frame.

use std::fmt;

/// Destination, source and type (IEEE 802.3, clause 3).
pub(super) const HEADER: usize = 14;
/// The largest frame: a header, and what the kernel may hand over in one piece when it leaves cutting to the device.
pub const MAX_FRAME: usize = HEADER + 65_535;

const ETHERTYPE_IPV4: [u8; 2] = [0x08, 0x00];
const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xdd];
const ETHERTYPE_ARP: [u8; 2] = [0x08, 0x06];
/// The lengths of the fixed headers: RFC 791, section 3.1; RFC 8200, sections 3 and 4.5.
const IPV6_HEADER: usize = 40;
const IPV6_FRAGMENT_HEADER: usize = 8;
const IGMP: u8 = 2;
const TCP: u8 = 6;
const UDP: u8 = 17;
const HOP_BY_HOP: u8 = 0;
const FRAGMENT: u8 = 44;
const ICMPV6: u8 = 58;
/// Multicast listeners (RFC 2710) and neighbour discovery (RFC 4861), and version 2 of the former (RFC 3810).
const ICMPV6_HOUSEKEEPING: [std::ops::RangeInclusive<u8>; 2] = [130..=137, 143..=143];

/// The address of a network card.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// Whether it names several cards: broadcast or multicast.
    pub fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Whether frames to it end at the next bridge (IEEE 802.1Q, table 8-1).
    pub(super) fn is_reserved(self) -> bool {
        matches!(self.0, [0x01, 0x80, 0xc2, 0, 0, last] if last <= 0x0f)
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, last] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{last:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a switch needs of a frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Who shall get it.
    pub(super) destination: MacAddress,
    /// Who sent it.
    pub(super) source: MacAddress,
}

impl Header {
    /// Reads it; none if this is no frame that a switch may carry.
    pub(super) fn read(frame: &[u8]) -> Option<Self> {
        if MAX_FRAME < frame.len() || frame.len() < HEADER {
            return None;
        }
        let (destination, rest) = frame.split_first_chunk()?;
        let source = rest.first_chunk()?;
        Some(Self {
            destination: MacAddress(*destination),
            source: MacAddress(*source),
        })
    }
}

/// What a frame carries, as far as sequences of chance are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// What kernels say to each other in their own time: ARP, neighbour discovery, group membership.
    Housekeeping,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Everything else that somebody sends on purpose.
    Other,
}

impl Class {
    /// Looks into a frame.
    pub(super) fn of(frame: &[u8]) -> Self {
        let Some((header, packet)) = frame.split_at_checked(HEADER) else {
            return Self::Other;
        };
        match header.last_chunk::<2>().copied().unwrap_or_default() {
            ETHERTYPE_ARP => Self::Housekeeping,
            ETHERTYPE_IPV4 => packet.get(9).map_or(Self::Other, |number| match *number {
                IGMP => Self::Housekeeping,
                number => Self::of_transport(number),
            }),
            ETHERTYPE_IPV6 => Self::of_ipv6(packet),
            _ => Self::Other,
        }
    }

    fn of_ipv6(packet: &[u8]) -> Self {
        let Some(&next) = packet.get(6) else {
            return Self::Other;
        };
        let Some(rest) = packet.get(IPV6_HEADER..) else {
            return Self::of_transport(next);
        };
        match next {
            // The extension header's first byte says what follows it, its second how long it is beyond 8 bytes.
            HOP_BY_HOP => {
                let (Some(&next), Some(&units)) = (rest.first(), rest.get(1)) else {
                    return Self::Other;
                };
                let length = usize::from(units).saturating_add(1).saturating_mul(8);
                Self::of_icmpv6(next, rest.get(length..))
            }
            FRAGMENT => {
                let next = rest.first().copied().unwrap_or(FRAGMENT);
                Self::of_icmpv6(next, rest.get(IPV6_FRAGMENT_HEADER..))
            }
            next => Self::of_icmpv6(next, Some(rest)),
        }
    }

    fn of_icmpv6(number: u8, message: Option<&[u8]>) -> Self {
        let kind = message.and_then(|message| message.first());
        match kind {
            Some(kind)
                if number == ICMPV6
                    && ICMPV6_HOUSEKEEPING.iter().any(|range| range.contains(kind)) =>
            {
                Self::Housekeeping
            }
            _ => Self::of_transport(number),
        }
    }

    fn of_transport(number: u8) -> Self {
        match number {
            TCP => Self::Tcp,
            UDP => Self::Udp,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(ethertype: [u8; 2], packet: &[u8]) -> Vec<u8> {
        [&[0; 12][..], &ethertype, packet].concat()
    }

    fn ipv4(number: u8) -> Vec<u8> {
        let mut packet = vec![0; 20];
        packet[9] = number;
        frame(ETHERTYPE_IPV4, &packet)
    }

    fn ipv6(next: u8, rest: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 40];
        packet[6] = next;
        packet.extend(rest);
        frame(ETHERTYPE_IPV6, &packet)
    }

    #[test]
    fn a_frame_needs_a_header_and_has_a_largest_size() {
        assert!(Header::read(&[0; HEADER - 1]).is_none());
        assert!(Header::read(&[0; HEADER]).is_some());
        assert!(Header::read(&vec![0; MAX_FRAME]).is_some());
        assert!(Header::read(&vec![0; MAX_FRAME + 1]).is_none());
    }

    #[test]
    fn transports_are_told_apart_in_both_versions_of_ip() {
        assert_eq!(Class::of(&ipv4(TCP)), Class::Tcp);
        assert_eq!(Class::of(&ipv4(UDP)), Class::Udp);
        assert_eq!(Class::of(&ipv4(1)), Class::Other);
        assert_eq!(Class::of(&ipv6(TCP, &[])), Class::Tcp);
        assert_eq!(Class::of(&ipv6(UDP, &[0; 8])), Class::Udp);
        assert_eq!(
            Class::of(&ipv6(FRAGMENT, &[UDP, 0, 0, 0, 0, 0, 0, 0])),
            Class::Udp
        );
        assert_eq!(Class::of(&frame([0x88, 0xb5], b"mine")), Class::Other);
    }

    #[test]
    fn what_kernels_say_among_themselves_is_housekeeping() {
        assert_eq!(
            Class::of(&frame(ETHERTYPE_ARP, &[0; 28])),
            Class::Housekeeping
        );
        assert_eq!(Class::of(&ipv4(IGMP)), Class::Housekeeping);
        let solicitation = [135, 0, 0, 0];
        assert_eq!(Class::of(&ipv6(ICMPV6, &solicitation)), Class::Housekeeping);
        let report = [ICMPV6, 0, 5, 2, 0, 0, 1, 0, 143, 0];
        assert_eq!(Class::of(&ipv6(HOP_BY_HOP, &report)), Class::Housekeeping);
        let echo = [128, 0, 0, 0];
        assert_eq!(Class::of(&ipv6(ICMPV6, &echo)), Class::Other);
    }

    #[test]
    fn no_prefix_of_a_frame_is_too_short_to_be_looked_at() {
        for whole in [ipv4(TCP), ipv6(HOP_BY_HOP, &[58, 0, 5, 2, 0, 0, 1, 0, 143])] {
            for length in 0..whole.len() {
                let _ = Class::of(&whole[..length]);
            }
        }
    }

    #[test]
    fn addresses_know_whether_they_are_groups_or_reserved() {
        assert!(MacAddress([0xff; 6]).is_group());
        assert!(!MacAddress([2, 0, 0, 0, 0, 1]).is_group());
        assert!(MacAddress([1, 0x80, 0xc2, 0, 0, 0x0e]).is_reserved());
        assert!(!MacAddress([1, 0x80, 0xc2, 0, 0, 0x10]).is_reserved());
        assert_eq!(
            MacAddress([2, 0, 0, 0, 0, 0xab]).to_string(),
            "02:00:00:00:00:ab"
        );
    }
}
