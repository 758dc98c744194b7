//! What happens in a lab, for those who watch it.
//!
//! A lab has one [`Hub`]. Sessions write into it through their [`Tap`]s, but only while somebody watches: else a tap
//! costs one look at a number. Viewers read at their own pace from a bounded ring; whoever is too slow is told how much
//! was left out, and no process ever waits for a viewer.

mod hub;
mod tap;

pub(crate) use hub::Hub;
pub(crate) use tap::Tap;
