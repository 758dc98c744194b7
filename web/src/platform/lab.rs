//! Which lab this tab belongs to, and where its relay is.

use crate::platform::store;

/// The letters of a lab id: 32 of them, so that a random byte's low five bits choose one evenly.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// How many letters a lab id has: 130 random bits, which nobody guesses.
const LENGTH: usize = 26;
/// Where the tab keeps its lab id.
const KEY: &str = "socketpad.lab";

/// The address of the relay for every process of this tab; `None` where there is no network at all.
pub fn relay_url() -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" {
        "wss"
    } else {
        "ws"
    };
    let host = location.host().ok()?;
    Some(format!("{scheme}://{host}/labs/{}/process", id()?))
}

/// The tab's lab: made once, and kept as long as the tab, through reloads.
fn id() -> Option<String> {
    if let Some(kept) = store::session(KEY).filter(|kept| is_proper(kept)) {
        return Some(kept);
    }
    let mut bytes = [0; LENGTH];
    web_sys::window()?
        .crypto()
        .ok()?
        .get_random_values_with_u8_array(&mut bytes)
        .ok()?;
    let id: String = bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte & 31)]))
        .collect();
    store::keep_session(KEY, &id);
    Some(id)
}

fn is_proper(id: &str) -> bool {
    id.len() == LENGTH && id.bytes().all(|letter| LETTERS.contains(&letter))
}
