//! Control messages of datagrams (ip(7), ipv6(7)): which of them the kernel gets, and what the program sees.
//!
//! The kernel knows real addresses, one interface, and only IPv4. So what says an address or an interface is made here, and
//! what is IPv6's is sent and received as its twin of IPv4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::BorrowedFd;
use std::time::{Duration, SystemTime};

use protocol::{Control, Errno};

use super::super::control::{
    CLASS, HOP_LIMIT, PACKET_INFO, PACKET_INFO6, TOS, TTL, number, sendable,
};
use super::super::option::{
    Allowed, IP_PKTINFO, IP_RECVTOS, IP_RECVTTL, SO_TIMESTAMP, SO_TIMESTAMPNS,
};
use super::cast::{Card, is_for_many};
use super::family::Family;
use super::view::Identity;
use crate::system;

/// What a program says of a datagram that it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outgoing {
    /// Which of its views it sends from.
    pub(super) from: Option<IpAddr>,
    /// By which card.
    pub(super) card: Option<Card>,
    /// What the kernel is told.
    pub(super) kernel: Vec<Control>,
}

impl Outgoing {
    /// Reads what a program of a host gives to a socket.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it is none of those that are sent, or has another length than it must. `ENODEV`: there is no such card.
    /// `ENETUNREACH` and, with IPv6, `EINVAL`: the address is not the host's.
    pub(super) fn read(
        host: Identity,
        family: Family,
        controls: &[Control],
    ) -> Result<Self, Errno> {
        let mut outgoing = Self::default();
        for control in sendable(controls)? {
            let value = control.value.as_slice();
            match (family, number(control)) {
                (Family::Inet, PACKET_INFO) => {
                    let value: &[u8; 12] = value.try_into().map_err(|_| Errno::EINVAL)?;
                    let [i0, i1, i2, i3, s0, s1, s2, s3, ..] = *value;
                    let index = u32::from_le_bytes([i0, i1, i2, i3]);
                    outgoing.name(host, Ipv4Addr::new(s0, s1, s2, s3).into(), index)?;
                }
                (Family::Inet6, PACKET_INFO6) => {
                    let (address, index) = value.split_first_chunk().ok_or(Errno::EINVAL)?;
                    let index = index.try_into().map_err(|_| Errno::EINVAL)?;
                    let address = Ipv6Addr::from(*address).to_canonical();
                    outgoing.name(host, address, u32::from_le_bytes(index))?;
                }
                (Family::Inet, TTL | TOS) => outgoing.kernel.push(control.clone()),
                (Family::Inet6, HOP_LIMIT) => outgoing.put(TTL, value)?,
                (Family::Inet6, CLASS) => outgoing.put(TOS, value)?,
                // It is of the other family, and the kernel does not look at it.
                _ => {}
            }
        }
        Ok(outgoing)
    }

    fn name(&mut self, host: Identity, from: IpAddr, index: u32) -> Result<(), Errno> {
        if index != 0 {
            self.card = Some(Card::of_index(index).ok_or(Errno::ENODEV)?);
        }
        if !from.is_unspecified() {
            // No route leads from there (`ip_route_output_key_hash`, `ip6_datagram_send_ctl` in the kernel).
            host.check_own(from).map_err(|_| match from {
                IpAddr::V4(_) => Errno::ENETUNREACH,
                IpAddr::V6(_) => Errno::EINVAL,
            })?;
            self.from = Some(from);
        }
        Ok(())
    }

