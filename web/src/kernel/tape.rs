//! What the process says to the relay, kept until the relay has acknowledged it.
//!
//! Frames are written one behind the other into blocks, are sent from where they lie, and stay there, so that nothing is
//! copied to be kept. A frame never spans two blocks. Offsets are bytes of frames since the session began; what was
//! acknowledged makes its block free for other frames.

use std::collections::VecDeque;

/// The size of a block, in bytes: a few of the longest frames, and well under the largest message.
pub(crate) const BLOCK: u32 = 256 * 1024;

/// How many free blocks are kept for what comes next.
const SPARE: usize = 4;

/// What the relay says it has received cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the relay has received {received} bytes, but {least} to {most} are possible")]
pub(crate) struct WrongCount {
    received: u64,
    least: u64,
    most: u64,
}

/// A place in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place<B> {
    /// The block's memory.
    pub(crate) buffer: B,
    /// Where it begins.
    pub(crate) start: u32,
    /// Where it ends.
    pub(crate) end: u32,
}

/// The frames of a session that are not known to have arrived.
#[derive(Debug)]
pub(crate) struct Tape<B> {
    /// The oldest first. The last one is written to.
    blocks: VecDeque<Place<B>>,
    spare: Vec<B>,
    /// The offset where the oldest block's frames begin.
    base: u64,
    /// The offset up to which was sent on this connection.
    sent: u64,
    /// The offset of the end.
    end: u64,
}

impl<B> Default for Tape<B> {
    fn default() -> Self {
        Self {
            blocks: VecDeque::new(),
            spare: Vec::new(),
            base: 0,
            sent: 0,
            end: 0,
        }
    }
}

impl<B: Clone> Tape<B> {
    /// Whether a frame of this length fits behind the last one in its block.
    pub(crate) fn has_room(&self, length: u32) -> bool {
        let last = self.blocks.back();
        last.is_none_or(|last| length <= BLOCK - last.end)
    }

    /// Adds a frame: says where it is to be written. `make` makes the memory of a block.
    pub(crate) fn add(&mut self, length: u32, make: impl FnOnce() -> B) -> Place<B> {
        debug_assert!(length <= BLOCK);
        if self.blocks.is_empty() || !self.has_room(length) {
            let buffer = self.spare.pop().unwrap_or_else(make);
            let (start, end) = (0, 0);
            self.blocks.push_back(Place { buffer, start, end });
        }
        self.end += u64::from(length);
        match self.blocks.back_mut() {
            Some(last) => {
                let start = last.end;
                last.end += length;
                Place {
                    buffer: last.buffer.clone(),
                    start,
                    end: last.end,
                }
            }
            None => unreachable!("a block was just added"),
        }
    }

    /// What is to be sent next, as one message.
    pub(crate) fn next(&mut self) -> Option<Place<B>> {
        let mut skip = self.sent - self.base;
        for block in &self.blocks {
            let length = u64::from(block.end - block.start);
            if skip < length {
                self.sent += length - skip;
                let skip = u32::try_from(skip).unwrap_or(u32::MAX);
                return Some(Place {
                    start: block.start + skip,
                    ..block.clone()
                });
            }
            skip -= length;
        }
        None
    }

    /// Whether there is something that was not sent.
    pub(crate) fn is_behind(&self) -> bool {
        self.sent < self.end
    }

    /// How many bytes are kept.
    pub(crate) fn kept(&self) -> u64 {
        self.end - self.base
    }

    /// The offset up to which was sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// The relay has received everything up to this offset.
    pub(crate) fn acknowledge(&mut self, received: u64) -> Result<(), WrongCount> {
        if self.sent < received {
            return Err(self.wrong(0, received, self.sent));
        }
        while let Some(oldest) = self.blocks.front_mut() {
            let length = u64::from(oldest.end - oldest.start);
            let known = received.saturating_sub(self.base);
            if known < length {
                oldest.start += u32::try_from(known).unwrap_or(0);
                self.base += known;
                break;
            }
            self.base += length;
            if self.blocks.len() == 1 {
                // The next frame begins at its beginning.
                (self.blocks[0].start, self.blocks[0].end) = (0, 0);
                break;
            }
            if let Some(block) = self.blocks.pop_front()
                && self.spare.len() < SPARE
            {
                self.spare.push(block.buffer);
            }
        }
        Ok(())
    }

