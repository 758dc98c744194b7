//! One process: its editor, what it is doing, Run and Stop, and its console below.

use leptos::html::Div;
use leptos::prelude::*;

use crate::model::exchange::ProcessSpec;
use crate::model::playground::Event;
use crate::model::words::Word;
use crate::view::console::Console;
use crate::view::input::InputLine;
use crate::view::page::Page;

/// One process.
#[component]
pub(super) fn Pane(page: Page, process: ProcessSpec) -> impl IntoView {
    let id = process.id;
    let name = process.name.to_string();
    let signals = page.pane(id);
    let state = signals.state;
    let editor = NodeRef::<Div>::new();
    let file = process.file.clone();
    Effect::new(move |_| {
        if let Some(parent) = editor.get() {
            page.edit(&parent, &file);
        }
    });
    let leaving = process.clone();
    on_cleanup(move || page.close(&leaving));
    let run_off = move || (state.with(|state| state.active) || !page.able).then_some("true");
    let stop_off = move || state.with(|state| !state.active).then_some("true");
    view! {
        <section
            class="pane"
            aria-label=page.about(Word::Process, &process)
            data-process=name.clone()
            data-testid=format!("pane-{name}")
        >
            <header class="pane-head">
                <h2 class="file">{process.file.clone()}</h2>
                <p
                    class="state"
                    role="status"
                    data-testid=format!("state-{name}")
                    data-state=move || state.with(|state| state.name)
                    data-status=move || state.with(|state| state.status.map(|status| status.to_string()))
                >
                    {move || state.with(|state| state.words.clone())}
                </p>
                <div class="actions">
                    <button
                        class="primary"
                        type="button"
                        data-testid=format!("run-{name}")
                        title="Ctrl+Enter"
                        aria-keyshortcuts="Control+Enter"
                        aria-label=page.about(Word::RunProcess, &process)
                        aria-disabled=run_off
                        on:click=move |_| page.perform(Event::Run(id))
                    >
                        {page.text(Word::Run)}
                    </button>
                    <button
                        type="button"
                        data-testid=format!("stop-{name}")
                        title="Ctrl+."
                        aria-keyshortcuts="Control+."
                        aria-label=page.about(Word::StopProcess, &process)
                        aria-disabled=stop_off
                        on:click=move |_| page.perform(Event::Stop(id))
                    >
                        {page.text(Word::Stop)}
                    </button>
                </div>
            </header>
            <div class="editor" node_ref=editor data-testid=format!("editor-{name}")></div>
            <Console page=page process=process.clone() lines=signals.console />
            <InputLine page=page process=process.clone() state=state />
        </section>
    }
}
