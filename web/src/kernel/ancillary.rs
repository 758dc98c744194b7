//! Control messages as they lie in the program's memory (cmsg(3)).
//!
//! The interpreter is one of 32 bits, but programs know the lengths of 64: `socket.CMSG_SPACE` says those. So the room that
//! a program gives is counted as a 64-bit Linux counts it, and what is written takes less.

use protocol::{Control, Errno};

/// The length of a header, in bytes.
const HEADER: usize = 12;
/// The length of one on a 64-bit Linux.
const WIDE_HEADER: usize = 16;
/// What each is filled up to on a 64-bit Linux.
const WIDE_WORD: usize = 8;

/// `SOL_SOCKET`.
const SOL_SOCKET: i32 = 1;
/// What the kinds of the level of sockets are counted from here. C code of this build would add a second time stamp to the
/// one that it knows by its own number; `ancillary.py` takes this off.
const OWN: i32 = 0x5350_0000;

/// What recvmsg(2) writes, and whether there was too little room (`put_cmsg` in the kernel).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Laid {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// Whether something was cut or left out.
    pub(crate) is_cut: bool,
}

/// Lays control messages out for a program that has so much room.
pub(crate) fn lay(controls: &[Control], mut room: usize) -> Laid {
    let mut laid = Laid::default();
    for control in controls {
        let Some(most) = room.checked_sub(WIDE_HEADER) else {
            laid.is_cut = true;
            continue;
        };
        let value = &control.value[..control.value.len().min(most)];
        laid.is_cut |= value.len() < control.value.len();
        let kind = match control.level {
            SOL_SOCKET => control.kind | OWN,
            _ => control.kind,
        };
        let length = u32::try_from(HEADER + value.len()).unwrap_or(u32::MAX);
        laid.bytes.extend(length.to_le_bytes());
        laid.bytes.extend(control.level.to_le_bytes());
        laid.bytes.extend(kind.to_le_bytes());
        laid.bytes.extend(value);
        laid.bytes.resize(laid.bytes.len().next_multiple_of(4), 0);
        let space = (WIDE_HEADER + value.len()).next_multiple_of(WIDE_WORD);
        room = room.saturating_sub(space);
    }
    laid
}

/// Reads what a program sends.
///
/// # Errors
///
/// `EINVAL`: a length is impossible.
pub(crate) fn read(mut bytes: &[u8]) -> Result<Vec<Control>, Errno> {
    let mut controls = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() {
        let [l0, l1, l2, l3, v0, v1, v2, v3, k0, k1, k2, k3] = *header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let value = length
            .checked_sub(HEADER)
            .and_then(|length| rest.get(..length));
        controls.push(Control {
            level: i32::from_le_bytes([v0, v1, v2, v3]),
            kind: i32::from_le_bytes([k0, k1, k2, k3]),
            value: value.ok_or(Errno::EINVAL)?.to_vec(),
        });
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(controls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(level: i32, kind: i32, value: &[u8]) -> Control {
        let value = value.to_vec();
        Control { level, kind, value }
    }

    #[test]
    fn what_is_laid_out_is_read_back() {
        let controls = [
            control(0, 2, &[64, 0, 0, 0]),
            control(0, 1, &[16]),
            control(41, 50, &[3; 20]),
        ];
        let laid = lay(&controls, 24 + 24 + 40);
        assert_eq!(laid.bytes.len(), 16 + 16 + 32);
        assert!(!laid.is_cut);
        assert_eq!(read(&laid.bytes), Ok(controls.to_vec()));
        assert_eq!(read(&[]), Ok(Vec::new()));
    }

    #[test]
    fn room_is_that_of_64_bits() {
        let controls = [control(0, 8, &[7; 12]), control(0, 2, &[64, 0, 0, 0])];
        for (room, lengths) in [
            (0, &[][..]),
            (15, &[]),
            (16, &[0]),
            (27, &[11]),
            (28, &[12]),
            (32, &[12]),
            (47, &[12]),
            (50, &[12, 2]),
        ] {
            let laid = lay(&controls, room);
            let read = read(&laid.bytes).unwrap();
            let values: Vec<_> = read.iter().map(|control| control.value.len()).collect();
            assert_eq!(values, lengths, "{room}");
            assert!(laid.is_cut);
        }
        assert!(!lay(&controls, 52).is_cut);
    }

    #[test]
    fn a_time_stamp_has_a_number_of_its_own() {
        let laid = lay(&[control(SOL_SOCKET, 29, &[0; 16])], 100);
        assert_eq!(read(&laid.bytes).unwrap()[0].kind, OWN + 29);
    }

    #[test]
    fn an_impossible_length_is_refused() {
        for length in [0_u32, 11, 13, u32::MAX] {
            let bytes = [&length.to_le_bytes()[..], &[0; 8]].concat();
            assert_eq!(read(&bytes), Err(Errno::EINVAL), "{length}");
        }
    }
}
