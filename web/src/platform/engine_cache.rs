//! Whether the workers kept Python in this browser on an earlier visit.
//!
//! The workers own the database; the page only looks, because a warm spare may be booted at page load when nothing has
//! to be downloaded for it.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{IdbDatabase, IdbOpenDbRequest, IdbRequest};

/// The workers' database.
const DATABASE: &str = "socketpad";
/// Where in it the engine is.
const STORE: &str = "engine";

/// Calls `found` when there is an engine; otherwise never.
pub fn look(found: impl FnOnce() + 'static) {
    let _absent = open(found);
}

fn open(found: impl FnOnce() + 'static) -> Option<()> {
    let request = web_sys::window()?.indexed_db().ok()??.open(DATABASE).ok()?;
    // Opening creates what is not there. The database is the workers' to create: undo it.
    let creation = request.clone();
    let undo = Closure::once_into_js(move || {
        if let Some(transaction) = creation.transaction() {
            let _already_over = transaction.abort();
        }
    });
    request.set_onupgradeneeded(Some(undo.unchecked_ref()));
    let opened = request.clone();
    let look_inside = Closure::once_into_js(move || {
        let database = opened
            .result()
            .ok()
            .and_then(|result| result.dyn_into::<IdbDatabase>().ok());
        if let Some(database) = database {
            let _absent = count(&database, found);
            // It closes when the count is done; until then a worker that wants to upgrade it has to wait.
            database.close();
        }
    });
    set_onsuccess(&request, &look_inside);
    Some(())
}

fn count(database: &IdbDatabase, found: impl FnOnce() + 'static) -> Option<()> {
    if !database.object_store_names().contains(STORE) {
        return None;
    }
    let store = database
        .transaction_with_str(STORE)
        .ok()?
        .object_store(STORE)
        .ok()?;
    let request = store.count().ok()?;
    let counted = request.clone();
    let done = Closure::once_into_js(move || {
        let number = counted.result().ok().and_then(|result| result.as_f64());
        if number.is_some_and(|number| 0.0 < number) {
            found();
        }
    });
    request.set_onsuccess(Some(done.unchecked_ref()));
    Some(())
}

fn set_onsuccess(request: &IdbOpenDbRequest, done: &wasm_bindgen::JsValue) {
    let request: &IdbRequest = request.unchecked_ref();
    request.set_onsuccess(Some(done.unchecked_ref()));
}
