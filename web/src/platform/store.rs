//! What survives a reload.
//!
//! The exchange is kept twice: for this tab, and for the next visit. A tab's own copy comes first, so that a second
//! tab never takes the text of the first away. A browser that keeps nothing (private windows, full storage) is no
//! error: the page then simply begins anew.

use web_sys::Storage;

/// Where the exchange is kept.
const EXCHANGE: &str = "socketpad.exchange";
/// Where the chosen language is kept.
const LANGUAGE: &str = "socketpad.language";

/// The exchange as it was last seen: in this tab, or else on the last visit.
pub fn exchange() -> Option<String> {
    session(EXCHANGE).or_else(|| local()?.get_item(EXCHANGE).ok()?)
}

/// Keeps the exchange.
pub fn keep_exchange(saved: &str) {
    keep_session(EXCHANGE, saved);
    if let Some(store) = local() {
        let _full = store.set_item(EXCHANGE, saved);
    }
}

/// The tag of the language that was chosen on an earlier visit.
pub fn language() -> Option<String> {
    local()?.get_item(LANGUAGE).ok()?
}

/// Keeps the chosen language.
pub fn keep_language(tag: &str) {
    if let Some(store) = local() {
        let _full = store.set_item(LANGUAGE, tag);
    }
}

/// What this tab kept under a key.
pub(super) fn session(key: &str) -> Option<String> {
    session_store()?.get_item(key).ok()?
}

/// Keeps something as long as this tab lives.
pub(super) fn keep_session(key: &str, value: &str) {
    if let Some(store) = session_store() {
        let _full = store.set_item(key, value);
    }
}

fn local() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

fn session_store() -> Option<Storage> {
    web_sys::window()?.session_storage().ok()?
}
