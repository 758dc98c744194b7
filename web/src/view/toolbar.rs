//! What concerns every process: run and stop all, one more client, the language.

use leptos::prelude::*;

use crate::model::exchange::MAX_PROCESSES;
use crate::model::playground::Event;
use crate::model::words::{Language, Word};
use crate::view::page::Page;

/// The bar at the top.
#[component]
pub(super) fn Toolbar(page: Page) -> impl IntoView {
    let full = move || MAX_PROCESSES <= page.processes.get().len();
    let choose = move |event| {
        let tag = event_target_value(&event);
        page.speak(Language::choose([tag.as_str()]));
    };
    let languages = Language::ALL.map(|language| {
        view! {
            <option
                value=language.tag()
                lang=language.tag()
                selected=move || page.language.get() == language
            >
                {language.name()}
            </option>
        }
    });
    view! {
        <header class="toolbar">
            <h1 class="brand">"Socketpad"</h1>
            <p class="tagline">{page.text(Word::Tagline)}</p>
            <div class="actions" role="group" aria-label=page.text(Word::Toolbar)>
                <button
                    class="primary"
                    type="button"
                    data-testid="run-all"
                    title="Ctrl+Shift+Enter"
                    aria-keyshortcuts="Control+Shift+Enter"
                    aria-disabled=(!page.able).then_some("true")
                    on:click=move |_| page.perform(Event::RunAll)
                >
                    {page.text(Word::RunAll)}
                </button>
                <button type="button" data-testid="stop-all" on:click=move |_| page.perform(Event::StopAll)>
                    {page.text(Word::StopAll)}
                </button>
                <button
                    type="button"
                    data-testid="add-client"
                    aria-disabled=move || full().then_some("true")
                    on:click=move |_| page.perform(Event::AddClient)
                >
                    {page.text(Word::AddClient)}
                </button>
                <button
                    type="button"
                    data-testid="restore"
                    aria-disabled=move || (!page.edited.get()).then_some("true")
                    on:click=move |_| page.perform(Event::Restore)
                >
                    {page.text(Word::Restore)}
                </button>
            </div>
            <select
                class="language"
                data-testid="language"
                aria-label=page.text(Word::LanguageLabel)
                on:change=choose
            >
                {languages.into_view()}
            </select>
            <a class="licences" href="licences.txt" target="_blank">
                {page.text(Word::Licences)}
            </a>
        </header>
    }
}
