//! What a person sees. The view draws what `page::Page` tells it and hands on every wish; it decides nothing.
//!
//! - `page`: the signals that everything here is drawn from.
//! - `toolbar`: what concerns every process.
//! - `pane`: one process: editor, state, Run and Stop.
//! - `console`: what it printed.
//! - `input`: the line below it.

#![allow(
    unreachable_pub,
    clippy::needless_pass_by_value,
    reason = "the component macro writes `pub` items and hands over every property by value"
)]

mod console;
mod input;
mod page;
mod pane;
mod toolbar;

use leptos::prelude::*;

use crate::model::words::Word;
use crate::platform::browser;
use crate::view::page::Page;
use crate::view::pane::Pane;
use crate::view::toolbar::Toolbar;

/// Draws the page into the document's body.
pub fn mount() {
    leptos::mount::mount_to_body(App);
}

/// The whole page.
#[component]
fn App() -> impl IntoView {
    let page = Page::open();
    let able = browser::can_suspend();
    view! {
        <Toolbar page=page />
        <Show when=move || !able>
            <p class="notice" role="alert" data-testid="old-browser">{page.text(Word::OldBrowser)}</p>
        </Show>
        <Show when=move || page.no_editor.get()>
            <p class="notice" role="alert">{page.text(Word::NoEditor)}</p>
        </Show>
        <main class="panes" aria-label=page.text(Word::Processes)>
            <For each=move || page.processes.get() key=|process| process.id let:process>
                <Pane page=page process=process />
            </For>
        </main>
    }
}
