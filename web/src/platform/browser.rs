//! What the browser knows and can do: languages, the theme, shortcuts, suspension.

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent, UrlSearchParams};

use crate::model::words::Language;
use crate::platform::editor::Theme;
use crate::platform::store;

/// The media query that tells whether the system is dark.
const DARK: &str = "(prefers-color-scheme: dark)";

/// What a shortcut asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortcut {
    /// Ctrl+Enter: run the process whose pane has the focus.
    Run,
    /// Ctrl+Shift+Enter: run all.
    RunAll,
    /// Ctrl+.: stop the process whose pane has the focus.
    Stop,
}

/// Says whether wasm can be suspended in this browser (JSPI), without which no process can wait.
pub fn can_suspend() -> bool {
    let web_assembly = Reflect::get(&js_sys::global(), &"WebAssembly".into());
    web_assembly.is_ok_and(|found| Reflect::has(&found, &"Suspending".into()).unwrap_or(false))
}

/// A parameter of the page's address.
pub fn parameter(name: &str) -> Option<String> {
    let query = web_sys::window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&query).ok()?.get(name)
}

/// The language to begin with: of the address, of the last visit, of the browser.
pub fn language() -> Language {
    let mut tags: Vec<String> = parameter("lang")
        .into_iter()
        .chain(store::language())
        .collect();
    if let Some(window) = web_sys::window() {
        let wanted: Array = window.navigator().languages();
        tags.extend(wanted.iter().filter_map(|tag| tag.as_string()));
    }
    Language::choose(tags.iter().map(String::as_str))
}

/// Tells the browser which language the page speaks.
pub fn speak(language: Language) {
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(root) = document.and_then(|document| document.document_element()) {
        let _valid = root.set_attribute("lang", language.tag());
    }
}

/// The system's theme.
pub fn theme() -> Theme {
    let list = web_sys::window().and_then(|window| window.match_media(DARK).ok().flatten());
    if list.is_some_and(|list| list.matches()) {
        Theme::Dark
    } else {
        Theme::Light
    }
}

/// Calls `changed` whenever the system's theme changes, as long as the page lives.
pub fn on_theme(changed: impl Fn(Theme) + 'static) {
    let Some(list) = web_sys::window().and_then(|window| window.match_media(DARK).ok().flatten())
    else {
        return;
    };
    let listener = Closure::<dyn FnMut(Event)>::new(move |_| changed(theme()));
    let _valid = list.add_event_listener_with_callback("change", listener.as_ref().unchecked_ref());
    listener.forget();
    // The browser drops a list that nobody holds, and its listener with it.
    std::mem::forget(list);
}

/// Calls `pressed` for every shortcut, with the name of the process whose pane has the focus.
///
/// It listens before anything else does: the editor would take Ctrl+Enter for itself.
pub fn on_shortcut(pressed: impl Fn(Shortcut, Option<String>) + 'static) {
    let Some(window) = web_sys::window() else {
        return;
    };
    let listener = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| {
        let Some(shortcut) = shortcut(&event) else {
            return;
        };
        event.prevent_default();
        event.stop_propagation();
        pressed(shortcut, event.target().and_then(|target| pane_of(&target)));
    });
    let function = listener.as_ref().unchecked_ref();
    let _valid = window.add_event_listener_with_callback_and_bool("keydown", function, true);
    listener.forget();
}

/// Whether a page that is left may be shown again as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// The browser keeps it, with its workers.
    Kept,
    /// It is gone for good.
    ForGood,
}

/// Calls `leaving` when the page is left, which may be the last thing it does.
pub fn on_leave(leaving: impl Fn(Leave) + 'static) {
    let Some(window) = web_sys::window() else {
        return;
    };
    let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        let is_kept = Reflect::get(&event, &"persisted".into());
        leaving(match is_kept.ok().and_then(|kept| kept.as_bool()) {
            Some(true) => Leave::Kept,
            Some(false) | None => Leave::ForGood,
        });
    });
    let _valid =
        window.add_event_listener_with_callback("pagehide", listener.as_ref().unchecked_ref());
    listener.forget();
}

/// Scrolls an element to its end.
pub fn scroll_to_end(element: &HtmlElement) {
    element.set_scroll_top(element.scroll_height());
}

/// Says whether an element is scrolled to its end, within a line's height.
pub fn is_at_end(element: &HtmlElement) -> bool {
    element.scroll_height() - element.scroll_top() - element.client_height() < 24
}

fn shortcut(event: &KeyboardEvent) -> Option<Shortcut> {
    if !(event.ctrl_key() || event.meta_key()) || event.alt_key() || event.is_composing() {
        return None;
    }
    match (event.key().as_str(), event.shift_key()) {
        ("Enter", false) => Some(Shortcut::Run),
        ("Enter", true) => Some(Shortcut::RunAll),
        (".", false) => Some(Shortcut::Stop),
        _ => None,
    }
}

fn pane_of(target: &JsValue) -> Option<String> {
    let pane = target
        .dyn_ref::<Element>()?
        .closest("[data-process]")
        .ok()??;
    pane.get_attribute("data-process")
}
