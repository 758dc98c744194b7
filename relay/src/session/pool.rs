//! Large buffers, lent to whichever session is at work.
//!
//! A session needs room for what it just read and for what it is about to write, but only while it does so. An idle one
//! holds no buffer at all; the few that are in use at a time stay warm in the processor's cache.

use std::cell::RefCell;

/// The size of every buffer, in bytes.
pub(super) const SIZE: usize = 128 * 1024;

/// How many buffers a thread keeps: about as many as a busy session has written and not yet heard of.
const KEPT: usize = 16;

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Takes a buffer of [`SIZE`] bytes. What is in it is left over from others and must be written before it is read.
pub(super) fn take() -> Vec<u8> {
    BUFFERS
        .with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| vec![0; SIZE])
}

/// Gives a buffer back.
pub(super) fn give(buffer: Vec<u8>) {
    if buffer.len() == SIZE {
        BUFFERS.with_borrow_mut(|buffers| {
            if buffers.len() < KEPT {
                buffers.push(buffer);
            }
        });
    }
}
