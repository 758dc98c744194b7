//! What goes with a datagram beside its bytes.

use serde::{Deserialize, Serialize};

/// A control message (cmsg(3)), in Linux's numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Control {
    /// The level that it belongs to.
    pub level: i32,
    /// What it is, among those of its level.
    pub kind: i32,
    /// Its value, in the layout of a 64-bit Linux, little-endian.
    pub value: Vec<u8>,
}
