//! The groups that a socket is in, and whose datagrams it wants to hear of them (ip(7), ipv6(7), RFC 3376).

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use protocol::Errno;

use super::cast::{Card, is_group};

/// How many groups of IPv4 a socket can be in (`igmp_max_memberships`).
const MOST: usize = 20;
/// How many groups of IPv6 a socket can be in. Linux bounds them by the memory that options of a socket may take.
const MOST6: usize = 256;
/// How many senders a socket can name for a group (`igmp_max_msf`).
const SOURCES: usize = 10;

/// Which senders the list of a membership means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Only those that are in it.
    Only,
    /// All but those that are in it.
    Except,
}

/// What is to become of a sender in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It comes in.
    Add,
    /// It comes out.
    Remove,
}

/// Whether a socket hears datagrams to groups of IPv4 that only others of its host are in (`IP_MULTICAST_ALL`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hearing {
    /// It does.
    #[default]
    All,
    /// It hears of its own groups only.
    Own,
}

/// A socket's being in a group on a card.
#[derive(Debug)]
struct Membership {
    group: IpAddr,
    card: Card,
    mode: Mode,
    /// The senders; none if none was ever named.
    sources: Option<BTreeSet<Ipv4Addr>>,
}

impl Membership {
    fn admits(&self, source: IpAddr) -> bool {
        let sources = self.sources.as_ref();
        let is_listed = match source {
            IpAddr::V4(ip) => sources.is_some_and(|all| all.contains(&ip)),
            IpAddr::V6(_) => false,
        };
        is_listed == (self.mode == Mode::Only)
    }
}

/// The groups of one socket.
#[derive(Debug, Default)]
pub(super) struct Groups {
    members: Vec<Membership>,
    hearing: Hearing,
}

impl Groups {
    /// Whether it hears of groups that only others are in.
    pub(super) fn hearing(&self) -> Hearing {
        self.hearing
    }

    /// Says whether it hears of groups that only others are in.
    pub(super) fn hear(&mut self, hearing: Hearing) {
        self.hearing = hearing;
    }

    /// Enters a group on a card; none is a card that there is not.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it is no group. `ENODEV`: there is no such card. `EADDRINUSE`: the socket is in it. `ENOBUFS`, `ENOMEM`:
    /// it is in too many.
    pub(super) fn join(&mut self, group: IpAddr, card: Option<Card>) -> Result<(), Errno> {
        self.enter(group, card, Mode::Except)
    }

    fn enter(&mut self, group: IpAddr, card: Option<Card>, mode: Mode) -> Result<(), Errno> {
        if !is_group(group) {
            return Err(Errno::EINVAL);
        }
        let card = card.ok_or(Errno::ENODEV)?;
        if self.place(group, Some(card)).is_some() {
            return Err(Errno::EADDRINUSE);
        }
        let (most, full) = match group {
            IpAddr::V4(_) => (MOST, Errno::ENOBUFS),
            IpAddr::V6(_) => (MOST6, Errno::ENOMEM),
        };
        let alike = self.members.iter();
        let alike = alike.filter(|each| each.group.is_ipv4() == group.is_ipv4());
        if most <= alike.count() {
            return Err(full);
        }
        self.members.push(Membership {
            group,
            card,
            mode,
            sources: None,
        });
        Ok(())
    }

