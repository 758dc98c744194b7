//! The blocks of a pcapng file, as bytes. Section numbers are those of draft-ietf-opsawg-pcapng.
//!
//! Everything is little-endian and padded to 4 bytes.

use std::net::IpAddr;

use protocol::HostName;

use super::super::record::Direction;
use super::{Interface, Packet, description};

/// Types of blocks (section 10.1).
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const NAMES: u32 = 4;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;
/// By which a reader sees the order of bytes (section 4.1).
const MAGIC: u32 = 0x1A2B_3C4D;
/// LINKTYPE_ETHERNET of draft-ietf-opsawg-pcaplinktype. On Linux the loopback's frames have such a header too.
const ETHERNET: u16 = 1;

/// Options: of all blocks (section 3.5), of sections, interfaces and packets (sections 4.1 to 4.3), and of statistics
/// (section 4.6).
const END: u16 = 0;
const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const NAME: u16 = 2;
const DESCRIPTION: u16 = 3;
const RESOLUTION: u16 = 9;
const FLAGS: u16 = 2;
const PACKET_ID: u16 = 5;
const DROPPED: u16 = 5;

/// Times count in units of ten to the power of minus nine seconds.
const NANOSECONDS: u8 = 9;
/// Flags of a packet: which way it went (section 4.3.1).
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// Records of names (section 4.5).
const IPV4: u16 = 1;
const IPV6: u16 = 2;

/// A block that is being written.
#[derive(Debug)]
pub(super) struct Block(Vec<u8>);

impl Block {
    fn new(kind: u32) -> Self {
        let mut block = Self(Vec::with_capacity(64));
        block.u32(kind);
        // The length is known at the end.
        block.u32(0);
        block
    }

    fn u16(&mut self, number: u16) {
        self.0.extend(number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.0.extend(number.to_le_bytes());
    }

    /// A time: its upper half first.
    fn time(&mut self, nanoseconds: u64) {
        let [a, b, c, d, e, f, g, h] = nanoseconds.to_be_bytes();
        self.u32(u32::from_be_bytes([a, b, c, d]));
        self.u32(u32::from_be_bytes([e, f, g, h]));
    }

    fn padded(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// An option, or a record of names: they look the same. What is too long for one is cut off.
    fn option(&mut self, code: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.u16(code);
        self.u16(length);
        self.padded(value.get(..usize::from(length)).unwrap_or(value));
    }

    fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() + 4).unwrap_or(u32::MAX);
        self.u32(length);
        if let Some(place) = self.0.get_mut(4..).and_then(<[u8]>::first_chunk_mut) {
            *place = length.to_le_bytes();
        }
        self.0
    }
}

/// The beginning of a file, with a word about what is missing from it.
pub(super) fn section(missing: u64) -> Vec<u8> {
    let mut block = Block::new(SECTION);
    block.u32(MAGIC);
    // Version 1.0, and a length that is not told.
    block.u16(1);
    block.u16(0);
    block.0.extend(u64::MAX.to_le_bytes());
    if 0 < missing {
        let words = format!("{missing} earlier entries of the record had been forgotten");
        block.option(COMMENT, words.as_bytes());
    }
    block.option(APPLICATION, b"Socketpad");
    block.option(END, &[]);
    block.finish()
}

/// A card.
pub(super) fn interface(interface: &Interface, snap: u32) -> Vec<u8> {
    let mut block = Block::new(INTERFACE);
    block.u16(ETHERNET);
    block.u16(0);
    block.u32(snap);
    block.option(NAME, interface.to_string().as_bytes());
    block.option(DESCRIPTION, description(interface).as_bytes());
    block.option(RESOLUTION, &[NANOSECONDS]);
    block.option(END, &[]);
    block.finish()
}

/// A frame.
pub(super) fn packet(
    interface: u32,
    nanoseconds: u64,
    packet: &Packet<'_>,
    comments: &[String],
) -> Vec<u8> {
    let mut block = Block::new(PACKET);
    block.u32(interface);
    block.time(nanoseconds);
    block.u32(u32::try_from(packet.bytes.len()).unwrap_or(u32::MAX));
    block.u32(u32::try_from(packet.length).unwrap_or(u32::MAX));
    block.padded(packet.bytes);
    for comment in comments {
        block.option(COMMENT, comment.as_bytes());
    }
    let flags = match packet.direction {
        Direction::In => INBOUND,
        Direction::Out => OUTBOUND,
    };
    block.option(FLAGS, &flags.to_le_bytes());
    block.option(PACKET_ID, &packet.number.to_le_bytes());
    block.option(END, &[]);
    block.finish()
}

/// The names of addresses.
pub(super) fn names(names: &[(IpAddr, HostName)]) -> Vec<u8> {
    let mut block = Block::new(NAMES);
    for (ip, name) in names {
        let (kind, mut value) = match ip {
            IpAddr::V4(ip) => (IPV4, ip.octets().to_vec()),
            IpAddr::V6(ip) => (IPV6, ip.octets().to_vec()),
        };
        value.extend(name.as_str().as_bytes());
        value.push(0);
        block.option(kind, &value);
    }
    block.option(END, &[]);
    block.finish()
}

/// How many frames of a card were left out.
pub(super) fn statistics(interface: u32, nanoseconds: u64, left_out: u64) -> Vec<u8> {
    let mut block = Block::new(STATISTICS);
    block.u32(interface);
    block.time(nanoseconds);
    block.option(DROPPED, &left_out.to_le_bytes());
    block.option(END, &[]);
    block.finish()
}
