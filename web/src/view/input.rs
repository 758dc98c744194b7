//! The line below a console: what is typed there is the program's standard input.

use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;

use crate::model::exchange::ProcessSpec;
use crate::model::playground::Event;
use crate::model::words::Word;
use crate::view::page::{Page, PaneState};

/// The input line and the button that ends the input.
#[component]
pub(super) fn InputLine(
    page: Page,
    process: ProcessSpec,
    state: RwSignal<PaneState>,
) -> impl IntoView {
    let id = process.id;
    let field = NodeRef::<Input>::new();
    let takes = move || state.with(|state| state.takes_input);
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if let (true, Some(field)) = (
            state.with_untracked(|state| state.takes_input),
            field.get_untracked(),
        ) {
            page.perform(Event::Input(id, format!("{}\n", field.value())));
            field.set_value("");
        }
    };
    let hint = move || {
        let word = state.with(|state| match (state.takes_input, state.active) {
            (true, _) => Word::InputHint,
            (false, true) => Word::InputEnded,
            (false, false) => Word::InputIdle,
        });
        page.language.get().text(word)
    };
    // A form, so that Enter sends on every keyboard, and an input method's own Enter does not.
    view! {
        <form class="input-line" on:submit=send>
            <input
                type="text"
                node_ref=field
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                enterkeyhint="send"
                placeholder=hint
                aria-label=page.about(Word::InputFor, &process)
                data-testid=format!("input-{}", process.name)
            />
            <button
                type="button"
                data-testid=format!("eof-{}", process.name)
                title="Ctrl+D"
                aria-label=page.about(Word::EndOfInputFor, &process)
                aria-disabled=move || (!takes()).then_some("true")
                on:click=move |_| page.perform(Event::Eof(id))
            >
                {page.text(Word::EndOfInput)}
            </button>
        </form>
    }
}