    /// Leaves a group, on any card if none is given.
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL`: the socket is not in it.
    pub(super) fn leave(&mut self, group: IpAddr, card: Option<Card>) -> Result<(), Errno> {
        let place = self.place(group, card).ok_or(Errno::EADDRNOTAVAIL)?;
        self.members.remove(place);
        Ok(())
    }

    /// Changes the senders of a group. Wanting only some enters it (`IP_ADD_SOURCE_MEMBERSHIP`); wanting none any more
    /// leaves it.
    ///
    /// # Errors
    ///
    /// As `ip_mc_source` in the kernel: `EINVAL`: it is no group, the socket is not in it, or its list is of the other
    /// kind. `ENODEV`: there is no such card. `EADDRNOTAVAIL`: the sender is in the list already, or not in it. `ENOBUFS`:
    /// the list is full.
    pub(super) fn change(
        &mut self,
        (group, card): (Ipv4Addr, Option<Card>),
        source: Ipv4Addr,
        mode: Mode,
        change: Change,
    ) -> Result<(), Errno> {
        let group = IpAddr::V4(group);
        if (mode, change) == (Mode::Only, Change::Add) {
            match self.enter(group, card, Mode::Only) {
                Ok(()) | Err(Errno::EADDRINUSE) => {}
                Err(error) => return Err(error),
            }
        }
        if !is_group(group) {
            return Err(Errno::EINVAL);
        }
        let card = card.ok_or(Errno::ENODEV)?;
        let place = self.place(group, Some(card)).ok_or(Errno::EINVAL)?;
        let member = self.members.get_mut(place).ok_or(Errno::EINVAL)?;
        if member.mode != mode {
            if member.sources.is_some() {
                return Err(Errno::EINVAL);
            }
            // A list that was never begun may become one of the other kind.
            member.mode = mode;
        }
        match change {
            Change::Add => {
                let sources = member.sources.get_or_insert_default();
                if SOURCES <= sources.len() {
                    return Err(Errno::ENOBUFS);
                }
                if sources.insert(source) {
                    Ok(())
                } else {
                    Err(Errno::EADDRNOTAVAIL)
                }
            }
            Change::Remove => {
                let sources = member.sources.as_mut().ok_or(Errno::EADDRNOTAVAIL)?;
                if !sources.remove(&source) {
                    return Err(Errno::EADDRNOTAVAIL);
                }
                if mode == Mode::Only && sources.is_empty() {
                    self.members.remove(place);
                }
                Ok(())
            }
        }
    }

    /// Whether the socket's being in a group makes its host take datagrams of a sender.
    pub(super) fn wants(&self, group: IpAddr, card: Card, source: IpAddr) -> bool {
        self.find(group, card)
            .is_some_and(|member| member.admits(source))
    }

    /// Whether the socket hears a datagram to a group that its host has taken.
    pub(super) fn hears(&self, group: IpAddr, card: Card, source: IpAddr) -> bool {
        match self.find(group, card) {
            Some(member) => member.admits(source),
            None => group.is_ipv6() || self.hearing == Hearing::All,
        }
    }

    fn find(&self, group: IpAddr, card: Card) -> Option<&Membership> {
        let place = self.place(group, Some(card))?;
        self.members.get(place)
    }

    fn place(&self, group: IpAddr, card: Option<Card>) -> Option<usize> {
        self.members
            .iter()
            .position(|each| each.group == group && card.is_none_or(|card| each.card == card))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
    const CARD: Option<Card> = Some(Card::Ethernet);

    fn sender(number: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, number)
    }

    fn hears(groups: &Groups, number: u8) -> bool {
        groups.hears(GROUP.into(), Card::Ethernet, sender(number).into())
    }

    #[test]
    fn a_socket_hears_of_groups_that_others_are_in_unless_it_does_not_want_to() {
        let mut groups = Groups::default();
        assert!(hears(&groups, 1));
        assert!(!groups.wants(GROUP.into(), Card::Ethernet, sender(1).into()));
        groups.hear(Hearing::Own);
        assert!(!hears(&groups, 1));
        groups.join(GROUP.into(), CARD).unwrap();
        assert!(hears(&groups, 1));
        let other = groups.hears(GROUP.into(), Card::Loopback, sender(1).into());
        assert!(!other, "it is in the group on another card");
    }

    #[test]
    fn a_list_of_senders_is_of_one_kind() {
        let mut groups = Groups::default();
        let at = (GROUP, CARD);
        groups
            .change(at, sender(1), Mode::Only, Change::Add)
            .unwrap();
        assert!(hears(&groups, 1) && !hears(&groups, 2));
        let other = groups.change(at, sender(1), Mode::Except, Change::Add);
        assert_eq!(other, Err(Errno::EINVAL));
        for number in 2..=10 {
            let added = groups.change(at, sender(number), Mode::Only, Change::Add);
            assert_eq!(added, Ok(()));
        }
        let full = groups.change(at, sender(11), Mode::Only, Change::Add);
        assert_eq!(full, Err(Errno::ENOBUFS));
        for number in 1..=10 {
            let removed = groups.change(at, sender(number), Mode::Only, Change::Remove);
            assert_eq!(removed, Ok(()));
        }
        assert!(groups.members.is_empty());
    }

    #[test]
    fn no_more_groups_are_entered_than_there_is_room_for() {
        let mut groups = Groups::default();
        for number in 0..=255 {
            let group = IpAddr::V6([0xff05, 0, 0, 0, 0, 0, 0, number].into());
            assert_eq!(groups.join(group, CARD), Ok(()));
        }
        let group = IpAddr::V6([0xff05, 0, 0, 0, 0, 0, 1, 0].into());
        assert_eq!(groups.join(group, CARD), Err(Errno::ENOMEM));
        assert_eq!(groups.join(GROUP.into(), CARD), Ok(()));
    }
}