    /// Says the number of an IPv6 control message as IPv4 says it; -1 is what would be sent anyway (RFC 3542).
    fn put(&mut self, (level, kind): (i32, i32), value: &[u8]) -> Result<(), Errno> {
        let bytes: &[u8; 4] = value.try_into().map_err(|_| Errno::EINVAL)?;
        match i32::from_le_bytes(*bytes) {
            -1 => {}
            0..=255 => self.kernel.push(Control {
                level,
                kind,
                value: value.to_vec(),
            }),
            _ => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    /// The number that the kernel is told, if it is.
    pub(super) fn told(&self, asked: (i32, i32)) -> Option<u8> {
        let control = self
            .kernel
            .iter()
            .rfind(|control| number(control) == asked)?;
        control.value.first().copied()
    }
}

/// What there is to know of a datagram for many, which no kernel has carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    /// To whom it is.
    pub(super) to: IpAddr,
    /// By which card it came.
    pub(super) card: Card,
    /// How many hops it might have gone.
    pub(super) ttl: u8,
    /// Its type of service.
    pub(super) tos: u8,
    /// When it was sent.
    pub(super) at: SystemTime,
}

impl Marks {
    /// What the kernel would say of it to a socket, in the kernel's order.
    pub(super) fn controls(self, descriptor: BorrowedFd<'_>) -> Vec<Control> {
        let since = self.at.duration_since(SystemTime::UNIX_EPOCH);
        let since = since.unwrap_or(Duration::ZERO);
        let time = |part: u32| {
            [since.as_secs(), part.into()]
                .map(u64::to_ne_bytes)
                .concat()
        };
        [
            (SO_TIMESTAMP, SO_TIMESTAMP, time(since.subsec_micros())),
            (SO_TIMESTAMPNS, SO_TIMESTAMPNS, time(since.subsec_nanos())),
            (IP_PKTINFO, PACKET_INFO, Vec::new()),
            (IP_RECVTTL, TTL, i32::from(self.ttl).to_ne_bytes().to_vec()),
            (IP_RECVTOS, TOS, vec![self.tos]),
        ]
        .into_iter()
        .filter(|(option, ..)| is_set(descriptor, *option))
        .map(|(_, (level, kind), value)| Control { level, kind, value })
        .collect()
    }
}

fn is_set(descriptor: BorrowedFd<'_>, option: (i32, i32)) -> bool {
    let mut value = [0; 4];
    Allowed::find(option).is_some_and(|option| {
        system::get_option(descriptor, option, &mut value).is_ok() && value != [0; 4]
    })
}

/// Where a datagram came in, as the program's host has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// To whom it is.
    pub(super) to: IpAddr,
    /// By which card.
    pub(super) card: Card,
}

impl Entry {
    /// What a program sees of what the kernel says.
    pub(super) fn shown(
        self,
        host: Identity,
        family: Family,
        controls: Vec<Control>,
    ) -> Vec<Control> {
        let show = |control| self.show(host, family, control);
        controls.into_iter().filter_map(show).collect()
    }