    /// On a new connection everything is sent that comes after what the relay has received.
    pub(crate) fn rewind(&mut self, received: u64) -> Result<(), WrongCount> {
        if received < self.base || self.end < received {
            return Err(self.wrong(self.base, received, self.end));
        }
        self.sent = received;
        self.acknowledge(received)
    }

    fn wrong(&self, least: u64, received: u64, most: u64) -> WrongCount {
        WrongCount {
            received,
            least,
            most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    type Buffer = Rc<RefCell<Vec<u8>>>;

    fn make() -> Buffer {
        Rc::new(RefCell::new(vec![0; BLOCK as usize]))
    }

    fn write(tape: &mut Tape<Buffer>, frame: &[u8]) {
        let place = tape.add(u32::try_from(frame.len()).unwrap(), make);
        let range = place.start as usize..place.end as usize;
        place.buffer.borrow_mut()[range].copy_from_slice(frame);
    }

    fn bytes(place: &Place<Buffer>) -> Vec<u8> {
        place.buffer.borrow()[place.start as usize..place.end as usize].to_vec()
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// The process says something so long.
        Say(usize),
        /// What waits is sent, and so many frames of it arrive.
        Send(usize),
        /// The relay acknowledges.
        Ack,
        /// The connection is lost and another one made.
        Cut,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => prop_oneof![1usize..200, 50_000usize..65_000].prop_map(Step::Say),
            3 => (0usize..20).prop_map(Step::Send),
            2 => Just(Step::Ack),
            1 => Just(Step::Cut),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// However the connection is cut, the relay takes every frame once and in order.
        #[test]
        fn every_frame_arrives_once(steps in prop::collection::vec(step(), 1..120)) {
            let mut tape = Tape::default();
            let (mut said, mut wire) = (Vec::<Vec<u8>>::new(), Vec::<u8>::new());
            // What the relay has taken: frames and their bytes together.
            let (mut taken, mut received) = (0, 0);
            for step in steps.into_iter().chain([Step::Cut, Step::Send(usize::MAX)]) {
                match step {
                    Step::Say(length) => {
                        let byte = u8::try_from(said.len() % 251).unwrap();
                        said.push(vec![byte; length]);
                        write(&mut tape, &said[said.len() - 1]);
                    }
                    Step::Send(most) => {
                        while let Some(place) = tape.next() {
                            wire.extend(bytes(&place));
                        }
                        for frame in said.iter().skip(taken).take(most) {
                            if wire.len() < frame.len() {
                                break;
                            }
                            let rest = wire.split_off(frame.len());
                            prop_assert!(&wire == frame, "frame {taken} differs");
                            wire = rest;
                            (taken, received) = (taken + 1, received + frame.len() as u64);
                        }
                    }
                    Step::Ack => prop_assert_eq!(tape.acknowledge(received), Ok(())),
                    Step::Cut => {
                        wire.clear();
                        prop_assert_eq!(tape.rewind(received), Ok(()));
                    }
                }
            }
            prop_assert_eq!(taken, said.len());
            prop_assert_eq!(tape.acknowledge(received), Ok(()));
            prop_assert_eq!(tape.kept(), 0);
            prop_assert_eq!(tape.blocks.len(), usize::from(0 < taken));
        }
    }

    #[test]
    fn an_impossible_count_is_noticed() {
        let mut tape = Tape::default();
        write(&mut tape, b"twelve bytes");
        assert!(tape.acknowledge(1).is_err());
        tape.next();
        assert_eq!(tape.acknowledge(12), Ok(()));
        assert_eq!(tape.acknowledge(5), Ok(()));
        assert!(tape.rewind(11).is_err());
        assert!(tape.rewind(13).is_err());
        assert_eq!(tape.rewind(12), Ok(()));
    }
}
