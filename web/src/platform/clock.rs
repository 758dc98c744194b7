//! Countdowns and animation frames.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// Something that will be done after a while, unless this is dropped before.
#[derive(Debug)]
pub struct Countdown {
    /// What the browser calls it.
    handle: i32,
    /// What will be done; the browser only borrows it.
    _done: Closure<dyn FnMut()>,
}

impl Countdown {
    /// Does something after so many milliseconds.
    pub fn start(milliseconds: u32, done: impl FnOnce() + 'static) -> Option<Self> {
        let done = Closure::once(done);
        let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
        let handle = web_sys::window()?
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                done.as_ref().unchecked_ref(),
                milliseconds,
            )
            .ok()?;
        Some(Self {
            handle,
            _done: done,
        })
    }
}

impl Drop for Countdown {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            window.clear_timeout_with_handle(self.handle);
        }
    }
}

/// Does something before the next repaint; in a hidden tab that is when it is shown again.
pub fn next_frame(paint: impl FnOnce() + 'static) {
    let paint = Closure::once_into_js(paint);
    if let Some(window) = web_sys::window() {
        let _handle = window.request_animation_frame(paint.unchecked_ref());
    }
}