    fn show(self, host: Identity, family: Family, control: Control) -> Option<Control> {
        let index = self.card.index().to_le_bytes();
        let ((level, kind), value) = match (family, number(&control), self.to) {
            (Family::Inet, PACKET_INFO, IpAddr::V4(to)) => {
                // Where an answer would come from.
                let own = match (is_for_many(self.to), self.card) {
                    (false, _) => to,
                    (true, Card::Loopback) => Ipv4Addr::LOCALHOST,
                    (true, Card::Ethernet) => host.lab,
                };
                let value = [index, own.octets(), to.octets()].concat();
                (PACKET_INFO, value)
            }
            (Family::Inet6, PACKET_INFO, to) => {
                let to = match to {
                    IpAddr::V4(to) => to.to_ipv6_mapped(),
                    IpAddr::V6(to) => to,
                };
                (PACKET_INFO6, [&to.octets()[..], &index].concat())
            }
            (Family::Inet6, TTL, IpAddr::V6(_)) => (HOP_LIMIT, control.value),
            (Family::Inet6, TOS, IpAddr::V6(_)) => {
                let class = i32::from(*control.value.first()?);
                (CLASS, class.to_le_bytes().to_vec())
            }
            // IPv4 in a socket of IPv6 has neither (`ip6_datagram_recv_ctl` in the kernel).
            (Family::Inet6, TTL | TOS, IpAddr::V4(_)) => return None,
            (_, number, _) => (number, control.value),
        };
        Some(Control { level, kind, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Identity = Identity {
        real: Ipv4Addr::new(127, 8, 9, 9),
        lab: Ipv4Addr::new(10, 0, 0, 1),
    };

    fn control((level, kind): (i32, i32), value: &[u8]) -> Control {
        let value = value.to_vec();
        Control { level, kind, value }
    }

    fn entry(to: &str, card: Card) -> Entry {
        let to = to.parse().unwrap();
        Entry { to, card }
    }

    #[test]
    fn the_kernel_hears_of_no_address_and_no_card() {
        let info = [[2, 0, 0, 0], [10, 0, 0, 1], [9; 4]].concat();
        let ttl = control(TTL, &[5, 0, 0, 0]);
        let controls = [control(PACKET_INFO, &info), ttl.clone()];
        let outgoing = Outgoing::read(ME, Family::Inet, &controls).unwrap();
        assert_eq!(outgoing.from, Some(ME.lab.into()));
        assert_eq!(outgoing.card, Some(Card::Ethernet));
        assert_eq!(outgoing.kernel, [ttl]);
        assert_eq!(outgoing.told(TTL), Some(5));
        assert_eq!(outgoing.told(TOS), None);
    }

    #[test]
    fn what_is_not_the_hosts_is_refused() {
        let read = |index: u8, own: [u8; 4]| {
            let info = [[index, 0, 0, 0], own, [0; 4]].concat();
            Outgoing::read(ME, Family::Inet, &[control(PACKET_INFO, &info)])
        };
        assert_eq!(read(0, [0; 4]), Ok(Outgoing::default()));
        assert_eq!(read(3, [0; 4]), Err(Errno::ENODEV));
        assert_eq!(read(0, [10, 0, 0, 2]), Err(Errno::ENETUNREACH));
        let short = control(PACKET_INFO, &[0; 8]);
        let short = Outgoing::read(ME, Family::Inet, &[short]);
        assert_eq!(short, Err(Errno::EINVAL));
    }

    #[test]
    fn ipv6_speaks_through_its_twin() {
        let controls = [
            control(HOP_LIMIT, &[9, 0, 0, 0]),
            control(CLASS, &(-1_i32).to_le_bytes()),
        ];
        let outgoing = Outgoing::read(ME, Family::Inet6, &controls).unwrap();
        assert_eq!(outgoing.kernel, [control(TTL, &[9, 0, 0, 0])]);
        let kernel = || vec![control(TTL, &[9, 0, 0, 0]), control(TOS, &[4])];
        let shown = entry("fd00::1", Card::Ethernet).shown(ME, Family::Inet6, kernel());
        assert_eq!(
            shown,
            [
                control(HOP_LIMIT, &[9, 0, 0, 0]),
                control(CLASS, &[4, 0, 0, 0])
            ]
        );
        let mapped = entry("10.0.0.1", Card::Ethernet).shown(ME, Family::Inet6, kernel());
        assert_eq!(mapped, []);
    }

    #[test]
    fn an_answer_comes_from_an_address_of_the_host() {
        let info = || vec![control(PACKET_INFO, &[0; 12])];
        let shown = |to, card| {
            let [shown] = &entry(to, card).shown(ME, Family::Inet, info())[..] else {
                panic!("not one")
            };
            shown.value.clone()
        };
        let group = shown("239.1.2.3", Card::Ethernet);
        assert_eq!(
            group,
            [[2, 0, 0, 0], [10, 0, 0, 1], [239, 1, 2, 3]].concat()
        );
        let own = shown("127.0.0.1", Card::Loopback);
        assert_eq!(own, [[1, 0, 0, 0], [127, 0, 0, 1], [127, 0, 0, 1]].concat());
    }
}
