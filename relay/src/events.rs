//! What happens in a lab, for those who watch it.
//!
//! A lab has one [`Hub`]. Sessions write into it through their [`Tap`]s, but only while somebody watches: else a tap
//! costs one look at a number. Viewers read at their own pace from a bounded ring; whoever is too slow is told how much
//! was left out, and no process ever waits for a viewer.
//! Who asks for packets reads the lab's record too ([`Packets`]).

mod hub;
mod packets;
mod tap;

pub(crate) use hub::Hub;
pub(crate) use packets::Packets;
pub(crate) use tap::Tap;
