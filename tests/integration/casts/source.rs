//! Groups of which only some senders are wanted (RFC 3376).

use protocol::Errno;

use super::{
    ANY, BOB, DESK, GROUP, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, Number, Pair, bound, member,
    next, set, to,
};

/// `IP_UNBLOCK_SOURCE` (ip(7)).
const IP_UNBLOCK_SOURCE: Number = (0, 37);
/// `IP_BLOCK_SOURCE` (ip(7)).
const IP_BLOCK_SOURCE: Number = (0, 38);
/// `IP_ADD_SOURCE_MEMBERSHIP` (ip(7)).
const IP_ADD_SOURCE_MEMBERSHIP: Number = (0, 39);
/// `IP_DROP_SOURCE_MEMBERSHIP` (ip(7)).
const IP_DROP_SOURCE_MEMBERSHIP: Number = (0, 40);

/// An `ip_mreq_source`: a group, an address of the host, a sender.
fn from(source: [u8; 4]) -> Vec<u8> {
    [GROUP, ANY, source].concat()
}

#[tokio::test]
async fn a_member_hears_the_senders_that_it_wants() {
    let Pair {
        mut desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let receiver = bound(&mut bob).await;
    let own = bob.udp();
    let sender = desk.udp();
    let nobody = [10, 0, 0, 77];
    for (option, value, desks, bobs) in [
        (IP_ADD_SOURCE_MEMBERSHIP, from(nobody), false, false),
        (IP_ADD_SOURCE_MEMBERSHIP, from(DESK), true, false),
        (IP_ADD_SOURCE_MEMBERSHIP, from(BOB), true, true),
        (IP_DROP_SOURCE_MEMBERSHIP, from(DESK), false, true),
        (IP_DROP_MEMBERSHIP, member(GROUP, ANY), false, false),
        (IP_ADD_MEMBERSHIP, member(GROUP, ANY), true, true),
        (IP_BLOCK_SOURCE, from(DESK), false, true),
        (IP_UNBLOCK_SOURCE, from(DESK), true, true),
    ] {
        set(&mut bob, receiver, option, &value).await.unwrap();
        desk.send_to(sender, &to(GROUP), b"from desk").await;
        desk.send_to(sender, &to(BOB), b"desk is done").await;
        if desks {
            next(&mut bob, receiver, b"from desk").await;
        }
        next(&mut bob, receiver, b"desk is done").await;
        bob.send_to(own, &to(GROUP), b"from bob").await;
        bob.send_to(own, &to(BOB), b"bob is done").await;
        if bobs {
            next(&mut bob, receiver, b"from bob").await;
        }
        next(&mut bob, receiver, b"bob is done").await;
    }
}

#[tokio::test]
async fn senders_are_refused_as_the_kernel_does() {
    let Pair {
        desk: _desk,
        mut bob,
        relay: _relay,
    } = Pair::meet().await;
    let socket = bob.udp();
    let (add, drop) = (IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP);
    let (block, unblock) = (IP_BLOCK_SOURCE, IP_UNBLOCK_SOURCE);
    for (option, value, expected) in [
        (block, from(DESK), Err(Errno::EINVAL)),
        (drop, from(DESK), Err(Errno::EINVAL)),
        (add, member(GROUP, ANY), Err(Errno::EINVAL)),
        (add, [BOB, ANY, DESK].concat(), Err(Errno::EINVAL)),
        (
            add,
            [GROUP, [192, 0, 2, 1], DESK].concat(),
            Err(Errno::ENODEV),
        ),
        (add, from(DESK), Ok(())),
        (add, from(DESK), Err(Errno::EADDRNOTAVAIL)),
        (block, from(DESK), Err(Errno::EINVAL)),
        (drop, from(BOB), Err(Errno::EADDRNOTAVAIL)),
        (
            IP_ADD_MEMBERSHIP,
            member(GROUP, ANY),
            Err(Errno::EADDRINUSE),
        ),
        // Without its last sender, it is in the group no longer.
        (drop, from(DESK), Ok(())),
        (
            IP_DROP_MEMBERSHIP,
            member(GROUP, ANY),
            Err(Errno::EADDRNOTAVAIL),
        ),
        (IP_ADD_MEMBERSHIP, member(GROUP, ANY), Ok(())),
        (unblock, from(DESK), Err(Errno::EADDRNOTAVAIL)),
        (block, from(DESK), Ok(())),
        (block, from(DESK), Err(Errno::EADDRNOTAVAIL)),
        (add, from(DESK), Err(Errno::EINVAL)),
        (unblock, from(DESK), Ok(())),
        // Once begun, a list stays of its kind.
        (add, from(DESK), Err(Errno::EINVAL)),
        (IP_DROP_MEMBERSHIP, member(GROUP, ANY), Ok(())),
        (IP_ADD_MEMBERSHIP, member(GROUP, ANY), Ok(())),
        (add, from(DESK), Ok(())),
    ] {
        let done = set(&mut bob, socket, option, &value).await;
        assert_eq!(done, expected, "{option:?} {value:?}");
    }
}
